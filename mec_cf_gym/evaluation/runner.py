"""Running tasks: unit by unit on worker processes, each on disk as soon as it is finished."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import joblib
from tqdm.auto import tqdm

from mec_cf_gym.allocation import Policy
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.episode import Record, run_episode
from mec_cf_gym.evaluation.policies import load_policy
from mec_cf_gym.evaluation.store import RunStore, Unit
from mec_cf_gym.evaluation.summary import Summary, summarise
from mec_cf_gym.evaluation.tasks import Task
from mec_cf_gym.evaluation.timing import BATCH, REPEATS, Cost, batch_decision_ms

LONGEST_BATCH_S = 30.0
"""Batches of which single decisions would take longer than this, in seconds, are not timed."""


def run_tasks(tasks: Sequence[Task], store: RunStore, workers: int) -> list[Record]:
    """Run what is missing of some tasks, and return all their records, task by task.

    The store keeps the records of policies that ran before and are not asked for this time.
    """
    by_name = {task.name: task for task in tasks}
    done = store.finished({task.name: task.blocks for task in tasks})
    store.rewrite(record for records in done.values() for record in records)
    units = [unit for task in tasks for unit in task.units]
    missing = [unit for unit in units if unit not in done]
    work = [(_named_unit, (by_name[unit[0]], unit)) for unit in missing]
    with tqdm(total=len(units), initial=len(units) - len(missing), desc="benchmark", unit="episode") as progress:
        for records in _in_parallel(work, workers):
            store.append(records)
            done[_unit_of(records[0])] = records
            progress.update()
    ordered = {unit: done[unit] for unit in units}
    store.rewrite(record for records in (ordered | done).values() for record in records)
    return [record for records in ordered.values() for record in records]


def _named_unit(task: Task, unit: Unit) -> list[Record]:
    try:
        return run_unit(task, unit)
    except ValueError as error:
        raise ValueError(f"{unit[1]} in {task.name}: {error}") from error


def run_unit(task: Task, unit: Unit) -> list[Record]:
    """Run one policy on one network of a task."""
    _, policy, seed = unit
    env = _env(task.env, task.scenario, task.blocks)
    return list(run_episode(env, policy, _policy(policy), seed, task.blocks, task.name))


def summarise_tasks(tasks: Sequence[Task], records: Iterable[Record], workers: int) -> list[Summary]:
    """Return a summary per task and policy, with what the policy costs; workers must be idle."""
    of_task: dict[str, list[Record]] = {task.name: [] for task in tasks}
    for record in records:
        of_task[record.task].append(record)
    rows = {task.name: summarise(of_task[task.name], task.reference) for task in tasks}
    work = [(costs, (task, rows[task.name])) for task in tasks]
    found = {}
    with tqdm(total=len(tasks), desc="costs", unit="task") as progress:
        for name, task_costs in _in_parallel(work, workers):
            found[name] = task_costs
            progress.update()
    return [
        dataclasses.replace(row, **dataclasses.asdict(found[task.name][row.policy]))
        for task in tasks
        for row in rows[task.name]
    ]


def costs(task: Task, rows: Sequence[Summary]) -> tuple[str, dict[str, Cost]]:
    """Return what the policies of a task cost, by name, and the name of the task."""
    return task.name, {row.policy: _cost(task, row) for row in rows}


def _cost(task: Task, row: Summary) -> Cost:
    brief = row.decision_ms * BATCH * REPEATS <= 1e3 * LONGEST_BATCH_S
    batch_ms = time_batch(task, row.policy) if task.times_batches and brief else math.nan
    if hasattr(_policy(row.policy), "card"):  # which may depend on the size of the last block
        try_policy(task, row.policy)
    return dataclasses.replace(Cost.of_training(_policy(row.policy)), batch_decision_ms=batch_ms)


def try_policy(task: Task, policy: str) -> str:
    """Let a policy decide for the first block of a task; return the reason if it refuses, and else nothing."""
    try:
        run_unit(dataclasses.replace(task, blocks=1), (task.name, policy, task.seeds[0]))
    except ValueError as error:
        return str(error)
    return ""


def admitted(tasks: Sequence[Task], policies: Sequence[str], workers: int) -> list[Task]:
    """Return the tasks with more policies, each wherever it can run.

    Raises:
        ValueError: If a policy can run nowhere.
    """
    asked = [(task, policy) for task in tasks for policy in policies if policy not in task.policies]
    work = [(_tried, pair) for pair in asked]
    answers = dict(tqdm(_in_parallel(work, workers), "trying", len(work), unit="task") if work else ())
    for policy in policies:
        reasons = [answers.get((task.name, policy), "") for task in tasks]
        if all(reasons):
            raise refuse("policies", policy, f"it can run on no task of the suite: {reasons[0]}")
    return [
        _with_answers(task, {name: answers[task.name, name] for of, name in asked if of is task}) for task in tasks
    ]


def _tried(task: Task, policy: str) -> tuple[tuple[str, str], str]:
    """Return the names of a task and a policy, and why the policy refuses the task; empty if it does not."""
    return (task.name, policy), try_policy(task, policy)


def _with_answers(task: Task, answers: dict[str, str]) -> Task:
    """Return a task with more policies, by name with the reason if they refuse it."""
    left_out = dict(task.left_out) | answers
    return dataclasses.replace(
        task,
        policies=(*task.policies, *(name for name, reason in answers.items() if not reason)),
        left_out=tuple((name, reason) for name, reason in left_out.items() if reason),
    )


def time_batch(task: Task, policy: str) -> float:
    """Return the decision time per block, in ms, on a batch; NaN for a policy that takes one block at a time."""
    try:
        return batch_decision_ms(task.env, task.scenario, _policy(policy))
    except ValueError:
        return math.nan


def _in_parallel(work: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]], workers: int) -> Iterator[Any]:
    """Yield the results of calls as they come in."""
    with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        calls = (joblib.delayed(function)(*arguments) for function, arguments in work)
        yield from joblib.Parallel(return_as="generator_unordered")(calls)


@functools.lru_cache(maxsize=4)
def _env(env_id: str, scenario: Any, blocks: int) -> gym.Env[Any, Any]:
    return gym.make(env_id, scenario=scenario, episode_blocks=blocks)


@functools.lru_cache
def _policy(name: str) -> Policy:
    return load_policy(name)


def _unit_of(record: Record) -> Unit:
    return record.task, record.policy, record.seed
