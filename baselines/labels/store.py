"""Samples with their labels on disk: a Zarr group whose chunks carry checksums."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec

from mec_cf_gym.allocation import Allocation, Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.runs import check_same, read_json
from mec_cf_gym.scenario import Scenario

Content = Mapping[str, NDArray[Any]]
"""Rows of all arrays of a data set, by name."""

CHUNKS = 200
FEWEST_CHUNK_ROWS = 50
MOST_CHUNK_BYTES = 2**25
"""Chunks are small enough to lose little when a run is cut off, and large enough to be few files."""


@dataclass(frozen=True)
class Labels(Allocation):
    """A solver's solution of a batch of blocks."""

    assignment: NDArray[np.bool_]  # (rows, N, K), whether a user sends on a subcarrier (paper A, eq. 14)
    latency_s: Floats  # (rows, K)


def array_layout(scenario: Scenario) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the data type and the shape of a row of every array, by name.

    Gains and powers are in single precision, which moves a latency by less than one part in a million.
    """
    subcarriers, users = scenario.radio.num_subcarriers, scenario.layout.num_users
    links, each_user = (subcarriers, users), (users,)
    return {
        "seed": ("int64", ()),
        "block": ("int64", ()),
        "channel_magnitude": ("float32", (subcarriers, scenario.layout.num_aps, users)),
        "signal_gain": ("float32", links),
        "interference_gain": ("float32", (*links, users)),
        "task_bits": ("float64", each_user),
        "cycles_per_bit": ("float64", each_user),
        "local_hz": ("float64", each_user),
        "server_hz": ("float64", each_user),
        "power": ("float32", links),
        "offload": ("float64", each_user),
        "assignment": ("bool", links),
        "latency_s": ("float64", each_user),
    }


class LabelStore:
    """A data set of labels in a folder, read in slices of rows; each row is one sample.

    Rows are sorted by topology, then by block: row ``topology * blocks + block``. Every chunk that is read is
    checked against its checksum.

    Attributes:
        settings: What decides the content: solver, split, topologies, blocks, versions and the scenario.
        scenario: The scenario the samples are drawn from.
        chunk_rows: Rows of a chunk; slices that begin at multiples of it are read fastest.

    Args:
        folder: Where the data set is.

    Raises:
        ValueError: If the folder holds no data set, or its metadata are damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.settings = _read_settings(self.folder)
        self.scenario = Scenario().replace(**self.settings["scenario"])
        self._samples, self.chunk_rows, self._layout = _plan(self.settings)
        self._arrays = {name: self._open(name) for name in self._layout}

    @classmethod
    def create(cls, folder: Path, settings: Mapping[str, Any]) -> LabelStore:
        """Return the store of a data set that is begun in a folder, or is there and goes on.

        Args:
            folder: Where it will be.
            settings: As the attribute; they must not change when a data set goes on.

        Raises:
            ValueError: If the folder holds a data set with other settings.
        """
        plain = json.loads(json.dumps(settings, allow_nan=False))
        if (folder / "zarr.json").exists():
            check_same(_read_settings(folder), plain, folder)
        samples, chunk_rows, layout = _plan(plain)
        _sweep(folder, layout)
        group = zarr.open_group(folder, mode="a", attributes={"settings": plain})
        for name, (dtype, shape) in layout.items():
            if not (folder / name / "zarr.json").exists():
                group.create_array(
                    name,
                    shape=(samples, *shape),
                    chunks=(chunk_rows, *shape),
                    dtype=dtype,
                    compressors=[Crc32cCodec()],  # noise does not compress
                    fill_value=0,
                )
        return cls(folder)

    def __len__(self) -> int:
        return self._samples

    def chunks(self) -> list[slice]:
        """Return the rows of every chunk."""
        starts = range(0, len(self), self.chunk_rows)
        return [slice(start, min(start + self.chunk_rows, len(self))) for start in starts]

    def block(self, rows: slice) -> CoherenceBlock:
        """Return samples as a batch of blocks, whose ``channel`` has the magnitudes only."""
        gains = ("signal_gain", "interference_gain")
        users = ("task_bits", "cycles_per_bit", "local_hz", "server_hz")
        arrays: dict[str, Any] = {name: self.read(name, rows) for name in (*gains, *users)}
        return CoherenceBlock(
            **arrays,
            subcarrier_bandwidth_hz=self.scenario.subcarrier_bandwidth_hz,
            channel=self.read("channel_magnitude", rows),
        )

    def labels(self, rows: slice) -> Labels:
        """Return the labels of samples."""
        arrays: dict[str, Any] = {
            name: self.read(name, rows) for name in ("power", "offload", "assignment", "latency_s")
        }
        return Labels(**arrays)

    def read(self, name: str, rows: slice) -> NDArray[Any]:
        """Return rows of one array, ``(rows, ...)``.

        Raises:
            ValueError: If there is no array of that name, or a chunk is missing or damaged; names the chunk.
        """
        if name not in self._arrays:
            raise refuse("name", name, f"it must be one of {', '.join(self._arrays)}")
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise refuse("rows", rows, "a slice must have step 1")
        content = np.empty((max(0, stop - start), *self._layout[name][1]), self._layout[name][0])
        for first in range(start - start % self.chunk_rows, stop, self.chunk_rows):
            part = slice(max(start, first), min(stop, first + self.chunk_rows))
            content[part.start - start : part.stop - start] = self._read_chunk(name, part)
        return content

    def write(self, rows: slice, content: Content) -> None:
        """Write the rows of one chunk to all arrays; each file appears whole or not at all."""
        for name, array in self._arrays.items():
            array[rows] = content[name]

    def is_written(self, rows: slice) -> bool:
        """Return whether all files of the chunk of these rows are there."""
        return all(self.chunk_path(name, rows.start).exists() for name in self._arrays)

    def damage(self, rows: slice) -> list[str]:
        """Return what is wrong with the chunk of these rows, one line an array: nothing if it is sound."""
        problems = []
        for name in self._arrays:
            try:
                self._read_chunk(name, rows)
            except ValueError as error:
                problems.append(str(error))
        return problems

    def chunk_path(self, name: str, row: int) -> Path:
        """Return the file that holds a row of an array."""
        trailing = "/0" * len(self._layout[name][1])
        return self.folder / name / f"c/{row // self.chunk_rows}{trailing}"

    def _read_chunk(self, name: str, rows: slice) -> NDArray[Any]:
        path = self.chunk_path(name, rows.start)
        if not path.exists():  # Zarr would read zeros
            raise ValueError(f"chunk {path} of array {name!r} is missing")
        try:
            return np.asarray(self._arrays[name][rows])
        except ValueError as error:
            raise ValueError(f"chunk {path} of array {name!r} is damaged: {error}") from error

    def _open(self, name: str) -> zarr.Array[Any]:
        dtype, shape = self._layout[name]
        expected = (len(self), *shape), (self.chunk_rows, *shape), np.dtype(dtype)
        path = self.folder / name
        try:
            with zarr.config.set({"array.write_empty_chunks": True}):  # an absent chunk is a missing one
                array = zarr.open_array(path, mode="r+")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path / 'zarr.json'} is damaged: {error}") from error
        if (array.shape, array.chunks, array.dtype) != expected:
            raise ValueError(f"{path / 'zarr.json'} is damaged: it does not describe the array of this data set")
        return array


