"""Environments that change with a curriculum: the plain one, and the vector environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_cf_gym.agents.curriculum.padding import Padding, paddings
from mec_cf_gym.agents.curriculum.progress import Progress
from mec_cf_gym.agents.curriculum.stages import Curriculum
from mec_cf_gym.envs.observation import Observation
from mec_cf_gym.envs.options import checked_mask
from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.fields import refuse

Array = NDArray[Any]
Env = gym.Env[Observation, Array]
VectorEnv = gym.vector.VectorEnv[Observation, Array, Array]


class CurriculumEnv(Progress, gym.Wrapper[Observation, Array, Observation, Array]):
    """An environment whose scenario changes from stage to stage, for any learner.

    A stage that was promoted begins with the next reset, and ``info["stage"]`` says which one is on. If stages
    differ in numbers of users or subcarriers, observations and actions are padded to the largest
    (:class:`Padding`). Random numbers go on over stages. Steps that rules count are those of this environment.

    Args:
        make: Makes the environment of a stage, with its wrappers, from the stage's scenario fields:
            ``functools.partial(gym.make, "MECCellFree-v0")``, for one. All are made at once.
        curriculum: The stages.

    Raises:
        ValueError: If a stage cannot be made, or stages differ in spaces by more than users and subcarriers.
    """

    def __init__(self, make: Callable[..., Env], curriculum: Curriculum) -> None:
        Progress.__init__(self, curriculum)
        self._envs = [make(**stage.fields) for stage in curriculum.stages]
        for env in self._envs:
            if not isinstance(env.unwrapped, MECEnv):
                raise refuse("make", make, f"it must make an environment of mec_cf_gym, and made {env}")
        gym.Wrapper.__init__(self, self._envs[0])
        self._paddings = paddings([(env.observation_space, env.action_space) for env in self._envs])
        self.observation_space, self.action_space = self.padding.spaces()  # type: ignore[assignment]

    @property
    def padding(self) -> Padding:
        """The padding of the stage that is on."""
        return self._paddings[self.stage]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset, in the next stage if one was promoted."""
        env = _going_on(self._envs, self.env, self.next_stage)
        seen, info = env.reset(seed=seed, options=options)
        self.env = env
        self._begin()
        return self.padding.observation(seen), info | {"stage": self.stage}

    def step(self, action: Array) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step with a padded action."""
        seen, reward, terminated, truncated, info = self.env.step(self.padding.action(np.asarray(action)))
        info = info | {"stage": self.stage}
        self._count(1)
        return self.padding.observation(seen), reward, terminated, truncated, info

    def close(self) -> None:
        """Close the environments of all stages."""
        for env in self._envs:
            env.close()


class CurriculumVectorEnv(Progress, gym.vector.VectorWrapper):
    """The same with many rows: all are in the same stage.

    Rows that were reset together end together, since all episodes are equally long, and then the next stage begins
    in all of them. If some end before others, as after a partial reset, the first to end once a stage was promoted
    truncate the rest: no row waits for another stage. Wrap it in ``SB3VecEnv`` for Stable-Baselines3.

    Args:
        make: Makes the vector environment of a stage, with its wrappers, from ``num_envs`` and the stage's
            scenario fields: ``functools.partial(gym.make_vec, "MECCellFree-v0")``, for one. All are made at once.
        curriculum: The stages.
        num_envs: Number of rows.

    Raises:
        ValueError: If a stage cannot be made, or stages differ in spaces by more than users and subcarriers.
    """

    def __init__(self, make: Callable[..., VectorEnv], curriculum: Curriculum, num_envs: int = 1) -> None:
        Progress.__init__(self, curriculum)
        self.make = make
        self._envs = [make(num_envs=num_envs, **stage.fields) for stage in curriculum.stages]
        for env in self._envs:
            if not isinstance(env.unwrapped, MECVectorEnv):
                raise refuse("make", make, f"it must make a vector environment of mec_cf_gym, and made {env}")
        gym.vector.VectorWrapper.__init__(self, self._envs[0])
        self._paddings = paddings([(env.single_observation_space, env.single_action_space) for env in self._envs])
        self.single_observation_space, self.single_action_space = self.padding.spaces()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._ended = np.zeros(self.num_envs, np.bool_)

    @property
    def padding(self) -> Padding:
        """The padding of the stage that is on."""
        return self._paddings[self.stage]

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset; in the next stage if one was promoted and all rows are reset."""
        mask = checked_mask((options or {}).get("reset_mask"), self.num_envs)
        if self._restarts and not mask.all():
            raise refuse("reset_mask", mask.tolist(), "all rows ended, and the next stage begins with all of them")
        env = _going_on(self._envs, self.env, self.next_stage) if mask.all() else self.env
        seen, info = env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # a list is allowed
        if mask.all():
            self.env = env
            self._begin()
        self._ended = self._ended & ~mask
        return self.padding.observation(seen), info | self._stages()

    def step(self, actions: Array) -> tuple[Observation, Array, Array, Array, dict[str, Any]]:
        """Step with padded actions. Rows whose episode ended reset instead, as the vector environment has it."""
        actions = self.padding.action(np.asarray(actions))
        if self._restarts:
            seen, info = self.reset()
            over = np.zeros(self.num_envs, np.bool_)
            return seen, np.zeros(self.num_envs), over, over.copy(), info
        observations, rewards, terminations, truncations, info = self.env.step(actions)
        info = info | self._stages()
        self._count(int(np.count_nonzero(~self._ended)))
        if self._coming is not None and (terminations | truncations).any():
            truncations = ~terminations
        self._ended = terminations | truncations
        return self.padding.observation(observations), rewards, terminations, truncations, info

    def close(self, **kwargs: Any) -> None:
        """Close the environments of all stages."""
        for env in self._envs:
            env.close(**kwargs)

    @property
    def _restarts(self) -> bool:
        """Whether all rows ended, and another stage is to begin."""
        return self._coming is not None and bool(self._ended.all())

    def _stages(self) -> dict[str, Array]:
        """Return the stage of all rows, as info holds it."""
        return {"stage": np.full(self.num_envs, self.stage), "_stage": np.ones(self.num_envs, np.bool_)}


def _going_on(envs: Sequence[Any], env: Any, stage: int) -> Any:
    """Return the environment of a stage, which goes on with the random numbers of another."""
    if envs[stage] is not env:
        envs[stage].unwrapped.np_random = env.unwrapped.np_random
    return envs[stage]
