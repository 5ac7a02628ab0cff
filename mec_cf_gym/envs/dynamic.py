"""``MECCellFreeDynamic-v0`` and ``MECUserCentricDynamic-v0``: networks with queues and batteries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mec_cf_gym.envs.cell_free import MECCellFreeEnv, MECCellFreeVectorEnv
from mec_cf_gym.envs.user_centric import MECUserCentricEnv, MECUserCentricVectorEnv
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario


def _dynamic(scenario: Scenario) -> Scenario:
    """Return a scenario, after checking that its tasks queue up."""
    if not scenario.is_dynamic:
        arrivals = scenario.queues.arrivals
        raise refuse("arrivals", arrivals, "here tasks must queue up; see Scenario.paper_a_dynamic()")
    return scenario


class MECCellFreeDynamicVectorEnv(MECCellFreeVectorEnv):
    """The vector form of ``MECCellFreeDynamic-v0``."""

    usual_scenario: ClassVar[Callable[..., Scenario] | None] = Scenario.paper_a_dynamic

    def _resolve(self, scenario: Scenario | None, fields: Mapping[str, Any]) -> Scenario:
        return _dynamic(super()._resolve(scenario, fields))


class MECUserCentricDynamicVectorEnv(MECUserCentricVectorEnv):
    """The vector form of ``MECUserCentricDynamic-v0``."""

    usual_scenario: ClassVar[Callable[..., Scenario] | None] = Scenario.paper_b_dynamic

    def _resolve(self, scenario: Scenario | None, fields: Mapping[str, Any]) -> Scenario:
        return _dynamic(super()._resolve(scenario, fields))


class MECCellFreeDynamicEnv(MECCellFreeEnv):
    """Power and CPU speed of users with task queues and batteries, served by a cell-free network.

    ## Description
    Paper A's network on one subcarrier of 1 MHz. Tasks arrive in bursts and wait in first-in-first-out queues, at
    the users and, once sent, at their servers. Users compute with a CPU whose energy per bit grows with the square
    of its speed, send with up to 10 mW, and live on a battery that harvests 4 mW. What is not done in a block is
    there in the next, and energy that is spent is gone: **actions have consequences**, and a policy that serves
    the most in each block runs its battery down before the next burst.

    ## Action Space
    `Box(0, 1, (N K + K,), float32)`:

    | entries | meaning |
    |---|---|
    | `0 .. N K - 1` | power ratios p[n, k] of a user's budget, as in `MECCellFree-v0` |
    | `N K .. N K + K - 1` | l[k], the share of its CPU's speed at which user k computes |

    ## Observation Space
    `Dict` of float32 boxes as in `MECCellFree-v0`, where `task` shows the sizes of tasks that may arrive, and

    | key | shape | of |
    |---|---|---|
    | `queue` | (K, 7) | the queue, the battery, and what is to come |

    on the same scale, `log10(x + 1e-4) / 4`: bits that wait at the user, at its server, and that came last, over
    the mean bits of a block; this mean over 1e3; the battery's level over its limit; whether tasks arrive in a
    burst
    now; and whether the harvest is on.

    ## Dynamics
    In a block of T seconds user k computes `min(Q, l f T / C)` bits of its queue Q, and sends at most `R T` of the
    rest. That takes the energy `P sum_n p (sent / R) + kappa (l f)^2 C computed`; where the battery does not hold
    it, both stop in proportion. The server computes `f_ser T / C` bits of what was there before. Then new bits
    arrive, and the battery harvests. A user's power interferes with the others for the whole block.

    ## Rewards
    Minus the largest backlog latency in ms, less `drop_price_ms` for each dropped task: by Little's law, the bits
    of a user that wait at the end of the block, before new ones arrive, over their mean rate of arrival.
    `reward="max_latency"` is minus the age of the oldest such bit instead, which `info` has as `latency_s`.

    ## Info
    `latency_s` (age of the oldest bit), `backlog_latency_s`, `local_bits`, `sent_bits`, `served_bits`,
    `arriving_bits`, `dropped_bits`, `drop_cost_ms`, `transmit_energy_j`, `computing_energy_j`, `starved` (the
    battery was empty),
    `rate_bps`, `server_hz` per user, and `max_latency_s`, `max_backlog_latency_s`, `gini`, `deadline_missed`.

    ## Starting State
    As in `MECCellFree-v0`, with empty queues and full batteries; bursts are in their stationary state.

    ## Episode End
    Truncation after `episode_blocks` blocks (100). There is no terminal state.

    ## Arguments
    As in `MECCellFree-v0`, with the defaults of `Scenario.paper_a_dynamic()`, and why they are so:

    | field | default | reason |
    |---|---|---|
    | `tasks_per_s`, `burst_share` | 2400, 0.3 | 8 Mbit/s within a burst: a CPU computes 1.5 Mbit/s |
    | `burst_s` | 10 ms | bursts outlast a full battery |
    | `battery_j`, `harvest_w` | 50 uJ, 4 mW | a block at full speed takes 6.35 uJ and harvests 2 uJ |
    | `local_hz`, `cycles_per_bit` | 0.3 GHz, 200 | a bit takes 1.8 nJ, and a quarter of it at half speed |
    | `bandwidth_hz` | 1 MHz | sending costs about as much as computing |

    `arrivals` must be a process, not `"every_block"`.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECCellFreeDynamicVectorEnv


class MECUserCentricDynamicEnv(MECUserCentricEnv):
    """Power and shares of servers for users of a user-centric network whose tasks outlive many blocks.

    ## Description
    Paper B's cell-free network. Tasks of 1 to 5 Mbit arrive by a Poisson process, eight a second for each user,
    are sent over dozens of blocks, and computed by the servers of the APs and the cloud, which users share. The
    static `MECUserCentric-v0` counts a task as if its block's rate held for all of it; here it takes what it
    takes.

    ## Action Space
    As in `MECUserCentric-v0`: power ratios, then shares of servers. Users have no CPU of their own.

    ## Observation Space
    As in `MECUserCentric-v0`, and `queue` (K, 7) as in `MECCellFreeDynamic-v0`. Batteries are no limit.

    ## Rewards
    As in `MECCellFreeDynamic-v0`: minus the largest backlog latency in ms.

    ## Episode End
    Truncation after `episode_blocks` blocks (250, half a second). There is no terminal state.

    ## Arguments
    As in `MECUserCentric-v0`, with the defaults of `Scenario.paper_b_dynamic()`. Eight tasks of 3 Mbit and 500
    cycles a bit take 12 GHz of a user's share, 20 GHz on average: a load of 0.6. `arrivals` must be a process, not
    `"every_block"`.

    ## Version History
    * v0: first release.
    """

    vector_class: ClassVar[type[MECVectorEnv]] = MECUserCentricDynamicVectorEnv
