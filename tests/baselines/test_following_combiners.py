"""Paper A's solvers on paper B's networks, whose combiners follow the powers."""

import numpy as np
import pytest

from mec_cf_gym import Scenario, best_offload, latency
from mec_cf_gym.baselines import (
    ICA,
    BranchAndBound,
    ExactMinMax,
    FastMinMax,
    FullPower,
    RandomPower,
    latency_bound,
)
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

SMALL = {"num_users": 4, "num_aps": 16, "antennas_per_base_station": 16, "user_drop": "uniform"}
SOLVERS = [ICA(), ExactMinMax(), FastMinMax(), BranchAndBound()]


def draw(deployment, **fields):
    scenario = Scenario.paper_b(deployment=deployment, local_computing=True, **SMALL, **fields)
    return World(scenario).begin(Streams.from_seeds(range(3))).block


@pytest.mark.parametrize("deployment", ["user_centric", "multi_cell"])
@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: type(solver).__name__)
def test_latencies_are_those_of_the_real_receiver(solver, deployment):
    block = draw(deployment)
    solution = solver.solve(block)
    np.testing.assert_allclose(solution.offload, best_offload(block, solution.power))
    np.testing.assert_array_equal(solution.latency, latency(block, solution.power, solution.offload))
    np.testing.assert_array_equal(solution.history[:, -1], solution.max_latency)
    np.testing.assert_array_equal(solution.lower_bound, latency_bound(block))
    assert (solution.max_latency >= solution.lower_bound).all()
    for other in (FullPower(), RandomPower(0), RandomPower(1)):
        assert (solution.max_latency <= other.solve(block).max_latency).all()
    assert (solution.status == "converged").all()
    alone = solver.solve(next(block.rows()))
    assert alone.power.shape == (1, 4)
    np.testing.assert_allclose(alone.max_latency, solution.max_latency[0], rtol=1e-9)


@pytest.mark.parametrize("combiner", ["mrc", "mmse", "p_mmse", "p_rzf", "l_mmse", "lp_mmse"])
def test_the_bound_holds_for_every_combiner_and_all_servers_for_one(combiner):
    block = draw("user_centric", combiner=combiner)
    bound = latency_bound(block)
    server_hz = block.servers.most_hz
    for trial in (FullPower(), RandomPower(0)):
        power = trial.power(block)
        offload = np.ones((3, 4))
        assert (latency(block, power, offload, server_hz).max(-1) >= bound).all()
