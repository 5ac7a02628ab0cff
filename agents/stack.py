"""Stacks of translations between an environment and a model, the innermost first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from gymnasium.vector import VectorEnv
from gymnasium.wrappers.vector import RescaleAction
from numpy.typing import ArrayLike

from mec_cf_gym.agents.actions import LogPower
from mec_cf_gym.agents.elapsed import timed
from mec_cf_gym.agents.memory import MEANS
from mec_cf_gym.agents.prediction import predicted
from mec_cf_gym.agents.priced_action import Prices
from mec_cf_gym.agents.returns import AgainstReference, FiniteHorizon, Pairs
from mec_cf_gym.agents.translation import Seen, Statistics, Translation, rescaled
from mec_cf_gym.agents.vector import ElapsedTime, LogPowerAction, MeanGains, PredictedGains, PricedAction
from mec_cf_gym.block.block import Link
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import COLUMN, NOTHING
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario

PRICED = "mec_cf_gym.agents.priced_action.PricedAction"
LOG_POWER = "mec_cf_gym.agents.actions.LogPowerAction"
AGAINST_REFERENCE = "mec_cf_gym.agents.returns.AgainstReference"
PAIRS = "mec_cf_gym.agents.returns.Pairs"
FINITE_HORIZON = "mec_cf_gym.agents.returns.FiniteHorizon"
RESCALE = "gymnasium.wrappers.RescaleAction"
MEAN_GAINS = "mec_cf_gym.agents.memory.MeanGains"
ELAPSED_TIME = "mec_cf_gym.agents.elapsed.ElapsedTime"
PREDICTED_GAINS = "mec_cf_gym.agents.prediction.PredictedGains"
ROUNDING = 1e-6
"""Rounding error of an entry of an observation that is ``NOTHING``."""
Named = Sequence[tuple[str, dict[str, Any]]]
"""Dotted names and arguments of wrappers, the innermost first."""


def _rescaled(env: VectorEnv[Any, Any, Any], min_action: float, max_action: float) -> VectorEnv[Any, Any, Any]:
    return RescaleAction(env, np.float32(min_action), np.float32(max_action))  # type: ignore[arg-type]


class Wrapper(NamedTuple):
    """A wrapper that cards and hyperparameter files may name."""

    translation: Callable[..., Translation]  # from the contract, the action space below, and its arguments
    vector: Callable[..., VectorEnv[Any, Any, Any]]  # its vector form, from an environment and its arguments


WRAPPERS = {
    MEAN_GAINS: Wrapper(lambda contract, below: MEANS, MeanGains),
    ELAPSED_TIME: Wrapper(lambda contract, below: timed(contract), ElapsedTime),
    PREDICTED_GAINS: Wrapper(lambda contract, below, **options: predicted(contract, **options), PredictedGains),
    LOG_POWER: Wrapper(
        lambda contract, below, **options: LogPower(contract, **options).translation, LogPowerAction
    ),
    PRICED: Wrapper(lambda contract, below, **options: Prices(contract, **options).translation, PricedAction),
    AGAINST_REFERENCE: Wrapper(lambda contract, below: Translation(), AgainstReference),
    PAIRS: Wrapper(lambda contract, below: Translation(), Pairs),
    FINITE_HORIZON: Wrapper(lambda contract, below: Translation(), FiniteHorizon),
    RESCALE: Wrapper(lambda contract, below, **options: rescaled(below, **options), _rescaled),
}
"""Wrappers that may be named, by dotted name."""


def wrapper_named(name: str) -> Wrapper:
    """Return a wrapper.

    Raises:
        ValueError: If it is not in the table.
    """
    if name not in WRAPPERS:
        raise refuse("env_wrapper", name, f"it must be one of {', '.join(WRAPPERS)}")
    return WRAPPERS[name]


Sizes = dict[str, Any]
"""Shapes of an observation by entry and, where servers are shared, whether users compute anything themselves."""


Entry = TypeVar("Entry")
"""Of an observation: an array, or its space."""


class Stack:
    """Translations between an environment and a model.

    Args:
        below: Observation and action space of the environment.
        layers: The translations, the innermost first.
        contract: Of the environment, if it is a plain one of this package.
    """

    def __init__(
        self, below: tuple[Any, Any], layers: Sequence[Translation], contract: Contract | None = None
    ) -> None:
        self.layers, self.contract, self.entries = layers, contract, dict(below[0].items())
        self.observation_space, self.action_space = below
        for layer in layers:
            self.action_space = layer.action_space or self.action_space
            self.observation_space = layer.observation_space or self.observation_space
        self.shared = contract is not None and contract.codec.shared
        self.own_sizes: Sizes = {name: box.shape for name, box in self.entries.items()}
        if contract is not None and self.shared:
            self.own_sizes["local_computing"] = contract.codec.local_computing

    def selected(self, observation: Mapping[str, Entry]) -> dict[str, Entry]:
        """Return the entries of an observation that the environment shows; others are ignored.

        Raises:
            ValueError: If some are missing.
        """
        if missing := [name for name in self.entries if name not in observation]:
            raise refuse("observation", [*observation], f"it has no {' and no '.join(missing)}")
        return {name: observation[name] for name in self.entries}

    def seen(
        self, observation: Seen, memories: Sequence[Any], starts: ArrayLike
    ) -> tuple[list[Any], tuple[Any, ...]]:
        """Return the observations below every layer and, last, the model's; and the layers' memories.

        Args:
            observation: Of the environment.
            memories: Of every layer; none at the beginning.
            starts: Rows in which the observation is the first of an episode, ``(rows,)``.
        """
        shown: list[Any] = [observation]
        after = []
        for layer, memory in zip(self.layers, memories or [None] * len(self.layers), strict=True):
            after.append(layer.remember(memory, shown[-1], starts))
            shown.append(layer.seen(shown[-1], after[-1]))
        return shown, tuple(after)

    def plain(self, action: Any, shown: Sequence[Any], link: Link | None) -> Any:
        """Return the environment's action for a model's; ``shown`` is as from :meth:`seen`."""
        for layer, below in zip(reversed(self.layers), reversed(shown[:-1]), strict=True):
            action = layer.plain(action, below, link)
        return action

    def sizes(self, observation: Seen) -> Sizes:
        """Return the sizes of the networks that an observation, or a batch of them, shows."""
        sizes: Sizes = {n: np.shape(observation[n])[-len(box.shape) :] for n, box in self.entries.items()}
        if self.shared:
            local = np.asarray(observation["task"])[..., COLUMN["local_hz"]]
            sizes["local_computing"] = bool((local > NOTHING + ROUNDING).any())
        return sizes

    def resized(self, sizes: Sizes) -> Stack:
        """Return the stack for networks of other sizes.

        Raises:
            ValueError: If there is none.
        """
        allowed = f"what lies between environment and model is for {self.own_sizes}"
        raise refuse("observation", f"with {sizes}", allowed)


class NamedStack(Stack):
    """The stack of an agent's card: wrappers by name, then statistics. It serves all sizes of networks.

    Args:
        scenario: Of the environment.
        wrappers: The wrappers that the policy was trained behind.
        statistics: For normalised observations.

    Raises:
        ValueError: For a wrapper that is not in the table.
    """

    contract: Contract

    def __init__(self, scenario: Scenario, wrappers: Named, statistics: Statistics | None = None) -> None:
        self.scenario, self.wrappers, self.statistics = scenario, wrappers, statistics or Statistics()
        contract, layers = Contract(scenario), list[Translation]()
        below: Any = contract.action_space
        for name, arguments in wrappers:
            layers.append(wrapper_named(name).translation(contract, below, **arguments))
            below = layers[-1].action_space or below
        spaces = (contract.observation_space, contract.action_space)
        super().__init__(spaces, [*layers, Translation(self.statistics.normalised)], contract)

    def resized(self, sizes: Sizes) -> Stack:
        """Return the stack for networks of other sizes.

        Raises:
            ValueError: If no scenario like that of training has them, such as one where servers are not shared.
        """
        fields = dict(zip(("num_subcarriers", "num_users"), sizes["signal"], strict=True))
        if self.shared and sizes["task"][1] > len(COLUMN):
            fields["local_computing"] = sizes["local_computing"]
            fields[self.scenario.deployment.sites_field] = sizes["task"][1] - len(COLUMN)
        stack = NamedStack(self.scenario.replace(**fields), self.wrappers, self.statistics)
        return stack if stack.own_sizes == sizes else super().resized(sizes)
