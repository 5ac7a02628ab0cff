"""The central computing is that of an independent prototype, and what a centre has to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.baselines import SCA, ExactPowerControl
from mec_cf_gym.baselines.power_control.centre import NoInsideError, central_shares
from mec_cf_gym.network.servers import Servers

from ...conftest import DATA
from .conftest import EXACT_SOLVER, assert_kept, snapshot, snapshots, with_budgets, with_deadlines

SHAPES = ["user-centric", "cellular"]
seeds, shapes = st.integers(0, 10**6), st.sampled_from(SHAPES)


def drawn(seed, shape="user-centric", room=2.0, users=5):
    """Return servers, and tasks for which they have ``room`` times the least computing.

    Cellular users are served by one base station each, and there is no cloud.
    """
    rng = np.random.default_rng(seed)
    if shape == "cellular":
        serves = np.arange(3)[:, None] == np.append(np.arange(3), rng.integers(3, size=users - 3))
        servers = Servers(rng.uniform(1e10, 3e10, 3), np.asarray(0.0), serves)
    else:
        serves = rng.random((8, users)) < 0.4
        servers = Servers(rng.uniform(1e9, 5e9, 8), np.asarray(rng.uniform(1e9, 2e10)), serves)
    efficiency, link_s, deadline_s = rng.uniform(2, 8, users), rng.uniform(0.05, 0.3, users), np.full(users, 0.4)
    cycles = rng.uniform(0.5e9, 2.5e9, users)
    needed_hz = cycles / (deadline_s - link_s / efficiency)
    _, part = servers.least_shares(1e3 * needed_hz)
    return servers, (efficiency, link_s, cycles * 1e3 * part / room * (1 - 1e-9), deadline_s)


def least_hz(efficiency, link_s, cycles, deadline_s):
    return cycles / (deadline_s - link_s / efficiency)


@pytest.fixture(scope="module")
def vector():
    with np.load(DATA / "paper_b_computing_centre.npz") as file:
        data = {name.removeprefix("cf_"): file[name] for name in file}
    servers = Servers(data["ap_hz"], data["cloud_hz"], data["serves"])
    return servers, [data[name] for name in ("efficiency", "link_s", "cycles", "deadline_s")], data


def test_it_is_that_of_the_prototype(vector):
    servers, tasks, data = vector
    np.testing.assert_allclose(least_hz(*tasks), data["least_hz"], rtol=1e-9)
    np.testing.assert_allclose(central_shares(servers, *tasks).total_hz, data["centre_hz"], rtol=1e-6)


@given(seed=seeds, shape=shapes, room=st.sampled_from([1.001, 1.5, 10.0, 1e3]))
def test_budgets_and_deadlines_are_kept_strictly(seed, shape, room):
    servers, tasks = drawn(seed, shape, room)
    shares = central_shares(servers, *tasks)
    assert (shares.ap_hz > 0).tolist() == servers.serves.tolist()
    assert (shares.cloud_hz > 0).all() == (servers.cloud_hz > 0)
    assert (shares.ap_hz.sum(-1) < servers.ap_hz).all()
    assert shares.cloud_hz.sum() < servers.cloud_hz or servers.cloud_hz == 0
    assert (shares.total_hz > least_hz(*tasks)).all()


@given(seed=seeds, shape=shapes, room=st.sampled_from([1.1, 2.0, 100.0]))
def test_the_sum_of_logarithms_is_stationary(seed, shape, room):
    servers, (efficiency, link_s, cycles, deadline_s) = drawn(seed, shape, room)
    shares = central_shares(servers, efficiency, link_s, cycles, deadline_s)
    speed_hz, a, c = shares.total_hz, link_s / (deadline_s * efficiency), cycles / deadline_s
    third = (1 - a - c / speed_hz) / 3
    u, v = 1 / speed_hz + third / c, 1 + third / a  # the best for these speeds, as the derivatives tell
    rest = 1 - a * v - c * u
    np.testing.assert_allclose(speed_hz / (u * speed_hz - 1), c / rest)  # by u
    np.testing.assert_allclose(1 / (v - 1), a / rest)  # by v
    worth = u / (u * speed_hz - 1)
    given_hz, budget_hz = np.vstack([shares.ap_hz, shares.cloud_hz]), np.append(servers.ap_hz, servers.cloud_hz)
    given_hz, budget_hz = given_hz[budget_hz > 0], budget_hz[budget_hz > 0]
    price = 1 / (budget_hz - given_hz.sum(-1))
    by_share = 1 - given_hz * (price[:, None] - worth)  # by the share, times it
    np.testing.assert_allclose(by_share[given_hz > 0], 0, atol=1e-6)


@given(seed=seeds, shape=shapes, hz=st.sampled_from([1e-9, 1e3]), seconds=st.sampled_from([1e3, 1e-6]))
def test_units_do_not_matter(seed, shape, hz, seconds):
    servers, (efficiency, link_s, cycles, deadline_s) = drawn(seed, shape)
    other = Servers(hz * servers.ap_hz, hz * servers.cloud_hz, servers.serves)
    found = central_shares(other, efficiency, seconds * link_s, hz * seconds * cycles, seconds * deadline_s)
    expected = central_shares(servers, efficiency, link_s, cycles, deadline_s)
    np.testing.assert_allclose(found.ap_hz, hz * expected.ap_hz, rtol=1e-7)
    np.testing.assert_allclose(found.cloud_hz, hz * expected.cloud_hz, rtol=1e-7)


@given(seed=seeds, shape=shapes)
def test_alone_on_one_server_it_is_closed_form(seed, shape):
    # log(F - f) + 3 log(b f - c) - log f rises up to the centre: bisection
    rng = np.random.default_rng(seed)
    budget_hz, b = rng.uniform(1e9, 1e10), rng.uniform(0.3, 0.9)
    c = b * budget_hz * rng.uniform(0.05, 0.95)
    low, high = c / b, budget_hz
    for _ in range(200):
        f = (low + high) / 2
        rises = 3 * b / (b * f - c) - 1 / f > 1 / (budget_hz - f)
        low, high = (f, high) if rises else (low, f)
    alone = np.ones((1, 1), bool)
    servers = Servers(np.array([budget_hz]), np.asarray(0.0), alone)
    if shape == "user-centric":  # the same server behind the fronthaul
        servers = Servers(np.array([0.0]), np.asarray(budget_hz), alone)
    found = central_shares(servers, np.array([2.0]), np.array([2 * (1 - b)]), np.array([c]), np.array([1.0]))
    np.testing.assert_allclose(found.total_hz, f, rtol=1e-7)


def test_a_row_does_not_depend_on_its_batch():
    rows = [drawn(seed, room=room) for seed, room in enumerate([1.01, 2.0, 50.0])]
    servers = Servers(
        *(np.stack([getattr(row, name) for row, _ in rows]) for name in ("ap_hz", "cloud_hz", "serves"))
    )
    together = central_shares(servers, *(np.stack(values) for values in zip(*(t for _, t in rows), strict=True)))
    for index, (row, tasks) in enumerate(rows):
        alone = central_shares(row, *tasks)
        np.testing.assert_allclose(together.ap_hz[index], alone.ap_hz, rtol=1e-6)
        np.testing.assert_allclose(together.cloud_hz[index], alone.cloud_hz, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("room", [0.5, 1.0])
def test_budgets_without_room_are_refused(shape, room):
    servers, tasks = drawn(0, shape, room)
    with pytest.raises(NoInsideError, match="times the least computing: no centre"):
        central_shares(servers, *tasks)


@pytest.mark.parametrize("efficiency_of_user_2", [0.0, 0.25])
def test_links_that_take_the_whole_deadline_are_refused(efficiency_of_user_2):
    servers, (efficiency, link_s, cycles, deadline_s) = drawn(0)
    efficiency[2], link_s[2] = efficiency_of_user_2, 0.1
    with pytest.raises(ValueError, match=r"the deadlines of users \[2\] pass"):
        central_shares(servers, efficiency, link_s, cycles, deadline_s)


class TestSolvers:
    SOLVERS = (SCA(computing="centre"), ExactPowerControl(computing="centre"))

    @pytest.fixture(params=SOLVERS, ids=lambda solver: type(solver).__name__)
    def central(self, request):
        return request.param

    def test_computing_is_the_centre_and_powers_are_the_same(self, central, deployment):
        block = snapshots(deployment, 3, deadline_s=0.8)
        solution, least = central.solve(block), type(central)().solve(block)
        assert_kept(block, solution)
        np.testing.assert_array_equal(solution.power, least.power)
        link_s = block.link_bits / block.subcarrier_bandwidth_hz
        expected = central_shares(
            block.servers, solution.spectral_efficiency, link_s, block.task_cycles, block.deadline_s
        )
        np.testing.assert_allclose(solution.computing.total_hz, expected.total_hz, rtol=1e-6)
        assert (solution.computing.total_hz > least.computing.total_hz).all()

    @pytest.mark.parametrize("late", [[2], range(6)], ids=["one", "all"])
    def test_users_who_cannot_be_in_time_are_left_out(self, central, deployment, late):
        block = with_deadlines(snapshot(deployment), **{f"user{user}": 1e-3 for user in late})
        solution = central.solve(block)
        assert_kept(block, solution)
        assert np.flatnonzero(solution.infeasible_users).tolist() == list(late)

    def test_without_room_it_is_the_least(self, deployment):
        block = with_budgets(snapshot(deployment), 0.0)
        solution, least = self.SOLVERS[1].solve(block), EXACT_SOLVER.solve(block)
        np.testing.assert_array_equal(solution.computing.ap_hz, least.computing.ap_hz)

    @pytest.mark.parametrize("kind", [SCA, ExactPowerControl])
    def test_other_choices_are_refused(self, kind):
        with pytest.raises(ValueError, match=r"computing='most' is not allowed: it must be 'least' or 'centre'"):
            kind(computing="most")
