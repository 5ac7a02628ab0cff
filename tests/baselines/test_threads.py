"""One solver may be shared by threads: each gets what it would get alone."""

from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym.evaluation import load_policy

ONE = ("MECCellFree-v0", {"num_users": 4, "num_aps": 16, "num_subcarriers": 1})
TWO = ("MECCellFree-v0", {"num_users": 3, "num_aps": 16, "num_subcarriers": 2})
FITTING = ("MECCellFree-v0", {"num_users": 10, "num_aps": 64, "num_subcarriers": 4})
SHARED = ("MECUserCentric-v0", {"num_users": 5, "num_aps": 16, "deadline_s": 0.8})
SOLVERS = {
    "full-power": TWO,
    "equal": TWO,
    "greedy": TWO,
    "water-filling": TWO,
    "fractional-power": TWO,
    "exact": ONE,
    "fast": TWO,
    "ica": TWO,
    "equivariant": TWO,
    "cnn-lstm": FITTING,
    "sca": SHARED,
    "exact-power": SHARED,
    "proportional": SHARED,
    "proportional-exact": SHARED,
}


@pytest.mark.parametrize("name", SOLVERS)
def test_twelve_blocks_in_four_threads_are_solved_as_one_after_the_other(name):
    env_id, fields = SOLVERS[name]
    env = gym.make_vec(env_id, num_envs=12, **fields)
    env.reset(seed=0)
    blocks, solver = list(env.unwrapped.block.rows()), load_policy(name)
    alone = [solver.solve(block) for block in blocks]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(solver.solve, blocks))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.power, other.power)
        np.testing.assert_array_equal(one.offload, other.offload)
        assert one.status == other.status
