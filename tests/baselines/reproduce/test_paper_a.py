"""Paper A's figures on small networks: their files, and that numbers are those of a direct computation."""

import json
import shutil

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import CNNLSTM, FastMinMax, MagnitudeOnly, MagnitudeSolver
from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.learned import weights
from mec_cf_gym.baselines.learned.cnn_lstm import CNNLSTMNetwork
from mec_cf_gym.baselines.reproduce.paper_a.figure_1 import CLAIMS, findings_on
from mec_cf_gym.baselines.reproduce.paper_a.schemes import Latencies
from mec_cf_gym.baselines.reproduce.paper_a.sensitivity import PLACES, Order, SensitivityMap
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.performance.outcome import outcome_of
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

FOLDER = weights.FOLDER
FILES = {"figure.png", "figure.svg", "data.csv", "claims.md", "claims.csv", "run.json"}
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def outcomes(solver, blocks=2, **fields):
    """Return the outcome of every block of the first two test networks, solved block by block."""
    scenario = Scenario.paper_a(num_aps=8, **{"num_subcarriers": 2, **fields})
    world, streams = World(scenario), Streams.from_seeds(seeds("test", 2))
    state, found = world.begin(streams), []
    for index in range(blocks):
        state = world.advance(state, streams) if index else state
        found.append(outcome_of(state.block, solver.solve(state.block), 1e-3))
    return found


def offloads(solver, deployment):
    """Return the offload ratios of every block of the first two test networks, each ``(2, K)``."""
    world = World(Scenario.paper_a(num_aps=8, num_subcarriers=2, num_users=3, deployment=deployment))
    streams = Streams.from_seeds(seeds("test", 2))
    state = world.begin(streams)
    first = solver.solve(state.block).offload
    return first, solver.solve(world.advance(state, streams).block).offload


def mean_ms(found):
    return 1e3 * np.mean([outcome.latency_s.max(-1) for outcome in found], axis=0)


