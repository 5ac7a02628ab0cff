"""The command line of a paper's figures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import tyro

from mec_cf_gym.baselines.reproduce.reproduction import Reproduction, run

Figures = Mapping[str, type[Reproduction[Any]]]


def run_figure(paper: str, figures: Figures, choices_help: str, arguments: list[str]) -> int:
    """Run ``mec-cf-gym reproduce PAPER --figure FIGURE``; return its exit status.

    Args:
        paper: As the command line names it.
        figures: What ``--figure`` may choose.
        choices_help: What each of them shows.
        arguments: Behind the paper's name.
    """
    prog = f"mec-cf-gym reproduce {paper}"
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Measure a figure of the paper again and judge its claims.",
        epilog=f"{prog} --figure FIGURE --help lists the options of a figure.",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--figure", choices=figures, help=choices_help)
    parsed, options = parser.parse_known_args(arguments)
    if parsed.figure is None:
        if {"-h", "--help"} & set(options):
            parser.print_help()
            return 0
        parser.error(f"--figure is missing: choose from {', '.join(figures)}")
    reproduction = tyro.cli(
        figures[parsed.figure],
        prog=f"{prog} --figure {parsed.figure}",
        args=options,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    try:
        report = run(reproduction)
    except KeyboardInterrupt:
        print(
            f"\ninterrupted; what is finished is kept in {reproduction.folder}: go on with --resume",
            file=sys.stderr,
        )
        return 130
    tables = ", ".join(f"{name}.csv" for name in report.tables)
    written = f"figure.png, figure.svg, claims.md, {tables}"
    print(f"\n{report.text}\nwritten to {reproduction.report_folder}: {written}")
    return 0
