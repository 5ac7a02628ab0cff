"""``mec-cf-gym train``: agents that reproduce, and runs that go on as if they had never been cut off."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import safetensors.torch

from mec_cf_gym.agents import load
from mec_cf_gym.agents.training import command
from mec_cf_gym.agents.training.command import CHECKPOINT, Train, defaults, run
from mec_cf_gym.agents.training.segments import Segments
from mec_cf_gym.baselines.learned import checkpoint
from mec_cf_gym.cli import main
from mec_cf_gym.evaluation import SPLITS

from ...settings import ENV_IDS

SMALL = {"num_users": 3, "num_subcarriers": 1, "num_aps": 9, "antennas_per_base_station": 8, "episode_blocks": 4}
QUICK = {
    "ppo": ("n_envs:4", "n_steps:8", "batch_size:16", "n_epochs:2"),
    "sac": ("n_envs:4", "learning_starts:16", "batch_size:16", "gradient_steps:2", "buffer_size:64"),
    "td3": ("n_envs:4", "learning_starts:16", "batch_size:16", "gradient_steps:2", "buffer_size:64"),
    "ddpg": ("n_envs:4", "learning_starts:16", "batch_size:16", "gradient_steps:2", "buffer_size:64"),
}
MLP = ("policy:MultiInputPolicy", "policy_kwargs:{}", "normalize:{norm_reward: true}")


def options(out, algo="ddpg", env="MECCellFree-v0", hyperparams=(), **changes):
    base = defaults(["--algo", algo, "--env", env])
    fields = {
        name: value for name, value in SMALL.items() if env != "MECUserCentric-v0" or name != "num_subcarriers"
    }
    if base.scenario.is_dynamic:  # something has to wait in four blocks
        fields |= {"arrivals": "poisson", "tasks_per_s": 4000.0}
    settings = {
        "steps": 128,
        "evaluations": 4,
        "validation_networks": 2,
        "test_networks": 2,
        "progress": False,
        "hyperparams": (*QUICK[algo], *hyperparams),
        **changes,
    }
    return Train(algo=algo, env=env, out=out, scenario=base.scenario.replace(**fields), **settings)


@pytest.mark.parametrize("env", ENV_IDS)
def test_it_trains_in_every_environment(env, tmp_path):
    agent = run(options(tmp_path, env=env))
    assert agent.card["env"] == env
    assert [point["steps"] for point in agent.card["training"]["curve"]] == [0, 32, 64, 96, 128]
    assert agent.card["test"]["first_seed"] == SPLITS["test"][0]
    assert np.isfinite(agent.card["test"]["gap"]["mean"])


class KilledError(Exception):
    """What ends a run in the middle of a segment."""


@pytest.mark.parametrize(
    ("algo", "env", "hyperparams"),
    [
        *((algo, "MECCellFree-v0", hyperparams) for algo in QUICK for hyperparams in ((), MLP)),
        ("ppo", "MECCellFreeDynamic-v0", ()),
        ("sac", "MECCellFree-v0", (*MLP, "use_sde:true")),
        ("ddpg", "MECCellFreeDelayed-v1", ()),
    ],
    ids=str,
)
def test_a_run_that_was_cut_off_goes_on_to_the_very_same_agent(algo, env, hyperparams, tmp_path, monkeypatch):
    whole, cut = (options(tmp_path / name, algo, env, hyperparams) for name in ("whole", "cut"))
    run(whole)

    def kill(self):
        if self.model.num_timesteps > 70:
            raise KilledError
        return True

    with monkeypatch.context() as patched:
        patched.setattr(Segments, "_on_step", kill)
        with pytest.raises(KilledError):
            run(cut)
    with checkpoint.reading(cut.out / CHECKPOINT) as content:
        assert [point["steps"] for point in content["progress"]["curve"]] == [0, 32, 64]
    resumed = run(options(cut.out, algo, env, hyperparams, resume=True))
    assert resumed.card["training"]["steps"] == 128
    same = [safetensors.torch.load_file(folder / CHECKPOINT) for folder in (whole.out, cut.out)]
    assert same[0].keys() == same[1].keys()
    for name, tensor in same[0].items():
        np.testing.assert_array_equal(tensor.numpy(), same[1][name].numpy())
    agents = [(folder / "agent.safetensors").read_bytes() for folder in (whole.out, cut.out)]
    assert agents[0] == agents[1]


def test_seeds_reproduce_and_differ(tmp_path):
    first, again, other = (run(options(tmp_path / str(i), seed=seed)) for i, seed in enumerate((1, 1, 2)))
    curves = [
        [(point["mean"], point["reward"]) for point in agent.card["training"]["curve"]]
        for agent in (first, again, other)
    ]
    assert curves[0] == curves[1] != curves[2]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("agents") / "finished"
    run(options(folder))
    return folder


def test_the_best_agent_of_the_run_is_kept(finished):
    agent = load(finished / "agent")
    gaps = [point["mean"] for point in agent.card["training"]["curve"]]
    judged = command.Validation(agent.card["env"], agent.translation.scenario, 2).gap(agent)
    assert judged.mean == pytest.approx(min(gaps), rel=1e-6)


def test_learning_is_logged_for_tensorboard(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (log,) = (finished / "tensorboard").iterdir()
    events = EventAccumulator(str(log)).Reload()
    assert [event.step for event in events.Scalars("validation/gap_mean")] == [0, 32, 64, 96, 128]
    assert "rollout/ep_rew_mean" in events.Tags()["scalars"]


def test_a_used_folder_and_other_settings_are_refused(finished, tmp_path):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    with pytest.raises(ValueError, match="holds a run already: add --resume"):
        run(options(tmp_path))
    with pytest.raises(ValueError, match="seed=3 differs from 0"):
        run(options(tmp_path, seed=3, resume=True))
    assert run(options(tmp_path, resume=True)).card["training"]["steps"] == 128  # it was finished
    (tmp_path / CHECKPOINT).write_bytes(b"damaged")
    with pytest.raises(ValueError, match="is no checkpoint of this run"):
        run(options(tmp_path, resume=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": "Pendulum-v1"}, "env='Pendulum-v1'"),
        ({"algo": "dqn"}, "algo='dqn'"),
        ({"steps": 0}, "steps=0"),
        ({"seed": -1}, "seed=-1"),
        ({"validation_networks": 1}, "validation_networks=1"),
    ],
)
def test_bad_options_are_refused_by_name(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        Train(**{"algo": "ddpg", "env": "MECCellFree-v0", **changes}).check()
    assert not list(tmp_path.iterdir())


def test_the_command_line_trains_and_says_how_far_it_came(tmp_path, capsys):
    arguments = "train --algo ddpg --env MECCellFree-v0 --num-users 3 --num-aps 8 --steps 64 --evaluations 2"
    arguments += (
        " --validation-networks 2 --test-networks 2 --hyperparams n_envs:4 learning_starts:16 batch_size:8"
    )
    line = [sys.executable, "-m", "mec_cf_gym", *arguments.split()]
    result = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "gap to ExactMinMax on 2 test networks x 5 blocks" in result.stdout
    settings = json.loads((tmp_path / "runs/agent/settings.json").read_text())["settings"]
    assert settings["scenario"]["num_users"] == 3
    assert settings["scenario"]["reward"] == "log_latency"  # of the hyperparameters
    assert main(["train", "--algo", "ddpg", "--env", "MECCellfree-v0"]) == 2
    assert "env='MECCellfree-v0'" in capsys.readouterr().err
