"""How far a solver's latencies are above those of labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.baselines.learned.cnn_lstm.splits import Labelled, Rows
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.batches import read_only
from mec_cf_gym.evaluation.gap import Gap, gap_to
from mec_cf_gym.performance.outcome import outcome_of


@dataclass(frozen=True)
class Gaps:
    """The largest latency of every block over that of its label, less one: negative where the label is beaten."""

    gap: Floats  # (samples,)
    capped: NDArray[np.bool_]  # (samples,), whether a user's link counts with the least rate
    seed: Rows  # (samples,), of the topology

    def per_topology(self) -> Floats:
        """Return the mean gap of every topology, ``(topologies,)``, in the order of the seeds."""
        _, topology, blocks = np.unique(self.seed, return_inverse=True, return_counts=True)
        return np.asarray(np.bincount(topology, self.gap) / blocks)

    def gap_to_labels(self) -> Gap:
        """Return the mean over topologies, its 95 % interval, and percentiles over samples."""
        return Gap.over(self.per_topology(), self.gap)

    def summary(self) -> dict[str, float | int | None]:
        """Return the same as plain JSON, with numbers of samples."""
        return {
            "samples": len(self.gap),
            "topologies": len(self.per_topology()),
            **self.gap_to_labels().to_json("mean", "low", "high", "median", "p95", "p99"),
            "capped": float(self.capped.mean()),
        }


def measure_gaps(solver: Solver, parts: Iterable[Labelled], least_spectral_efficiency: float) -> Gaps:
    """Return the gaps of a solver to the labels of samples.

    Args:
        solver: The solver.
        parts: Blocks with their labels, in any number of parts.
        least_spectral_efficiency: What a link that gives less counts with, in bit/s/Hz, as in the environments.
    """
    gaps, capped, seeds = [], [], []
    for part in parts:
        outcome = outcome_of(part.block, solver.solve(read_only(part.block)), least_spectral_efficiency)
        gaps.append(gap_to(part.labels.latency_s.max(-1), outcome.latency_s.max(-1)))
        capped.append(outcome.capped.any(-1))
        seeds.append(part.seed)
    return Gaps(np.concatenate(gaps), np.concatenate(capped), np.concatenate(seeds))
