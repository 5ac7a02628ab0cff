"""The centre of the computing that meets the deadlines: where the central path ends.

Computing is not in paper B's objective, so an interior-point method without crossover ends in the analytic
centre of what deadlines and budgets allow at its spectral efficiencies: the maximum of the sum of logarithms of

    f_lk and f_k,cloud,   the budgets' slacks,   u_k f_k - 1,   v_k - 1,   1 - a_k v_k - c_k u_k

over f, u and v, with ``a_k = link time / (L_k SE_k)`` and ``c_k = cycles / L_k``. For a given ``f_k`` the best u
and v make the last three terms ``3 log(1 - a_k - c_k / f_k) + log f_k`` up to a constant. What is left is concave
and self-concordant in f alone, and Newton's method needs one K x K solve a step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.network.servers import Servers, Shares

ROOM = 2.0
"""Multiple of the needed speeds from which to start, if the budgets have it."""
LEAST_ROOM = 1e-6
"""Relative room beyond the needed speeds below which deadlines and budgets leave no inside."""
CONVERGED = 1e-8
"""Newton decrement at which to stop: about the largest relative error of a share."""
MOST_STEPS = 1000


class NoInsideError(ValueError):
    """Deadlines and budgets leave no inside, so that there is no centre."""


def central_shares(
    servers: Servers, efficiency: Floats, link_s: Floats, cycles: Floats, deadline_s: Floats
) -> Shares:
    """Return the computing in the analytic centre of what meets all deadlines within the budgets.

    All arrays have leading batch axes, which broadcast.

    Args:
        servers: Budgets in Hz and clusters, ``(..., L)``, ``(...)`` and ``(..., L, K)``.
        efficiency: Spectral efficiencies in bit/s/Hz, ``(..., K)``.
        link_s: Time on uplink and fronthaul at 1 bit/s/Hz, in seconds, ``(..., K)``.
        cycles: Cycles of the tasks, ``(..., K)``.
        deadline_s: Deadlines in seconds, ``(..., K)``.

    Returns:
        The shares in Hz, positive wherever a server has a budget for a user.

    Raises:
        NoInsideError: A ``ValueError``: a link takes all of a user's deadline, or the servers have no more than
            the least computing takes.

    Examples:
        >>> servers = Servers(np.array([2e9]), np.asarray(6e9), np.array([[True, False]]))
        >>> link_s, cycles, deadline_s = np.full((3, 2), [[0.1], [4e8], [0.4]])
        >>> shares = central_shares(servers, np.full(2, 5.0), link_s, cycles, deadline_s)
        >>> print((1e-9 * shares.total_hz).round(2))
        [3.4  3.06]
    """
    with np.errstate(divide="ignore"):
        left = 1 - link_s / (deadline_s * efficiency)  # 1 - a, (..., K)
    late = np.flatnonzero(~(left > 0).all(tuple(range(left.ndim - 1)))).tolist()
    if late:
        raise NoInsideError(f"the deadlines of users {late} pass before their tasks have arrived: no centre")
    budget_hz = np.concatenate([servers.ap_hz, np.asarray(servers.cloud_hz)[..., None]], -1)  # (..., L + 1)
    cloud = np.ones_like(servers.serves[..., :1, :])
    is_open = np.concatenate([servers.serves, cloud], -2) & (budget_hz > 0)[..., None]
    unit_hz = budget_hz.max(-1, keepdims=True)  # numbers near one
    start = _inside(servers, np.asarray(cycles / deadline_s / left)) / unit_hz[..., None]
    budget = np.where(budget_hz > 0, budget_hz, unit_hz) / unit_hz  # of servers that are not there: any
    domain = Domain(is_open, budget, left, cycles / deadline_s / unit_hz)
    found = unit_hz[..., None] * _centre(domain, start)
    return Shares(found[..., :-1, :], found[..., -1, :])


class Domain(NamedTuple):
    """Budgets and deadlines in units of the largest budget; the cloud is the last server."""

    is_open: NDArray[np.bool_]  # (..., L + 1, K), who may compute for whom
    budget: Floats  # (..., L + 1)
    left: Floats  # (..., K), 1 - a: part of the deadline that the link leaves
    cycles: Floats  # (..., K), c: speed that takes the whole deadline


def _inside(servers: Servers, needed_hz: Floats) -> Floats:
    """Return shares strictly inside all limits, ``(..., L + 1, K)``, in Hz.

    The largest multiple of the needs that fits, up to ROOM, is mixed with half of equal shares.
    """
    most, part = servers.least_shares(ROOM * needed_hz)
    room = np.asarray(ROOM * part)  # (...)
    if not (room > 1 + LEAST_ROOM).all():
        raise NoInsideError(
            f"the servers have {np.min(room):.7g} times the least computing: no centre unless more"
        )
    equal, mixed = servers.equal_shares(), (0.5 * (room - 1) / room)[..., None, None]
    least, even = (np.concatenate([shares.ap_hz, shares.cloud_hz[..., None, :]], -2) for shares in (most, equal))
    return np.asarray((1 - mixed) * least + mixed / 2 * even)


def _centre(domain: Domain, shares: Floats) -> Floats:
    """Return the centre from shares inside, ``(..., L + 1, K)`` both: Newton's method, damped far from it."""
    for _ in range(MOST_STEPS):
        step, decrement = newton_step(domain, shares)
        damping = np.where(decrement < 0.25, 1.0, 1 / (1 + decrement))  # stays inside, rises: self-concordance
        shares = shares + damping[..., None, None] * step
        if (decrement <= CONVERGED).all():
            break
    return shares


def gradient(domain: Domain, shares: Floats) -> Floats:
    """Return the derivatives of the sum of logarithms, ``(..., L + 1, K)``; zero where nobody may compute."""
    slack, speed = domain.budget - shares.sum(-1), shares.sum(-2)
    by_speed = 3 * domain.left / (domain.left * speed - domain.cycles) - 2 / speed  # (..., K)
    inverse = 1 / np.where(domain.is_open, shares, 1.0)
    return np.where(domain.is_open, inverse - (1 / slack)[..., None] + by_speed[..., None, :], 0.0)


def newton_step(domain: Domain, shares: Floats) -> tuple[Floats, Floats]:
    """Return Newton's step, ``(..., L + 1, K)``, and its decrement, ``(...)``.

    The Hessian is diagonal but for one term a server and one a user; the servers' are eliminated.
    """
    slack, speed = domain.budget - shares.sum(-1), shares.sum(-2)
    uphill = gradient(domain, shares)
    square = np.where(domain.is_open, shares**2, 0.0)  # inverse of the diagonal
    by_user = 3 * (domain.left / (domain.left * speed - domain.cycles)) ** 2 - 2 / speed**2  # (..., K), positive
    by_server = 1 / (slack**2 + square.sum(-1))  # (..., L + 1)
    user_system = -np.swapaxes(square, -1, -2) @ (by_server[..., None] * square)
    diagonal = np.arange(speed.shape[-1])
    user_system[..., diagonal, diagonal] += square.sum(-2) + 1 / by_user
    ahead = square * uphill
    ahead = ahead - square * (by_server * ahead.sum(-1))[..., None]
    pulled = np.linalg.solve(user_system, ahead.sum(-2)[..., None])[..., 0]  # (..., K)
    back = square * pulled[..., None, :]
    step = ahead - back + square * (by_server * back.sum(-1))[..., None]
    return step, np.sqrt(np.maximum((uphill * step).sum((-1, -2)), 0.0))
