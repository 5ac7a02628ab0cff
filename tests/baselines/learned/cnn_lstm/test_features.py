"""What the network sees: the gains that magnitudes imply are means over phases; users come in a fixed order."""

import numpy as np
import pytest
import torch

from mec_cf_gym.baselines.learned.cnn_lstm.features import by_total_gain, expected_gains, features_of

KINDS = ("log_magnitude", "magnitude", "gains")


def test_implied_gains_are_means_over_the_phases():
    rng = np.random.default_rng(0)
    magnitude = rng.uniform(0.5, 2.0, (2, 6, 3))  # (N, M, K)
    phases = np.exp(2j * np.pi * rng.random((20_000, *magnitude.shape)))
    channel = magnitude * phases
    combiner = channel / np.linalg.norm(channel, axis=-2, keepdims=True)
    gain = np.abs(np.einsum("dnmk,dnmj->dnjk", combiner.conj(), channel)) ** 2
    implied = expected_gains(torch.from_numpy(magnitude)[None])[0].numpy()
    standard_error = gain.std(0) / np.sqrt(len(gain)) + 1e-6
    assert (np.abs(implied - gain.mean(0)) < 4 * standard_error).all()


def test_signal_gains_are_on_the_diagonal(blocks):
    block = blocks(3, num_aps=8, num_users=4)
    implied = expected_gains(torch.from_numpy(np.abs(block.channel))).numpy()
    np.testing.assert_allclose(np.diagonal(implied, axis1=-2, axis2=-1), block.signal_gain, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("magnitude", [0.0, 1e-30, 1e30])
def test_features_are_finite(kind, magnitude):
    maps = features_of(torch.full((2, 3, 5, 4), magnitude), kind)
    assert maps.shape == (2, 3, 4 if kind == "gains" else 5, 4)
    assert maps.isfinite().all()


def test_magnitudes_go_in_as_they_are_or_as_logarithms():
    magnitude = torch.rand(2, 1, 4, 3) + 0.1
    torch.testing.assert_close(features_of(magnitude, "magnitude"), magnitude)
    torch.testing.assert_close(features_of(magnitude, "log_magnitude"), magnitude.log())


def test_the_strongest_user_comes_first():
    magnitude = torch.tensor([1.0, 3.0, 2.0]).expand(1, 2, 4, 3)
    assert by_total_gain(magnitude).tolist() == [[1, 2, 0]]
