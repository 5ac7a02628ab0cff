"""Tasks: what users have to compute in a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.recordings import Clock, Recording
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tasks:
    """The tasks of a batch of blocks: sizes and work."""

    task_bits: Floats  # (rows, K)
    cycles_per_bit: Floats  # (rows, K)


@dataclass(frozen=True)
class TaskState:
    """What a batch of networks keeps of its tasks from one block to the next."""

    mean: Tasks  # of each user, over all blocks
    clock: Clock  # (rows,), number of the block in recordings

    def later(self) -> TaskState:
        """Return it one block later."""
        return TaskState(self.mean, self.clock + 1)


class TaskModel(Protocol):
    """Draws the tasks of every block. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def begin(self, streams: Streams) -> Tasks:
        """Return the mean tasks of the users of new networks, ``(rows, K)``; each network keeps its own."""
        ...

    def draw(self, mean: Tasks, clock: Clock, streams: Streams) -> Tasks:
        """Return the tasks of one block per stream, ``(rows, K)``.

        Args:
            mean: What :meth:`begin` returned for the networks.
            clock: Number of the block, ``(rows,)``, for those that play a recording.
            streams: Of the rows.
        """
        ...


class Uniform:
    """Sizes and work per bit are fixed, or uniform in their ranges, anew for each user and block."""

    def __init__(self, scenario: Scenario) -> None:
        self.tasks, self.users = scenario.tasks, (scenario.layout.num_users,)
        ranges = self.tasks.task_bits, self.tasks.cycles_per_bit
        self.draws_nothing = not any(isinstance(interval, tuple) for interval in ranges)

    def begin(self, streams: Streams) -> Tasks:
        """Return the middles of the ranges, ``(rows, K)``."""
        shape = (len(streams), *self.users)
        middles = np.mean(self.tasks.task_bits), np.mean(self.tasks.cycles_per_bit)
        return Tasks(*(np.full(shape, middle) for middle in middles))

    def draw(self, mean: Tasks, clock: Clock, streams: Streams) -> Tasks:
        """Return the tasks of one block per stream, ``(rows, K)``."""
        if self.draws_nothing:
            return mean
        return Tasks(
            streams.interval(self.tasks.task_bits, self.users),
            streams.interval(self.tasks.cycles_per_bit, self.users),
        )


class Fixed(Uniform):
    """Sizes and work per bit are drawn once for each user and network, and stay."""

    def begin(self, streams: Streams) -> Tasks:
        """Return the tasks of new networks, ``(rows, K)``."""
        return Tasks(
            streams.interval(self.tasks.task_bits, self.users),
            streams.interval(self.tasks.cycles_per_bit, self.users),
        )

    def draw(self, mean: Tasks, clock: Clock, streams: Streams) -> Tasks:
        """Return the tasks as they are, ``(rows, K)``."""
        return mean


class PerUser(Fixed):
    """Sizes and work per bit are given for each user; what is not given is as in :class:`Fixed`."""

    def begin(self, streams: Streams) -> Tasks:
        """Return the users' tasks, the same in all networks where they are given, ``(rows, K)``."""
        drawn, shape = super().begin(streams), (len(streams), *self.users)
        bits, cycles = self.tasks.task_bits_of_users, self.tasks.cycles_per_bit_of_users
        return Tasks(
            drawn.task_bits if bits is None else np.broadcast_to(bits, shape).astype(np.float64),
            drawn.cycles_per_bit if cycles is None else np.broadcast_to(cycles, shape).astype(np.float64),
        )


class Trace(Uniform):
    """Sizes from a recording; work per bit is fixed, or uniform in its range, anew for each user and block."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        assert self.tasks.task_table is not None
        self.recording = Recording(self.tasks.task_table, *self.users)

    def begin(self, streams: Streams) -> Tasks:
        """Return the recording's means, and the middle of the range of work, ``(rows, K)``."""
        mean_bits = np.tile(self.recording.rows.mean(0), (len(streams), 1))
        return Tasks(mean_bits, super().begin(streams).cycles_per_bit)

    def draw(self, mean: Tasks, clock: Clock, streams: Streams) -> Tasks:
        """Return the tasks of one block per stream, ``(rows, K)``."""
        return Tasks(self.recording.at(clock), streams.interval(self.tasks.cycles_per_bit, self.users))


TASK_MODELS: Parts[type[TaskModel]] = Parts(
    "task_model", uniform=Uniform, fixed=Fixed, per_user=PerUser, trace=Trace
)
"""Task models by name; add your own to use it as ``task_model``."""
