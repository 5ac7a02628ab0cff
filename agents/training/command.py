"""``mec-cf-gym train``: train an agent of Stable-Baselines3, judge it on unseen networks, and write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from mec_cf_gym.agents.agent import Agent
from mec_cf_gym.agents.stack import NamedStack
from mec_cf_gym.agents.training import checkpoint
from mec_cf_gym.agents.training.environments import training_env
from mec_cf_gym.agents.training.hyperparameters import (
    ALGORITHMS,
    Hyperparameters,
    changed,
    hyperparameters_of,
    model_for,
    wrappers_of,
)
from mec_cf_gym.agents.training.segments import Segments
from mec_cf_gym.agents.translation import Statistics
from mec_cf_gym.agents.validation import Judged, Validation
from mec_cf_gym.baselines.learned.checkpoint import CHECKPOINT
from mec_cf_gym.commands import given, run_command
from mec_cf_gym.errors import checked_count
from mec_cf_gym.evaluation.environments import check_names, usual_scenario
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.runs import check_same, check_unused, hold, read_json, write_json
from mec_cf_gym.registration import env_ids
from mec_cf_gym.scenario import Dynamics, Scenario

SETTINGS, AGENT = "settings.json", "agent"


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train an agent on networks of the train seeds, and judge it on validation and test networks.

    Writes agent.safetensors and agent.json (the agent with the least validation gap, and its card), settings.json,
    checkpoint.safetensors and TensorBoard's log. Interrupted, even killed, a run goes on with --resume to the very
    same agent: exactly on one machine with one thread, up to rounding elsewhere.
    """

    algo: str
    """ppo, sac, td3 or ddpg."""
    env: str
    """Environment id."""
    steps: int | None = None
    """Environment steps; n_timesteps of the hyperparameters by default."""
    seed: int = 0
    """Of weights, exploration and networks."""
    hyperparameters: Path | None = None
    """A file in rl-zoo's YAML format; that of the package by default."""
    hyperparams: tuple[str, ...] = ()
    """Entries of it to replace, as name:value, separated by spaces."""
    evaluations: int = 20
    """How often the agent is judged, and a checkpoint written."""
    validation_networks: int = 64
    """Networks that it is judged on during training, one block each, or an episode where blocks are correlated."""
    test_networks: int = 200
    """Networks of the test seeds that the final agent is judged on, five blocks each, or an episode."""
    out: Path = Path("runs/agent")
    """Folder for the results."""
    resume: bool = False
    """Go on with the run in the folder, if there is one."""
    progress: bool = True
    """Whether to show a progress bar."""
    scenario: Scenario = field(default_factory=Scenario)
    """The scenario, field by field."""

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        check_names("algo", [self.algo], ALGORITHMS)
        check_names("env", [self.env], env_ids())
        if self.steps is not None:
            checked_count("steps", self.steps, 1, 10**10)
        checked_count("seed", self.seed, 0, 2**63)
        checked_count("evaluations", self.evaluations, 1, 10**6)
        for name in ("validation_networks", "test_networks"):
            checked_count(name, getattr(self, name), 2, 10**6)

    def resolved(self) -> Hyperparameters:
        """Return the hyperparameters of this run."""
        found = changed(hyperparameters_of(self.algo, self.env, self.hyperparameters), self.hyperparams)
        found.pop("env_kwargs", None)  # they are in the scenario
        return found if self.steps is None else {**found, "n_timesteps": self.steps}

    def settings(self) -> dict[str, Any]:
        """Return what decides the result, and must not change when a run goes on."""
        names = ("algo", "env", "seed", "evaluations", "validation_networks")
        return {
            **{name: getattr(self, name) for name in names},
            "hyperparameters": self.resolved(),
            "scenario": self.scenario.to_dict(),
        }


def run(options: Train) -> Agent:
    """Train, or go on, then judge and write the agent.

    Returns:
        The best agent, with its card.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    with hold(options.out):
        segments = learn(options)
        agent = Agent.load(options.out / AGENT)
        agent.card |= {
            "training": {
                "seed": options.seed,
                "steps": segments.curve[-1]["steps"],
                "training_s": segments.trained_s,
                "hyperparameters": options.resolved(),
                "curve": segments.curve,
            },
            "test": gap_on_test_networks(agent, options.env, options.scenario, options.test_networks),
            **provenance(),
        }
        agent.save(options.out / AGENT)
    return agent


def learn(options: Train, judged: Callable[[int, Judged], None] | None = None) -> Segments:
    """Train, or go on, and write checkpoints and the best agent.

    Args:
        options: The options.
        judged: Called with the environment steps and the validation gap whenever the agent is judged.

    Returns:
        The segments of the run, with its learning curve.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    options.check()
    torch.set_num_threads(1)  # small networks gain nothing from threads, and sums stay in one order
    with hold(options.out):
        return _learn(options, judged)


