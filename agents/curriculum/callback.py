"""The curriculum as a callback of Stable-Baselines3: validation networks decide when a stage is over."""

from __future__ import annotations

from stable_baselines3.common.callbacks import BaseCallback

from mec_cf_gym.agents.agent import PaddedAgent
from mec_cf_gym.agents.curriculum.env import CurriculumVectorEnv
from mec_cf_gym.agents.validation import Judged, Validation
from mec_cf_gym.agents.vec_env import SB3VecEnv
from mec_cf_gym.errors import checked_count, refuse


class CurriculumCallback(BaseCallback):
    """Judges the policy on validation networks of the current stage, promotes the stage, and logs both.

    The log gets ``curriculum/stage``, ``curriculum/gap`` and ``curriculum/reward``. All that a run needs to resume
    is in the environment: load :meth:`CurriculumVectorEnv.state_dict` into a new one before ``learn``.

    Args:
        every_steps: Environment steps from one judgement to the next.
        networks: Validation networks of every stage.
        blocks: Coherence blocks of each.

    Raises:
        ValueError: If a number is not allowed or, when training starts, the environment has no curriculum.
    """

    def __init__(self, every_steps: int = 5000, networks: int = 64, blocks: int = 1) -> None:
        super().__init__()
        self.every_steps = checked_count("every_steps", every_steps, 1, 10**9)
        self.networks = checked_count("networks", networks, 2, 10**6)
        self.blocks = checked_count("blocks", blocks, 1, 10**6)
        self.validations: dict[int, Validation] = {}

    def judge(self) -> Judged:
        """Return the gap to the reference, and the reward, on validation networks of the current stage."""
        stage, env = self.course.stage, self.course
        if stage not in self.validations:
            self.validations[stage] = Validation(
                env.env_id, env.scenarios[stage], self.networks, self.blocks, wrap=env.wrap
            )
        return self.validations[stage].gap(PaddedAgent(self.model, env.paddings[stage]))

    def _on_training_start(self) -> None:
        base = self.training_env.unwrapped
        if not isinstance(base, SB3VecEnv) or not isinstance(base.env, CurriculumVectorEnv):
            raise refuse(
                "env", base, "it must be SB3VecEnv(CurriculumVectorEnv(...)), with nothing between the two"
            )
        self.course = base.env
        self.judged = self.num_timesteps // self.every_steps

    def _on_step(self) -> bool:
        if self.num_timesteps // self.every_steps > self.judged:
            self.judged = self.num_timesteps // self.every_steps
            gap = self.judge()
            self.course.report(gap=gap.mean, reward=gap.reward)
            self.logger.record("curriculum/stage", self.course.stage)
            self.logger.record("curriculum/gap", gap.mean)
            self.logger.record("curriculum/reward", gap.reward)
            self.logger.dump(self.num_timesteps)
        return True
