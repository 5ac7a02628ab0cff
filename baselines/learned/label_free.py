"""What trainings without labels share: the networks that they draw, and their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mec_cf_gym.baselines.learned.command import check
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.world import World

UNEQUAL: Mapping[str, tuple[float, float]] = {
    "task_bits": (500.0, 2000.0),
    "cycles_per_bit": (500.0, 2000.0),
    "local_hz": (5e8, 2e9),
    "server_hz": (2e9, 1e10),
    "user_power_dbm": (5.0, 15.0),
}
"""Ranges of unequal users: in tasks, CPUs and power budgets."""


def mixed_scenario(
    rng: np.random.Generator, fields: Mapping[str, Any], *, unequal: float, cellular: float
) -> Scenario:
    """Return a scenario of paper A with the given fields, and by chance with others.

    Args:
        rng: Decides.
        fields: Scenario fields, such as its size.
        unequal: Probability that users are unequal.
        cellular: Probability of a base station in place of APs. One of ten scenarios is without local computing.
    """
    chosen = dict(fields)
    if rng.random() < unequal:
        chosen |= UNEQUAL
    if rng.random() < cellular:
        chosen["deployment"] = "cellular"
    if rng.random() < 0.1:
        chosen["local_computing"] = False
    return Scenario.paper_a(**chosen)


def first_blocks(scenario: Scenario, seeds: range) -> CoherenceBlock:
    """Return the first block of the networks that some seeds draw."""
    return World(scenario).begin(Streams.from_seeds(seeds)).block


@dataclass(frozen=True, kw_only=True)
class LabelFreeOptions:
    """Options of a training without labels; subclasses say how long it takes, and where it goes."""

    out: Path
    """Folder for the results."""
    epochs: int
    """Epochs of 50 steps; the learning rate falls to zero over them."""
    learning_rate: float = 2e-3
    """Largest step size of Adam."""
    seed: int = 0
    """Of the weights, and of all that is trained on."""
    test_networks: int = 1000
    """Networks of each size to test with."""
    resume: bool = False
    """Go on with the run in the folder, if there is one."""

    def settings(self) -> dict[str, Any]:
        """Return what decides the result, and must not change when a run goes on."""
        return {name: getattr(self, name) for name in ("learning_rate", "seed", "epochs")}

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        check(self, most_epochs=10**5)
        checked_count("test_networks", self.test_networks, 2, 10**6)
