"""Reinforcement learning with Stable-Baselines3.

What needs an extra is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from mec_cf_gym.agents.actions import LogPower, LogPowerAction, LogPowerVectorAction
from mec_cf_gym.agents.memory import MeanGains, MeanGainsVector
from mec_cf_gym.agents.policy import AgentPolicy
from mec_cf_gym.envs.memory import RunningMean

if TYPE_CHECKING:
    from mec_cf_gym.agents.vec_env import SB3VecEnv

__all__ = [
    "AgentPolicy",
    "LogPower",
    "LogPowerAction",
    "LogPowerVectorAction",
    "MeanGains",
    "MeanGainsVector",
    "RunningMean",
    "SB3VecEnv",
]

_LAZY = {"SB3VecEnv": "mec_cf_gym.agents.vec_env"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_LAZY[name]), name)
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} needs {error.name}: pip install 'mec-cf-gym[agents]'") from error
