"""The coherence block checks its shapes and comes apart into rows."""

import dataclasses

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World


def test_shapes(blocks):
    block = blocks(3, num_users=5, num_subcarriers=2, num_aps=7)
    assert block.batch_shape == (3,)
    assert block.signal_gain.shape == (3, 2, 5)
    assert block.interference_gain.shape == (3, 2, 5, 5)
    assert block.channel.shape == (3, 2, 7, 5)
    assert block.subcarrier_bandwidth_hz == 10e6
    assert (block.interference_gain.diagonal(axis1=-2, axis2=-1) == 0).all()


def test_a_misshapen_field_is_refused_by_name(blocks):
    block = blocks(3)
    with pytest.raises(ValueError, match=r"local_hz has shape \(3, 9\); it must be \(10,\)"):
        dataclasses.replace(block, local_hz=block.local_hz[:, 1:])


def test_leading_axes_must_agree(blocks):
    block = blocks(3)
    with pytest.raises(ValueError, match=r"server_hz has shape \(2, 10\)"):
        dataclasses.replace(block, server_hz=block.server_hz[:2])


def test_whole_numbers_do_not_overflow(blocks):
    block = blocks(1)
    whole = dataclasses.replace(
        block, task_bits=np.full(10, 10**6, np.int32), cycles_per_bit=np.full(10, 10**4, np.int32)
    )
    assert (whole.task_cycles == 1e10).all()


def test_rows_of_a_batch_share_fields_without_a_batch_axis(blocks):
    block = blocks(3)
    shared = dataclasses.replace(block, task_bits=np.arange(1.0, 11.0))
    rows = list(shared.rows())
    assert len(rows) == 3
    np.testing.assert_array_equal(rows[2].signal_gain, block.signal_gain[2])
    np.testing.assert_array_equal(rows[2].task_bits, np.arange(1.0, 11.0))


def test_tasks_are_drawn_anew_for_every_user_and_block_from_their_ranges():
    world, streams = (
        World(Scenario.paper_a(task_bits=(500, 2000), cycles_per_bit=(10, 20))),
        Streams.from_seeds([0]),
    )
    first = world.begin(streams)
    second = world.advance(first, streams)
    for name, (low, high) in {"task_bits": (500, 2000), "cycles_per_bit": (10, 20)}.items():
        before, after = getattr(first.block, name), getattr(second.block, name)
        assert not np.isin(before, after).any()
        assert np.unique(before).size == before.size
        assert ((low <= before) & (before <= high)).all()


def test_the_signal_gain_of_one_ap_is_its_snr():
    world = World(Scenario.paper_a(num_aps=1, num_users=1, num_subcarriers=1, user_power_dbm=20))
    state = world.begin(Streams.from_seeds(range(5)))
    noise_w = 10 ** (-174 / 10 - 3) * 20e6
    expected = (
        0.1
        * state.network.large_scale_gain[:, 0, 0]
        * np.abs(state.fading.coefficients[:, 0, 0, 0]) ** 2
        / noise_w
    )
    np.testing.assert_allclose(state.block.signal_gain[:, 0, 0], expected, rtol=1e-6)
