"""A learned solver that sees only the channels' magnitudes."""

from mec_cf_gym.baselines.learned.magnitude.network import MagnitudeNetwork
from mec_cf_gym.baselines.learned.magnitude.solver import MagnitudeSolver

__all__ = ["MagnitudeNetwork", "MagnitudeSolver"]
