"""Seeds of networks, split once and for all: nothing is tested on what it was trained or tuned on."""

from __future__ import annotations

from mec_cf_gym.errors import refuse

SPLITS = {
    "train": range(0, 2**31),
    "validation": range(2**31, 3 * 2**30),
    "test": range(3 * 2**30, 7 * 2**29),
    "league": range(7 * 2**29, 2**32),
}
"""Disjoint ranges of environment seeds: for learning, for tuning, for the numbers that are reported, and for
those of the league table alone."""


def seeds(split: str, count: int) -> range:
    """Return the first ``count`` seeds of a split.

    Raises:
        ValueError: If there is no such split, or it has fewer seeds.
    """
    if split not in SPLITS:
        raise refuse("split", split, f"it must be one of {', '.join(map(repr, SPLITS))}")
    if not 1 <= count <= len(SPLITS[split]):
        raise refuse("count", count, f"the {split} split has from 1 to {len(SPLITS[split])} seeds")
    return SPLITS[split][:count]
