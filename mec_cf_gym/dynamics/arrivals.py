"""Arrivals: how many tasks come to each user at the end of a block."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.dynamics.two_states import Flags, TwoStates
from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.recordings import Clock, Recording
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]


class ArrivalModel(Protocol):
    """Draws arrivals. Built from the scenario."""

    burst_gain: float
    """Tasks that arrive in a burst, over their mean."""
    burst_ends: float
    """Probability from one block to the next, given a burst."""
    burst_begins: float
    """Probability from one block to the next, given none."""

    def __init__(self, scenario: Scenario) -> None: ...

    def rates(self, streams: Streams) -> Floats:
        """Return how many tasks of each user arrive in a second on average, for new networks, ``(rows, K)``."""
        ...

    def begin(self, streams: Streams) -> Flags:
        """Return whether users are in a burst in the first block, ``(rows, K)``."""
        ...

    def draw(self, bursting: Flags, tasks_per_s: Floats, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return how many tasks arrive at the end of a block, and who is in a burst in the next, ``(rows, K)``.

        Args:
            bursting: Whether users are in a burst, ``(rows, K)``.
            tasks_per_s: Mean numbers, ``(rows, K)``.
            clock: Number of the block, ``(rows,)``.
            streams: Of the rows.
        """
        ...


class Poisson:
    """Independent numbers with Poisson's law."""

    burst_gain, burst_ends, burst_begins = 1.0, 0.0, 0.0

    def __init__(self, scenario: Scenario) -> None:
        self.num_users, self.block_s = scenario.layout.num_users, scenario.dynamics.block_s
        self.tasks_per_s = scenario.queues.tasks_per_s

    def rates(self, streams: Streams) -> Floats:
        """Return the scenario's number of tasks in a second, or draws from its range, ``(rows, K)``."""
        return streams.interval(self.tasks_per_s, (self.num_users,))

    def begin(self, streams: Streams) -> Flags:
        """Return that nobody is in a burst, ``(rows, K)``."""
        return np.zeros((len(streams), self.num_users), np.bool_)

    def draw(self, bursting: Flags, tasks_per_s: Floats, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return numbers of tasks ``(rows, K)``, and ``bursting`` as it is."""
        return streams.poisson(tasks_per_s * self.block_s), bursting


class Bernoulli(Poisson):
    """One task in a block or none."""

    def draw(self, bursting: Flags, tasks_per_s: Floats, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return numbers of tasks ``(rows, K)``, and ``bursting`` as it is."""
        arrives = streams.uniform(0.0, 1.0, bursting.shape[1:]) < tasks_per_s * self.block_s
        return arrives.astype(np.float64), bursting


class Bursts(Poisson):
    """Poisson's law within bursts, and nothing between them."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        queues = scenario.queues
        self.states = TwoStates(queues.burst_s, queues.burst_share, self.block_s)
        self.burst_gain = 1 / queues.burst_share
        self.burst_ends, self.burst_begins = self.states.ends, self.states.begins

    def begin(self, streams: Streams) -> Flags:
        """Return whether users are in a burst in the first block, ``(rows, K)``."""
        return self.states.begin(streams, self.num_users)

    def draw(self, bursting: Flags, tasks_per_s: Floats, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return numbers of tasks, and who is in a burst in the next block, ``(rows, K)``."""
        tasks = streams.poisson(self.burst_gain * self.block_s * tasks_per_s)
        return np.where(bursting, tasks, 0.0), self.states.advance(bursting, streams)


class Trace(Poisson):
    """Numbers of tasks from a recording."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        assert scenario.queues.arrivals_table is not None
        self.recording = Recording(scenario.queues.arrivals_table, self.num_users)

    def rates(self, streams: Streams) -> Floats:
        """Return the recording's means, ``(rows, K)``."""
        return np.tile(self.recording.rows.mean(0) / self.block_s, (len(streams), 1))

    def draw(self, bursting: Flags, tasks_per_s: Floats, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return the block's numbers of tasks ``(rows, K)``, and ``bursting`` as it is."""
        return self.recording.at(clock), bursting


ARRIVALS: Parts[type[ArrivalModel]] = Parts(
    "arrivals", bernoulli=Bernoulli, poisson=Poisson, bursts=Bursts, trace=Trace
)
"""Arrival models by name; add your own to use it as ``arrivals``."""
