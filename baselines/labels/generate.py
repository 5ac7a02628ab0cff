"""``mec-cf-gym dataset``: draw networks, solve them, and keep samples and labels."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import joblib
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from mec_cf_gym.baselines.labels.samples import Samples, load_solver
from mec_cf_gym.baselines.labels.store import Content, LabelStore
from mec_cf_gym.commands import run_command
from mec_cf_gym.deployments.disk import Disk
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.provenance import installed_versions
from mec_cf_gym.evaluation.runs import check_unused, hold
from mec_cf_gym.evaluation.seeds import SPLITS, seeds
from mec_cf_gym.scenario import Scenario

MOST_SHOWN = 20
"""Damaged chunks that are named one by one."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Draw networks, solve them, and keep samples and labels in a chunked store on disk.

    Read it with mec_cf_gym.baselines.LabelStore. The same options give the same bytes, whatever the workers.
    Interrupted, even killed, a run keeps the chunks that are finished; --resume goes on.
    """

    solver: str = "fast"
    """Installed solver that makes the labels."""
    topologies: int = 200
    """Networks: the first seeds of the split."""
    blocks: int = 1000
    """Coherence blocks per network; each is a sample. Takes the place of episode_blocks."""
    split: str = "train"
    """Seeds that networks are drawn from: train, validation or test."""
    backend: Literal["loky", "ray"] = "loky"
    """loky: processes on this machine; ray: a Ray cluster, the one at RAY_ADDRESS if that is set."""
    workers: int | None = None
    """Worker processes; by default one per core of the machine or cluster."""
    out: Path = Path("runs/dataset")
    """Folder of the data set."""
    resume: bool = False
    """Go on with the data set in the folder, if there is one; damaged chunks are made again."""
    verify: bool = False
    """Only check every chunk of the data set in the folder."""
    scenario: Scenario = field(default_factory=Scenario)
    """The scenario, field by field."""

    @property
    def samples(self) -> Samples:
        """What is drawn."""
        return Samples(self.scenario, seeds(self.split, self.topologies), self.blocks)

    def settings(self) -> dict[str, Any]:
        """Return what decides the content, and must not change when a run goes on."""
        return {
            "solver": self.solver,
            "split": self.split,
            "topologies": self.topologies,
            "blocks": self.blocks,
            "scenario": self.scenario.to_dict(),
            "versions": installed_versions(),
        }

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
            ImportError: If the solver needs packages that are not installed.
        """
        seeds(self.split, 1)
        checked_count("topologies", self.topologies, 1, len(SPLITS[self.split]))
        checked_count("blocks", self.blocks, 1, 10**6)
        if self.workers is not None:
            checked_count("workers", self.workers, 1, 10**6)
        episode_blocks = self.scenario.episode.episode_blocks
        if episode_blocks != Scenario().episode.episode_blocks:
            raise refuse("episode_blocks", episode_blocks, "a data set sets it by --blocks")
        if not isinstance(self.scenario.deployment, Disk):
            deployment = self.scenario.layout.deployment
            raise refuse("deployment", deployment, "data sets hold paper A's networks: cell_free or cellular")
        if self.scenario.is_dynamic:
            allowed = "labels solve one block at a time, whatever was done before it: every_block"
            raise refuse("arrivals", self.scenario.queues.arrivals, allowed)
        load_solver(self.solver)


def generate(dataset: Dataset) -> LabelStore:
    """Generate a data set, or the rest of it.

    Raises:
        ValueError: For options that are not allowed, a solver that cannot solve the scenario, or a folder whose
            data set cannot go on.
        ImportError: If the solver or the backend needs packages that are not installed.
    """
    dataset.check()
    with _workers(dataset.backend, dataset.workers), hold(dataset.out):
        store = _begin(dataset)
        unfinished = [rows for rows in store.chunks() if _is_unfinished(store, rows)]
        done = len(store) - sum(rows.stop - rows.start for rows in unfinished)
        with tqdm(total=len(store), initial=done, desc="dataset", unit="sample") as progress:
            work = (joblib.delayed(_solve)(dataset.samples, rows, dataset.solver) for rows in unfinished)
            for rows, content in joblib.Parallel(return_as="generator_unordered")(work):
                store.write(rows, content)
                progress.update(rows.stop - rows.start)
    return store


def _begin(dataset: Dataset) -> LabelStore:
    """Return the store, with what is finished of it."""
    begun = (dataset.out / "zarr.json").exists()
    check_unused(dataset.out, begun, dataset.resume, "data set")
    if not begun:
        _solve(dataset.samples, slice(0, 1), dataset.solver)  # if it cannot, nothing is written
    return LabelStore.create(dataset.out, dataset.settings())


def _is_unfinished(store: LabelStore, rows: slice) -> bool:
    if not store.is_written(rows):
        return True
    damage = store.damage(rows)
    for problem in damage:
        print(f"making again: {problem}", file=sys.stderr)
    return bool(damage)


def _solve(samples: Samples, rows: slice, solver: str) -> tuple[slice, Content]:
    with threadpool_limits(1):  # the sums of linear algebra depend on the number of threads, in the last bits
        return rows, samples.solve(rows, solver)


@contextlib.contextmanager
def _workers(backend: str, count: int | None) -> Iterator[None]:
    """Spread the work of ``joblib.Parallel`` over processes of this machine, or over a Ray cluster."""
    if backend == "loky":
        with joblib.parallel_config("loky", n_jobs=count or -1, inner_max_num_threads=1):
            yield
        return
    import ray
    from ray.util.joblib.ray_backend import RayBackend

    class StreamingRayBackend(RayBackend):
        supports_return_generator = True  # inherited from a backend whose pool cannot; Ray's can

    joblib.register_parallel_backend("ray", StreamingRayBackend)
    # joblib hands over a multiprocessing context, and Ray warns that it has no use for it.
    logging.getLogger("ray.util.multiprocessing.pool").setLevel(logging.ERROR)
    is_ours = not ray.is_initialized()
    try:
        with joblib.parallel_config("ray", n_jobs=count or -1):
            yield
    finally:
        if is_ours:
            ray.shutdown()


def verify(folder: Path) -> LabelStore:
    """Check every chunk of a data set against its checksum.

    Raises:
        ValueError: Names every chunk that is missing or damaged.
    """
    store = LabelStore(folder)
    problems = [
        problem for rows in tqdm(store.chunks(), desc="verify", unit="chunk") for problem in store.damage(rows)
    ]
    if problems:
        shown = "\n".join([*problems[:MOST_SHOWN], "..."][: len(problems)])
        raise ValueError(f"{len(problems)} chunks are missing or damaged:\n{shown}")
    return store


def describe(store: LabelStore) -> str:
    """Return in words where the data set is, what it holds, its size and its mean latency."""
    settings, size = store.settings, sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())
    mean_s = sum(store.read("latency_s", rows).max(-1).sum() for rows in store.chunks()) / len(store)
    return (
        f"{len(store)} samples in {store.folder}: {settings['topologies']} {settings['split']} networks x "
        f"{settings['blocks']} blocks, solved by {settings['solver']}, {size / 1e6:.1f} MB\n"
        f"mean largest latency {1e3 * mean_s:.4f} ms"
    )


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym dataset``; return its exit status."""
    return run_command(
        "mec-cf-gym dataset",
        Dataset,
        lambda dataset: describe(verify(dataset.out) if dataset.verify else generate(dataset)),
        arguments,
    )
