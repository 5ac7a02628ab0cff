"""The agents that come with the package: what their cards say can be measured again, and they beat heuristics."""

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

import mec_cf_gym.agents
from mec_cf_gym.agents import Validation, installed, installed_agents, load, vector
from mec_cf_gym.agents.training.command import blocks_of
from mec_cf_gym.evaluation import SPLITS, available_policies, load_policy

from ..settings import ENV_IDS

AGENTS = installed_agents()
every_agent = pytest.mark.parametrize("name", AGENTS)


def test_every_environment_has_one():
    assert {card["env"] for card in AGENTS.values()} == set(ENV_IDS)


def test_each_is_a_policy_of_every_evaluation():
    assert {f"rl-{name}" for name in AGENTS} == {name for name in available_policies() if name.startswith("rl-")}


def test_adding_one_is_adding_two_files():
    assert {f"rl-{name}" for name in AGENTS} == set(installed.policies())
    assert installed.policies()["rl-delayed"]().card["env"] == "MECCellFreeDelayed-v0"
    assert installed.cellfree_k10().card == load("cellfree-k10").card
    with pytest.raises(AttributeError, match="no attribute 'nobody'"):
        installed.nobody  # noqa: B018


def test_they_are_listed_without_torch():
    code = (
        "import sys; from mec_cf_gym.agents.installed import policies; policies(); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_lazy_names_are_shown_and_their_twins_share_a_name():
    assert set(mec_cf_gym.agents.__all__) <= set(dir(mec_cf_gym.agents))
    assert mec_cf_gym.agents.LogPowerVectorAction is vector.LogPowerAction
    assert mec_cf_gym.agents.MeanGainsVector is vector.MeanGains


@every_agent
def test_the_card_says_how_it_came_about(name):
    card = AGENTS[name]
    training, tested = card["training"], card["test"]
    assert training["steps"] >= training["hyperparameters"].get("learning_starts", 1)
    assert training["training_s"] < 7200
    assert training["curve"][0]["steps"] == 0
    assert tested["first_seed"] == SPLITS["test"][0]
    assert tested["gap"]["low"] <= tested["gap"]["mean"] <= tested["gap"]["high"]
    assert {"command", "versions", "machine"} <= card.keys()


class Policy:
    """A heuristic where agents are judged: it looks at the block."""

    def __init__(self, name, env):
        self.policy, self.env = load_policy(name), env.unwrapped

    def predict(self, observation, state=None):
        block = self.env.block
        return self.env.codec.encode(self.policy.allocate(observation, block), block.servers), None


@every_agent
def test_it_is_far_below_full_power_on_networks_it_has_not_seen(name):
    agent = load(name)
    scenario = agent.translation.scenario
    networks = 4 if scenario.computing.server == "shared" else 20
    lives_on_batteries = scenario.is_dynamic and np.isfinite(scenario.energy.battery_j)  # full ones, at first
    blocks = blocks_of(scenario, 1) if lives_on_batteries else min(10, blocks_of(scenario, 1))
    validation = Validation(AGENTS[name]["env"], scenario, networks, blocks)
    assert validation.gap(agent).mean < validation.gap(Policy("full-power", validation.env)).mean - 0.05


@pytest.mark.parametrize(
    ("name", "mean", "p95"),
    [("cellfree-k10", 0.005, 0.02), ("cellfree-k20", 0.01, 0.05), ("cellfree-k10-n4", 0.03, 1)],
)
def test_gaps_to_the_reference_on_unseen_networks(name, mean, p95):
    agent = load(name)
    gap = Validation("MECCellFree-v0", agent.translation.scenario, 50).gap(agent)
    assert gap.mean < mean
    assert gap.p95 < p95


def test_one_agent_serves_other_numbers_of_users():
    env = gym.make("MECCellFree-v0", num_users=17, num_subcarriers=1)
    observation, _ = env.reset(seed=SPLITS["validation"][0])
    action, _ = load("cellfree-k10").predict(observation)
    *_, info = env.step(action)
    exact = load_policy("exact")
    env.reset(seed=SPLITS["validation"][0])
    optimum = exact.solve(env.unwrapped.block).max_latency
    assert info["max_latency_s"] == pytest.approx(optimum, rel=0.05)
    assert np.isfinite(optimum)
