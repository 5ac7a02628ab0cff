"""What the magnitudes of a block's channels tell about its interference."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse

SAME = 1e-4
"""Relative difference between gains that single precision explains."""


@dataclass(frozen=True)
class Magnitudes:
    """A block's channels without their phases, which are independent and uniform for whoever sees no more.

    With maximum-ratio combining user k hears user j by ``|sum_m h_mk^* h_mj|^2 / S_k``, ``S_k = sum_m |h_mk|^2``.
    """

    squared: Floats  # (..., N, M, K), squared magnitudes over the noise at full power
    signal_gain: Floats  # (..., N, K), linear
    known: Floats  # (..., N, K, K), interference that phases have no part in: of estimation errors, or as printed
    printed: bool  # whether that is all of it

    @classmethod
    def of(cls, block: CoherenceBlock) -> Magnitudes:
        """Return what the magnitudes of a block tell.

        Raises:
            ValueError: If the block has no channel, or another combiner than maximum-ratio.
        """
        if block.channel is None:
            raise ValueError("the block has no channel, of which the magnitudes are needed")
        channel = np.asarray(block.channel)
        squared = np.square(channel.real, dtype=np.float64)
        if np.iscomplexobj(channel):
            squared += np.square(channel.imag, dtype=np.float64)
        signal_gain, interference_gain = np.asarray(block.signal_gain), np.asarray(block.interference_gain)
        if not nearly_equal(squared.sum(-2), signal_gain):
            allowed = "expectations given magnitudes are known for maximum-ratio combining, mrc, only"
            raise refuse("combiner", "another than mrc", allowed)
        users = np.arange(block.num_users)
        others = ~np.eye(block.num_users, dtype=np.bool_)
        own_error = interference_gain[..., users, users]
        as_printed = others * signal_gain[..., None, :] + own_error[..., None, :]
        if nearly_equal(interference_gain, as_printed):
            return cls(squared, signal_gain, interference_gain, printed=True)
        known = np.zeros_like(interference_gain)
        if own_error.any() and not np.iscomplexobj(channel):
            allowed = "what errors add to the interference is found with the channel's phases, which are not there"
            raise refuse("channel", "magnitudes", allowed)
        if own_error.any():  # so is the error of the others' channels in it: what is left without their estimates
            gram = np.swapaxes(channel.conj(), -1, -2) @ channel
            own_phases = others * np.square(np.abs(gram)) / floored(signal_gain)[..., None]
            known = np.maximum(interference_gain - own_phases, 0.0)
        return cls(squared, signal_gain, known, printed=False)

    @property
    def magnitude(self) -> Floats:
        """Amplitudes over the noise at full power, ``(..., N, M, K)``."""
        return np.sqrt(self.squared)

    @property
    def expected_interference(self) -> Floats:
        """``E[I_kj | |H|] = sum_m |h_mk|^2 |h_mj|^2 / S_k``, and what is known, ``(..., N, K, K)``."""
        return self.known if self.printed else self.known + self._expected

    @property
    def interference_variance(self) -> Floats:
        """``Var[I_kj | |H|] = E^2 - sum_m (|h_mk|^2 |h_mj|^2 / S_k)^2``, ``(..., N, K, K)``.

        E is what is expected but for what is known; the phases at different APs are independent.
        """
        if self.printed:
            return np.zeros_like(self.known)
        return np.square(self._expected) - heard(np.square(self.squared), np.square(self.signal_gain))

    @functools.cached_property
    def _expected(self) -> Floats:
        return heard(self.squared, self.signal_gain)


def heard(weight: Floats, norm: Floats) -> Floats:
    """Return ``sum_m w_mk w_mj / norm_k`` for ``j != k``, else zero, ``(..., N, K, K)``.

    Args:
        weight: ``(..., N, M, K)``.
        norm: ``(..., N, K)``; a user without a channel hears nobody.
    """
    gain = np.swapaxes(weight, -1, -2) @ weight / floored(norm)[..., None]
    users = np.arange(gain.shape[-1])
    gain[..., users, users] = 0.0
    return np.asarray(gain)


def floored(signal_gain: Floats) -> Floats:
    """Return gains of any shape that may be divided by."""
    return np.maximum(signal_gain, np.finfo(np.float64).tiny)


def nearly_equal(ones: Floats, others: Floats) -> bool:
    """Return whether gains of any shape are the same but for single precision."""
    return bool((np.abs(ones - others) <= SAME * others).all())
