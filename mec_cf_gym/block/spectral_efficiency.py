"""Spectral efficiency (SE) of given gains and powers; equation numbers are those of the book (see clustered)."""

from __future__ import annotations

import math

from mec_cf_gym.arrays import Array, promote


def instantaneous_spectral_efficiency(
    signal_gain: Array, interference_gain: Array, power: Array, prelog: float
) -> Array:
    """Return the users' SEs in one coherence block, ``prelog log2(1 + p_k S_k / (1 + sum_j I_kj p_j))`` (5.4).

    Args:
        signal_gain: ``(..., K)``, at full power over the noise.
        interference_gain: ``(..., K, K)``, of user j on user k.
        power: Power ratios, ``(..., K)``.
        prelog: Share of the coherence block that carries data, ``tau_u / tau_c``.

    Returns:
        SEs in bit/s/Hz, ``(..., K)``.
    """
    xp, (signal_gain, interference_gain, power) = promote(signal_gain, interference_gain, power)
    interference = xp.matmul(interference_gain, power[..., None])[..., 0]
    return prelog / math.log(2) * xp.log1p(power * signal_gain / (1 + interference))


def ergodic_spectral_efficiency(
    signal_gain: Array, interference_gain: Array, power: Array, prelog: float
) -> Array:
    """Return the users' mean SEs over realisations of the channel, which are the first axis of the gains.

    Arguments are those of ``instantaneous_spectral_efficiency``, with gains ``(realisations, ..., K)`` and
    ``(realisations, ..., K, K)``.

    Returns:
        SEs in bit/s/Hz, ``(..., K)``.
    """
    instantaneous = instantaneous_spectral_efficiency(signal_gain, interference_gain, power, prelog)
    return instantaneous.sum(0) / instantaneous.shape[0]
