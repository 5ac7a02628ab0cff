"""Pilots and clusters: which users share a pilot, and which access points serve a user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def master_aps(gain: Floats) -> Indices:
    """Return each user's master AP, ``(..., K)``: the one of the largest gain, ``(..., L, K)``.

    A master always serves its user, so it is also the AP of the user in a network of small cells.
    """
    return np.asarray(np.argmax(gain, axis=-2))


def favoured(gain: Floats, present: NDArray[np.bool_], hysteresis: float) -> Floats:
    """Return gains by which what is present is kept until something else is better by ``hysteresis``, a ratio.

    Args:
        gain: Large-scale gains, ``(..., L, K)``, linear.
        present: Whether an AP is a user's master, or serves it, ``(..., L, K)``.
        hysteresis: At least one.
    """
    return np.asarray(np.where(present, hysteresis * gain, gain))


def assign_pilots(
    gain: Floats,
    num_pilots: int,
    master: Indices | None = None,
    present: Indices | None = None,
    hysteresis: float = 1.0,
) -> Indices:
    """Return each user's pilot by the book's algorithm 4.1, ``(..., K)``.

    Users come in order: the first ``num_pilots`` get one each; each later one gets the pilot on which its master
    AP receives the least power from the users before it, the lowest number among equals.

    Args:
        gain: Large-scale gains, ``(..., L, K)``, linear.
        num_pilots: Orthogonal pilots.
        master: Masters, ``(..., K)``; None: those of the largest gain.
        present: Pilots that users have, ``(..., K)``; None: none yet.
        hysteresis: How many times less a user's master must receive on another pilot for the user to change.
    """
    num_users = gain.shape[-1]
    master = master_aps(gain) if master is None else master
    at_master = np.take_along_axis(gain, master[..., None], axis=-2)  # (..., K, K), row k: k's master
    pilot = np.broadcast_to(np.arange(num_users), (*gain.shape[:-2], num_users)).copy()
    on_pilot = pilot[..., None] == np.arange(num_pilots)  # (..., K, T)
    for user in range(num_pilots, num_users):
        received = at_master[..., user, :user, None] * on_pilot[..., :user, :]
        on_each = received.sum(-2)
        if present is not None:
            on_each = np.where(present[..., user, None] == np.arange(num_pilots), on_each / hysteresis, on_each)
        pilot[..., user] = on_each.argmin(-1)
        on_pilot[..., user, :] = pilot[..., user, None] == np.arange(num_pilots)
    return pilot


def form_clusters(
    gain: Floats, pilot: Indices, num_pilots: int, master: Indices | None = None
) -> NDArray[np.bool_]:
    """Return which AP serves which user by the book's algorithm 4.1, ``(..., L, K)``.

    Every AP serves, of the users on each pilot, the one with the largest gain, and every user whose master it is.

    Args:
        gain: Large-scale gains, ``(..., L, K)``, linear.
        pilot: Pilots, ``(..., K)``.
        num_pilots: Orthogonal pilots.
        master: Masters, ``(..., K)``; None: those of the largest gain.
    """
    num_aps, num_users = gain.shape[-2:]
    master = master_aps(gain) if master is None else master
    users = np.arange(num_users)
    serves: NDArray[np.bool_] = np.arange(num_aps)[:, None] == master[..., None, :]
    for number in range(num_pilots):
        on_pilot = (pilot == number)[..., None, :]
        strongest = np.where(on_pilot, gain, -np.inf).argmax(-1)
        serves |= (users == strongest[..., None]) & on_pilot
    return serves
