"""Curves of queues by age: twins of ``left_over`` in ``performance.service`` and ``aged`` in ``block.backlog``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled_in_order

Floats = NDArray[np.float64]


@compiled_in_order
def left_over(
    queue: Floats, server: Floats, local_bits: Floats, sent_bits: Floats, served_bits: Floats, least_bits: float
) -> tuple[Floats, Floats, Floats]:
    """Return what users and servers have left, ``(rows, K, H)``, and the age of the oldest bit, ``(rows, K)``.

    Args:
        queue: Curves of the users' queues, ``(rows, K, H)``.
        server: Curves of what is at the servers, ``(rows, K, H)``.
        local_bits: Computed by the users, ``(rows, K)``.
        sent_bits: Sent to the servers, ``(rows, K)``.
        served_bits: Computed by the servers, ``(rows, K)``.
        least_bits: Fewer are a rounding error.
    """
    rows, users, history = queue.shape
    queue_left, server_left = np.empty(queue.shape), np.empty(queue.shape)
    blocks = np.empty((rows, users))
    for row in range(rows):
        for k in range(users):
            local, sent, served = local_bits[row, k], sent_bits[row, k], served_bits[row, k]
            at_user, at_server = 0, 0
            for age in range(history):
                after_local = max(queue[row, k, age] - local, 0.0)
                goes = min(after_local, sent)
                stays = max(server[row, k, age] - served, 0.0) + goes
                queue_left[row, k, age], server_left[row, k, age] = after_local - goes, stays
                at_user += after_local - goes > least_bits
                at_server += stays > least_bits
            blocks[row, k] = max(at_user, at_server)
    return queue_left, server_left, blocks


@compiled_in_order
def aged(curve: Floats, new_bits: Floats) -> Floats:
    """Return curves one block later, ``(rows, K, H)``, with new bits; the oldest two entries become one."""
    rows, users, history = curve.shape
    out = np.empty(curve.shape)
    for row in range(rows):
        for k in range(users):
            for age in range(history - 1):
                out[row, k, age] = curve[row, k, age + 1]
            out[row, k, history - 1] = curve[row, k, history - 1] + new_bits[row, k]
    return out
