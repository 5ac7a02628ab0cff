"""Learning without labels: the network descends the true largest latency under phases that it does not see."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mec_cf_gym.baselines.learned.label_free import first_blocks, mixed_scenario
from mec_cf_gym.baselines.learned.magnitude.features import View
from mec_cf_gym.baselines.learned.magnitude.network import MagnitudeNetwork
from mec_cf_gym.baselines.magnitudes.phases import Phases
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.evaluation.seeds import SPLITS, seeds
from mec_cf_gym.performance.latencies import latency
from mec_cf_gym.scenario import Scenario

STEPS_PER_EPOCH = 50
LARGEST_BATCH = 64
LINKS = 3000
"""Links of a batch, about."""
DRAWS = 12
"""Of the phases of a network."""
LARGEST_GRADIENT = 1.0
"""Norm that gradients are clipped to."""
MIXTURE = {
    "num_users": "5 to 50, log-uniform",
    "num_subcarriers": "1, 2, 4 or 8",
    "users": "paper A's in seven of ten batches, unequal in the others",
    "deployment": "cellular in one of ten batches",
    "local_computing": "none in one of ten batches",
}
"""Distribution of the training scenarios, in words, for the card."""
WATCHED = tuple({"num_subcarriers": n, "num_users": k} for n in (1, 4) for k in (10, 20))
"""Scenarios of the validation networks, ``WATCHED_NETWORKS`` each."""
WATCHED_NETWORKS = 100


def random_scenario(rng: np.random.Generator) -> Scenario:
    """Return a scenario of the mixture."""
    fields: dict[str, Any] = {
        "num_users": round(math.exp(rng.uniform(math.log(5), math.log(50)))),
        "num_subcarriers": int(rng.choice([1, 2, 4, 8])),
    }
    return mixed_scenario(rng, fields, unequal=0.3, cellular=0.1)


def batch_size(scenario: Scenario) -> int:
    """Return how many blocks make a batch, so that all batches take about as long."""
    return max(4, min(LARGEST_BATCH, LINKS // (scenario.radio.num_subcarriers * scenario.layout.num_users)))


class MagnitudeLearner:
    """The magnitude network as a learner: Adam with a cosine schedule.

    Every step draws a scenario of the mixture, networks of the train seeds that were never used before, and phases
    in place of theirs.

    Args:
        network: The network.
        epochs: Epochs until the learning rate has fallen to zero.
        learning_rate: Largest step size of Adam.
        seed: Of the scenarios and the phases.
    """

    def __init__(self, network: MagnitudeNetwork, *, epochs: int, learning_rate: float, seed: int) -> None:
        self.network = network
        self.optimizer = torch.optim.Adam(network.parameters(), learning_rate)
        self.steps, self.learning_rate, self.seed = epochs * STEPS_PER_EPOCH, learning_rate, seed
        scenarios = [Scenario.paper_a(**fields) for fields in WATCHED]
        self.watched = [first_blocks(scenario, seeds("validation", WATCHED_NETWORKS)) for scenario in scenarios]

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Take some steps; their scenarios, networks and phases follow from seed and epoch."""
        first = epoch * STEPS_PER_EPOCH
        steps = tqdm(range(first, first + STEPS_PER_EPOCH), desc="epoch", unit="step", leave=False)
        return {"loss": float(np.mean([self.take_step(step) for step in steps]))}

    def take_step(self, step: int) -> float:
        """Take one step of Adam; return the loss."""
        rng = np.random.default_rng((self.seed, step))
        scenario = random_scenario(rng)
        start = step * LARGEST_BATCH % len(SPLITS["train"])
        block = first_blocks(scenario, SPLITS["train"][start : start + batch_size(scenario)])
        drawn = Phases(block, int(rng.integers(2**63))).drawn(DRAWS)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * (1 + math.cos(math.pi * step / self.steps)) / 2
        loss = mean_excess(self.network, block, drawn)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        if nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT).isfinite():
            self.optimizer.step()
        return float(loss.detach())

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the mean excess of the largest latency on the watched networks, in their true blocks."""
        losses = []
        for block in self.watched:
            true = Phases(block, 0).drawn(1)
            gains = torch.from_numpy(np.array(block.interference_gain))[None]
            true = dataclasses.replace(true, interference_gain=gains)
            losses.append(float(mean_excess(self.network, block, true)))
        return {"loss": float(np.mean(losses))}


def mean_excess(network: MagnitudeNetwork, block: CoherenceBlock, drawn: CoherenceBlock) -> Tensor:
    """Return the mean of the largest latency over what the expected interference would allow, less one, a scalar.

    Args:
        network: Decides on the magnitudes.
        block: A batch of blocks.
        drawn: The same with phases drawn anew, along a new first axis.
    """
    view = View.of(block)
    power, offload = network(view)
    largest_s: Tensor = latency(drawn, power, offload).amax(-1)
    return (largest_s / torch.from_numpy(view.worst_s[:, 0]) - 1).mean()
