"""``mec-cf-gym fit equivariant``: train the equivariant network without labels, test it, and write its weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.learned.command import WEIGHTS, fit
from mec_cf_gym.baselines.learned.equivariant.label_free import (
    LARGEST_BATCH,
    MIXTURE,
    STEPS_PER_EPOCH,
    LabelFreeLearner,
)
from mec_cf_gym.baselines.learned.equivariant.network import EquivariantNetwork
from mec_cf_gym.baselines.learned.equivariant.solver import EquivariantSolver
from mec_cf_gym.baselines.learned.label_free import UNEQUAL, LabelFreeOptions, first_blocks
from mec_cf_gym.baselines.learned.training import train
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.evaluation.gap import Gap, gap_to
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.runs import hold
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class FitEquivariant(LabelFreeOptions):
    """Train the equivariant network without labels, on random networks of the train seeds.

    Writes weights.safetensors with its model card weights.json, and TensorBoard's log. Interrupted, even killed,
    it keeps every finished epoch, and --resume goes on to the very same weights.
    """

    out: Path = Path("runs/equivariant")
    epochs: int = 45


def run(options: FitEquivariant) -> EquivariantSolver:
    """Train, or go on, then test and write the weights.

    Returns:
        The trained solver, with its card.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    options.check()
    with hold(options.out):
        solver = _train_and_test(options)
        solver.save(options.out / WEIGHTS)
    return solver


def _train_and_test(options: FitEquivariant) -> EquivariantSolver:
    torch.manual_seed(options.seed)
    learner = LabelFreeLearner(
        EquivariantNetwork(), epochs=options.epochs, learning_rate=options.learning_rate, seed=options.seed
    )
    progress = train(
        learner,
        options.out,
        epochs=options.epochs,
        patience=options.epochs,
        settings=options.settings(),
        resume=options.resume,
    )
    steps, solver = progress.epochs * STEPS_PER_EPOCH, EquivariantSolver(learner.averaged)
    solver.card = {
        "trained_on": {
            "scenarios": MIXTURE,
            "unequal_users": dict(UNEQUAL),
            "train_seeds": [0, steps * LARGEST_BATCH],
        },
        "training": {**options.settings(), "steps": steps, **dataclasses.asdict(progress)},
        "test": [
            gap_to_optimum(solver, options.test_networks, users) for users in tqdm((10, 20, 50), desc="testing")
        ],
        **provenance(),
    }
    return solver


def gap_to_optimum(solver: Solver, networks: int, num_users: int) -> dict[str, float | None]:
    """Return the gap to the optimum on networks of the test seeds with one subcarrier, as plain JSON."""
    block = first_blocks(Scenario.paper_a(num_subcarriers=1, num_users=num_users), seeds("test", networks))
    gap = gap_to(ExactMinMax().solve(block).max_latency, solver.solve(block).max_latency)
    numbers = Gap.over(gap, gap).to_json("mean", "low", "high", "p99")
    return {
        "num_subcarriers": 1,
        "num_users": num_users,
        "networks": networks,
        **numbers,
        "gap_max": float(gap.max()),
    }


def _run_and_describe(options: FitEquivariant) -> tuple[dict[str, Any], list[str]]:
    card = run(options).card
    return card, [
        f"N = 1, K = {test['num_users']}, {test['networks']} test networks: "
        f"gap to the optimum {test['gap_mean']:.4%}, p99 {test['gap_p99']:.4%}"
        for test in card["test"]
    ]


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym fit equivariant``; return its exit status."""
    return fit("equivariant", FitEquivariant, _run_and_describe, arguments)
