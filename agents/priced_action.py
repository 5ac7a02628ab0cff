"""Worths of bits and prices of joules as actions: what a learner decides where queues and batteries carry over."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.agents.observed_backlog import observed_backlog
from mec_cf_gym.agents.translation import Seen, Translation
from mec_cf_gym.agents.wrappers import TranslationWrapper
from mec_cf_gym.baselines.dynamic.drift import drift_prices
from mec_cf_gym.baselines.dynamic.priced import priced_allocation, shares_by_worth
from mec_cf_gym.block.block import CoherenceBlock, Fairness, Link
from mec_cf_gym.dynamic_world import DynamicWorld
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import Gains, observed_block, observed_servers
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.units import dbm_to_w

RANGE_DB = 20.0
"""How far actions reach, up and down: two decades."""


class Prices:
    """Translates worths and prices in dB into powers, CPU shares and shares of servers of a dynamic environment.

    An action has a row of K entries for what a bit of each user is worth, in dB over what waits; where batteries
    have limits another for how many of its bits a joule is worth, in dB over those that the CPU computes with the
    last joule at full speed; and where actions divide shared servers another for what a bit is worth there.
    Powers and CPU shares are then those that maximise the worth of the bits served less that of the energy. Zeros
    are the weights of :class:`~mec_cf_gym.baselines.DriftPlusPenalty` with energy that is spent at one pace.

    Args:
        scenario: Of the environment, or its contract. Budgets of power, batteries and CPUs' energies are its own.
        range_db: Entries are between ``-range_db`` and ``range_db``.

    Raises:
        ValueError: For a static scenario, one whose observations show no gains, users of several powers, which
            observations do not show, or a range that is not positive.
    """

    def __init__(self, scenario: Scenario | Contract, range_db: float = RANGE_DB) -> None:
        contract = scenario if isinstance(scenario, Contract) else Contract(scenario)
        self.scenario, self.codec, self.link = contract.scenario, contract.codec, contract.link
        episode, radio = self.scenario.episode, self.scenario.radio
        if not self.scenario.is_dynamic:
            arrivals = self.scenario.queues.arrivals
            raise refuse("arrivals", arrivals, "worths and prices need tasks that queue up")
        if not isinstance(contract.observation, Gains):
            raise refuse("observation", episode.observation, "worths and prices need one that shows the gains")
        if isinstance(radio.user_power_dbm, tuple):
            raise refuse("user_power_dbm", radio.user_power_dbm, "worths and prices need one power for all users")
        if not 0 < range_db <= 200:
            raise refuse("range_db", range_db, "it must be a positive number of dB, at most 200")
        self.range_db, self.world = float(range_db), DynamicWorld(self.scenario)
        self.has_batteries = bool(np.isfinite(self.scenario.energy.battery_j))

    @property
    def translation(self) -> Translation:
        """What :class:`PricedAction` changes."""
        return Translation(act=self.plain, action_space=self.space())

    def space(self) -> spaces.Box:
        """Return the space of one row: worths, prices where batteries have limits, weights at shared servers."""
        rows = 1 + self.has_batteries + self.codec.chooses_shares
        return spaces.Box(-self.range_db, self.range_db, (rows * self.scenario.layout.num_users,))

    def plain(self, action: NDArray[Any], observation: Seen, link: Link | None = None) -> NDArray[np.float32]:
        """Return the environment's action, ``(..., entries)``.

        Args:
            action: In dB, ``(..., entries)``.
            observation: The observation that the action answers.
            link: Of the current block or scenario; without one, that of the scenario that this was made for.
        """
        block = self.block(observation, self.link if link is None else link)
        rows = np.asarray(action, np.float64).reshape(*np.shape(action)[:-1], -1, block.num_users)
        factor = np.moveaxis(10.0 ** (rows / 10), -2, 0)  # (rows of an action, ..., K)
        worth = drift_prices(block)[0] * factor[0]
        price_per_j = worth * bits_per_j(block) * factor[1] if self.has_batteries else np.zeros_like(worth)
        allocation = priced_allocation(block, worth, price_per_j)
        if block.servers is not None and self.codec.chooses_shares:
            weight = worth * factor[-1]
            allocation = dataclasses.replace(allocation, computing=shares_by_worth(block, weight))
        return self.codec.encode(allocation, block.servers)

    def block(self, observation: Seen, link: Link) -> CoherenceBlock:
        """Return the block that an observation shows, with its backlog; ages of bits are not seen."""
        block = observed_block(observation, link)
        power_w = np.full(block.num_users, dbm_to_w(self.scenario.radio.user_power_dbm))
        return dataclasses.replace(
            block,
            servers=observed_servers(observation["task"]) if self.codec.shared else None,
            backlog=observed_backlog(observation, self.world),
            effective_capacitance=self.scenario.energy.effective_capacitance,
            fairness=Fairness(power_w, np.zeros(block.num_users)),
        )


def bits_per_j(block: CoherenceBlock) -> NDArray[np.float64]:
    """Return the bits that the last joule computes of a CPU at full speed, ``(..., K)``: ``1 / (3 kappa f^2 C)``.

    For a user without a CPU those that it sends with a joule at 1 bit/s/Hz and full power.
    """
    assert block.fairness is not None
    local_hz = np.asarray(block.local_hz)
    computed_j = 3 * block.effective_capacitance * local_hz**2 * np.asarray(block.cycles_per_bit)
    sent_j = np.asarray(block.fairness.user_power_w) / block.data_bandwidth_hz
    return np.asarray(1 / np.where(computed_j > 0, computed_j, sent_j))


class PricedAction(TranslationWrapper):
    """Lets a learner act in worths and prices: see :class:`Prices`. Wrap it in ``RescaleAction`` for [-1, 1].

    Args:
        env: A dynamic environment of this package, whose own observations and actions reach this wrapper.
        range_db: How far entries reach, up and down.

    Examples:
        >>> env = PricedAction(gym.make("MECCellFreeDynamic-v0", num_users=2))
        >>> env.action_space  # what bits are worth, and joules cost, to two users
        Box(-20.0, 20.0, (4,), float32)
        >>> observation, info = env.reset(seed=0)
        >>> *_, info = env.step(np.zeros(4))  # drift plus penalty
    """

    def __init__(self, env: gym.Env[Any, Any], range_db: float = RANGE_DB) -> None:
        self.prices = Prices(env.unwrapped.contract, range_db)  # type: ignore[attr-defined]
        super().__init__(env, self.prices.translation, range_db=range_db)
