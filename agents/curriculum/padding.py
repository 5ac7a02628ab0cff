"""Padding: scenarios of different sizes behind spaces of one size, with a mask of the links that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.agents.translation import Translation
from mec_cf_gym.envs.action import check_axes
from mec_cf_gym.envs.observation import NOTHING, Observation
from mec_cf_gym.errors import refuse

AXES = {
    "signal": "NK",
    "interference": "NKK",
    "task": "KF",
    "queue": "KF",
    "csi": "NMK",
    "channel": "NMKC",
    "elapsed": "T",
}
"""What the axes of an observation stand for: those of subcarriers (N) and users (K) are padded."""
NO_CHANNEL = 0.0
"""Real and imaginary part of a channel that is not there."""


class Padding:
    """Puts the observations of an environment with few users and subcarriers into the spaces of a larger one.

    Users and subcarriers that are there come first. Entries of absent ones hold -1, the value for no gain and no
    task (0 in complex channels), and ``mask``, ``(..., N, K)``, is one for links that exist and zero for others.
    Actions are rows of an entry a user, of which the first N are powers; entries of absent users and subcarriers
    are dropped.

    Args:
        observation_space: Of the environment.
        action_space: Of the environment.
        num_subcarriers: N of the padded spaces.
        num_users: K of the padded spaces.

    Raises:
        ValueError: If an observation is not one of this package's, or the environment is larger.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=2, num_subcarriers=1)
        >>> padding = Padding(env.observation_space, env.action_space, num_subcarriers=1, num_users=3)
        >>> observation, info = env.reset(seed=0)
        >>> padding.observation(observation)["mask"]
        array([[1., 1., 0.]], dtype=float32)
        >>> padding.action(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))  # powers, then offload ratios
        array([0.1, 0.2, 0.4, 0.5])
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        num_subcarriers: int,
        num_users: int,
    ) -> None:
        few_subcarriers, few_users = check_rows(observation_space, action_space)
        seen: Any = observation_space
        self.boxes: dict[str, Any] = dict(seen.items())
        self.acted: spaces.Box = action_space  # type: ignore[assignment]  # checked
        for name, box in self.boxes.items():
            if name not in AXES or not isinstance(box, spaces.Box) or len(box.shape) != len(AXES[name]):
                raise refuse(f"observation_space[{name!r}]", box, f"padding knows {', '.join(AXES)}")
        if few_subcarriers > num_subcarriers or few_users > num_users:
            given = (num_subcarriers, num_users)
            raise refuse(
                "padded size", given, f"it must hold the environment's own, {(few_subcarriers, few_users)}"
            )
        sizes = {"N": num_subcarriers, "K": num_users}
        self.shapes = {
            name: tuple(sizes.get(axis, own) for axis, own in zip(AXES[name], box.shape, strict=True))
            for name, box in self.boxes.items()
        }
        other_rows = self.acted.shape[0] // few_users - few_subcarriers
        self.rows = [*range(few_subcarriers), *range(num_subcarriers, num_subcarriers + other_rows)]
        self.action_shape = (num_subcarriers + other_rows, num_users)
        self.mask = np.zeros((num_subcarriers, num_users), np.float32)
        self.mask[:few_subcarriers, :few_users] = 1
        self.few_users = few_users

    def spaces(self) -> tuple[spaces.Dict, spaces.Box]:
        """Return the padded spaces of observations, with ``mask``, and of actions."""
        padded: dict[str, spaces.Space[Any]] = {
            name: _larger(box, self.shapes[name]) for name, box in self.boxes.items()
        }
        padded["mask"] = spaces.Box(0.0, 1.0, self.mask.shape)
        rows = np.searchsorted(self.rows, np.arange(self.action_shape[0]), side="right") - 1
        users = np.minimum(np.arange(self.action_shape[1]), self.few_users - 1)
        low, high = (
            bound.reshape(-1, self.few_users)[rows][:, users].ravel()
            for bound in (self.acted.low, self.acted.high)
        )
        return spaces.Dict(padded), spaces.Box(low, high)

    @property
    def translation(self) -> Translation:
        """What the padding changes between an environment and a model."""
        return Translation(self.observation, lambda action, *_: self.action(np.asarray(action)))

    def observation(self, seen: Mapping[str, NDArray[Any]]) -> Observation:
        """Return a padded observation with its mask; leading axes are kept."""
        lead = seen["signal"].shape[:-2]
        padded = {}
        for name, values in seen.items():
            nothing = NO_CHANNEL if name == "channel" else NOTHING
            padded[name] = np.full((*lead, *self.shapes[name]), nothing, np.float32)
            there: tuple[Any, ...] = (..., *(slice(size) for size in values.shape[len(lead) :]))
            padded[name][there] = values
        return padded | {"mask": np.broadcast_to(self.mask, (*lead, *self.mask.shape)).copy()}

    def action(self, action: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's action for a padded one, ``(..., entries)`` both.

        Raises:
            ValueError: For another shape.
        """
        check_axes("action", action.shape, (int(np.prod(self.action_shape)),))
        lead = action.shape[:-1]
        return action.reshape(*lead, *self.action_shape)[..., self.rows, : self.few_users].reshape(*lead, -1)


class NoPadding(Padding):
    """Padding for scenarios of one size: nothing changes, and there is no mask."""

    def spaces(self) -> tuple[spaces.Dict, spaces.Box]:
        """Return the environment's own spaces."""
        return spaces.Dict(dict(self.boxes)), self.acted

    def observation(self, seen: Mapping[str, NDArray[Any]]) -> Observation:
        """Return the observation."""
        return dict(seen)


def paddings(each: Sequence[Sequence[spaces.Space[Any]]]) -> list[Padding]:
    """Return paddings from the spaces of some environments to the smallest common ones.

    Args:
        each: Observation space and action space of every environment.

    Raises:
        ValueError: If they differ in more than the numbers of users and subcarriers.
    """
    sizes = [size_of(observation_space) for observation_space, _ in each]
    kind = Padding if len(set(sizes)) > 1 else NoPadding
    most = np.max(sizes, axis=0).tolist()
    made = [kind(seen, acted, *most) for seen, acted in each]
    for index, padding in enumerate(made):
        for what, space, first in zip(
            ("observations", "actions"), padding.spaces(), made[0].spaces(), strict=True
        ):
            if space != first:
                allowed = f"stages may differ in numbers of users and subcarriers only: stages[0] has {first}"
                raise refuse(f"{what} of stages[{index}]", space, allowed)
    return made


def size_of(observation_space: spaces.Space[Any]) -> tuple[int, int]:
    """Return N and K of the observations of this package.

    Raises:
        ValueError: For other observations.
    """
    signal = observation_space["signal"] if isinstance(observation_space, spaces.Dict) else None
    if signal is None or signal.shape is None or len(signal.shape) != 2:
        raise refuse("observation_space", observation_space, "it must be a Dict with signal, (N, K)")
    return signal.shape[0], signal.shape[1]


def check_rows(seen: spaces.Space[Any], acted: spaces.Space[Any]) -> tuple[int, int]:
    """Return N and K after checking that actions are rows of K entries, at least N.

    Raises:
        ValueError: For other spaces.
    """
    subcarriers, users = size_of(seen)
    if not isinstance(acted, spaces.Box) or len(acted.shape) != 1:
        raise refuse("action_space", acted, "it must be a Box with one axis")
    if acted.shape[0] % users or acted.shape[0] < subcarriers * users:
        raise refuse("action_space", acted, f"it must have N = {subcarriers} or more rows of K = {users} entries")
    return subcarriers, users


def _larger(box: spaces.Box, shape: tuple[int, ...]) -> spaces.Box:
    """Return a box of another shape, whose new entries have the bounds of the last ones."""
    widths = [(0, new - own) for own, new in zip(box.shape, shape, strict=True)]
    low, high = (np.pad(bound, widths, mode="edge") for bound in (box.low, box.high))
    return spaces.Box(low, high)
