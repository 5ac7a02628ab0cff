"""EquivariantPolicy: order and number of users, all four algorithms, what it refuses."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.wrappers.vector import RescaleAction
from stable_baselines3 import DDPG, PPO, SAC, TD3

from mec_cf_gym.agents import LogPowerVectorAction, SB3VecEnv
from mec_cf_gym.agents.policies.equivariant import EquivariantPolicy
from mec_cf_gym.envs.observation import COLUMN

SMALL = {"rounds": 2, "width": 4, "hidden": 8}
ALGORITHMS = {
    "ppo": (PPO, {"n_steps": 8, "batch_size": 16, "n_epochs": 1}),
    "sac": (SAC, {"learning_starts": 8, "buffer_size": 100}),
    "td3": (TD3, {"learning_starts": 8, "buffer_size": 100}),
    "ddpg": (DDPG, {"learning_starts": 8, "buffer_size": 100}),
}


def native(env_id="MECCellFree-v0", least_db=-40.0, split="closed_form", **fields):
    env = gym.make_vec(env_id, num_envs=4, reward="log_latency", **fields)
    return RescaleAction(LogPowerVectorAction(env, least_db, split), -1, 1)


def spaces_of(users, subcarriers, task=4, rows=None):
    shapes = {"signal": (subcarriers, users), "interference": (subcarriers, users, users), "task": (users, task)}
    entries = (subcarriers if rows is None else rows) * users
    return (
        spaces.Dict({name: spaces.Box(-10, 10, shape) for name, shape in shapes.items()}),
        spaces.Box(-1, 1, (entries,)),
    )


def policy_for(users=5, subcarriers=2, seed=0, **arguments):
    """Return a policy whose heads are no longer at their start, where all do the same."""
    torch.manual_seed(seed)
    task, rows = arguments.pop("task", 4), arguments.pop("rows", None)
    policy = EquivariantPolicy(*spaces_of(users, subcarriers, task, rows), lambda _: 1e-3, **SMALL, **arguments)
    with torch.no_grad():
        for parameter in policy.actor.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return policy.eval()


def seen(policy, rows=3, seed=0):
    """Return an observation and an action, drawn at random."""
    generator = torch.Generator().manual_seed(seed)

    def draw(shape):
        return torch.rand((rows, *shape), generator=generator) * 1.5 - 0.8

    observation = {name: draw(space.shape) for name, space in policy.observation_space.spaces.items()}
    cloud = COLUMN["cloud_hz"]
    observation["task"][..., cloud : cloud + 1] = observation["task"][:, :1, cloud : cloud + 1]  # the same for all
    return observation, torch.rand((rows, *policy.action_space.shape), generator=generator) * 2 - 1


def permuted(observation, action, users, subcarriers):
    shape = (len(action), -1, len(users))
    rows = torch.cat([subcarriers, torch.arange(len(subcarriers), action.shape[1] // len(users))])
    task = observation["task"][:, users]
    return {
        "signal": observation["signal"][:, subcarriers][:, :, users],
        "interference": observation["interference"][:, subcarriers][:, :, users][..., users],
        "task": task,
    }, action.reshape(shape)[:, rows][..., users].flatten(1)


@pytest.mark.parametrize("arguments", [{}, {"least_db": None}, {"task": 9, "rows": 6}, {"rows": 3}])
@pytest.mark.parametrize("critic_rounds", [0, 2])
def test_permuting_users_and_subcarriers_permutes_actions_and_keeps_values(arguments, critic_rounds):
    policy = policy_for(critic_rounds=critic_rounds, **arguments)
    observation, action = seen(policy)
    users, subcarriers = torch.tensor([3, 0, 4, 1, 2]), torch.tensor([1, 0])
    other, other_action = permuted(observation, action, users, subcarriers)
    _, expected = permuted(observation, policy.actor(observation), users, subcarriers)
    assert policy.actor(observation).std() > 0.01
    torch.testing.assert_close(policy.actor(other), expected, atol=1e-4, rtol=1e-4)
    values = policy.critic(observation, action)
    for ours, theirs in zip(values, policy.critic(other, other_action), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        policy.predict_values(observation), policy.predict_values(other), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("least_db", [-40.0, -15.0, None])
def test_the_user_with_the_most_power_meets_its_budget(least_db):
    policy = policy_for(least_db=least_db)
    observation, _ = seen(policy, rows=20)
    power = policy.actor.network.actions.power(policy.actor(observation)).reshape(20, 2, 5).sum(1)
    torch.testing.assert_close(power.amax(-1), torch.ones(20), atol=2e-3, rtol=0)


@pytest.mark.parametrize("users", [1, 3, 12])
def test_a_policy_serves_another_number_of_users(users):
    policy = policy_for().resized(*spaces_of(users, 4))
    action, _ = policy.predict({name: values.numpy() for name, values in seen(policy)[0].items()})
    assert action.shape == (3, 4 * users)
    assert np.isfinite(action).all()


def test_a_policy_of_the_same_size_decides_the_same():
    policy = policy_for()
    observation, _ = seen(policy)
    torch.testing.assert_close(policy.resized(*spaces_of(5, 2)).actor(observation), policy.actor(observation))


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize(
    "env",
    [
        {"num_users": 4, "num_subcarriers": 2},
        {"num_users": 4, "num_subcarriers": 2, "split": "as_is", "least_db": -30.0},
        {"env_id": "MECMultiCell-v0", "num_users": 4},
    ],
    ids=["closed_form", "as_is", "multi_cell"],
)
def test_each_algorithm_trains_it(name, env):
    algorithm, settings = ALGORITHMS[name]
    kwargs = {**SMALL, "least_db": env.get("least_db", -40.0)}
    model = algorithm(
        EquivariantPolicy, SB3VecEnv(native(**env)), gamma=0.0, policy_kwargs=kwargs, seed=0, **settings
    )
    before = [parameter.clone() for parameter in model.policy.actor.parameters()]
    model.learn(64)
    after = list(model.policy.actor.parameters())
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    assert all(parameter.isfinite().all() for parameter in after)


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_algorithms_with_a_distribution_explore(name):
    algorithm, settings = ALGORITHMS[name]
    env = SB3VecEnv(native(num_users=4))
    model = algorithm(EquivariantPolicy, env, policy_kwargs=SMALL, seed=0, **settings)
    observation = env.reset()
    first, second = (model.predict(observation, deterministic=False)[0] for _ in range(2))
    assert (first != second).any()
    assert (np.abs(first) <= 1).all()
    same, again = (model.predict(observation, deterministic=True)[0] for _ in range(2))
    np.testing.assert_array_equal(same, again)


def test_minutes_of_ddpg_beat_full_power_by_far():
    env = SB3VecEnv(native(num_users=4, num_subcarriers=1, num_aps=16, episode_blocks=1))
    model = DDPG(
        EquivariantPolicy,
        env,
        gamma=0.0,
        batch_size=64,
        learning_starts=200,
        gradient_steps=4,
        policy_kwargs={"rounds": 3, "width": 8, "hidden": 16},
        seed=0,
    )
    env.seed(0)
    observation = env.reset()

    def mean_reward(action):
        total = 0.0
        env.seed(1)
        observation = env.reset()
        for _ in range(50):
            observation, rewards, _, _ = env.step(action(observation))
            total += rewards.mean() / 50
        return total

    full = mean_reward(lambda _: np.ones((4, 4), np.float32))
    assert observation["signal"].shape == (4, 1, 4)
    model.learn(600)
    assert mean_reward(lambda seen: model.predict(seen, deterministic=True)[0]) > full + 0.1


def test_other_spaces_are_refused_by_name():
    observation, action = spaces_of(5, 2)
    with pytest.raises(ValueError, match="observation_space"):
        EquivariantPolicy(spaces.Box(0, 1, (3,)), action, lambda _: 1e-3)
    with pytest.raises(ValueError, match="action_space"):
        EquivariantPolicy(observation, spaces.Box(-1, 1, (11,)), lambda _: 1e-3)
    with pytest.raises(ValueError, match="action_space"):
        EquivariantPolicy(observation, spaces.Box(-1, 1, (2, 5)), lambda _: 1e-3)


@pytest.mark.parametrize(
    "arguments", [{"rounds": 0}, {"critic_rounds": -1}, {"width": 0}, {"n_critics": 0}, {"use_sde": True}]
)
def test_bad_arguments_are_refused_by_name(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=name):
        EquivariantPolicy(*spaces_of(5, 2), lambda _: 1e-3, **arguments)
