"""``mec-cf-gym fit MODEL``: the options and the report that all learned solvers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mec_cf_gym.commands import run_command
from mec_cf_gym.errors import checked_count, refuse

WEIGHTS = "weights"
"""Name of the trained weights in the folder of a run."""


def check(options: Any, most_epochs: int) -> None:
    """Check the options of every training.

    Raises:
        ValueError: Names the option, its value and what is allowed.
    """
    checked_count("epochs", options.epochs, 1, most_epochs)
    checked_count("seed", options.seed, 0, 2**63)
    if not 0 < options.learning_rate < 1:
        raise refuse("learning_rate", options.learning_rate, "it must be between 0 and 1")


def fit(
    model: str,
    options: type[Any],
    run: Callable[[Any], tuple[dict[str, Any], list[str]]],
    arguments: list[str],
) -> int:
    """Run the command line of a model; return its exit status.

    Args:
        model: As the command line names it.
        options: The options, a dataclass.
        run: Trains, tests and writes the weights; returns their card, and lines about the test.
        arguments: Behind the model's name.
    """

    def run_and_report(chosen: Any) -> str:
        card, tested = run(chosen)
        epochs, best, seconds = (card["training"][name] for name in ("epochs", "best_epochs", "training_s"))
        trained = f"{epochs} epochs, the best after {best}; {seconds:.0f} s"
        written = f"written to {chosen.out}: {WEIGHTS}.safetensors, {WEIGHTS}.json, tensorboard/"
        return "\n".join([trained, *tested, written])

    prog = f"mec-cf-gym fit {model}"
    return run_command(prog, options, run_and_report, arguments, finished="finished epochs are")
