"""Shared servers are divided without breaking a budget, and meet needs exactly when any division does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from mec_cf_gym.batches import stack_rows, take_rows
from mec_cf_gym.network.servers import Servers

seeds = st.integers(0, 2**32)


def draw_servers(rng, cloud=True, cells=False):
    """Return servers of a few APs with whole-numbered budgets in MHz, some of whom serve nobody."""
    aps, users = rng.integers(1, 6), rng.integers(1, 8)
    serves = rng.integers(0, aps, users) == np.arange(aps)[:, None] if cells else rng.random((aps, users)) < 0.4
    cloud_hz = np.asarray(1e6 * rng.integers(1, 5000) if cloud else 0.0)
    return Servers(1e6 * rng.integers(1, 5000, aps), cloud_hz, serves)


def most_flow_hz(servers, needed_hz):
    """Return how much of whole-numbered needs in MHz an independent algorithm brings from servers to users."""
    aps, users = servers.serves.shape
    source, sink, cloud = aps + users + 1, aps + users + 2, aps + users
    capacity = np.zeros((sink + 1, sink + 1), np.int32)
    capacity[source, :aps], capacity[source, cloud] = servers.ap_hz / 1e6, servers.cloud_hz / 1e6
    capacity[:aps, aps:cloud] = servers.open_hz / 1e6
    capacity[cloud, aps:cloud] = servers.cloud_hz / 1e6
    capacity[aps:cloud, sink] = needed_hz / 1e6
    return 1e6 * maximum_flow(csr_array(capacity), source, sink).flow_value


def assert_within_budgets(servers, shares):
    assert (shares.ap_hz >= 0).all()
    assert (shares.cloud_hz >= 0).all()
    assert (shares.ap_hz[~servers.serves] == 0).all()
    assert (shares.ap_hz.sum(-1) <= servers.ap_hz * (1 + 1e-9)).all()
    assert (shares.cloud_hz.sum(-1) <= servers.cloud_hz * (1 + 1e-9)).all()


@given(seeds)
def test_equal_shares_use_up_every_server_that_serves_somebody(seed):
    servers = draw_servers(np.random.default_rng(seed))
    shares = servers.equal_shares()
    assert_within_budgets(servers, shares)
    np.testing.assert_allclose(shares.ap_hz.sum(-1), np.where(servers.serves.any(-1), servers.ap_hz, 0))
    np.testing.assert_allclose(shares.cloud_hz, servers.cloud_hz / servers.serves.shape[-1])
    for ap_hz, serves in zip(shares.ap_hz, servers.serves, strict=True):
        assert np.unique(ap_hz[serves]).size <= 1


@given(seeds)
def test_budgets_are_divided_in_proportion_to_weights(seed):
    rng = np.random.default_rng(seed)
    servers = draw_servers(rng)
    ap_weight, cloud_weight = (
        rng.uniform(0.1, 1, servers.serves.shape),
        rng.integers(0, 3, servers.serves.shape[1]),
    )
    shares = servers.divided(ap_weight, cloud_weight)
    assert_within_budgets(servers, shares)
    for ap, serves in enumerate(servers.serves):
        weight = ap_weight[ap] * serves
        np.testing.assert_allclose(shares.ap_hz[ap] * weight.sum(), weight * servers.ap_hz[ap])
    np.testing.assert_allclose(shares.cloud_hz * cloud_weight.sum(), cloud_weight * servers.cloud_hz)


@pytest.mark.parametrize(("cloud", "cells"), [(True, False), (False, False), (False, True)])
@given(seed=seeds, load=st.sampled_from([0.3, 0.8, 1.0, 1.5]))
def test_needs_are_met_exactly_when_a_flow_meets_them(cloud, cells, seed, load):
    rng = np.random.default_rng(seed)
    servers = draw_servers(rng, cloud, cells)
    total_hz = load * (servers.ap_hz.sum() + servers.cloud_hz)
    needed_hz = 1e6 * np.floor(total_hz / 1e6 * rng.dirichlet(np.ones(servers.serves.shape[1])))
    shares, part = servers.least_shares(needed_hz)
    assert_within_budgets(servers, shares)
    np.testing.assert_allclose(shares.total_hz, part * needed_hz, rtol=1e-7, atol=1.0)
    feasible = most_flow_hz(servers, needed_hz) == needed_hz.sum()
    assert (part == 1) == feasible


@given(seeds)
def test_tight_budgets_are_enough(seed):
    rng = np.random.default_rng(seed)
    servers = draw_servers(rng)
    needed_hz = servers.divided(rng.random(servers.serves.shape), rng.random(servers.serves.shape[1])).total_hz
    shares, part = servers.least_shares(needed_hz)
    assert_within_budgets(servers, shares)
    assert part == 1
    np.testing.assert_allclose(shares.total_hz, needed_hz, rtol=1e-8)


@given(seeds)
def test_the_part_of_needs_that_budgets_do_not_meet_is_the_largest(seed):
    rng = np.random.default_rng(seed)
    servers = draw_servers(rng)
    needed_hz = 1e6 * rng.integers(1000, 9000, servers.serves.shape[1])
    _, part = servers.least_shares(needed_hz)
    if part < 1:
        more_hz = 1e6 * np.ceil(1.001 * part * needed_hz / 1e6 + 1)
        assert most_flow_hz(servers, more_hz) < more_hz.sum()
        less_hz = 1e6 * np.floor(part * needed_hz / 1e6 * (1 - 1e-9))
        assert most_flow_hz(servers, less_hz) == less_hz.sum()


def test_aps_give_first_and_the_cloud_the_rest():
    servers = Servers(np.array([4e9, 1e9]), np.array(10e9), np.array([[True, False], [True, True]]))
    shares, part = servers.least_shares(np.array([3e9, 3e9]))
    assert part == 1
    assert shares.cloud_hz[0] == 0
    np.testing.assert_allclose(shares.ap_hz[1, 1] + shares.cloud_hz[1], 3e9)
    assert shares.ap_hz[1, 1] > 0


def test_no_needs_take_nothing():
    servers = draw_servers(np.random.default_rng(0))
    shares, part = servers.least_shares(np.zeros(servers.serves.shape[1]))
    assert part == 1
    assert (shares.total_hz == 0).all()


def test_rounding_asks_no_linear_program_where_there_is_no_cloud(monkeypatch):
    monkeypatch.setattr(Servers, "_largest_part", None)
    rng = np.random.default_rng(0)
    for _ in range(100):
        servers = draw_servers(rng, cloud=False, cells=True)
        needed_hz = rng.random(servers.serves.shape[1]) * servers.equal_shares().total_hz
        shares, part = servers.least_shares(needed_hz)
        assert part == 1
        np.testing.assert_allclose(shares.total_hz, needed_hz)


@pytest.mark.parametrize("load", [0.5, 2.0])
def test_a_batch_is_its_rows(load):
    rng = np.random.default_rng(1)
    serves = rng.random((20, 4, 6)) < 0.5
    servers = Servers(1e9 * rng.uniform(1, 5, (20, 4)), np.full(20, 5e9), serves)
    needed_hz = rng.uniform(0, load, (20, 6)) * 1e9 * 17 / 6 * 2
    shares, part = servers.least_shares(needed_hz)
    rows = [take_rows(servers, row).least_shares(needed_hz[row]) for row in range(20)]
    np.testing.assert_array_equal(part, [one for _, one in rows])
    expected = stack_rows([one for one, _ in rows])
    np.testing.assert_array_equal(shares.ap_hz, expected.ap_hz)
    np.testing.assert_array_equal(shares.cloud_hz, expected.cloud_hz)
    np.testing.assert_array_equal(
        take_rows(servers.equal_shares(), 3).ap_hz, take_rows(servers, 3).equal_shares().ap_hz
    )


def test_one_set_of_servers_takes_a_batch_of_needs():
    servers = draw_servers(np.random.default_rng(3))
    needed_hz = servers.equal_shares().total_hz * np.array([[0.1], [1.0], [3.0]])
    shares, part = servers.least_shares(needed_hz)
    assert shares.ap_hz.shape == (3, *servers.serves.shape)
    assert part[:2].tolist() == [1, 1]
    np.testing.assert_allclose(shares.total_hz, part[:, None] * needed_hz)
