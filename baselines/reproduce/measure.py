"""Cells of a figure: one solver on the blocks of one scenario, measured in units that outlive a kill."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from mec_cf_gym.baselines.labels.samples import Samples, load_solver
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.envs.outcome import outcome_of
from mec_cf_gym.metrics import gini
from mec_cf_gym.scenario import Scenario

UNIT_ROWS = 250
"""Blocks that are drawn, solved and kept as a whole: they fit into memory, and take a minute at most."""
SAME = 1e-5
"""Relative difference that single precision and another size of batch explain; other weights do not."""


@dataclass(frozen=True)
class Cell:
    """One solver on the blocks of one scenario: a point or a curve of a figure."""

    name: str  # also of its folder
    solver: str  # installed name
    scenario: Scenario
    best_offload: bool = False  # takes the place of the solver's own offload ratios

    def load(self) -> Solver:
        """Return the solver."""
        solver = load_solver(self.solver)
        if not self.best_offload:
            return solver
        from mec_cf_gym.baselines.learned.cnn_lstm import WithBestOffload  # imports torch

        return WithBestOffload(solver)


@dataclass(frozen=True)
class Measured:
    """What a cell gave, ``(topologies, blocks)``, topologies in the order of the seeds."""

    max_latency_ms: Floats
    gini: Floats  # of the users' latencies
    capped: Floats  # one where a user's link counts with the least rate, else zero


Unit = tuple[Cell, slice]
"""A cell and rows of it; row ``topology * blocks + block``."""


@dataclass(frozen=True)
class Campaign:
    """Measures cells on the same seeds, and keeps every finished unit in a file of its own.

    Args:
        folder: Where the files are, in a folder per cell.
        seeds: One per topology.
        blocks: Coherence blocks of each topology.
    """

    folder: Path
    seeds: range
    blocks: int

    def probe(self, cell: Cell) -> None:
        """Solve the first block of a cell, to see that it can be, and as before if units are there already.

        Raises:
            ValueError: If the solver cannot solve the scenario, or its result is another than in an earlier unit.
            ImportError: If the solver needs packages that are not installed.
        """
        fresh = measure_unit(cell, self.seeds[:1], 1, slice(0, 1))[:, 0]
        kept = self._read((cell, self._slices()[0]))
        if kept is not None and not np.allclose(fresh, kept[:, 0], rtol=SAME, atol=0):
            raise OtherResultsError(
                f"{cell.solver} gives another result than in {str(self.folder / cell.name)!r}, maybe with other "
                "weights: choose another --out"
            )

    def run(self, cells: Sequence[Cell], workers: int) -> dict[str, Measured]:
        """Measure cells, or the rest of them, with a progress bar.

        Returns:
            What each cell gave, by its name.
        """
        # Every slice of all cells before the next, so that the rate so far tells the time left.
        largest_first = sorted(cells, key=lambda cell: -cell.scenario.layout.num_users)
        units = [(cell, rows) for rows in self._slices() for cell in largest_first]
        missing = [unit for unit in units if self._read(unit) is None]
        total, left = len(cells) * len(self.seeds) * self.blocks, sum(map(_rows_of, missing))
        with (
            joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1),
            tqdm(total=total, initial=total - left, desc="reproduce", unit="block", smoothing=0) as progress,
        ):
            work = (joblib.delayed(_measure)(unit, self.seeds, self.blocks) for unit in missing)
            for unit, values in joblib.Parallel(return_as="generator_unordered")(work):
                self._write(unit, values)
                progress.update(_rows_of(unit))
        return {cell.name: self._collect(cell) for cell in cells}

    def _slices(self) -> list[slice]:
        rows = len(self.seeds) * self.blocks
        return [slice(start, min(start + UNIT_ROWS, rows)) for start in range(0, rows, UNIT_ROWS)]

    def _path(self, unit: Unit) -> Path:
        return self.folder / unit[0].name / f"{unit[1].start:08d}.npy"

    def _read(self, unit: Unit) -> Floats | None:
        """Return a unit's values; None if it is missing or damaged."""
        try:
            values: Floats = np.load(self._path(unit), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return values if values.shape == (len(dataclasses.fields(Measured)), _rows_of(unit)) else None

    def _write(self, unit: Unit, values: Floats) -> None:
        path = self._path(unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.save(file, values)
        temporary.replace(path)

    def _collect(self, cell: Cell) -> Measured:
        parts = [values for rows in self._slices() if (values := self._read((cell, rows))) is not None]
        return Measured(*np.concatenate(parts, axis=1).reshape(-1, len(self.seeds), self.blocks))


class OtherResultsError(ValueError):
    """A run cannot go on, since its solvers have changed."""


def measure_unit(cell: Cell, seeds: range, blocks: int, rows: slice) -> Floats:
    """Return what a cell gives for rows, one line for each field of :class:`Measured`.

    A link below the least rate counts with that, as in the environments.
    """
    with threadpool_limits(1):  # the sums of linear algebra depend on the number of threads, in the last bits
        block = Samples(cell.scenario, seeds, blocks).draw(rows)
        solver = cell.load()
        solver.reset(rows.start)  # one that draws random numbers draws the same in any order of units
        outcome = outcome_of(block, solver.solve(block), cell.scenario.episode.least_spectral_efficiency)
    latency_s = outcome.latency_s
    return np.stack((1e3 * latency_s.max(-1), gini(latency_s), outcome.capped.any(-1)))


def _measure(unit: Unit, seeds: range, blocks: int) -> tuple[Unit, Floats]:
    return unit, measure_unit(unit[0], seeds, blocks, unit[1])


def _rows_of(unit: Unit) -> int:
    return int(unit[1].stop - unit[1].start)
