"""Rewards: what a learner earns for the outcome of a block."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.parts import Parts
from mec_cf_gym.performance.dynamic_outcome import DynamicOutcome
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.world import AnyOutcome


class RewardModel(Protocol):
    """Turns outcomes into rewards. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def reward(self, outcome: AnyOutcome) -> NDArray[np.float64]:
        """Return one finite reward a row, ``(...)``."""
        ...


class MaxLatency:
    """Minus the largest latency of the users, in ms: min-max fairness (paper A).

    In dynamic worlds latency is the age of a user's oldest bit, and each dropped task has its price.
    """

    def __init__(self, scenario: Scenario) -> None:
        pass

    def reward(self, outcome: AnyOutcome) -> NDArray[np.float64]:
        """Return minus the largest latency in ms, less the price of drops, ``(...)``."""
        return -1e3 * outcome.max_latency_s - outcome.price_of_drops_ms


class MaxBacklog:
    """Minus the largest backlog latency of the users, in ms, less the price of dropped tasks (dynamic worlds).

    By Little's law, bits that wait over their mean rate of arrival: smooth, where the age of the oldest bit is
    not.
    """

    def __init__(self, scenario: Scenario) -> None:
        pass

    def reward(self, outcome: AnyOutcome) -> NDArray[np.float64]:
        """Return minus the largest backlog latency in ms, less the price of drops, ``(...)``."""
        assert isinstance(outcome, DynamicOutcome)
        largest_s: NDArray[Any] = outcome.backlog_latency_s.max(-1)
        return -1e3 * largest_s - outcome.price_of_drops_ms


class LogLatency:
    """Minus the natural logarithm of the largest latency in ms: 1 % earns the same on any network."""

    def __init__(self, scenario: Scenario) -> None:
        pass

    def reward(self, outcome: AnyOutcome) -> NDArray[np.float64]:
        """Return minus the log of the largest latency in ms, ``(...)``."""
        return np.asarray(-np.log(1e3 * outcome.max_latency_s))


class Energy:
    """Minus the energy that all users spend on sending and computing, in mJ.

    In a dynamic world doing nothing takes none: see :class:`LatencyEnergy`.
    """

    def __init__(self, scenario: Scenario) -> None:
        pass

    def reward(self, outcome: AnyOutcome) -> NDArray[np.float64]:
        """Return minus the energy in mJ, ``(...)``."""
        return -1e3 * energy_j(outcome)


class LatencyEnergy(MaxLatency):
    """Minus the largest latency in ms and the energy of all users at its price, less the price of dropped tasks.

    A joule costs ``energy_weight_ms_per_j``; latencies are those of :class:`MaxLatency`.
    """

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.weight_ms_per_j = scenario.energy.energy_weight_ms_per_j

    def reward(self, outcome: AnyOutcome) -> NDArray[np.float64]:
        """Return minus the largest latency in ms, less the prices of energy and drops, ``(...)``."""
        return super().reward(outcome) - self.weight_ms_per_j * energy_j(outcome)


class PowerFairness:
    """Minus paper B's objective, ``w min_k SE_k - sum_k p_k`` in watts, less a penalty for missed deadlines.

    A user who misses its deadline L with a latency T costs ``deadline_penalty_w (1 + ln(T / L))``.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.penalty_w = scenario.episode.deadline_penalty_w

    def reward(self, outcome: AnyOutcome) -> NDArray[np.float64]:
        """Return minus the objective and the penalties, ``(...)``, in watts."""
        excess = np.log(np.maximum(outcome.latency_s / outcome.deadline_s, 1.0))
        penalties = np.where(outcome.missed, 1 + excess, 0.0).sum(-1)
        return np.asarray(-outcome.objective_w - self.penalty_w * penalties)


def energy_j(outcome: AnyOutcome) -> NDArray[np.float64]:
    """Return the energy that all users spend in a block, ``(...)``, in joules."""
    return np.asarray((outcome.transmit_energy_j + outcome.computing_energy_j).sum(-1))


REWARDS: Parts[type[RewardModel]] = Parts(
    "reward",
    max_latency=MaxLatency,
    max_backlog=MaxBacklog,
    log_latency=LogLatency,
    power_fairness=PowerFairness,
    energy=Energy,
    latency_energy=LatencyEnergy,
)
"""Rewards by name; add your own to use it as ``reward``."""
