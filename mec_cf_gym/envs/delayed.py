"""``MECCellFreeDelayed``: paper A's cell-free network, seen some blocks late by users in cars."""

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
            usual: Any = self.usual_scenario
            raise refuse("csi_delay_blocks", 0, f"here it must be 1 at least; see Scenario.{usual.__name__}()")
        return resolved


class MECCellFreeClarkeVectorEnv(MECCellFreeDelayedVectorEnv):
    """The vector form of ``MECCellFreeDelayed-v1``."""

    usual_scenario: ClassVar[Callable[..., Scenario] | None] = Scenario.paper_a_clarke


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
    * v0: first release. Its fading is right from one block to the next, and not over the eight of the delay.
    * v1: fading whose correlation is right at every lag, see `MECCellFreeDelayed-v1`. v0 stays as it is.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECCellFreeDelayedVectorEnv


class MECCellFreeClarkeEnv(MECCellFreeDelayedEnv):
    """Joint power control and task splitting on channels that are known late, and can be predicted.

    ## Description
    `MECCellFreeDelayed-v0` with Clarke's fading, and with complex channels to predict it from. Users at 30 m/s
    drive through waves from all around them; the network learns of their channels four blocks (2 ms) later, by
    when they have driven 0.4 wavelengths. The correlation with the last channels seen is J0(2.52) = -0.06: next to
    nothing. But such fading is band-limited, so that the channels before tell more: the best linear prediction
    from the last alone leaves 99.7 % of the variance, that from the last sixteen 18.5 %.

    Channel estimates miss a thousandth of the channel's variance, afresh in every block, as after pilots that
    arrive at 30 dB. From perfect estimates the same prediction would be hardly a problem; no receiver has
    them. What estimates miss also counts as interference in the rewards, of all policies alike.

    The environment is **partially observed**, and actions do not influence what comes next. See the page on
    sequential environments.

    ## Action Space
    As in `MECCellFree-v0`: `Box(0, 1, (N K + K,), float32)`, power ratios, then offload ratios.

    ## Observation Space
    As in `MECCellFree-v0`: `Dict` with `signal`, `interference` and `task`, and with `channel`, (N, M, K, 2): real
    and imaginary parts of the channel estimates h, relative to the noise, with their own phase and the magnitude
    log10(abs(h)^2 / 1e-4 + 1) / 4: 0 for no channel, 1 at the power of the noise, 2 at 40 dB above it.
    `mec_cf_gym.envs.channel_of` returns h.

    Gains and channels are those of `csi_delay_blocks` blocks ago; tasks are current.

    ## Rewards
    As in `MECCellFreeDelayed-v0`: minus the largest latency of the users in ms, in the current block.

    ## Starting State
    As in `MECCellFreeDelayed-v0`: the first observation shows the network's first block.

    ## Episode End
    Truncation after `episode_blocks` blocks (50). There is no terminal state.

    ## Arguments
    As in `MECCellFree-v0`, with the defaults of `Scenario.paper_a_clarke()`: `num_subcarriers=1, fading="clarke",
    observation="channel", csi_error_variance=1e-3, speed_m_per_s=30.0, csi_delay_blocks=4, episode_blocks=50`. The
    delay must be at least 1.

    ## Version History
    * v1: Clarke's fading and complex channels. v0 has first-order Gauss-Markov fading and stays as it is.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECCellFreeClarkeVectorEnv
