"""Cells of a figure: one solver on the blocks of one scenario, measured in units that are saved one by one."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.labels.samples import Samples, load_solver
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.evaluation.runs import whole_file
from mec_cf_gym.scenario import Scenario

SAME = 1e-5
"""Relative difference that single precision and batch sizes explain, and other weights exceed."""
NOTHING = 1e-9
"""Difference that is none in any unit: a Gini index of users who end together is rounding."""


@dataclass(frozen=True)
class Measured(ABC):
    """Results of a cell: arrays of one shape, ``(topologies, blocks, ...)``, in the order of the seeds."""

    @classmethod
    @abstractmethod
    def of(cls, block: CoherenceBlock, allocation: Allocation, least_spectral_efficiency: float) -> Self:
        """Return what an allocation gives on a batch of blocks, ``(blocks, ...)``.

        Args:
            block: The blocks.
            allocation: What a solver chose for them.
            least_spectral_efficiency: In bit/s/Hz; a link below counts with that, as in the environments.
        """


M = TypeVar("M", bound=Measured)


@dataclass(frozen=True)
class Cell(Generic[M]):
    """One solver on the blocks of one scenario: a point or a curve of a figure."""

    name: str  # also of its folder
    solver: str  # installed name
    scenario: Scenario
    measured: type[M]
    best_offload: bool = False  # takes the place of the solver's own offload ratios
    topologies: int | None = None  # measured on so many, the first; None: on all
    blocks: int | None = None  # of each, the first; None: all
    unit_rows: int | None = None  # kept as a whole, where a solver takes long; None: as many as of other cells

    def load(self) -> Solver:
        """Return the solver."""
        solver = load_solver(self.solver)
        return WithBestOffload(solver) if self.best_offload else solver


Unit = tuple[Cell[M], slice]
"""A cell and rows of it; row ``topology * blocks + block``."""


@dataclass(frozen=True)
class Campaign:
    """Measures cells on the same seeds, and keeps every finished unit in a file of its own.

    Args:
        folder: Where the files are, in a folder per cell.
        seeds: One per topology.
        blocks: Coherence blocks of each topology.
        unit_rows: Blocks that are drawn, solved and kept as a whole: they fit into memory, and take a minute at
            most.
    """

    folder: Path
    seeds: range
    blocks: int
    unit_rows: int

    def probe(self, cell: Cell[M]) -> None:
        """Solve the first block of a cell, and compare the result with that of an earlier unit, if there is one.

        Raises:
            ValueError: If the solver cannot solve the scenario, or its result is another than in an earlier unit.
            ImportError: If the solver needs packages that are not installed.
        """
        fresh = measure_unit(cell, self.seeds[:1], 1, slice(0, 1))[:, 0]
        earlier = self._read((cell, self._slices(cell)[0]))
        if earlier is not None and not np.allclose(fresh, earlier[:, 0], rtol=SAME, atol=NOTHING):
            raise OtherResultsError(
                f"{cell.solver} gives another result than in {str(self.folder / cell.name)!r}, maybe with other "
                "weights: choose another --out"
            )

    def run(self, cells: Sequence[Cell[M]], workers: int) -> dict[str, M]:
        """Measure cells, or the rest of them, with a progress bar.

        Returns:
            What each cell gave, by its name.
        """
        # Every slice of all cells before the next, so that the rate so far tells the time left.
        largest_first = sorted(cells, key=lambda cell: -cell.scenario.layout.num_users)
        units = [(cell, rows) for cell in largest_first for rows in self._slices(cell)]
        units.sort(key=lambda unit: unit[1].start)
        missing = [unit for unit in units if self._read(unit) is None]
        total, left = sum(map(_rows_of, units)), sum(map(_rows_of, missing))
        with (
            joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1),
            tqdm(total=total, initial=total - left, desc="reproduce", unit="block", smoothing=0) as progress,
        ):
            work = (joblib.delayed(_measure)(unit, self.seeds, self._blocks_of(unit[0])) for unit in missing)
            for unit, values in joblib.Parallel(return_as="generator_unordered")(work):
                self._write(unit, values)
                progress.update(_rows_of(unit))
        return {cell.name: self._collect(cell) for cell in cells}

    def _blocks_of(self, cell: Cell[M]) -> int:
        return self.blocks if cell.blocks is None else min(self.blocks, cell.blocks)

    def _slices(self, cell: Cell[M]) -> list[slice]:
        rows = len(self.seeds[: cell.topologies]) * self._blocks_of(cell)
        step = cell.unit_rows or self.unit_rows
        return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]

    def _path(self, unit: Unit[M]) -> Path:
        return self.folder / unit[0].name / f"{unit[1].start:08d}.npy"

    def _read(self, unit: Unit[M]) -> Floats | None:
        """Return a unit's values, ``(fields, rows, ...)``, the first of what is kept; None if some are missing."""
        try:
            values: Floats = np.load(self._path(unit), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        fields, rows = len(dataclasses.fields(unit[0].measured)), _rows_of(unit)
        return values[:, :rows] if len(values) == fields and values.shape[1] >= rows else None

    def _write(self, unit: Unit[M], values: Floats) -> None:
        path = self._path(unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.save(file, values)

    def _collect(self, cell: Cell[M]) -> M:
        parts = [values for rows in self._slices(cell) if (values := self._read((cell, rows))) is not None]
        whole = np.concatenate(parts, axis=1)
        return cell.measured(*whole.reshape(len(whole), -1, self._blocks_of(cell), *whole.shape[2:]))


class OtherResultsError(ValueError):
    """A run cannot go on, since its solvers have changed."""


def measure_unit(cell: Cell[M], seeds: range, blocks: int, rows: slice) -> Floats:
    """Return what a cell gives for rows, ``(fields, rows, ...)``, fields in the order of what is measured."""
    with threadpool_limits(1):  # the sums of linear algebra depend on the number of threads, in the last bits
        block = Samples(cell.scenario, seeds, blocks).draw(rows)
        solver = cell.load()
        solver.reset(rows.start)  # one that draws random numbers draws the same in any order of units
        least = cell.scenario.episode.least_spectral_efficiency
        measured = cell.measured.of(block, solver.solve(block), least)
    return np.stack([getattr(measured, field.name) for field in dataclasses.fields(measured)])


def _measure(unit: Unit[M], seeds: range, blocks: int) -> tuple[Unit[M], Floats]:
    return unit, measure_unit(unit[0], seeds, blocks, unit[1])


def _rows_of(unit: Unit[M]) -> int:
    return int(unit[1].stop - unit[1].start)
