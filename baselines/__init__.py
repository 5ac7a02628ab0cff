"""Baselines: solvers and heuristics, each a function from a coherence block to a solution.

Those that need an extra (ICA: cvxpy) are imported when they are first asked for.
"""

from typing import TYPE_CHECKING

from mec_cf_gym.baselines.assignment import AssignmentSearch
from mec_cf_gym.baselines.branch_and_bound import BranchAndBound
from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.heuristics import EqualSplit, FullPower, GreedySubcarrier, RandomPower
from mec_cf_gym.baselines.magnitudes.magnitude_only import MagnitudeOnly
from mec_cf_gym.baselines.outdated import OutdatedExact
from mec_cf_gym.baselines.power_control.centre import central_shares
from mec_cf_gym.baselines.predicted import PredictedExact
from mec_cf_gym.baselines.proportional import ProportionalShares
from mec_cf_gym.baselines.single_user import latency_bound
from mec_cf_gym.baselines.solution import Solution, Solver
from mec_cf_gym.baselines.water_filling import WaterFilling
from mec_cf_gym.lazy import lazy_names

if TYPE_CHECKING:
    from mec_cf_gym.baselines.dynamic.drift import DriftPlusPenalty
    from mec_cf_gym.baselines.dynamic.genie import genie_bound
    from mec_cf_gym.baselines.dynamic.lookahead import Lookahead
    from mec_cf_gym.baselines.dynamic.myopic import Myopic
    from mec_cf_gym.baselines.dynamic.optimal_single import OptimalSingle
    from mec_cf_gym.baselines.fast.solver import FastMinMax
    from mec_cf_gym.baselines.ica import ICA
    from mec_cf_gym.baselines.labels.store import LabelStore
    from mec_cf_gym.baselines.learned.cnn_lstm.solver import CNNLSTM
    from mec_cf_gym.baselines.learned.equivariant.solver import EquivariantSolver
    from mec_cf_gym.baselines.learned.magnitude.solver import MagnitudeSolver
    from mec_cf_gym.baselines.magnitudes.information_limit import InformationLimit
    from mec_cf_gym.baselines.power_control.exact import ExactPowerControl
    from mec_cf_gym.baselines.power_control.fractional import FractionalPower
    from mec_cf_gym.baselines.power_control.sca import SCA

__all__ = [
    "CNNLSTM",
    "ICA",
    "SCA",
    "AssignmentSearch",
    "BranchAndBound",
    "DriftPlusPenalty",
    "EqualSplit",
    "EquivariantSolver",
    "ExactMinMax",
    "ExactPowerControl",
    "FastMinMax",
    "FractionalPower",
    "FullPower",
    "GreedySubcarrier",
    "InformationLimit",
    "LabelStore",
    "Lookahead",
    "MagnitudeOnly",
    "MagnitudeSolver",
    "Myopic",
    "OptimalSingle",
    "OutdatedExact",
    "PredictedExact",
    "ProportionalShares",
    "RandomPower",
    "Solution",
    "Solver",
    "WaterFilling",
    "central_shares",
    "genie_bound",
    "latency_bound",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CNNLSTM": "mec_cf_gym.baselines.learned.cnn_lstm.solver",
        "DriftPlusPenalty": "mec_cf_gym.baselines.dynamic.drift",
        "EquivariantSolver": "mec_cf_gym.baselines.learned.equivariant.solver",
        "ExactPowerControl": "mec_cf_gym.baselines.power_control.exact",
        "FastMinMax": "mec_cf_gym.baselines.fast.solver",
        "FractionalPower": "mec_cf_gym.baselines.power_control.fractional",
        "ICA": "mec_cf_gym.baselines.ica",
        "InformationLimit": "mec_cf_gym.baselines.magnitudes.information_limit",
        "LabelStore": "mec_cf_gym.baselines.labels.store",
        "Lookahead": "mec_cf_gym.baselines.dynamic.lookahead",
        "MagnitudeSolver": "mec_cf_gym.baselines.learned.magnitude.solver",
        "Myopic": "mec_cf_gym.baselines.dynamic.myopic",
        "OptimalSingle": "mec_cf_gym.baselines.dynamic.optimal_single",
        "genie_bound": "mec_cf_gym.baselines.dynamic.genie",
        "SCA": "mec_cf_gym.baselines.power_control.sca",
    },
    extra="baselines",
)
