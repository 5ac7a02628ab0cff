"""``mec-cf-gym fit equivariant``: train the equivariant network without labels, test it, and write its weights."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from tqdm.auto import tqdm

from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.learned.equivariant import EquivariantSolver
from mec_cf_gym.baselines.learned.equivariant_network import EquivariantNetwork
from mec_cf_gym.baselines.learned.label_free import (
    LARGEST_BATCH,
    MIXTURE,
    STEPS_PER_EPOCH,
    UNEQUAL,
    LabelFreeLearner,
    first_blocks,
)
from mec_cf_gym.baselines.learned.training import train
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.gap import Estimate, gap_to
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.scenario import Scenario

WEIGHTS = "weights"
"""Name of the trained weights in the folder of a run."""


@dataclass(frozen=True, kw_only=True)
class FitEquivariant:
    """Train the equivariant network without labels, on random networks of the train seeds.

    Writes weights.safetensors with its model card weights.json, and TensorBoard's log. Interrupted, even killed,
    it keeps every finished epoch, and --resume goes on to the very same weights.
    """

    out: Path = Path("runs/equivariant")
    """Folder for the results."""
    epochs: int = 45
    """Epochs of 50 steps; the learning rate falls to zero over them."""
    learning_rate: float = 2e-3
    """Largest step size of Adam."""
    seed: int = 0
    """Of the weights, and of the scenarios that networks are drawn from."""
    test_networks: int = 1000
    """Networks of each size to test with, one subcarrier each, whose optimum is known."""
    resume: bool = False
    """Go on with the run in the folder, if there is one."""

    def settings(self) -> dict[str, Any]:
        """Return what decides the result, and must not change when a run goes on."""
        return {name: getattr(self, name) for name in ("learning_rate", "seed", "epochs")}

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        checked_count("epochs", self.epochs, 1, 10**5)
        checked_count("seed", self.seed, 0, 2**63)
        checked_count("test_networks", self.test_networks, 2, 10**6)
        if not 0 < self.learning_rate < 1:
            raise refuse("learning_rate", self.learning_rate, "it must be between 0 and 1")


def run(options: FitEquivariant) -> EquivariantSolver:
    """Train, or go on, then test and write the weights.

    Returns:
        The trained solver, with its card.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    options.check()
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
    solver = EquivariantSolver(learner.averaged)
    solver.card = {
        "trained_on": {
            "scenarios": MIXTURE,
            "unequal_users": dict(UNEQUAL),
            "train_seeds": [0, progress.epochs * STEPS_PER_EPOCH * LARGEST_BATCH],
        },
        "training": {
            **options.settings(),
            "steps": progress.epochs * STEPS_PER_EPOCH,
            **dataclasses.asdict(progress),
        },
        "test": [
            gap_to_optimum(solver, options.test_networks, users) for users in tqdm((10, 20, 50), desc="testing")
        ],
        **provenance(),
    }
    solver.save(options.out / WEIGHTS)
    return solver


def gap_to_optimum(solver: Solver, networks: int, num_users: int) -> dict[str, float]:
    """Return the gap to the optimum on networks of the test seeds with one subcarrier, as plain JSON."""
    block = first_blocks(Scenario.paper_a(num_subcarriers=1, num_users=num_users), seeds("test", networks))
    gap = gap_to(ExactMinMax().solve(block).max_latency, solver.solve(block).max_latency)
    mean = Estimate.of(gap)
    return {
        "num_subcarriers": 1,
        "num_users": num_users,
        "networks": networks,
        "gap_mean": mean.mean,
        "gap_low": mean.low,
        "gap_high": mean.high,
        "gap_p99": float(np.percentile(gap, 99)),
        "gap_max": float(gap.max()),
    }


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym fit equivariant``; return its exit status."""
    options = tyro.cli(
        FitEquivariant,
        prog="mec-cf-gym fit equivariant",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    try:
        solver = run(options)
    except KeyboardInterrupt:
        print(f"\ninterrupted; finished epochs are kept in {options.out}: go on with --resume", file=sys.stderr)
        return 130
    training = solver.card["training"]
    print(f"{training['epochs']} epochs, the best after {training['best_epochs']}; {training['training_s']:.0f} s")
    for test in solver.card["test"]:
        gaps = f"gap to the optimum {test['gap_mean']:.4%}, p99 {test['gap_p99']:.4%}"
        print(f"N = 1, K = {test['num_users']}, {test['networks']} test networks: {gaps}")
    print(f"written to {options.out}: {WEIGHTS}.safetensors, {WEIGHTS}.json, tensorboard/")
    return 0
