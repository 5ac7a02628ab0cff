"""Interference, SINR, spectral efficiency (SE) and rate of an allocation, for NumPy arrays and torch tensors.

All take leading batch axes. Equation numbers are those of Demir, Björnson, Sanguinetti, "Foundations of
User-Centric Cell-Free Massive MIMO", 2021 (the book).
"""

from __future__ import annotations

import math

from mec_cf_gym.arrays import Array, promote
from mec_cf_gym.block.block import CoherenceBlock


def received_interference(interference_gain: Array, power: Array) -> Array:
    """Return what users receive of each other, ``sum_j I_kj p_j``, over the noise.

    Args:
        interference_gain: ``(..., K, K)``, of user j on user k, at full power over the noise.
        power: Power ratios, ``(..., K)``, of the same array type.

    Returns:
        ``(..., K)``, linear.
    """
    return (interference_gain @ power[..., None])[..., 0]


def interference_by_user(interference_gain: Array, power: Array) -> Array:
    """Return what users receive of each single other, ``I_kj p_j``, over the noise, ``(..., K, K)``.

    Arguments are those of :func:`received_interference`, of which these are the terms.
    """
    return interference_gain * power[..., None, :]


def sinr(signal_gain: Array, interference_gain: Array, power: Array) -> Array:
    """Return the SINRs, ``p_k S_k / (1 + sum_j I_kj p_j)`` (paper A, section II; the book's (5.5)).

    Args:
        signal_gain: ``(..., K)``, at full power over the noise.
        interference_gain: ``(..., K, K)``, of user j on user k.
        power: Power ratios, ``(..., K)``; all of the same array type.

    Returns:
        ``(..., K)``, linear.
    """
    return power * signal_gain / (1 + received_interference(interference_gain, power))


def instantaneous_spectral_efficiency(
    signal_gain: Array, interference_gain: Array, power: Array, prelog: float
) -> Array:
    """Return the users' SEs in one coherence block, ``prelog log2(1 + SINR_k)`` (5.4).

    Args:
        signal_gain: ``(..., K)``, at full power over the noise.
        interference_gain: ``(..., K, K)``, of user j on user k.
        power: Power ratios, ``(..., K)``.
        prelog: Share of the coherence block that carries data, ``tau_u / tau_c``.

    Returns:
        SEs in bit/s/Hz, ``(..., K)``.
    """
    xp, arrays = promote(signal_gain, interference_gain, power)
    return prelog / math.log(2) * xp.log1p(sinr(*arrays))


def ergodic_spectral_efficiency(
    signal_gain: Array, interference_gain: Array, power: Array, prelog: float
) -> Array:
    """Return the users' mean SEs over realisations of the channel, which are the first axis of the gains.

    Arguments are those of :func:`instantaneous_spectral_efficiency`, with gains ``(realisations, ..., K)`` and
    ``(realisations, ..., K, K)``.

    Returns:
        SEs in bit/s/Hz, ``(..., K)``.
    """
    instantaneous = instantaneous_spectral_efficiency(signal_gain, interference_gain, power, prelog)
    return instantaneous.sum(0) / instantaneous.shape[0]


def rate(block: CoherenceBlock, power: Array) -> Array:
    """Return the users' rates (paper A, section II; paper B with ``B SE_k``).

    ``R_k = tau_u/tau_c sum_n B/N log2(1 + p_nk S_nk / (1 + sum_j I_nkj p_nj))``, where paper A sends no pilots:
    ``tau_u = tau_c``. Combiners that follow the powers are those for ``power``.

    Args:
        block: The coherence block.
        power: Power ratios, ``(..., N, K)``: non-negative, summing to at most one over a user's subcarriers.

    Returns:
        Rates in bit/s, ``(..., K)``.

    Examples:
        >>> import gymnasium as gym
        >>> import numpy as np
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> rate(env.block, np.full((4, 3), 0.25)).shape
        (3,)
    """
    return tuned_rate(block.tuned(power), power)


def tuned_rate(block: CoherenceBlock, power: Array) -> Array:
    """Return the rates in bit/s, ``(..., K)``, at powers ``(..., N, K)`` with the combiners that the block has."""
    efficiency = instantaneous_spectral_efficiency(
        block.signal_gain, block.interference_gain, power, block.data_share
    )
    return block.subcarrier_bandwidth_hz * efficiency.sum(-2)


def spectral_efficiency(block: CoherenceBlock, power: Array) -> Array:
    """Return the users' spectral efficiencies, ``SE_k = tau_u/tau_c log2(1 + SINR_k)`` (5.4).

    Args:
        block: The coherence block; combiners that follow the powers are those for ``power``.
        power: Power ratios, ``(..., N, K)``.

    Returns:
        bit/s/Hz of the whole bandwidth, ``(..., K)``; averaged over blocks it is the ergodic one.
    """
    return rate(block, power) / (block.subcarrier_bandwidth_hz * block.num_subcarriers)
