"""``mec-cf-gym tune``: a study starts from the file's values, keeps every trial, and goes on."""

import dataclasses
import json

import pytest
import yaml

from mec_cf_gym import Scenario
from mec_cf_gym.agents.training import tune
from mec_cf_gym.agents.training.hyperparameters import ALGORITHMS, FOLDER, hyperparameters_of
from mec_cf_gym.agents.training.tune import Tune, run, space_of

SMALL = Scenario.paper_a(num_users=3, num_subcarriers=1, num_aps=8, reward="log_latency", episode_blocks=10)


def options(out, algo="ddpg", **changes):
    settings = {"trials": 2, "steps": 32, "validation_networks": 2, **changes}
    return Tune(algo=algo, env="MECCellFree-v0", out=out, scenario=SMALL, **settings)


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_the_first_trial_has_the_values_of_the_file(algo, tmp_path):
    study = run(options(tmp_path, algo, trials=1))
    entry = hyperparameters_of(algo, "MECCellFree-v0")
    first = {f"lin_{v:g}" if name == "learning_rate" else v for name, v in study.trials[0].params.items()}
    assert first == {entry[name] for name in space_of(algo)}


def test_its_files_hold_every_trial_and_the_best_entry(tmp_path):
    study = run(options(tmp_path))
    content = json.loads((tmp_path / "study.json").read_text())
    assert [trial["number"] for trial in content["trials"]] == [0, 1]
    assert content["best"]["gap"] == min(trial["gap"] for trial in content["trials"])
    entry = yaml.safe_load((tmp_path / "ddpg.yml").read_text())["MECCellFree-v0"]
    assert entry["batch_size"] == study.best_params["batch_size"]
    assert entry["env_wrapper"] == hyperparameters_of("ddpg", "MECCellFree-v0")["env_wrapper"]


def test_a_study_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tune, "learn", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(options(tmp_path))
    with pytest.raises(ValueError, match="holds a study already: add --resume"):
        run(options(tmp_path))
    study = run(options(tmp_path, resume=True))
    assert sum(trial.value is not None for trial in study.trials) == 2
    assert study.trials[1].params == study.trials[0].params  # the file's values, which had not been tried


def test_bad_options_are_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="trials=0"):
        run(options(tmp_path, trials=0))
    with pytest.raises(ValueError, match="algo='dqn'"):
        run(options(tmp_path, algo="dqn"))


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_the_packages_values_are_among_the_best_of_a_study_that_is_kept(algo):
    study = json.loads((FOLDER / "studies" / f"{algo}.json").read_text())
    assert study["settings"]["algo"] == algo
    assert len(study["trials"]) >= 10
    entry = hyperparameters_of(algo, "MECCellFree-v0")
    packaged = {name: number(entry[name]) for name in space_of(algo)}
    (tried,) = (trial for trial in study["trials"] if {name: trial[name] for name in packaged} == approx(packaged))
    assert tried["gap"] - study["best"]["gap"] < 0.001


def number(value):
    return float(value.removeprefix("lin_")) if isinstance(value, str) else value


def approx(values):
    return pytest.approx(values, rel=0.01)


def test_other_settings_cannot_go_on(tmp_path):
    run(options(tmp_path, trials=1))
    with pytest.raises(ValueError, match="steps=48 differs from 32"):
        run(options(tmp_path, steps=48, resume=True))
    louder = dataclasses.replace(options(tmp_path, resume=True), scenario=SMALL.replace(user_power_dbm=30.0))
    with pytest.raises(ValueError, match=r"user_power_dbm=30.0 differs from"):
        run(louder)
    assert len(run(options(tmp_path, trials=1, resume=True)).trials) == 1
    (tmp_path / "settings.json").unlink()  # as studies of 0.1.0 are
    with pytest.raises(ValueError, match="algo='ddpg' differs from None"):
        run(options(tmp_path, resume=True))
