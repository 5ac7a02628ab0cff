"""Learning without labels: the gradient, a training of seconds, and a run that is cut off and goes on."""

import dataclasses

import numpy as np
import pytest
import torch

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import EquivariantSolver
from mec_cf_gym.baselines.learned.equivariant import fit, label_free
from mec_cf_gym.baselines.learned.equivariant.fit import FitEquivariant, run
from mec_cf_gym.baselines.learned.equivariant.label_free import (
    UNEQUAL,
    LabelFreeLearner,
    balanced_log_latency,
    batch_size,
    first_blocks,
    random_scenario,
)
from mec_cf_gym.baselines.learned.equivariant.network import EquivariantNetwork, Iterate
from mec_cf_gym.baselines.learned.equivariant.physics import Problem, View
from mec_cf_gym.evaluation import seeds

SMALL = Scenario.paper_a(num_subcarriers=2, num_users=6, num_aps=8)
NETWORK = {"width": 8, "hidden": 16, "rounds": 6}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(label_free, "random_scenario", lambda rng: SMALL)
    monkeypatch.setattr(label_free, "batch_size", lambda scenario: 16)
    monkeypatch.setattr(label_free, "STEPS_PER_EPOCH", 4)
    monkeypatch.setattr(label_free, "WATCHED", ({"num_subcarriers": 2, "num_users": 4, "num_aps": 8},))
    monkeypatch.setattr(label_free, "WARM_UP_STEPS", 4)


def balance(problem, log_share):
    """Return the iterate with totals balanced to the last digit."""
    log_total = problem.quiet_start()
    for _ in range(30):
        view = View.of(problem, log_share.exp(), log_total)
        log_total = view.balanced(problem, log_share.exp(), log_total, torch.zeros_like(log_share))
    return Iterate(log_share, log_total, View.of(problem, log_share.exp(), log_total))


@pytest.mark.parametrize("fields", [{}, UNEQUAL, {"csi_error_variance": 0.1}], ids=["equal", "unequal", "noisy"])
def test_the_gradient_is_that_of_the_balanced_latency(fields):
    scenario = Scenario.paper_a(num_subcarriers=3, num_users=7, **fields)
    problem = Problem.of(first_blocks(scenario, range(6)), torch.float64)
    torch.manual_seed(0)
    log_share = torch.randn_like(problem.signal_gain).log_softmax(-2)
    direction = torch.randn_like(log_share)
    with torch.no_grad():
        iterate = balance(problem, log_share)
        step = 1e-6
        ahead, behind = (balance(problem, log_share + sign * step * direction) for sign in (1, -1))
        measured = (ahead.view.worst.log() - behind.view.worst.log())[:, 0] / (2 * step)
    variable = log_share.clone().requires_grad_()
    loss = balanced_log_latency(problem, dataclasses.replace(iterate, log_share=variable))
    (gradient,) = torch.autograd.grad(loss.sum(), variable)
    torch.testing.assert_close((gradient * direction).sum((-1, -2)), measured, rtol=1e-4, atol=1e-7)


def test_a_training_of_seconds_closes_most_of_the_gap_of_an_equal_split(small):
    torch.manual_seed(0)
    network = EquivariantNetwork(**NETWORK)
    torch.nn.init.zeros_(network.move_by_feature.weight)  # shares stay equal until it learns to move them
    block = first_blocks(SMALL, seeds("validation", 100))
    best = EquivariantSolver(EquivariantNetwork(**{**NETWORK, "rounds": 60})).solve(block).max_latency

    def gap(network):
        return float((EquivariantSolver(network).solve(block).max_latency / best - 1).mean())

    assert gap(network) > 0.05
    learner = LabelFreeLearner(network, epochs=25, learning_rate=1e-2, seed=0)
    for epoch in range(25):
        learner.train_epoch(epoch)
    assert gap(learner.averaged) < 0.015


def test_a_run_that_was_cut_off_ends_with_the_same_weights(small, tmp_path, monkeypatch):
    options = FitEquivariant(out=tmp_path / "whole", epochs=3, test_networks=2)
    whole = run(options)
    take_step = LabelFreeLearner.take_step

    def interrupted(self, step):
        if step == 6:
            raise KeyboardInterrupt
        return take_step(self, step)

    arguments = ["--out", str(tmp_path / "cut"), "--epochs", "3", "--test-networks", "2"]
    monkeypatch.setattr(LabelFreeLearner, "take_step", interrupted)
    assert fit.main(arguments) == 130
    monkeypatch.setattr(LabelFreeLearner, "take_step", take_step)
    with pytest.raises(ValueError, match="holds a run already"):
        fit.main(arguments)
    assert fit.main([*arguments, "--resume"]) == 0
    cut = EquivariantSolver.load(tmp_path / "cut" / "weights")
    for name, tensor in whole.network.state_dict().items():
        torch.testing.assert_close(cut.network.state_dict()[name], tensor, rtol=0, atol=0)
    assert cut.card["training"]["best_epochs"] == whole.card["training"]["best_epochs"]


def test_options_are_checked():
    with pytest.raises(ValueError, match="epochs=0"):
        run(FitEquivariant(epochs=0))
    with pytest.raises(ValueError, match="learning_rate=2"):
        run(FitEquivariant(learning_rate=2.0))


def test_scenarios_cover_the_sizes_and_batches_take_alike():
    rng = np.random.default_rng(0)
    scenarios = [random_scenario(rng) for _ in range(300)]
    users = [scenario.layout.num_users for scenario in scenarios]
    assert (min(users), max(users)) == (5, 50)
    assert {scenario.radio.num_subcarriers for scenario in scenarios} == set(range(2, 9))
    assert all(4 <= batch_size(scenario) <= 256 for scenario in scenarios)
