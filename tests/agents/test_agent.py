"""A trained agent decides on plain observations with plain actions, also after a round trip through its files."""

import json
from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import numpy as np
import pytest
import safetensors.torch
import torch

from mec_cf_gym.agents import Agent, AgentPolicy, LogPowerAction, load
from mec_cf_gym.agents.cards import build_policy
from mec_cf_gym.agents.stack import LOG_POWER, MEAN_GAINS, RESCALE, NamedStack
from mec_cf_gym.agents.training.hyperparameters import EQUIVARIANT
from mec_cf_gym.agents.translation import Statistics
from mec_cf_gym.evaluation import evaluate

from ..settings import ENV_IDS, sent

SMALL = {"num_users": 4, "num_aps": 9, "antennas_per_base_station": 8, "num_subcarriers": 1}
RESCALED = (RESCALE, {"min_action": -1.0, "max_action": 1.0})
DECIBELS = [(LOG_POWER, {"least_db": -40.0, "split": "closed_form"}), RESCALED]


def untrained(
    env_id="MECCellFree-v0", algo="ddpg", policy=EQUIVARIANT, wrappers=DECIBELS, statistics=None, **fields
):
    torch.manual_seed(0)
    scenario = gym.make(env_id, **SMALL, **fields).unwrapped.scenario
    translation = NamedStack(scenario, wrappers, statistics)
    card = {"algo": algo, "env": env_id, "policy": policy, "policy_kwargs": {}}
    built = build_policy(algo, policy, {}, translation)
    with torch.no_grad():  # away from the symmetric start
        for parameter in built.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return Agent(built, translation, card)


@pytest.mark.parametrize("env_id", ENV_IDS)
@pytest.mark.parametrize("algo", ["ppo", "sac", "td3", "ddpg"])
def test_it_acts_in_every_environment_and_survives_a_round_trip(env_id, algo, tmp_path):
    agent = untrained(env_id, algo)
    agent.save(tmp_path / "agent")
    loaded = load(tmp_path / "agent")
    env = gym.make(env_id, **SMALL)
    observation, _ = env.reset(seed=1)
    action, state = loaded.predict(observation)
    assert env.action_space.contains(action)
    assert state is None
    np.testing.assert_array_equal(action, agent.predict(observation)[0])
    assert loaded.card["env"] == env_id


@pytest.mark.parametrize("algo", ["ppo", "sac", "td3", "ddpg"])
def test_networks_of_stable_baselines3_do_too_with_their_statistics(algo, tmp_path):
    env = gym.make("MECCellFree-v0", **SMALL)
    observation, _ = env.reset(seed=1)
    ones = {name: np.ones(array.shape) for name, array in observation.items()}
    agent = untrained(algo=algo, policy="MultiInputPolicy", wrappers=[RESCALED], statistics=Statistics(ones, ones))
    agent.save(tmp_path / "agent")
    action, _ = load(tmp_path / "agent").predict(observation)
    np.testing.assert_array_equal(action, agent.predict(observation)[0])
    without = untrained(algo=algo, policy="MultiInputPolicy", wrappers=[RESCALED])
    assert np.abs(action - without.predict(observation)[0]).max() > 1e-3
    with pytest.raises(ValueError, match=r"trained for N, K = \(1, 4\), and serves no other"):
        load(tmp_path / "agent").predict(gym.make("MECCellFree-v0", num_users=5).reset(seed=0)[0])


def test_a_batch_is_decided_as_its_rows_are():
    agent, env = untrained(), gym.make_vec("MECCellFree-v0", num_envs=3, **SMALL)
    observations, _ = env.reset(seed=1)
    actions, _ = agent.predict(observations)
    for row in range(3):
        action, _ = agent.predict({name: array[row] for name, array in observations.items()})
        np.testing.assert_allclose(actions[row], action, atol=1e-5)


