"""A process that is on or off, and changes with fixed probabilities from block to block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.random_streams import Streams

Flags = NDArray[np.bool_]


class TwoStates:
    """A two-state Markov chain for each user, begun in its stationary law.

    Args:
        on_s: Mean time for which it stays on; at least a block.
        share: Share of the time for which it is on.
        block_s: Length of a block.
    """

    def __init__(self, on_s: float, share: float, block_s: float) -> None:
        self.share = share
        self.ends = block_s / on_s if share < 1 else 0.0
        begins = self.ends * share / (1 - share) if share < 1 else 0.0
        if begins > 1:  # it cannot stay off for less than a block
            self.ends, begins = self.ends / begins, 1.0
        self.begins = begins

    def begin(self, streams: Streams, num_users: int) -> Flags:
        """Return whether it is on in the first block, ``(rows, K)``."""
        return streams.uniform(0.0, 1.0, (num_users,)) < self.share

    def advance(self, on: Flags, streams: Streams) -> Flags:
        """Return whether it is on one block later, ``(rows, K)``."""
        changes = streams.uniform(0.0, 1.0, on.shape[1:]) < np.where(on, self.ends, self.begins)
        return np.asarray(on ^ changes)
