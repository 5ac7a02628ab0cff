"""Suites: fixed tasks on seeds of their own, for a league table of everything that is installed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import gymnasium as gym

from mec_cf_gym.evaluation.policies import available_policies
from mec_cf_gym.evaluation.tasks import Task
from mec_cf_gym.registration import PAPER_A_IDS, PAPER_B_IDS, SEQUENTIAL_IDS
from mec_cf_gym.scenario import Scenario

USERS = (10, 20, 50)
SUBCARRIERS = (1, 4)
MOTIONS: dict[str, dict[str, Any]] = {
    "static": {},
    "mobile": {"fading": "gauss_markov", "mobility": "random_waypoint", "speed_m_per_s": (1.0, 30.0)},
}
"""Paper B's networks hold for an episode: there, only the fading moves."""
LOADS: dict[str, dict[str, Any]] = {
    "equal": {},
    "unequal": {
        "task_bits": (500.0, 2000.0),
        "cycles_per_bit": (500.0, 2000.0),
        "local_hz": (0.5e9, 2e9),
        "server_hz": (2e9, 10e9),
    },
}
"""Of paper A's networks."""
LOADS_OF_PAPER_B: dict[str, dict[str, Any]] = {"equal": {"task_bits": 3e6}, "unequal": {}}
CLASSIC = ("full-power", "random", "fractional-power", "equal", "greedy", "water-filling")
SOLVERS = ("exact", "fast", "ica", "exact-power", "sca")
OF_SHARED_SERVERS = ("proportional", "proportional-exact")
"""They divide servers, which other min-max policies share equally."""
OF_THE_PAST = ("outdated-exact", "averaged-exact")
"""What they decide from is what observations have shown: they are for delayed ones."""
LEARNED = ("cnn-lstm", "equivariant")
AGENTS: dict[tuple[str, int], tuple[str, ...]] = {
    ("MECCellFree-v0", 1): ("rl-cellfree-k10", "rl-cellfree-k20", "rl-cellfree-unequal"),
    ("MECCellFree-v0", 4): ("rl-cellfree-k10-n4", "rl-cellfree-unequal-n4"),
    ("MECCellular-v0", 1): ("rl-cellular-n1", "rl-cellular", "rl-cellular-unequal"),
    ("MECCellular-v0", 4): ("rl-cellular", "rl-cellular-unequal"),
    ("MECUserCentric-v0", 1): ("rl-usercentric",),
    ("MECMultiCell-v0", 1): ("rl-multicell",),
    ("MECCellFreeDelayed-v0", 1): ("rl-delayed",),
}
"""Agents by environment and number of subcarriers: those trained on it, or on the nearest."""
CNN_LSTM_SIZES = ((10, 4), (20, 4))
"""(K, N) of the installed weights."""
MOST_POWERS_FOR_ICA = 80
"""K N beyond which ICA is left out in paper A's networks."""
MOST_USERS_IN_PAPER_B = 20
"""Users beyond whom iterations are left out in paper B's."""
ORACLES = "Policies that look at the block see the current channels, and are oracles: no learner can be."


def full() -> tuple[Task, ...]:
    """Return every environment with K = 10, 20, 50; N = 1, 4; static and mobile; equal and unequal users."""
    on_disk = product(PAPER_A_IDS, USERS, SUBCARRIERS, MOTIONS, LOADS)
    on_grid = product(PAPER_B_IDS, USERS, (1,), MOTIONS, LOADS)
    delayed = product(SEQUENTIAL_IDS, USERS, (1,), ("mobile",), LOADS)
    return tuple(_task(*point) for points in (on_disk, on_grid, delayed) for point in points)


def quick() -> tuple[Task, ...]:
    """Return three small tasks that take less than a minute: a look, not a result."""
    points = (("MECCellFree-v0", 10, 1), ("MECCellular-v0", 10, 4), ("MECUserCentric-v0", 10, 1))
    small: dict[str, Any] = {"topologies": 4, "blocks": 2, "headline": True, "times_batches": False}
    return tuple(_task(*point, "static", "equal", **small) for point in points)


SUITES: dict[str, Callable[[], tuple[Task, ...]]] = {"full": full, "quick": quick}
HEADLINES = (
    ("MECCellFree-v0", 10, 1, "static", "equal"),
    ("MECCellFree-v0", 10, 4, "static", "equal"),
    ("MECCellular-v0", 10, 1, "static", "equal"),
    ("MECCellular-v0", 10, 4, "static", "equal"),
    ("MECCellFreeDelayed-v0", 10, 1, "mobile", "equal"),
    ("MECUserCentric-v0", 20, 1, "static", "unequal"),
    ("MECMultiCell-v0", 20, 1, "static", "unequal"),
)
"""The tasks of the summary: each environment as it comes, at K = 10 in paper A's networks and 20 in paper B's."""


