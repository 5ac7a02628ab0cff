"""Training, validation and test parts of labelled samples, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.baselines.labels.store import Labels, LabelStore
from mec_cf_gym.batches import take_rows
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse

Protocol = Literal["random", "topologies"]
Rows = NDArray[np.int64]
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
"""Of the samples that are not for testing."""
FEWEST_SAMPLES = 10


@dataclass(frozen=True)
class Labelled:
    """Blocks with their labels."""

    block: CoherenceBlock  # whose channel has the magnitudes only
    labels: Labels
    seed: Rows  # (rows,), of the topology


@dataclass(frozen=True)
class Split:
    """Rows of a label store, each part sorted."""

    train: Rows
    validation: Rows
    test: Rows


def split_samples(seeds: Rows, protocol: Protocol, seed: int = 0, samples: int | None = None) -> Split:
    """Split labelled samples into training, validation and test.

    The test samples depend on the protocol alone, so that all that is trained on a data set is tested alike.

    Args:
        seeds: Seed of every sample's topology, ``(samples,)``.
        protocol: ``"random"`` splits samples, so that the parts share topologies, as paper A does;
            ``"topologies"`` splits topologies.
        seed: Of the choice among the samples that are not for testing.
        samples: How many of those to use, validation included; all if not given.

    Raises:
        ValueError: If there are too few samples, or topologies, for three parts.
    """
    groups = np.arange(len(seeds)) if protocol == "random" else seeds
    kinds = np.unique(groups)
    if len(kinds) < FEWEST_SAMPLES:
        what = "samples" if protocol == "random" else "topologies"
        raise refuse("data", f"{len(kinds)} {what}", f"the protocol {protocol!r} needs {FEWEST_SAMPLES} at least")
    test, rest = _divide(kinds, TEST_SHARE, np.random.default_rng(0))
    rng = np.random.default_rng(seed)
    validation, train = (np.flatnonzero(np.isin(groups, part)) for part in _divide(rest, VALIDATION_SHARE, rng))
    if samples is not None:
        most = len(train) + len(validation)
        if not FEWEST_SAMPLES <= samples <= most:
            raise refuse("samples", samples, f"it must be from {FEWEST_SAMPLES} to {most}")
        few = max(1, round(VALIDATION_SHARE * samples))
        validation = rng.permutation(validation)[:few]
        train = rng.permutation(train)[: samples - len(validation)]
    return Split(np.sort(train), np.sort(validation), np.flatnonzero(np.isin(groups, test)))


def read_labelled(store: LabelStore, rows: Rows) -> Iterator[Labelled]:
    """Yield the samples of sorted rows, those of one chunk of the store at a time."""
    for chunk in store.chunks():
        first, end = np.searchsorted(rows, (chunk.start, chunk.stop))
        if first < end:
            whole = Labelled(store.block(chunk), store.labels(chunk), store.read("seed", chunk))
            yield take_rows(whole, rows[first:end] - chunk.start)


def _divide(kinds: Rows, share: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return a random share of samples or topologies, ``(any,)``, one at least, and the others."""
    shuffled = rng.permutation(kinds)
    first = max(1, round(share * len(kinds)))
    return shuffled[:first], shuffled[first:]
