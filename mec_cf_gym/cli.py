"""The command line ``mec-cf-gym``: subcommands are imported only when they are asked for."""

from __future__ import annotations

import sys

import mec_cf_gym
from mec_cf_gym.commands import parser_for, run

SUBCOMMANDS = {
    "benchmark": (
        "mec_cf_gym.evaluation.benchmark:main",
        "policies x environments x networks: table, figure, files",
    ),
    "dataset": (
        "mec_cf_gym.baselines.labels.generate:main",
        "draw networks and solve them into a store of labels",
    ),
    "fit": ("mec_cf_gym.baselines.learned.fit:main", "train a learned solver"),
    "train": ("mec_cf_gym.agents.training.command:main", "train an agent of Stable-Baselines3"),
    "tune": ("mec_cf_gym.agents.training.tune:main", "search for hyperparameters of an algorithm"),
    "reproduce": (
        "mec_cf_gym.baselines.reproduce.command:main",
        "measure a paper's figures again and judge its claims",
    ),
}
"""Name: (``module:function`` from arguments to exit status, help)."""


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand and return its exit status."""
    description = "Mobile edge computing over cell-free massive MIMO: environments, baselines, agents."
    parser = parser_for("mec-cf-gym", description, "command", SUBCOMMANDS)
    parser.add_argument("--version", action="version", version=f"mec-cf-gym {mec_cf_gym.__version__}")
    parsed = parser.parse_args(arguments)
    try:
        return run(SUBCOMMANDS, parsed)
    except ModuleNotFoundError as error:
        print(f"error: {parsed.chosen} needs {error.name}: pip install 'mec-cf-gym[all]'", file=sys.stderr)
    except (ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2
