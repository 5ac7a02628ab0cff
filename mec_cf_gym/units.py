"""Decibels to linear units, for numbers and arrays."""

from __future__ import annotations

from mec_cf_gym.arrays import Array


def db_to_linear(ratio_db: Array) -> Array:
    """Return a power ratio given in dB."""
    return 10 ** (ratio_db / 10)


def dbm_to_w(power_dbm: Array) -> Array:
    """Return a power given in dBm, in watts."""
    return 1e-3 * db_to_linear(power_dbm)
