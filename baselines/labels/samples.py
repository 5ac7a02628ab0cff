"""Rows of a data set: drawn from seeds alone, and solved. Any worker makes the same rows in any order."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Iterator, Sequence

import numpy as np

from mec_cf_gym.baselines.labels.store import Content
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.batches import join_rows, read_only, take_rows
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.fading import IID
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.policies import load_policy
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.world import State, World

ROWS_AT_ONCE = 32


@dataclasses.dataclass(frozen=True)
class Samples:
    """The samples of a data set: row ``topology * blocks + block``.

    Args:
        scenario: What they are drawn from.
        seeds: One per topology.
        blocks: Coherence blocks of each topology.
    """

    scenario: Scenario
    seeds: Sequence[int]
    blocks: int

    def draw(self, rows: slice) -> CoherenceBlock:
        """Return samples as a batch of read-only blocks, whose ``channel`` has the magnitudes only.

        Topologies evolve block by block, side by side; blocks before the rows are drawn and dropped.
        """
        first, last = rows.start // self.blocks, (rows.stop - 1) // self.blocks
        topologies = np.arange(first, last + 1)
        world, streams = World(self.scenario), Streams.from_seeds(self.seeds[topology] for topology in topologies)
        pieces, places, drawn = [], [], 0
        for block in evolution(world, streams, min(self.blocks, rows.stop - first * self.blocks)):
            number = drawn + np.arange(len(block.signal_gain))  # in the order of the blocks
            place = (first + number % len(topologies)) * self.blocks + number // len(topologies)
            wanted = (rows.start <= place) & (place < rows.stop)
            piece = take_rows(block, wanted)
            pieces.append(dataclasses.replace(piece, channel=np.abs(np.asarray(piece.channel))))
            places.append(place[wanted])
            drawn += len(number)
        return read_only(take_rows(join_rows(pieces), np.argsort(np.concatenate(places))))

    def solve(self, rows: slice, solver: str) -> Content:
        """Return the rows of all arrays of the data set, by name, labelled by an installed solver."""
        block = self.draw(rows)
        policy = load_solver(solver)
        policy.reset(rows.start)  # one that draws random numbers draws the same in any order of chunks
        solution = policy.solve(block)
        places = np.arange(rows.start, rows.stop)
        return {
            "seed": np.asarray([self.seeds[topology] for topology in places // self.blocks]),
            "block": places % self.blocks,
            "channel_magnitude": block.channel,
            "signal_gain": block.signal_gain,
            "interference_gain": block.interference_gain,
            "task_bits": block.task_bits,
            "cycles_per_bit": block.cycles_per_bit,
            "local_hz": block.local_hz,
            "server_hz": block.server_hz,
            "power": solution.power,
            "offload": solution.offload,
            "assignment": solution.alpha,
            "latency_s": solution.latency,
        }


def evolution(world: World, streams: Streams, blocks: int) -> Iterator[CoherenceBlock]:
    """Yield all blocks of several topologies, the first of each, then the second of each, and so on, some at once.

    Where blocks differ in their fading alone, and that is independent, a topology's next blocks are drawn side by
    side from its one generator, in turn: they are the same, and Python takes a fraction of the time.

    Args:
        world: What they live in.
        streams: One per topology.
        blocks: Blocks of each topology.
    """
    state = world.begin(streams)
    yield state.block
    if not _only_fading_changes(world, state, streams):
        for _ in range(1, blocks):
            state = world.advance(state, streams)
            yield state.block
        return
    at_once = max(1, ROWS_AT_ONCE // len(streams))
    for start in range(1, blocks, at_once):
        count = min(at_once, blocks - start)
        in_turn, rows = Streams(streams.generators * count), np.tile(np.arange(len(streams)), count)
        network = take_rows(state.network, rows)
        fading = world.blocks.fading.advance(state.fading, network, in_turn)
        clock = state.clock[rows] + np.repeat(np.arange(start, start + count), len(streams))
        tasks = dataclasses.replace(take_rows(state.tasks, rows), clock=clock)
        yield world.blocks.draw(network, fading, tasks, in_turn)


def _only_fading_changes(world: World, state: State, streams: Streams) -> bool:
    """Return whether a topology's blocks differ in independent fading alone, and draw nothing else."""
    if type(world.blocks.fading) is not IID:
        return False
    trial = Streams(copy.deepcopy(streams.generators))
    before = copy.deepcopy([generator.bit_generator.state for generator in trial.generators])
    stays = world.networks.advance(state.network, trial) is state.network
    fading_streams = world.blocks.small_scale(trial)
    world.blocks.draw(state.network, state.fading, state.tasks, trial)
    after = [generator.bit_generator.state for generator in trial.generators]
    return stays and fading_streams is trial and before == after


@functools.lru_cache
def load_solver(name: str) -> Solver:
    """Return the policy that is installed under ``name``, which must be a solver.

    Raises:
        ValueError: If there is none of that name, or it is no solver.
        ImportError: If it needs packages that are not installed.
    """
    policy = load_policy(name)
    if not isinstance(policy, Solver):
        raise refuse("solver", name, "it must be a mec_cf_gym.baselines.Solver, with solve()")
    return policy
