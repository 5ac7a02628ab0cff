"""``mec-cf-gym reproduce paper-a --figure 1|2|map``."""

from __future__ import annotations

import argparse
import sys

import tyro

from mec_cf_gym.baselines.reproduce.paper_a.figure_1 import Figure1
from mec_cf_gym.baselines.reproduce.paper_a.figure_2 import Figure2
from mec_cf_gym.baselines.reproduce.paper_a.sensitivity import SensitivityMap
from mec_cf_gym.baselines.reproduce.reproduction import Reproduction, run

FIGURES: dict[str, type[Reproduction]] = {"1": Figure1, "2": Figure2, "map": SensitivityMap}


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym reproduce paper-a``; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="mec-cf-gym reproduce paper-a",
        description="Measure a figure of paper A again and judge its claims.",
        epilog="mec-cf-gym reproduce paper-a --figure FIGURE --help lists the options of a figure.",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--figure", choices=FIGURES, help="1: the schemes over K; 2: CDFs; map: the order of schemes 2 and 3"
    )
    parsed, options = parser.parse_known_args(arguments)
    if parsed.figure is None:
        if {"-h", "--help"} & set(options):
            parser.print_help()
            return 0
        parser.error(f"--figure is missing: choose from {', '.join(FIGURES)}")
    reproduction = tyro.cli(
        FIGURES[parsed.figure],
        prog=f"mec-cf-gym reproduce paper-a --figure {parsed.figure}",
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
    print(
        f"\n{report.text}\nwritten to {reproduction.folder}: figure.png, figure.svg, claims.md, run.json, {tables}"
    )
    return 0
