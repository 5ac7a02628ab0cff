"""The exact solver on predicted channels: a policy for delayed CSI whose fading is known to be band-limited."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.block.aging import Aging
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.envs.observation import channel_of, log_scale
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.performance.latencies import best_offload

Complexes = NDArray[np.complexfloating[Any, Any]]
Floats = NDArray[np.float64]
MOST_BLOCKS = 1000
PRECISION = 1e-6
"""Of the optimum: predictions are not worth more."""
ROUNDING = 1e-12
"""Noise on observations, as a share of the variance: what single precision leaves, far below any receiver's."""
TOLERANCE = 1e-4
"""Of gains on the scale of observations."""


class PredictedExact:
    """The exact optimum for the gains expected of predicted channels, its powers raised towards full power; N = 1.

    Channels are predicted by the linear MMSE rule from the last observations of the episode, given what networks
    know: large-scale gains and Doppler spreads of the users. For ``observation="channel"`` and maximum-ratio
    combining. It looks at no current channel, only at tasks, speeds and statistics of the block.

    Args:
        window: Observations that a prediction is made from; fewer at the beginning of an episode.
        exponent: Of the optimal power ratios: 1 trusts them, 0 is full power.

    Raises:
        ValueError: For a window that is no count, or an exponent outside [0, 1]; from ``allocate``, where
            observations show no channels, statistics are not known, or receivers do not combine by maximum ratio.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFreeDelayed-v1", num_users=3).unwrapped
        >>> seen, _ = env.reset(seed=0)
        >>> PredictedExact().allocate(seen, env.block).power.shape
        (1, 3)
    """

    def __init__(self, window: int = 16, exponent: float = 0.7) -> None:
        self.window = checked_count("window", window, 1, MOST_BLOCKS)
        if not 0 <= exponent <= 1:
            raise refuse("exponent", exponent, "it must be in [0, 1]")
        self.exponent, self.solver = exponent, ExactMinMax(PRECISION)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode: past channels are forgotten."""
        self.seen: list[Complexes] = []  # the newest first, each (..., N, M, K)
        self.predictor: tuple[Floats, Floats] | None = None

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return powers and the best split for the predicted channels, of one network or of a batch."""
        if not self.seen:
            check(observation, block)
        aging: Any = block.aging
        self.seen = [channel_of(observation["channel"]), *self.seen[: self.window - 1]]
        if self.predictor is None or self.predictor[0].shape[-1] != len(self.seen):
            self.predictor = linear_predictor(aging, len(self.seen))
        weights, error = self.predictor
        predicted = np.zeros_like(self.seen[0])
        for age, channel in enumerate(self.seen):
            predicted += weights[..., None, None, :, age] * channel
        variance = error[..., None, :] * (1 - aging.error_share) * block.channel_variance
        signal_gain, interference_gain = expected_gains(
            predicted, variance, aging.error_share * np.asarray(block.channel_variance)
        )
        believed = dataclasses.replace(
            block, signal_gain=signal_gain, interference_gain=interference_gain, channel=None, aging=None
        )
        power = self.solver.solve(believed).power ** self.exponent
        return Allocation(power, best_offload(believed, power))


def linear_predictor(aging: Aging, blocks: int) -> tuple[Floats, Floats]:
    """Return the weights of the best linear prediction, ``(..., K, blocks)``, and what it leaves, ``(..., K)``.

    With the correlations R of the estimates that were seen and r of the current one with them, the weights are
    ``R^-1 r``, the newest estimate first, and the share ``1 - r^T R^-1 r`` of the variance is left. They are the
    same for all links of a user.

    Args:
        aging: Statistics of the channels.
        blocks: Estimates that were seen.
    """
    lags = np.arange(aging.delay_blocks + blocks)
    correlation = aging.correlation(lags)
    apart = np.abs(np.subtract.outer(lags[:blocks], lags[:blocks]))
    between, wanted = correlation[..., apart], correlation[..., aging.delay_blocks :]
    between = between + ROUNDING * np.eye(blocks)
    weights = np.asarray(np.linalg.solve(between, wanted[..., None])[..., 0], np.float64)
    return weights, np.clip(1 - (weights * wanted).sum(-1), 0.0, 1.0)


def expected_gains(predicted: Complexes, variance: Floats, error_gain: Floats) -> tuple[Floats, Floats]:
    """Return the gains of maximum-ratio combining that are expected of channels ``h ~ CN(predicted, variance)``.

    Means of products over means of norms: ``S_k = E ||h_k||^2`` and ``I_kj = E |h_k^H h_j|^2 / S_k`` for
    ``j != k``, and the error of the estimates adds ``sum_m E |h_mk|^2 error_mj / S_k``.

    Args:
        predicted: Means, ``(..., N, M, K)``.
        variance: Of what predictions leave, ``(..., M, K)``.
        error_gain: Of what estimates miss, ``(..., M, K)``.

    Returns:
        Signal gains, ``(..., N, K)``, and interference gains, ``(..., N, K, K)``, from user j on user k.
    """
    known = np.square(predicted.real) + np.square(predicted.imag)
    power = known + variance[..., None, :, :]
    signal_gain = power.sum(-2)
    inner = np.swapaxes(predicted.conj(), -1, -2) @ predicted
    transposed = np.swapaxes(power, -1, -2)
    # |h_k^H h_j|^2 of what is known, and the products of variances with all that they meet
    heard = np.square(inner.real) + np.square(inner.imag)
    heard += transposed @ power - np.swapaxes(known, -1, -2) @ known
    users = np.arange(predicted.shape[-1])
    heard[..., users, users] = 0.0
    heard += transposed @ error_gain[..., None, :, :]
    return signal_gain, heard / signal_gain[..., None]


def check(observation: Mapping[str, NDArray[Any]], block: CoherenceBlock) -> None:
    """Refuse observations and blocks that the prediction does not fit, by what the first observation shows.

    Raises:
        ValueError: Names what is missing.
    """
    if "channel" not in observation:
        raise refuse("observation", list(observation), "predictions need observation='channel'")
    if block.aging is None or block.channel_variance is None:
        raise refuse("channel_variance", block.channel_variance, "predictions need the channels' statistics")
    channel, variance = channel_of(observation["channel"]), np.asarray(block.channel_variance)
    combined = expected_gains(channel, np.zeros_like(variance), block.aging.error_share * variance)
    for name, gains in zip(("signal", "interference"), combined, strict=True):
        if not np.allclose(log_scale(gains), observation[name], atol=TOLERANCE):
            raise refuse(name, observation[name], "predictions are for maximum-ratio combining: combiner='mrc'")
