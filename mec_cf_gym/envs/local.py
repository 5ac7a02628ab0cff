"""Local observations: a user sees its own link and task, and the few links that matter most to it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import BOUND, Gains, Observation, log_scale
from mec_cf_gym.errors import checked_count, refuse

Floats = NDArray[np.float32]

MOST_USERS = 1024
NOTHING = log_scale(np.zeros(()))
"""What an observation shows in place of absent interferers: a gain of zero."""


class LocalObservation:
    """Turns an environment's observation into one for each user, of a size that no number of users changes.

    A user sees, on every subcarrier, its signal gain and the gain of its own estimation error; the strongest gains
    at which it hears others, in falling order, and the signal gains of those users; the strongest gains at which
    others hear it, and their signal gains; and its task. In dynamic worlds its queue and battery follow, and with
    ``observation="csi"`` or ``"channel"`` its channels. The scale is the environment's.

    Args:
        contract: Of the environment.
        num_interferers: How many others a user hears, and how many it knows that hear it.

    Raises:
        ValueError: For a bad number, or an observation that does not show the gains.
    """

    def __init__(self, contract: Contract, num_interferers: int) -> None:
        self.num_interferers = checked_count("num_interferers", num_interferers, 1, MOST_USERS)
        observation = contract.observation
        if not isinstance(observation, Gains):
            named = contract.scenario.episode.observation
            raise refuse("observation", named, "users need one that shows the gains")
        (subcarriers, users), (_, features) = observation.shapes["signal"], observation.shapes["task"]
        features += observation.shapes["queue"][1] if "queue" in observation.shapes else 0
        channels = sum(
            math.prod(shape) // users for name, shape in observation.shapes.items() if name in ("csi", "channel")
        )
        self.num_entries = subcarriers * (2 + 4 * self.num_interferers) + features + channels

    def space(self) -> spaces.Box:
        """Return the space of one user's observation."""
        return spaces.Box(-BOUND, BOUND, (self.num_entries,))

    def observe(self, observation: Observation) -> Floats:
        """Return what every user sees, ``(..., K, entries)``, of what the environment shows."""
        signal, interference = observation["signal"], observation["interference"]
        links = (
            signal,
            np.diagonal(interference, axis1=-2, axis2=-1),
            *self._strongest(interference, signal),
            *self._strongest(np.swapaxes(interference, -1, -2), signal),
        )
        batch_axes = signal.ndim - 2
        rows = [*(_per_user(gains, batch_axes) for gains in links), observation["task"]]
        rows += [observation["queue"]] if "queue" in observation else []
        if "csi" in observation:
            rows.append(_per_user(observation["csi"], batch_axes))
        if "channel" in observation:
            rows.append(_per_user(np.swapaxes(observation["channel"], -1, -2), batch_axes))
        return np.concatenate(rows, axis=-1)

    def _strongest(self, gains: Floats, signal: Floats) -> tuple[Floats, Floats]:
        """Return the strongest gains of each user with another, and the signal gains of those, ``(..., N, J, K)``.

        Args:
            gains: ``(..., N, K, K)``, of user k with user j.
            signal: ``(..., N, K)``.
        """
        users = signal.shape[-1]
        others = np.where(np.eye(users, dtype=np.bool_), -np.float32(np.inf), gains)  # the user itself comes last
        theirs = np.broadcast_to(signal[..., None, :], gains.shape)
        falling = np.lexsort((theirs, others), axis=-1)[..., ::-1]  # users of equal gains by their signal
        chosen = falling[..., : min(self.num_interferers, users - 1)]
        absent = [(0, 0)] * (gains.ndim - 1) + [(0, self.num_interferers - chosen.shape[-1])]

        def pick(values: Floats) -> Floats:
            picked = np.pad(np.take_along_axis(values, chosen, -1), absent, constant_values=NOTHING)
            return np.swapaxes(picked, -1, -2)

        return pick(others), pick(theirs)


def joint_action(actions: NDArray[Any]) -> NDArray[Any]:
    """Return the environment's action, ``(..., A K)``, for those of its users, ``(..., K, A)``.

    It has every entry of all users in turn: powers by subcarrier, offload ratios, shares by server.
    """
    return np.swapaxes(actions, -1, -2).reshape(*actions.shape[:-2], -1)


def _per_user(values: Floats, batch_axes: int) -> Floats:
    """Return ``(..., K, entries)`` for values whose last axis is the user."""
    lead, users = values.shape[:batch_axes], values.shape[-1]
    return np.swapaxes(values.reshape(*lead, -1, users), -1, -2)
