"""Hyperparameters are files that rl-zoo reads, too, and every entry of them is checked."""

import pytest
import yaml
from stable_baselines3.common.vec_env import VecNormalize

from mec_cf_gym import Scenario
from mec_cf_gym.agents.training.environments import training_env
from mec_cf_gym.agents.training.hyperparameters import (
    ALGORITHMS,
    FOLDER,
    changed,
    hyperparameters_of,
    model_for,
    wrappers_of,
)

from ...settings import ENV_IDS

SMALL = Scenario.paper_a(num_users=3, num_subcarriers=1, num_aps=8)


@pytest.mark.parametrize("algo", ALGORITHMS)
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_every_algorithm_has_an_entry_for_every_environment(algo, env_id):
    found = hyperparameters_of(algo, env_id)
    assert found["n_timesteps"] >= 1000
    by_prices = algo == "ppo" and "Dynamic" in env_id
    acted = ["PricedAction" if by_prices else "LogPowerAction", "RescaleAction"]
    assert [name.rpartition(".")[2] for name, _ in wrappers_of(found)][-2:] == acted


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_a_model_is_what_the_file_says(algo):
    found = changed(hyperparameters_of(algo, "MECCellFree-v0"), ["learning_rate:lin_0.004"])
    env = training_env("MECCellFree-v0", SMALL, found["n_envs"], wrappers_of(found))
    model = model_for(algo, found, env, seed=0)
    assert isinstance(model, ALGORITHMS[algo])
    assert model.lr_schedule(0.25) == pytest.approx(0.001)
    assert model.gamma == found["gamma"]
    assert model.n_envs == found["n_envs"]
    noise = getattr(model, "action_noise", None)
    assert (noise is not None) == ("noise_type" in found)


def test_observations_are_normalised_if_the_file_says_so():
    env = training_env("MECCellFree-v0", SMALL, 2, [], normalize={"norm_reward": False}, gamma=0.5)
    assert isinstance(env, VecNormalize)
    assert not env.norm_reward
    assert env.gamma == 0.5
    assert set(env.obs_rms) == {"signal", "interference", "task"}


def test_a_file_of_ones_own_takes_the_place_of_the_packages(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(yaml.safe_dump({"default": {"n_timesteps": 1e4, "policy": "MultiInputPolicy"}}))
    found = hyperparameters_of("ppo", "MECCellFree-v0", path)
    assert found == {"n_timesteps": 10_000, "n_envs": 1, "policy": "MultiInputPolicy"}
    path.write_text(yaml.safe_dump({"Other-v0": {}}))
    with pytest.raises(ValueError, match="no hyperparameters for MECCellFree-v0, nor an entry 'default'"):
        hyperparameters_of("ppo", "MECCellFree-v0", path)
    with pytest.raises(ValueError, match=r"missing\.yml holds no hyperparameters"):
        hyperparameters_of("ppo", "MECCellFree-v0", tmp_path / "missing.yml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["gamma"], "hyperparams='gamma' is not allowed: it must read name:value"),
        (["gamma:[1"], "must read name:value"),
        (["policy:Mine"], "policy='Mine'"),
        (["gradient_stepz:3"], "do not fit ddpg: .*gradient_stepz"),
        (["noise_type:pink"], "noise_type='pink'"),
        (["learning_rate:cos_1"], "schedule='cos_1'"),
        (["env_wrapper:my.Wrapper"], "env_wrapper='my.Wrapper'"),
    ],
)
def test_bad_entries_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        found = changed(hyperparameters_of("ddpg", "MECCellFree-v0"), change)
        env = training_env("MECCellFree-v0", SMALL, 1, wrappers_of(found))
        model_for("ddpg", found, env, seed=0)


def test_other_algorithms_are_refused():
    with pytest.raises(ValueError, match="algo='dqn' is not allowed: it must be one of ppo, sac, td3, ddpg"):
        hyperparameters_of("dqn", "MECCellFree-v0")


def test_the_files_hold_one_algorithm_each():
    assert {path.stem for path in FOLDER.glob("*.yml")} == set(ALGORITHMS)
