"""What the policies of this package share: actor, critics and value, for PPO, SAC, TD3 and DDPG alike."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any, Self

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import SquashedDiagGaussianDistribution, TanhBijector
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor, nn

from mec_cf_gym.errors import checked_count

Observation = dict[str, Tensor]
LARGEST_MEAN = 0.95
"""Largest mean of a squashed Gaussian, which has to be inside (-1, 1)."""
LOG_SPREADS = (-6.0, 1.0)
"""Bounds of the logarithm of its standard deviation."""


class Squashed(SquashedDiagGaussianDistribution):
    """A squashed Gaussian whose log densities leave out entries of users and subcarriers that are not there."""

    counting: Tensor | None = None  # (B, entries), one or zero; None if all count

    def log_prob(self, actions: Tensor, gaussian_actions: Tensor | None = None) -> Tensor:
        """Return log densities, ``(B,)``."""
        if self.counting is None:
            return super().log_prob(actions, gaussian_actions)
        gaussian = TanhBijector.inverse(actions) if gaussian_actions is None else gaussian_actions
        density: Tensor = self.distribution.log_prob(gaussian)  # type: ignore[no-untyped-call]
        each = density - torch.log(1 - actions**2 + self.epsilon)
        log_prob: Tensor = (each * self.counting).sum(-1)
        return log_prob


class SquashedActor(nn.Module):
    """The actor as the algorithms use it: scaled actions, or their squashed Gaussian distribution.

    Args:
        network: Returns scaled actions and the log of their spread, ``(B, entries)`` each, for an observation and
            their number; its ``counting`` says which are no padding.
        num_entries: Of an action.
    """

    optimizer: torch.optim.Optimizer

    def __init__(self, network: nn.Module, num_entries: int) -> None:
        super().__init__()
        self.network, self.num_entries = network, num_entries

    def forward(self, observation: Observation, deterministic: bool = True) -> Tensor:
        """Return scaled actions, in [-1, 1], ``(B, entries)``."""
        if not deterministic:
            return self.distributed(observation).sample()
        scaled, _ = self.network(observation, self.num_entries)
        return _clipped(scaled)

    def distributed(self, observation: Observation) -> Squashed:
        """Return the distribution of scaled actions, ``(B, entries)``."""
        scaled, log_spread = self.network(observation, self.num_entries)
        distribution = Squashed(self.num_entries)  # one for each call: threads may share the actor
        counting: Any = self.network.counting
        distribution.counting = counting(observation, self.num_entries)
        mean = _clipped(scaled, LARGEST_MEAN).atanh()
        return distribution.proba_distribution(mean, log_spread.clamp(*LOG_SPREADS))

    def action_log_prob(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Return sampled scaled actions, ``(B, entries)``, and the logarithm of their densities, ``(B,)``."""
        distribution = self.distributed(observation)
        action = distribution.sample()
        return action, distribution.log_prob(action)

    def set_training_mode(self, mode: bool) -> None:
        """Set the mode of all layers."""
        self.train(mode)


class Critics(nn.Module):
    """Several critics of the same observation and action."""

    optimizer: torch.optim.Optimizer

    def __init__(self, judges: list[nn.Module]) -> None:
        super().__init__()
        self.judges = nn.ModuleList(judges)

    def forward(self, observation: Observation, scaled: Tensor) -> tuple[Tensor, ...]:
        """Return the value that every critic gives, each ``(B, 1)``."""
        return tuple(judge(observation, scaled) for judge in self.judges)

    def q1_forward(self, observation: Observation, scaled: Tensor) -> Tensor:
        """Return the value that the first critic gives, ``(B, 1)``."""
        value: Tensor = self.judges[0](observation, scaled)
        return value

    def set_training_mode(self, mode: bool) -> None:
        """Set the mode of all layers."""
        self.train(mode)


