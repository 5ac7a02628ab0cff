"""Suites: what their tasks are, who takes part, and joining with a policy of one's own."""

import csv
import dataclasses
import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from mec_cf_gym import Allocation, Scenario, best_offload
from mec_cf_gym.cli import main
from mec_cf_gym.evaluation import policies as installed
from mec_cf_gym.evaluation import runner, suites
from mec_cf_gym.evaluation.seeds import SPLITS
from mec_cf_gym.evaluation.suites import HEADLINES, SUITES, full, quick

from ..settings import ENV_IDS, PAPER_A_IDS, PAPER_B_IDS

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class HalfPower:
    """A newcomer that refuses several subcarriers, and paper B's networks."""

    def reset(self, seed):
        pass

    def allocate(self, observation, block):
        if block.num_subcarriers > 1 or block.servers is not None:
            raise ValueError("half power is for one subcarrier and servers of one's own")
        power = np.full(block.signal_gain.shape, 0.5)
        return Allocation(power, best_offload(block, power))


class Nowhere(HalfPower):
    def allocate(self, observation, block):
        raise ValueError("not today")


@pytest.fixture
def newcomers(monkeypatch):
    """Installs them under names, as a package's entry points would."""
    points = [
        EntryPoint(name, f"{__name__}:{kind.__name__}", installed.GROUP)
        for name, kind in (("half-power", HalfPower), ("nowhere", Nowhere))
    ]
    classes = {"half-power": HalfPower, "nowhere": Nowhere}
    found = installed._found()
    monkeypatch.setattr(EntryPoint, "load", load_of(EntryPoint.load, classes))
    monkeypatch.setattr(installed, "_found", lambda: found | {point.name: point for point in points})
    runner._policy.cache_clear()
    yield
    runner._policy.cache_clear()


def load_of(usual, classes):
    return lambda point: classes[point.name] if point.name in classes else usual(point)


def run(out, *options):
    return main(["benchmark", "--suite", "quick", "--workers", "1", "--out", str(out), *options])


def units(folder):
    with (folder / "blocks.csv").open(newline="") as file:
        return {(row["task"], row["policy"]) for row in csv.DictReader(file)}


def test_the_full_suite_has_every_environment_size_motion_and_load():
    tasks = full()
    assert len({task.name for task in tasks}) == len(tasks)
    assert {task.env for task in tasks} == set(ENV_IDS)
    static = [task for task in tasks if not task.scenario.is_dynamic]
    points = {(task.env, task.num_users, task.num_subcarriers, task.motion, task.users) for task in static}
    assert len(points) == len(static)
    for env_id in PAPER_A_IDS:
        assert len([point for point in points if point[0] == env_id]) == 3 * 2 * 2 * 2
    assert set(HEADLINES) <= points


def test_its_networks_are_nobody_elses_and_enough():
    for task in (*full(), *quick()):
        assert SPLITS["league"].start <= task.seeds.start < task.seeds.stop <= SPLITS["league"].stop
        assert task.reference in task.policies
    assert min(task.topologies for task in full()) >= 20


def test_mobile_users_have_correlated_blocks_and_unequal_ones_differ():
    for task in full():
        dynamics = task.scenario.dynamics
        correlated = dynamics.fading in ("gauss_markov", "clarke")
        assert correlated == (task.motion == "mobile") == (dynamics.speed_m_per_s != 0.0)
        assert isinstance(task.scenario.tasks.task_bits, tuple) == (task.users == "unequal")
    delayed = [task for task in full() if task.env.startswith("MECCellFreeDelayed")]
    assert all("oracles" in task.remark for task in delayed)
    assert {(task.env[-2:], task.scenario.dynamics.csi_delay_blocks) for task in delayed} == {("v0", 8), ("v1", 4)}
    assert {task.env for task in full() if "predicted-exact" in task.policies} == {"MECCellFreeDelayed-v1"}


def test_every_task_is_composed_as_in_version_0_1_0():
    stored = json.loads((Path(__file__).parents[1] / "data" / "suites.json").read_text())
    assert {name: {task.name: composition(task) for task in suite()} for name, suite in SUITES.items()} == stored


def composition(task):
    """Return what a task is, of its scenario what differs from the usual one, as plain JSON."""
    usual = Scenario().to_dict()
    scenario = {name: value for name, value in task.scenario.to_dict().items() if value != usual[name]}
    fields = {
        **{field.name: getattr(task, field.name) for field in dataclasses.fields(task)},
        "scenario": scenario,
    }
    return json.loads(json.dumps({name: value for name, value in fields.items() if name != "name"}))


def test_whoever_is_missing_is_named_with_a_reason(monkeypatch):
    kept = {name: point for name, point in installed._found().items() if name not in ("cnn-lstm", "sca")}
    monkeypatch.setattr(installed, "_found", lambda: kept)
    suites._has_weights.cache_clear()
    for task in (task for task in full() if not task.scenario.is_dynamic):
        left_out = dict(task.left_out)
        assert not set(left_out) & set(task.policies)
        assert all(left_out.values())
        assert left_out["cnn-lstm"] == "not installed"
        assert left_out["sca"] == "not installed" or task.env not in PAPER_B_IDS or task.num_users > 20
        assert ("ica" in left_out) != ("ica" in task.policies)
    suites._has_weights.cache_clear()


class Silent:
    """Makes an agent whose card says nothing of environments."""

    card: ClassVar = {"training": {"training_s": 1.0}}

    def __call__(self):
        return HalfPower()


