"""Baselines: solvers and heuristics, each a function from a coherence block to a solution."""

from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.heuristics import EqualSplit, FullPower, GreedySubcarrier, RandomPower
from mec_cf_gym.baselines.ica import ICA
from mec_cf_gym.baselines.solution import Solution, Solver
from mec_cf_gym.baselines.water_filling import WaterFilling

__all__ = [
    "ICA",
    "EqualSplit",
    "ExactMinMax",
    "FullPower",
    "GreedySubcarrier",
    "RandomPower",
    "Solution",
    "Solver",
    "WaterFilling",
]
