"""``MECCellFree-v0`` and ``MECCellular-v0``: paper A's networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.envs.vector import MECVectorEnv


class MECCellFreeVectorEnv(MECVectorEnv):
    """The vector form of ``MECCellFree-v0``."""

    fixed_fields: ClassVar[Mapping[str, Any]] = {"deployment": "cell_free"}


class MECCellularVectorEnv(MECVectorEnv):
    """The vector form of ``MECCellular-v0``."""

    fixed_fields: ClassVar[Mapping[str, Any]] = {"deployment": "cellular"}


class MECCellFreeEnv(MECEnv):
    """Joint power control and task splitting in a cell-free massive MIMO network.

    ## Description
    M single-antenna access points (APs) serve K single-antenna users in a disk of 1 km radius over N
    subcarriers. Every coherence block (0.5 ms) each user has a task, computes a part of it itself and offloads
    the rest over the uplink to a server behind the APs. The slowest user counts. This is the network of Nguyen
    et al., "Latency Fairness for MEC-Enabled Cell-free massive MIMO", IEEE Commun. Lett. 29(8), 2025
    (scheme 1; with `local_computing=False` scheme 2).

    ## Action Space
    `Box(0, 1, (N K + K,), float32)`:

    | entries | meaning |
    |---|---|
    | `0 .. N K - 1` | power ratios p[n, k] of a user's budget, row by row: `p[n, k] = action[n K + k]` |
    | `N K .. N K + K - 1` | offload ratios rho[k]: the share of its task that user k offloads |

    A user whose powers sum to more than one is scaled back onto its budget. With `local_computing=False` the
    offload ratios are ignored (all ones). `env.unwrapped.encode(power, offload)` and `.decode(action)`
    translate. Learners that want `[-1, 1]` wrap the environment in Gymnasium's `RescaleAction`.

    ## Observation Space
    `Dict` of float32 boxes. Every entry is `log10(x + 1e-4) / 4` of a ratio x: gains over the noise at full
    power, tasks and speeds over paper A's magnitudes. All stay within [-10, 10].

    | key | shape | of |
    |---|---|---|
    | `signal` | (N, K) | signal gain S[n, k] |
    | `interference` | (N, K, K) | interference gain I[n, k, j] of user j on user k |
    | `task` | (K, 4) | task bits / 1e3, cycles per bit / 1e3, user's CPU / 1 GHz, server share / 1 GHz |
    | `csi` | (N, M, K) | channel power over noise; only with `observation="csi"` |

    ## Rewards
    Minus the largest latency of the users in ms. A link that gives less than `least_spectral_efficiency`
    (0.001 bit/s/Hz: 20 kbit/s, or 50 ms for a task of paper A) counts with that rate, and `info["capped"]` says
    for whom: the reward is finite for every action.

    `reward="energy"` is minus the energy of all users in mJ, and `reward="latency_energy"` minus the largest
    latency in ms and `energy_weight_ms_per_j` (1000) times that energy in J.

    ## Info
    `latency_s`, `rate_bps`, `offload`, `local_latency_s`, `offload_latency_s`, `transmit_energy_j`,
    `computing_energy_j`, `capped` per user, and `max_latency_s`, `gini`, `deadline_missed` of the block that the
    action was applied to. `reset` returns an empty dict.

    Sending takes a user `P sum_n p[n, k]` for the time on the uplink, and computing `kappa f^2` a cycle of its own
    CPU (`effective_capacitance`); servers' energy does not count.

    ## Starting State
    `reset` draws a topology: positions of APs and users, and shadowing. `reset(options={"scenario": ...})`
    draws it from another scenario with the same numbers of APs, users and subcarriers.

    ## Episode End
    Truncation after `episode_blocks` blocks (100). There is no terminal state.

    ## Dynamics
    By default blocks are independent given the topology, and actions do not influence what comes next: a
    **contextual bandit**, in which looking ahead gains nothing. With
    `fading="gauss_markov"` or `mobility="random_waypoint"` and a speed, successive blocks are correlated;
    actions still do not influence them.

    ## Arguments
    Any leaf field of `Scenario` (`num_users=10, num_aps=64, num_subcarriers=4, combiner="mrc", ...`),
    `scenario=Scenario(...)`, and `render_mode="rgb_array"`. The id fixes `deployment`: as a keyword another one is
    refused, in a given scenario it is replaced, so that one scenario serves every id.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECCellFreeVectorEnv


class MECCellularEnv(MECEnv):
    """The same users served by one base station with all M antennas in the centre of the disk.

    ## Description
    Scheme 3 of Nguyen et al., IEEE Commun. Lett. 29(8), 2025, with local computing. Antennas of the base
    station share the path loss and shadowing of a user and fade independently. Everything else, spaces and
    rewards included, is as in `MECCellFree-v0`, so that policies move between both.

    ## Action Space
    As in `MECCellFree-v0`: `Box(0, 1, (N K + K,), float32)`, power ratios, then offload ratios.

    ## Observation Space
    As in `MECCellFree-v0`: `Dict` with `signal`, `interference`, `task` and optionally `csi`.

    ## Rewards
    Minus the largest latency of the users in ms, finite always.

    ## Episode End
    Truncation after `episode_blocks` blocks (100). There is no terminal state.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECCellularVectorEnv
