"""The exact optimum of one user whose tasks and energy stay from block to block, by dynamic programming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.dynamic.backward import Grid, decide, offers_of, points, solve
from mec_cf_gym.baselines.dynamic.program import Program, phase_of, program_of
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse

LONGEST_QUEUE_BLOCKS = 40
"""Queues on the grid reach up to the bits that arrive in so many blocks, of a burst where there are any."""

LEAST_GAIN = 1e-9
"""A link that is weaker counts as this weak: it carries nothing."""


@dataclass(frozen=True)
class Plan:
    """What one user should do in each state of each block of an episode."""

    program: Program
    grid: Grid
    after_ms: Floats  # (blocks, Z, SERVER, QUEUE + 2, BATTERY + 2), of what follows a block
    whole_ms: Floats  # (Z, SERVER, QUEUE + 2, BATTERY + 2), of all blocks
    power_steps: int
    cpu_steps: int

    @classmethod
    def of(cls, program: Program, horizon: int, resolution: int) -> Plan:
        """Solve the problem; arguments are those of :class:`OptimalSingle`."""
        longest_bits = min(longest_queue_bits(program), program.queue_limit_bits)
        keeps_up = program.link_bits * np.log2(1 + program.gain[-1]) <= program.server_bits
        grid = Grid(
            queue_bits=points(longest_bits, resolution),
            battery_j=points(program.battery_limit_j, resolution // 2 if program.transmit_j > 0 else 2),
            server_bits=np.zeros(1) if keeps_up else points(longest_bits, resolution // 2),
        )
        steps = resolution, 2 * resolution // 3
        after_ms, whole_ms = solve(program, grid, horizon, *steps)
        return cls(program, grid, after_ms, whole_ms, *steps)

    @property
    def value_ms(self) -> Floats:
        """Mean cost of a block from an empty queue and a full battery, ``(Z,)``, by the phase of the first."""
        return np.asarray(self.whole_ms[:, 0, 1, -2] / len(self.after_ms))

    def decide(self, block: CoherenceBlock, index: int) -> tuple[float, float]:
        """Return the power ratio and the share of the CPU in block ``index`` of the episode."""
        program, backlog = self.program, block.backlog
        gain = max(float(block.signal_gain[0, 0]), LEAST_GAIN)
        assert backlog is not None
        _, local_bits, sent_bits, _ = decide(
            program,
            self.grid,
            self.after_ms[index, phase_of(backlog)],
            gain,
            offers_of(program, gain, self.power_steps),
            self.cpu_steps,
            (0, 0),
            float(backlog.queue_bits[0]),
            max(float(backlog.server_bits[0]) - program.server_bits, 0.0),
            min(float(backlog.battery_j[0]), program.battery_limit_j),
        )
        power = np.expm1(np.log(2) * sent_bits / program.link_bits) / gain
        return min(float(power), 1.0), local_bits / program.local_bits if local_bits > 0 else 0.0


class OptimalSingle:
    """The least expected backlog latency of one user over an episode, and the price of tasks that are dropped.

    Before the first block, backward induction finds what each state of queue, server, battery and burst costs on
    average until the episode ends, from known statistics: independent blocks, whose gain is a sum of exponentials
    of known means; Poisson numbers of tasks of the mean size, in bursts or not; mean harvests, on or off. A
    decision then weighs, in the exact state, what it costs now against what it leaves. Rows of a batch with the
    same statistics share a plan.

    Serving all that is possible at once loses because energy is convex in bits: what is served in one block costs
    more than the same in two, and a battery that is empty in a burst waits for the harvest.

    It minimises what ``reward="max_backlog"`` counts. It is exact up to its grid, for independent fading, tasks of
    one size and work, and a harvest that is constant while it is on; with anything else it is a heuristic.

    Args:
        horizon: Blocks of an episode, which a policy is not told; in longer ones the plan begins anew.
        resolution: Points of the queue on the grid, of the battery half as many; powers, speeds and states of the
            gain in proportion.

    Raises:
        ValueError: If an argument is too small, or for blocks that are no such problem; see
            :func:`~mec_cf_gym.baselines.dynamic.program.program_of`.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFreeDynamic-v0", num_users=1).unwrapped
        >>> seen, _ = env.reset(seed=0)
        >>> OptimalSingle(horizon=5, resolution=12).allocate(seen, env.block).power.shape
        (1, 1)
    """

    def __init__(self, horizon: int = 100, resolution: int = 24) -> None:
        self.horizon = checked_count("horizon", horizon, 1, 10**4)
        self.resolution = checked_count("resolution", resolution, 8, 200)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode: plans are made in its first block."""
        self.plans: list[Plan] = []
        self.blocks = 0

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the power and the share of the CPU, of one network or of a batch, all in the same block."""
        rows = list(block.rows()) if block.batch_shape else [block]
        if not self.plans:
            self.plans = self._plans(rows)
        if len(rows) != len(self.plans):
            raise refuse("block", f"of {len(rows)} rows", f"the episode began with {len(self.plans)}: reset first")
        index = self.blocks % self.horizon
        self.blocks += 1
        actions = np.array([plan.decide(row, index) for plan, row in zip(self.plans, rows, strict=True)])
        power, cpu_share = actions.T.reshape(2, *block.batch_shape, 1)
        return Allocation(power[..., None, :], np.ones(power.shape), cpu_share=cpu_share)

    def _plans(self, rows: list[CoherenceBlock]) -> list[Plan]:
        """Return the plan of each row; those whose problems are equal are solved once."""
        known: dict[bytes, Plan] = {}
        plans = []
        for row in rows:
            program = program_of(row, self.resolution // 3)
            key = b"".join(np.asarray(value).tobytes() for value in program)
            if key not in known:
                known[key] = Plan.of(program, self.horizon, self.resolution)
            plans.append(known[key])
        return plans


def longest_queue_bits(program: Program) -> float:
    """Return the longest queue that the grid tells apart, in bits."""
    tasks = (program.tasks @ np.arange(program.tasks.shape[1])).max()
    return float(max(LONGEST_QUEUE_BLOCKS * tasks, 1.0) * program.task_bits)
