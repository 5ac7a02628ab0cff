"""Learning from magnitudes without labels: a training of seconds, and a run that is cut off and goes on."""

import numpy as np
import pytest
import torch

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import MagnitudeSolver
from mec_cf_gym.baselines.learned.label_free import first_blocks
from mec_cf_gym.baselines.learned.magnitude import fit, label_free
from mec_cf_gym.baselines.learned.magnitude.fit import FitMagnitude, run
from mec_cf_gym.baselines.learned.magnitude.label_free import MagnitudeLearner, batch_size, random_scenario
from mec_cf_gym.baselines.learned.magnitude.network import MagnitudeNetwork
from mec_cf_gym.evaluation import seeds

SMALL = {"num_subcarriers": 2, "num_users": 6, "num_aps": 8}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(label_free, "random_scenario", lambda rng: Scenario.paper_a(**SMALL))
    monkeypatch.setattr(label_free, "STEPS_PER_EPOCH", 4)
    monkeypatch.setattr(label_free, "WATCHED", (SMALL,))
    monkeypatch.setattr(fit, "TESTED", ((2, 3),))


def test_a_training_of_seconds_lowers_the_latency_of_unseen_networks(small):
    torch.manual_seed(0)
    block = first_blocks(Scenario.paper_a(**SMALL), seeds("validation", 200))
    network = MagnitudeNetwork(width=8)
    before = MagnitudeSolver(network).solve(block).max_latency.mean()
    learner = MagnitudeLearner(network, epochs=15, learning_rate=5e-3, seed=0)
    for epoch in range(15):
        learner.train_epoch(epoch)
    assert MagnitudeSolver(network).solve(block).max_latency.mean() < before


def test_a_run_that_was_cut_off_ends_with_the_same_weights(small, tmp_path, monkeypatch):
    whole = run(FitMagnitude(out=tmp_path / "whole", epochs=3, test_networks=2))
    take_step = MagnitudeLearner.take_step

    def interrupted(self, step):
        if step == 6:
            raise KeyboardInterrupt
        return take_step(self, step)

    arguments = ["--out", str(tmp_path / "cut"), "--epochs", "3", "--test-networks", "2"]
    monkeypatch.setattr(MagnitudeLearner, "take_step", interrupted)
    assert fit.main(arguments) == 130
    monkeypatch.setattr(MagnitudeLearner, "take_step", take_step)
    assert fit.main([*arguments, "--resume"]) == 0
    cut = MagnitudeSolver.load(tmp_path / "cut" / "weights")
    for name, tensor in whole.network.state_dict().items():
        torch.testing.assert_close(cut.network.state_dict()[name], tensor, rtol=0, atol=0)


def test_options_are_checked():
    with pytest.raises(ValueError, match="epochs=0"):
        run(FitMagnitude(epochs=0))
    with pytest.raises(ValueError, match="test_networks=1"):
        run(FitMagnitude(test_networks=1))


def test_scenarios_cover_the_sizes_and_batches_take_alike():
    rng = np.random.default_rng(0)
    scenarios = [random_scenario(rng) for _ in range(300)]
    users = [scenario.layout.num_users for scenario in scenarios]
    assert (min(users), max(users)) == (5, 50)
    assert {scenario.radio.num_subcarriers for scenario in scenarios} == {1, 2, 4, 8}
    assert all(4 <= batch_size(scenario) <= 64 for scenario in scenarios)
