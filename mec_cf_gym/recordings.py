"""Recordings: tables of what happened block by block, played round and round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Table = tuple[tuple[float, ...], ...]
Clock = NDArray[np.int64]  # (rows,), number of the block in recordings
LONGEST_WAIT = 2**40
"""Recordings begin up to this many blocks late, whatever their lengths."""


class Recording:
    """A table whose rows are blocks, and whose columns are users, or one column for all of them.

    Args:
        table: ``(blocks, K)`` or ``(blocks, 1)``.
        num_users: K.
    """

    def __init__(self, table: Table, num_users: int) -> None:
        rows = np.array(table, np.float64)
        self.rows = np.broadcast_to(rows, (len(rows), num_users))

    def at(self, clock: Clock) -> NDArray[np.float64]:
        """Return what a block of each row has, ``(rows, K)``.

        Args:
            clock: Numbers of the blocks, ``(rows,)``; after the last the first follows.
        """
        return self.rows[clock % len(self.rows)]
