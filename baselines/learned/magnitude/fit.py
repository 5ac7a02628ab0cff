"""``mec-cf-gym fit magnitude``: train the magnitude network without labels, test it, and write its weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.fast.solver import FastMinMax
from mec_cf_gym.baselines.learned.command import WEIGHTS, fit
from mec_cf_gym.baselines.learned.label_free import UNEQUAL, LabelFreeOptions, first_blocks
from mec_cf_gym.baselines.learned.magnitude.label_free import (
    LARGEST_BATCH,
    MIXTURE,
    STEPS_PER_EPOCH,
    MagnitudeLearner,
)
from mec_cf_gym.baselines.learned.magnitude.network import MagnitudeNetwork
from mec_cf_gym.baselines.learned.magnitude.solver import MagnitudeSolver
from mec_cf_gym.baselines.learned.training import train
from mec_cf_gym.evaluation.gap import Gap, gap_to
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.runs import hold
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.scenario import Scenario

TESTED = tuple((subcarriers, users) for subcarriers in (1, 4) for users in (10, 20, 50))
"""Numbers of subcarriers and users to test with."""


@dataclass(frozen=True, kw_only=True)
class FitMagnitude(LabelFreeOptions):
    """Train the network that sees only channel magnitudes, without labels, on random networks of the train seeds.

    Writes weights.safetensors with its model card weights.json, and TensorBoard's log. Interrupted, even killed,
    it keeps every finished epoch, and --resume goes on to the very same weights.
    """

    out: Path = Path("runs/magnitude")
    epochs: int = 40


def run(options: FitMagnitude) -> MagnitudeSolver:
    """Train, or go on, then test and write the weights.

    Returns:
        The trained solver, with its card.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    options.check()
    with hold(options.out):
        torch.manual_seed(options.seed)
        network = MagnitudeNetwork()
        learner = MagnitudeLearner(
            network, epochs=options.epochs, learning_rate=options.learning_rate, seed=options.seed
        )
        settings = options.settings()
        progress = train(
            learner,
            options.out,
            epochs=options.epochs,
            patience=options.epochs,
            settings=settings,
            resume=options.resume,
        )
        steps, solver = progress.epochs * STEPS_PER_EPOCH, MagnitudeSolver(network)
        solver.card = {
            "trained_on": {
                "scenarios": MIXTURE,
                "unequal_users": dict(UNEQUAL),
                "train_seeds": [0, steps * LARGEST_BATCH],
            },
            "training": {**settings, "steps": steps, **dataclasses.asdict(progress)},
            "test": [gap_to_fast(solver, options.test_networks, *size) for size in tqdm(TESTED, desc="testing")],
            **provenance(),
        }
        solver.save(options.out / WEIGHTS)
    return solver


def gap_to_fast(solver: MagnitudeSolver, networks: int, subcarriers: int, users: int) -> dict[str, Any]:
    """Return the gaps to the fast solver on networks of the test seeds, as plain JSON: own and best split."""
    scenario = Scenario.paper_a(num_subcarriers=subcarriers, num_users=users)
    block = first_blocks(scenario, seeds("test", networks))
    reference_s = FastMinMax().solve(block).max_latency
    gaps = [gap_to(reference_s, each.solve(block).max_latency) for each in (solver, WithBestOffload(solver))]
    own, best = (Gap.over(gap, gap).to_json("mean", "low", "high", "p99") for gap in gaps)
    size = {"num_subcarriers": subcarriers, "num_users": users, "networks": networks}
    return {**size, **own, "with_best_offload": best}


def _run_and_describe(options: FitMagnitude) -> tuple[dict[str, Any], list[str]]:
    card = run(options).card
    return card, [
        f"N = {test['num_subcarriers']}, K = {test['num_users']}, {test['networks']} test networks: gap to the "
        f"fast solver {test['gap_mean']:.3%}, with the best split {test['with_best_offload']['gap_mean']:.3%}"
        for test in card["test"]
    ]


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym fit magnitude``; return its exit status."""
    return fit("magnitude", FitMagnitude, _run_and_describe, arguments)
