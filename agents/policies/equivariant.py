"""``EquivariantPolicy``: one policy class for PPO, SAC, TD3 and DDPG of Stable-Baselines3."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.type_aliases import Schedule

from mec_cf_gym.agents.curriculum.padding import check_rows
from mec_cf_gym.agents.policies.base import SharedPolicy
from mec_cf_gym.agents.policies.networks import Actions, ActorNetwork, Judge
from mec_cf_gym.errors import checked_count, refuse


class EquivariantPolicy(SharedPolicy):
    """A policy that does not depend on the order of users and subcarriers, nor on how many there are.

    Pass the class as ``policy`` of PPO, SAC, TD3 or DDPG. Features, action heads and critics are rounds of the
    message passing that the equivariant solver of ``mec_cf_gym.baselines`` is made of. What a link hears is the
    sum of the powers that arrive there; critics give every user a value and join them by a soft minimum.
    :meth:`resized` returns the trained policy for another number of users or subcarriers.

    Args:
        observation_space: A ``Dict`` with ``signal``, ``interference``, ``task``, and ``mask``, ``(N, K)``, where
            users or subcarriers are padded: one for links that exist, zero for others, which have no effect.
        action_space: A box of whole rows of K entries, the first N of them powers.
        lr_schedule: Learning rate by the progress that remains.
        use_sde: None where the algorithm is deterministic (TD3, DDPG); True is refused.
        least_db: Powers of actions reach from this many dB to zero, as ``LogPowerAction`` has it; None for the
            plain ratios of the environment itself.
        rounds: Rounds of messages of the actor.
        critic_rounds: Rounds of messages of critics and of the value function. Without any, a user's value
            follows from its own task and the rate that it gets.
        width: Numbers that a link remembers from round to round.
        hidden: Width of the hidden layers.
        n_critics: Critics of SAC and TD3.
        optimizer_class: Of all networks.
        optimizer_kwargs: For it, beside the learning rate.

    Raises:
        ValueError: For spaces of other environments, or an argument that is not allowed.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Box,
        lr_schedule: Schedule,
        use_sde: bool | None = None,
        least_db: float | None = -40.0,
        rounds: int = 4,
        critic_rounds: int = 0,
        width: int = 16,
        hidden: int = 32,
        n_critics: int = 2,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
    ) -> None:
        _check_spaces(observation_space, action_space)
        if use_sde:
            raise refuse("use_sde", use_sde, "this policy has no state-dependent exploration")
        sizes = {
            "least_db": least_db,
            "rounds": checked_count("rounds", rounds, 1, 100),
            "critic_rounds": checked_count("critic_rounds", critic_rounds, 0, 100),
            "width": checked_count("width", width, 1, 4096),
            "hidden": checked_count("hidden", hidden, 1, 4096),
        }
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            use_sde,
            sizes,
            n_critics,
            optimizer_class,
            optimizer_kwargs,
        )

    def _actor_network(self) -> ActorNetwork:
        sizes = self.sizes
        return ActorNetwork(Actions(sizes["least_db"]), sizes["rounds"], sizes["width"], sizes["hidden"])

    def _judge(self, of_actions: bool) -> Judge:
        sizes = self.sizes
        return Judge(Actions(sizes["least_db"]), sizes["critic_rounds"], sizes["width"], sizes["hidden"])


def _check_spaces(observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
    needed = {"signal", "interference", "task"}
    if not isinstance(observation_space, spaces.Dict) or not needed <= set(observation_space.keys()):
        raise refuse("observation_space", observation_space, f"it must be a Dict with {', '.join(sorted(needed))}")
    subcarriers, users = check_rows(observation_space, action_space)
    mask = observation_space.spaces.get("mask")
    if mask is not None and mask.shape != (subcarriers, users):
        raise refuse("observation_space['mask']", mask, f"its shape must be (N, K) = {(subcarriers, users)}")
