"""Shares in whole Hz, and the users who crowd their servers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.baselines.power_control.computing import greediest, in_whole_hz, reach_hz
from mec_cf_gym.network.servers import Servers, Shares


def drawn(seed, most_hz, num_aps=4, num_users=5):
    rng = np.random.default_rng(seed)
    serves = rng.random((num_aps, num_users)) < 0.5
    return rng, Servers(rng.uniform(0, most_hz, num_aps), np.asarray(rng.uniform(0, most_hz)), serves)


@given(seed=st.integers(0, 10**6), most_hz=st.sampled_from([3.0, 30.0, 1e9, 1e11]))
def test_whole_shares_break_no_budget_and_meet_what_they_can(seed, most_hz):
    rng, servers = drawn(seed, most_hz)
    needed_hz = rng.uniform(0, most_hz, 5)
    shares, part = servers.least_shares(needed_hz)
    needed_hz = needed_hz * part * rng.choice([1.0, 0.7])
    shares, _ = servers.least_shares(needed_hz)
    whole = in_whole_hz(shares, servers, needed_hz)
    for given_hz in (whole.ap_hz, whole.cloud_hz):
        assert (given_hz >= 0).all()
        np.testing.assert_array_equal(given_hz, np.floor(given_hz))
    assert not whole.ap_hz[~servers.serves].any()
    assert (whole.ap_hz.sum(-1) <= servers.ap_hz).all()
    assert whole.cloud_hz.sum() <= servers.cloud_hz
    assert (whole.total_hz <= np.ceil(needed_hz)).all()
    whole_servers = Servers(np.floor(servers.ap_hz), np.floor(servers.cloud_hz), servers.serves)
    if sets_fit(whole_servers, np.ceil(needed_hz)):
        np.testing.assert_array_equal(whole.total_hz, np.ceil(needed_hz))


def sets_fit(servers, hz):
    """Whether every set of users asks for no more than its servers have."""
    for number in range(1, 2 ** len(hz)):
        users = (number >> np.arange(len(hz))) & 1 == 1
        if hz[users].sum() > reach_hz(servers, users):
            return False
    return True


@given(seed=st.integers(0, 10**6))
def test_the_greediest_users_prove_that_budgets_are_too_small(seed):
    rng, servers = drawn(seed, 1e10)
    hz = rng.uniform(0, 1e10, 5)
    users = greediest(servers, hz)
    excess = hz[users].sum() - reach_hz(servers, users) if users.any() else 0.0
    assert (excess > 10) == (not sets_fit(servers, hz - 1)) or abs(excess) < 20


def test_users_make_room_for_each_other():
    # user 0 reaches AP 0 only, which user 1 has to leave for AP 1
    servers = Servers(np.array([10.0, 10.0]), np.asarray(0.0), np.array([[True, True], [False, True]]))
    shares = Shares(np.array([[7.5, 2.5], [0.0, 7.5]]), np.zeros(2))
    whole = in_whole_hz(shares, servers, np.array([10.0, 10.0]))
    np.testing.assert_array_equal(whole.ap_hz, [[10, 0], [0, 10]])
