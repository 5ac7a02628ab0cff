"""How far a curriculum has come."""

from __future__ import annotations

from collections.abc import Mapping

from mec_cf_gym.agents.curriculum.stages import MOST_STEPS, Curriculum
from mec_cf_gym.errors import checked_count, refuse


class Progress:
    """The current stage, the steps it has had, and the stage that begins with the next reset.

    Rules that count steps fire by themselves, those on gaps and rewards when :meth:`report` is called with them.
    """

    def __init__(self, curriculum: Curriculum) -> None:
        if not isinstance(curriculum, Curriculum):
            raise refuse("curriculum", curriculum, "it must be a Curriculum")
        self.curriculum = curriculum
        self._stage, self._steps = 0, 0
        self._coming: tuple[int, int] | None = None  # stage of the next reset, and the steps it has had

    @property
    def stage(self) -> int:
        """Index of the current stage."""
        return self._stage

    @property
    def steps_in_stage(self) -> int:
        """Steps that the stage has had, those of all rows together."""
        return self._steps

    @property
    def next_stage(self) -> int:
        """Index of the stage that the next reset begins; the same one if none was promoted."""
        return self._stage if self._coming is None else self._coming[0]

    def set_stage(self, stage: int) -> None:
        """Begin a stage with the next reset.

        Raises:
            ValueError: If there is no such stage.
        """
        self._coming = (checked_count("stage", stage, 0, len(self.curriculum.stages) - 1), 0)

    def advance(self) -> None:
        """Begin the stage after this one with the next reset.

        Raises:
            ValueError: If this is the last one.
        """
        self.set_stage(self._stage + 1)

    def report(self, *, gap: float | None = None, reward: float | None = None) -> bool:
        """Report measurements on validation networks of this stage; return whether they promote it.

        Args:
            gap: Mean gap to the reference (0.05: 5 %).
            reward: Mean reward.
        """
        promotion = self.curriculum.stages[self._stage].promotion
        if promotion is None or self._coming is not None or not promotion.is_due(self._steps, gap, reward):
            return False
        self.advance()
        return True

    def state_dict(self) -> dict[str, int]:
        """Return the stage and its steps, from which a run resumes; plain data, as JSON holds it."""
        stage, steps = self._coming or (self._stage, self._steps)
        return {"stage": stage, "steps_in_stage": steps}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on, with the next reset, from what :meth:`state_dict` gave.

        Raises:
            ValueError: For other entries, or a stage that this curriculum does not have.
        """
        if not isinstance(state, Mapping) or set(state) != {"stage", "steps_in_stage"}:
            raise refuse("state", state, "it must be a dict with stage and steps_in_stage")
        stage = checked_count("stage", state["stage"], 0, len(self.curriculum.stages) - 1)
        self._coming = (stage, checked_count("steps_in_stage", state["steps_in_stage"], 0, MOST_STEPS))

    def _count(self, steps: int) -> None:
        """Count steps; promote the stage if they are all it was to have."""
        self._steps += steps
        self.report()

    def _begin(self) -> None:
        """Begin the stage that was promoted, if any was."""
        if self._coming is not None:
            (self._stage, self._steps), self._coming = self._coming, None