@pytest.mark.parametrize(("users", "subcarriers"), [(2, 1), (7, 1), (4, 3)])
def test_an_equivariant_agent_serves_other_numbers_of_users_and_subcarriers(users, subcarriers):
    env = gym.make("MECCellFree-v0", num_users=users, num_subcarriers=subcarriers, num_aps=9)
    observation, _ = env.reset(seed=1)
    action, _ = untrained().predict(observation)
    assert env.action_space.contains(action)
    power, _ = env.unwrapped.decode(action)
    assert power.sum(0).max() == pytest.approx(1, abs=1e-5)  # the loudest user meets its budget


@pytest.mark.parametrize("env_id", ["MECUserCentric-v0", "MECMultiCell-v0"])
def test_it_serves_other_numbers_of_servers(env_id):
    env = gym.make(env_id, num_users=5, num_aps=16, num_base_stations=9, antennas_per_base_station=8)
    action, _ = untrained(env_id).predict(env.reset(seed=1)[0])
    assert env.action_space.contains(action)


def test_a_memory_is_the_state_of_predict_and_lasts_for_an_episode():
    agent = untrained(wrappers=[(MEAN_GAINS, {}), *DECIBELS])
    env = gym.make("MECCellFree-v0", **SMALL)
    first, _ = env.reset(seed=1)
    second, *_ = env.step(env.action_space.sample())
    alone, state = agent.predict(second)
    _, state = agent.predict(first)
    remembered, state = agent.predict(second, state)
    assert np.abs(alone - remembered).max() > 1e-4
    forgotten, _ = agent.predict(second, state, np.array(True))
    np.testing.assert_allclose(forgotten, alone, atol=1e-6)
    agent.reset(0)
    agent.allocate(first, env.unwrapped.block)
    power = agent.allocate(second, env.unwrapped.block).power
    np.testing.assert_allclose(power, env.unwrapped.decode(remembered)[0], atol=1e-6)


def test_it_runs_in_an_evaluation():
    records = evaluate({"agent": untrained()}, "MECCellFree-v0", topologies=2, blocks=2, **SMALL)
    assert len(records) == 4


@pytest.mark.parametrize("wrappers", [DECIBELS, [(MEAN_GAINS, {}), *DECIBELS]])
def test_further_entries_of_an_observation_are_ignored_and_missing_ones_are_named(wrappers):
    agent, env = untrained(wrappers=wrappers), gym.make("MECCellFree-v0", **SMALL)
    observation, _ = env.reset(seed=1)
    with_csi, _ = gym.make("MECCellFree-v0", **SMALL, observation="csi").reset(seed=1)
    expected, _ = agent.predict(observation)
    np.testing.assert_array_equal(agent.predict(with_csi)[0], expected)
    batch = {name: np.stack([values] * 2) for name, values in with_csi.items()}
    np.testing.assert_allclose(agent.predict(batch)[0], [expected] * 2, atol=1e-5)
    for shown in (observation, batch):
        with pytest.raises(ValueError, match="it has no interference and no task"):
            agent.predict({"signal": shown["signal"]})
    agent.allocate(with_csi, env.unwrapped.block)


def test_it_can_be_bound_to_an_environment_that_shows_more():
    agent = untrained()
    env = gym.make("MECCellFree-v0", **{**SMALL, "num_users": 3}, observation="csi", bandwidth_hz=2e6)
    observation, _ = env.reset(seed=3)
    action, _ = agent.bound(env).predict(observation)
    given = agent.allocate(observation, env.unwrapped.block)
    np.testing.assert_allclose(action, env.unwrapped.encode(given.power, given.offload), rtol=1e-5)


@pytest.mark.parametrize("name", ["cellfree-k10", "delayed", "usercentric"])
def test_it_can_be_pickled(name):
    agent = load(name)
    env = gym.make(agent.card["env"], num_users=3)
    observation, _ = env.reset(seed=3)
    action, _ = agent.predict(observation)
    np.testing.assert_array_equal(sent(agent).predict(observation)[0], action)


