"""Roll-outs and decisions on fixed seeds, and digests of them: what must not change unnoticed.

``CASES`` names a function for each case; it returns arrays by name. ``python -m tests.rollouts.cases`` writes
digests of all of them into ``tests/data/rollouts.json``; the stored ones come from version 0.1.0, before code
moved. Write new ones only when results are meant to change, with ``OMP_NUM_THREADS=1``, and say so in the
change log.

Only the public face is used: ids, names in ``__all__``, and ``env.unwrapped``. Wall times are left out.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mec_cf_gym
from mec_cf_gym import agents, baselines, evaluation

from .decisions import (
    BLOCKS,
    DECIDED,
    KIND_OF,
    POWER_CONTROL,
    TINY,
    behind_wrappers,
    decisions,
    of_an_agent,
    padded,
    with_memory,
)
from .digests import Arrays, Digest, digests_of
from .environments import (
    CLARKE,
    DELAYED,
    DYNAMIC,
    MOVING,
    PAPER_A,
    PAPER_B,
    RANGES,
    as_sb3_sees_it,
    curriculum,
    installed,
    many_agents,
    other_scenario,
    partial_reset,
    plain,
    presets,
    rendered,
    wrapped,
)

STORED = Path(__file__).parents[1] / "data" / "rollouts.json"
Case = tuple[str, Callable[[], Arrays]]  # a name among KINDS, and what returns the arrays
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "users dropped uniformly": ("MECUserCentric-v0", {"user_drop": "uniform"}),
    "independent shadowing": ("MECMultiCell-v0", {"shadowing_correlation_m": 0.0, "user_drop": "uniform"}),
    "gauss_markov fading on a disk": ("MECCellFree-v0", MOVING),
    "gauss_markov fading on a square": ("MECUserCentric-v0", MOVING | {"observation": "csi"}),
    "clarke fading on a disk": ("MECCellFree-v0", MOVING | {"fading": "clarke", "observation": "channel"}),
    "clarke fading on a square": ("MECUserCentric-v0", MOVING | {"fading": "clarke", "observation": "channel"}),
    "random_waypoint": ("MECCellFree-v0", MOVING | {"mobility": "random_waypoint", "radius_m": 30.0}),
    "random_waypoint, cellular": ("MECCellular-v0", MOVING | {"mobility": "random_waypoint", "radius_m": 30.0}),
    **{f"{name} on a disk": ("MECCellFree-v0", {"combiner": name}) for name in ("auto", "mrc", "zf", "mmse")},
    "mmse of imperfect channels": ("MECCellular-v0", {"combiner": "mmse", "csi_error_variance": 0.1}),
    **{
        f"{name} on a square": ("MECUserCentric-v0", {"combiner": name, "fading": "gauss_markov"})
        for name in ("mrc", "mmse", "p_mmse", "p_rzf", "l_mmse", "lp_mmse")
    },
    **{f"{name} in cells": ("MECMultiCell-v0", {"combiner": name}) for name in ("mrc", "mmse", "p_rzf")},
    "log_latency": ("MECCellFree-v0", {"reward": "log_latency"}),
    "power_fairness": ("MECUserCentric-v0", {"reward": "power_fairness", "deadline_s": (0.05, 0.5)}),
    "power_fairness in cells": ("MECMultiCell-v0", {"reward": "power_fairness", "fairness_weight_w": 2.0}),
    "printed receiver noise": ("MECCellFree-v0", {"receiver_noise": "printed"}),
    "imperfect channels": ("MECCellFree-v0", {"csi_error_variance": 0.1, "observation": "csi"}),
    "late channels": ("MECCellFree-v0", MOVING | {"csi_delay_blocks": 2, "observation": "csi"}),
    "late channels on a square": ("MECUserCentric-v0", {"csi_delay_blocks": 1, "fading": "gauss_markov"}),
    "dedicated servers": ("MECUserCentric-v0", {"server": "dedicated", "server_hz": (1e9, 9e9)}),
    "dedicated servers in cells": ("MECMultiCell-v0", {"server": "dedicated", "local_computing": True}),
    "least computing": ("MECUserCentric-v0", {"computing_control": "least"}),
    "least computing in cells": ("MECMultiCell-v0", {"computing_control": "least", "local_computing": True}),
    "a split of tasks and shared servers": (
        "MECUserCentric-v0",
        {"local_computing": True, "local_hz": (2e9, 8e9)},
    ),
    "tasks one by one, sun and shade": (
        "MECCellFreeDynamic-v0",
        {"arrivals": "bernoulli", "tasks_per_s": (500.0, 2000.0), "harvest": "two_state", "queue_bits": 2e3},
    ),
    "recorded tasks and harvests": (
        "MECCellFreeDynamic-v0",
        {"arrivals": "trace", "arrivals_table": (3, 0, 1), "harvest": "trace", "harvest_table": (0.0, 8e-3)},
    ),
    "queues of users with CPUs and batteries on a square": (
        "MECUserCentricDynamic-v0",
        {
            "local_computing": True,
            "battery_j": 1e-4,
            "harvest": "exponential",
            "harvest_w": 0.05,
            "tasks_per_s": 90.0,
        },
    ),
    "everything offloaded": ("MECCellFree-v0", {"local_computing": False}),
    "ranges": ("MECCellular-v0", RANGES),
    "ranges on a square": (
        "MECUserCentric-v0",
        {"ap_hz": 2e9, "cycles_per_bit": (100.0, 900.0), "cloud_hz": 1e10},
    ),
}
DECIBELS = {0: agents.LogPowerAction, 2: agents.LogPowerVectorAction}
MEANS = {0: agents.MeanGains, 2: agents.MeanGainsVector}
FORMS = {0: "single", 2: "vector"}


def environments() -> Iterator[tuple[str, Callable[[], Arrays]]]:
    for rows, form in FORMS.items():
        for env_id in (*PAPER_A, *PAPER_B, DELAYED):
            for observation in ("gains", "csi"):
                case = partial(plain, env_id, rows, inside=True, observation=observation)
                yield f"{env_id} {form} {observation}", case
        yield f"{CLARKE} {form} channel", partial(plain, CLARKE, rows, inside=True)
        for env_id in DYNAMIC:
            yield f"{env_id} {form}", partial(plain, env_id, rows, inside=True)
        yield f"other scenario {form}", partial(other_scenario, PAPER_A[0], rows, radius_m=300.0, combiner="mmse")
        yield f"other snapshots {form}", partial(other_scenario, PAPER_B[0], rows, side_m=300.0, deadline_s=0.1)
        for env_id in (PAPER_A[0], *PAPER_B):
            yield f"LogPowerAction {env_id} {form}", partial(wrapped, DECIBELS[rows], env_id, rows)
        learnt = partial(DECIBELS[rows], least_db=-30.0, split="as_is")
        yield f"LogPowerAction as_is {form}", partial(wrapped, learnt, PAPER_A[0], rows)
        shared = partial(wrapped, DECIBELS[rows], PAPER_B[0], rows, local_computing=True)
        yield f"LogPowerAction with a split {form}", shared
        yield f"MeanGains {form}", partial(wrapped, MEANS[rows], DELAYED, rows, observation="csi")
    for env_id in (PAPER_A[0], PAPER_B[1], DELAYED, CLARKE, *DYNAMIC):
        yield f"partial reset {env_id}", partial(partial_reset, env_id)
    yield "partial reset MeanGains", partial(partial_reset, DELAYED, agents.MeanGainsVector)
    yield "partial reset LogPowerAction", partial(partial_reset, PAPER_A[0], agents.LogPowerVectorAction)
    for name, (env_id, fields) in PARTS.items():
        yield name, partial(plain, env_id, 2, **fields)
    for env_id in (PAPER_A[0], *PAPER_B):
        yield f"parallel_env {env_id}", partial(many_agents, env_id)
    yield "parallel_env individual", partial(many_agents, PAPER_A[0], rewards="individual", num_interferers=2)
    yield "CurriculumEnv", partial(curriculum, agents.CurriculumEnv, agents.LogPowerAction)
    vector = partial(curriculum, agents.CurriculumVectorEnv, agents.LogPowerVectorAction, num_envs=2)
    yield "CurriculumVectorEnv", vector
    yield "SB3VecEnv", partial(as_sb3_sees_it, PAPER_B[0])
    yield "render", partial(rendered, PAPER_B[0])
    yield "installed", installed
    yield "AgentPolicy", behind_wrappers
    yield "PaddedAgent", padded


def solvers() -> Iterator[tuple[str, Case]]:
    for where, names in DECIDED.items():
        env_id, fields = BLOCKS[where]
        for name in names:
            load = partial(evaluation.load_policy, name)
            kind = (
                "too late" if where in ("too late", "one subcarrier") and name in POWER_CONTROL else KIND_OF[name]
            )
            yield f"{name} {where}", (kind, partial(decisions, load, env_id, **fields))
    for name in ("outdated-exact", "averaged-exact"):
        yield name, (KIND_OF[name], lambda name=name: with_memory(evaluation.load_policy(name), rows=2))
    predicted = partial(with_memory, evaluation.load_policy("predicted-exact"), rows=2, env_id=CLARKE)
    yield "predicted-exact", (KIND_OF["predicted-exact"], predicted)
    branches = partial(baselines.BranchAndBound, tolerance=0.01)
    yield "BranchAndBound", ("optimum", partial(decisions, branches, PAPER_A[0], **TINY))
    printed = partial(baselines.ICA, sinr_floors=(0.0,))
    yield "ICA as printed", ("one of many", partial(decisions, printed, PAPER_A[0], **TINY))
    twenty = {"num_aps": 64, "num_users": 20, "num_subcarriers": 4}
    load = partial(baselines.CNNLSTM.load, "paper-a-k20")
    yield "CNNLSTM k20", ("network", partial(decisions, load, PAPER_A[0], **twenty))


def trained() -> Iterator[tuple[str, Case]]:
    names = [name.removeprefix("rl-") for name in evaluation.available_policies() if name.startswith("rl-")]
    for name in names:
        yield f"agent {name}", ("network", partial(of_an_agent, name))
    yield "agent cellfree-k10 of other size", ("network", partial(of_an_agent, "cellfree-k10", num_users=7))
    small = {"num_users": 7, "num_aps": 16}
    yield "agent usercentric of other size", ("network", partial(of_an_agent, "usercentric", **small))


CASES: dict[str, Case] = {
    "presets": ("fields", presets),
    **{name: ("environment", case) for name, case in environments()},
    **dict(solvers()),
    **dict(trained()),
}


def stored() -> dict[str, dict[str, Digest]]:
    """Return the digests on disk, by case and name."""
    cases = json.loads(STORED.read_text())["cases"]
    return {case: {name: Digest.parse(text) for name, text in digests.items()} for case, digests in cases.items()}


def main() -> None:
    """Write the digests of all cases, one array a line."""
    made = {name: version(name) for name in ("numpy", "scipy", "gymnasium", "torch", "cvxpy", "clarabel", "numba")}
    made = {"mec_cf_gym": mec_cf_gym.__version__, "machine": platform.machine(), **made}
    cases = []
    for case, (_, arrays) in CASES.items():
        lines = [
            f"{json.dumps(name)}: {json.dumps(digest.text())}" for name, digest in digests_of(arrays()).items()
        ]
        cases.append(f"{json.dumps(case)}: {{\n" + ",\n".join(lines) + "\n}")
    STORED.write_text(f'{{"made_with": {json.dumps(made)},\n"cases": {{\n' + ",\n".join(cases) + "\n}}\n")


if __name__ == "__main__":
    main()
