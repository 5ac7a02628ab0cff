"""The files of a benchmark run: what is finished is on disk, and a run that was cut off goes on from there."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mec_cf_gym.evaluation.episode import Record
from mec_cf_gym.evaluation.runs import check_same, check_unused, csv_text, read_json, write_atomically, write_json

FIELDS = [field.name for field in dataclasses.fields(Record)]
Unit = tuple[str, str, int]
"""Names of a task and a policy, and a seed: what is run, and recorded, as a whole."""


class RunStore:
    """``benchmark.json`` and ``blocks.csv`` in the folder of a run.

    Args:
        folder: Where they are, or will be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings_path = folder / "benchmark.json"
        self.records_path = folder / "blocks.csv"

    def begin(self, settings: dict[str, Any], circumstances: dict[str, Any], resume: bool) -> None:
        """Start a run, or check that the one that is here can go on.

        Args:
            settings: What decides the results, by name; it must not change when a run goes on.
            circumstances: What else is worth knowing about the start of the run.
            resume: Whether a run that is here may go on.

        Raises:
            ValueError: If there is a run already and ``resume`` is false, or it has other settings.
        """
        if self.settings_path.exists() and self._recorded():
            check_unused(self.folder, True, resume)
            check_same(self.content()["settings"], settings, self.folder)
            return
        self.rewrite([])
        write_json(self.settings_path, {"settings": settings, **circumstances})

    def conclude(self, results: dict[str, Any]) -> None:
        """Add the results of a finished run."""
        write_json(self.settings_path, {**self.content(), **results})

    def content(self) -> dict[str, Any]:
        """Return what ``benchmark.json`` holds."""
        return read_json(self.settings_path)

    def append(self, records: Sequence[Record]) -> None:
        """Add the records of one finished unit."""
        with self.records_path.open("a", newline="") as file:
            file.write(_csv_of(records, header=False))
            file.flush()
            os.fsync(file.fileno())

    def finished(self, blocks: Mapping[str, int]) -> dict[Unit, list[Record]]:
        """Return the units of which all blocks are recorded; a unit that was being written is forgotten.

        Args:
            blocks: How many they are, by the name of the task.
        """
        units: dict[Unit, dict[int, Record]] = {}
        for record in self._recorded():
            units.setdefault((record.task, record.policy, record.seed), {})[record.block] = record
        return {
            unit: [rows[b] for b in sorted(rows)]
            for unit, rows in units.items()
            if len(rows) == blocks.get(unit[0])
        }

    def rewrite(self, records: Iterable[Record]) -> None:
        """Replace the records by these."""
        write_atomically(self.records_path, _csv_of(records))

    def _recorded(self) -> list[Record]:
        """Return every record that was written to its end."""
        if not self.records_path.exists():
            return []
        text = self.records_path.read_text()
        whole_lines = text[: text.rfind("\n") + 1]
        parsed = (_parse(row) for row in csv.DictReader(io.StringIO(whole_lines)))
        return [record for record in parsed if record is not None]


def _csv_of(records: Iterable[Record], header: bool = True) -> str:
    return csv_text((dataclasses.asdict(record) for record in records), FIELDS, header)


_BOOL = {"True": True, "False": False}


def _parse(row: dict[str, str | None]) -> Record | None:
    """Return the record of a CSV row, which may lack columns of later versions; None for one that was cut off."""
    readers: dict[Any, Callable[[Any], Any]] = {
        "str": str,
        "int": int,
        "float": float,
        "bool": _BOOL.__getitem__,
    }
    known = [field for field in dataclasses.fields(Record) if field.name in row]
    try:
        return Record(**{field.name: readers[field.type](row[field.name]) for field in known})
    except (KeyError, TypeError, ValueError):
        return None
