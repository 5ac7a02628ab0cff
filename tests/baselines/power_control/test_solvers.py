"""SCA and exact power control: every constraint is kept, nothing gets worse, and what cannot be met is named."""

import dataclasses
from copy import deepcopy

import numpy as np
import pytest

from mec_cf_gym.baselines import SCA, ExactPowerControl, FullPower
from mec_cf_gym.baselines.power_control.problem import Point, PowerProblem, servers_of
from mec_cf_gym.performance.objective import needed_server_hz, power_fairness

from .conftest import SCA_SOLVER, assert_kept, snapshot, snapshots, with_budgets, with_deadlines, with_weight


def dedicated(block, server_hz=1e10):
    return dataclasses.replace(block, servers=None, server_hz=np.full(block.num_users, server_hz))


def test_everything_is_kept_and_nothing_gets_worse(solver, deployment):
    block = snapshots(deployment, 3, deadline_s=0.8)
    solution = solver.solve(block)
    assert_kept(block, solution)
    assert (solution.status == "converged").all()
    assert not solution.infeasible_users.any()
    full_power_w = power_fairness(block, FullPower().power(block))
    np.testing.assert_allclose(solution.history[:, 0], full_power_w)
    assert (solution.objective_w < full_power_w).all()
    np.testing.assert_allclose(solution.objective_w, solution.history.min(-1))
    assert solution.step_time_s.shape == (3, solution.history.shape[-1] - 1)


def test_computing_is_the_least(solver, deployment):
    block = snapshot(deployment)
    solution = solver.solve(block)
    rate_bps = solution.spectral_efficiency * block.subcarrier_bandwidth_hz
    needed_hz = needed_server_hz(block, rate_bps, solution.offload)
    np.testing.assert_array_equal(solution.computing.total_hz, np.ceil(needed_hz))


def test_a_row_does_not_depend_on_its_batch(solver, deployment):
    block = snapshots(deployment, 3)
    together = solver.solve(block)
    for index, row in enumerate(block.rows()):
        alone = solver.solve(row)
        np.testing.assert_array_equal(together.power[index], alone.power)
        np.testing.assert_array_equal(together.computing.cloud_hz[index], alone.computing.cloud_hz)
        np.testing.assert_array_equal(together.objective_w[index], alone.objective_w)
        assert together.status[index] == alone.status


@pytest.mark.parametrize(
    "fields", [{"deployment": "user_centric", "combiner": "mmse"}, {"deployment": "multi_cell"}]
)
def test_where_combiners_are_the_best_the_objective_never_rises(solver, fields):
    history = solver.solve(snapshots(rows=4, **fields)).history
    assert (np.diff(history) <= 1e-7).all()  # what the convex solver leaves


@pytest.mark.parametrize("late", [[2], [0, 5], range(6)], ids=["one", "two", "all"])
def test_users_who_cannot_be_in_time_are_named(solver, deployment, late):
    block = with_deadlines(snapshot(deployment), **{f"user{user}": 1e-3 for user in late})
    solution = solver.solve(block)
    assert_kept(block, solution)
    assert solution.status == "infeasible"
    assert np.flatnonzero(solution.infeasible_users).tolist() == list(late)
    assert np.isfinite(solution.latency).all()


def test_a_user_without_channel_is_named(solver, deployment):
    block = snapshot(deployment)
    channel = block.receiver.channel.copy()
    channel[..., 3] = 0
    receiver = dataclasses.replace(block.receiver, channel=channel)
    signal_gain, interference_gain = receiver.gains(np.ones(6))
    block = dataclasses.replace(
        block, receiver=receiver, signal_gain=signal_gain[None], interference_gain=interference_gain[None]
    )
    solution = solver.solve(block)
    assert_kept(block, solution)
    assert solution.infeasible_users.tolist() == [False] * 3 + [True] + [False] * 2


@pytest.mark.parametrize("share", [0.0, 1e-9])
def test_without_servers_nobody_is_in_time(solver, deployment, share):
    block = with_budgets(snapshot(deployment), share)
    solution = solver.solve(block)
    assert_kept(block, solution)
    assert solution.infeasible_users.all()


