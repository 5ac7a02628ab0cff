"""The dynamic world: queues, servers' backlogs and batteries, in which actions have consequences."""

from __future__ import annotations

import dataclasses

import numpy as np

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.batches import read_only, replaced
from mec_cf_gym.block.backlog import LONGEST_AGE_BLOCKS, Backlog, Floats, Prospects, aged
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.dynamics.arrivals import ARRIVALS
from mec_cf_gym.dynamics.harvests import HARVESTS
from mec_cf_gym.performance.dynamic_outcome import DynamicOutcome, dynamic_outcome_of
from mec_cf_gym.performance.service import backlog_of
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.world import AnyOutcome, Coming, State, World


class DynamicWorld(World):
    """Draws networks whose users have queues and batteries, lets them evolve, and judges allocations.

    Bits arrive at the end of a block, as does what batteries harvest; until then nobody knows of them. Queues
    begin empty and batteries full.

    Args:
        scenario: The scenario all rows share; its ``arrivals`` name a process.
    """

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.arrivals = ARRIVALS[scenario.queues.arrivals](scenario)
        self.harvests = HARVESTS[scenario.energy.harvest](scenario)
        self.history = min(scenario.episode.episode_blocks, LONGEST_AGE_BLOCKS)

    def begin(self, streams: Streams) -> State:
        """Return one new network per stream, in the first block of an episode."""
        state = super().begin(streams)
        bursting, charging = self.arrivals.begin(streams), self.harvests.begin(streams)
        prospects = self.prospects(self.arrivals.rates(streams), state.tasks.mean.task_bits)
        backlog = Backlog.empty(prospects, bursting, charging, self.history)
        return self._with_backlog(state, backlog, streams)

    def advance(self, state: State, streams: Streams, outcome: AnyOutcome | None = None) -> State:
        """Return the same networks one block later.

        Args:
            state: The networks in their current block.
            streams: Of the rows.
            outcome: What was done in the block; without, queues and batteries stay as they are.
        """
        later, coming = super().advance(state, streams), state.coming
        if coming is None:  # before the first block of the episode
            return later
        backlog = backlog_of(state.block)
        if outcome is not None:
            assert isinstance(outcome, DynamicOutcome)
            backlog = self._after(backlog, outcome, coming)
        return self._with_backlog(later, backlog, streams)

    def judge(self, block: CoherenceBlock, allocation: Allocation) -> DynamicOutcome:
        """Return what an allocation makes of a block, or a batch of them, before new bits arrive.

        Args:
            block: Blocks of the scenario.
            allocation: Powers ``(..., N, K)``, shares of CPUs ``(..., K)``, and computing of shared servers.
        """
        return dynamic_outcome_of(block, allocation)

    def outcome(self, state: State, allocation: Allocation) -> DynamicOutcome:
        """Return what an allocation makes of the current block, with the bits that arrive at its end."""
        outcome = self.judge(state.block, allocation)
        assert state.coming is not None
        prospects = backlog_of(state.block).prospects
        price_ms = prospects.drop_price_ms / prospects.task_bits
        return outcome.with_arrivals(state.coming.arriving_bits, prospects.queue_limit_bits, price_ms)

    def _with_backlog(self, state: State, backlog: Backlog, streams: Streams) -> State:
        """Return the state with its backlog, and what comes at the end of its block."""
        rate_per_s = backlog.prospects.tasks_per_s
        tasks, bursting = self.arrivals.draw(backlog.bursting > 0, rate_per_s, state.clock, streams)
        harvest_j, charging = self.harvests.draw(backlog.charging > 0, state.clock, streams)
        coming = Coming(tasks * state.block.task_bits, harvest_j, bursting, charging)
        block = replaced(state.block, backlog=read_only(backlog))
        return dataclasses.replace(state, block=block, coming=coming)

    def _after(self, backlog: Backlog, outcome: DynamicOutcome, coming: Coming) -> Backlog:
        """Return what is left of a backlog, and what has come, at the end of a block."""
        accepted_bits = coming.arriving_bits - outcome.dropped_bits
        spent_j = outcome.service.energy_j
        battery_j = np.maximum(backlog.battery_j - spent_j, 0.0) + coming.harvest_j  # no less, by rounding
        queue_curve_bits = aged(outcome.queue_curve_bits, accepted_bits)
        server_curve_bits = aged(outcome.server_curve_bits, np.zeros_like(accepted_bits))
        return Backlog(
            queue_bits=queue_curve_bits[..., -1],
            server_bits=server_curve_bits[..., -1],
            battery_j=np.minimum(battery_j, backlog.prospects.battery_limit_j),
            new_bits=accepted_bits,
            bursting=coming.bursting.astype(np.float64),
            charging=coming.charging.astype(np.float64),
            queue_curve_bits=queue_curve_bits,
            server_curve_bits=server_curve_bits,
            prospects=backlog.prospects,
        )

    def prospects(self, tasks_per_s: Floats, task_bits: Floats) -> Prospects:
        """Return what is known of the blocks to come, at users' mean rates and sizes of tasks, ``(..., K)``."""
        scenario, arrivals, harvests = self.scenario, self.arrivals, self.harvests
        return Prospects(
            tasks_per_s=tasks_per_s,
            task_bits=task_bits,
            block_s=scenario.dynamics.block_s,
            burst_gain=arrivals.burst_gain,
            burst_ends=arrivals.burst_ends,
            burst_begins=arrivals.burst_begins,
            harvest_j=harvests.harvest_j,
            charging_j=harvests.charging_j,
            charge_ends=harvests.charge_ends,
            charge_begins=harvests.charge_begins,
            queue_limit_bits=scenario.queues.queue_bits,
            battery_limit_j=scenario.energy.battery_j,
            drop_price_ms=scenario.queues.drop_price_ms,
        )


def world_of(scenario: Scenario) -> World:
    """Return the world of a scenario: a dynamic one if tasks queue up."""
    return DynamicWorld(scenario) if scenario.is_dynamic else World(scenario)
