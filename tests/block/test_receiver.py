"""Combiners that follow the powers: a block is tuned to powers, differentiated through, and taken apart."""

import dataclasses

import numpy as np
import pytest
import torch

from mec_cf_gym import Scenario, latency, rate
from mec_cf_gym.batches import stack_rows, take_rows
from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

POWER = np.random.default_rng(0).uniform(0.05, 1, (3, 1, 6))


def draw_block(deployment="user_centric", rows=3, **fields):
    small = {"num_aps": 16, "num_users": 6, "antennas_per_base_station": 8, "deployment": deployment}
    return World(Scenario.paper_b(**small, **fields)).begin(Streams.from_seeds(range(rows))).block


def by_the_book(block, power):
    """Return SINRs from estimates and combiners as the equations are written, for one block."""
    receiver, power = block.receiver, power[0]
    channel, error, serves = receiver.channel, receiver.error_covariance, receiver.serves
    combiner = CLUSTERED_COMBINERS[receiver.combiner]().combine(channel, error, serves, power)
    sinr = []
    for user in range(block.num_users):
        vector = combiner[..., user] * serves[:, user, None]  # (L, A), D_k v_k
        gain = np.abs(np.einsum("la,laj->j", vector.conj(), channel)) ** 2
        noise = np.einsum("la,lab,lb->", vector.conj(), np.tensordot(power, error, (0, 1)), vector).real
        noise += np.linalg.norm(vector) ** 2
        interference = power @ gain - power[user] * gain[user]
        sinr.append(power[user] * gain[user] / (interference + noise))
    return np.array(sinr)


@pytest.mark.parametrize("combiner", CLUSTERED_COMBINERS)
def test_rates_at_other_powers_are_those_of_the_combiners_for_them(combiner):
    block = draw_block(combiner=combiner)
    for row, single in enumerate(block.rows()):
        expected = 20e6 * 195 / 200 * np.log2(1 + by_the_book(single, POWER[row]))
        np.testing.assert_allclose(rate(block, POWER)[row], expected, rtol=1e-9)


@pytest.mark.parametrize(("deployment", "usual"), [("user_centric", "p_mmse"), ("multi_cell", "l_mmse")])
def test_the_usual_combiners_are_the_papers(deployment, usual):
    block = draw_block(deployment)
    assert block.receiver.combiner == usual
    np.testing.assert_array_equal(draw_block(deployment, combiner=usual).signal_gain, block.signal_gain)


def test_gains_of_a_new_block_are_those_for_full_power():
    block = draw_block()
    tuned = block.tuned(np.ones((3, 1, 6)))
    np.testing.assert_array_equal(tuned.signal_gain, block.signal_gain)
    np.testing.assert_array_equal(tuned.interference_gain, block.interference_gain)


def test_estimation_errors_are_on_the_diagonal():
    assert (draw_block().interference_gain.diagonal(axis1=-2, axis2=-1) > 0).all()


@pytest.mark.parametrize("deployment", ["user_centric", "multi_cell"])
def test_rounding_takes_no_interference_away_at_however_large_an_snr(deployment):
    deafening = {"user_power_dbm": 60, "noise_dbm_per_hz": -200, "path_loss_intercept_db": 0, "bandwidth_hz": 1e3}
    block = draw_block(deployment, rows=20, **deafening)
    assert (block.interference_gain >= 0).all()
    assert np.isfinite(rate(block, np.ones((20, 1, 6)))).all()


@pytest.mark.parametrize("deployment", ["user_centric", "multi_cell"])
def test_estimates_miss_as_much_of_the_channels_as_they_say(deployment):
    fields = {"num_aps": 4, "antennas_per_base_station": 4, "num_users": 3, "pilot_samples": 2}
    world = World(Scenario.paper_b(deployment=deployment, user_power_dbm=-10, **fields))  # noise matters
    streams = Streams.from_seeds([0])
    state, known, missed = world.begin(streams), [], []
    for _ in range(2000):
        statistics = take_rows(state.network.statistics, 0)
        channel = statistics.channel(state.fading.coefficients.reshape(4, 4, 3))
        estimate = state.block.receiver.channel[0]
        known.append((np.abs(estimate) ** 2).sum(1))
        missed.append((np.abs(channel - estimate) ** 2).sum(1))
        state = world.advance(state, streams)
    error = np.einsum("lkaa->lk", statistics.error_covariance).real
    total = np.square(np.abs(statistics.root)).sum((-1, -2))
    for samples, expected in ((known, total - error), (missed, error)):
        deviation = np.mean(samples, axis=0) - expected
        assert (np.abs(deviation) < 4 * np.std(samples, axis=0) / np.sqrt(2000)).all()


def test_a_tuned_block_keeps_its_combiners():
    block = draw_block()
    tuned = block.tuned(POWER)
    assert tuned.receiver is None
    assert tuned.tuned(np.ones((3, 1, 6))) is tuned
    np.testing.assert_array_equal(rate(tuned, POWER), rate(block, POWER))
    others = rate(tuned, np.ones((3, 1, 6)))
    assert (others != rate(block, np.ones((3, 1, 6)))).any()
    interference = (tuned.interference_gain[:, 0]).sum(-1)
    np.testing.assert_allclose(others, 19.5e6 * np.log2(1 + tuned.signal_gain[:, 0] / (1 + interference)))


