"""What the network is told of a block: the statistics of SINRs and latencies at given powers, phases unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mec_cf_gym.baselines.fast.competition import ascend
from mec_cf_gym.baselines.fast.problem import problem_of
from mec_cf_gym.baselines.fast.solver import UNIT_S
from mec_cf_gym.baselines.fast.starts import considerate
from mec_cf_gym.baselines.learned.magnitude.look import BLOCK_FEATURES, LINK_FEATURES, USER_FEATURES, look
from mec_cf_gym.baselines.magnitudes.magnitudes import Magnitudes
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock

INWARD, TOLERANCE, MOST_STEPS = 0.02, 2e-3, 8
"""Of the ascent to the powers that the network starts from. It ends early: inside the bounds, where everybody
keeps a little to spare, powers are better for gains that are not known."""


@dataclass(frozen=True)
class View:
    """A batch of blocks at powers that suit the expected interference; features are of order one."""

    power: Floats  # (B, N, K), the user with the most power at full power
    link: Floats  # (B, N, K, LINK_FEATURES)
    user: Floats  # (B, K, USER_FEATURES)
    block: Floats  # (B, BLOCK_FEATURES)
    coupling: Floats  # (B, K, K), share of user j's signal in what user k receives
    worst_s: Floats  # (B, 1), largest latency at the expected interference, with the best split
    local_s: Floats  # (B, K), time to compute the whole task locally; infinite without a CPU

    @classmethod
    def of(cls, block: CoherenceBlock) -> View:
        """Return the view of a flattened batch of blocks, whose channels' phases are not looked at.

        Raises:
            ValueError: If the block has no channel, or another combiner than maximum-ratio.
        """
        known = Magnitudes.of(block)
        gains, variance = known.expected_interference, known.interference_variance
        batch = problem_of(block, UNIT_S, gains)
        rows, subcarriers, users = batch.signal.shape
        split, inward = considerate(batch)[:, None], np.array([INWARD])
        power, weight, *_ = ascend(batch, split, inward, TOLERANCE, MOST_STEPS, 1)
        view = cls(
            power=power / power.sum(1).max(-1)[:, None, None],
            link=np.empty((rows, subcarriers, users, LINK_FEATURES)),
            user=np.empty((rows, users, USER_FEATURES)),
            block=np.empty((rows, BLOCK_FEATURES)),
            coupling=np.zeros((rows, users, users)),
            worst_s=np.empty((rows, 1)),
            local_s=UNIT_S / np.maximum(batch.local_pace, np.finfo(np.float64).tiny),
        )
        look(batch, variance, view.power, weight, view.link, view.user, view.block, view.coupling, view.worst_s)
        return view
