"""The command line ``mec-cf-gym``: subcommands are imported only when they are asked for."""

from __future__ import annotations

import argparse
import importlib
import sys

import mec_cf_gym

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
    "reproduce": (
        "mec_cf_gym.baselines.reproduce.command:main",
        "measure a paper's figures again and judge its claims",
    ),
}
"""Name: (``module:function`` from arguments to exit status, help)."""


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand and return its exit status."""
    listing = "\n".join(f"  {name:12} {text}" for name, (_, text) in SUBCOMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="mec-cf-gym",
        description="Mobile edge computing over cell-free massive MIMO: environments, baselines, agents.",
        epilog=f"commands:\n{listing}\n\nmec-cf-gym COMMAND --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mec-cf-gym {mec_cf_gym.__version__}")
    parser.add_argument("command", choices=SUBCOMMANDS, metavar="COMMAND", help="one of the commands below")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options of the command")
    parsed = parser.parse_args(arguments)
    module, _, function = SUBCOMMANDS[parsed.command][0].partition(":")
    try:
        run = getattr(importlib.import_module(module), function)
        return int(run(parsed.options))
    except ModuleNotFoundError as error:
        print(f"error: {parsed.command} needs {error.name}: pip install 'mec-cf-gym[all]'", file=sys.stderr)
    except (ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2
