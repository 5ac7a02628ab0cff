"""Suites: fixed tasks on seeds of their own, for a league table of everything that is installed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, cast

import gymnasium as gym

from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.evaluation.environments import is_delayed, is_of_paper_a, is_of_paper_b, usual_scenario
from mec_cf_gym.evaluation.policies import available_policies, cards, load_policy
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.evaluation.tasks import Task
from mec_cf_gym.registration import env_ids
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
MOST_POWERS_FOR_ICA = 80
"""K N beyond which ICA is left out in paper A's networks."""
MOST_USERS_IN_PAPER_B = 20
"""Users beyond whom iterations are left out in paper B's."""
ORACLES = "Policies that look at the block see the current channels, and are oracles: no learner can be."


def full() -> tuple[Task, ...]:
    """Return every environment with K = 10, 20, 50; N = 1, 4; static and mobile; equal and unequal users."""
    points: list[tuple[str, int, int, str, str]] = []
    for env_id in env_ids():
        subcarriers = SUBCARRIERS if is_of_paper_a(env_id) else (1,)
        motions = ("mobile",) if is_delayed(env_id) else tuple(MOTIONS)
        points += product((env_id,), USERS, subcarriers, motions, LOADS)
    return tuple(_task(*point) for point in points)


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


def _task(env_id: str, num_users: int, num_subcarriers: int, motion: str, load: str, **changes: Any) -> Task:
    headline = (env_id, num_users, num_subcarriers, motion, load) in HEADLINES
    usual, paper_b = usual_scenario(env_id), is_of_paper_b(env_id)
    moves = {} if is_delayed(env_id) else MOTIONS[motion]  # delayed ones are mobile as they come
    scenario = usual.replace(
        num_users=num_users,
        num_subcarriers=num_subcarriers,
        **{name: value for name, value in moves.items() if not (paper_b and name == "mobility")},
        **(LOADS_OF_PAPER_B if paper_b else LOADS)[load],
    )
    takes_part = dict(_entrants(env_id, scenario))
    fields = {**_size(env_id, scenario), "headline": headline, "times_batches": headline, **changes}
    return Task(
        name=f"{env_id.removesuffix('-v0')} K={num_users} N={num_subcarriers} {motion} {load}",
        env=env_id,
        scenario=scenario,
        policies=tuple(name for name, reason in takes_part.items() if not reason),
        left_out=tuple((name, reason) for name, reason in takes_part.items() if reason),
        reference="fast" if num_subcarriers > 1 else "exact",
        split="league",
        remark=ORACLES if is_delayed(env_id) else "",
        **fields,
    )


def _size(env_id: str, scenario: Scenario) -> dict[str, int]:
    """Return as many networks and blocks as can be afforded."""
    if is_delayed(env_id):
        return {"topologies": 30, "blocks": 50}
    if is_of_paper_b(env_id):
        return {"topologies": 20, "blocks": 3}
    if scenario.radio.num_subcarriers > 1:
        return {"topologies": 24, "blocks": 2}
    return {"topologies": 50 if scenario.layout.num_users < max(USERS) else 30, "blocks": 3}


def _entrants(env_id: str, scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield every policy that belongs to a task, with the reason if it does not take part."""
    installed = available_policies()
    special = OF_THE_PAST if is_delayed(env_id) else OF_SHARED_SERVERS if is_of_paper_b(env_id) else ()
    agents = _agents(env_id, scenario.radio.num_subcarriers)
    for policy in (*CLASSIC, *SOLVERS, *special, *LEARNED, *agents):
        missing = "" if policy in installed else "not installed"
        yield policy, _reason_against(policy, env_id, scenario) or missing


def _agents(env_id: str, num_subcarriers: int) -> list[str]:
    """Return the agents whose cards name the environment and N, those that were trained with this N first."""
    found = []
    for name, card in cards().items():
        own = card["scenario"]["num_subcarriers"]
        if card["env"] == env_id and num_subcarriers in card.get("league", {}).get("num_subcarriers", [own]):
            found.append((own != num_subcarriers, name))
    return [name for _, name in sorted(found)]


def _reason_against(policy: str, env_id: str, scenario: Scenario) -> str:
    """Return why a policy does not take part; empty if it does."""
    num_subcarriers, paper_b = scenario.radio.num_subcarriers, is_of_paper_b(env_id)
    if num_subcarriers == 1 and policy in ("equal", "greedy", "water-filling"):
        return "full power for N = 1"
    if num_subcarriers == 1 and policy == "fast":
        return "exact for N = 1"
    if num_subcarriers > 1 and policy == "exact":
        return "for N = 1 only"
    if policy in ("exact-power", "sca") and not paper_b:
        return "solves paper B's problem"
    if policy in ("ica", "equivariant") and is_delayed(env_id):
        return "an oracle here, as exact is"
    if policy == "cnn-lstm" and not _has_weights(policy, env_id, scenario.layout.num_users, num_subcarriers):
        return "no weights for this K and N"
    return "too slow" if _is_too_slow(policy, env_id, scenario) else ""


@functools.cache
def _has_weights(policy: str, env_id: str, num_users: int, num_subcarriers: int) -> bool:
    """Return whether a learned policy that refuses other sizes serves an environment with this K and N."""
    if policy not in available_policies():
        return True
    env = gym.make(env_id, num_users=num_users, num_subcarriers=num_subcarriers)
    observation, _ = env.reset(seed=seeds("league", 1)[0])
    try:
        load_policy(policy).allocate(observation, cast(MECEnv, env.unwrapped).block)
    except ValueError:
        return False
    return True


def _is_too_slow(policy: str, env_id: str, scenario: Scenario) -> bool:
    """Return whether a policy would take seconds a block."""
    num_users = scenario.layout.num_users
    if policy == "ica" and not is_of_paper_b(env_id):
        return num_users * scenario.radio.num_subcarriers > MOST_POWERS_FOR_ICA
    if policy == "exact-power":  # SCA takes over where deadlines cannot be met
        return env_id == "MECMultiCell-v0" and num_users > MOST_USERS_IN_PAPER_B
    return policy in ("ica", "sca") and num_users > MOST_USERS_IN_PAPER_B
