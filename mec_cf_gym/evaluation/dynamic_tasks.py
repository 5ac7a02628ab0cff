"""League tasks on dynamic networks: by load, by motion, with and without batteries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import product
from typing import Any

from mec_cf_gym.evaluation.environments import usual_scenario
from mec_cf_gym.evaluation.policies import available_policies, cards
from mec_cf_gym.evaluation.tasks import WALKING, Task

Fields = dict[str, Any]
MOTIONS: dict[str, Fields] = {"static": {}, "mobile": WALKING}
LOADS = (0.5, 0.8, 0.95)
POLICIES = ("full-power", "random", "drift-plus-penalty", "lookahead", "myopic")
REFERENCE = "drift-plus-penalty"
CAPACITY_PER_S: dict[tuple[str, str], float] = {
    ("MECCellFreeDynamic-v0", "energy"): 3400.0,
    ("MECCellFreeDynamic-v0", "no energy"): 5200.0,
    ("MECUserCentricDynamic-v0", "no energy"): 13.0,
}
"""Tasks of a user that networks can carry in a second, a load of one: medians of ``benchmarks/load.py``."""
HEADLINE_LOAD = 0.8


def dynamic_tasks() -> Iterator[Task]:
    """Yield every dynamic environment at three loads, static and mobile, with and without energy as a limit."""
    for (env_id, energy), load, motion in product(CAPACITY_PER_S, LOADS, MOTIONS):
        yield dynamic_task(env_id, energy, load, motion)


def dynamic_task(env_id: str, energy: str, load: float, motion: str, **changes: Any) -> Task:
    """Return a task on dynamic networks.

    Args:
        env_id: Id of a dynamic environment.
        energy: ``"energy"`` with the environment's batteries, ``"no energy"`` without.
        load: Tasks a second over those that the networks can carry.
        motion: ``"static"`` or ``"mobile"``.
        **changes: Fields of the task to replace.
    """
    usual = usual_scenario(env_id)
    fields = {"tasks_per_s": load * CAPACITY_PER_S[env_id, energy], **MOTIONS[motion]}
    if energy == "no energy":
        fields["battery_j"] = float("inf")
    as_it_comes = fields.get("battery_j", usual.energy.battery_j) == usual.energy.battery_j
    headline = load == HEADLINE_LOAD and motion == "static" and as_it_comes
    task = Task(
        name=f"{env_id.removesuffix('-v0')} K={usual.layout.num_users} load {load} {motion} {energy}",
        env=env_id,
        scenario=usual.replace(**fields),
        policies=tuple(name for name in (*POLICIES, *_agents(env_id)) if name in available_policies()),
        reference=REFERENCE,
        split="league",
        topologies=30 if usual.computing.server == "dedicated" else 20,
        blocks=usual.episode.episode_blocks,
        headline=headline,
        times_batches=headline,
    )
    return dataclasses.replace(task, **changes)


def _agents(env_id: str) -> list[str]:
    """Return the agents whose cards name the environment."""
    return [name for name, card in cards().items() if card.get("env") == env_id]
