"""The fast solver: as good as ICA, exact for one subcarrier, feasible whatever the gains."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import CoherenceBlock, latency
from mec_cf_gym.baselines import ICA, BranchAndBound, EqualSplit, ExactMinMax, FastMinMax, WaterFilling

from ...conftest import draw_blocks

UNEQUAL = {
    "task_bits": (100.0, 5000.0),
    "cycles_per_bit": (100.0, 2000.0),
    "local_hz": (1e8, 3e9),
    "server_hz": (1e9, 9e9),
    "user_power_dbm": (-5.0, 20.0),
}
SETTINGS = [
    {},
    UNEQUAL,
    {"local_computing": False},
    {"deployment": "cellular", "num_users": 20},
    {"csi_error_variance": 0.1},
    {"num_users": 1},
    {"num_subcarriers": 8, "num_users": 3},
    {"num_aps": 4, "radius_m": 200.0, "user_power_dbm": 30.0},
]


def check_feasible(block, solution):
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-12).all()
    np.testing.assert_array_equal(solution.latency, latency(block, solution.power, solution.offload))
    np.testing.assert_allclose(solution.history[..., -1], solution.max_latency, rtol=1e-9)
    assert (solution.history[..., 1:] <= solution.history[..., :-1]).all()
    assert (solution.lower_bound <= solution.max_latency * (1 + 1e-12)).all()


def test_it_is_as_good_as_the_reference(reference):
    block, _, _, latency_s = reference
    gap = FastMinMax().solve(block).max_latency / latency_s - 1
    assert gap.mean() <= 5e-4
    assert gap.max() <= 1e-2


@pytest.mark.parametrize("fields", [{}, UNEQUAL], ids=["equal tasks", "unequal tasks"])
def test_it_is_as_good_as_ica(fields):
    block = draw_blocks(8, 2**31, num_users=6, num_subcarriers=3, **fields)
    gap = FastMinMax().solve(block).max_latency / ICA().solve(block).max_latency - 1
    assert gap.mean() <= 5e-4
    assert gap.max() <= 1e-2


STRONG = {"deployment": "cellular", "num_aps": 6, "radius_m": 200.0}


@pytest.mark.parametrize(
    "fields", [{}, UNEQUAL, STRONG, STRONG | UNEQUAL], ids=lambda fields: "-".join(fields)[:30]
)
def test_it_is_near_the_optimum_of_tiny_networks(fields):
    block = draw_blocks(10, 2**31, num_users=3, num_subcarriers=2, **fields)
    optimum = BranchAndBound(1e-4).solve(block)
    assert (optimum.status == "optimal").all()
    solution = FastMinMax().solve(block)
    assert (solution.max_latency / optimum.lower_bound - 1).max() <= 1e-2
    assert (solution.lower_bound <= optimum.max_latency).all()


def test_with_one_subcarrier_it_is_exact():
    block = draw_blocks(20, num_subcarriers=1, **UNEQUAL)
    np.testing.assert_array_equal(FastMinMax().solve(block).power, ExactMinMax().solve(block).power)


@pytest.mark.parametrize("fields", SETTINGS, ids=lambda fields: "-".join(fields)[:60])
def test_solutions_are_feasible_and_better_than_rules(fields):
    block = draw_blocks(20, **fields)
    solution = FastMinMax().solve(block)
    check_feasible(block, solution)
    for rule in (EqualSplit(), WaterFilling()):
        assert (solution.max_latency <= rule.solve(block).max_latency * (1 + 1e-5)).all()


gains = st.floats(-8, 8).map(lambda exponent: 10**exponent) | st.just(0.0)


@given(data=st.data(), users=st.integers(1, 4), subcarriers=st.integers(2, 3), cpu=st.booleans())
def test_no_gains_break_it(data, users, subcarriers, cpu):
    def draw(*shape):
        return np.array(data.draw(st.lists(gains, min_size=(n := int(np.prod(shape))), max_size=n))).reshape(shape)

    each = np.ones(users)
    interference = draw(subcarriers, users, users) * (1 - np.eye(users))
    block = CoherenceBlock(
        draw(subcarriers, users), interference, 1e3 * each, 1e3 * each, 1e9 * each * cpu, 5e9 * each, 5e6
    )
    solution = FastMinMax(random_starts=1).solve(block)
    check_feasible(block, solution)
    assert solution.max_latency <= EqualSplit().solve(block).max_latency * (1 + 1e-4)


def test_a_row_does_not_depend_on_its_batch():
    block = draw_blocks(6, num_users=4)
    batch = dataclasses.replace(
        block.flattened(), signal_gain=block.signal_gain.reshape(2, 3, 4, 4),
        interference_gain=block.interference_gain.reshape(2, 3, 4, 4, 4),
        **{name: np.broadcast_to(getattr(block, name), (6, 4)).reshape(2, 3, 4)
           for name in ("task_bits", "cycles_per_bit", "local_hz", "server_hz")}, channel=None,
    )  # fmt: skip
    together = FastMinMax().solve(batch)
    assert together.latency.shape == (2, 3, 4)
    assert together.status.shape == (2, 3)
    alone = FastMinMax().solve(list(block.rows())[4])
    np.testing.assert_array_equal(together.power[1, 1], alone.power)
    assert alone.status == "converged"


def test_a_user_without_cpu_and_link_waits_for_ever():
    block = draw_blocks(2, num_users=3, local_computing=False)
    signal_gain = block.signal_gain.copy()
    signal_gain[0, :, 1] = 0.0
    solution = FastMinMax().solve(dataclasses.replace(block, signal_gain=signal_gain))
    assert solution.max_latency[0] == np.inf
    assert np.isfinite(solution.max_latency[1])


def test_interference_that_does_not_depend_on_its_victim():
    block = draw_blocks(20)
    heard_by_all = block.signal_gain[..., None, :] * (1 - np.eye(block.num_users))
    printed = dataclasses.replace(block, interference_gain=heard_by_all)
    solution = FastMinMax().solve(printed)
    check_feasible(printed, solution)
    assert (solution.status == "converged").all()
    for rule in (EqualSplit(), WaterFilling()):
        assert (solution.max_latency <= rule.solve(printed).max_latency * (1 + 1e-5)).all()


def test_more_finalists_are_never_worse_and_sometimes_better():
    block = draw_blocks(30)
    one, all_of_them = (FastMinMax(2, deliberate_starts=2, finalists=number).solve(block) for number in (1, 4))
    assert (all_of_them.max_latency <= one.max_latency).all()
    assert (all_of_them.max_latency < one.max_latency).any()
    assert all_of_them.history.shape == (30, 4 + 4)  # after the first stage, and after the second


def test_an_ascent_that_is_cut_short_says_so():
    block = draw_blocks(3)
    assert (FastMinMax(max_steps=3).solve(block).status == "step limit").all()


@pytest.mark.parametrize(
    ("argument", "value"),
    [("random_starts", -1), ("finalists", 0), ("max_steps", 0), ("tolerance", 0.0), ("tolerance", np.nan)],
)
def test_arguments_are_checked(argument, value):
    with pytest.raises(ValueError, match=f"{argument}="):
        FastMinMax(**{argument: value})
