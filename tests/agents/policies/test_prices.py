"""PricePolicy: order and number of users, padding, exploration by state, what it refuses."""

import copy

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.wrappers.vector import RescaleAction
from stable_baselines3 import DDPG, PPO, SAC, TD3

from mec_cf_gym.agents import ElapsedTimeVector, PricedVectorAction, SB3VecEnv
from mec_cf_gym.agents.policies.prices import PricePolicy

SMALL = {"num_users": 3, "num_aps": 8}
ALGORITHMS = {
    "ppo": (PPO, {"n_steps": 8, "batch_size": 16, "n_epochs": 1}),
    "ppo by state": (PPO, {"n_steps": 8, "batch_size": 16, "n_epochs": 1, "use_sde": True}),
    "sac": (SAC, {"learning_starts": 8, "buffer_size": 100}),
    "td3": (TD3, {"learning_starts": 8, "buffer_size": 100}),
    "ddpg": (DDPG, {"learning_starts": 8, "buffer_size": 100}),
}


def native(**fields):
    env = gym.make_vec("MECCellFreeDynamic-v0", num_envs=4, **{**SMALL, **fields})
    return RescaleAction(PricedVectorAction(ElapsedTimeVector(env)), -1, 1)


def policy_for(env, **arguments):
    """Return a policy whose decisions are no longer all zero."""
    torch.manual_seed(0)
    policy = PricePolicy(env.single_observation_space, env.single_action_space, lambda _: 1e-3, **arguments)
    torch.nn.init.normal_(policy.actor.network.decide.weight)
    return policy


def seen_by(env, blocks=10):
    """Return observations with a backlog, as tensors."""
    seen, _ = env.reset(seed=0)
    for _ in range(blocks):
        seen, *_ = env.step(env.action_space.sample())
    return {name: torch.as_tensor(values) for name, values in seen.items()}


def swapped(seen, order):
    """Return an observation with users in another order."""
    moved = {name: seen[name][:, order] for name in ("task", "queue")} | {"elapsed": seen["elapsed"]}
    moved["signal"] = seen["signal"][..., order]
    moved["interference"] = seen["interference"][..., order, :][..., order]
    return moved


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_learns_with_it(name):
    algorithm, arguments = ALGORITHMS[name]
    model = algorithm(PricePolicy, SB3VecEnv(native()), seed=0, **arguments)
    before = {name: value.clone() for name, value in model.policy.state_dict().items()}
    model.learn(64)
    after = model.policy.state_dict()
    assert any((after[name] != before[name]).any() for name in before if name.startswith("actor."))
    assert model.predict(model.env.reset())[0].shape == (4, 6)


def test_untrained_it_decides_zeros():
    env = native()
    policy = PricePolicy(env.single_observation_space, env.single_action_space, lambda _: 1e-3)
    actions, _ = policy.predict(env.reset(seed=0)[0], deterministic=True)
    np.testing.assert_array_equal(actions, 0)


def test_decisions_follow_the_users_in_any_order_and_values_stay():
    env = native()
    policy, seen, order = policy_for(env), seen_by(env), [2, 0, 1]
    first, other = (policy.actor(each).reshape(4, 2, 3) for each in (seen, swapped(seen, order)))
    torch.testing.assert_close(other, first[..., order])
    assert (first[..., order] != first).any()
    torch.testing.assert_close(policy.value(swapped(seen, order)), policy.value(seen))


def test_it_serves_other_numbers_of_users_with_the_same_weights():
    small, large = native(), native(num_users=5)
    policy = policy_for(small)
    resized = policy.resized(large.single_observation_space, large.single_action_space)
    assert resized.actor(seen_by(large)).shape == (4, 10)
    for name, value in policy.state_dict().items():
        torch.testing.assert_close(resized.state_dict()[name], value)


def test_padded_users_change_nothing():
    env = native()
    policy, seen = policy_for(env), seen_by(env)
    padded = {name: seen[name] for name in ("elapsed",)}
    padded |= {name: torch.nn.functional.pad(seen[name], (0, 0, 0, 2), value=-1) for name in ("task", "queue")}
    padded["signal"] = torch.nn.functional.pad(seen["signal"], (0, 2), value=-1)
    padded["interference"] = torch.nn.functional.pad(seen["interference"], (0, 2, 0, 2), value=-1)
    padded["mask"] = torch.nn.functional.pad(torch.ones_like(seen["signal"]), (0, 2))
    five = policy.resized(*_spaces(padded))
    there = five.actor(padded).reshape(4, 2, 5)
    torch.testing.assert_close(there[..., :3], policy.actor(seen).reshape(4, 2, 3))
    assert (there[..., 3:] == 0).all()
    torch.testing.assert_close(five.value(padded), policy.value(seen))
    distribution = five.actor.distributed(padded)
    known = policy.actor.distributed(seen)
    actions = torch.zeros(4, 10)
    torch.testing.assert_close(distribution.log_prob(actions), known.log_prob(torch.zeros(4, 6)))


def _spaces(seen):
    shapes = {name: spaces.Box(-10, 10, values.shape[1:]) for name, values in seen.items()}
    return spaces.Dict(shapes), spaces.Box(-1, 1, (10,))


def test_exploration_by_state_is_kept_for_a_rollout_and_has_the_spread_it_says():
    env = native()
    policy, seen = policy_for(env, use_sde=True), seen_by(env)
    policy.reset_noise(4)
    torch.testing.assert_close(policy(seen)[0], policy(seen)[0])
    normal = policy.actor.distributed(seen).distribution
    tried = []
    for _ in range(2000):
        policy.reset_noise(4)
        tried.append((torch.atanh(policy(seen)[0]) - normal.mean) / normal.stddev)
    tried = torch.stack(tried)
    assert tried.mean(0).abs().max() < 0.15
    torch.testing.assert_close(tried.std(0), torch.ones(4, 6), atol=0.1, rtol=0)


def test_a_policy_that_was_used_can_be_copied():
    env = native()
    policy, seen = policy_for(env, use_sde=True), seen_by(env)
    policy.reset_noise(4)
    action = policy(seen)[0]
    torch.testing.assert_close(copy.deepcopy(policy)(seen)[0], action)


def test_spaces_of_other_environments_and_bad_arguments_are_refused():
    env = native()
    seen, acted = env.single_observation_space, env.single_action_space
    without = spaces.Dict({name: box for name, box in seen.items() if name != "queue"})
    with pytest.raises(ValueError, match="observation_space"):
        PricePolicy(without, acted, lambda _: 1e-3)
    with pytest.raises(ValueError, match="action_space"):
        PricePolicy(seen, spaces.Box(-1, 1, (4,)), lambda _: 1e-3)
    for name in ("hidden", "n_critics"):
        with pytest.raises(ValueError, match=name):
            PricePolicy(seen, acted, lambda _: 1e-3, **{name: 0})