def _plan(settings: Mapping[str, Any]) -> tuple[int, int, dict[str, tuple[str, tuple[int, ...]]]]:
    """Return the rows of a data set, the rows of a chunk, and the layout of its arrays.

    A topology is drawn from its first block on, so a chunk holds whole topologies, as far as they fit.
    """
    blocks, samples = settings["blocks"], settings["topologies"] * settings["blocks"]
    layout = array_layout(Scenario().replace(**settings["scenario"]))
    row_bytes = sum(np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in layout.values())
    most = max(1, MOST_CHUNK_BYTES // row_bytes)
    wanted = max(FEWEST_CHUNK_ROWS, math.ceil(samples / CHUNKS))
    whole_topologies = min(math.ceil(wanted / blocks), most // blocks)
    return samples, min(samples, whole_topologies * blocks or most), layout


def _sweep(folder: Path, names: Iterable[str]) -> None:
    """Remove files that Zarr had not finished when a run was killed."""
    places = [folder.glob("zarr.*.partial"), *((folder / name).rglob("*.partial") for name in names)]
    for path in itertools.chain.from_iterable(places):
        path.unlink()


def _read_settings(folder: Path) -> dict[str, Any]:
    path = folder / "zarr.json"
    try:
        settings: dict[str, Any] = read_json(path)["attributes"]["settings"]
        int(settings["topologies"]), int(settings["blocks"]), dict(settings["scenario"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} holds no data set of labels, or {path} is damaged: {error!r}") from error
    return settings
