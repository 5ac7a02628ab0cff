"""The exact min-max latency on a single subcarrier."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.baselines.single_user import Floats, latency_bound
from mec_cf_gym.baselines.solution import Solution, Solver, following_combiners
from mec_cf_gym.batches import take_rows
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.performance.latencies import best_latency
from mec_cf_gym.performance.rates import rate

MOST_STEPS = 200
LARGEST_LOG_SINR = 600.0
ROUNDING = 1e-9
CERTIFIED_GAP = 1e-6
"""Relative width of the bracket up to which the status is optimal; wider ones come from gains beyond physics."""


class ExactMinMax(Solver):
    """The global optimum for N = 1, with a certificate, for any tasks, CPUs and budgets, in batches.

    With the best split a user's latency falls with its rate, so a target latency asks every user for one rate,
    that is one SINR. The least powers that reach all of them solve a K x K linear system; they exist, and are
    within the budgets, or no powers reach the target. A search for the target whose largest power is one
    brackets the optimum.

    Args:
        tolerance: Relative width of the bracket at which to stop.

    Raises:
        ValueError: If the tolerance is not positive; from ``solve``, if the block has several subcarriers.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3, num_subcarriers=1).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(ExactMinMax().solve(env.block).status)
        optimal
    """

    def __init__(self, tolerance: float = 1e-13) -> None:
        if not tolerance > 0:
            raise refuse("tolerance", tolerance, "it must be positive")
        self.tolerance = tolerance

    @following_combiners
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the optimal allocation; ``lower_bound`` is the certificate, in seconds."""
        if block.num_subcarriers != 1:
            allowed = "the exact optimum is known for a single subcarrier only; use ICA"
            raise refuse("num_subcarriers", block.num_subcarriers, allowed)
        flat = dataclasses.replace(block.flattened(), channel=None)
        power = np.ones(flat.signal_gain.shape)
        bracket = Bracket.around(latency_bound(flat), best_latency(flat, rate(flat, power)).max(-1))
        history = [bracket.reached]
        for _ in range(MOST_STEPS):
            wide = bracket.reached > (1 + self.tolerance) * bracket.unreached
            if not wide.any():
                break
            target = bracket.next_target(self.tolerance)
            trial = np.zeros((*target.shape, block.num_users))
            trial[wide] = least_power(flat if wide.all() else take_rows(flat, wide), target[wide])
            excess = excess_of(trial.max(-1))
            better = wide & (excess <= 0)
            power = np.where(better[..., None, None], trial[..., None, :], power)
            bracket.narrow(target, excess, better, wide & ~better)
            history.append(bracket.reached)
        power = power.reshape(block.signal_gain.shape)
        reached, unreached = (
            bracket.reached.reshape(block.batch_shape),
            bracket.unreached.reshape(block.batch_shape),
        )
        certified = reached <= (1 + CERTIFIED_GAP) * unreached
        return Solution.at(
            block,
            power,
            np.where(certified, "optimal", "gap open"),
            history=np.stack(history, axis=-1).reshape(*block.batch_shape, -1),
            lower_bound=np.minimum(unreached, reached),
        )


@dataclass
class Bracket:
    """Targets between which the optimum lies, and the excess of the largest power that each asks for."""

    unreached: Floats  # (...), seconds; no powers reach less
    reached: Floats  # (...), seconds
    excess: Floats  # (...), at unreached: positive
    spare: Floats  # (...), at reached: at most zero
    moved: Floats  # (...), the end that moved last: 1 for reached, -1 for unreached

    @classmethod
    def around(cls, unreached: Floats, reached: Floats) -> Bracket:
        """Return a bracket of which only the ends are known; the middle is tried first."""
        one = np.ones(unreached.shape)
        return cls(np.minimum(unreached, reached), np.asarray(reached), one, -one, 0 * one)

    def next_target(self, tolerance: float) -> Floats:
        """Return where a straight line through the ends is zero, ``(...)``, in seconds.

        The target is moved a little towards the end that is farther away, so that this one follows, too.
        """
        share = self.excess / (self.excess - self.spare)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # a closed bracket is not looked at
            width = self.reached - self.unreached
            nudge = tolerance / 3 * self.reached / width
            share = np.clip(share + np.where(share < 0.5, nudge, -nudge), 1e-3, 1 - 1e-3)
            return np.asarray(self.unreached + width * share)

    def narrow(self, target: Floats, excess: Floats, better: NDArray[np.bool_], worse: NDArray[np.bool_]) -> None:
        """Move an end to ``target``; an end that stays twice then counts half (Illinois rule)."""
        self.reached = np.where(better, target, self.reached)
        self.unreached = np.where(worse, target, self.unreached)
        keeps_excess = np.where(better & (self.moved == 1), self.excess / 2, self.excess)
        keeps_spare = np.where(worse & (self.moved == -1), self.spare / 2, self.spare)
        self.excess = np.where(worse, excess, keeps_excess)
        self.spare = np.where(better, excess, keeps_spare)
        self.moved = np.where(better, 1, np.where(worse, -1, self.moved))