@pytest.mark.parametrize("deterministic", [True, False])
def test_threads_and_episodes_may_share_predict(deterministic):
    agent = untrained(algo="ppo", wrappers=[(MEAN_GAINS, {}), *DECIBELS])
    shown = {}
    for users in (3, 4, 5):
        envs = gym.make_vec("MECCellFree-v0", num_envs=users, **{**SMALL, "num_users": users})
        shown[users] = [envs.reset(seed=users)[0], envs.step(envs.action_space.sample())[0]]

    def actions(users):
        _, state = agent.predict(shown[users][0], deterministic=deterministic)
        return agent.predict(shown[users][1], state, deterministic=deterministic)[0]

    alone = {users: actions(users) for users in shown}
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(actions, [3, 4, 5] * 20))
    for users, found in zip([3, 4, 5] * 20, together, strict=True):
        assert found.shape == alone[users].shape
        if deterministic:
            np.testing.assert_array_equal(found, alone[users])
    assert agent.state is None


def test_statistics_keep_how_they_clip(tmp_path):
    ones = {"signal": np.ones((1, 4))}
    agent = untrained(policy="MultiInputPolicy", wrappers=[RESCALED], statistics=Statistics(ones, ones, 0.5, 1e-3))
    agent.save(tmp_path / "agent")
    statistics = load(tmp_path / "agent").translation.statistics
    assert (statistics.clip, statistics.epsilon) == (0.5, 1e-3)
    assert statistics.normalised({"signal": np.full((1, 4), 9.0)})["signal"].max() == 0.5


def test_agents_without_a_card_are_not_saved(tmp_path):
    env = gym.make("MECCellFree-v0", **SMALL)
    with pytest.raises(ValueError, match="only agents with a card are saved"):
        AgentPolicy(untrained().model, rescaled(env)).save(tmp_path / "agent")


def rescaled(env):
    return gym.wrappers.RescaleAction(LogPowerAction(env), np.float32(-1), np.float32(1))


def test_a_card_and_an_environment_make_the_same_agent():
    env = rescaled(gym.make("MECCellFree-v0", **SMALL))
    observation, _ = env.reset(seed=2)
    agent = untrained()
    block = env.unwrapped.block
    by_card, by_env = (policy.allocate(observation, block) for policy in (agent, AgentPolicy(agent.model, env)))
    np.testing.assert_allclose(by_card.power, by_env.power, rtol=1e-5)
    np.testing.assert_allclose(by_card.offload, by_env.offload, rtol=1e-5)


def test_shares_of_servers_are_those_of_the_action():
    agent = untrained("MECUserCentric-v0")
    env = gym.make("MECUserCentric-v0", **SMALL)
    observation, _ = env.reset(seed=1)
    action, _ = agent.predict(observation)
    given = agent.allocate(observation, env.unwrapped.block).computing.total_hz
    np.testing.assert_allclose(given, env.unwrapped.allocation(action).computing.total_hz, rtol=1e-6)


def damaged(tmp_path, change_card=None, change_tensors=None):
    path = tmp_path / "agent"
    untrained().save(path)
    card, tensors = (
        json.loads(path.with_suffix(".json").read_text()),
        safetensors.torch.load_file(f"{path}.safetensors"),
    )
    (change_card or (lambda card: None))(card)
    (change_tensors or (lambda tensors: None))(tensors)
    path.with_suffix(".json").write_text(json.dumps(card))
    safetensors.torch.save_file(tensors, f"{path}.safetensors")
    return path


@pytest.mark.parametrize(
    ("change_card", "change_tensors", "message"),
    [
        (lambda card: card.pop("scenario"), None, "scenario"),
        (lambda card: card["scenario"].update(num_users=0), None, "num_users=0"),
        (lambda card: card.update(policy="os.system"), None, "policy='os.system of ddpg'"),
        (lambda card: card.update(wrappers=[["os.system", {}]]), None, "env_wrapper='os.system'"),
        (None, lambda tensors: tensors.pop(next(iter(tensors))), "lacks the tensor"),
        (None, lambda tensors: next(iter(tensors.values())).fill_(torch.nan), "not finite"),
    ],
)
def test_damaged_files_are_refused(tmp_path, change_card, change_tensors, message):
    with pytest.raises(ValueError, match=message):
        load(damaged(tmp_path, change_card, change_tensors))


def test_an_unknown_name_is_refused_with_those_that_exist():
    with pytest.raises(ValueError, match="agent='nobody' is not allowed: it must be a path without suffix"):
        load("nobody")