def _learn(options: Train, judged: Callable[[int, Judged], None] | None) -> Segments:
    hyperparameters, path = options.resolved(), options.out / CHECKPOINT
    check_unused(options.out, path.exists(), options.resume)
    env = training_env(
        options.env,
        options.scenario,
        hyperparameters["n_envs"],
        wrappers_of(hyperparameters),
        hyperparameters.get("normalize"),
        hyperparameters.get("gamma", 0.99),
    )
    model = model_for(options.algo, hyperparameters, env, options.seed, str(options.out / "tensorboard"))
    progress: dict[str, Any] = {}
    if path.exists():
        check_same(read_json(options.out / SETTINGS)["settings"], options.settings(), options.out)
        progress = checkpoint.restore(path, model)
    else:
        write_json(options.out / SETTINGS, {"settings": options.settings(), **provenance()})
    blocks = blocks_of(options.scenario, 1)
    validation = Validation(options.env, options.scenario, options.validation_networks, blocks)
    total = hyperparameters["n_timesteps"]

    def judge() -> Judged:
        gap = validation.gap(agent_of(options, hyperparameters, model))
        if judged is not None:
            judged(model.num_timesteps, gap)
        return gap

    segments = Segments(
        path,
        seed=options.seed,
        length=max(1, total // options.evaluations),
        judge=judge,
        keep=lambda: agent_of(options, hyperparameters, model).save(options.out / AGENT),
        progress=progress,
    )
    if model.num_timesteps < total:
        model._last_obs = {}  # segments reset the environment themselves
        model.learn(
            total - model.num_timesteps,
            callback=segments,
            reset_num_timesteps=False,
            tb_log_name=options.algo,
            progress_bar=options.progress,
        )
    env.close()
    return segments


def blocks_of(scenario: Scenario, independent: int) -> int:
    """Return how many blocks of a network an agent is judged on: an episode where blocks are not independent."""
    dynamics, memoryless = scenario.dynamics, Dynamics()
    names = ("fading", "mobility", "csi_delay_blocks")
    depend = scenario.is_dynamic or any(getattr(dynamics, name) != getattr(memoryless, name) for name in names)
    return scenario.episode.episode_blocks if depend else independent


def gap_on_test_networks(agent: Agent, env_id: str, scenario: Scenario, networks: int) -> dict[str, Any]:
    """Return the gap to the reference on networks of the test seeds, as plain JSON."""
    blocks = blocks_of(scenario, 5)
    validation = Validation(env_id, scenario, networks, blocks, split="test")
    return {
        "reference": type(validation.reference).__name__,
        "networks": networks,
        "blocks": blocks,
        "first_seed": validation.seeds[0],
        "gap": validation.gap(agent).to_dict(),
    }


def agent_of(options: Train, hyperparameters: Hyperparameters, model: BaseAlgorithm) -> Agent:
    """Return the present policy of a model as an agent."""
    statistics = Statistics.of(model.get_vec_normalize_env())
    translation = NamedStack(options.scenario, wrappers_of(hyperparameters), statistics)
    exploring = {"use_sde": True} if hyperparameters.get("use_sde") else {}  # it changes what weights there are
    card = {
        "algo": options.algo,
        "env": options.env,
        "policy": hyperparameters["policy"],
        "policy_kwargs": {**hyperparameters.get("policy_kwargs", {}), **exploring},
    }
    return Agent(model.policy, translation, card)


def defaults(arguments: Sequence[str]) -> Train:
    """Return the options that a command line starts from: the scenario of its environment and its algorithm."""
    (algo, *_), (env, *_) = given(arguments, "algo") or ["ddpg"], given(arguments, "env") or ["MECCellFree-v0"]
    Train(algo=algo, env=env).check()
    file = [Path(name) for name in given(arguments, "hyperparameters")]
    fields = hyperparameters_of(algo, env, *file[:1]).get("env_kwargs", {})
    return Train(algo=algo, env=env, scenario=usual_scenario(env).replace(**fields))


def _run_and_report(options: Train) -> str:
    card = run(options).card
    tested, training, gap = card["test"], card["training"], card["test"]["gap"]
    return (
        f"{training['steps']} steps in {training['training_s']:.0f} s\n"
        f"gap to {tested['reference']} on {tested['networks']} test networks x {tested['blocks']} blocks: "
        f"{gap['mean']:.2%} [{gap['low']:.2%}, {gap['high']:.2%}], p95 {gap['p95']:.2%}\n"
        f"written to {options.out}: agent.safetensors, agent.json, settings.json, tensorboard/"
    )


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym train``; return its exit status."""
    start = defaults(arguments)
    return run_command(
        "mec-cf-gym train", Train, _run_and_report, arguments, default=start, finished="finished segments are"
    )