def name_of(env_id: str, num_users: int, num_subcarriers: int, motion: str, load: str) -> str:
    """Return the name of a task."""
    return f"{env_id.removesuffix('-v0')} K={num_users} N={num_subcarriers} {motion} {load}"


def _task(env_id: str, num_users: int, num_subcarriers: int, motion: str, load: str, **changes: Any) -> Task:
    headline = (env_id, num_users, num_subcarriers, motion, load) in HEADLINES
    fields = {
        "num_users": num_users,
        **_motion_fields(env_id, motion),
        **(LOADS_OF_PAPER_B if env_id in PAPER_B_IDS else LOADS)[load],
    }
    if env_id in PAPER_A_IDS:
        fields["num_subcarriers"] = num_subcarriers
    takes_part = dict(_entrants(env_id, num_users, num_subcarriers))
    usual = {**_size(env_id, num_users, num_subcarriers), "headline": headline, "times_batches": headline}
    return Task(
        name=name_of(env_id, num_users, num_subcarriers, motion, load),
        env=env_id,
        scenario=usual_scenario(env_id).replace(**fields),
        policies=tuple(name for name, reason in takes_part.items() if not reason),
        left_out=tuple((name, reason) for name, reason in takes_part.items() if reason),
        reference="fast" if num_subcarriers > 1 else "exact",
        split="league",
        remark=ORACLES if env_id in SEQUENTIAL_IDS else "",
        **{**usual, **changes},
    )


def _motion_fields(env_id: str, motion: str) -> dict[str, Any]:
    if env_id in SEQUENTIAL_IDS:
        return {}  # mobile as it comes
    fields = MOTIONS[motion]
    return {name: value for name, value in fields.items() if env_id in PAPER_A_IDS or name != "mobility"}


def _size(env_id: str, num_users: int, num_subcarriers: int) -> dict[str, int]:
    """Return as many networks and blocks as can be afforded."""
    if env_id in SEQUENTIAL_IDS:
        return {"topologies": 30, "blocks": 50}
    if env_id in PAPER_B_IDS:
        return {"topologies": 20, "blocks": 3}
    if num_subcarriers > 1:
        return {"topologies": 24, "blocks": 2}
    return {"topologies": 50 if num_users < max(USERS) else 30, "blocks": 3}


def _entrants(env_id: str, num_users: int, num_subcarriers: int) -> Iterator[tuple[str, str]]:
    """Yield every policy that belongs to a task, with the reason if it does not take part."""
    installed = available_policies()
    of_the_kind = OF_THE_PAST if env_id in SEQUENTIAL_IDS else OF_SHARED_SERVERS if env_id in PAPER_B_IDS else ()
    for policy in (*CLASSIC, *SOLVERS, *of_the_kind, *LEARNED, *AGENTS[env_id, num_subcarriers]):
        reason = _reason_against(policy, env_id, num_users, num_subcarriers)
        yield policy, reason or ("" if policy in installed else "not installed")


def _reason_against(policy: str, env_id: str, num_users: int, num_subcarriers: int) -> str:
    """Return why a policy does not take part; empty if it does."""
    if num_subcarriers == 1 and policy in ("equal", "greedy", "water-filling"):
        return "full power for N = 1"
    if num_subcarriers == 1 and policy == "fast":
        return "exact for N = 1"
    if num_subcarriers > 1 and policy == "exact":
        return "for N = 1 only"
    if policy in ("exact-power", "sca") and env_id not in PAPER_B_IDS:
        return "solves paper B's problem"
    if policy in ("ica", "equivariant") and env_id in SEQUENTIAL_IDS:
        return "an oracle here, as exact is"
    if policy == "cnn-lstm" and (num_users, num_subcarriers) not in CNN_LSTM_SIZES:
        return "no weights for this K and N"
    return "too slow" if _is_too_slow(policy, env_id, num_users, num_subcarriers) else ""


def _is_too_slow(policy: str, env_id: str, num_users: int, num_subcarriers: int) -> bool:
    """Return whether a policy would take seconds a block."""
    if policy == "ica" and env_id not in PAPER_B_IDS:
        return num_users * num_subcarriers > MOST_POWERS_FOR_ICA
    if policy == "exact-power":  # SCA takes over where deadlines cannot be met
        return env_id == "MECMultiCell-v0" and num_users > MOST_USERS_IN_PAPER_B
    return policy in ("ica", "sca") and num_users > MOST_USERS_IN_PAPER_B


@functools.cache
def usual_scenario(env_id: str) -> Scenario:
    """Return the scenario that an environment has if none is given."""
    env: Any = gym.make(env_id).unwrapped
    scenario: Scenario = env.scenario
    return scenario