def test_too_small_budgets_cost_as_few_users_as_needed(solver, deployment):
    block = with_budgets(snapshot(deployment), 0.1)
    solution = solver.solve(block)
    assert_kept(block, solution)
    late = np.flatnonzero(solution.infeasible_users)
    assert 0 < len(late) < 6
    for user in late:  # with any one of them back, the others cannot be met
        generous = {f"user{other}": 1e3 for other in late if other != user}
        assert solver.solve(with_deadlines(block, **generous)).infeasible_users.any()
    assert not solver.solve(with_deadlines(block, **{f"user{user}": 1e3 for user in late})).infeasible_users.any()


def test_too_many_users_for_the_pilots(solver):
    block = snapshot("user_centric", num_users=8, pilot_samples=1, deadline_s=0.12, num_aps=4)
    solution = solver.solve(block)
    assert_kept(block, solution)
    assert solution.status == "infeasible"
    assert not solution.infeasible_users.all()


@pytest.mark.parametrize("weight_w", [0.0, 0.6])
def test_budgets_that_bind(deployment, weight_w):
    block = with_weight(snapshot(deployment, deadline_s=0.8), weight_w)
    low, high = 0.0, 1.0
    for _ in range(12):  # the least budgets with which full power meets the deadlines
        share = (low + high) / 2
        point = Point.of(PowerProblem.of(with_budgets(block, share)), np.ones(6))
        low, high = (low, share) if point.feasible else (share, high)
    tight = with_budgets(block, high)
    solution = SCA_SOLVER.solve(tight)
    assert_kept(tight, solution)
    assert solution.status == "converged"
    assert solution.objective_w < solution.history[0]
    assert solution.objective_w >= SCA_SOLVER.solve(block).objective_w - 1e-6


def test_without_fairness_deadlines_and_budgets_are_used_up(solver, deployment):
    block = with_weight(snapshot(deployment), 0.0)
    solution = solver.solve(block)
    assert_kept(block, solution)
    np.testing.assert_allclose(solution.latency, block.deadline_s, rtol=1e-6)
    least = SCA_SOLVER.solve(block).objective_w
    np.testing.assert_allclose(solution.objective_w, least, rtol=1e-4)
    spent_hz = solution.computing.ap_hz.sum() + solution.computing.cloud_hz.sum()
    assert spent_hz > 0.5 * (block.servers.ap_hz.sum() + block.servers.cloud_hz)


@pytest.mark.parametrize("weight_w", [0.0, 0.6])
def test_dedicated_servers_are_the_special_case(solver, deployment, weight_w):
    block = with_weight(dedicated(snapshot(deployment, deadline_s=0.6)), weight_w)
    solution = solver.solve(block)
    assert_kept(block, solution)
    assert solution.computing is None
    assert solution.status == "converged"
    as_shared = dataclasses.replace(block, servers=servers_of(block))
    again = solver.solve(as_shared)
    assert_kept(as_shared, again)
    np.testing.assert_allclose(again.objective_w, solution.objective_w, rtol=1e-9)


def test_what_they_refuse(solver):
    block = snapshot("user_centric")
    with pytest.raises(ValueError, match="fairness=None is not allowed"):
        solver.solve(dataclasses.replace(block, fairness=None))
    with pytest.raises(ValueError, match="deadline_s=None is not allowed"):
        solver.solve(dataclasses.replace(block, deadline_s=None))
    two = dataclasses.replace(
        block,
        signal_gain=np.ones((2, 6)),
        interference_gain=np.ones((2, 6, 6)),
        receiver=None,
    )
    with pytest.raises(ValueError, match="num_subcarriers=2 is not allowed"):
        solver.solve(two)


@pytest.mark.parametrize("kind", [SCA, ExactPowerControl])
def test_arguments_are_checked(kind):
    with pytest.raises(ValueError, match="tolerance=-1"):
        kind(tolerance=-1)
    with pytest.raises(ValueError, match="max_steps=0"):
        kind(max_steps=0)


def test_steps_are_limited(solver):
    block = snapshot("user_centric")
    short = type(solver)(max_steps=1).solve(block)
    assert short.status == "step limit"
    assert_kept(block, short)


def test_they_can_be_sent_to_other_processes(solver):
    block = snapshot("user_centric")
    copy = deepcopy(solver)
    np.testing.assert_array_equal(copy.solve(block).power, solver.solve(block).power)
