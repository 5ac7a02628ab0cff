"""Memory of the channels of an episode, and the best linear prediction of the current ones from it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.agents.translation import Seen
from mec_cf_gym.baselines.predicted import expected_gains, linear_predictor
from mec_cf_gym.block.aging import Aging
from mec_cf_gym.block.fading import doppler_phase_rad
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import ComplexChannels, Observation, channel_of, log_scale
from mec_cf_gym.envs.running_mean import per_row
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ChannelMemory:
    """The last channels that rows saw in their episodes, and the mean of their power; the newest first."""

    rule: LinearPrediction
    blocks: NDArray[np.int64]  # (...), observations so far
    channel: NDArray[np.complex64]  # (..., D, N, M, K), zero where there were fewer
    variance: Floats  # (..., M, K), mean of |h|^2 over the episode and subcarriers

    def update(self, observation: Seen, starts: ArrayLike = False) -> ChannelMemory:
        """Return the memory one block later; rows in ``starts``, ``(...)``, forget what was before."""
        new = self.rule.start(observation)
        before = np.where(starts, 0, self.blocks)
        kept = self.channel[..., :-1, :, :, :] * per_row(before > 0, self.channel)
        weight = per_row(1 / (before + 1), self.variance)
        return dataclasses.replace(
            new,
            blocks=np.asarray(before + 1),
            channel=np.concatenate([new.channel[..., :1, :, :, :], kept], -4),
            variance=self.variance + weight * (new.variance - self.variance),
        )

    def restart(self, observation: Seen, mask: NDArray[np.bool_]) -> ChannelMemory:
        """Return the memory, started anew in the rows under ``mask``, ``(...)``; in other rows it stays."""
        new = self.rule.start(observation)
        names = ("blocks", "channel", "variance")
        pairs = {name: (getattr(new, name), getattr(self, name)) for name in names}
        both = {name: np.where(per_row(mask, mine), mine, old) for name, (mine, old) in pairs.items()}
        return dataclasses.replace(self, **both)

    def shown(self, observation: Seen) -> Observation:
        """Return the observation with expected gains in place of the last, and without channels."""
        rule = self.rule
        index = np.minimum(self.blocks, rule.window) - 1
        predicted = np.einsum("...d,...dnmk->...nmk", rule.weights[index].astype(np.float32), self.channel)
        error_gain = rule.error_share * self.variance
        left = per_row(rule.left[index], self.variance) * (self.variance - error_gain)
        gains = expected_gains(predicted, left, error_gain)
        return {"signal": log_scale(gains[0]), "interference": log_scale(gains[1]), "task": observation["task"]}


@dataclass(frozen=True)
class LinearPrediction:
    """The best linear prediction of channels from the last observations, of users who all move at one speed.

    Raises:
        ValueError: For a window that is no count, a scenario whose observations show no channels, whose receivers
            do not combine by maximum ratio, or whose users have several speeds, which observations do not show.
    """

    weights: Floats  # (D, D), of the newest observation first, for 1, 2, .. D of them
    left: Floats  # (D,), share of the variance that the prediction leaves
    error_share: float  # of the variance, that estimates miss

    @classmethod
    def of(cls, scenario: Scenario, window: int) -> LinearPrediction:
        """Return the prediction for a scenario from ``window`` observations."""
        window = checked_count("window", window, 1, 1000)
        dynamics, radio, speed_m_per_s = scenario.dynamics, scenario.radio, scenario.dynamics.speed_m_per_s
        if not isinstance(Contract(scenario).observation, ComplexChannels):
            raise refuse("observation", scenario.episode.observation, "predictions need 'channel'")
        if radio.combiner != "mrc":
            raise refuse("combiner", radio.combiner, "predictions are for maximum-ratio combining: 'mrc'")
        if isinstance(speed_m_per_s, tuple):
            raise refuse("speed_m_per_s", speed_m_per_s, "predictions need one speed for all users")
        phase_rad = doppler_phase_rad(scenario, np.array([speed_m_per_s]))
        aging = Aging(phase_rad, dynamics.csi_delay_blocks, radio.csi_error_variance, dynamics.fading)
        weights, left = np.zeros((window, window)), np.zeros(window)
        for blocks in range(1, window + 1):
            (weights[blocks - 1, :blocks],), (left[blocks - 1],) = linear_predictor(aging, blocks)
        return cls(weights, left, radio.csi_error_variance)

    @property
    def window(self) -> int:
        """Observations that a prediction is made from."""
        return len(self.left)

    def start(self, observation: Seen) -> ChannelMemory:
        """Return the memory after the first observation of an episode, of one environment or of many."""
        channel = channel_of(observation["channel"]).astype(np.complex64)  # (..., N, M, K)
        older = np.zeros((*channel.shape[:-3], self.window - 1, *channel.shape[-3:]), np.complex64)
        power = np.square(channel.real, dtype=np.float64) + np.square(channel.imag, dtype=np.float64)
        blocks = np.ones(channel.shape[:-3], np.int64)
        seen = np.concatenate([channel[..., None, :, :, :], older], -4)
        return ChannelMemory(self, blocks, seen, power.mean(-3))
