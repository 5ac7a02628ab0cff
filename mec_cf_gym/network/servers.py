"""Shared servers: APs and a cloud whose computing users divide among them (paper B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.arrays import Array, promote

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Part of a needed speed that counts as zero, so that the cloud is not asked for rounding errors."""
ENOUGH = 1 - 1e-9
"""Part of the needed speeds from which on they count as met; the rest is rounding."""


@dataclass(frozen=True)
class Shares:
    """Computing speeds that users are given; an AP computes for the users it serves."""

    AXES: ClassVar[Mapping[str, int]] = {"ap_hz": 2}

    ap_hz: Floats  # (..., L, K)
    cloud_hz: Floats  # (..., K)

    @property
    def total_hz(self) -> Floats:
        """Every user's speed, ``f_k``, ``(..., K)``."""
        total_hz: Floats = self.ap_hz.sum(-2) + self.cloud_hz
        return total_hz


@dataclass(frozen=True)
class Servers:
    """The servers of a network, or of a batch of them, and who may use them."""

    AXES: ClassVar[Mapping[str, int]] = {"cloud_hz": 0, "serves": 2}

    ap_hz: Floats  # (..., L), budgets f_l
    cloud_hz: Floats  # (...), budget f_cloud; zero where there is none
    serves: NDArray[np.bool_]  # (..., L, K), the clusters

    @property
    def open_hz(self) -> Floats:
        """The most that each server could give each user, ``(..., L, K)``."""
        return np.asarray(self.ap_hz[..., None] * self.serves)

    @property
    def most_hz(self) -> Floats:
        """The most that each user could get if it were alone, ``(..., K)``."""
        return np.asarray(self.open_hz.sum(-2) + self.cloud_hz[..., None])

    def equal_shares(self) -> Shares:
        """Return every server's budget divided equally among the users it serves."""
        return self.divided(np.ones(self.serves.shape), np.ones(self.serves.shape[:-2] + self.serves.shape[-1:]))

    def divided(self, ap_weight: Array, cloud_weight: Array) -> Shares:
        """Return every server's whole budget divided in proportion to weights.

        Args:
            ap_weight: ``(..., L, K)``, non-negative; only the users that an AP serves count.
            cloud_weight: ``(..., K)``, non-negative. Weights and servers may be torch tensors.
        """
        xp, (weight, cloud_weight) = promote(ap_weight * self.serves, cloud_weight)
        total, cloud_total = weight.sum(-1, keepdims=True), cloud_weight.sum(-1, keepdims=True)
        return Shares(
            weight / xp.where(total > 0, total, 1.0) * self.ap_hz[..., None],
            cloud_weight / xp.where(cloud_total > 0, cloud_total, 1.0) * self.cloud_hz[..., None],
        )

    def least_shares(self, needed_hz: Floats) -> tuple[Shares, Floats]:
        """Return the least shares that give every user the speed it needs, or else the same part of it to each.

        APs give first, in proportion to needs, and the cloud gives the rest; where that does not do, a linear
        program finds the largest part of all needs that the budgets allow.

        Args:
            needed_hz: Speeds in Hz, ``(..., K)``, finite.

        Returns:
            The shares, and the part of the needs they meet, ``(...)``: one, or less where budgets are too small.
        """
        shares = self._aps_first(needed_hz)
        part = np.ones(shares.total_hz.shape[:-1])
        short = shares.cloud_hz.sum(-1) > self.cloud_hz
        for row in map(tuple, np.argwhere(short)):
            ap_hz, cloud_hz, part[row] = self._largest_part(
                np.broadcast_to(needed_hz, shares.cloud_hz.shape)[row],
                np.broadcast_to(self.open_hz, shares.ap_hz.shape)[row],
                np.broadcast_to(self.ap_hz, shares.ap_hz.shape[:-1])[row],
                float(np.broadcast_to(self.cloud_hz, short.shape)[row]),
            )
            shares.ap_hz[row], shares.cloud_hz[row] = ap_hz, cloud_hz
        return shares, part

    def _aps_first(self, needed_hz: Floats) -> Shares:
        """Return shares that meet the needs, ``(..., K)``, and keep all budgets but perhaps the cloud's."""
        offered = self.divided(needed_hz[..., None, :], needed_hz).ap_hz
        offered_hz = offered.sum(-2)
        taken = np.minimum(1.0, needed_hz / np.where(offered_hz > 0, offered_hz, 1.0))
        ap_hz = offered * taken[..., None, :]
        rest_hz = needed_hz - ap_hz.sum(-2)
        return Shares(ap_hz, np.where(rest_hz > ROUNDING * needed_hz, rest_hz, 0.0))

    @staticmethod
    def _largest_part(
        needed_hz: Floats, open_hz: Floats, ap_hz: Floats, cloud_hz: float
    ) -> tuple[Floats, Floats, float]:
        """Return shares of one network that meet the largest part of all needs, and that part.

        Args:
            needed_hz: ``(K,)``.
            open_hz: The most that each server could give each user, ``(L, K)``.
            ap_hz: Budgets, ``(L,)``.
            cloud_hz: Budget of the cloud.

        Returns:
            Shares of the servers, ``(L, K)``, and of the cloud, ``(K,)``, in Hz; the part, at most one.
        """
        from scipy.optimize import linprog  # takes long to import
        from scipy.sparse import coo_array

        aps, users = np.nonzero(open_hz)
        pairs, num_users = len(aps), len(needed_hz)
        unit = needed_hz.max()
        columns = np.arange(pairs + num_users)  # a share for each pair, then one of the cloud for each user
        gives = coo_array(
            (np.ones(len(columns)), (np.append(users, np.arange(num_users)), columns)),
            shape=(num_users, len(columns) + 1),
        ).tolil()
        gives[:, -1] = -needed_hz[:, None] / unit
        takes = coo_array(
            (np.ones(len(columns)), (np.append(aps, np.full(num_users, len(ap_hz))), columns)),
            shape=(len(ap_hz) + 1, len(columns) + 1),
        )
        found = linprog(
            np.append(np.zeros(len(columns)), -1.0),
            A_ub=takes,
            b_ub=np.append(ap_hz, cloud_hz) / unit,
            A_eq=gives.tocsr(),
            b_eq=np.zeros(num_users),
            bounds=[(0, None)] * len(columns) + [(0, 1)],
        )
        shares = np.zeros_like(open_hz)
        shares[aps, users] = found.x[:pairs] * unit
        part = float(found.x[-1])
        return shares, found.x[pairs:-1] * unit, 1.0 if part > ENOUGH else part