def test_combiners_for_the_powers_are_better_than_others_with_full_mmse():
    block = draw_block(combiner="mmse")
    for other in (np.ones((3, 1, 6)), POWER[:, :, ::-1]):
        assert (rate(block, POWER) >= rate(block.tuned(other), POWER) * (1 - 1e-9)).all()


def test_no_combiner_has_more_signal_than_maximum_ratio():
    block = draw_block()
    most = block.receiver.most_signal_gain
    np.testing.assert_allclose(draw_block(combiner="mrc").signal_gain[:, 0], most, rtol=1e-6)
    assert (block.tuned(POWER).signal_gain[:, 0] <= most * (1 + 1e-9)).all()


def test_a_user_without_power_neither_gets_nor_disturbs():
    block, power = draw_block(), POWER.copy()
    power[..., 2] = 0
    rates = rate(block, power)
    assert (rates[:, 2] == 0).all()
    assert np.isfinite(rates).all()
    others = [0, 1, 3, 4, 5]
    assert (rates[:, others] > 0).all()


def test_without_any_power_there_is_no_rate():
    assert (rate(draw_block(), np.zeros((3, 1, 6))) == 0).all()


class TestTorch:
    @pytest.mark.parametrize("deployment", ["user_centric", "multi_cell"])
    def test_it_gives_the_same_rates_and_latencies(self, deployment):
        block = draw_block(deployment)
        power, offload = torch.tensor(POWER), torch.ones(3, 6, dtype=torch.float64)
        np.testing.assert_allclose(rate(block, power).numpy(), rate(block, POWER), rtol=1e-12)
        expected = latency(block, POWER, np.ones((3, 6)))
        np.testing.assert_allclose(latency(block, power, offload).numpy(), expected, rtol=1e-12)

    def test_the_gradient_is_that_at_fixed_combiners(self):
        block = draw_block()
        power = torch.tensor(POWER, requires_grad=True)
        rate(block, power).sum().backward()
        tuned, step = block.tuned(POWER), 1e-6 * np.random.default_rng(1).standard_normal(POWER.shape)
        slope = (rate(tuned, POWER + step) - rate(tuned, POWER - step)).sum() / 2
        assert (power.grad.numpy() * step).sum() == pytest.approx(slope, rel=1e-5)
        assert torch.isfinite(power.grad).all()

    def test_single_precision_is_accepted(self):
        power = torch.tensor(POWER, dtype=torch.float32, requires_grad=True)
        rate(draw_block(), power).sum().backward()
        assert power.grad.dtype == torch.float32


class TestRows:
    def test_rows_of_a_batch_have_nested_parts_of_their_own(self):
        block = draw_block()
        rows = list(block.rows())
        assert len(rows) == 3
        for index, row in enumerate(rows):
            assert row.batch_shape == ()
            np.testing.assert_array_equal(row.receiver.channel, block.receiver.channel[index])
            np.testing.assert_array_equal(row.servers.ap_hz, block.servers.ap_hz[index])
            np.testing.assert_array_equal(row.fairness.cell, block.fairness.cell[index])
            np.testing.assert_allclose(rate(row, POWER[index]), rate(block, POWER)[index], rtol=1e-12)
            assert row.receiver.combiner == "p_mmse"

    def test_two_leading_axes_become_one(self):
        block = stack_rows([draw_block(), draw_block(user_power_dbm=10.0)])
        assert block.batch_shape == (2, 3)
        flat = block.flattened()
        assert flat.batch_shape == (6,)
        assert flat.servers.cloud_hz.shape == (6,)
        power = np.stack((POWER, POWER))
        np.testing.assert_allclose(rate(flat, power.reshape(6, 1, 6)), rate(block, power).reshape(6, 6))

    def test_parts_without_leading_axes_repeat(self):
        block = draw_block()
        shared = dataclasses.replace(
            block,
            servers=take_rows(block.servers, 0),
            fairness=take_rows(block.fairness, 0),
            deadline_s=np.full(6, 0.3),
        )
        *_, last = shared.rows()
        np.testing.assert_array_equal(last.servers.serves, block.servers.serves[0])
        np.testing.assert_array_equal(last.fairness.cell, block.fairness.cell[0])
        np.testing.assert_array_equal(last.deadline_s, np.full(6, 0.3))

    def test_a_single_block_is_its_only_row(self):
        single = take_rows(draw_block(), 1)
        (row,) = single.rows()
        np.testing.assert_array_equal(row.signal_gain, single.signal_gain)
        np.testing.assert_array_equal(row.servers.equal_shares().total_hz, single.servers.equal_shares().total_hz)


def test_a_misshapen_deadline_is_refused_by_name():
    with pytest.raises(ValueError, match=r"deadline_s has shape \(5,\); it must be \(6,\)"):
        dataclasses.replace(draw_block(), deadline_s=np.ones(5))


def test_blocks_of_paper_a_have_no_receiver_and_stay_as_they_are(blocks):
    block = blocks(2)
    assert (block.receiver, block.servers, block.data_share, block.fronthaul_load) == (None, None, 1.0, 0.0)
    assert block.tuned(np.full((2, 4, 10), 0.1)) is block
    np.testing.assert_array_equal(block.link_bits, block.task_bits)
    assert (block.deadline_s == 0.5e-3).all()
