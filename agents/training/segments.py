"""A training in segments: after each, the agent is judged and a checkpoint written, so that runs go on exactly."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import set_random_seed

from mec_cf_gym.agents.training import checkpoint
from mec_cf_gym.agents.validation import Judged
from mec_cf_gym.evaluation.seeds import SPLITS

Judge = Callable[[], Judged]


class Segments(BaseCallback):
    """Begins every segment on new networks, with random numbers that follow from the run's seed and its number.

    A run that goes on from a checkpoint therefore equals one that was never cut off. Segments end before the first
    rollout that begins after a multiple of their length. Best is the agent with the least validation gap.

    Args:
        path: Of the checkpoint.
        seed: Of the run.
        length: Environment steps of a segment.
        judge: Returns the gap of the present policy on validation networks.
        keep: Called when the present policy is the best so far.
        progress: Of the run that goes on, from its checkpoint.
    """

    def __init__(
        self,
        path: Path,
        *,
        seed: int,
        length: int,
        judge: Judge,
        keep: Callable[[], None],
        progress: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.path, self.seed, self.length = path, seed, length
        self.judge, self.keep = judge, keep
        self.curve: list[dict[str, Any]] = list((progress or {}).get("curve", ()))
        self.trained_s: float = (progress or {}).get("trained_s", 0.0)
        self.next_end, self.began = 0, 0.0
        self.begins: int | None = None  # seed of a segment whose first rollout is to come

    @property
    def best_gap(self) -> float:
        """The least validation gap so far."""
        return min((float(point["mean"]) for point in self.curve), default=np.inf)

    def progress(self) -> dict[str, Any]:
        """Return the learning curve and the training time, for the checkpoint."""
        return {"curve": self.curve, "trained_s": self.trained_s}

    def _on_training_start(self) -> None:
        self.began = time.perf_counter()
        self._restart()
        if not self.curve:
            self._conclude()

    def _on_rollout_start(self) -> None:
        if self.model.num_timesteps >= self.next_end:
            self._conclude()
            self._restart()
        if self.begins is not None:
            self._seed(self.begins)
            self.begins = None

    def _on_step(self) -> bool:
        return True

    def _on_training_end(self) -> None:
        self._conclude()

    def _restart(self) -> None:
        """Go on with new networks of the train seeds, and new random numbers."""
        segment = self.model.num_timesteps // self.length
        self.next_end = (segment + 1) * self.length
        numbers = np.random.SeedSequence([self.seed, segment]).generate_state(2)
        self.begins = int(numbers[0])
        self._seed(self.begins)
        first_seeds = len(SPLITS["train"]) - self.training_env.num_envs  # row i gets the first plus i
        self.training_env.seed(int(numbers[1]) % first_seeds)
        self.model._last_obs = self.training_env.reset()  # type: ignore[assignment]  # as SB3 does
        self.model._last_episode_starts = np.ones(self.training_env.num_envs, bool)
        normalised = self.model.get_vec_normalize_env()
        if normalised is not None:
            self.model._last_original_obs = normalised.get_original_obs()

    def _seed(self, seed: int) -> None:
        """Seed everything but the environment, and explore anew: gSDE draws before it tells of a rollout."""
        set_random_seed(seed)
        self.model.action_space.seed(seed)
        if self.model.use_sde:
            explorer: Any = getattr(self.model, "actor", self.model.policy)
            explorer.reset_noise(self.training_env.num_envs)

    def _conclude(self) -> None:
        """Judge the policy, log the result, and write a checkpoint."""
        steps = self.model.num_timesteps
        self.trained_s += time.perf_counter() - self.began
        best, gap = self.best_gap, self.judge()
        self.curve.append({"steps": steps, "trained_s": round(self.trained_s, 2), **gap.to_dict()})
        if gap.mean < best:
            self.keep()
        for name, value in (("gap_mean", gap.mean), ("gap_p95", gap.p95), ("reward", gap.reward)):
            self.logger.record(f"validation/{name}", value)
        self.logger.dump(steps)
        checkpoint.save(self.path, self.model, self.progress())
        self.began = time.perf_counter()
