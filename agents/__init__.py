"""Reinforcement learning with Stable-Baselines3.

What needs an extra is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from mec_cf_gym.agents.actions import LogPower, LogPowerAction
from mec_cf_gym.agents.agent import Agent, AgentPolicy, PaddedAgent, installed_agents
from mec_cf_gym.agents.curriculum.env import CurriculumEnv, CurriculumVectorEnv
from mec_cf_gym.agents.curriculum.padding import Padding
from mec_cf_gym.agents.curriculum.stages import Curriculum, Promotion, Stage
from mec_cf_gym.agents.elapsed import ElapsedTime
from mec_cf_gym.agents.memory import MeanGains
from mec_cf_gym.agents.prediction import PredictedGains
from mec_cf_gym.agents.priced_action import PricedAction, Prices
from mec_cf_gym.agents.vector import ElapsedTime as ElapsedTimeVector
from mec_cf_gym.agents.vector import LogPowerAction as LogPowerVectorAction
from mec_cf_gym.agents.vector import MeanGains as MeanGainsVector
from mec_cf_gym.agents.vector import PredictedGains as PredictedGainsVector
from mec_cf_gym.agents.vector import PricedAction as PricedVectorAction
from mec_cf_gym.envs.running_mean import RunningMean
from mec_cf_gym.lazy import lazy_names

if TYPE_CHECKING:
    from mec_cf_gym.agents.curriculum.callback import CurriculumCallback
    from mec_cf_gym.agents.policies.equivariant import EquivariantPolicy
    from mec_cf_gym.agents.policies.prices import PricePolicy
    from mec_cf_gym.agents.validation import Validation
    from mec_cf_gym.agents.vec_env import SB3VecEnv

__all__ = [
    "Agent",
    "AgentPolicy",
    "Curriculum",
    "CurriculumCallback",
    "CurriculumEnv",
    "CurriculumVectorEnv",
    "ElapsedTime",
    "ElapsedTimeVector",
    "EquivariantPolicy",
    "LogPower",
    "LogPowerAction",
    "LogPowerVectorAction",
    "MeanGains",
    "MeanGainsVector",
    "PaddedAgent",
    "Padding",
    "PredictedGains",
    "PredictedGainsVector",
    "PricePolicy",
    "PricedAction",
    "PricedVectorAction",
    "Prices",
    "Promotion",
    "RunningMean",
    "SB3VecEnv",
    "Stage",
    "Validation",
    "installed_agents",
    "load",
]

load = Agent.load

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CurriculumCallback": "mec_cf_gym.agents.curriculum.callback",
        "EquivariantPolicy": "mec_cf_gym.agents.policies.equivariant",
        "PricePolicy": "mec_cf_gym.agents.policies.prices",
        "SB3VecEnv": "mec_cf_gym.agents.vec_env",
        "Validation": "mec_cf_gym.agents.validation",
    },
    extra="agents",
)
