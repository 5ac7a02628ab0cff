"""What a curriculum is: stages of scenario fields, and when each is over. Plain data, also as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.scenario.scenario import leaf_fields, unknown_field

MOST_STEPS = 10**12
RULES = {name: leaf.metadata["rule"] for name, leaf in leaf_fields().items()}
"""The leaf fields of a scenario, and what their values must be."""


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """When a stage is over: a goal that is reached, or steps that are used up.

    Args:
        gap: Over when the mean gap to the reference on validation networks falls below this (0.05: 5 %).
        reward: Over when the mean reward on validation networks rises above this.
        least_steps: Neither of the two counts before so many steps of the stage.
        most_steps: Over after so many steps of the stage, whatever was reached.

    Raises:
        ValueError: For a value that is not allowed, or a rule that can never fire.
    """

    gap: float | None = None
    reward: float | None = None
    least_steps: int = 0
    most_steps: int | None = None

    def __post_init__(self) -> None:
        if self.gap is not None and self.reward is not None:
            raise refuse("reward", self.reward, "a stage has one goal: gap or reward")
        if self.gap is not None and not (_is_finite(self.gap) and self.gap > 0):
            raise refuse("gap", self.gap, "it must be a positive number, or the stage is never over")
        if self.reward is not None and not _is_finite(self.reward):
            raise refuse("reward", self.reward, "it must be a finite number, or the stage is never over")
        checked_count("least_steps", self.least_steps, 0, MOST_STEPS)
        if self.most_steps is not None:
            checked_count("most_steps", self.most_steps, max(1, self.least_steps), MOST_STEPS)
        if not self.has_goal and self.most_steps is None:
            raise refuse("most_steps", None, "without gap or reward it must be given, or the stage is never over")
        if not self.has_goal and self.least_steps:
            raise refuse("least_steps", self.least_steps, "it delays a gap or reward, and there is none")

    @property
    def has_goal(self) -> bool:
        """Whether validation networks decide, and not steps alone."""
        return self.gap is not None or self.reward is not None

    def is_due(self, steps: int, gap: float | None = None, reward: float | None = None) -> bool:
        """Return whether a stage is over after ``steps``, given what was just measured, if anything was."""
        if self.most_steps is not None and steps >= self.most_steps:
            return True
        close = self.gap is not None and gap is not None and gap < self.gap
        good = self.reward is not None and reward is not None and reward > self.reward
        return steps >= self.least_steps and (close or good)


@dataclass(frozen=True)
class Stage:
    """A scenario to learn in, for a while.

    Args:
        fields: Leaf fields of :class:`~mec_cf_gym.Scenario` and their values in this stage. They replace those of
            the environment; nothing is kept of the stage before.
        promotion: When the next stage begins. None: when :meth:`CurriculumEnv.advance` says so.

    Raises:
        ValueError: For a field that is unknown, or a value that it cannot have.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    promotion: Promotion | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.fields, Mapping):
            raise refuse("fields", self.fields, "it must be a dict of scenario fields")
        if self.promotion is not None and not isinstance(self.promotion, Promotion):
            raise refuse("promotion", self.promotion, "it must be a Promotion or None")
        for name in self.fields:
            if name not in RULES:
                raise unknown_field(str(name), [*RULES])
        checked = {name: RULES[name](name, value) for name, value in self.fields.items()}
        object.__setattr__(self, "fields", checked)


@dataclass(frozen=True)
class Curriculum:
    """Stages, the easiest first; the last is the one to be good at, and lasts.

    Examples:
        >>> few, many = Stage({"num_users": 5}, Promotion(gap=0.05, most_steps=20_000)), Stage({"num_users": 20})
        >>> Curriculum.from_dict(Curriculum([few, many]).to_dict()).stages[1].fields
        {'num_users': 20}

    Raises:
        ValueError: If there is no stage, or the last has a rule to leave it.
    """

    stages: Sequence[Stage]

    def __post_init__(self) -> None:
        if not isinstance(self.stages, Sequence) or not self.stages:
            raise refuse("stages", self.stages, "it must be a list of one Stage or more")
        for index, stage in enumerate(self.stages):
            if not isinstance(stage, Stage):
                raise refuse(f"stages[{index}]", stage, "it must be a Stage")
        if self.stages[-1].promotion is not None:
            raise refuse(f"stages[{len(self.stages) - 1}]", self.stages[-1].promotion, "no stage follows the last")
        object.__setattr__(self, "stages", tuple(self.stages))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as JSON holds it."""
        return {"stages": [dataclasses.asdict(stage) for stage in self.stages]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Curriculum:
        """Return the curriculum of what :meth:`to_dict` gave, also by way of JSON.

        Raises:
            ValueError: For entries that are missing, unknown or not allowed.
        """
        (stages,) = _entries("curriculum", data, ("stages",))
        if not isinstance(stages, Sequence) or isinstance(stages, str):
            raise refuse("stages", stages, "it must be a list of stages")
        return cls([_stage(f"stages[{index}]", entry) for index, entry in enumerate(stages)])


def _stage(name: str, data: Any) -> Stage:
    fields, promotion = _entries(name, data, ("fields", "promotion"))
    if promotion is not None:
        _entries(f"{name}.promotion", promotion, [entry.name for entry in dataclasses.fields(Promotion)])
    return Stage(fields, None if promotion is None else Promotion(**promotion))


def _entries(name: str, data: Any, names: Sequence[str]) -> list[Any]:
    """Return the entries of a dict that must have just these."""
    if not isinstance(data, Mapping) or set(data) != set(names):
        raise refuse(name, data, f"it must be a dict with {', '.join(names)}")
    return [data[entry] for entry in names]


def _is_finite(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
