"""``MECCellFreeDelayed-v0``: paper A's cell-free network, seen some blocks late by users in cars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mec_cf_gym.envs.cell_free import MECCellFreeEnv, MECCellFreeVectorEnv
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario


class MECCellFreeDelayedVectorEnv(MECCellFreeVectorEnv):
    """The vector form of ``MECCellFreeDelayed-v0``."""

    usual_scenario: ClassVar[Callable[..., Scenario] | None] = Scenario.paper_a_delayed

    def _resolve(self, scenario: Scenario | None, fields: Mapping[str, Any]) -> Scenario:
        resolved = super()._resolve(scenario, fields)
        if not resolved.dynamics.csi_delay_blocks:
            raise refuse("csi_delay_blocks", 0, "here it must be 1 at least; see Scenario.paper_a_delayed()")
        return resolved


class MECCellFreeDelayedEnv(MECCellFreeEnv):
    """Joint power control and task splitting on channels that are known late.

    ## Description
    `MECCellFree-v0` on one subcarrier, with users at 30 m/s whose channels the network learns of eight blocks
    (4 ms) later: by then most of the fading is new. What stays is how far users are from the access points, and
    past observations of an episode reveal it together. The environment is **partially observed**: policies that
    remember beat those that see the last observation only. Actions still do not influence what comes next. See
    the page on sequential environments.

    ## Action Space
    As in `MECCellFree-v0`: `Box(0, 1, (N K + K,), float32)`, power ratios, then offload ratios.

    ## Observation Space
    As in `MECCellFree-v0`: `Dict` with `signal`, `interference`, `task` and optionally `csi`. Gains and channels
    are those of `csi_delay_blocks` blocks ago; tasks are current. `env.unwrapped.block` has the current channels,
    so that solvers, which decide on it, are oracles here.

    ## Rewards
    As in `MECCellFree-v0`: minus the largest latency of the users in ms, in the current block. The receiver
    combines with the current channels; only the allocation is decided on old ones.

    ## Starting State
    As in `MECCellFree-v0`, `csi_delay_blocks` blocks later: the first observation shows the network's first block.

    ## Episode End
    Truncation after `episode_blocks` blocks (50). There is no terminal state.

    ## Arguments
    As in `MECCellFree-v0`, with the defaults of `Scenario.paper_a_delayed()`: `num_subcarriers=1,
    fading="gauss_markov", speed_m_per_s=30.0, csi_delay_blocks=8, episode_blocks=50`. The delay must be at
    least 1.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECCellFreeDelayedVectorEnv
