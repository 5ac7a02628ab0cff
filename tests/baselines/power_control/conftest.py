"""Small networks of paper B, and what every solution of power control has to keep."""

import dataclasses

import numpy as np
import pytest

from mec_cf_gym import CoherenceBlock, Scenario, latency
from mec_cf_gym.baselines import SCA, ExactPowerControl
from mec_cf_gym.performance.objective import power_fairness
from mec_cf_gym.performance.rates import spectral_efficiency
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

SMALL = {"num_aps": 16, "num_users": 6, "user_drop": "uniform", "antennas_per_base_station": 16}
NETWORKS = ("user_centric", "multi_cell")
SCA_SOLVER, EXACT_SOLVER = SCA(), ExactPowerControl()  # problems are compiled once
SOLVERS = (SCA_SOLVER, EXACT_SOLVER)


def snapshots(deployment: str, rows: int = 1, first_seed: int = 0, **fields) -> CoherenceBlock:
    """Return one block of each of several small networks."""
    scenario = Scenario.paper_b(deployment=deployment, **{**SMALL, **fields})
    return World(scenario).begin(Streams.from_seeds(range(first_seed, first_seed + rows))).block


def snapshot(deployment: str, seed: int = 0, **fields) -> CoherenceBlock:
    """Return a single block."""
    return next(snapshots(deployment, 1, seed, **fields).rows())


def with_budgets(block: CoherenceBlock, share: float, cloud_share: float | None = None) -> CoherenceBlock:
    """Return a block whose servers have a share of their speed."""
    cloud_hz = block.servers.cloud_hz * (share if cloud_share is None else cloud_share)
    servers = dataclasses.replace(block.servers, ap_hz=block.servers.ap_hz * share, cloud_hz=cloud_hz)
    return dataclasses.replace(block, servers=servers)


def with_weight(block: CoherenceBlock, weight_w: float) -> CoherenceBlock:
    return dataclasses.replace(block, fairness=dataclasses.replace(block.fairness, weight_w=weight_w))


def with_deadlines(block: CoherenceBlock, **late_s: float) -> CoherenceBlock:
    """Return a block in which users, by names such as ``user2``, have other deadlines."""
    deadline_s = np.broadcast_to(block.deadline_s, (block.num_users,)).copy()
    for name, value in late_s.items():
        deadline_s[int(name.removeprefix("user"))] = value
    return dataclasses.replace(block, deadline_s=deadline_s)


def assert_kept(block: CoherenceBlock, solution) -> None:
    """Check every constraint at the returned point, and that the solution says what the physics says."""
    assert (solution.power >= 0).all()
    assert (solution.power <= 1).all()
    assert (solution.offload == 1).all()
    server_hz = block.server_hz
    if block.servers is not None:
        shares, servers = solution.computing, block.servers
        server_hz = shares.total_hz
        for given in (shares.ap_hz, shares.cloud_hz):
            assert (given >= 0).all()
            np.testing.assert_array_equal(given, np.floor(given))
        assert not shares.ap_hz[~servers.serves].any()
        assert (shares.ap_hz.sum(-1) <= servers.ap_hz).all()
        assert (shares.cloud_hz.sum(-1) <= servers.cloud_hz).all()
    with np.errstate(divide="ignore"):
        latency_s = latency(block, solution.power, solution.offload, server_hz)
    np.testing.assert_allclose(solution.latency, latency_s, rtol=1e-12)
    met = latency_s <= block.deadline_s * (1 + 1e-7)
    assert (met | solution.infeasible_users).all()
    assert (solution.max_latency >= solution.lower_bound).all()
    np.testing.assert_allclose(solution.objective_w, power_fairness(block, solution.power), rtol=1e-12)
    np.testing.assert_allclose(
        solution.spectral_efficiency, spectral_efficiency(block, solution.power), rtol=1e-12
    )


@pytest.fixture(params=SOLVERS, ids=lambda solver: type(solver).__name__)
def solver(request):
    return request.param


@pytest.fixture(params=NETWORKS)
def deployment(request):
    return request.param
