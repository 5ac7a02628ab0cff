"""Decibels to linear units, for numbers and arrays."""

from __future__ import annotations

from mec_cf_gym.arrays import Array


def db_to_linear(ratio_db: Array) -> Array:
    """Return power ratios given in dB, of any shape."""
    return 10 ** (ratio_db / 10)


def dbm_to_w(power_dbm: Array) -> Array:
    """Return powers given in dBm, of any shape, in watts."""
    return 1e-3 * db_to_linear(power_dbm)
