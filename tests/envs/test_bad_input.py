"""Bad input gets a ValueError that names field, value and what is allowed, and the environment goes on."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from mec_cf_gym import Scenario

from ..settings import PAPER_B_IDS, SIX_USERS

SHAPE = (4 * 10 + 10,)


@pytest.fixture(params=["single", "vector"])
def env(request):
    env = gym.make("MECCellFree-v0") if request.param == "single" else gym.make_vec("MECCellFree-v0", num_envs=2)
    env.reset(seed=0)
    return env.unwrapped


def with_entry(value):
    def action(env):
        action = np.full(env.action_space.shape, 0.5)
        action[..., 3] = value
        return action

    return action


BAD_ACTIONS = {
    "nan": with_entry(np.nan),
    "infinite": with_entry(np.inf),
    "negative": with_entry(-0.1),
    "above one": with_entry(1.01),
    "too short": lambda env: np.full((*env.action_space.shape[:-1], env.action_space.shape[-1] - 1), 0.5),
    "too deep": lambda env: np.full((1, *env.action_space.shape), 0.5),
    "scalar": lambda env: 0.5,
    "complex": lambda env: np.full(env.action_space.shape, 0.5 + 1j),
    "ragged": lambda env: [[0.5], [0.5, 0.5]],
    "huge": lambda env: [10**400] * env.action_space.shape[-1],
    "none": lambda env: None,
    "text": lambda env: np.full(env.action_space.shape, "a"),
}


@pytest.mark.parametrize("action", BAD_ACTIONS.values(), ids=BAD_ACTIONS)
def test_bad_actions(env, action):
    twin = (
        gym.make("MECCellFree-v0")
        if env.action_space.shape == SHAPE
        else gym.make_vec("MECCellFree-v0", num_envs=2)
    )
    twin.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        env.step(action(env))
    good = np.full(env.action_space.shape, 0.5, np.float32)
    np.testing.assert_array_equal(env.step(good)[0]["signal"], twin.step(good)[0]["signal"])


def test_the_error_names_entry_value_and_range():
    env = gym.make("MECCellFree-v0").unwrapped
    env.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"action\[3\]=nan is not allowed: it must be a finite number in \[0, 1\]"
    ):
        env.step(with_entry(np.nan)(env))
    with pytest.raises(ValueError, match=r"action has shape \(3,\); it must be \(50,\)"):
        env.step(np.zeros(3))


def test_rounding_errors_at_the_bounds_are_no_errors(env):
    env.step(np.full(env.action_space.shape, 1 + 1e-7))
    env.step(np.full(env.action_space.shape, -1e-7))


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True, [1, "a"], np.nan, np.array(3.0)], ids=repr)
def test_bad_seeds(env, seed):
    before = env.block.signal_gain.copy()
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=seed)
    np.testing.assert_array_equal(env.block.signal_gain, before)


def test_numpy_integers_are_seeds(env):
    first, _ = env.reset(seed=np.int64(3))
    again, _ = env.reset(seed=3)
    np.testing.assert_array_equal(first["signal"], again["signal"])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"scenarios": Scenario()}, "scenarios"),
        ({"scenario": {"num_users": 3}}, "scenario"),
        ({"scenario": None}, "scenario"),
        (["scenario"], "options"),
        ({"reset_mask": np.array([1, 0])}, "reset_mask"),
        ({"reset_mask": np.array([False, False])}, "reset_mask"),
        ({"reset_mask": [True, False]}, "reset_mask"),
        ({"reset_mask": np.array([True])}, "reset_mask"),
    ],
)
def test_bad_options(env, options, named):
    with pytest.raises(ValueError, match=named):
        env.reset(options=options)
    env.step(np.full(env.action_space.shape, 0.5))


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"num_user": 3}, "did you mean num_users"),
        ({"num_users": 0}, "num_users=0"),
        ({"num_aps": -1}, "num_aps=-1"),
        ({"num_users": 1024, "num_aps": 4096, "num_subcarriers": 1333}, "gains, and"),
        ({"bandwidth_hz": 10**400}, "bandwidth_hz"),
        ({"num_subcarriers": 5000}, "num_subcarriers=5000"),
        ({"num_subcarriers": 2000}, "20000000|2e.07 Hz hold at most 1333"),
        ({"scenario": "paper_a"}, "scenario='paper_a'"),
        ({"deployment": "cellular"}, "id fixes it to 'cell_free'"),
        ({"render_mode": "ascii"}, "render_mode='ascii'"),
        ({"observation": "everything"}, "observation='everything'"),
        ({"reward": "mean"}, "reward='mean'"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*render_mode=:UserWarning")  # Gymnasium warns before the error
def test_bad_keywords_of_make(make, fields, named):
    with pytest.raises(ValueError, match=named):
        make("MECCellFree-v0", **fields)


@pytest.mark.parametrize("num_envs", [0, -1, 2.0, True])
def test_bad_numbers_of_rows(num_envs):
    with pytest.raises(ValueError, match="num_envs"):
        gym.make_vec("MECCellFree-v0", num_envs=num_envs)


def test_steps_need_a_reset_before_the_first_and_after_the_last():
    env = gym.make("MECCellFree-v0", episode_blocks=1).unwrapped
    action = np.full(SHAPE, 0.5)
    with pytest.raises(ResetNeeded):
        env.step(action)
    with pytest.raises(ResetNeeded):
        _ = env.block
    env.reset(seed=0)
    assert env.step(action)[3]
    with pytest.raises(ResetNeeded):
        env.step(action)
    env.reset()
    env.step(action)


@pytest.mark.parametrize("env_id", PAPER_B_IDS)
class TestPaperBsEnvironments:
    @pytest.mark.parametrize(
        "make", [gym.make, lambda env_id, **fields: gym.make_vec(env_id, num_envs=2, **fields)]
    )
    @pytest.mark.parametrize("action", BAD_ACTIONS.values(), ids=BAD_ACTIONS)
    def test_bad_actions(self, env_id, make, action):
        env, twin = (make(env_id, **SIX_USERS) for _ in range(2))
        env.reset(seed=0), twin.reset(seed=0)
        with pytest.raises(ValueError, match="action"):
            env.unwrapped.step(action(env))
        good = np.full(env.action_space.shape, 0.5, np.float32)
        np.testing.assert_array_equal(env.step(good)[0]["signal"], twin.step(good)[0]["signal"])

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"deployment": "cell_free"}, "id fixes it to"),
            ({"num_subcarriers": 4}, "num_subcarriers=4"),
            ({"num_aps": 15}, "num_aps=15"),
            ({"mobility": "manhattan", "street_m": 70.0}, "street_m=70.0"),
            ({"antennas_per_aps": 2}, "did you mean antennas_per_ap"),
            ({"scenario": Scenario.paper_a()}, "num_subcarriers=4"),
        ],
    )
    def test_bad_keywords_of_make(self, env_id, fields, named):
        with pytest.raises(ValueError, match=named):
            gym.make(env_id, **fields)

    @pytest.mark.parametrize(
        "change",
        [{"local_computing": True}, {"computing_control": "least"}, {"server": "dedicated"}, {"pilot_samples": 3}],
        ids=lambda change: next(iter(change)),
    )
    def test_a_scenario_that_changes_shapes_is_refused_and_nothing_changes(self, env_id, change):
        env = gym.make(env_id, **SIX_USERS)
        env.reset(seed=0)
        before = env.unwrapped.scenario
        with pytest.raises(ValueError, match=next(iter(change))):
            env.reset(options={"scenario": before.replace(**change)})
        assert env.unwrapped.scenario == before
        env.step(np.full(env.action_space.shape, 0.5, np.float32))

    def test_a_scenario_that_keeps_shapes_is_adopted(self, env_id):
        env = gym.make(env_id, **SIX_USERS)
        env.reset(seed=0)
        other = env.unwrapped.scenario.replace(combiner="mrc", deadline_s=0.1, user_drop="uniform")
        observation, _ = env.reset(seed=0, options={"scenario": other})
        expected, _ = gym.make(env_id, scenario=other).reset(seed=0)
        np.testing.assert_array_equal(observation["signal"], expected["signal"])
        assert (env.unwrapped.block.deadline_s == 0.1).all()
