"""Harvests: the energy that batteries gain at the end of a block."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mec_cf_gym.dynamics.arrivals import Floats
from mec_cf_gym.dynamics.two_states import Flags, TwoStates
from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.recordings import Clock, Recording
from mec_cf_gym.scenario import Scenario


class HarvestModel(Protocol):
    """Draws harvests. Built from the scenario."""

    harvest_j: float
    """Mean of a block over all time."""
    charging_j: float
    """Mean of a block while the harvest is on."""
    charge_ends: float
    """Probability from one block to the next, while it is on."""
    charge_begins: float
    """Probability from one block to the next, while it is off."""

    def __init__(self, scenario: Scenario) -> None: ...

    def begin(self, streams: Streams) -> Flags:
        """Return whether users' harvests are on in the first block, ``(rows, K)``."""
        ...

    def draw(self, charging: Flags, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return what users harvest in a block, in joules, and whose harvest is on in the next, ``(rows, K)``.

        Args:
            charging: Whether harvests are on, ``(rows, K)``.
            clock: Number of the block, ``(rows,)``.
            streams: Of the rows.
        """
        ...


class Constant:
    """The same energy in every block."""

    charge_ends, charge_begins = 0.0, 0.0

    def __init__(self, scenario: Scenario) -> None:
        self.num_users = scenario.layout.num_users
        self.harvest_j = self.charging_j = scenario.energy.harvest_w * scenario.dynamics.block_s

    def begin(self, streams: Streams) -> Flags:
        """Return that all harvests are on, ``(rows, K)``."""
        return np.ones((len(streams), self.num_users), np.bool_)

    def draw(self, charging: Flags, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return the mean, ``(rows, K)``, and ``charging`` as it is."""
        return np.full(charging.shape, self.harvest_j), charging


class Exponential(Constant):
    """Independent energies with an exponential law."""

    def draw(self, charging: Flags, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return energies, ``(rows, K)``, and ``charging`` as it is."""
        return -self.harvest_j * np.log1p(-streams.uniform(0.0, 1.0, charging.shape[1:])), charging


class OnOff(Constant):
    """A fixed power while it is on, and nothing while it is off."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        energy = scenario.energy
        self.states = TwoStates(energy.harvest_on_s, energy.harvest_share, scenario.dynamics.block_s)
        self.charging_j = self.harvest_j / energy.harvest_share
        self.charge_ends, self.charge_begins = self.states.ends, self.states.begins

    def begin(self, streams: Streams) -> Flags:
        """Return whether users' harvests are on in the first block, ``(rows, K)``."""
        return self.states.begin(streams, self.num_users)

    def draw(self, charging: Flags, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return energies, and whose harvest is on in the next block, ``(rows, K)``."""
        return np.where(charging, self.charging_j, 0.0), self.states.advance(charging, streams)


class Trace(Constant):
    """Powers from a recording; its mean is known."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        assert scenario.energy.harvest_table is not None
        self.recording = Recording(scenario.energy.harvest_table, self.num_users)
        self.block_s = scenario.dynamics.block_s
        self.harvest_j = self.charging_j = float(self.block_s * self.recording.rows.mean())

    def draw(self, charging: Flags, clock: Clock, streams: Streams) -> tuple[Floats, Flags]:
        """Return the block's energies, ``(rows, K)``, and ``charging`` as it is."""
        return self.block_s * self.recording.at(clock), charging


HARVESTS: Parts[type[HarvestModel]] = Parts(
    "harvest", constant=Constant, exponential=Exponential, two_state=OnOff, trace=Trace
)
"""Harvest models by name; add your own to use it as ``harvest``."""
