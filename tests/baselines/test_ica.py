"""ICA: feasible, monotone, never worse than its start, and at the optimum where that is known."""

import copy
import dataclasses

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_cf_gym import latency
from mec_cf_gym.baselines import ICA, EqualSplit, ExactMinMax
from mec_cf_gym.baselines.ica import CONVERGED, SOLVER_STOPPED, STEP_LIMIT, convex_step

from ..conftest import draw_blocks

SOLVER = ICA()


def assert_sound(block, solution):
    """Check what holds for any solution of ICA, whatever its status."""
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-9).all()
    assert ((solution.offload >= 0) & (solution.offload <= 1)).all()
    np.testing.assert_allclose(solution.latency, latency(block, solution.power, solution.offload), rtol=1e-12)
    assert (np.diff(solution.history, axis=-1) <= 0).all()
    np.testing.assert_array_equal(solution.history[..., 0], EqualSplit().solve(block).max_latency)
    np.testing.assert_array_equal(solution.history[..., -1], solution.max_latency)
    np.testing.assert_array_equal(solution.alpha, solution.power > 1e-6)
    assert np.isin(solution.status, (CONVERGED, STEP_LIMIT, SOLVER_STOPPED)).all()


def test_it_ends_where_the_reference_does_or_lower(reference):
    block, _, _, latency_s = reference
    solution = SOLVER.solve(block)
    assert_sound(block, solution)
    gap = solution.max_latency / latency_s - 1
    assert gap.max() <= 5e-3
    assert gap.mean() <= 5e-4


@pytest.mark.parametrize("local_computing", [True, False])
def test_it_reaches_the_exact_optimum_on_one_subcarrier(local_computing):
    block = draw_blocks(50, num_subcarriers=1, local_computing=local_computing)
    optimum = ExactMinMax().solve(block)
    solution = SOLVER.solve(block)
    assert_sound(block, solution)
    np.testing.assert_allclose(solution.max_latency, optimum.max_latency, rtol=1e-4)
    assert (solution.max_latency >= optimum.lower_bound * (1 - 1e-12)).all()


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    num_subcarriers=st.integers(1, 3),
    num_users=st.integers(1, 5),
    num_aps=st.integers(1, 12),
    deployment=st.sampled_from(["cell_free", "cellular"]),
    local_computing=st.booleans(),
    spread=st.sampled_from([1.0, 10.0, 100.0]),
)
def test_it_is_sound_on_any_network(
    seed, num_subcarriers, num_users, num_aps, deployment, local_computing, spread
):
    block = next(
        draw_blocks(
            1,
            seed,
            num_subcarriers=num_subcarriers,
            num_users=num_users,
            num_aps=num_aps,
            deployment=deployment,
            local_computing=local_computing,
            task_bits=(1e3 / spread, 1e3 * spread),
            cycles_per_bit=(1e3 / spread, 1e3),
            local_hz=(1e9 / spread, 1e9),
            server_hz=(5e9 / spread, 5e9 * spread),
            user_power_dbm=(0.0, 20.0),
        ).rows()
    )
    assert_sound(block, SOLVER.solve(block))


def test_a_batch_is_solved_as_its_rows_are():
    block = draw_blocks(3, num_users=4, num_subcarriers=2)
    together = ICA().solve(block)
    for index, row in enumerate(block.rows()):
        alone = ICA().solve(row)
        np.testing.assert_allclose(together.max_latency[index], alone.max_latency, rtol=1e-6)
        assert together.status[index] == alone.status
        assert isinstance(alone.status, str)
        assert alone.step_time_s.shape == (alone.history.size - 1,)


def test_problems_are_compiled_once_per_shape():
    block = draw_blocks(3, num_users=4, num_subcarriers=2)
    ICA().solve(block)
    problem = convex_step(2, 4)
    ICA().solve(block)
    assert convex_step(2, 4) is problem is not convex_step(2, 3)
    assert problem.problem.is_dpp()


def test_it_improves_on_the_algorithm_as_printed():
    block = draw_blocks(12, first_seed=100)
    printed = ICA(sinr_floors=(0.0,)).solve(block)
    assert_sound(block, printed)
    ratio = SOLVER.solve(block).max_latency / printed.max_latency
    assert ratio.mean() < 1
    assert ratio.min() < 0.999


def test_the_step_limit_is_kept_and_reported():
    solution = ICA(max_steps=2).solve(next(draw_blocks(1).rows()))
    assert solution.status == STEP_LIMIT
    assert solution.history.size == 3


@pytest.mark.parametrize("failing_from", [0, 3])
def test_a_failing_solver_leaves_the_best_feasible_point(monkeypatch, failing_from):
    calls, solve = [], cp.Problem.solve

    def failing(problem, *args, **kwargs):
        calls.append(1)
        if len(calls) > failing_from:
            raise cp.error.SolverError("made to fail")
        return solve(problem, *args, **kwargs)

    monkeypatch.setattr(cp.Problem, "solve", failing)
    block = next(draw_blocks(1).rows())
    solution = ICA().solve(block)
    assert_sound(block, solution)
    assert solution.status == SOLVER_STOPPED
    start = EqualSplit().solve(block).max_latency
    assert solution.max_latency == start if failing_from == 0 else solution.max_latency < start


def test_one_failed_step_is_reported_even_if_later_ones_succeed(monkeypatch):
    calls, solve = [], cp.Problem.solve

    def failing_once(problem, *args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise cp.error.SolverError("made to fail")
        return solve(problem, *args, **kwargs)

    monkeypatch.setattr(cp.Problem, "solve", failing_once)
    assert ICA().solve(next(draw_blocks(1).rows())).status == SOLVER_STOPPED


def test_solutions_do_not_depend_on_what_was_solved_before():
    blocks = list(draw_blocks(3, num_users=4, num_subcarriers=2).rows())
    forwards = [SOLVER.solve(block).power for block in blocks]
    backwards = [SOLVER.solve(block).power for block in reversed(blocks)]
    np.testing.assert_array_equal(forwards, backwards[::-1])


def test_a_user_without_any_link_is_no_obstacle():
    block = next(draw_blocks(1, num_users=3).rows())
    dead = dataclasses.replace(block, signal_gain=block.signal_gain * [0.0, 1.0, 1.0])
    assert_sound(dead, SOLVER.solve(dead))


def test_it_can_be_copied_after_use():
    solver = ICA()
    block = next(draw_blocks(1, num_users=2).rows())
    power = solver.solve(block).power
    np.testing.assert_array_equal(copy.deepcopy(solver).solve(block).power, power)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="tolerance=-1"):
        ICA(tolerance=-1)
    with pytest.raises(ValueError, match="max_steps=0"):
        ICA(max_steps=0)
    with pytest.raises(ValueError, match="sinr_floors"):
        ICA(sinr_floors=())
