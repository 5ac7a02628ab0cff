"""Does a curriculum help? Few users first, then more, against the full number from the start, at equal steps.

DDPG with the hyperparameters and the equivariant policy of the package learns to serve twenty users on four
subcarriers. Both arms have the same environment steps, seeds and schedules; the direct one is a curriculum of a
single stage. Every run is written when it is done, and not repeated if it is there already. Statistics are those
of rliable: interquartile means over seeds, and how probably a run of one arm beats one of the other, each with its
bootstrap interval.

Run: python examples/curriculum.py [--steps 10000] [--seeds 5] [--out runs/curriculum]
"""

import argparse
import functools
import json
import time
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from stable_baselines3.common.callbacks import BaseCallback
from tqdm.auto import tqdm

from mec_cf_gym.agents import (
    Curriculum,
    CurriculumCallback,
    CurriculumVectorEnv,
    PaddedAgent,
    Promotion,
    SB3VecEnv,
    Stage,
    Validation,
)
from mec_cf_gym.agents.training.environments import wrapped
from mec_cf_gym.agents.training.hyperparameters import hyperparameters_of, model_for, wrappers_of
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.evaluation.runs import write_atomically

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--steps", type=int, default=10_000, help="environment steps of a run")
parser.add_argument("--seeds", type=int, default=5, help="runs of each arm")
parser.add_argument("--networks", type=int, default=200, help="test networks")
parser.add_argument("--out", type=Path, default=Path("runs/curriculum"), help="folder for results and the figure")
options = parser.parse_args()

ENV_ID = "MECCellFree-v0"
HYPERPARAMETERS = hyperparameters_of("ddpg", ENV_ID) | {"n_timesteps": options.steps}
FIELDS = HYPERPARAMETERS["env_kwargs"] | {"num_subcarriers": 4}
WRAP = functools.partial(wrapped, wrappers=wrappers_of(HYPERPARAMETERS))
HARD = Stage({"num_users": 20})
POINTS = 10
"""Judgements of a run on the way."""
VALIDATION = min(64, options.networks)
"""Networks of each."""


def easier(num_users: int) -> Stage:
    """Return a stage with fewer users, which a quarter of all steps ends at the latest."""
    return Stage({"num_users": num_users}, Promotion(gap=0.05, most_steps=options.steps // 4))


ARMS = {"direct": Curriculum([HARD]), "curriculum": Curriculum([easier(5), easier(10), HARD])}


class Curve(BaseCallback):
    """Judges the policy on validation networks of the hard task, whatever stage is on."""

    def __init__(self, env: CurriculumVectorEnv, bar: tqdm) -> None:
        super().__init__()
        self.env, self.bar, self.points = env, bar, []
        self.validation = Validation(ENV_ID, env.scenarios[-1], VALIDATION, wrap=WRAP)

    def _on_step(self) -> bool:
        self.bar.update(self.training_env.num_envs)
        if self.num_timesteps >= (len(self.points) + 1) * options.steps / POINTS:
            gap = self.validation.gap(PaddedAgent(self.model, self.env.paddings[-1]))
            self.points.append({"steps": self.num_timesteps, "stage": self.env.stage, "gap": gap.mean})
        return True


def run(arm: str, seed: int) -> dict:
    """Train and test one agent."""
    env = CurriculumVectorEnv(ENV_ID, ARMS[arm], HYPERPARAMETERS["n_envs"], wrap=WRAP, **FIELDS)
    model = model_for("ddpg", HYPERPARAMETERS, SB3VecEnv(env), seed)
    model.get_env().seed(seeds("train", 1000 * options.seeds)[1000 * seed])
    began = time.perf_counter()
    with tqdm(total=options.steps, desc=f"{arm} {seed}", unit="step") as bar:
        curve = Curve(env, bar)
        promote = CurriculumCallback(max(1, options.steps // 40), VALIDATION)
        model.learn(options.steps, callback=[curve, promote])
    trained_s = time.perf_counter() - began
    test = Validation(ENV_ID, env.scenarios[-1], options.networks, split="test", wrap=WRAP)
    gap = test.gap(PaddedAgent(model, env.paddings[-1]))
    return {"arm": arm, "seed": seed, "trained_s": trained_s, "curve": curve.points, "test": gap.to_dict()}


def interquartile_mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the mean of the middle half."""
    return stats.trim_mean(values, 0.25, axis=axis)


def improvement(ours: np.ndarray, theirs: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return how often a run of ours has the smaller gap than one of theirs; ties count half."""
    pairs = ours[..., :, None] - theirs[..., None, :]
    return ((pairs < 0) + 0.5 * (pairs == 0)).mean((-1, -2))


def interval(statistic, *samples) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a statistic of seeds."""
    if len(samples[0]) < 2:
        return float("nan"), float("nan")
    found = stats.bootstrap(samples, statistic, method="percentile", rng=np.random.default_rng(0))
    return found.confidence_interval.low, found.confidence_interval.high


def draw(gaps: dict[str, np.ndarray], steps: np.ndarray) -> None:
    """Write the figure: interquartile means over training, with their intervals."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for arm, values in gaps.items():  # (seeds, points)
        low, high = zip(*(interval(interquartile_mean, column) for column in values.T), strict=True)
        (line,) = axes.plot(steps, 100 * interquartile_mean(values, 0), marker="o", markersize=3, label=arm)
        axes.fill_between(steps, 100 * np.array(low), 100 * np.array(high), alpha=0.2, color=line.get_color())
    axes.set(xlabel="environment steps", ylabel="gap on the hard task, %", ylim=(0, None))
    axes.legend()
    figure.savefig(options.out / "curriculum.png", dpi=150)


torch.set_num_threads(1)
options.out.mkdir(parents=True, exist_ok=True)
results = []
for seed in range(options.seeds):
    for arm in ARMS:
        path = options.out / f"{arm}-{seed}-{options.steps}.json"
        if not path.exists():
            write_atomically(path, json.dumps(run(arm, seed), indent=2) + "\n")
        results.append(json.loads(path.read_text()))

final = {arm: np.array([found["test"]["mean"] for found in results if found["arm"] == arm]) for arm in ARMS}
for arm, gaps in final.items():
    low, high = interval(interquartile_mean, gaps)
    minutes = np.mean([found["trained_s"] for found in results if found["arm"] == arm]) / 60
    print(
        f"{arm:10}  gap {interquartile_mean(gaps):.2%} [{low:.2%}, {high:.2%}], interquartile mean of {len(gaps)} "
        f"seeds {', '.join(f'{gap:.2%}' for gap in gaps)}; {minutes:.1f} minutes a run"
    )
low, high = interval(improvement, final["curriculum"], final["direct"])
probability = improvement(final["curriculum"], final["direct"])
print(f"the curriculum beats direct training with probability {probability:.2f} [{low:.2f}, {high:.2f}]")
curves = {arm: np.array([[p["gap"] for p in f["curve"]] for f in results if f["arm"] == arm]) for arm in ARMS}
steps = np.array([point["steps"] for point in results[0]["curve"]])
draw({arm: values[:, 1:] for arm, values in curves.items()}, steps[1:])  # the first is before any learning
