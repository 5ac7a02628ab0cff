"""``PricePolicy``: decides worths and prices of any number of users, from their queues, batteries and gains."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor, nn

from mec_cf_gym.agents.curriculum.padding import size_of
from mec_cf_gym.agents.policies.base import Observation, SharedPolicy, Squashed
from mec_cf_gym.agents.policies.price_networks import PriceJudge, PriceNetwork, present_of
from mec_cf_gym.errors import checked_count, refuse

ENTRIES = ("signal", "interference", "task", "queue", "elapsed")


class PricePolicy(SharedPolicy):
    """A policy for :class:`~mec_cf_gym.agents.PricedAction`, for any order and number of users.

    Every user sees its gains, its task, its queue and battery, how long it has to wait beside the one that waits
    longest, and mean and maximum over all users of what a hidden layer makes of these. Pass the class as
    ``policy`` of PPO, SAC, TD3 or DDPG. Untrained it decides zeros.

    Args:
        observation_space: A ``Dict`` with ``signal``, ``interference``, ``task`` and ``queue``; and ``mask``,
            ``(N, K)``, where users are padded.
        action_space: A box of whole rows of K entries.
        lr_schedule: Learning rate by the progress that remains.
        use_sde: Whether PPO explores as gSDE does: what is tried depends on the state, through a random matrix
            that is kept for a rollout, so that an episode shows what a change of the policy is worth. None where
            the algorithm is deterministic (TD3, DDPG).
        hidden: Width of the hidden layers.
        log_spread: Logarithm of the standard deviation of the untrained exploration.
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
        hidden: int = 32,
        log_spread: float = -1.5,
        n_critics: int = 2,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(observation_space, spaces.Dict) or not set(ENTRIES) <= set(observation_space.keys()):
            raise refuse("observation_space", observation_space, f"it must be a Dict with {', '.join(ENTRIES)}")
        (_, users), acted = size_of(observation_space), action_space
        if not isinstance(acted, spaces.Box) or len(acted.shape) != 1 or acted.shape[0] % users:
            raise refuse("action_space", action_space, f"it must be a Box of whole rows of K = {users} entries")
        self.rows = action_space.shape[0] // users
        self.explores_by_state = bool(use_sde)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            use_sde,
            {"hidden": checked_count("hidden", hidden, 1, 4096), "log_spread": log_spread},
            n_critics,
            optimizer_class,
            optimizer_kwargs,
        )

    def reset_noise(self, n_envs: int = 1) -> None:
        """Draw how ``n_envs`` environments are explored until the next call, as PPO asks for with ``use_sde``.

        The second half tries the opposite of the first: where both meet the same blocks (see
        :class:`~mec_cf_gym.agents.returns.Pairs`), all but what was tried cancels in the difference.
        """
        first = torch.randn(-(-n_envs // 2), self.sizes["hidden"], self.rows)
        self._directions = torch.cat([first, -first])[:n_envs]

    def _explored(self, observation: Observation, distribution: Squashed) -> Tensor:
        if not self.explores_by_state:
            return super()._explored(observation, distribution)
        of_users: Any = self.actor.network.users
        layer = of_users(observation, present_of(observation)).detach()
        known = nn.functional.normalize(layer, dim=-1)  # so that the spread is as said
        tried = (known @ self._directions).transpose(1, 2).flatten(1)
        normal = distribution.distribution
        return torch.tanh(normal.mean + normal.stddev * tried)

    def _actor_network(self) -> PriceNetwork:
        return PriceNetwork(self.rows, **{name: self.sizes[name] for name in ("hidden", "log_spread")})

    def _judge(self, of_actions: bool) -> PriceJudge:
        return PriceJudge(self.rows if of_actions else 0, self.sizes["hidden"])