def excess_of(largest_power: Floats) -> Floats:
    """Return a measure of the largest power, ``(...)`` both: zero where it is one, and one where there is none."""
    least_log = -50.0
    power = np.where(np.isnan(largest_power), math.inf, np.maximum(largest_power, math.exp(least_log)))
    return np.where(power <= 1, np.log(np.minimum(power, 1)), 1 - 1 / power)


def least_power(block: CoherenceBlock, target_s: Floats) -> Floats:
    """Return the least powers with which all users meet a target latency, on a single subcarrier.

    With ``a_k = sinr_k / S_k``, the power needed without interference, and ``q_k = 1 + sum_j I_kj p_j``, what is
    heard beside the signal, ``p_k = a_k q_k`` and ``q = 1 + I diag(a) q``: a linear system in q, whose matrix is
    an M-matrix exactly if the SINRs can be reached at all, and then ``q >= 1``.

    Args:
        block: A block with N = 1.
        target_s: Target latency, ``(...)``, in seconds.

    Returns:
        Power ratios, ``(..., K)``: NaN if no powers meet the target, above one if the budgets do not.
    """
    sinr = required_sinr(block, target_s)
    signal_gain = np.asarray(block.signal_gain, np.float64)[..., 0, :]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        alone = np.where(sinr > 0, sinr / signal_gain, 0.0)
    possible = (alone <= 1).all(-1, keepdims=True)
    alone = np.where(possible, alone, 0.0)
    interference_gain = np.asarray(block.interference_gain, np.float64)[..., 0, :, :]
    system = np.eye(block.num_users) - interference_gain * alone[..., None, :]
    heard = _solve(system, np.ones(alone.shape))
    reachable = possible & (heard >= 1 - ROUNDING).all(-1, keepdims=True)
    return np.where(reachable, alone * heard, np.nan)


def required_sinr(block: CoherenceBlock, target_s: Floats) -> Floats:
    """Return the SINR each user needs on a single subcarrier to meet a target latency with the best split.

    Args:
        block: A block with N = 1.
        target_s: Target latency, ``(...)``, in seconds.

    Returns:
        ``(..., K)``, linear: zero for a user that needs no link, infinite for one that no link would help.
    """
    needed = required_nats(block, target_s)
    return np.where(needed < LARGEST_LOG_SINR, np.expm1(np.minimum(needed, LARGEST_LOG_SINR)), math.inf)


def required_nats(block: CoherenceBlock, target_s: Floats | float) -> Floats:
    """Return the rate each user needs to meet a target latency with the best split, in nats per use.

    Args:
        block: A block with any number of subcarriers.
        target_s: Target latency, ``(...)``, in seconds.

    Returns:
        Sums of ``log(1 + SINR)`` over the subcarriers, ``(..., K)``: zero for a user that needs no link, infinite
        for one that no link would help.
    """
    target = np.asarray(target_s, np.float64)[..., None]
    cycles = block.task_cycles
    local_share_per_s = block.local_hz / cycles
    # T_loc T_off / (T_loc + T_off) = target, solved for T_off, less what the server needs of it
    link_share_per_s = 1 / target - local_share_per_s
    with np.errstate(divide="ignore", invalid="ignore"):
        transmission_s = 1 / link_share_per_s - cycles / block.server_hz
        nats = math.log(2) * block.link_bits / (block.data_bandwidth_hz * transmission_s)
    reachable = np.where(transmission_s > 0, nats, math.inf)
    return np.where(link_share_per_s > 0, reachable, 0.0)


def _solve(matrix: Floats, right: Floats) -> NDArray[np.float64]:
    """Return ``matrix^-1 right``, ``(..., K)``, for matrices ``(..., K, K)``."""
    try:
        return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0], np.float64)
    except np.linalg.LinAlgError:  # exactly singular: step off the point
        nudged = matrix * (1 + 1e-12 * np.eye(matrix.shape[-1]))
        return np.asarray(np.linalg.solve(nudged, right[..., None])[..., 0], np.float64)
