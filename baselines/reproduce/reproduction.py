"""Figures of papers: what all have in common, from the options to the files."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import joblib

from mec_cf_gym.baselines.reproduce.measure import Campaign, Cell, M, OtherResultsError
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.provenance import installed_versions, provenance
from mec_cf_gym.evaluation.runs import (
    check_same,
    check_unused,
    csv_text,
    hold,
    read_json,
    write_atomically,
    write_json,
)
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HOW = {
    "topologies",
    "most_topologies",
    "blocks",
    "quick",
    "workers",
    "out",
    "resume",
    "scenario",
    "no_sensitivity",
}
"""Options that are no settings of a run: they are there in another form, or do not change its results."""
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Report:
    """What is written about a figure."""

    figure: Figure
    tables: Mapping[str, Rows]  # CSV files by their names without suffix; "data" and "claims" among them
    text: str  # claims.md


@dataclass(frozen=True, kw_only=True)
class Reproduction(ABC, Generic[M]):
    """A figure that is measured again; subclasses say what is in it."""

    SIZE: ClassVar[tuple[int, int]]
    """Topologies and blocks of each, as in the paper."""
    QUICK_SIZE: ClassVar[tuple[int, int]]
    """The same with ``quick``."""
    FOLDER: ClassVar[str]
    """Where results go, under ``runs``."""
    SET_BY: ClassVar[dict[str, str]]
    """Scenario fields that the figure sets itself, and how."""
    UNIT_ROWS: ClassVar[int] = 1000
    """Blocks of a cell that are measured, and kept, as a whole: all of a topology at full size."""

    topologies: int | None = None
    """Networks: the first test seeds. By default as many as the paper's, with --quick fewer."""
    blocks: int | None = None
    """Coherence blocks per network. By default as many as the paper's, with --quick fewer."""
    quick: bool = False
    """A few networks and blocks, in a few minutes."""
    solver: str = "fast"
    """Installed solver that takes the place of the paper's ICA; ica is possible, and slow."""
    workers: int = field(default_factory=joblib.cpu_count)
    """Worker processes; all cores by default."""
    out: Path | None = None
    """Folder for the results; one for each figure under runs by default."""
    resume: bool = False
    """Go on with the run in the folder, if there is one."""
    scenario: Scenario = field(default_factory=Scenario)
    """The scenario, field by field."""

    @abstractmethod
    def cells(self) -> list[Cell[M]]:
        """Return what has to be measured."""

    def learned_cells(self) -> list[Cell[M]]:
        """Return what is measured if there are weights for it."""
        return []

    def measure(self, cells: Sequence[Cell[M]]) -> dict[str, M]:
        """Return what each cell gives, by its name, measured or read if it is there."""
        return self.campaign.run(cells, self.workers)

    @abstractmethod
    def report(self, results: Mapping[str, M], missing: Mapping[str, str]) -> Report:
        """Return the report on what each cell gave, and on why others are missing, by the cells' names."""

    @property
    def folder(self) -> Path:
        """Where measurements and their settings are."""
        return self.out or Path("runs") / self.FOLDER

    @property
    def report_folder(self) -> Path:
        """Where the report is; below the folder if several figures share their measurements."""
        return self.folder

    @property
    def campaign(self) -> Campaign:
        """The seeds and blocks that are measured, and where."""
        topologies, blocks = self.QUICK_SIZE if self.quick else self.SIZE
        topologies = topologies if self.topologies is None else self.topologies
        blocks = blocks if self.blocks is None else self.blocks
        return Campaign(self.folder / "units", seeds("test", topologies), blocks, self.UNIT_ROWS)

    def settings(self) -> dict[str, Any]:
        """Return what decides the results, and must not change when a run goes on."""
        options = {option.name: getattr(self, option.name) for option in dataclasses.fields(self)}
        return {
            **{name: value for name, value in options.items() if name not in HOW},
            "seeds": [self.campaign.seeds.start, self.campaign.seeds.stop],
            "blocks": self.campaign.blocks,
            "scenario": {
                name: value for name, value in self.scenario.to_dict().items() if name not in self.SET_BY
            },
            "versions": installed_versions(),
        }

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        for name in ("topologies", "blocks", "workers"):
            value = getattr(self, name)
            if value is not None:
                checked_count(name, value, 1, 10**6)
        fields, defaults = self.scenario.to_dict(), type(self)().scenario.to_dict()
        for name, instead in self.SET_BY.items():
            if fields[name] != defaults[name]:
                raise refuse(name, fields[name], f"it is set by {instead}")
        if self.scenario.is_dynamic:
            raise refuse("arrivals", self.scenario.queues.arrivals, "the papers' tasks do not wait: every_block")


def run(reproduction: Reproduction[M]) -> Report:
    """Measure a figure, or the rest of it, and write its files.

    Raises:
        ValueError: For options that are not allowed, a solver that cannot solve the scenario, or a folder whose
            run cannot go on.
        ImportError: If the solver needs packages that are not installed.
    """
    reproduction.check()
    with hold(reproduction.folder):
        _check_folder(reproduction)
        cells, missing = _cells_that_run(reproduction)
        folder, reports = reproduction.folder, reproduction.report_folder
        reports.mkdir(parents=True, exist_ok=True)
        record = {"settings": reproduction.settings(), "workers": reproduction.workers, **provenance()}
        for place in {folder, reports}:
            write_json(place / "run.json", {**record, "not_measured": missing})
        report = reproduction.report(reproduction.measure(cells), missing)
        for suffix in ("png", "svg"):
            report.figure.savefig(reports / f"figure.{suffix}", dpi=150)
        for name, rows in report.tables.items():
            write_atomically(reports / f"{name}.csv", csv_text(rows, list(rows[0]) if rows else []))
        write_atomically(reports / "claims.md", report.text)
    return report


def _cells_that_run(reproduction: Reproduction[M]) -> tuple[list[Cell[M]], dict[str, str]]:
    """Return the cells that can be measured, and why others cannot be, by their names."""
    campaign, cells = reproduction.campaign, reproduction.cells()
    for cell in cells:
        campaign.probe(cell)
    missing: dict[str, str] = {}
    for cell in reproduction.learned_cells():
        try:
            campaign.probe(cell)
            cells.append(cell)
        except OtherResultsError:
            raise
        except (ImportError, ValueError) as error:
            missing[cell.name] = str(error)
            print(f"not measured: {cell.name}: {error}")
    return cells, missing


def _check_folder(reproduction: Reproduction[Any]) -> None:
    path = reproduction.folder / "run.json"
    if path.exists():
        check_unused(path.parent, reproduction.report_folder.exists(), reproduction.resume)
        check_same(read_json(path)["settings"], reproduction.settings(), path.parent)
