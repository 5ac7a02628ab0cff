"""``mec-cf-gym reproduce paper-b --figure 1|2|3``."""

from __future__ import annotations

from mec_cf_gym.baselines.reproduce.figure_command import Figures, run_figure
from mec_cf_gym.baselines.reproduce.paper_b.figures import Figure1, Figure2, Figure3

FIGURES: Figures = {"1": Figure1, "2": Figure2, "3": Figure3}


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym reproduce paper-b``; return its exit status."""
    shown = "1: uplink power; 2: computing; 3: spectral efficiency and energy per Mbit"
    return run_figure("paper-b", FIGURES, shown, arguments)
