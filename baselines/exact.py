"""The exact min-max latency on a single subcarrier."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solution, Solver, following_combiners
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse

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
        from mec_cf_gym.baselines.fast.bracket import bracket_rows  # numba takes long to import

        cycles = np.asarray(block.task_cycles, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            local_pace = np.where(cycles > 0, np.asarray(block.local_hz) / cycles, math.inf)
            server_s = cycles / np.asarray(block.server_hz)
        nats_s = math.log(2) * np.asarray(block.link_bits) / block.data_bandwidth_hz
        lead, users = block.batch_shape, block.num_users
        power, reached, unreached, history = bracket_rows(
            rows_of(np.asarray(block.signal_gain)[..., 0, :], lead, users),
            rows_of(np.asarray(block.interference_gain)[..., 0, :, :], lead, users, users),
            rows_of(local_pace, lead, users),
            rows_of(nats_s, lead, users),
            rows_of(server_s, lead, users),
            self.tolerance,
        )
        certified = (reached <= (1 + CERTIFIED_GAP) * unreached).reshape(lead)
        return Solution.at(
            block,
            power.reshape(block.signal_gain.shape),
            np.where(certified, "optimal", "gap open"),
            history=history.reshape(*lead, -1),
            lower_bound=np.minimum(unreached, reached).reshape(lead)[()],
        )


def rows_of(values: NDArray[Any], lead: tuple[int, ...], *tail: int) -> Floats:
    """Return values with leading axes, or none, as rows ``(rows, *tail)`` in double precision."""
    rows = np.broadcast_to(np.asarray(values, np.float64), lead + tail).reshape(-1, *tail)
    return np.ascontiguousarray(rows)


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
