"""Learning without labels: the equivariant network descends the true largest latency of random networks."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mec_cf_gym.baselines.learned.equivariant.network import EquivariantNetwork, Iterate
from mec_cf_gym.baselines.learned.equivariant.physics import Problem
from mec_cf_gym.baselines.learned.label_free import UNEQUAL, first_blocks, mixed_scenario
from mec_cf_gym.evaluation.seeds import SPLITS, seeds
from mec_cf_gym.performance.rates import sinr
from mec_cf_gym.scenario import Scenario

STEPS_PER_EPOCH = 50
LARGEST_BATCH = 256
STEP_COST = 5000
"""Links of a batch, of which those of large networks count more."""
WARM_UP_STEPS = 100
"""Steps over which the learning rate rises at first."""
AVERAGING = 0.005
"""Weight of the newest weights in their running average."""
LARGEST_GRADIENT = 0.01
"""Norm that gradients are clipped to."""
MIXTURE = {
    "num_users": "5 to 50, log-uniform",
    "num_subcarriers": "2 to 8, uniform: with a single one there is nothing to learn",
    "num_aps": "64 in eight of ten batches, else 32 to 128",
    "users": "paper A's in six of ten batches, unequal in the others",
    "deployment": "cellular in one of twenty batches",
    "local_computing": "none in one of ten batches",
    "rounds": "6 to 12",
}
"""Distribution of the training scenarios, in words, for the card."""
WATCHED: tuple[dict[str, Any], ...] = (
    {"num_subcarriers": 4, "num_users": 10},
    {"num_subcarriers": 4, "num_users": 20},
    {"num_subcarriers": 8, "num_users": 20, **UNEQUAL},
    {"num_subcarriers": 2, "num_users": 40},
)
"""Scenarios of the validation networks, ``WATCHED_NETWORKS`` each."""
WATCHED_NETWORKS = 32


def random_scenario(rng: np.random.Generator) -> Scenario:
    """Return a scenario of the mixture."""
    fields: dict[str, Any] = {
        "num_users": round(math.exp(rng.uniform(math.log(5), math.log(50)))),
        "num_subcarriers": int(rng.integers(2, 9)),
        "num_aps": 64 if rng.random() < 0.8 else int(rng.integers(32, 129)),
    }
    return mixed_scenario(rng, fields, unequal=0.4, cellular=0.05)


def batch_size(scenario: Scenario) -> int:
    """Return how many blocks make a batch, so that all batches take about as long."""
    users = scenario.layout.num_users
    links = scenario.radio.num_subcarriers * users
    return max(4, min(LARGEST_BATCH, round(STEP_COST / (links * (1 + users / 40)))))


def label_free_loss(problem: Problem, iterates: list[Iterate]) -> Tensor:
    """Return the mean log latency over blocks and rounds, a scalar; later rounds count more.

    A round's shares are judged by the largest latency once totals are balanced to them, whose derivative needs
    no balancing: by the envelope theorem it is minus the prices times those of the log rates at fixed totals.

    Args:
        problem: The blocks.
        iterates: What the network yields for them.
    """
    terms = [balanced_log_latency(problem, iterate).mean() for iterate in iterates[1:]]
    weights = torch.arange(1.0, len(terms) + 1).square()
    return torch.stack(terms) @ (weights / weights.sum()).to(terms[0].dtype)


def balanced_log_latency(problem: Problem, iterate: Iterate) -> Tensor:
    """Return the log of the largest latency, ``(B,)``, with the gradient it has if totals follow the shares."""
    view = iterate.view
    power = iterate.log_share.exp() * iterate.log_total.exp()[:, None]
    nats: Tensor = sinr(problem.signal_gain, problem.interference_gain, power).log1p().sum(-2)
    log_rate = nats.clamp_min(1e-12).log()
    gain = (view.price * log_rate).sum(-1)
    return view.worst[:, 0].log() - (gain - gain.detach())


class LabelFreeLearner:
    """The equivariant network as a learner: Adam with a cosine schedule, and a running average of the weights.

    Every step draws a scenario of the mixture and networks of the train seeds that were never used before.

    Args:
        network: The network.
        epochs: Epochs until the learning rate has fallen to zero.
        learning_rate: Largest step size of Adam.
        seed: Of the scenarios.
    """

    def __init__(self, network: EquivariantNetwork, *, epochs: int, learning_rate: float, seed: int) -> None:
        self.trained, self.averaged = network, copy.deepcopy(network)
        self.network = nn.ModuleDict({"trained": self.trained, "averaged": self.averaged})
        self.optimizer = torch.optim.Adam(self.trained.parameters(), learning_rate)
        self.steps, self.learning_rate, self.seed = epochs * STEPS_PER_EPOCH, learning_rate, seed
        scenarios = [Scenario.paper_a(**fields) for fields in WATCHED]
        self.watched = [first_blocks(scenario, seeds("validation", WATCHED_NETWORKS)) for scenario in scenarios]

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Take some steps; their scenarios and networks follow from seed and epoch."""
        first = epoch * STEPS_PER_EPOCH
        steps = tqdm(range(first, first + STEPS_PER_EPOCH), desc="epoch", unit="step", leave=False)
        norms = [self.take_step(step) for step in steps]
        return {"gradient_norm": float(np.mean(norms)), "learning_rate": self.optimizer.param_groups[0]["lr"]}

    def take_step(self, step: int) -> float:
        """Take one step of Adam; return the norm of the gradient."""
        rng = np.random.default_rng((self.seed, step))
        scenario = random_scenario(rng)
        start = step * LARGEST_BATCH % len(SPLITS["train"])
        problem = Problem.of(first_blocks(scenario, SPLITS["train"][start : start + batch_size(scenario)]))
        rate_factor = min(1.0, (step + 1) / WARM_UP_STEPS) * (1 + math.cos(math.pi * step / self.steps)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * rate_factor
        loss = label_free_loss(problem, list(self.trained(problem, int(rng.integers(6, 13)))))
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.trained.parameters(), LARGEST_GRADIENT)
        if norm.isfinite():  # a network beyond single precision teaches nothing
            self.optimizer.step()
        with torch.no_grad():
            share = max(AVERAGING, 1 / (step + 1))
            for average, value in zip(self.averaged.parameters(), self.trained.parameters(), strict=True):
                average.lerp_(value, share)
        return float(norm)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the mean log of the largest latency in ms, on the watched networks."""
        losses = []
        for block in self.watched:
            problem = Problem.of(block)
            worst = torch.stack([iterate.view.worst[:, 0] for iterate in self.averaged(problem)]).amin(0)
            losses.append(float((1e3 * problem.unit_s[:, 0] * worst).log().mean()))
        return {"loss": float(np.mean(losses))}
