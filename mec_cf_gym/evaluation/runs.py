"""The folder of a run: written by one process at a time, each file whole or not at all, so that runs can go on."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mec_cf_gym.scenario import Scenario

LOCK = ".lock"
"""File that the process which writes a folder has locked; the lock, not the file, shuts others out."""


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Make a folder, if need be, and keep other processes from writing it meanwhile.

    The operating system lets go of the lock when the process ends, even killed. A process may hold a folder twice.
    A folder that was made and stays empty is removed.

    Raises:
        ValueError: If another process holds the folder.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        allowed = "another process writes it: wait until it ends, or choose another"
        raise ValueError(f"out={str(folder)!r} is in use: {allowed}") from None
    try:
        yield
    finally:
        if lock.lock_counter == 1:
            with contextlib.suppress(OSError):
                (folder / LOCK).unlink()  # before the release: from then on it may be another process's
                if is_new:
                    folder.rmdir()  # if it is empty
        lock.release()


def check_unused(folder: Path, used: bool, resume: bool, what: str = "run") -> None:
    """Check that a run may begin in a folder, which is ``used`` if a new run would write over ``what`` is there.

    Raises:
        ValueError: If the folder is used and the run may not go on.
    """
    if used and not resume:
        raise ValueError(f"out={str(folder)!r} holds a {what} already: add --resume, or choose another")


def check_same(before: dict[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Check that a run can go on in its folder: what decides the results is as it was.

    Fields of scenarios that are younger than the run had their present defaults.

    Raises:
        ValueError: Names the first setting that differs, and both values.
    """
    was = json.loads(json.dumps(Scenario().to_dict())) | before
    for name, value in json.loads(json.dumps(now)).items():
        if isinstance(value, dict) and isinstance(was.get(name), dict):
            check_same(was[name], value, folder)
        elif was.get(name) != value:
            raise ValueError(
                f"{name}={value!r} differs from {was.get(name)!r} in the run in {str(folder)!r}, "
                "which cannot go on: choose another --out"
            )


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield where to write a file that then takes its place at ``path``, and is never seen half written."""
    temporary = path.with_name(f".{path.name}.tmp")
    yield temporary
    temporary.replace(path)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    write_atomically(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def csv_text(rows: Iterable[Mapping[str, Any]], names: Sequence[str], header: bool = True) -> str:
    """Return rows as CSV, with their names as the first line or without."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
