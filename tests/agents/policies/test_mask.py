"""A mask of links: what is not there has no effect on actions, values, densities or learning."""

import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_cf_gym.agents.curriculum.padding import Padding
from mec_cf_gym.agents.policies.equivariant import EquivariantPolicy

SMALL = {"rounds": 2, "width": 4, "hidden": 8}
USERS, SUBCARRIERS = 5, 2
CASES = {
    "powers": {},
    "plain": {"least_db": None, "critic_rounds": 1},
    "split": {"rows": 1, "critic_rounds": 2},
    "shares": {"least_db": None, "features": 9, "rows": 4},
    "weights": {"features": 9, "rows": 1, "critic_rounds": 1},
}
"""What policies differ in: the scale of powers, rows of entries behind them, features of servers."""


def policies(case, seed=0):
    """Return a policy, the same for padded spaces, and the padding between the two."""
    arguments = dict(CASES[case])
    rows, features = SUBCARRIERS + arguments.pop("rows", 0), arguments.pop("features", 4)
    shapes = {
        "signal": (SUBCARRIERS, USERS),
        "interference": (SUBCARRIERS, USERS, USERS),
        "task": (USERS, features),
    }
    observation_space = spaces.Dict({name: spaces.Box(-10, 10, shape) for name, shape in shapes.items()})
    action_space = spaces.Box(-1, 1, (rows * USERS,))
    torch.manual_seed(seed)
    policy = EquivariantPolicy(
        observation_space, action_space, lambda _: 1e-3, use_sde=False, **SMALL, **arguments
    ).eval()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    padding = Padding(observation_space, action_space, SUBCARRIERS + 2, USERS + 3)
    return policy, policy.resized(*padding.spaces()), padding


def seen(policy, seed=0, rows=3):
    """Return an observation and an action, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    observation = {
        name: torch.rand((rows, *space.shape), generator=generator) * 1.5 - 0.8
        for name, space in policy.observation_space.spaces.items()
        if name != "mask"
    }
    return observation, torch.rand((rows, *policy.action_space.shape), generator=generator) * 1.8 - 0.9


def padded(padding, observation):
    arrays = padding.observation({name: values.numpy() for name, values in observation.items()})
    return {name: torch.from_numpy(values) for name, values in arrays.items()}


def spoilt(observation, seed):
    """Return the observation with other numbers wherever no link is."""
    links = observation["mask"]
    users, pairs = links.amax(1), links[..., None] * links[..., None, :]
    there = {"signal": links, "interference": pairs, "task": users[..., None], "mask": torch.ones_like(links)}
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.where(there[name] > 0, values, torch.rand(values.shape, generator=generator) * 20 - 10)
        for name, values in observation.items()
    }


def same(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_padding_changes_nothing_for_what_is_there(case, seed):
    policy, larger, padding = policies(case, seed)
    observation, _ = seen(policy, seed)
    _, wide_action = seen(larger, seed + 1)
    wide = padded(padding, observation)
    assert policy.actor(observation).std() > 0.01
    same(padding.action(larger.actor(wide)), policy.actor(observation))
    same(larger.predict_values(wide), policy.predict_values(observation))
    own_action = padding.action(wide_action)
    for ours, theirs in zip(larger.critic(wide, wide_action), policy.critic(observation, own_action), strict=True):
        same(ours, theirs)
    same(larger.evaluate_actions(wide, wide_action)[1], policy.evaluate_actions(observation, own_action)[1])


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_numbers_that_are_masked_have_no_effect(case, seed):
    policy, larger, padding = policies(case, seed)
    wide = padded(padding, seen(policy, seed)[0])
    other = spoilt(wide, seed)
    _, action = seen(larger, seed)
    torch.testing.assert_close(larger.actor(other), larger.actor(wide), atol=0, rtol=0)
    torch.testing.assert_close(larger.critic(other, action), larger.critic(wide, action), atol=0, rtol=0)
    torch.testing.assert_close(larger.predict_values(other), larger.predict_values(wide), atol=0, rtol=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_single_links_can_be_masked(seed):
    _, policy, _ = policies("powers", seed)
    observation, action = seen(policy, seed)
    generator = torch.Generator().manual_seed(seed)
    observation["mask"] = (torch.rand(observation["signal"].shape, generator=generator) > 0.4).float()
    observation["mask"][:, 0, 0] = 1
    other = spoilt(observation, seed)
    links = observation["mask"].flatten(1)
    torch.testing.assert_close(policy.actor(other), policy.actor(observation), atol=0, rtol=0)
    assert (policy.actor(other)[links == 0] == 0).all()
    changed = torch.where(links > 0, action, -action)
    torch.testing.assert_close(policy.critic(other, changed), policy.critic(observation, action), atol=0, rtol=0)


@pytest.mark.parametrize("case", CASES)
def test_what_is_masked_teaches_nothing(case):
    policy, larger, padding = policies(case)
    observation, _ = seen(policy)
    wide = spoilt(padded(padding, observation), seed=0)
    for trained, given_observation in ((policy, observation), (larger, wide)):
        (trained.critic(given_observation, trained.actor(given_observation))[0].sum()).backward()
    for (name, ours), theirs in zip(larger.actor.named_parameters(), policy.actor.parameters(), strict=True):
        assert (ours.grad is None) == (theirs.grad is None), name
        if ours.grad is not None:
            torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_a_mask_of_ones_is_no_mask(case):
    policy, _, _ = policies(case)
    observation, action = seen(policy)
    masked = observation | {"mask": torch.ones(3, SUBCARRIERS, USERS)}
    same(policy.actor(masked), policy.actor(observation))
    same(policy.critic(masked, action)[0], policy.critic(observation, action)[0])


def test_sampled_densities_leave_out_what_is_masked():
    policy, larger, padding = policies("powers")
    wide = padded(padding, seen(policy)[0])
    action, density = larger.actor.action_log_prob(wide)
    same(larger.actor.distributed(wide).log_prob(action), density)
    elsewhere = torch.where(larger.actor(wide) == 0, -action, action)
    same(larger.actor.distributed(wide).log_prob(elsewhere), density)


def test_a_mask_of_another_shape_is_refused():
    policy, larger, _ = policies("powers")
    wrong = dict(larger.observation_space.spaces) | {"mask": spaces.Box(0, 1, (USERS,))}
    with pytest.raises(ValueError, match="mask"):
        policy.resized(spaces.Dict(wrong), larger.action_space)
