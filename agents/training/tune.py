"""``mec-cf-gym tune``: hyperparameters that do best on validation networks, searched for by Optuna."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import yaml

from mec_cf_gym.agents.training.command import SETTINGS, Train, defaults, learn
from mec_cf_gym.agents.training.hyperparameters import changed, hyperparameters_of
from mec_cf_gym.agents.validation import Judged
from mec_cf_gym.commands import run_command
from mec_cf_gym.errors import checked_count
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.runs import check_same, check_unused, hold, read_json, write_atomically, write_json
from mec_cf_gym.scenario import Scenario

UNPRUNED = 4
"""Trials that run to their end before any is cut short."""
Suggestions = dict[str, Any]
Distributions = dict[str, optuna.distributions.BaseDistribution]


@dataclass(frozen=True, kw_only=True)
class Tune:
    """Search for hyperparameters, by the gap on validation networks after a short training.

    The first trial has the values of the file. Writes study.json (every trial) and ALGO.yml (the best entry).
    Interrupted, a study keeps its finished trials, and --resume goes on.
    """

    algo: str
    """ppo, sac, td3 or ddpg."""
    env: str
    """Environment id."""
    trials: int = 20
    """Trainings, those that are cut short included."""
    steps: int = 4000
    """Environment steps of a training."""
    seed: int = 0
    """Of the search and of all trainings."""
    validation_networks: int = 64
    """Networks that decide, one block each."""
    out: Path = Path("runs/study")
    """Folder for the results."""
    resume: bool = False
    """Go on with the study in the folder, if there is one."""
    scenario: Scenario = field(default_factory=Scenario)
    """The scenario, field by field."""

    def settings(self) -> dict[str, Any]:
        """Return what decides the result, and must not change when a study goes on."""
        names = ("algo", "env", "steps", "seed", "validation_networks")
        return {**{name: getattr(self, name) for name in names}, "scenario": self.scenario.to_dict()}


def space_of(algo: str) -> Distributions:
    """Return what is searched for an algorithm, by hyperparameter."""
    real, one_of = optuna.distributions.FloatDistribution, optuna.distributions.CategoricalDistribution
    space: Distributions = {"learning_rate": real(3e-4, 3e-3, log=True), "batch_size": one_of([64, 128, 256])}
    if algo == "ppo":
        return {**space, "n_steps": one_of([32, 64, 128]), "n_epochs": one_of([5, 10, 20])}
    space["gradient_steps"] = one_of([2, 4, 8])
    exploration = "ent_coef" if algo == "sac" else "noise_std"
    return {**space, exploration: real(1e-4, 1e-2, log=True) if algo == "sac" else real(0.02, 0.4, log=True)}


def run(options: Tune) -> optuna.Study:
    """Run a study, or the rest of it, and write its files.

    Raises:
        ValueError: For options that are not allowed, or a used folder.
    """
    checked_count("trials", options.trials, 1, 10**5)
    checked_count("steps", options.steps, 1, 10**9)
    entry = hyperparameters_of(options.algo, options.env)
    with hold(options.out):
        storage = options.out / "study.db"
        check_unused(options.out, storage.exists(), options.resume, "study")
        if storage.exists():
            settings = options.out / SETTINGS  # version 0.1.0 wrote none
            before = read_json(settings)["settings"] if settings.exists() else {}
            check_same(before, options.settings(), options.out)
        else:
            write_json(options.out / SETTINGS, {"settings": options.settings(), **provenance()})
        optuna.logging.set_verbosity(logging.WARNING)
        study = optuna.create_study(
            study_name=f"{options.algo} on {options.env}",
            storage=f"sqlite:///{storage}",
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=options.seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED),
        )
        space = space_of(options.algo)
        if not _finished(study):
            study.enqueue_trial({name: _number(entry[name]) for name in space})
        left = options.trials - len(_finished(study))
        if left > 0:
            study.optimize(_objective(options, space), n_trials=left, show_progress_bar=True)
        best = changed(entry, _changes(study.best_params))
        write_atomically(options.out / f"{options.algo}.yml", yaml.safe_dump({options.env: best}, sort_keys=False))
        content = {
            "settings": options.settings(),
            "best": {"gap": study.best_value, **study.best_params},
            "trials": [
                {"number": t.number, "state": t.state.name, "gap": t.value, "s": _seconds(t), **t.params}
                for t in _finished(study)
            ],
            **provenance(),
        }
        write_json(options.out / "study.json", content)
    return study


def _objective(options: Tune, space: Distributions) -> Callable[[optuna.Trial], float]:
    def objective(trial: optuna.Trial) -> float:
        suggested = {name: _suggest(trial, name, distribution) for name, distribution in space.items()}

        def judged(steps: int, gap: Judged) -> None:
            trial.report(gap.mean, steps)
            if trial.should_prune():
                raise optuna.TrialPruned

        training = Train(
            algo=options.algo,
            env=options.env,
            steps=options.steps,
            seed=options.seed,
            hyperparams=_changes(suggested),
            evaluations=4,
            validation_networks=options.validation_networks,
            out=options.out / f"trial-{trial.number}",
            progress=False,
            scenario=options.scenario,
        )
        return float(learn(training, judged).curve[-1]["mean"])

    return objective


def _suggest(trial: optuna.Trial, name: str, space: optuna.distributions.BaseDistribution) -> Any:
    if isinstance(space, optuna.distributions.CategoricalDistribution):
        return trial.suggest_categorical(name, space.choices)
    assert isinstance(space, optuna.distributions.FloatDistribution)
    return trial.suggest_float(name, space.low, space.high, log=space.log)


def _changes(suggested: Suggestions) -> tuple[str, ...]:
    """Return suggestions as entries of a hyperparameter file; learning rates fall to zero."""
    written = {name: f"lin_{value:.3g}" if name == "learning_rate" else value for name, value in suggested.items()}
    return tuple(
        f"{name}:{value:.3g}" if isinstance(value, float) else f"{name}:{value}" for name, value in written.items()
    )


def _number(value: Any) -> Any:
    return float(value.removeprefix("lin_")) if isinstance(value, str) else value


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the trials that ended, or that the pruner cut short: not those that were interrupted."""
    return study.get_trials(states=(optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED))


def _seconds(trial: optuna.trial.FrozenTrial) -> float | None:
    return None if trial.duration is None else round(trial.duration.total_seconds(), 1)


def _run_and_report(options: Tune) -> str:
    study = run(options)
    trials = _finished(study)
    return (
        f"{len(trials)} trials; gap with the values of the file {trials[0].value:.2%}, "
        f"with the best {study.best_value:.2%}\n{', '.join(_changes(study.best_params))}\n"
        f"written to {options.out}: study.json, {options.algo}.yml"
    )


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym tune``; return its exit status."""
    start = defaults(arguments)
    default = Tune(algo=start.algo, env=start.env, scenario=start.scenario)
    return run_command(
        "mec-cf-gym tune", Tune, _run_and_report, arguments, default=default, finished="finished trials are"
    )
