"""What an agent needs to come near the optimum: algorithms, networks and actions, one rung after the other.

K = 10 users, N = 1, independent blocks. Every rung is trained with three seeds and judged on 200 test networks x 5
blocks. Finished runs in the folder are kept; a second call goes on.

Run: OMP_NUM_THREADS=1 python benchmarks/ladder.py [--workers 2] [--out runs/ladder]
"""

import argparse
import json
from pathlib import Path

import joblib
import numpy as np
from tabulate import tabulate

from mec_cf_gym.agents.training.command import AGENT, Train, defaults, run

ENV = "MECCellFree-v0"
SEEDS = (0, 1, 2)
RESCALE = "gymnasium.wrappers.RescaleAction: {min_action: -1.0, max_action: 1.0}"
PLAIN = f"env_wrapper:[{RESCALE}]"
MLP_RATE = ("learning_rate:lin_0.001", "n_steps:64", "batch_size:256")
"""The equivariant policy's are too bold for an MLP."""
MLP = ("policy:MultiInputPolicy", "policy_kwargs:{}", "normalize:{norm_reward: false}")
RATIOS = (PLAIN, "policy_kwargs:{rounds: 4, width: 16, hidden: 32, least_db: null}")
DISCOUNTED = ("gamma:0.9", "tau:0.005")
RUNGS = {
    "PPO, MLP, ratios, learned split": ("ppo", 100_000, (*MLP, *MLP_RATE, PLAIN), {}),
    "PPO, MLP, dB": ("ppo", 100_000, (*MLP, *MLP_RATE), {}),
    "PPO, equivariant, ratios, learned split": ("ppo", 30_000, RATIOS, {}),
    "PPO, equivariant, dB": ("ppo", 30_000, (), {}),
    "PPO, equivariant, dB, gamma 0.9": ("ppo", 30_000, ("gamma:0.9",), {}),
    "DDPG, MLP, dB": ("ddpg", 20_000, MLP, {}),
    "SAC, equivariant, dB": ("sac", 8_000, (), {}),
    "TD3, equivariant, dB": ("td3", 8_000, (), {}),
    "DDPG, equivariant, dB, reward in ms": ("ddpg", 8_000, (), {"reward": "max_latency"}),
    "DDPG, equivariant, dB, gamma 0.9": ("ddpg", 8_000, DISCOUNTED, {}),
    "DDPG, equivariant, dB": ("ddpg", 8_000, (), {}),
}
"""Algorithm, environment steps, hyperparameters that differ from the file, and fields of the scenario."""


def train(rung: str, seed: int, folder: Path) -> dict:
    """Return the card of a trained agent, training it if that has not been done."""
    algo, steps, hyperparams, fields = RUNGS[rung]
    out = folder / f"{list(RUNGS).index(rung)}-{seed}"
    card = out / f"{AGENT}.json"
    if card.exists() and "test" in (found := json.loads(card.read_text())):
        return found
    scenario = defaults(["--algo", algo, "--env", ENV]).scenario.replace(**fields)
    options = Train(
        algo=algo,
        env=ENV,
        steps=steps,
        seed=seed,
        hyperparams=hyperparams,
        evaluations=10,
        out=out,
        resume=True,
        progress=False,
        scenario=scenario,
    )
    return run(options).card


def percent(values: list[float]) -> str:
    """Return the mean of some seeds, and their range."""
    return f"{np.mean(values):.2%} ({min(values):.2%} to {max(values):.2%})"


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/ladder"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    units = [(rung, seed) for seed in SEEDS for rung in RUNGS]
    work = (joblib.delayed(train)(rung, seed, options.out) for rung, seed in units)
    cards = dict(zip(units, joblib.Parallel(options.workers, verbose=5)(work), strict=True))
    rows = []
    for rung in RUNGS:
        of_rung = [cards[rung, seed] for seed in SEEDS]
        rows.append(
            [
                rung,
                f"{of_rung[0]['training']['steps']:,}",
                f"{np.median([card['training']['training_s'] for card in of_rung]):.0f}",
                percent([card["test"]["gap"]["mean"] for card in of_rung]),
                percent([card["test"]["gap"]["p95"] for card in of_rung]),
            ]
        )
    headers = ["agent", "steps", "training s", "gap to the optimum (seeds)", "p95 (seeds)"]
    print(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
