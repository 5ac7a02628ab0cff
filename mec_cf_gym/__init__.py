"""Gymnasium environments for mobile edge computing over cell-free massive MIMO.

Importing the package registers its environments. Data flows one way: :class:`Scenario` -> :class:`Network` ->
:class:`CoherenceBlock` -> :class:`Allocation` -> :func:`rate`, :func:`latency` and metrics.
"""

from importlib.metadata import version
from pkgutil import extend_path
from typing import TYPE_CHECKING

# mec_cf_gym.baselines and mec_cf_gym.agents live in other folders of the repository; this finds them even
# when the repository's own folder comes first on the path.
__path__ = extend_path(__path__, __name__)

from mec_cf_gym.allocation import Allocation, Policy
from mec_cf_gym.block import CoherenceBlock
from mec_cf_gym.deployments import Deployment
from mec_cf_gym.dynamics import ARRIVALS as _ARRIVALS  # noqa: F401  # scenarios choose among them
from mec_cf_gym.envs import OBSERVATIONS as _OBSERVATIONS  # noqa: F401  # scenarios choose among them
from mec_cf_gym.lazy import lazy_names
from mec_cf_gym.network import Network
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
from mec_cf_gym.registration import register_envs
from mec_cf_gym.scenario import Computing, Dynamics, Energy, Episode, Layout, Queues, Radio, Scenario, Tasks
from mec_cf_gym.world import World

if TYPE_CHECKING:
    from mec_cf_gym.envs.parallel import parallel_env as parallel_env

__version__ = version("mec-cf-gym")

__all__ = [
    "Allocation",
    "CoherenceBlock",
    "Computing",
    "Deployment",
    "Dynamics",
    "Energy",
    "Episode",
    "Layout",
    "Network",
    "Policy",
    "Queues",
    "Radio",
    "Scenario",
    "Tasks",
    "World",
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

__getattr__, __dir__ = lazy_names(__name__, {"parallel_env": "mec_cf_gym.envs.parallel"}, extra="multiagent")

register_envs()
