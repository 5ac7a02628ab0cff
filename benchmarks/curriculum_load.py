"""Does it help to learn under light load first? One user with queue and battery, equal steps, five seeds.

PPO with the hyperparameters of the package, on fewer rows. Both arms have the same environment steps, seeds and
schedules; the direct one is a curriculum of a single stage. Agents are judged under the full load, the last one on
test networks. Prints the gap to drift plus penalty of every run, interquartile means over seeds, and how often a
run of the curriculum is below one of the other arm, with 95 % bootstrap intervals over seeds.

Run: OMP_NUM_THREADS=1 python benchmarks/curriculum_load.py [--steps 256000 --seeds 5]
"""

import argparse
import functools

import numpy as np
import torch
from scipy import stats
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym.agents import Agent, Curriculum, CurriculumVectorEnv, Promotion, SB3VecEnv, Stage, Validation
from mec_cf_gym.agents.stack import NamedStack
from mec_cf_gym.agents.training.environments import wrapped
from mec_cf_gym.agents.training.hyperparameters import hyperparameters_of, model_for, wrappers_of
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.scenario import Scenario

ENV_ID = "MECCellFreeDynamic-v0"
SCENARIO = Scenario.paper_a_dynamic(num_users=1)
LOADS_PER_S = (1200.0, 1800.0, 2400.0)
ROWS, POINTS, VALIDATION = 256, 5, 100


def arms(steps):
    """Return both curricula; a lighter stage is over after a quarter of all steps."""
    *light, full = [{"tasks_per_s": load} for load in LOADS_PER_S]
    stages = [Stage(fields, Promotion(most_steps=steps // 4)) for fields in light]
    return {"direct": Curriculum([Stage(full)]), "curriculum": Curriculum([*stages, Stage(full)])}


class Curve(BaseCallback):
    """Judges the policy under full load on validation networks, at the beginning of rollouts."""

    def __init__(self, judge, steps, bar):
        super().__init__()
        self.judge, self.every, self.bar, self.points = judge, steps // POINTS, bar, []

    def _on_step(self):
        self.bar.update(self.training_env.num_envs)
        return True

    def _on_rollout_start(self):
        if self.num_timesteps >= len(self.points) * self.every:
            self.points.append(self.judge())


def run(curriculum, seed, steps, networks):
    """Return the gaps on validation networks during training, and that on test networks."""
    hyperparameters = hyperparameters_of("ppo", ENV_ID) | {
        "n_timesteps": steps,
        "n_envs": ROWS,
        "batch_size": 6400,
    }
    wrappers = wrappers_of(hyperparameters)
    wrap = functools.partial(wrapped, wrappers=wrappers)
    env = SB3VecEnv(CurriculumVectorEnv(ENV_ID, curriculum, ROWS, wrap=wrap, scenario=SCENARIO))
    normalised = VecNormalize(VecMonitor(env), gamma=hyperparameters["gamma"], **hyperparameters["normalize"])
    model = model_for("ppo", hyperparameters, normalised, seed)
    env.seed(seeds("train", 10**6)[10_000 * seed])

    def gap(split, count):
        agent = Agent(model.policy, NamedStack(SCENARIO, wrappers))
        return Validation(ENV_ID, SCENARIO, count, SCENARIO.episode.episode_blocks, split).gap(agent).mean

    with tqdm(total=steps, desc=f"seed {seed}, {len(curriculum.stages)} stages", unit="step") as bar:
        curve = Curve(lambda: gap("validation", VALIDATION), steps, bar)
        model.learn(steps, callback=curve)
    return curve.points, gap("test", networks)


def below(ours, theirs, axis=-1):
    """Return how often a run of ours has the smaller gap than one of theirs; ties count half."""
    pairs = ours[..., :, None] - theirs[..., None, :]
    return ((pairs < 0) + 0.5 * (pairs == 0)).mean((-1, -2))


def interval(statistic, *samples):
    """Return the 95 % percentile bootstrap interval of a statistic of seeds."""
    found = stats.bootstrap(samples, statistic, method="percentile", rng=np.random.default_rng(0))
    return found.confidence_interval


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=256_000, help="environment steps of a run")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each arm, two or more")
    parser.add_argument("--networks", type=int, default=200, help="test networks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    gaps, table = {name: [] for name in arms(options.steps)}, []
    for seed in range(options.seeds):
        for name, curriculum in arms(options.steps).items():
            points, gap = run(curriculum, seed, options.steps, options.networks)
            gaps[name].append(gap)
            table.append((name, seed, *(f"{point:+.2%}" for point in points), f"{gap:+.2%}"))
    headers = ["arm", "seed", *(f"after {share}/{POINTS}" for share in range(len(table[0]) - 3)), "test"]
    print(f"gap to drift plus penalty at {LOADS_PER_S[-1]:g} tasks/s, {options.networks} test networks")
    print(tabulate(table, headers, tablefmt="github"))
    for name, found in gaps.items():
        mean = functools.partial(stats.trim_mean, proportiontocut=0.25)
        low, high = interval(lambda values, axis, mean=mean: mean(values, axis=axis), np.array(found))
        print(f"{name}: {mean(np.array(found)):+.2%} [{low:+.2%}, {high:+.2%}], interquartile mean over seeds")
    ours, theirs = np.array(gaps["curriculum"]), np.array(gaps["direct"])
    low, high = interval(below, ours, theirs)
    often = f"{below(ours, theirs):.2f} [{low:.2f}, {high:.2f}]"
    print(f"a run of the curriculum is below a direct one with probability {often}")


if __name__ == "__main__":
    main()
