"""Paper A's three schemes, and what its figures have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.reproduce.measure import Cell, Measured
from mec_cf_gym.baselines.reproduce.reproduction import Reproduction
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.gap import gap_to
from mec_cf_gym.performance.latencies import local_latency
from mec_cf_gym.performance.metrics import gini
from mec_cf_gym.performance.outcome import outcome_of
from mec_cf_gym.scenario import Scenario


@dataclass(frozen=True)
class Latencies(Measured):
    """Latencies of paper A's blocks, ``(topologies, blocks)``."""

    max_latency_ms: Floats
    gini: Floats  # of the users' latencies
    capped: Floats  # one where a user's link counts with the least rate, else zero

    @classmethod
    def of(cls, block: CoherenceBlock, allocation: Allocation, least_spectral_efficiency: float) -> Self:
        """Return what an allocation gives on a batch of blocks, ``(blocks)``."""
        outcome = outcome_of(block, allocation, least_spectral_efficiency)
        latency_s = outcome.latency_s
        return cls(
            1e3 * latency_s.max(-1), np.asarray(gini(latency_s)), np.asarray(outcome.capped.any(-1), np.float64)
        )


@dataclass(frozen=True)
class ClaimedLatencies(Latencies):
    """What offload ratios alone claim: that the powers let everybody end with its local part. It is no latency."""

    @classmethod
    def of(cls, block: CoherenceBlock, allocation: Allocation, least_spectral_efficiency: float) -> Self:
        """Return the largest claims of a batch of blocks, ``(blocks)``; nothing is capped."""
        claimed_s = claimed_latency(block, allocation.offload)
        return cls(1e3 * claimed_s.max(-1), np.asarray(gini(claimed_s)), np.zeros(len(claimed_s)))


def claimed_latency(block: CoherenceBlock, offload: Floats) -> Floats:
    """Return ``(1 - rho_k) Z C / f_k``, in seconds, ``(..., K)``: the local latency that offload ratios imply.

    At an optimum it is everybody's latency; of predicted ratios it says nothing about what the powers reach.
    """
    return np.asarray(local_latency(block, offload))


@dataclass(frozen=True)
class Scheme:
    """A network and who computes in it."""

    name: str
    label: str
    fields: Mapping[str, Any] = field(hash=False)

    def cell(self, solver: str, scenario: Scenario, users: int) -> Cell[Latencies]:
        """Return the cell of a solver on this scheme with K users."""
        scenario = scenario.replace(num_users=users, **self.fields)
        return Cell(f"{self.name}-K{users}", solver, scenario, Latencies)


CELL_FREE = Scheme(
    "scheme-1", "1: cell-free, with local computing", {"deployment": "cell_free", "local_computing": True}
)
NO_LOCAL_COMPUTING = Scheme(
    "scheme-2", "2: cell-free, without local computing", {"deployment": "cell_free", "local_computing": False}
)
BS_CENTRED = Scheme(
    "scheme-3", "3: BS-centred, with local computing", {"deployment": "cellular", "local_computing": True}
)
SCHEMES = (CELL_FREE, NO_LOCAL_COMPUTING, BS_CENTRED)
SET_BY_SCHEMES = {
    "num_users": "--users",
    "deployment": "the schemes",
    "local_computing": "the schemes",
    "episode_blocks": "--blocks",
}

HOW_MEASURED = """\
Latencies are those of the slowest user of a block; a link below the least rate, 0.001 bit/s/Hz by default,
counts with that, and such a block as capped. Intervals are 95 % percentile bootstraps over topologies.
Differences are taken topology by topology, gaps block by block, on the same seeds. Schemes 1 and 2 then have
the very same networks; in scheme 3 users are at other places, since a cell-free network draws the places of its
APs first. A verdict is yes or no only if the whole interval is on that side.
"""


@dataclass(frozen=True, kw_only=True)
class OfSchemes(Reproduction[Latencies]):
    """A figure of paper A's schemes for some numbers of users."""

    SET_BY: ClassVar = SET_BY_SCHEMES
    users: tuple[int, ...]

    def check(self) -> None:
        """Check the options before any work is done."""
        super().check()
        if not self.users or len(set(self.users)) < len(self.users):
            raise refuse("users", self.users, "it must name one at least, and none twice")

    def setting(self, *, without: Iterable[str] = ()) -> str:
        """Return in words under which settings claims are judged, but for those scenario fields in ``without``."""
        scenario, campaign = self.scenario, self.campaign
        radio = scenario.radio
        parts = {
            "path_loss_exponent": f"path loss exponent {radio.path_loss_exponent:g}",
            "shadowing_db": f"{radio.shadowing_db:g} dB shadowing",
            "receiver_noise": f"receiver noise {radio.receiver_noise}",
            "num_subcarriers": f"N = {radio.num_subcarriers}",
            "num_aps": f"M = {scenario.layout.num_aps}",
            "interference": f"interference {radio.interference}",
            "solver": f"solver {self.solver}",
            "size": f"{len(campaign.seeds)} test topologies x {campaign.blocks} blocks",
        }
        return ", ".join(text for name, text in parts.items() if name not in set(without))


def mean_ms(measured: Latencies) -> Floats:
    """Return each topology's mean largest latency in ms, ``(topologies,)``."""
    return np.asarray(measured.max_latency_ms.mean(-1))


def gap(measured: Latencies, reference: Latencies) -> Floats:
    """Return each topology's mean gap on the blocks that were measured, ``(topologies,)``."""
    topologies, blocks = measured.max_latency_ms.shape
    return np.asarray(gap_to(reference.max_latency_ms[:topologies, :blocks], measured.max_latency_ms).mean(-1))


def topology_rows(
    results: Mapping[str, Latencies], labels: Mapping[str, tuple[str, int]], seeds: range
) -> list[dict[str, Any]]:
    """Return one row per cell and topology: means over its blocks.

    Args:
        results: What each cell gave, by its name.
        labels: What a cell is called in the rows, and its number of users.
        seeds: Of the topologies.
    """
    return [
        {
            "curve": labels[name][0],
            "users": labels[name][1],
            "seed": seed,
            "max_latency_ms": float(measured.max_latency_ms[row].mean()),
            "gini": float(measured.gini[row].mean()),
            "capped": float(measured.capped[row].mean()),
        }
        for name, measured in results.items()
        for row, seed in enumerate(seeds[: len(measured.max_latency_ms)])
    ]
