"""Shared by the tests of evaluation: a small suite, and a finished run of it."""

import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.cli import main
from mec_cf_gym.evaluation import suites
from mec_cf_gym.evaluation.tasks import Task

SIZE = {"split": "league", "topologies": 3, "blocks": 2, "times_batches": False}


def small_suite():
    disk = Scenario.paper_a(num_users=3, num_aps=8, num_subcarriers=1)
    grid = Scenario.paper_b(num_users=4, num_aps=16)
    out = {"reference": "exact", "left_out": (("ica", "too slow"), ("rl-none", "not installed")), **SIZE}
    return (
        Task(name="free", env="MECCellFree-v0", scenario=disk, policies=("full-power", "random", "exact"), **out),
        Task(
            name="central",
            env="MECCellular-v0",
            scenario=disk.replace(deployment="cellular", task_bits=(500.0, 2000.0), fading="gauss_markov"),
            policies=("random", "exact"),
            **{**out, "headline": False},
        ),
        Task(name="grid", env="MECUserCentric-v0", scenario=grid, policies=("full-power", "exact"), **out),
    )


@pytest.fixture
def suite(monkeypatch):
    """Puts the small suite in place of the quick one."""
    monkeypatch.setitem(suites.SUITES, "quick", small_suite)
    return {task.name: task for task in small_suite()}


@pytest.fixture(scope="session")
def league_run(tmp_path_factory):
    """Returns the folder of a finished run of the small suite."""
    out = tmp_path_factory.mktemp("league") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(suites.SUITES, "quick", small_suite)
        assert main(["benchmark", "--suite", "quick", "--workers", "1", "--out", str(out)]) == 0
    return out
