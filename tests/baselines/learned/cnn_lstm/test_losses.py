"""The latency loss is the latency that environments count, needs no labels, and is made smaller by training."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from mec_cf_gym.baselines.learned.cnn_lstm import CNNLSTM, CNNLSTMNetwork
from mec_cf_gym.baselines.learned.cnn_lstm.examples import Examples
from mec_cf_gym.baselines.learned.cnn_lstm.losses import SOFTNESS, latencies, log_latency
from mec_cf_gym.baselines.learned.cnn_lstm.splits import read_labelled
from mec_cf_gym.baselines.learned.cnn_lstm.supervised import SupervisedLearner, mean_loss
from mec_cf_gym.performance.outcome import outcome_of

ROWS = np.arange(20)


@pytest.fixture
def examples(store):
    return Examples.read(store, ROWS, "reading")


def network_for(examples):
    torch.manual_seed(0)
    network = CNNLSTMNetwork(1, 8, 3, "log", "gains", sorted_users=True)
    network.set_input_scale(examples.magnitude)
    network.start_from_equal_split()
    return network


def learner_for(examples, store, **options):
    watched = list(read_labelled(store, ROWS))
    options = {"loss": "latency", "learning_rate": 1e-2, "seed": 0, **options}
    return SupervisedLearner(network_for(examples), examples, examples, watched, **options)


def test_it_is_the_latency_that_environments_count(store, examples):
    network = network_for(examples).eval()
    (part,) = read_labelled(store, ROWS)
    solved = outcome_of(part.block, CNNLSTM(network).solve(part.block), examples.least_spectral_efficiency)
    expected = np.log(solved.latency_s.max(-1)).mean()
    assert mean_loss(log_latency, network, examples) == pytest.approx(expected, abs=2e-3)  # half precision


@pytest.mark.parametrize("fields", [{}, {"local_computing": False}])
def test_dead_links_and_missing_cpus_count_as_in_environments(fields, blocks):
    block = blocks(4, num_aps=8, num_users=3, **fields)
    power = np.random.default_rng(0).dirichlet(np.ones(4), (4, 3)).swapaxes(1, 2)
    power[0, :, 1] = 0
    offload = np.full((4, 3), 0.8 if not fields else 1.0)
    solution = CNNLSTM(CNNLSTMNetwork(4, 8, 3)).solve(block)
    expected = outcome_of(block, dataclasses.replace(solution, power=power, offload=offload), 1e-3).latency_s
    names = ("signal_gain", "interference_gain", "task_bits", "cycles_per_bit", "local_hz", "server_hz")
    tensors = {name: torch.from_numpy(np.array(getattr(block, name))) for name in names}
    block = dataclasses.replace(block, **tensors, channel=None)
    found = latencies(block, torch.from_numpy(power), torch.full((4, 3), 0.8, dtype=torch.float64), 1e-3)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_in_training_the_maximum_is_a_soft_one(examples):
    network = network_for(examples).eval()
    hard = log_latency(network, examples, slice(None)).item()
    network.normalisation.eval()
    network.training = True  # the normalisation stays as it is
    soft = log_latency(network, examples, slice(None)).item()
    assert hard < soft < hard + SOFTNESS * math.log(3)


def test_training_makes_latencies_short_without_labels(store, examples):
    unlabelled = dataclasses.replace(
        examples,
        power=torch.full_like(examples.power, math.nan),
        offload=torch.full_like(examples.offload, math.nan),
    )
    learner = learner_for(unlabelled, store)
    gaps = []
    for epochs in (1, 60):
        for epoch in range(epochs):
            learner.network.train()
            learner.train_epoch(epoch)
        learner.network.eval()
        gaps.append(learner.validate()["gap"])
    assert gaps[0] > 0.3
    assert -0.01 < gaps[1] < 0.1


def test_the_step_size_falls_to_zero_over_the_epochs_as_a_cosine(store, examples):
    learner = learner_for(examples, store, cosine_epochs=4)
    sizes = []
    for epoch in range(4):
        learner.train_epoch(epoch)
        sizes.append(learner.optimizer.param_groups[0]["lr"])
    expected = [0.01 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    np.testing.assert_allclose(sizes, expected)  # one step an epoch
