"""``mec-cf-gym reproduce PAPER``: each paper's figures, imported only when they are asked for."""

from __future__ import annotations

from mec_cf_gym.commands import parser_for, run

PAPERS = {
    "paper-a": ("mec_cf_gym.baselines.reproduce.paper_a.command:main", "figures 1 and 2, and a sensitivity map"),
    "paper-b": (
        "mec_cf_gym.baselines.reproduce.paper_b.command:main",
        "figures 1, 2 and 3, and their sensitivity",
    ),
}
"""Name: (``module:function`` from arguments to exit status, help)."""


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym reproduce``; return its exit status."""
    parser = parser_for(
        "mec-cf-gym reproduce", "Measure a paper's figures again and judge its claims.", "paper", PAPERS
    )
    return run(PAPERS, parser.parse_args(arguments))
