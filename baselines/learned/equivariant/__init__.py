"""The equivariant network, unfolded around the physics: the solver around it, and its training without labels."""

from mec_cf_gym.baselines.learned.equivariant.network import EquivariantNetwork
from mec_cf_gym.baselines.learned.equivariant.solver import EquivariantSolver, installed_equivariant

__all__ = ["EquivariantNetwork", "EquivariantSolver", "installed_equivariant"]
