"""``mec-cf-gym reproduce paper-a --figure 1|2|map``."""

from __future__ import annotations

from mec_cf_gym.baselines.reproduce.figure_command import Figures, run_figure
from mec_cf_gym.baselines.reproduce.paper_a.figure_1 import Figure1
from mec_cf_gym.baselines.reproduce.paper_a.figure_2 import Figure2
from mec_cf_gym.baselines.reproduce.paper_a.sensitivity import SensitivityMap

FIGURES: Figures = {"1": Figure1, "2": Figure2, "map": SensitivityMap}


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym reproduce paper-a``; return its exit status."""
    shown = "1: the schemes over K; 2: CDFs; map: the order of schemes 2 and 3"
    return run_figure("paper-a", FIGURES, shown, arguments)
