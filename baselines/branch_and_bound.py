"""Branch and bound: the optimum of tiny networks with several subcarriers, with a certificate."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np

from mec_cf_gym.baselines.exact import required_nats
from mec_cf_gym.baselines.heuristics import EqualSplit
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solution, Solver, following_combiners, row_by_row
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.performance.latencies import best_latency, best_offload, latency
from mec_cf_gym.performance.rates import rate, received_interference, sinr

MOST_UNKNOWNS = 8
"""Rates to search over, (N - 1) K, up to which a network closes, or its gap is small, within seconds."""
LEAST_TOLERANCE = 1e-6
ROUNDING = 1e-9
"""Violation of a bound that counts as rounding, far below any tolerance."""
LEAST_GAIN = 1e-100
"""Takes the place of a zero gain in denominators."""
SPREADS = np.geomspace(3.0, 1e-3, 40)
SAMPLES = 64
"""The search for a start draws so many splits at each spread, of the logarithm of the rates."""
BISECTIONS = 12

OPTIMAL = "optimal"
NODE_LIMIT = "node limit"


class BranchAndBound(Solver):
    """The global optimum of tiny networks, to a tolerance; it takes any tasks, CPUs and gains.

    A target latency asks every user for one total rate. With its split over the subcarriers, y_nk, fixed, the
    least powers P_n(y_n) solve a linear system on each subcarrier, and the target is met if they keep the budgets,
    ``sum_n P_n <= 1``. All P_n grow in all rates, and so do their slopes. The search is therefore over boxes of
    the rates, (N - 1) K unknowns rather than the N K powers, for a target just below the best latency known. A box
    is dropped when ``sum_n P_n(low) + slopes . (y - low)``, the least over its y with the total rates asked for,
    breaks a budget; what slack is left bounds the rates from above, the totals bound them from below. This is
    mixed monotonic programming (Matthiesen et al., IEEE Trans. Signal Process. 68, 2020) with a bound that is of
    second order in the size of a box.

    Args:
        tolerance: Relative gap between latency and lower bound to reach.
        max_boxes: Boxes to look at, at most.

    Raises:
        ValueError: If the tolerance is below 1e-6 or ``max_boxes`` below one; from ``solve``, if (N - 1) K
            exceeds 8.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3, num_aps=8, num_subcarriers=2).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(BranchAndBound(tolerance=0.01).solve(env.block).status)
        optimal
    """

    def __init__(self, tolerance: float = 1e-3, max_boxes: int = 200_000) -> None:
        if not tolerance >= LEAST_TOLERANCE:
            raise refuse("tolerance", tolerance, f"it must be at least {LEAST_TOLERANCE}")
        if max_boxes < 1:
            raise refuse("max_boxes", max_boxes, "it must be at least 1")
        self.tolerance = tolerance
        self.max_boxes = max_boxes

    @following_combiners
    @row_by_row
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the best allocation found; ``lower_bound`` is the certificate, in seconds.

        ``status`` is ``"optimal"``, or ``"node limit"`` if ``max_boxes`` did not suffice: then the gap between
        latency and bound is wider than the tolerance. A batch is solved row by row; ``history`` and
        ``step_time_s`` count rounds, in each of which all open boxes are reduced and split.
        """
        if (block.num_subcarriers - 1) * block.num_users > MOST_UNKNOWNS:
            allowed = f"(num_subcarriers - 1) * num_users must be at most {MOST_UNKNOWNS}; use ICA"
            raise refuse("num_users", block.num_users, allowed)
        network = Network(block)
        power = start(network)
        boxes, unreached = network.everything()
        history, times, looked_at = [network.largest_s(power)], [], 0
        target = float(history[0]) / (1 + self.tolerance)
        while target > unreached and len(boxes.low) and looked_at + len(boxes.low) <= self.max_boxes:
            began = time.perf_counter()
            looked_at += len(boxes.low)
            boxes = reduce(network, boxes, target)
            power = network.best(power, inside(network, boxes, target))
            boxes = split(network, boxes, target)
            times.append(time.perf_counter() - began)
            history.append(network.largest_s(power))
            target = float(history[-1]) / (1 + self.tolerance)
        is_open = target > unreached and len(boxes.low) > 0
        lower_bound = missed(network, boxes, unreached, target) if is_open else max(unreached, target)
        reached = float(latency(block, power, best_offload(block, power)).max())
        return Solution.at(
            block,
            power,
            NODE_LIMIT if is_open else OPTIMAL,
            history=np.array(history),
            lower_bound=np.asarray(min(lower_bound, reached)),  # they may differ by rounding
            step_time_s=np.array(times),
        )


