"""The action contract: power ratios, then offload ratios, then shares of servers, in one box."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.errors import refuse
from mec_cf_gym.network.servers import Servers, Shares
from mec_cf_gym.scenario import Scenario

ROUNDING = 1e-6
"""How far outside [0, 1] an entry may be and still count as a rounding error."""
Floats = NDArray[np.float64]


class ActionCodec:
    """Translates between actions in ``Box(0, 1)`` and allocations.

    An action holds the power ratios ``p[n, k]``, row by row, then the offload ratios ``rho[k]``. A user whose
    powers sum to more than its budget is scaled back onto it. Without local computing the offload ratios are
    ignored: every user offloads everything.

    In dynamic worlds the shares of the users' CPUs that run stand in the place of the offload ratios.

    Where servers are shared, ratios are left out without local computing, and shares follow, unless the
    scenario gives users the least computing: of every AP's (or base station's) server for every user, row by row,
    and of the cloud's. Shares for users that an AP does not serve are ignored; a server whose shares sum to more
    than one is scaled back onto its budget.
    """

    def __init__(self, scenario: Scenario) -> None:
        computing, users = scenario.computing, scenario.layout.num_users
        self.shared = computing.server == "shared"
        self.chooses_shares = self.shared and computing.computing_control == "shares"
        self.local_computing = computing.local_computing
        self.ratio = "cpu_share" if scenario.is_dynamic else "offload"
        self.shapes: dict[str, tuple[int, ...]] = {"power": (scenario.radio.num_subcarriers, users)}
        if self.local_computing or not self.shared:
            self.shapes[self.ratio] = (users,)
        if self.chooses_shares:
            self.shapes["ap_share"] = (scenario.num_sites, users)
            self.shapes |= {"cloud_share": (users,)} if scenario.deployment.has_cloud else {}
        self.sizes = {name: int(np.prod(shape)) for name, shape in self.shapes.items()}
        self.num_entries = sum(self.sizes.values())
        ends = itertools.accumulate(self.sizes.values())
        self.places = {
            name: slice(end - self.sizes[name], end) for name, end in zip(self.sizes, ends, strict=True)
        }

    def space(self) -> spaces.Box:
        """Return the space of one row's action."""
        return spaces.Box(0.0, 1.0, (self.num_entries,))

    def decode(
        self, action: ArrayLike, servers: Servers | None = None, batch_shape: tuple[int, ...] | None = None
    ) -> Allocation:
        """Return the allocation that an action stands for.

        Args:
            action: ``(..., entries)``, as in :meth:`space`, in [0, 1].
            servers: The current servers, if they are shared.
            batch_shape: What the leading axes must be; anything if not given.

        Raises:
            ValueError: If the action has the wrong shape, or entries that are not finite or outside [0, 1].
        """
        return self.allocation(self.checked(action, batch_shape), servers)

    def checked(self, action: ArrayLike, batch_shape: tuple[int, ...] | None = None) -> Floats:
        """Return an action, ``(..., entries)``, in double precision, after the checks of :meth:`decode`."""
        return checked("action", action, (self.num_entries,), batch_shape)

    def allocation(self, values: Floats, servers: Servers | None = None) -> Allocation:
        """Return the allocation that checked entries ``(..., entries)`` stand for, as :meth:`decode`."""
        parts = {
            name: values[..., self.places[name]].reshape(*values.shape[:-1], *shape)
            for name, shape in self.shapes.items()
        }
        power = within_one(parts["power"], axis=-2)
        some = self.local_computing and "offload" in parts
        offload = parts["offload"] if some else np.ones_like(power[..., 0, :])
        cpu_share = parts.get("cpu_share")
        if servers is None or not self.chooses_shares:
            return Allocation(power, offload, cpu_share=cpu_share)
        cloud_share = parts.get("cloud_share", np.zeros_like(offload))
        shares = Shares(
            within_one(parts["ap_share"] * servers.serves) * servers.ap_hz[..., None],
            within_one(cloud_share) * servers.cloud_hz[..., None],
        )
        return Allocation(power, offload, computing=shares, cpu_share=cpu_share)

    def encode(self, allocation: Allocation, servers: Servers | None = None) -> NDArray[np.float32]:
        """Return the action for an allocation, ``(..., entries)``; ``decode`` gives it back, to single precision.

        Args:
            allocation: Power ratios, offload ratios (or shares of CPUs, in dynamic worlds), and computing where
                servers are shared; equal shares of them, and all of the CPUs, if it has none.
            servers: The current servers, if they are shared.

        Raises:
            ValueError: If a part has the wrong shape, or entries that are not finite or out of range.
        """
        users = self.shapes["power"][1:]
        parts = {
            "power": checked("power", allocation.power, self.shapes["power"]),
        }
        ratio = getattr(allocation, self.ratio)
        parts[self.ratio] = np.ones(users) if ratio is None else checked(self.ratio, ratio, users)
        if servers is not None and self.chooses_shares:
            shares = servers.equal_shares() if allocation.computing is None else allocation.computing
            if not isinstance(shares, Shares):
                raise refuse("computing", shares, "it must be Shares of the servers, or None for equal ones")
            asked = {"ap_share": (shares.ap_hz, servers.ap_hz), "cloud_share": (shares.cloud_hz, servers.cloud_hz)}
            for name, (hz, budget_hz) in asked.items():
                if name in self.shapes:
                    check_axes(name, np.shape(hz), self.shapes[name])
                    parts[name] = checked(name, np.asarray(hz) / budget_hz[..., None], self.shapes[name])
        lead = np.broadcast_shapes(*(parts[name].shape[: -len(shape)] for name, shape in self.shapes.items()))
        flat = [
            np.broadcast_to(parts[name], lead + shape).reshape(*lead, self.sizes[name])
            for name, shape in self.shapes.items()
        ]
        return np.concatenate(flat, axis=-1).astype(np.float32)