@pytest.fixture
def small_weights(tmp_path, monkeypatch):
    """Install weights for N = 2, M = 8 and K = 3, of an untrained network."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    for path in FOLDER.glob("magnitude.*"):
        shutil.copy(path, tmp_path)
    CNNLSTM(CNNLSTMNetwork(2, 8, 3)).save(tmp_path / "small")
    return tmp_path / "small"


def test_figure_1(tmp_path, reproduce, read_csv, capsys):
    assert reproduce("1", tmp_path, "--topologies", "2", "--blocks", "2") == 0
    printed = capsys.readouterr()
    assert (tmp_path / "claims.md").read_text() in printed.out
    assert "24/24" in printed.err  # the progress bar: 3 schemes, 2 numbers of users, 2 topologies, 2 blocks
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"units"}
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "figure.svg").read_text()
    rows = read_csv(tmp_path / "data.csv")
    assert len(rows) == 3 * 2 * 2
    for scheme, fields in {
        "scheme-1": {},
        "scheme-2": {"local_computing": False},
        "scheme-3": {"deployment": "cellular"},
    }.items():
        found = [row for row in rows if (row["curve"], row["users"]) == (scheme, "4")]
        expected = outcomes(FastMinMax(), num_users=4, **fields)
        np.testing.assert_allclose([float(row["max_latency_ms"]) for row in found], mean_ms(expected), rtol=1e-4)
        assert [int(row["seed"]) for row in found] == list(seeds("test", 2))
    claims = read_csv(tmp_path / "claims.csv")
    assert [(row["claim"], row["users"]) for row in claims] == [(claim, k) for claim in CLAIMS[:2] for k in "34"]
    assert "path loss exponent 3.67, 4 dB shadowing, receiver noise physical, N = 2" in claims[0]["setting"]
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["settings"]["seeds"] == [3 * 2**30, 3 * 2**30 + 2]
    assert {"command", "versions", "machine"} <= run.keys()


def test_figure_1_judges_the_paper_s_claims():
    def measured(mean_ms, gini=0.0):
        spread = np.linspace(-0.01, 0.01, 10)[:, None] * np.ones((1, 2))
        return Latencies(mean_ms + spread, gini + spread, np.zeros((10, 2)))

    def verdicts(first, second, third, users, gini=0.0):
        cells = (measured(first, gini), measured(second), measured(third))
        return [(finding.claim, finding.holds) for finding in findings_on(cells, users)]

    best, wins, loses, fair = CLAIMS
    assert verdicts(0.2, 0.4, 0.3, 20) == [(best, "yes"), (wins, "yes")]
    assert verdicts(0.2, 0.3, 0.4, 20) == [(best, "yes"), (wins, "no")]
    assert verdicts(0.2, 0.3, 0.4, 30) == [(best, "yes"), (loses, "yes")]
    assert verdicts(0.35, 0.3, 0.4, 40) == [(best, "no"), (loses, "yes")]
    assert verdicts(0.2, 0.4, 0.3, 50, gini=0.3) == [(best, "yes"), (loses, "no"), (fair, "no")]
    assert verdicts(0.2, 0.3, 0.4, 50, gini=0.1) == [(best, "yes"), (loses, "yes"), (fair, "yes")]


def test_figure_2_without_weights_goes_on_and_says_so(tmp_path, reproduce, read_csv, capsys, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "none")
    out = tmp_path / "run"
    assert reproduce("2", out, "--topologies", "2", "--blocks", "2", "--num-aps", "7") == 0
    assert "not measured: cnn-lstm-K3: block=(2, 7, 3) is not allowed" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == FILES | {"units", "cdf.csv"}
    claims = read_csv(out / "claims.csv")
    assert [row["holds"] for row in claims] == ["not measured"] * 8
    assert {row["curve"] for row in read_csv(out / "data.csv")} >= {"cell-free", "bs-centred"}
    assert "cross-test-K4" in json.loads((out / "run.json").read_text())["not_measured"]


def test_figure_2_with_weights_that_come_later(tmp_path, reproduce, read_csv, small_weights, monkeypatch):
    out, options = tmp_path / "run", ["--topologies", "2", "--blocks", "2", "--users", "3"]
    with monkeypatch.context() as context:
        context.setattr(weights, "FOLDER", tmp_path / "none")
        assert reproduce("2", out, *options) == 0
    assert reproduce("2", out, *options, "--resume") == 0
    rows, network = read_csv(out / "data.csv"), CNNLSTM.load(small_weights)
    expected = {
        "cell-free": (FastMinMax(), {}),
        "bs-centred": (FastMinMax(), {"deployment": "cellular"}),
        "cnn-lstm": (network, {}),
        "cnn-lstm-best-split": (WithBestOffload(network), {}),
        "cross-test": (network, {"deployment": "cellular"}),
        "cross-test-best-split": (WithBestOffload(network), {"deployment": "cellular"}),
        "magnitude": (MagnitudeSolver.load(FOLDER / "magnitude"), {}),
        "magnitude-only": (MagnitudeOnly(FastMinMax()), {}),
    }
    largest_ms = {}
    for curve, (solver, fields) in expected.items():
        found = outcomes(solver, num_users=3, **fields)
        values = [float(row["max_latency_ms"]) for row in rows if row["curve"] == curve]
        np.testing.assert_allclose(values, mean_ms(found), rtol=1e-3)
        largest_ms[curve] = 1e3 * np.stack([outcome.latency_s.max(-1) for outcome in found])
    cdf = [row for row in read_csv(out / "cdf.csv") if row["curve"] == "cross-test"]
    ends = [float(cdf[index]["latency_ms"]) for index in (0, 500, -1)]
    values = largest_ms["cross-test"]
    np.testing.assert_allclose(ends, [values.min(), np.median(values), values.max()], rtol=1e-3)
    within, cross, within_claimed, cross_claimed = read_csv(out / "claims.csv")
    gap = (largest_ms["cnn-lstm"] / largest_ms["cell-free"] - 1).mean()
    assert float(within["mean"]) == pytest.approx(gap, rel=1e-3)
    assert within["holds"] == "no"  # it is not trained
    assert cross["claim"] == "cross-test beats BS-centred ICA"
    for row, deployment, reference in (
        (within_claimed, "cell_free", "cell-free"),
        (cross_claimed, "cellular", "bs-centred"),
    ):
        claimed_ms = [1e3 * np.max(1 - found, -1) * 1e-3 for found in offloads(network, deployment)]
        expected = (np.array(claimed_ms) / largest_ms[reference] - 1).mean()
        assert float(row["mean"]) == pytest.approx(expected, rel=1e-3)
    limit = [row for row in rows if row["curve"] == "information-limit"]
    assert len(limit) == 2


def test_map(tmp_path, reproduce, read_csv):
    options = ["--exponents", "3.67", "3", "--shadowings-db", "2", "8", "--num-subcarriers", "1"]
    assert reproduce("map", tmp_path, *options, "--topologies", "2", "--blocks", "2") == 0
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"units"}
    rows = read_csv(tmp_path / "data.csv")
    assert len(rows) == 2 * 2 * 2
    assert len(list((tmp_path / "units").iterdir())) == 2 * 2 * 2 * (2 + 1)  # scheme 3 has one kind of noise
    fields = {"num_users": 4, "num_subcarriers": 1, "path_loss_exponent": 3.0, "shadowing_db": 8.0}
    second = outcomes(FastMinMax(), local_computing=False, receiver_noise="printed", **fields)
    third = outcomes(FastMinMax(), deployment="cellular", **fields)
    place = {"receiver_noise": "printed", "path_loss_exponent": "3.0", "shadowing_db": "8.0"}
    (row,) = [row for row in rows if place.items() <= row.items()]
    expected = (mean_ms(second) - mean_ms(third)).mean()
    assert float(row["difference_ms_K4"]) == pytest.approx(expected, rel=1e-4)


def test_the_order_flips_if_scheme_3_is_better_for_few_users_only():
    def flips(few, many, spread=0.1):
        estimates = (Estimate(mean, mean - spread, mean + spread) for mean in (few, many))
        order = Order(dict(zip(PLACES, ("physical", 3.0, 7.0), strict=True)), *estimates)
        return order.flips, order.flips_in_the_mean

    assert flips(1, -1) == ("yes", True)
    assert flips(-1, 1) == ("no", False)
    assert flips(1, 1) == ("no", False)
    assert flips(0.05, -1) == ("undecided", True)
    assert flips(-0.05, -1) == ("undecided", False)
    assert flips(0.05, 1) == ("no", False)


def test_the_map_is_for_one_subcarrier_unless_told():
    assert SensitivityMap().scenario.radio.num_subcarriers == 1
    assert {cell.scenario.radio.num_subcarriers for cell in SensitivityMap(quick=True).cells()} == {1}


@pytest.mark.parametrize(
    ("figure", "options", "said"),
    [
        ("3", [], "invalid choice: '3'"),
        ("1", ["--topologies", "0"], "topologies=0 is not allowed"),
        ("1", ["--blocks", "0"], "blocks=0 is not allowed"),
        ("1", ["--workers", "0"], "workers=0 is not allowed"),
        ("1", ["--users", "3", "3"], "users=(3, 3) is not allowed"),
        ("1", ["--users", "0"], "num_users=0 is not allowed"),
        ("2", ["--arrivals", "poisson"], "arrivals='poisson' is not allowed: the papers' tasks do not wait"),
        ("1", ["--num-users", "5"], "num_users=5 is not allowed: it is set by --users"),
        ("1", ["--deployment", "cellular"], "deployment='cellular' is not allowed: it is set by the schemes"),
        ("1", ["--solver", "best"], "policy='best' is not allowed: the installed policies are"),
        ("2", ["--solver", "exact"], "num_subcarriers=2 is not allowed: the exact optimum"),
        ("2", ["--nonsense"], "nonsense"),
        ("map", ["--exponents", "3", "3"], "exponents=(3.0, 3.0) is not allowed"),
        ("map", ["--exponents", "9"], "path_loss_exponent=9.0 is not allowed"),
        ("map", ["--shadowing-db", "3"], "shadowing_db=3.0 is not allowed: it is set by --shadowings-db"),
    ],
)
def test_bad_options_are_named_without_a_traceback(figure, options, said, tmp_path, reproduce, capsys):
    try:
        status = reproduce(figure, tmp_path / "run", *options)
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    printed = capsys.readouterr()
    assert said in " ".join((printed.out + printed.err).replace("│", " ").split())
    assert not (tmp_path / "run").exists()
