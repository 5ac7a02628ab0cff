"""Tasks: what users have to compute in a block."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario


class Tasks(NamedTuple):
    """The tasks of a batch of blocks: sizes and work."""

    task_bits: NDArray[np.float64]  # (rows, K)
    cycles_per_bit: NDArray[np.float64]  # (rows, K)


class TaskModel(Protocol):
    """Draws the tasks of every block. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def draw(self, streams: Streams) -> Tasks:
        """Return the tasks of one block per stream, ``(rows, K)``."""
        ...

    def mean_bits(self, rows: int) -> NDArray[np.float64]:
        """Return the mean sizes of the users' tasks, ``(rows, K)``."""
        ...


class Uniform:
    """Sizes and work per bit are fixed, or uniform in their ranges, anew for each user and block."""

    def __init__(self, scenario: Scenario) -> None:
        self.tasks, self.users = scenario.tasks, (scenario.layout.num_users,)

    def draw(self, streams: Streams) -> Tasks:
        """Return the tasks of one block per stream, ``(rows, K)``."""
        return Tasks(
            streams.interval(self.tasks.task_bits, self.users),
            streams.interval(self.tasks.cycles_per_bit, self.users),
        )

    def mean_bits(self, rows: int) -> NDArray[np.float64]:
        """Return the middle of the range of sizes, ``(rows, K)``."""
        return np.full((rows, *self.users), np.mean(self.tasks.task_bits))


TASK_MODELS: Parts[type[TaskModel]] = Parts("task_model", uniform=Uniform)
"""Task models by name; add your own to use it as ``task_model``."""