class SharedPolicy(BasePolicy, ABC):
    """An actor, critics and a value function, of whatever networks, for every algorithm of the package.

    Derived policies name their networks; they are as large as ``sizes`` says, arguments of the derived policy.

    Args:
        observation_space: Of the environment.
        action_space: A box with one axis.
        lr_schedule: Learning rate by the progress that remains.
        use_sde: None where the algorithm is deterministic (TD3, DDPG); derived policies may refuse True.
        sizes: Arguments of the derived policy, beside those of this one.
        n_critics: Critics of SAC and TD3.
        optimizer_class: Of all networks.
        optimizer_kwargs: For it, beside the learning rate.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Box,
        lr_schedule: Schedule,
        use_sde: bool | None,
        sizes: dict[str, Any],
        n_critics: int,
        optimizer_class: type[torch.optim.Optimizer],
        optimizer_kwargs: dict[str, Any] | None,
    ) -> None:
        super().__init__(
            observation_space,
            action_space,
            optimizer_class=optimizer_class,
            optimizer_kwargs=optimizer_kwargs,
            squash_output=True,
        )
        self.samples = use_sde is not None
        self.sizes = {**sizes, "n_critics": checked_count("n_critics", n_critics, 1, 100)}
        self.actor = SquashedActor(self._actor_network(), int(action_space.shape[0]))
        self.critic = Critics([self._judge(of_actions=True) for _ in range(n_critics)])
        self.value = self._judge(of_actions=False)
        self.actor_target, self.critic_target = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.actor_target.requires_grad_(False)
        self.critic_target.requires_grad_(False)
        learning_rate = lr_schedule(1)
        self.actor.optimizer = self._optimizer([*self.actor.parameters()], learning_rate)
        self.critic.optimizer = self._optimizer([*self.critic.parameters()], learning_rate)
        self.optimizer = self._optimizer([*self.actor.parameters(), *self.value.parameters()], learning_rate)

    @abstractmethod
    def _actor_network(self) -> nn.Module:
        """Return the network of a :class:`SquashedActor`."""

    @abstractmethod
    def _judge(self, of_actions: bool) -> nn.Module:
        """Return a network that gives observations, or scaled actions in them, values ``(B, 1)``."""

    def forward(self, observation: Observation, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return scaled actions, ``(B, entries)``, values, ``(B, 1)``, and log densities, ``(B,)``, for PPO."""
        distribution = self.actor.distributed(observation)
        action = distribution.mode() if deterministic else self._explored(observation, distribution)
        return action, self.value(observation), distribution.log_prob(action)

    def _explored(self, observation: Observation, distribution: Squashed) -> Tensor:
        """Return scaled actions as they are tried while PPO collects experience, ``(B, entries)``."""
        return distribution.sample()

    def evaluate_actions(self, observation: Observation, actions: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return values, ``(B, 1)``, log densities, ``(B,)``, and None: the entropy has no closed form."""
        return self.value(observation), self.actor.distributed(observation).log_prob(actions), None

    def predict_values(self, observation: Observation) -> Tensor:
        """Return the values of observations, ``(B, 1)``."""
        value: Tensor = self.value(observation)
        return value

    def _predict(self, observation: Any, deterministic: bool = False) -> Tensor:
        """Return scaled actions, ``(B, entries)``; only algorithms with a distribution sample."""
        return self.actor(observation, deterministic or not self.samples)  # type: ignore[no-any-return]

    def resized(self, observation_space: spaces.Space[Any], action_space: spaces.Box) -> Self:
        """Return a policy with the same weights for spaces of another size."""
        policy = type(self)(
            observation_space,
            action_space,
            lambda _: 1e-3,
            use_sde=False if self.samples else None,
            **self.sizes,
        )
        policy.load_state_dict(self.state_dict())
        return policy.train(self.training)

    def _optimizer(self, parameters: list[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        return self.optimizer_class(parameters, lr=learning_rate, **self.optimizer_kwargs)  # type: ignore[call-arg]

    def _get_constructor_parameters(self) -> dict[str, Any]:
        """Return what :meth:`save` needs to build the policy again."""
        return {
            **super()._get_constructor_parameters(),
            **self.sizes,
            "use_sde": False if self.samples else None,
            "lr_schedule": self._dummy_schedule,
        }


def _clipped(scaled: Tensor, bound: float = 1.0) -> Tensor:
    """Return actions clipped to bounds, of any shape; gradients pass, so that clipped entries can come back."""
    return scaled + (scaled.clamp(-bound, bound) - scaled).detach()
