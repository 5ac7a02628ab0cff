"""Curriculum, Stage and Promotion: what they take, when a stage is over, and plain data."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.agents.curriculum.progress import Progress
from mec_cf_gym.agents.curriculum.stages import Curriculum, Promotion, Stage

FEW = Stage({"num_users": 5, "task_bits": (500, 2000)}, Promotion(gap=0.05, least_steps=100, most_steps=1000))
MORE = Stage({"num_users": 10}, Promotion(reward=-0.5))
MOST = Stage({"num_users": 20, "mobility": "random_waypoint", "speed_m_per_s": 3})
CURRICULUM = Curriculum([FEW, MORE, MOST])


@pytest.mark.parametrize(
    ("arguments", "measured", "due"),
    [
        ({"most_steps": 10}, (9, None, None), False),
        ({"most_steps": 10}, (10, None, None), True),
        ({"gap": 0.05}, (10**6, None, None), False),
        ({"gap": 0.05}, (0, 0.05, None), False),
        ({"gap": 0.05}, (0, 0.049, None), True),
        ({"gap": 0.05}, (0, math.nan, None), False),
        ({"gap": 0.05, "least_steps": 10}, (9, 0.01, None), False),
        ({"gap": 0.05, "least_steps": 10}, (10, 0.01, None), True),
        ({"gap": 0.05, "most_steps": 10}, (10, 0.9, None), True),
        ({"reward": -0.5}, (0, 0.01, -0.6), False),
        ({"reward": -0.5}, (0, 0.9, -0.4), True),
    ],
)
def test_a_stage_is_over_when_its_rule_says_so(arguments, measured, due):
    assert Promotion(**arguments).is_due(*measured) is due


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({}, "most_steps"),
        ({"gap": 0.1, "reward": 0.0}, "reward"),
        ({"gap": 0.0}, "gap"),
        ({"gap": -0.1}, "gap"),
        ({"gap": math.inf}, "gap"),
        ({"gap": True}, "gap"),
        ({"gap": "small"}, "gap"),
        ({"reward": math.nan}, "reward"),
        ({"most_steps": 0}, "most_steps"),
        ({"most_steps": 1.5}, "most_steps"),
        ({"gap": 0.1, "least_steps": 20, "most_steps": 10}, "most_steps"),
        ({"gap": 0.1, "least_steps": -1}, "least_steps"),
        ({"most_steps": 10, "least_steps": 5}, "least_steps"),
    ],
)
def test_rules_that_can_never_fire_or_make_no_sense_are_refused(arguments, name):
    with pytest.raises(ValueError, match=name):
        Promotion(**arguments)


def test_an_unknown_field_is_refused_with_the_nearest_names():
    with pytest.raises(ValueError, match=r"'num_user' is not a field of Scenario.*num_users"):
        Stage({"num_user": 5})


@pytest.mark.parametrize(
    ("fields", "name"), [({"num_users": 0}, "num_users"), ({"radius_m": "far"}, "radius_m"), ([5], "fields")]
)
def test_values_that_a_field_cannot_have_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=name):
        Stage(fields)


@pytest.mark.parametrize(
    ("stages", "name"),
    [([], "stages"), ([{"num_users": 5}], r"stages\[0\]"), ([MOST, MORE], r"stages\[1\].*no stage follows")],
)
def test_a_curriculum_is_made_of_stages_the_last_of_which_lasts(stages, name):
    with pytest.raises(ValueError, match=name):
        Curriculum(stages)


def test_a_rule_must_be_a_promotion():
    with pytest.raises(ValueError, match="promotion"):
        Stage({}, 0.05)


def test_json_gives_the_same_curriculum_back():
    assert Curriculum.from_dict(json.loads(json.dumps(CURRICULUM.to_dict()))) == CURRICULUM


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({}, "curriculum"),
        ({"stages": "all"}, "stages"),
        ({"stages": [{"fields": {}}]}, r"stages\[0\]"),
        ({"stages": [{"fields": {}, "promotion": {"gap": 0.1}}]}, r"stages\[0\].promotion"),
        ({"stages": [{"fields": {}, "promotion": None, "name": "easy"}]}, r"stages\[0\]"),
    ],
)
def test_other_data_is_refused_by_name(data, name):
    with pytest.raises(ValueError, match=name):
        Curriculum.from_dict(data)


def test_a_report_promotes_once_and_the_next_reset_begins_the_stage():
    progress = Progress(CURRICULUM)
    assert not progress.report(gap=0.01)  # too early
    progress._count(100)
    assert progress.report(gap=0.01)
    assert (progress.stage, progress.next_stage) == (0, 1)
    assert not progress.report(gap=0.01)
    progress._begin()
    assert (progress.stage, progress.steps_in_stage) == (1, 0)


def test_nothing_comes_after_the_last_stage():
    progress = Progress(CURRICULUM)
    progress.set_stage(2)
    progress._begin()
    assert not progress.report(gap=0.0, reward=0.0)
    with pytest.raises(ValueError, match="stage"):
        progress.advance()


@given(stage=st.integers(0, 2), steps=st.integers(0, 999))
def test_a_run_resumes_from_its_state(stage, steps):
    state = json.loads(json.dumps({"stage": stage, "steps_in_stage": steps}))
    resumed = Progress(CURRICULUM)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    resumed._begin()
    assert (resumed.stage, resumed.steps_in_stage, resumed.state_dict()) == (stage, steps, state)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ({"stage": 3, "steps_in_stage": 0}, "stage"),
        ({"stage": 0, "steps_in_stage": -1}, "steps_in_stage"),
        ({"stage": 0}, "state"),
        (None, "state"),
    ],
)
def test_a_state_of_another_curriculum_is_refused(state, name):
    with pytest.raises(ValueError, match=name):
        Progress(CURRICULUM).load_state_dict(state)


def test_only_a_curriculum_makes_progress():
    with pytest.raises(ValueError, match="curriculum"):
        Progress([FEW, MOST])
