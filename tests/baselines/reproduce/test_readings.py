"""Paper A's claims under every reading of its physics, and what offload ratios claim."""

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import FastMinMax
from mec_cf_gym.baselines.reproduce.paper_a.readings import READINGS, THEOREM, TINY_NETWORKS, Readings
from mec_cf_gym.baselines.reproduce.paper_a.schemes import ClaimedLatencies, claimed_latency
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.performance.latencies import best_offload, latency
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

from ...conftest import block_of

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def test_the_readings_are_interference_by_noise_and_the_bandwidth():
    scenario = Scenario.paper_a()
    radios = [reading.scenario(scenario).radio for reading in READINGS]
    kinds = [(radio.interference, radio.receiver_noise) for radio in radios]
    assert set(kinds[:4]) == {(one, other) for one in ("physical", "printed") for other in ("physical", "printed")}
    assert kinds[4] == ("physical", "physical")
    assert [radio.bandwidth_hz for radio in radios] == [20e6] * 4 + [4 * 20e6]
    assert READINGS[4].scenario(scenario).subcarrier_bandwidth_hz == 20e6


def test_one_table_has_every_claim_under_every_reading(tmp_path, reproduce, read_csv, monkeypatch):
    monkeypatch.setitem(TINY_NETWORKS, "num_users", 2)
    assert reproduce("claims", tmp_path, "--topologies", "2", "--blocks", "1", "--users", "3", "30") == 0
    claims = read_csv(tmp_path / "claims.csv")
    per_reading = [[row["claim"] for row in claims if row["reading"] == reading.label] for reading in READINGS]
    assert all(names == per_reading[0] for names in per_reading)
    assert per_reading[0][-1] == THEOREM
    assert {row["holds"] for row in claims if row["claim"] == THEOREM} == {"yes"}
    text = (tmp_path / "claims.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert all(reading.label in table[0] for reading in READINGS)
    assert len(table) == 2 + len(per_reading[0])
    rows = read_csv(tmp_path / "data.csv")
    assert len(rows) == len(READINGS) * 3 * 2 * 2
    scenario = Scenario.paper_a(num_aps=8, num_subcarriers=2, num_users=3, interference="printed")
    block = World(scenario).begin(Streams.from_seeds(seeds("test", 2))).block
    expected = 1e3 * FastMinMax().solve(block).max_latency
    found = [row for row in rows if row["curve"] == "interference, scheme-1" and row["users"] == "3"]
    np.testing.assert_allclose([float(row["max_latency_ms"]) for row in found], expected, rtol=1e-4)


@pytest.mark.parametrize("field", ["interference", "receiver_noise"])
def test_the_readings_set_the_physics(field):
    with pytest.raises(ValueError, match=f"{field}='printed' is not allowed: it is set by the readings"):
        Readings(scenario=Scenario.paper_a(**{field: "printed"})).check()


def test_what_ratios_claim_is_the_reference_and_no_latency(paper_a_reference):
    known = paper_a_reference("claimed")
    block = block_of(known["signal"][:, None], known["interference"][:, None])
    power, offload = known["power"][:, None], known["offload"]
    np.testing.assert_allclose(claimed_latency(block, offload).max(-1), known["claimed_s"], rtol=1e-9)
    np.testing.assert_allclose(latency(block, power, offload).max(-1), known["true_s"], rtol=1e-9)
    best_s = latency(block, power, best_offload(block, power)).max(-1)
    np.testing.assert_allclose(best_s, known["best_split_s"], rtol=1e-9)
    assert (known["claimed_s"] < best_s).any()  # nobody can have it


def test_claims_of_a_solution_are_its_latencies():
    block = World(Scenario.paper_a(num_users=4)).begin(Streams.from_seeds(range(3))).block
    solution = FastMinMax().solve(block)
    claimed = ClaimedLatencies.of(block, solution, 1e-3)
    np.testing.assert_allclose(claimed.max_latency_ms, 1e3 * solution.max_latency, rtol=1e-9)
    assert not claimed.capped.any()