class Newcomer(Silent):
    """Makes an agent of somebody's family, as its card says."""

    card: ClassVar = {
        "env": "MECCellular-v0",
        "scenario": {"num_subcarriers": 4},
        "league": {"num_subcarriers": [1]},
    }


def test_agents_take_part_where_their_cards_say(monkeypatch):
    found = installed._found()
    monkeypatch.setattr(installed, "_found", lambda: found | {"rl-new": Newcomer(), "rl-silent": Silent()})
    tasks = [task for task in full() if "rl-new" in task.policies]
    assert not any("rl-silent" in task.policies for task in full())
    assert {(task.env, task.num_subcarriers) for task in tasks} == {("MECCellular-v0", 1)}
    assert len(tasks) == 3 * 2 * 2
    assert installed.load_policy("rl-new").allocate is not None


def test_a_run_of_a_suite_records_tasks_costs_and_who_is_left_out(league_run, suite):
    content = json.loads((league_run / "benchmark.json").read_text())
    assert content["settings"]["suite"] == "quick"
    assert content["settings"]["tasks"]["central"]["fading"] == "gauss_markov"
    assert [task["name"] for task in content["tasks"]] == list(suite)
    assert content["tasks"][0]["left_out"] == {"ica": "too slow", "rl-none": "not installed"}
    assert units(league_run) == {(task.name, policy) for task in suite.values() for policy in task.policies}
    rows = {(row["task"], row["policy"]): row for row in content["summary"]}
    assert rows["free", "exact"]["gap"] == 0 < rows["free", "random"]["gap"] <= rows["free", "random"]["gap_p95"]
    assert rows["free", "random"]["gap_low"] < rows["free", "random"]["gap"] < rows["free", "random"]["gap_high"]
    table = (league_run / "table.md").read_text()
    assert "#### central" in table
    assert "Left out: ica (too slow), rl-none (not installed)." in table


@pytest.mark.usefixtures("suite", "newcomers")
def test_a_policy_of_ones_own_joins_wherever_it_can_run(tmp_path, capsys):
    assert run(tmp_path / "run", "--policies", "half-power") == 0
    assert {task for task, policy in units(tmp_path / "run") if policy == "half-power"} == {"free", "central"}
    tasks = json.loads((tmp_path / "run" / "benchmark.json").read_text())["tasks"]
    assert tasks[2]["left_out"]["half-power"] == "half power is for one subcarrier and servers of one's own"
    assert "half-power" in capsys.readouterr().out


@pytest.mark.usefixtures("suite", "newcomers")
def test_it_joins_a_finished_run_and_leaves_without_a_trace_in_the_results(tmp_path, monkeypatch):
    out, ran = tmp_path / "run", []
    assert run(out) == 0
    unit = runner.run_unit
    monkeypatch.setattr(runner, "run_unit", lambda task, unit_: ran.append(unit_) or unit(task, unit_))
    assert run(out, "--resume", "--policies", "half-power") == 0
    assert {policy for _, policy, _ in ran} == {"half-power"}
    assert run(out, "--resume") == 0
    assert "half-power" not in {
        row["policy"] for row in json.loads((out / "benchmark.json").read_text())["summary"]
    }
    ran.clear()
    assert run(out, "--resume", "--policies", "half-power") == 0  # its records were kept
    assert len(ran) == 3  # it is tried on every task


@pytest.mark.usefixtures("suite", "newcomers")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--policies", "nowhere"],
            "policies='nowhere' is not allowed: it can run on no task of the suite: not today",
        ),
        (["--policies", "best"], "policies='best' is not allowed: it must be one of"),
        (["--topologies", "3"], "topologies=3 is not allowed: the tasks of a suite are fixed"),
        (["--reference", "ica"], "reference='ica' is not allowed: the tasks of a suite are fixed"),
        (["--env", "MECCellFree-v0"], "the tasks of a suite are fixed"),
        (["--num-users", "12"], "num_users=12 is not allowed: the tasks of a suite are fixed"),
        (["--suite", "best"], "best"),
    ],
)
def test_what_a_suite_decides_cannot_be_given(options, said, tmp_path, capsys):
    try:
        status = run(tmp_path / "run", *options)
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    printed = capsys.readouterr()
    assert said in " ".join((printed.out + printed.err).replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_a_policy_left_out_for_its_cost_runs_when_it_is_asked_for(suite):
    free = dataclasses.replace(suite["free"], left_out=(("greedy", "too slow"), ("ica", "too slow")))
    (task,) = runner.admitted([free], ["greedy"], workers=1)
    assert "greedy" in task.policies
    assert dict(task.left_out) == {"ica": "too slow"}


def test_dynamic_tasks_have_three_loads_both_motions_and_energy_as_a_limit_or_not():
    tasks = [task for task in full() if task.scenario.is_dynamic]
    assert {task.env for task in tasks} == {"MECCellFreeDynamic-v0", "MECUserCentricDynamic-v0"}
    assert len(tasks) == 3 * 2 * 3  # networks and limits, motions, loads
    for env_id in ("MECCellFreeDynamic-v0", "MECUserCentricDynamic-v0"):
        own = [task for task in tasks if task.env == env_id and task.motion == "static"]
        rates = sorted(
            {task.scenario.queues.tasks_per_s for task in own if np.isinf(task.scenario.energy.battery_j)}
        )
        assert np.array(rates) / rates[-1] == pytest.approx([0.5 / 0.95, 0.8 / 0.95, 1.0])
    assert {task.reference for task in tasks} == {"drift-plus-penalty"}
    assert len([task for task in tasks if task.headline]) == 2
