"""The native vector environment as Stable-Baselines3 wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from mec_cf_gym.errors import refuse


class SB3VecEnv(VecEnv):
    """A vector environment of Gymnasium, all rows of which step in one pass, as a ``VecEnv``.

    Rows whose episode ended are reset at once, as Stable-Baselines3 expects: the last observation of the episode
    is in ``info["terminal_observation"]``, and no step is lost. ``seed(s)`` seeds row ``i`` with ``s + i`` at the
    next reset. Attributes and methods are those of the vector environment, the same for every row.

    Args:
        env: The native vector environment of this package, or vector wrappers over it.

    Raises:
        ValueError: If ``env`` is not a vector environment, or does not reset rows on the step after their last.

    Examples:
        >>> from stable_baselines3 import PPO
        >>> env = SB3VecEnv(gym.make_vec("MECCellFree-v0", num_envs=2, num_users=2))
        >>> model = PPO("MultiInputPolicy", env, n_steps=8, batch_size=8, device="cpu").learn(16)
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        if not isinstance(env, gym.vector.VectorEnv):
            raise refuse("env", env, "it must be a vector environment: gym.make_vec(id, num_envs=...)")
        if env.metadata.get("autoreset_mode") is not AutoresetMode.NEXT_STEP:
            raise refuse("env", env, "its rows must autoreset on the next step")
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        """Reset all rows, with the seeds and options that were set."""
        seeds = self._seeds if any(seed is not None for seed in self._seeds) else None
        observations, info = self.env.reset(seed=seeds, options=self._common_options())  # type: ignore[arg-type]
        self.reset_infos = self._rows_of(info)
        self._reset_seeds()
        self._reset_options()
        return dict(observations) if isinstance(observations, dict) else observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Remember the actions."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Step, and reset the rows that ended."""
        observations, rewards, terminations, truncations, info = self.env.step(self._actions)
        dones = terminations | truncations
        infos = self._rows_of(info)
        if dones.any():
            for row in np.flatnonzero(dones):
                infos[row]["terminal_observation"] = _row(observations, row)
                infos[row]["TimeLimit.truncated"] = bool(truncations[row] and not terminations[row])
            observations, _ = self.env.reset(options={"reset_mask": dones})
        return observations, rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Close the vector environment."""
        self.env.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Return a picture of every row."""
        return self.env.render() or [None] * self.num_envs  # type: ignore[return-value]

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return an attribute of the vector environment, once for each row."""
        owner = self.env if hasattr(self.env, attr_name) else self.env.unwrapped
        return [getattr(owner, attr_name)] * len(self._get_indices(indices))  # type: ignore[arg-type]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of the vector environment, for all rows."""
        setattr(self.env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the vector environment once, and return its answer for each row."""
        (method,) = set(self.get_attr(method_name, 0))
        return [method(*method_args, **method_kwargs)] * len(self._get_indices(indices))  # type: ignore[arg-type]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Return, for each row, whether a vector wrapper of this class is in use."""
        env, wrapped = self.env, False
        while isinstance(env, gym.vector.VectorWrapper):
            wrapped |= isinstance(env, wrapper_class)
            env = env.env
        return [wrapped] * len(self._get_indices(indices))  # type: ignore[arg-type]

    def _common_options(self) -> dict[str, Any] | None:
        """Return the options of the next reset, which all rows share."""
        options = self._options[0]
        if any(other != options for other in self._options):
            raise refuse("options", self._options, "all rows must have the same")
        return options or None

    def _rows_of(self, info: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the info of every row."""
        names = [name for name in info if f"_{name}" in info]
        return [{name: info[name][row] for name in names} for row in range(self.num_envs)]


def _row(observations: Any, row: Any) -> Any:
    if isinstance(observations, dict):
        return {name: values[row] for name, values in observations.items()}
    return observations[row]
