"""Reinforcement learning with Stable-Baselines3.

What needs an extra is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mec_cf_gym.agents.actions import LogPower, LogPowerAction, LogPowerVectorAction
from mec_cf_gym.agents.curriculum.env import CurriculumEnv, CurriculumVectorEnv
from mec_cf_gym.agents.curriculum.padding import PaddedAgent, Padding
from mec_cf_gym.agents.curriculum.stages import Curriculum, Promotion, Stage
from mec_cf_gym.agents.memory import MeanGains, MeanGainsVector
from mec_cf_gym.agents.policy import AgentPolicy
from mec_cf_gym.envs.running_mean import RunningMean

if TYPE_CHECKING:
    from mec_cf_gym.agents.agent import Agent, installed_agents
    from mec_cf_gym.agents.curriculum.callback import CurriculumCallback
    from mec_cf_gym.agents.policies.equivariant import EquivariantPolicy
    from mec_cf_gym.agents.validation import Validation
    from mec_cf_gym.agents.vec_env import SB3VecEnv

__all__ = [
    "Agent",
    "AgentPolicy",
    "Curriculum",
    "CurriculumCallback",
    "CurriculumEnv",
    "CurriculumVectorEnv",
    "EquivariantPolicy",
    "LogPower",
    "LogPowerAction",
    "LogPowerVectorAction",
    "MeanGains",
    "MeanGainsVector",
    "PaddedAgent",
    "Padding",
    "Promotion",
    "RunningMean",
    "SB3VecEnv",
    "Stage",
    "Validation",
    "installed_agents",
    "load",
]

_LAZY = {
    "Agent": "agent",
    "CurriculumCallback": "curriculum.callback",
    "EquivariantPolicy": "policies.equivariant",
    "SB3VecEnv": "vec_env",
    "Validation": "validation",
    "installed_agents": "agent",
}


def load(name: str | Path) -> Agent:
    """Return a trained agent: one that comes with the package, by name, or ``path.safetensors`` and ``path.json``.

    Raises:
        ValueError: If there is no such agent, or its files are damaged.
    """
    loaded: Agent = __getattr__("Agent").load(name)
    return loaded


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} needs {error.name}: pip install 'mec-cf-gym[agents]'") from error