class Boxes(NamedTuple):
    """Sets of rates ``low <= y <= high``, in nats per use of a subcarrier."""

    low: Floats  # (boxes, N, K)
    high: Floats  # (boxes, N, K)


class Network:
    """Gains of a single block, and the rates and latencies of powers in it."""

    def __init__(self, block: CoherenceBlock) -> None:
        self.block = block
        self.signal_gain = np.maximum(np.asarray(block.signal_gain, np.float64), LEAST_GAIN)  # (N, K)
        self.interference_gain = np.asarray(block.interference_gain, np.float64)  # (N, K, K)
        self.own_error = np.diagonal(self.interference_gain, axis1=-2, axis2=-1)  # (N, K)

    def everything(self) -> tuple[Boxes, float]:
        """Return the box of all rates users could have without the others, and the latency if they had them."""
        high = np.log1p(np.asarray(self.block.signal_gain, np.float64) / (1 + self.own_error))
        rate_bps = self.block.data_bandwidth_hz / math.log(2) * high.sum(-2)
        return Boxes(np.zeros((1, *high.shape)), high[None]), float(best_latency(self.block, rate_bps).max())

    def nats(self, power: Floats) -> Floats:
        """Return the rates at ``power``, ``(..., N, K)``, in nats per use."""
        return np.asarray(np.log1p(sinr(self.signal_gain, self.interference_gain, power)))

    def heard(self, power: Floats) -> Floats:
        """Return noise and interference over the noise at powers ``(..., N, K)``: ``(..., N, K)``."""
        return np.asarray(1 + received_interference(self.interference_gain, power))

    def largest_s(self, power: Floats) -> Floats:
        """Return the largest latency with the best split at powers ``(..., N, K)``: ``(...)``, in seconds."""
        return np.asarray(best_latency(self.block, rate(self.block, power)).max(-1))

    def best(self, power: Floats, trials: Floats) -> Floats:
        """Return the best of ``power``, ``(N, K)``, and ``trials``, ``(trials, N, K)``."""
        candidates = np.concatenate([power[None], trials])
        return np.asarray(candidates[self.largest_s(candidates).argmin()])

    def least_power(self, nats: Floats) -> tuple[Floats, Floats]:
        """Return the least powers with these rates, and how much they grow with each of them.

        Args:
            nats: ``(..., N, K)``.

        Returns:
            ``(..., N, K)``; slopes ``dP_i / dy_j``, ``(..., N, K, K)``. NaN where no powers reach the rates.
        """
        alone = np.expm1(nats) / self.signal_gain
        inverse = invert(np.eye(alone.shape[-1]) - alone[..., None] * self.interference_gain)
        power = (inverse @ alone[..., None])[..., 0]
        slopes = inverse * ((alone + 1 / self.signal_gain) * self.heard(power))[..., None, :]
        return power, slopes

    def within_budgets(self, nats: Floats) -> Floats:
        """Return the least powers for rates ``(..., N, K)``, scaled to spend one budget; or zero ones."""
        power = self.least_power(nats)[0]
        largest = power.sum(-2).max(-1)[..., None, None]
        return np.where(largest > 0, power / np.where(largest > 0, largest, 1.0), 0.0)


def invert(matrix: Floats) -> Floats:
    """Return the inverses of M-matrices, ``(..., K, K)``; NaN for a matrix that is none.

    Elimination without exchanging rows meets positive pivots only, exactly if it is an M-matrix.
    """
    inverse = matrix.copy()
    for k in range(matrix.shape[-1]):
        pivot = inverse[..., k, k, None]
        pivot = np.where(pivot > 0, pivot, math.nan)
        column = inverse[..., :, k].copy()
        row = inverse[..., k, :] / pivot
        inverse -= column[..., :, None] * row[..., None, :]
        inverse[..., k, :] = row
        inverse[..., :, k] = -column / pivot
        inverse[..., k, k] = 1 / pivot[..., 0]
    return inverse