def within_one(shares: Floats, axis: int = -1) -> Floats:
    """Return shares, of any shape, whose sum over an axis is at most one."""
    total = shares.sum(axis, keepdims=True)
    return shares if total.max(initial=0.0) <= 1 else shares / np.maximum(total, 1.0)


def check_axes(
    name: str, given: tuple[int, ...], shape: tuple[int, ...], batch_shape: tuple[int, ...] | None = None
) -> None:
    """Refuse a shape whose last axes are not ``shape``, or whose leading axes are not ``batch_shape``."""
    leading = given[: max(0, len(given) - len(shape))]
    if given != (*leading, *shape) or batch_shape not in (None, leading):
        wanted = shape if batch_shape is None else (*batch_shape, *shape)
        what = "its last axes must be" if batch_shape is None else "it must be"
        raise ValueError(f"{name} has shape {given}; {what} {wanted}")


def checked(
    name: str, values: ArrayLike, shape: tuple[int, ...], batch_shape: tuple[int, ...] | None = None
) -> NDArray[np.float64]:
    """Return ``values``, ``(..., *shape)``, as float64 in [0, 1], after checking shape, finiteness and range."""
    try:
        given: NDArray[Any] = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):  # ragged lists; tensors that require gradients
        raise refuse(name, values, "it must be an array of numbers") from None
    if given.dtype.kind not in "biuf":
        raise refuse(name, values, "it must be an array of real numbers")
    check_axes(name, given.shape, shape, batch_shape)
    array = given.astype(np.float64)
    if array.size and array.min() >= 0 and array.max() <= 1:  # NaN compares false
        return array
    bad = ~((array >= -ROUNDING) & (array <= 1 + ROUNDING))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise refuse(f"{name}{list(where)}", float(array[where]), "it must be a finite number in [0, 1]")
    return np.asarray(np.clip(array, 0.0, 1.0))
