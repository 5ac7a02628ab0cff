"""Environments that change with a curriculum: the plain one, and the vector environment."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_cf_gym.agents.curriculum.padding import paddings
from mec_cf_gym.agents.curriculum.progress import Progress
from mec_cf_gym.agents.curriculum.stages import Curriculum
from mec_cf_gym.agents.translation import Translation
from mec_cf_gym.envs.observation import Observation
from mec_cf_gym.envs.options import checked_mask
from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario

Array = NDArray[Any]
Env = gym.Env[Observation, Array]
VectorEnv = gym.vector.VectorEnv[Observation, Array, Array]


class _Staged(Progress):
    """What both forms share: the environments of all stages, and the paddings to one size."""

    env: Any

    def __init__(
        self, curriculum: Curriculum, make: Callable[..., Any], kind: type, wrap: Any, fields: Any
    ) -> None:
        super().__init__(curriculum)
        self._envs = [make(**{**fields, **stage.fields}) for stage in curriculum.stages]
        for env in self._envs:
            if not isinstance(env.unwrapped, kind):
                raise refuse("env_id", env.spec.id, "it must be an environment of mec_cf_gym")
        self._envs = self._envs if wrap is None else [wrap(env) for env in self._envs]
        names = ("observation_space", "action_space")
        each = [[getattr(env, f"single_{name}", getattr(env, name)) for name in names] for env in self._envs]
        self.paddings = paddings(each)

    @property
    def translation(self) -> Translation:
        """Translation between the environment of the current stage and the padded spaces."""
        return self.paddings[self.stage].translation

    def _coming_env(self) -> Any:
        """Return the environment of the next stage, which goes on with the random numbers of the present one."""
        env = self._envs[self.next_stage]
        if env is not self.env:
            env.unwrapped.np_random = self.env.unwrapped.np_random
        return env

    def close(self, **kwargs: Any) -> None:
        """Close the environments of all stages."""
        for env in self._envs:
            env.close(**kwargs)


class CurriculumEnv(_Staged, gym.Wrapper[Observation, Array, Observation, Array]):
    """An environment whose scenario changes from stage to stage, for any learner.

    A stage that was promoted begins with the next reset; ``info["stage"]`` is the current one. If stages
    differ in numbers of users or subcarriers, observations and actions are padded to the largest
    (:class:`Padding`). Random numbers go on over stages. Steps that rules count are those of this environment.

    Args:
        env_id: Id of the environment. Those of all stages are made at once.
        curriculum: The stages.
        wrap: Puts wrappers around the environment of a stage, if there are any; padding is outside.
        **fields: ``scenario``, or any leaf fields of it, for all stages.

    Raises:
        ValueError: If a stage cannot be made, or stages differ in spaces by more than users and subcarriers.

    Examples:
        >>> from mec_cf_gym.agents import Promotion, Stage
        >>> stages = [Stage({"num_users": 2}, Promotion(most_steps=100)), Stage({"num_users": 4})]
        >>> env = CurriculumEnv("MECCellFree-v0", Curriculum(stages), num_subcarriers=1)
        >>> observation, info = env.reset(seed=0)
        >>> info["stage"], observation["mask"]
        (0, array([[1., 1., 0., 0.]], dtype=float32))
        >>> env.advance()
        >>> env.reset()[1]["stage"]
        1
    """

    def __init__(
        self, env_id: str, curriculum: Curriculum, wrap: Callable[[Env], Env] | None = None, **fields: Any
    ) -> None:
        _Staged.__init__(self, curriculum, functools.partial(gym.make, env_id), MECEnv, wrap, fields)
        gym.Wrapper.__init__(self, self._envs[0])
        self.observation_space, self.action_space = self.paddings[0].spaces()  # type: ignore[assignment]

    @property
    def spec(self) -> None:  # type: ignore[override]
        """None: ``gym.make`` cannot make it again."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset, in the next stage if one was promoted."""
        env = self._coming_env()
        seen, info = env.reset(seed=seed, options=options)
        self.env = env
        self._begin()
        return self.paddings[self.stage].observation(seen), info | {"stage": self.stage}

    def step(self, action: Array) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step with a padded action."""
        padding = self.paddings[self.stage]
        seen, reward, terminated, truncated, info = self.env.step(padding.action(np.asarray(action)))
        self._count(1)
        return padding.observation(seen), reward, terminated, truncated, info | {"stage": self.stage}


class CurriculumVectorEnv(_Staged, gym.vector.VectorWrapper):
    """The same with many rows: all are in the same stage. ``SB3VecEnv`` takes it for Stable-Baselines3.

    Rows that were reset together end together, since all episodes are equally long, and then the next stage begins
    in all of them. If some end before others, as after a partial reset, the first to end once a stage was promoted
    truncate the rest: no row waits for another stage.

    Args:
        env_id: Id of the environment. Those of all stages are made at once.
        curriculum: The stages.
        num_envs: Number of rows.
        wrap: Puts vector wrappers around the environment of a stage, if there are any; padding is outside.
        **fields: ``scenario``, or any leaf fields of it, for all stages.

    Raises:
        ValueError: If a stage cannot be made, or stages differ in spaces by more than users and subcarriers.

    Examples:
        >>> from mec_cf_gym.agents import Promotion, Stage
        >>> stages = [Stage({"num_users": 2}, Promotion(most_steps=100)), Stage({"num_users": 4})]
        >>> env = CurriculumVectorEnv("MECCellFree-v0", Curriculum(stages), num_envs=3)
        >>> env.reset(seed=0)[1]["stage"]
        array([0, 0, 0])
    """

    def __init__(
        self,
        env_id: str,
        curriculum: Curriculum,
        num_envs: int = 1,
        wrap: Callable[[VectorEnv], VectorEnv] | None = None,
        **fields: Any,
    ) -> None:
        make = functools.partial(gym.make_vec, env_id, num_envs=num_envs)
        _Staged.__init__(self, curriculum, make, MECVectorEnv, wrap, fields)
        self.env_id, self.wrap = env_id, wrap
        gym.vector.VectorWrapper.__init__(self, self._envs[0])
        self.single_observation_space, self.single_action_space = self.paddings[0].spaces()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._ended = np.zeros(self.num_envs, np.bool_)

    @property
    def scenarios(self) -> list[Scenario]:
        """The scenarios of all stages."""
        return [env.unwrapped.scenario for env in self._envs]

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset; in the next stage if one was promoted and all rows are reset."""
        mask = checked_mask((options or {}).get("reset_mask"), self.num_envs)
        if self._restarts and not mask.all():
            raise refuse("reset_mask", mask.tolist(), "all rows ended, and the next stage begins with all of them")
        env = self._coming_env() if mask.all() else self.env
        seen, info = env.reset(seed=seed, options=options)
        if mask.all():
            self.env = env
            self._begin()
        self._ended = self._ended & ~mask
        return self.paddings[self.stage].observation(seen), info | self._stages()

    def step(self, actions: Array) -> tuple[Observation, Array, Array, Array, dict[str, Any]]:
        """Step with padded actions. Rows whose episode ended reset instead, as the vector environment has it."""
        padding = self.paddings[self.stage]
        plain = padding.action(np.asarray(actions))
        if self._restarts:
            seen, info = self.reset()
            over = np.zeros(self.num_envs, np.bool_)
            return seen, np.zeros(self.num_envs), over, over.copy(), info
        seen, rewards, terminations, truncations, info = self.env.step(plain)
        self._count(int(np.count_nonzero(~self._ended)))
        if self._coming is not None and (terminations | truncations).any():
            truncations = ~terminations
        self._ended = terminations | truncations
        return padding.observation(seen), rewards, terminations, truncations, info | self._stages()

    @property
    def _restarts(self) -> bool:
        """Whether all rows ended, and another stage is to begin."""
        return self._coming is not None and bool(self._ended.all())

    def _stages(self) -> dict[str, Array]:
        """Return the stage of all rows, as info holds it."""
        return {"stage": np.full(self.num_envs, self.stage), "_stage": np.ones(self.num_envs, np.bool_)}
