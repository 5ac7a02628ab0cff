"""``EquivariantPolicy``: one policy class for PPO, SAC, TD3 and DDPG of Stable-Baselines3."""

from __future__ import annotations

import copy
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import SquashedDiagGaussianDistribution, TanhBijector
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor, nn

from mec_cf_gym.agents.curriculum.padding import check_rows
from mec_cf_gym.agents.policies.networks import Actions, ActorNetwork, Judge, Observation
from mec_cf_gym.agents.policies.seen import entries_of
from mec_cf_gym.errors import checked_count, refuse

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


class EquivariantActor(nn.Module):
    """The actor as the algorithms use it: scaled actions, or their squashed Gaussian distribution."""

    optimizer: torch.optim.Optimizer

    def __init__(self, network: ActorNetwork, num_entries: int) -> None:
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
        distribution.counting = entries_of(observation, self.num_entries)
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


class EquivariantCritic(nn.Module):
    """Several critics of the same observation and action."""

    optimizer: torch.optim.Optimizer

    def __init__(self, judges: list[Judge]) -> None:
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


class EquivariantPolicy(BasePolicy):
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
        for name, value, least in (
            ("rounds", rounds, 1),
            ("critic_rounds", critic_rounds, 0),
            ("n_critics", n_critics, 1),
        ):
            checked_count(name, value, least, 100)
        super().__init__(
            observation_space,
            action_space,
            optimizer_class=optimizer_class,
            optimizer_kwargs=optimizer_kwargs,
            squash_output=True,
        )
        self.samples = use_sde is not None
        self.sizes = {
            "least_db": least_db,
            "rounds": rounds,
            "critic_rounds": critic_rounds,
            "width": checked_count("width", width, 1, 4096),
            "hidden": checked_count("hidden", hidden, 1, 4096),
            "n_critics": n_critics,
        }
        actions = Actions(least_db)

        def judge() -> Judge:
            return Judge(actions, critic_rounds, width, hidden)

        self.actor = EquivariantActor(ActorNetwork(actions, rounds, width, hidden), int(action_space.shape[0]))
        self.critic = EquivariantCritic([judge() for _ in range(n_critics)])
        self.value = judge()
        self.actor_target, self.critic_target = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.actor_target.requires_grad_(False)
        self.critic_target.requires_grad_(False)
        learning_rate = lr_schedule(1)
        self.actor.optimizer = self._optimizer([*self.actor.parameters()], learning_rate)
        self.critic.optimizer = self._optimizer([*self.critic.parameters()], learning_rate)
        self.optimizer = self._optimizer([*self.actor.parameters(), *self.value.parameters()], learning_rate)

    def forward(self, observation: Observation, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return scaled actions, ``(B, entries)``, values, ``(B, 1)``, and log densities, ``(B,)``, for PPO."""
        distribution = self.actor.distributed(observation)
        action = distribution.mode() if deterministic else distribution.sample()
        return action, self.value(observation), distribution.log_prob(action)

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

    def resized(self, observation_space: spaces.Space[Any], action_space: spaces.Box) -> EquivariantPolicy:
        """Return a policy with the same weights for spaces of another size."""
        policy = EquivariantPolicy(
            observation_space,
            action_space,
            lambda _: 1e-3,
            use_sde=False if self.samples else None,
            **self.sizes,  # type: ignore[arg-type]
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


def _check_spaces(observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
    needed = {"signal", "interference", "task"}
    if not isinstance(observation_space, spaces.Dict) or not needed <= set(observation_space.keys()):
        raise refuse("observation_space", observation_space, f"it must be a Dict with {', '.join(sorted(needed))}")
    subcarriers, users = check_rows(observation_space, action_space)
    mask = observation_space.spaces.get("mask")
    if mask is not None and mask.shape != (subcarriers, users):
        raise refuse("observation_space['mask']", mask, f"its shape must be (N, K) = {(subcarriers, users)}")
