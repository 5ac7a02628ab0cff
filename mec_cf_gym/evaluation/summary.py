"""Statistics of records: latency, fairness, and the gap to a reference with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.episode import Record
from mec_cf_gym.evaluation.gap import Gap, gap_to, without_nan

Pairs = dict[int, list[tuple[float, float]]]  # by seed: latencies of the reference and of a policy


@dataclass(frozen=True)
class Summary:
    """How one policy did in one environment, or one task of a benchmark."""

    env: str
    policy: str
    topologies: int
    blocks: int
    mean_ms: float
    median_ms: float
    p95_ms: float
    gini: float
    gap: float
    gap_low: float
    gap_high: float
    deadline_misses: float
    capped: float
    power_w: float
    objective_w: float
    decision_ms: float
    batch_decision_ms: float = math.nan
    """Per block, of a decision for 256 networks at once; NaN if it was not measured."""
    training_s: float = math.nan
    """How long a learned policy was trained, as its card says; NaN if there is nothing to train."""
    training_steps: float = math.nan
    """Steps of that training."""
    gap_p95: float = math.nan
    """95th percentile of the gaps of blocks."""
    task: str = ""
    """Name of the task; empty outside a benchmark."""

    def to_dict(self) -> dict[str, Any]:
        """Return all fields for JSON, which knows no NaN: a missing interval is None."""
        return without_nan(asdict(self))

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Return the summary that :meth:`to_dict` wrote."""
        known: dict[str, Any] = {name: math.nan if value is None else value for name, value in fields.items()}
        return cls(**known)


def summarise(records: Iterable[Record], reference: str) -> list[Summary]:
    """Return one summary per environment and policy, in the order they appear.

    The gap of a block is ``max_latency / max_latency of the reference - 1`` on the very same block. Its mean is
    taken over blocks, then over topologies; the 95 % confidence interval is a percentile bootstrap over
    topologies, since blocks of one topology are not independent. The decision time is the median.

    In dynamic worlds a policy's own past shapes its blocks, and there may be nothing that waits: the gap is that
    of the sums over all blocks of all topologies, again with a bootstrap over topologies.

    Args:
        records: Of one or several policies and environments.
        reference: Name of the policy to compare with.

    Raises:
        ValueError: If the reference has no record of a block that another policy has.
    """
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.env, record.policy), []).append(record)
    compared = {
        (env, record.seed, record.block): record.max_latency_ms
        for (env, policy), group in groups.items()
        if policy == reference
        for record in group
    }
    return [_summary(group, compared, reference) for group in groups.values()]


def _gap_of_blocks(pairs: Pairs) -> Gap:
    gaps = [gap_to(*np.transpose(of_network)) for of_network in pairs.values()]
    return Gap.over([float(np.mean(values)) for values in gaps], np.concatenate(gaps))


def _gap_of_episodes(pairs: Pairs) -> Gap:
    return Gap.of_episodes(*np.transpose([np.mean(of_network, axis=0) for of_network in pairs.values()]))


def _summary(group: list[Record], compared: dict[tuple[str, int, int], float], reference: str) -> Summary:
    """Return the summary of a policy in one environment, ``compared`` by environment, seed and block."""
    pairs: Pairs = {}
    for record in group:
        block = (record.env, record.seed, record.block)
        if block not in compared:
            missing = f"it has no record of block {record.block} of seed {record.seed} in {record.env}"
            raise refuse("reference", reference, missing)
        pairs.setdefault(record.seed, []).append((compared[block], record.max_latency_ms))
    gap = _gap_of_episodes(pairs) if group[0].is_dynamic else _gap_of_blocks(pairs)

    def column(name: str) -> NDArray[Any]:
        return np.array([getattr(record, name) for record in group])

    largest_ms = column("max_latency_ms")
    return Summary(
        env=group[0].env,
        policy=group[0].policy,
        topologies=len(pairs),
        blocks=len(group),
        mean_ms=float(largest_ms.mean()),
        median_ms=float(np.median(largest_ms)),
        p95_ms=float(np.percentile(largest_ms, 95)),
        gini=float(column("gini").mean()),
        gap=gap.mean,
        gap_low=gap.low,
        gap_high=gap.high,
        deadline_misses=float(column("deadline_missed").mean()),
        capped=float((column("capped_users") > 0).mean()),
        power_w=float(column("total_power_w").mean()),
        objective_w=float(column("objective_w").mean()),
        decision_ms=float(np.median(column("decision_ms"))),
        gap_p95=gap.p95,
        task=group[0].task,
    )
