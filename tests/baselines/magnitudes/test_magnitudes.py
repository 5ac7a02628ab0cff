"""Expectations given magnitudes: against a mean over phases, and for every kind of network on a disk."""

import dataclasses

import numpy as np
import pytest
import torch

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import ExactMinMax, FastMinMax, MagnitudeOnly, RandomPower, WaterFilling
from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.magnitudes.magnitudes import Magnitudes
from mec_cf_gym.baselines.magnitudes.phases import Phases
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

from ...conftest import block_of, draw_blocks

SMALL = {"num_users": 4, "num_aps": 6, "num_subcarriers": 2}


def turned(block, seed):
    """Return the block with other phases at every AP and user, received by maximum-ratio combining."""
    angle = 2 * np.pi * np.random.default_rng(seed).random(block.channel.shape)
    channel = block.channel * np.exp(1j * angle)
    gram = np.abs(np.swapaxes(channel.conj(), -1, -2) @ channel) ** 2
    heard = (1 - np.eye(block.num_users)) * gram / block.signal_gain[..., None]
    return dataclasses.replace(block, channel=channel, interference_gain=heard)


@pytest.mark.parametrize("deployment", ["cell_free", "cellular"])
def test_mean_and_variance_are_those_over_phases(deployment):
    block = draw_blocks(3, **SMALL, deployment=deployment)
    known = Magnitudes.of(block)
    drawn = np.stack([turned(block, seed).interference_gain for seed in range(4000)])
    error = drawn.std(0) / np.sqrt(len(drawn)) + 1e-12
    assert (np.abs(drawn.mean(0) - known.expected_interference) < 5 * error).all()
    fourth = ((drawn - drawn.mean(0)) ** 4).mean(0)
    error = np.sqrt(np.maximum(fourth - drawn.var(0) ** 2, 0) / len(drawn)) + 1e-12
    assert (np.abs(drawn.var(0) - known.interference_variance) < 6 * error).all()


@pytest.mark.parametrize("fields", [{}, {"csi_error_variance": 0.1}, {"interference": "printed"}], ids=str)
def test_drawn_blocks_have_the_mean_that_is_expected(fields):
    block = draw_blocks(2, **SMALL, **fields)
    drawn = Phases(block, seed=0).drawn(4000)
    assert drawn.interference_gain.shape == (4000, *block.interference_gain.shape)
    mean, spread = (np.asarray(f(drawn.interference_gain, dim=0)) for f in (torch.mean, torch.std))
    expected = Magnitudes.of(block).expected_interference
    assert (np.abs(mean - expected) <= 5 * spread / np.sqrt(4000) + 1e-6 * expected).all()


def test_the_expectation_is_the_reference(paper_a_reference):
    known = paper_a_reference("magnitude_only")
    block = block_of(known["signal"][:, None], known["interference"][:, None], known["channel"][:, None])
    expected = Magnitudes.of(block).expected_interference
    np.testing.assert_allclose(expected[:, 0], known["expected_interference"], rtol=1e-9, atol=1e-12)
    found = MagnitudeOnly(ExactMinMax()).solve(block)
    np.testing.assert_allclose(found.power[:, 0], known["power_expected"], rtol=1e-6)
    np.testing.assert_allclose(found.offload, known["offload_expected"], rtol=1e-8)
    np.testing.assert_allclose(found.max_latency, known["latency_own_offload_s"], rtol=1e-8)
    best = WithBestOffload(MagnitudeOnly(ExactMinMax())).solve(block)
    np.testing.assert_allclose(best.max_latency, known["latency_best_split_s"], rtol=1e-8)


@pytest.mark.parametrize("deployment", ["cell_free", "cellular"])
def test_phases_have_no_part_in_what_is_decided(deployment):
    block = draw_blocks(5, **SMALL, deployment=deployment)
    one, other = (MagnitudeOnly(FastMinMax()).solve(turned(block, seed)) for seed in (0, 1))
    np.testing.assert_allclose(one.power, other.power, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(one.offload, other.offload, rtol=1e-6)
    assert not np.allclose(one.latency, other.latency, rtol=1e-4)


def test_what_estimation_errors_add_is_known():
    """``a_k^H C_j a_k``: errors are independent of the estimates, and no phases are in it."""
    scenario, error = Scenario.paper_a(**SMALL, csi_error_variance=0.1), 0.1
    state = World(scenario).begin(Streams.from_seeds(range(3)))
    network, known = state.network, Magnitudes.of(state.block)
    error_gain = error * network.large_scale_gain * network.user_power_w[:, None] / scenario.noise_w
    combiner = np.square(known.magnitude) / known.signal_gain[..., None, :]
    expected = np.swapaxes(combiner, -1, -2) @ error_gain[:, None]
    np.testing.assert_allclose(known.known, expected, rtol=1e-4, atol=1e-4 * state.block.interference_gain.max())


def test_the_gaps_to_full_knowledge_are_about_those_of_an_independent_study():
    """0.64 and 1.62 % at K = 10 and 20, N = 4, with the best split, on 100 networks x 2 blocks."""
    for users, low, high in ((10, 0.4e-2, 0.95e-2), (20, 1.2e-2, 2.1e-2)):
        block = draw_blocks(100, num_users=users)
        blind = WithBestOffload(MagnitudeOnly(FastMinMax())).solve(block).max_latency
        assert low < (blind / FastMinMax().solve(block).max_latency - 1).mean() < high


def test_as_printed_magnitudes_are_all_there_is_to_know():
    block = draw_blocks(5, **SMALL, interference="printed")
    for solver in (FastMinMax(), WaterFilling()):
        np.testing.assert_array_equal(MagnitudeOnly(solver).solve(block).power, solver.solve(block).power)


def test_batches_and_single_blocks_are_decided_alike():
    block = draw_blocks(3, **SMALL)
    whole = MagnitudeOnly(FastMinMax()).solve(block)
    for index, row in enumerate(block.rows()):
        np.testing.assert_allclose(MagnitudeOnly(FastMinMax()).solve(row).power, whole.power[index], rtol=1e-9)


def test_a_solver_that_draws_begins_its_episodes():
    block, solver = next(draw_blocks(1, **SMALL).rows()), MagnitudeOnly(RandomPower())
    powers = []
    for seed in (1, 2, 1):
        solver.reset(seed)
        powers.append(solver.solve(block).power)
    np.testing.assert_array_equal(powers[0], powers[2])
    assert (powers[0] != powers[1]).any()


def test_what_is_not_known_is_refused_by_name():
    block = draw_blocks(1, **SMALL, combiner="mmse")
    with pytest.raises(ValueError, match=r"combiner='another than mrc' is not allowed: .* mrc, only"):
        MagnitudeOnly(FastMinMax()).solve(block)
    with pytest.raises(ValueError, match="has no channel"):
        MagnitudeOnly(FastMinMax()).solve(dataclasses.replace(block, channel=None))
