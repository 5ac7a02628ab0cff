"""Channels that are not kept: they are those of the gains, and nothing but reading them draws them."""

import copy

import numpy as np
import pytest
from scipy import stats

from mec_cf_gym import Scenario
from mec_cf_gym.batches import put_rows, replaced, take_rows
from mec_cf_gym.block.channel import FadedChannel
from mec_cf_gym.block.combining import receive_gains, unit_columns
from mec_cf_gym.block.fading import KeyedFading, WishartFading
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

ROWS = 3000
FADINGS = [
    {"generator": "keyed"},
    {"generator": "keyed", "deployment": "cellular"},
    {"generator": "keyed", "deployment": "cellular", "num_aps": 4, "num_users": 4},
    {"generator": "keyed", "deployment": "cellular", "num_aps": 3, "num_users": 5},
    {"generator": "keyed", "fading": "gauss_markov", "speed_m_per_s": 20.0},
    {"generator": "numpy"},
]


def second_block(seeds, **fields):
    world, streams = World(Scenario.paper_a(**fields)), Streams.from_seeds(seeds)
    return world.advance(world.begin(streams), streams).block


def is_drawn(block):
    return "_channel" in vars(block)


@pytest.mark.parametrize("fields", FADINGS)
def test_gains_are_those_of_the_channels(fields):
    block = second_block(range(4), **fields)
    signal, interference = receive_gains(unit_columns(block.channel), block.channel, None)
    np.testing.assert_allclose(block.signal_gain, signal, rtol=1e-5)
    np.testing.assert_allclose(block.interference_gain, interference, rtol=1e-3, atol=1e-6 * signal.max())


@pytest.mark.parametrize("fields", FADINGS)
def test_a_row_is_the_same_alone_and_in_a_batch(fields):
    together, alone = second_block(range(4), **fields), second_block([2], **fields)
    np.testing.assert_array_equal(together.interference_gain[2], alone.interference_gain[0])
    np.testing.assert_array_equal(together.channel[2], alone.channel[0])
    np.testing.assert_array_equal(take_rows(together, 2).channel, alone.channel[0])


def test_channels_are_drawn_when_they_are_read_and_only_once():
    block = second_block(range(2), generator="keyed")
    assert isinstance(vars(block)["channel"], FadedChannel)
    assert block.channel is block.channel
    with pytest.raises(ValueError, match="read-only"):
        block.channel[0] = 0


def test_nothing_else_draws_them():
    block = second_block(range(3), generator="keyed")
    other = second_block(range(3, 6), generator="keyed")
    merged = put_rows(block, np.array([True, False, False]), take_rows(other, np.array([True, False, False])))
    for derived in (
        replaced(block, data_share=0.5),
        take_rows(block, 1),
        block.flattened(),
        copy.deepcopy(block),
        merged,
    ):
        assert not is_drawn(derived)
    assert not is_drawn(block)
    np.testing.assert_array_equal(merged.channel[0], other.channel[0])
    np.testing.assert_array_equal(merged.channel[1], block.channel[1])


@pytest.mark.parametrize("users", [3, 6], ids=["few users", "as many users as antennas"])
def test_fading_at_one_site_is_independent_and_normal(users):
    keys = np.random.default_rng(users).integers(2**64, size=(3, ROWS, 2), dtype=np.uint64)
    fading = WishartFading(keys[0], np.full(ROWS, 7), (1, 6, users), keys[1], keys[2])
    links = fading.coefficients.reshape(ROWS, -1)
    for link in links.T:
        assert stats.kstest(np.abs(link) ** 2, "expon").pvalue > 1e-4
        assert stats.kstest(np.angle(link) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-4
    for powers in (links, np.abs(links) ** 2):
        correlation = np.abs(np.corrcoef(powers.T) - np.eye(links.shape[1])).max()
        assert correlation * np.sqrt(ROWS) < 4.5


def test_blocks_of_an_episode_have_numbers_of_their_own():
    keys = np.random.default_rng(0).integers(2**64, size=(200, 2), dtype=np.uint64)
    fading = KeyedFading(keys, np.zeros(200, np.int64), (1, 4, 5))
    both = fading.coefficients.reshape(-1), fading.later().coefficients.reshape(-1)
    assert abs(np.corrcoef(*both)[0, 1]) * np.sqrt(4000) < 4
