"""Rate and latency, against loops written from the equations."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import CoherenceBlock, best_offload, latency, rate
from mec_cf_gym.performance.latencies import best_latency

FLOOR_S, LOCAL_S = 1e-3 * 0.2e-3 / 1.2e-3, 1e-3


@st.composite
def drawn(draw, unequal=True):
    """A block, or a batch of blocks, with feasible powers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    batch = draw(st.sampled_from([(), (3,), (2, 3)]))
    subcarriers, users = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    signal = 10 ** rng.uniform(-2, 4, (*batch, subcarriers, users))
    interference = 10 ** rng.uniform(-4, 3, (*batch, subcarriers, users, users))
    shape = (*batch, users)
    low, high = (0.2, 5.0) if unequal else (1.0, 1.0)
    numbers = [unit * rng.uniform(low, high, shape) for unit in (1e3, 1e3, 1e9, 5e9)]
    block = CoherenceBlock(signal, interference, *numbers, 20e6 / subcarriers)
    power = rng.dirichlet(np.ones(subcarriers + 1), (*batch, users))[..., :-1]
    return block, np.swapaxes(power, -1, -2), rng


def loop_rate(block, power):
    """R_k = sum_n B/N log2(1 + p S / (1 + sum_j p_j I_kj)), one user at a time."""
    rates = np.zeros(block.signal_gain.shape[:-2] + block.signal_gain.shape[-1:])
    for index in np.ndindex(block.batch_shape):
        for k in range(block.num_users):
            for n in range(block.num_subcarriers):
                interference = 0.0
                for j in range(block.num_users):
                    interference += power[(*index, n, j)] * block.interference_gain[(*index, n, k, j)]
                sinr = power[(*index, n, k)] * block.signal_gain[(*index, n, k)] / (1 + interference)
                rates[(*index, k)] += block.subcarrier_bandwidth_hz * math.log1p(sinr) / math.log(2)
    return rates


@given(drawn())
def test_rate_equals_a_loop_over_users(case):
    block, power, _ = case
    np.testing.assert_allclose(rate(block, power), loop_rate(block, power), rtol=1e-12)


@given(drawn())
def test_latency_equals_a_loop_over_users(case):
    block, power, rng = case
    offload = rng.random(block.task_bits.shape)
    expected = np.zeros(offload.shape)
    rates = loop_rate(block, power)
    for i in np.ndindex(offload.shape):
        cycles = block.task_bits[i] * block.cycles_per_bit[i]
        local_s = (1 - offload[i]) * cycles / block.local_hz[i]
        offload_s = offload[i] * (block.task_bits[i] / rates[i] + cycles / block.server_hz[i])
        expected[i] = max(local_s, offload_s)
    np.testing.assert_allclose(latency(block, power, offload), expected, rtol=1e-12)


@given(drawn(), st.data())
def test_rate_rises_with_own_power_and_falls_with_that_of_others(case, data):
    block, power, _ = case
    user = data.draw(st.integers(0, block.num_users - 1))
    without_self_interference = block.interference_gain * (1 - np.eye(block.num_users))
    block = dataclasses.replace(block, interference_gain=without_self_interference)
    more = power.copy()
    more[..., user] *= 1.5
    change = rate(block, more) - rate(block, power)
    assert (change[..., user] > 0).all()
    assert (np.delete(change, user, -1) < 0).all()


@given(drawn())
def test_the_best_split_beats_a_thousand_random_ones(case):
    block, power, rng = case
    best_s = latency(block, power, best_offload(block, power))
    for split in rng.random((1000, *block.task_bits.shape)):
        assert (best_s <= latency(block, power, split) * (1 + 1e-12)).all()
    np.testing.assert_allclose(best_s, best_latency(block, rate(block, power)), rtol=1e-12)


@given(drawn(unequal=False))
def test_latency_of_the_best_split_lies_between_the_floor_and_local_computing(case):
    block, power, _ = case
    best_s = latency(block, power, best_offload(block, power))
    assert (best_s >= FLOOR_S).all()
    assert (best_s <= LOCAL_S).all()


def block_of_two(**changes):
    """User 0 has a link, user 1 has none."""
    arrays = {"signal_gain": np.array([[10.0, 0.0]]), "interference_gain": np.zeros((1, 2, 2))}
    tasks = dict(zip(("task_bits", "cycles_per_bit", "local_hz", "server_hz"), (1e3, 1e3, 1e9, 5e9), strict=True))
    fields = arrays | {name: np.full(2, value) for name, value in tasks.items()} | changes
    return CoherenceBlock(**fields, subcarrier_bandwidth_hz=20e6)


class TestWithoutALink:
    power = np.ones((1, 2))

    def test_offloading_takes_forever(self):
        assert latency(block_of_two(), self.power, np.full(2, 0.5))[1] == np.inf
        assert latency(block_of_two(), np.zeros((1, 2)), np.full(2, 0.5))[0] == np.inf

    def test_computing_locally_does_not(self):
        assert latency(block_of_two(), self.power, np.zeros(2))[1] == LOCAL_S

    def test_the_best_split_is_local(self):
        offload = best_offload(block_of_two(), self.power)
        assert 0 < offload[0] < 1
        assert offload[1] == 0


class TestWithoutACPU:
    power = np.ones((1, 2))
    block = block_of_two(local_hz=np.zeros(2))

    def test_the_best_split_offloads_everything(self):
        assert (best_offload(self.block, self.power) == 1).all()

    def test_latency_is_that_of_offloading(self):
        seconds = latency(self.block, self.power, np.ones(2))
        assert seconds[0] == pytest.approx(1e3 / rate(self.block, self.power)[0] + 0.2e-3)
        assert seconds[1] == np.inf

    def test_keeping_a_part_takes_forever(self):
        assert latency(self.block, self.power, np.full(2, 0.9))[0] == np.inf


@given(drawn())
def test_torch_gives_the_same_numbers_as_numpy(case):
    block, power, rng = case
    offload = rng.random(block.task_bits.shape)
    for function, arguments in ((rate, ()), (best_offload, ()), (latency, (torch.tensor(offload),))):
        result = function(block, torch.tensor(power), *arguments)
        expected = function(block, power, *(argument.numpy() for argument in arguments))
        assert isinstance(result, torch.Tensor)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12)


@given(drawn())
def test_gradients_agree_with_finite_differences(case):
    block, power, rng = case
    tensor = torch.tensor(power * 0.9, requires_grad=True)
    offload = torch.tensor(rng.uniform(0.2, 0.8, block.task_bits.shape), requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: rate(block, p) / 1e6, (tensor,), atol=1e-4, rtol=1e-3)
    assert torch.autograd.gradcheck(
        lambda p, o: 1e3 * latency(block, p, o), (tensor, offload), atol=1e-4, rtol=1e-3
    )
    assert torch.autograd.gradcheck(lambda p: best_offload(block, p), (tensor,), atol=1e-4, rtol=1e-3)


def test_single_precision_torch_blocks_stay_so():
    block = block_of_two()
    names = ("signal_gain", "interference_gain", "task_bits", "cycles_per_bit", "local_hz", "server_hz")
    single = dataclasses.replace(block, **{name: torch.tensor(getattr(block, name)).float() for name in names})
    assert rate(single, torch.ones((1, 2))).dtype == torch.float32
    assert latency(single, torch.ones((1, 2)), torch.full((2,), 0.5)).dtype == torch.float32
