"""``MECUserCentric-v0`` and ``MECMultiCell-v0``: paper B's networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.envs.vector import MECVectorEnv


class MECUserCentricVectorEnv(MECVectorEnv):
    """The vector form of ``MECUserCentric-v0``."""

    fixed_fields: ClassVar[Mapping[str, Any]] = {"deployment": "user_centric"}


class MECMultiCellVectorEnv(MECVectorEnv):
    """The vector form of ``MECMultiCell-v0``."""

    fixed_fields: ClassVar[Mapping[str, Any]] = {"deployment": "multi_cell"}


class MECUserCentricEnv(MECEnv):
    """Joint power control and computing in a user-centric cell-free massive MIMO network.

    ## Description
    L = 100 access points (APs) of A = 4 antennas stand on a grid in a square of 1 km that wraps around, and
    serve K = 20 users in user-centric clusters. APs estimate the channels from five pilots, which
    users share, and a central processor combines what they receive (P-MMSE). Users offload whole tasks of 1 to
    5 Mbit; the servers of their APs and a cloud behind the fronthaul compute them. This is the network of
    Interdonato and Buzzi, "The Promising Marriage of Mobile Edge Computing and Cell-Free Massive MIMO", 2022; its
    physics is that of Demir, Björnson and Sanguinetti, "Foundations of User-Centric Cell-Free Massive MIMO", 2021.

    ## Action Space
    `Box(0, 1, (2 K + L K,), float32)`:

    | entries | meaning |
    |---|---|
    | `0 .. K - 1` | power ratios p[k] of a user's 100 mW |
    | `K .. K + L K - 1` | shares of the APs' servers, AP by AP: user k has `action[K + l K + k]` of AP l |
    | `K + L K .. 2 K + L K - 1` | shares of the cloud's server |

    Shares for users whom an AP does not serve are ignored, and a server whose shares sum to more than one is
    scaled back onto its budget. With `computing_control="least"` the action is only the powers, and users get
    just the computing that meets their deadlines (all of them the same part of it where budgets are too small).
    With `local_computing=True` the offload ratios of paper A follow the powers: users compute a part of their
    tasks themselves, and powers, split and computing are one problem. With `server="dedicated"` users have
    servers of their own (`server_hz`), and the action is that of `MECCellFree-v0`.

    `env.unwrapped.encode(power, offload, computing)` and `.allocation(action)` translate. Learners that want
    `[-1, 1]` wrap the environment in Gymnasium's `RescaleAction`.

    ## Observation Space
    `Dict` of float32 boxes. Every entry is `log10(x + 1e-4) / 4` of a ratio x and stays within [-10, 10].

    | key | shape | of |
    |---|---|---|
    | `signal` | (1, K) | signal gain S[k] over the noise, with the combiners for full power |
    | `interference` | (1, K, K) | interference gain I[k, j] of user j on user k, estimation errors included |
    | `task` | (K, 6 + L) | tasks and servers, see below |
    | `csi` | (1, L A, K) | estimated channel power over noise; only with `observation="csi"` |

    `task` holds task bits / 1e3, cycles per bit / 1e3, the user's CPU / 1 GHz, an equal share of all servers /
    1 GHz, the deadline / 1 s, the cloud / 1 GHz, and each AP's server / 1 GHz if it serves the user, else 0. With
    `server="dedicated"` it has the first four.

    ## Rewards
    Minus the largest total latency of the users in ms: transmission, fronthaul and computing. A link below
    `least_spectral_efficiency` (0.001 bit/s/Hz) counts with that and a server share below 1 MHz with that;
    `info["capped"]` says for whom: the reward is finite for every action.

    `reward="power_fairness"` is the paper's objective instead: the least spectral efficiency, worth
    `fairness_weight_w` (0.6 W per bit/s/Hz), less the total transmit power in W. A user with latency T who misses
    its deadline L costs `deadline_penalty_w (1 + ln(T / L))`.

    ## Info
    Per user `latency_s`, `transmission_latency_s`, `fronthaul_latency_s`, `computing_latency_s`,
    `offload_latency_s`, `local_latency_s`, `rate_bps`, `spectral_efficiency`, `offload`, `server_hz`,
    `transmit_energy_j`, `computing_energy_j`, `missed_users`, `capped`; `max_latency_s`, `gini`,
    `deadline_missed`, `total_power_w` and `objective_w` of the block that the action was applied to. `reset`
    returns an empty dict.

    The receiver computes its combiners for the powers of the action, and so does `mec_cf_gym.rate(block, power)`.

    ## Starting State
    `reset` draws a snapshot: positions, shadowing, pilots, clusters and server speeds. The same seed drops the
    same users in `MECMultiCell-v0`, and gives them the same tasks in every block.
    `reset(options={"scenario": ...})` draws it from another scenario of the same shapes.

    ## Episode End
    Truncation after `episode_blocks` blocks (100). There is no terminal state.

    ## Dynamics
    Fading, the noise of pilots and tasks are drawn anew for every coherence block (200 samples), on the snapshot's
    statistics, and actions do not influence them: a **contextual bandit**. With `fading="gauss_markov"` and a
    speed, channels of successive blocks are correlated; `deadline_s`, `task_bits` and others take ranges.

    With `mobility="random_waypoint"` or `"manhattan"` and a speed users walk: every `snapshot_blocks` blocks (50)
    shadowing, statistics, pilots and clusters follow them, with a hysteresis of `handover_db` (3 dB). For
    `handover_blocks` blocks (2) nobody receives a user whose master AP (in `MECMultiCell-v0`, base station) has
    changed: its signal gain is zero, while others hear what it sends; `info["handovers"]` has a 1 for each user
    whose handover began with the block.

    ## Arguments
    Any leaf field of `Scenario` over those of `Scenario.paper_b()` (`num_users=10, combiner="mmse", ...`),
    `scenario=Scenario.paper_b(...)`, and `render_mode="rgb_array"`. The id fixes `deployment`.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECUserCentricVectorEnv


class MECMultiCellEnv(MECEnv):
    """The same users served by four base stations with 100 antennas each.

    ## Description
    The cellular network that paper B compares with: each user belongs to the base station that it hears best,
    which combines by L-MMSE and computes with its quarter of all servers. There is neither a fronthaul nor a
    cloud. Everything else is as in `MECUserCentric-v0`.

    ## Action Space
    `Box(0, 1, (K + B K,), float32)`: power ratios, then shares of the servers of the B = 4 base stations, one base
    station after the other. Shares for users of other cells are ignored. Options as in `MECUserCentric-v0`.

    ## Observation Space
    As in `MECUserCentric-v0` with the base stations as APs: `Dict` with `signal`, `interference`, `task`
    (K, 6 + B) and optionally `csi`.

    ## Rewards
    Minus the largest total latency of the users in ms, finite always; `reward="power_fairness"` has one least
    spectral efficiency for each cell.

    ## Episode End
    Truncation after `episode_blocks` blocks (100). There is no terminal state.

    ## Arguments
    As in `MECUserCentric-v0`. The covariances of 100 antennas take 30 MB for each row of the vector environment.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECMultiCellVectorEnv
