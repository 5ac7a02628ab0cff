"""The compiled search finds what bisection with NumPy's linear solver finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.baselines import ExactMinMax
from mec_cf_gym.block.block import CoherenceBlock


def draw_block(seed, users, error):
    """Return a block with gains over eight decades and some users without a CPU."""
    rng = np.random.default_rng(seed)
    interference = 10 ** rng.uniform(-6, 2, (1, users, users))
    diagonal = np.arange(users)
    interference[:, diagonal, diagonal] *= error
    return CoherenceBlock(
        signal_gain=10 ** rng.uniform(-2, 6, (1, users)),
        interference_gain=interference,
        task_bits=rng.uniform(1, 1e5, users),
        cycles_per_bit=rng.uniform(100, 1000, users),
        local_hz=rng.uniform(1e8, 2e9, users) * (rng.random(users) < 0.9),
        server_hz=rng.uniform(1e9, 1e10, users),
        subcarrier_bandwidth_hz=1e6,
    )


def meets(block, target_s):
    """Return whether powers exist with which every user meets a target, by the definitions."""
    sinr = np.zeros(block.num_users)
    for k in range(block.num_users):
        cycles = block.task_bits[k] * block.cycles_per_bit[k]
        pace = 1 / target_s - block.local_hz[k] / cycles
        if pace <= 0:
            continue  # it needs no link
        sending_s = 1 / pace - cycles / block.server_hz[k]
        if sending_s <= 0:
            return False
        bits_per_use = block.task_bits[k] / (block.subcarrier_bandwidth_hz * sending_s)
        sinr[k] = np.expm1(np.log(2) * min(bits_per_use, 500))
    alone = sinr / block.signal_gain[0]
    system = np.eye(len(alone)) - alone[:, None] * block.interference_gain[0]
    if np.abs(np.linalg.eigvals(np.eye(len(alone)) - system)).max() >= 1:
        return False
    power = np.linalg.solve(system, alone)
    return bool((power <= 1).all())


@given(seed=st.integers(0, 2**32), users=st.integers(1, 8), error=st.sampled_from([0.0, 1e-3]))
def test_it_agrees_with_bisection(seed, users, error):
    block = draw_block(seed, users, error)
    found = ExactMinMax().solve(block)
    low, high = 0.0, 1.001 * float(found.max_latency)
    assert meets(block, high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if meets(block, middle) else (middle, high)
    assert found.max_latency == pytest.approx(high, rel=1e-9)
    assert found.lower_bound == pytest.approx(high, rel=1e-9)
