"""Powers and weights in dB: the scale that learners act on, translated into the environment's plain ratios."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.agents.translation import Seen, Translation
from mec_cf_gym.agents.wrappers import TranslationWrapper
from mec_cf_gym.block.block import Link
from mec_cf_gym.envs.action import within_one
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import Gains, observed_block, observed_servers
from mec_cf_gym.errors import refuse
from mec_cf_gym.performance.latencies import best_offload
from mec_cf_gym.scenario import Scenario

LEAST_DB = -40.0
"""Powers span four decades: where interference matters, the best ones are often that far below the budget."""
LEAST_WEIGHT_DB = -20.0
"""Weights of users at shared servers; two decades do, since tasks differ less than channels."""
SPLITS_OF_TASKS = ("closed_form", "as_is")
Floats = NDArray[np.float32]


class LogPower:
    """Translates actions with powers in dB below the budget into those of an environment.

    An action holds ``10 log10 p[n, k]`` row by row, in ``[least_db, 0]``; with ``split="as_is"`` the offload
    ratios follow. With ``split="closed_form"`` they are the best ones for the powers and the gains that are
    observed. In dynamic worlds the shares of users' CPUs follow the powers. Where actions divide shared servers, a
    weight for each user ends the action, in dB in [-20, 0]: every server divides its speed among the users it
    serves in proportion to their weights.

    Args:
        scenario: Of the environment, or its contract: spaces follow from it, and the link unless another is given.
        least_db: The smallest power.
        split: ``"closed_form"`` or ``"as_is"``.

    Raises:
        ValueError: For another split, or a ``least_db`` that is not negative.
    """

    def __init__(
        self, scenario: Scenario | Contract, least_db: float = LEAST_DB, split: str = "closed_form"
    ) -> None:
        if not -200 <= least_db < 0:
            raise refuse("least_db", least_db, "it must be a number of dB in [-200, 0)")
        if split not in SPLITS_OF_TASKS:
            raise refuse("split", split, f"it must be one of {', '.join(map(repr, SPLITS_OF_TASKS))}")
        contract = scenario if isinstance(scenario, Contract) else Contract(scenario)
        self.least_db, self.codec, self.link = least_db, contract.codec, contract.link
        if not isinstance(contract.observation, Gains):
            named = contract.scenario.episode.observation
            raise refuse("observation", named, "powers in dB need one that shows the gains")
        has_ratio, has_split = self.codec.ratio in self.codec.shapes, "offload" in self.codec.shapes
        self.finds_split = split != "as_is" and has_split
        self.learns_ratio = has_ratio and not self.finds_split

    @property
    def translation(self) -> Translation:
        """What :class:`LogPowerAction` changes."""
        return Translation(act=self.plain, action_space=self.space())

    def space(self) -> spaces.Box:
        """Return the space of one row: powers in dB, offload ratios if they are learned, weights in dB."""
        powers, users = self.codec.sizes["power"], self.codec.shapes["power"][1]
        bounds = [(self.least_db, 0.0, powers)]
        bounds += [(0.0, 1.0, users)] if self.learns_ratio else []
        bounds += [(LEAST_WEIGHT_DB, 0.0, users)] if self.codec.chooses_shares else []
        low, high = (
            np.concatenate([np.full(part[2], part[end], np.float32) for part in bounds]) for end in (0, 1)
        )
        return spaces.Box(low, high)

    def plain(self, action: NDArray[Any], observation: Seen, link: Link | None = None) -> Floats:
        """Return the environment's action, ``(..., entries)``.

        Args:
            action: In dB, ``(..., entries)``.
            observation: The observation that the action answers.
            link: Of the current block or scenario; without one, that of the scenario that this was made for.
        """
        action, powers, users = np.asarray(action), self.codec.sizes["power"], self.codec.shapes["power"][1]
        ratio = 10.0 ** (np.asarray(action[..., :powers], np.float64) / 10)
        parts, server_hz = {"power": ratio}, None
        if self.codec.chooses_shares:
            weight = 10.0 ** (np.asarray(action[..., -users:], np.float64) / 10)
            servers = observed_servers(observation["task"])
            shares = servers.divided(weight[..., None, :], weight)
            parts["ap_share"] = (shares.ap_hz / servers.ap_hz[..., None]).reshape(*action.shape[:-1], -1)
            parts["cloud_share"] = weight / weight.sum(-1, keepdims=True)
            server_hz = shares.total_hz
        if self.learns_ratio:
            parts[self.codec.ratio] = action[..., powers : powers + users]
        elif self.finds_split:
            block = observed_block(observation, self.link if link is None else link)
            block = block if server_hz is None else dataclasses.replace(block, server_hz=server_hz)
            power = within_one(ratio.reshape(*ratio.shape[:-1], *self.codec.shapes["power"]), axis=-2)
            parts["offload"] = best_offload(block, power)
        return np.concatenate([parts[name] for name in self.codec.shapes], -1).astype(np.float32)


class LogPowerAction(TranslationWrapper):
    """Lets a learner act in dB: see :class:`LogPower`. Wrap it in ``RescaleAction`` for actions in [-1, 1].

    The split of tasks is the best one for the link of the environment's current scenario, also after
    ``reset(options={"scenario": ...})``.

    Args:
        env: An environment of this package, whose own observations and actions reach this wrapper.
        least_db: The smallest power in dB.
        split: ``"closed_form"`` or ``"as_is"``.

    Examples:
        >>> env = LogPowerAction(gym.make("MECCellFree-v0", num_users=2, num_subcarriers=1), least_db=-30.0)
        >>> env.action_space
        Box(-30.0, 0.0, (2,), float32)
        >>> observation, info = env.reset(seed=0)
        >>> *_, info = env.step(np.array([0.0, -10.0]))  # full power, and a tenth of it; the best split of tasks
    """

    def __init__(self, env: gym.Env[Any, Any], least_db: float = LEAST_DB, split: str = "closed_form") -> None:
        self.log_power = LogPower(env.unwrapped.contract, least_db, split)  # type: ignore[attr-defined]
        super().__init__(env, self.log_power.translation, least_db=least_db, split=split)
