"""The command line ``mec-cf-gym``: subcommands are imported only when they are asked for."""

from __future__ import annotations

import sys

import mec_cf_gym
from mec_cf_gym.commands import Command, Group

LEARNED, REPRODUCE = "mec_cf_gym.baselines.learned", "mec_cf_gym.baselines.reproduce.command"
MODELS = {
    "cnn-lstm": Command(f"{LEARNED}.cnn_lstm.fit:main", "paper A's CNN-LSTM, on labels"),
    "equivariant": Command(f"{LEARNED}.equivariant.fit:main", "the equivariant network, without labels"),
    "magnitude": Command(f"{LEARNED}.magnitude.fit:main", "the network that sees magnitudes only, without labels"),
}
PAPERS = {
    "paper-a": Command(f"{REPRODUCE}:paper_a", "figures 1 and 2, and a sensitivity map"),
    "paper-b": Command(f"{REPRODUCE}:paper_b", "figures 1, 2 and 3, and their sensitivity"),
}
SUBCOMMANDS: dict[str, Command | Group] = {
    "benchmark": Command(
        "mec_cf_gym.evaluation.command:main", "policies x environments x networks: table, figure, files"
    ),
    "dataset": Command(
        "mec_cf_gym.baselines.labels.generate:main", "draw networks and solve them into a store of labels"
    ),
    "fit": Group("train a learned solver", "model", MODELS),
    "train": Command("mec_cf_gym.agents.training.command:main", "train an agent of Stable-Baselines3"),
    "tune": Command("mec_cf_gym.agents.training.tune:main", "search for hyperparameters of an algorithm"),
    "reproduce": Group("measure a paper's figures again and judge its claims", "paper", PAPERS),
}
EVERYTHING = Group(
    "mobile edge computing over cell-free massive MIMO: environments, baselines, agents", "command", SUBCOMMANDS
)


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand and return its exit status."""
    parser = EVERYTHING.parser("mec-cf-gym")
    parser.add_argument("--version", action="version", version=f"mec-cf-gym {mec_cf_gym.__version__}")
    parsed = parser.parse_args(arguments)
    try:
        return SUBCOMMANDS[parsed.chosen].run(f"mec-cf-gym {parsed.chosen}", parsed.options)
    except ModuleNotFoundError as error:
        print(f"error: {parsed.chosen} needs {error.name}: pip install 'mec-cf-gym[all]'", file=sys.stderr)
    except (ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2
