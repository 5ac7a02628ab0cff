"""``mec-cf-gym reproduce PAPER --figure FIGURE``: each figure is imported only when it is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from mec_cf_gym.baselines.reproduce.reproduction import Reproduction, run
from mec_cf_gym.commands import load, run_command

PAPER_A = {
    "1": "mec_cf_gym.baselines.reproduce.paper_a.figure_1:Figure1",
    "2": "mec_cf_gym.baselines.reproduce.paper_a.figure_2:Figure2",
    "map": "mec_cf_gym.baselines.reproduce.paper_a.sensitivity:SensitivityMap",
    "claims": "mec_cf_gym.baselines.reproduce.paper_a.readings:Readings",
}
PAPER_B = {figure: f"mec_cf_gym.baselines.reproduce.paper_b.figures:Figure{figure}" for figure in ("1", "2", "3")}


def paper_a(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym reproduce paper-a``; return its exit status."""
    shown = "1: the schemes over K; 2: CDFs; map: the order of schemes 2 and 3; claims: under every reading"
    return _run_figure("mec-cf-gym reproduce paper-a", PAPER_A, shown, arguments)


def paper_b(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym reproduce paper-b``; return its exit status."""
    shown = "1: uplink power; 2: computing; 3: spectral efficiency and energy per Mbit"
    return _run_figure("mec-cf-gym reproduce paper-b", PAPER_B, shown, arguments)


def _run_figure(prog: str, figures: Mapping[str, str], choices_help: str, arguments: list[str]) -> int:
    """Run the figure that is named; its options are its own."""
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
    figure: type[Reproduction[Any]] = load(figures[parsed.figure])
    return run_command(
        f"{prog} --figure {parsed.figure}", figure, _run_and_report, options, folder=attrgetter("folder")
    )


def _run_and_report(reproduction: Reproduction[Any]) -> str:
    report = run(reproduction)
    written = ", ".join(["figure.png", "figure.svg", "claims.md", *(f"{name}.csv" for name in report.tables)])
    return f"\n{report.text}\nwritten to {reproduction.report_folder}: {written}"
