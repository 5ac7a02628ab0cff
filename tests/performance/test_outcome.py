"""Outcomes: the compiled loop gives what the plain functions give."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.performance import outcome as module
from mec_cf_gym.performance.outcome import outcome_of

from ..conftest import draw_blocks


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**31),
    num_subcarriers=st.integers(1, 4),
    num_users=st.integers(1, 5),
    local_computing=st.booleans(),
    fairness_weight_w=st.sampled_from([0.0, 0.6]),
    idle=st.booleans(),
)
def test_plain_blocks_are_judged_by_a_loop_as_by_functions(
    seed, num_subcarriers, num_users, local_computing, fairness_weight_w, idle
):
    block = draw_blocks(
        3,
        seed,
        num_subcarriers=num_subcarriers,
        num_users=num_users,
        num_aps=6,
        local_computing=local_computing,
        fairness_weight_w=fairness_weight_w,
        task_bits=(1e2, 1e4),
        effective_capacitance=1e-27,
    )
    rng = np.random.default_rng(seed)
    power = rng.dirichlet(np.ones(num_subcarriers + 1), (3, num_users))[..., :-1].swapaxes(-1, -2)
    offload = np.ones((3, num_users)) if not local_computing else rng.random((3, num_users))
    if idle:
        power, offload = power * 0, offload * local_computing * (rng.random((3, num_users)) < 0.5)
        offload = offload if local_computing else np.ones((3, num_users))
    allocation = Allocation(power, offload)
    assert module.is_plain(block, allocation)
    compiled = outcome_of(block, allocation, 1e-3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "is_plain", lambda *_: False)
        plain = outcome_of(block, allocation, 1e-3)
    for field in dataclasses.fields(plain):
        found, expected = getattr(compiled, field.name), getattr(plain, field.name)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300, err_msg=field.name)
