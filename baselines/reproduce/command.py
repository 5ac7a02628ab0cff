"""``mec-cf-gym reproduce PAPER``: each paper's figures, imported only when they are asked for."""

from __future__ import annotations

import argparse
import importlib

PAPERS = {
    "paper-a": ("mec_cf_gym.baselines.reproduce.paper_a.command:main", "figures 1 and 2, and a sensitivity map"),
}
"""Name: (``module:function`` from arguments to exit status, help)."""


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym reproduce``; return its exit status."""
    listing = "\n".join(f"  {name:12} {text}" for name, (_, text) in PAPERS.items())
    parser = argparse.ArgumentParser(
        prog="mec-cf-gym reproduce",
        description="Measure a paper's figures again and judge its claims.",
        epilog=f"papers:\n{listing}\n\nmec-cf-gym reproduce PAPER --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paper", choices=PAPERS, metavar="PAPER", help="one of the papers below")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options of the paper")
    parsed = parser.parse_args(arguments)
    module, _, function = PAPERS[parsed.paper][0].partition(":")
    return int(getattr(importlib.import_module(module), function)(parsed.options))
