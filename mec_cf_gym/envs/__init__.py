"""Gymnasium environments: actions, observations and rewards around the world, which evolves and judges."""

from typing import TYPE_CHECKING

from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import OBSERVATIONS, ObservationModel, channel_of
from mec_cf_gym.envs.reward import REWARDS, RewardModel
from mec_cf_gym.lazy import lazy_names

if TYPE_CHECKING:
    from mec_cf_gym.envs.parallel import UserAgents as UserAgents
    from mec_cf_gym.envs.parallel import parallel_env as parallel_env
    from mec_cf_gym.envs.running_mean import RunningMean as RunningMean
    from mec_cf_gym.envs.single import MECEnv as MECEnv
    from mec_cf_gym.envs.vector import MECVectorEnv as MECVectorEnv

__all__ = [
    "OBSERVATIONS",
    "REWARDS",
    "Contract",
    "MECEnv",
    "MECVectorEnv",
    "ObservationModel",
    "RewardModel",
    "RunningMean",
    "UserAgents",
    "channel_of",
    "parallel_env",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MECEnv": "mec_cf_gym.envs.single",
        "MECVectorEnv": "mec_cf_gym.envs.vector",
        "RunningMean": "mec_cf_gym.envs.running_mean",
        "UserAgents": "mec_cf_gym.envs.parallel",
        "parallel_env": "mec_cf_gym.envs.parallel",
    },
    extra="multiagent",
)