def start(network: Network) -> Floats:
    """Return good powers, ``(N, K)``: from an equal split, by splits of the rates ever closer to the best."""
    rng = np.random.default_rng(0)
    power = EqualSplit().power(network.block)
    for spread in SPREADS:
        share = network.nats(power) * np.exp(spread * rng.normal(size=(SAMPLES, *power.shape)))
        share /= np.maximum(share.sum(-2, keepdims=True), LEAST_GAIN)
        needed = required_nats(network.block, network.largest_s(power))
        power = network.best(power, network.within_budgets(share * needed))
    return power


def reduce(network: Network, boxes: Boxes, target_s: float) -> Boxes:
    """Return what is left of the boxes where the target might be met; every rate vector that meets it stays."""
    low, high = boxes
    needed = required_nats(network.block, target_s)
    low = np.maximum(low, needed - (high.sum(-2, keepdims=True) - high))
    keep = (low <= high * (1 + ROUNDING)).all((-1, -2))
    low, high = low[keep], high[keep]
    power, slopes = network.least_power(low)
    missing = np.maximum(needed - low.sum(-2), 0.0)  # (boxes, K), goes where it costs each budget least
    cheapest = slopes.min(-3)  # (boxes, K, K)
    spare = 1 - power.sum(-2) - (cheapest @ missing[..., None])[..., 0]  # (boxes, K), of the budgets
    keep = (spare >= -ROUNDING).all(-1)  # NaN compares false
    low, high, power, slopes, cheapest = (x[keep] for x in (low, high, power, slopes, cheapest))
    spare = np.maximum(spare[keep], 0.0)
    dearer = slopes - cheapest[:, None]  # (boxes, N, K, K)
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(dearer > 0, spare[:, None, :, None] / dearer, math.inf).min(-2)
    most = np.maximum(
        1 - (power.sum(-2, keepdims=True) - power), 0.0
    )  # what the other subcarriers leave of the budget
    alone = np.log1p(most * network.signal_gain / (network.heard(power) + network.own_error * (most - power)))
    return Boxes(low, np.minimum(high, np.minimum(alone, low + room)))


def inside(network: Network, boxes: Boxes, target_s: float) -> Floats:
    """Return powers within the budgets from each box, ``(boxes, N, K)``, with the missing rates over its width."""
    missing = required_nats(network.block, target_s) - boxes.low.sum(-2)
    width = np.maximum(boxes.high - boxes.low, 0.0)
    share = width / np.maximum(width.sum(-2, keepdims=True), LEAST_GAIN)
    return network.within_budgets(boxes.low + np.maximum(missing, 0.0)[:, None] * share)


def split(network: Network, boxes: Boxes, target_s: float) -> Boxes:
    """Return the boxes, each halved where its linear bound errs most over the rates still missing; points stay."""
    low, high = boxes
    missing = np.maximum(required_nats(network.block, target_s) - low.sum(-2, keepdims=True), 0.0)
    step = np.minimum(missing, high - low)
    error = network.least_power(low)[1].max(-2) * (np.expm1(step) - step)  # (boxes, N, K)
    edges = math.prod(low.shape[1:])
    longest = error.reshape(len(low), edges).argmax(-1)[:, None, None]
    cut = (longest == np.arange(edges).reshape(low.shape[1:])) & (step > ROUNDING * high)
    middle = low + step / 2
    halved = cut.any((-1, -2))
    low_half = Boxes(low[halved], np.where(cut, middle, high)[halved])
    high_half = Boxes(np.where(cut, middle, low), high)
    return Boxes(*(np.concatenate(halves) for halves in zip(low_half, high_half, strict=True)))


def missed(network: Network, boxes: Boxes, unreached: float, target_s: float) -> float:
    """Return the largest latency found, up to the target, that no open box can meet."""
    for _ in range(BISECTIONS):
        middle = (unreached + target_s) / 2
        alive = reduce(network, boxes, middle)
        if len(alive.low):
            boxes, target_s = alive, middle
        else:
            unreached = middle
    return unreached
