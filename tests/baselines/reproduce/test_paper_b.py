"""Paper B's figures on small networks: their files, shared measurements, and numbers of a direct computation."""

import json
import math
import shutil

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines import ExactPowerControl
from mec_cf_gym.baselines.reproduce import measure
from mec_cf_gym.baselines.reproduce.paper_b import claims
from mec_cf_gym.baselines.reproduce.paper_b.figures import Figure1
from mec_cf_gym.baselines.reproduce.paper_b.systems import SETTINGS, base_setting, other_settings
from mec_cf_gym.baselines.reproduce.paper_b.users import Users
from mec_cf_gym.cli import main
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.performance.latencies import latency
from mec_cf_gym.performance.objective import needed_server_hz
from mec_cf_gym.performance.rates import rate
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

from ...settings import SMALL

EIGHT_USERS = SMALL | {"num_users": 8}
OPTIONS = [word for name, value in EIGHT_USERS.items() for word in (f"--{name.replace('_', '-')}", str(value))]
OPTIONS += ["--workers", "1", "--topologies", "3", "--blocks", "2"]
FIGURE_FILES = {"figure.png", "figure.svg", "data.csv", "cdf.csv", "claims.md", "claims.csv", "run.json"}
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def reproduce(figure, out, *options):
    return main(["reproduce", "paper-b", "--figure", figure, *OPTIONS, *options, "--out", str(out)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Figure 2 without its sensitivity."""
    out = tmp_path_factory.mktemp("paper-b") / "run"
    assert reproduce("2", out, "--no-sensitivity") == 0
    return out


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


@pytest.fixture
def nothing_new(monkeypatch):
    """Fail if anything is measured."""
    monkeypatch.setattr(measure, "_measure", None)


def direct(**fields):
    """Return what exact power control gives on the first three test networks, solved block by block."""
    world, streams = World(Scenario.paper_b(**EIGHT_USERS, **fields)), Streams.from_seeds(seeds("test", 3))
    state, found = world.begin(streams), []
    for index in range(2):
        state = world.advance(state, streams) if index else state
        found.append((state.block, ExactPowerControl().solve(state.block)))
    return found


def test_figure_1_is_that_of_a_direct_computation(tmp_path, read_csv):
    assert reproduce("1", tmp_path) == 0
    folder = tmp_path / "figure-1"
    assert {path.name for path in folder.iterdir()} == FIGURE_FILES | {"sensitivity.csv"}
    rows, found = read_csv(folder / "data.csv"), {row["claim"]: row for row in read_csv(folder / "claims.csv")}
    assert len(rows) == 4 * 3 * 8
    power_w = {}
    for system, deployment in (("cell-free", "user_centric"), ("cellular", "multi_cell")):
        solved = direct(deployment=deployment)
        power_w[system] = np.stack([0.1 * solution.power[:, 0] for _, solution in solved], axis=1)
        measured_mw = [float(row["power_mw"]) for row in rows if row["system"] == system]
        np.testing.assert_allclose(measured_mw, 1e3 * power_w[system].mean(1).ravel(), rtol=1e-4)
    saving = 100 * (1 - power_w["cell-free"].mean() / power_w["cellular"].mean())
    assert float(found["total power below cellular"]["measured"]) == pytest.approx(saving, rel=1e-3)
    saving = 100 * (1 - power_w["cell-free"].mean() / 0.1)
    assert float(found["total power below full power (2 W)"]["measured"]) == pytest.approx(saving, rel=1e-3)
    top_mw = 1e3 * np.percentile(power_w["cell-free"], 95)
    assert float(found["top decile of cell-free users"]["measured"]) == pytest.approx(top_mw, rel=1e-3)
    for row in found.values():
        assert row["holds"] in ("yes", "no", "undecided")
        assert "w = 0.6 W, tau_p = 5, deadline = 0.4 s, drop = balanced" in row["setting"]
    cdf = read_csv(folder / "cdf.csv")
    values = [
        float(row["value"]) for row in cdf if (row["system"], row["quantity"]) == ("cell-free", "user_power_mw")
    ]
    assert (values[0], values[-1]) == pytest.approx(
        (1e3 * power_w["cell-free"].min(), 1e3 * power_w["cell-free"].max())
    )
    check_sensitivity(folder, read_csv)


def check_sensitivity(folder, read_csv):
    """Check that claims are tried under every other setting."""
    rows = read_csv(folder / "sensitivity.csv")
    settings = list(dict.fromkeys(row["setting"] for row in rows))
    assert settings[0] == "as above"
    assert {"w = 0.3 W", "w = 1.2 W", "tau_p = 3", "tau_p = 10", "deadline = 0.3 s"} < set(settings)
    assert {"deadline = 0.5 s", "drop = uniform", "combiner = mmse"} < set(settings)
    assert len(rows) == 9 * len(claims.POWER)
    cheap = np.mean([solution.power for _, solution in direct(fairness_weight_w=0.3)])
    dear = np.mean([s.power for _, s in direct(fairness_weight_w=0.3, deployment="multi_cell")])
    (row,) = (row for row in rows if (row["setting"], row["claim"]) == ("w = 0.3 W", claims.POWER[0].text))
    assert float(row["measured"]) == pytest.approx(100 * (1 - cheap / dear), rel=1e-3)
    text = (folder / "claims.md").read_text()
    assert all(setting in text for setting in settings)


def test_central_computing_is_that_of_a_direct_computation(tmp_path, read_csv):
    assert reproduce("2", tmp_path, "--computing", "centre", "--no-sensitivity") == 0
    rows = read_csv(tmp_path / "figure-2" / "data.csv")
    central = ExactPowerControl(computing="centre")
    for system, deployment in (("cell-free", "user_centric"), ("cellular", "multi_cell")):
        computing_hz = [central.solve(block).computing.total_hz for block, _ in direct(deployment=deployment)]
        found_ghz = [float(row["computing_ghz"]) for row in rows if row["system"] == system]
        np.testing.assert_allclose(found_ghz, 1e-9 * np.mean(computing_hz, 0).ravel(), rtol=1e-6)
    assert "the centre of all that meets the deadlines" in (tmp_path / "figure-2" / "claims.md").read_text()
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["computing"] == "centre"


def test_the_cellular_network_may_have_a_weight_of_its_own(tmp_path, read_csv):
    assert reproduce("1", tmp_path, "--cellular-weight-w", "0.3", "--no-sensitivity") == 0
    rows = read_csv(tmp_path / "figure-1" / "data.csv")
    for system, fields in {
        "cell-free": {"deployment": "user_centric"},
        "cellular": {"deployment": "multi_cell", "fairness_weight_w": 0.3},
    }.items():
        expected_mw = 100 * np.mean([solution.power[:, 0] for _, solution in direct(**fields)], 0)
        found_mw = [float(row["power_mw"]) for row in rows if row["system"] == system]
        np.testing.assert_allclose(found_mw, expected_mw.ravel(), rtol=1e-4)
    text = (tmp_path / "figure-1" / "claims.md").read_text()
    assert "cellular w = 0.3 W" in text
    assert "fitted\nafter the fact" in text


def test_undecided_claims_get_more_topologies(tmp_path, read_csv, monkeypatch):
    options = ["--topologies", "1", "--no-sensitivity", "--most-topologies", "3"]  # one decides nothing
    assert reproduce("2", tmp_path, *options) == 0
    for row in read_csv(tmp_path / "figure-2" / "claims.csv"):
        decided = row["holds"] != "undecided"
        assert row["topologies"] in (("2", "3") if decided else ("3",))
    assert len(read_csv(tmp_path / "figure-2" / "data.csv")) == 4 * 1 * 8  # figures show the first
    before = (tmp_path / "figure-2" / "claims.md").read_bytes()
    monkeypatch.setattr(measure, "_measure", None)
    assert reproduce("2", tmp_path, *options, "--resume") == 0
    assert (tmp_path / "figure-2" / "claims.md").read_bytes() == before


def test_how_many_topologies_undecided_claims_get():
    assert Figure1().sizes == [200, 400, 800, 1000]
    assert Figure1(quick=True).sizes == [10]
    assert Figure1(topologies=30).sizes == [30]
    assert Figure1(quick=True, most_topologies=25).sizes == [10, 20, 25]


@pytest.mark.usefixtures("nothing_new")
def test_figures_share_their_measurements(copy, read_csv, capsys):
    assert reproduce("3", copy, "--no-sensitivity") == 0
    assert f"written to {copy / 'figure-3'}" in capsys.readouterr().out
    for figure, expected in (("2", claims.COMPUTING), ("3", claims.EFFICIENCY)):
        assert {path.name for path in (copy / f"figure-{figure}").iterdir()} == FIGURE_FILES
        found = read_csv(copy / f"figure-{figure}" / "claims.csv")
        assert [row["claim"] for row in found] == [claim.text for claim in expected]
    assert (copy / "figure-2" / "data.csv").read_bytes() == (copy / "figure-3" / "data.csv").read_bytes()
    run = json.loads((copy / "figure-3" / "run.json").read_text())
    assert run["settings"]["seeds"] == [3 * 2**30, 3 * 2**30 + 3]


def test_only_what_is_missing_or_damaged_is_measured(copy, files, monkeypatch):
    before = files(copy / "figure-2")
    missing, damaged = (copy / "units" / name / "00000000.npy" for name in ("cell-free", "cellular"))
    missing.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-8])
    ran, unit = [], measure._measure
    monkeypatch.setattr(measure, "_measure", lambda *args: ran.append(args[0]) or unit(*args))
    assert reproduce("2", copy, "--no-sensitivity", "--resume") == 0
    assert [cell.name for cell, _ in ran] == ["cell-free", "cellular"]
    assert files(copy / "figure-2") == before


@pytest.mark.usefixtures("nothing_new")
def test_a_run_goes_on_only_if_asked_and_with_its_own_settings(whole, capsys):
    assert reproduce("2", whole) == 2
    assert "holds a run already: add --resume" in capsys.readouterr().err
    for option, said in (("--num-users", "num_users=4 differs from 8"), ("--blocks", "blocks=4 differs from 2")):
        assert reproduce("2", whole, "--resume", option, "4") == 2
        assert said in capsys.readouterr().err
    assert reproduce("3", whole, "--blocks", "4") == 2  # its first run, on the measurements of another figure
    assert "blocks=4 differs from 2" in capsys.readouterr().err


def test_the_paper_s_own_algorithm_comes_to_the_same(tmp_path, read_csv):
    options = ["--solver", "sca", "--no-sensitivity", "--topologies", "1", "--blocks", "1"]
    assert reproduce("3", tmp_path, *options) == 0
    assert {path.name for path in (tmp_path / "figure-3").iterdir()} == FIGURE_FILES
    for claim in read_csv(tmp_path / "figure-3" / "claims.csv"):
        assert (claim["low"], claim["holds"]) == ("nan", "undecided")  # of one topology
    rows = {
        row["user"]: row for row in read_csv(tmp_path / "figure-3" / "data.csv") if row["system"] == "cellular"
    }
    ((block, exact), _) = direct(deployment="multi_cell")
    expected = rate(block, exact.power)[0] / 20e6
    found = [float(rows[str(user)]["spectral_efficiency"]) for user in range(8)]
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_users_without_computing_get_the_least_that_meets_their_deadlines():
    state = World(Scenario.paper_b(**EIGHT_USERS)).begin(Streams.from_seeds([1, 2]))
    allocation = Allocation(np.full((2, 1, 8), 0.5), np.ones((2, 8)))
    found = Users.of(state.block, allocation, 1e-3)
    rate_bps = rate(state.block, allocation.power)
    np.testing.assert_allclose(found.power_w, 0.05)
    np.testing.assert_allclose(found.rate_bps, rate_bps)
    np.testing.assert_allclose(found.computing_hz, needed_server_hz(state.block, rate_bps, allocation.offload))
    latency_s = latency(state.block, allocation.power, allocation.offload, found.computing_hz)
    np.testing.assert_allclose(latency_s, 0.4)
    assert not found.missed.any()
    assert not found.at_full_power.any()


def test_both_systems_meet_the_same_users_and_tasks():
    cell_free, cellular = (
        World(Scenario.paper_b(num_users=4, deployment=deployment)).begin(Streams.from_seeds([5]))
        for deployment in ("user_centric", "multi_cell")
    )
    np.testing.assert_array_equal(cell_free.network.user_positions_m, cellular.network.user_positions_m)
    np.testing.assert_array_equal(cell_free.block.task_bits, cellular.block.task_bits)


def test_settings_are_those_that_the_scenario_does_not_have():
    scenario = Scenario.paper_b(deadline_s=0.3)
    assert len(other_settings(scenario)) == len(SETTINGS) - 5
    assert "deadline = 0.4 s" in [setting.text for setting in other_settings(scenario)]
    assert base_setting(scenario).startswith("w = 0.6 W, tau_p = 5, deadline = 0.3 s")
    names = [cell.name for cell in Figure1(scenario=scenario).cells()]
    assert len(set(names)) == len(names) == 4 + 2 * 8


def test_quick_runs_are_small():
    campaign, whole = Figure1(quick=True).campaign, Figure1().campaign
    assert (len(whole.seeds), len(campaign.seeds)) == (200, 10)
    assert (Figure1().sensitivity_topologies, Figure1(topologies=3).sensitivity_topologies) == (50, 3)


@pytest.mark.parametrize(
    ("figure", "options", "said"),
    [
        ("4", [], "invalid choice: '4'"),
        ("1", ["--topologies", "0"], "topologies=0 is not allowed"),
        ("1", ["--most-topologies", "2"], "most_topologies=2 is not allowed: it must be a whole number from 3"),
        ("2", ["--computing", "most"], "invalid choice"),
        ("2", ["--cellular-weight-w", "-1"], "fairness_weight_w=-1.0 is not allowed"),
        ("2", ["--blocks", "0"], "blocks=0 is not allowed"),
        ("1", ["--deployment", "multi_cell"], "deployment='multi_cell' is not allowed: it is set by the systems"),
        ("1", ["--server", "dedicated"], "server='dedicated' is not allowed: it is set by paper B"),
        ("1", ["--local-computing"], "local_computing=True is not allowed: it is set by paper B"),
        ("3", ["--episode-blocks", "5"], "episode_blocks=5 is not allowed: it is set by --blocks"),
        ("3", ["--num-aps", "15"], "num_aps=15 is not allowed"),
        ("1", ["--solver", "best"], "policy='best' is not allowed: the installed policies are"),
    ],
)
def test_bad_options_are_refused(figure, options, said, tmp_path, capsys):
    try:
        status = reproduce(figure, tmp_path / "run", *options)
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_help_lists_the_figures_and_their_options(capsys):
    for command, names in {
        "reproduce": ["paper-b"],
        "reproduce paper-b": ["--figure {1,2,3}"],
        "reproduce paper-b --figure 2": [
            "--no-sensitivity",
            "--quick",
            "--fairness-weight-w",
            "--cellular-weight-w",
        ],
    }.items():
        try:
            assert main([*command.split(), "--help"]) == 0
        except SystemExit as exit_:
            assert exit_.code == 0
        text = capsys.readouterr().out
        assert all(name in text for name in names)
    assert math.isclose(claims.about(5e-4)[1], 6e-4)
