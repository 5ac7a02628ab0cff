"""``MECCellFreeDelayed-v0``: paper A's cell-free network, seen some blocks late by users in cars."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from mec_cf_gym.envs.cell_free import MECCellFreeEnv, MECCellFreeVectorEnv
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.scenario import Scenario


class MECCellFreeDelayedVectorEnv(MECCellFreeVectorEnv):
    """The vector form of ``MECCellFreeDelayed-v0``."""

    usual_scenario: ClassVar[Callable[..., Scenario]] = partial(
        Scenario.paper_a,
        num_subcarriers=1,
        fading="gauss_markov",
        speed_m_per_s=30.0,
        csi_delay_blocks=8,
        episode_blocks=50,
    )


class MECCellFreeDelayedEnv(MECCellFreeEnv):
    """Joint power control and task splitting on channels that are known late.

    ## Description
    `MECCellFree-v0` on one subcarrier, with users at 30 m/s whose channels the network learns of eight blocks
    (4 ms) later: by then most of the fading is new. What stays is where users are, and an average over
    past observations reveals it. The environment is **partially observed**: a policy that remembers earlier
    observations measurably beats those that see only the last one.

    ## Action Space
    As in `MECCellFree-v0`: `Box(0, 1, (N K + K,), float32)`, power ratios, then offload ratios.

    ## Observation Space
    As in `MECCellFree-v0`: `Dict` with `signal`, `interference`, `task` and optionally `csi`. Gains and channels
    are those of `csi_delay_blocks` blocks ago; tasks are current.

    ## Rewards
    Minus the largest latency of the users in ms, finite always, in the current block. The receiver combines with
    the channels of that block.

    ## Starting State
    As in `MECCellFree-v0`; the first observation shows a block that was before the first action.

    ## Episode End
    Truncation after `episode_blocks` blocks (50). There is no terminal state.

    ## Arguments
    As in `MECCellFree-v0`, over other defaults: `num_subcarriers=1, fading="gauss_markov", speed_m_per_s=30.0,
    csi_delay_blocks=8, episode_blocks=50`. Solvers that are given `env.unwrapped.block` see the current channels:
    they are oracles here.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECCellFreeDelayedVectorEnv
