"""Suites: fixed tasks on seeds of their own, for a league table of everything that is installed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import gymnasium as gym

from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.evaluation.dynamic_tasks import HEADLINE_LOAD, dynamic_task, dynamic_tasks
from mec_cf_gym.evaluation.environments import is_delayed, is_of_paper_b, of_the_past, usual_scenario
from mec_cf_gym.evaluation.policies import available_policies, cards, load_policy
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.evaluation.tasks import WALKING, Task
from mec_cf_gym.scenario import Scenario

Fields = dict[str, Any]
USERS = (10, 20, 50)
UNEQUAL: Fields = {
    "task_bits": (500.0, 2000.0),
    "cycles_per_bit": (500.0, 2000.0),
    "local_hz": (0.5e9, 2e9),
    "server_hz": (2e9, 10e9),
}
"""Unequal users, where the default scenario has equal ones."""
CLASSIC = ("full-power", "random", "fractional-power", "equal", "greedy", "water-filling")
SOLVERS = ("exact", "fast", "ica", "exact-power", "sca")
OF_SHARED_SERVERS = ("proportional", "proportional-exact")
"""Policies that divide shared servers; other min-max policies share them equally."""
LEARNED = ("cnn-lstm", "equivariant")
ORACLES = "Policies that look at the block see the current channels, and are oracles: no learner can be."
HEADLINES = (
    ("MECCellFree-v0", 10, 1, "static", "equal"),
    ("MECCellFree-v0", 10, 4, "static", "equal"),
    ("MECCellular-v0", 10, 1, "static", "equal"),
    ("MECCellular-v0", 10, 4, "static", "equal"),
    ("MECUserCentric-v0", 20, 1, "static", "unequal"),
    ("MECMultiCell-v0", 20, 1, "static", "unequal"),
    ("MECCellFreeDelayed-v0", 10, 1, "mobile", "equal"),
    ("MECCellFreeDelayed-v1", 10, 1, "mobile", "equal"),
)
"""Tasks of the summary: environments by default, with K = 10 in paper A's networks and K = 20 in paper B's."""


@dataclass(frozen=True)
class Place:
    """An environment with numbers of users and subcarriers."""

    env: str
    num_users: int
    num_subcarriers: int

    @property
    def usual(self) -> Scenario:
        """The environment's default scenario."""
        return usual_scenario(self.env)

    @property
    def size(self) -> Fields:
        """Numbers of networks and of blocks of each, fewer where solving them takes longer."""
        if is_delayed(self.env):
            return {"topologies": 30, "blocks": self.usual.episode.episode_blocks}
        if self.usual.deployment.num_correlations:
            return {"topologies": 20, "blocks": 3}
        if self.num_subcarriers > 1:
            return {"topologies": 24, "blocks": 2}
        return {"topologies": 50 if self.num_users < max(USERS) else 30, "blocks": 3}

    def motions(self) -> dict[str, Fields]:
        """Return scenario fields by the name of the motion; environments that are mobile as such have one."""
        if self.usual.dynamics.fading != "iid":
            return {"mobile": {}}
        return {"static": {}, "mobile": WALKING}

    def loads(self) -> dict[str, Fields]:
        """Return scenario fields for equal and for unequal users, one of which is the default."""
        bits = self.usual.tasks.task_bits
        if isinstance(bits, tuple):
            return {"equal": {"task_bits": sum(bits) / 2}, "unequal": {}}
        return {"equal": {}, "unequal": UNEQUAL}


@functools.cache
def _has_weights(place: Place) -> bool:
    """Return whether the CNN-LSTM, which refuses sizes that it has no weights for, serves a place."""
    if "cnn-lstm" not in available_policies():
        return True
    env = gym.make(place.env, num_users=place.num_users, num_subcarriers=place.num_subcarriers)
    observation, _ = env.reset(seed=seeds("league", 1)[0])
    try:
        load_policy("cnn-lstm").allocate(observation, cast(MECEnv, env.unwrapped).block)
    except ValueError:
        return False
    return True


LEFT_OUT: tuple[tuple[tuple[str, ...], Callable[[Place], bool], str], ...] = (
    (("equal", "greedy", "water-filling"), lambda at: at.num_subcarriers == 1, "full power for N = 1"),
    (("fast",), lambda at: at.num_subcarriers == 1, "exact for N = 1"),
    (("exact",), lambda at: at.num_subcarriers > 1, "for N = 1 only"),
    (("exact-power", "sca"), lambda at: not is_of_paper_b(at.env), "solves paper B's problem"),
    (("ica", "equivariant"), lambda at: is_delayed(at.env), "an oracle here, as exact is"),
    (("cnn-lstm",), lambda at: not _has_weights(at), "no weights for this K and N"),
    (("ica",), lambda at: not is_of_paper_b(at.env) and at.num_users * at.num_subcarriers > 80, "too slow"),
    (("ica", "sca"), lambda at: is_of_paper_b(at.env) and at.num_users > 20, "too slow"),
    # SCA takes over where deadlines cannot be met
    (("exact-power",), lambda at: not at.usual.deployment.has_cloud and at.num_users > 20, "too slow"),
)
"""Policies that are left out, where and why; the first reason counts. Slow ones would take seconds a block."""


def full() -> tuple[Task, ...]:
    """Return every environment with K = 10, 20, 50, N = 1 and its own, static and mobile, equal and unequal.

    Dynamic ones have a size of their own, at three loads, static and mobile, with and without energy as a limit.
    """
    static = (
        _task(place, motion, load)
        for env_id in dict.fromkeys(env_id for env_id, *_ in HEADLINES)
        for users, subcarriers in product(USERS, sorted({1, usual_scenario(env_id).radio.num_subcarriers}))
        for place in [Place(env_id, users, subcarriers)]
        for motion, load in product(place.motions(), place.loads())
    )
    return (*static, *dynamic_tasks())


def quick() -> tuple[Task, ...]:
    """Return four small tasks that take less than a minute: a look, not a result."""
    places = (Place("MECCellFree-v0", 10, 1), Place("MECCellular-v0", 10, 4), Place("MECUserCentric-v0", 10, 1))
    small: Fields = {"topologies": 4, "blocks": 2, "headline": True, "times_batches": False}
    static = (_task(place, "static", "equal", **small) for place in places)
    return (
        *static,
        dynamic_task("MECCellFreeDynamic-v0", "energy", HEADLINE_LOAD, "static", **small | {"blocks": 50}),
    )


SUITES: dict[str, Callable[[], tuple[Task, ...]]] = {"full": full, "quick": quick}


def _task(place: Place, motion: str, load: str, **changes: Any) -> Task:
    env_id, users, subcarriers = place.env, place.num_users, place.num_subcarriers
    headline = (env_id, users, subcarriers, motion, load) in HEADLINES
    entrants = dict(_entrants(place))
    fields = {"num_users": users, "num_subcarriers": subcarriers, **place.motions()[motion], **place.loads()[load]}
    usual = {**place.size, "headline": headline, "times_batches": headline}
    return Task(
        name=f"{env_id.removesuffix('-v0')} K={users} N={subcarriers} {motion} {load}",
        env=env_id,
        scenario=place.usual.replace(**fields),
        policies=tuple(name for name, reason in entrants.items() if not reason),
        left_out=tuple((name, reason) for name, reason in entrants.items() if reason),
        reference="fast" if subcarriers > 1 else "exact",
        split="league",
        remark=ORACLES if is_delayed(place.env) else "",
        **{**usual, **changes},
    )


def _entrants(place: Place) -> Iterator[tuple[str, str]]:
    """Yield every policy that belongs to a task, with the reason if it does not take part."""
    special: tuple[str, ...] = OF_SHARED_SERVERS if is_of_paper_b(place.env) else ()
    special = of_the_past(place.env) if is_delayed(place.env) else special
    known = available_policies()
    for policy in (*CLASSIC, *SOLVERS, *special, *LEARNED, *_agents(place)):
        reasons = (reason for names, applies, reason in LEFT_OUT if policy in names and applies(place))
        yield policy, next(reasons, "" if policy in known else "not installed")


def _agents(place: Place) -> list[str]:
    """Return the agents whose cards name the environment and N, those that were trained with this N first."""
    found = []
    for name, card in cards().items():
        own = card.get("scenario", {}).get("num_subcarriers")
        counts = card.get("league", {}).get("num_subcarriers", [own])
        if card.get("env") == place.env and place.num_subcarriers in counts:
            found.append((own != place.num_subcarriers, name))
    return [name for _, name in sorted(found)]
