"""The action contract: power ratios, then offload ratios, in one box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.fields import refuse

if TYPE_CHECKING:
    from mec_cf_gym.scenario import Scenario

ROUNDING = 1e-6
"""How far outside [0, 1] an entry may be and still count as a rounding error."""


class ActionCodec:
    """Translates between actions in ``Box(0, 1)`` and allocations.

    An action holds the power ratios ``p[n, k]``, row by row, then the offload ratios ``rho[k]``. A user whose
    powers sum to more than its budget is scaled back onto it. Without local computing the offload ratios are
    ignored: every user offloads everything.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.num_subcarriers = scenario.radio.num_subcarriers
        self.num_users = scenario.layout.num_users
        self.num_powers = self.num_subcarriers * self.num_users
        self.local_computing = scenario.computing.local_computing

    def space(self) -> spaces.Box:
        """Return the space of one row's action."""
        return spaces.Box(0.0, 1.0, (self.num_powers + self.num_users,))

    def decode(self, action: ArrayLike, batch_shape: tuple[int, ...] | None = None) -> Allocation:
        """Return the allocation an action stands for.

        Args:
            action: ``(..., N K + K)``, in [0, 1].
            batch_shape: What the leading axes must be; anything if not given.

        Raises:
            ValueError: If the action has the wrong shape, or entries that are not finite or outside [0, 1].
        """
        values = checked("action", action, (self.num_powers + self.num_users,), batch_shape)
        power = values[..., : self.num_powers].reshape(*values.shape[:-1], self.num_subcarriers, self.num_users)
        total = power.sum(-2, keepdims=True)
        offload = values[..., self.num_powers :] if self.local_computing else np.ones_like(total[..., 0, :])
        return Allocation(power=power / np.maximum(total, 1.0), offload=offload)

    def encode(self, power: ArrayLike, offload: ArrayLike) -> NDArray[np.float32]:
        """Return the action for an allocation; ``decode`` gives it back, to single precision.

        Args:
            power: Power ratios, ``(..., N, K)``.
            offload: Offload ratios, ``(..., K)``.

        Raises:
            ValueError: If either has the wrong shape, or entries that are not finite or outside [0, 1].
        """
        powers = checked("power", power, (self.num_subcarriers, self.num_users))
        ratios = checked("offload", offload, (self.num_users,))
        flat = powers.reshape(*powers.shape[:-2], self.num_powers)
        return np.concatenate((flat, ratios), axis=-1).astype(np.float32)


def checked(
    name: str, values: ArrayLike, shape: tuple[int, ...], batch_shape: tuple[int, ...] | None = None
) -> NDArray[np.float64]:
    """Return ``values`` as float64 within [0, 1], after checking their last axes, finiteness and range."""
    try:
        given: NDArray[Any] = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):  # ragged lists; tensors that require gradients
        raise refuse(name, values, "it must be an array of numbers") from None
    if given.dtype.kind not in "biuf":
        raise refuse(name, values, "it must be an array of real numbers")
    leading = given.shape[: max(0, given.ndim - len(shape))]
    if given.shape != (*leading, *shape) or batch_shape not in (None, leading):
        wanted = shape if batch_shape is None else (*batch_shape, *shape)
        what = "its last axes must be" if batch_shape is None else "it must be"
        raise ValueError(f"{name} has shape {given.shape}; {what} {wanted}")
    array = given.astype(np.float64)
    bad = ~((array >= -ROUNDING) & (array <= 1 + ROUNDING))  # catches NaN as well
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise refuse(f"{name}{list(where)}", float(array[where]), "it must be a finite number in [0, 1]")
    return np.asarray(np.clip(array, 0.0, 1.0))
