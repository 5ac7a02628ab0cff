"""Gymnasium environments for mobile edge computing over cell-free massive MIMO.

Importing the package registers its environments. Data flows one way: :class:`Scenario` -> ``Network`` ->
:class:`CoherenceBlock` -> :class:`Allocation` -> :func:`rate`, :func:`latency` and metrics.
"""

import importlib
from importlib.metadata import version
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

# mec_cf_gym.baselines and mec_cf_gym.agents live in other folders of the repository; this finds them even
# when the repository's own folder comes first on the path.
__path__ = extend_path(__path__, __name__)

from mec_cf_gym.allocation import Allocation, Policy
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.deployments import Deployment
from mec_cf_gym.envs import observation as _observation
from mec_cf_gym.envs import reward as _reward
from mec_cf_gym.network.network import Network
from mec_cf_gym.performance import (
    best_offload,
    cdf_points,
    gini,
    latency,
    percentiles,
    power_fairness,
    rate,
    spectral_efficiency,
)
from mec_cf_gym.registration import env_ids, register_envs
from mec_cf_gym.scenario import Computing, Dynamics, Episode, Layout, Radio, Scenario, Tasks
from mec_cf_gym.world import World

if TYPE_CHECKING:
    from mec_cf_gym.envs.parallel import parallel_env as parallel_env

__version__ = version("mec-cf-gym")

__all__ = [
    "Allocation",
    "CoherenceBlock",
    "Computing",
    "Dynamics",
    "Episode",
    "Layout",
    "Policy",
    "Radio",
    "Scenario",
    "Tasks",
    "best_offload",
    "cdf_points",
    "gini",
    "latency",
    "percentiles",
    "power_fairness",
    "rate",
    "register_envs",
    "spectral_efficiency",
]

register_envs()


def __getattr__(name: str) -> Any:
    """Import what needs an extra when it is first asked for: ``parallel_env``."""
    if name != "parallel_env":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return importlib.import_module("mec_cf_gym.envs.parallel").parallel_env
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} needs {error.name}: pip install 'mec-cf-gym[multiagent]'") from error
