"""The training loop: going on exactly, stopping early, and files that are not what they should be."""

import time

import pytest
import safetensors.torch
import torch
from torch import nn

from mec_cf_gym.baselines.learned import checkpoint
from mec_cf_gym.baselines.learned.training import CHECKPOINT, train

SETTINGS = {"seed": 0, "data": {"solver": "exact"}}


class Line:
    """Fits a line by Adam on points that an epoch's number decides."""

    def __init__(self, validation=None):
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-2)
        self.validation = validation
        self.epochs = []

    def loss(self, x):
        return ((self.network(x) - 2 * x) ** 2).mean()

    def train_epoch(self, epoch):
        self.epochs.append(epoch)
        loss = self.loss(torch.randn(16, 1, generator=torch.Generator().manual_seed(epoch)))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item()}

    @torch.no_grad()
    def validate(self):
        loss = self.validation[self.epochs[-1]] if self.validation else self.loss(torch.ones(1, 1)).item()
        return {"loss": loss}


def run(learner, folder, epochs=12, patience=12, **options):
    return train(learner, folder, epochs=epochs, patience=patience, settings=SETTINGS, **options)


def test_a_run_that_goes_on_equals_one_that_was_never_cut_off(tmp_path):
    whole, first, second = Line(), Line(), Line()
    uncut = run(whole, tmp_path / "whole")
    run(first, tmp_path / "cut", epochs=5)
    progress = run(second, tmp_path / "cut", resume=True)
    assert second.epochs == list(range(5, 12))
    assert (progress.epochs, progress.best_epochs, progress.best_loss) == (12, uncut.best_epochs, uncut.best_loss)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])


def test_it_stops_early_and_ends_with_the_best_weights(tmp_path):
    learner, weights = Line(validation=[3.0, 1.0, 2.0, 1.0, 1.5, 0.1]), []
    epoch = learner.train_epoch
    learner.train_epoch = lambda number: (epoch(number), weights.append(learner.network[0].weight.clone()))[0]
    progress = run(learner, tmp_path, patience=3)
    assert (progress.epochs, progress.best_epochs, progress.best_loss) == (5, 2, 1.0)
    assert torch.equal(learner.network[0].weight, weights[1])
    assert not learner.network.training


def test_a_finished_run_that_goes_on_does_nothing_more(tmp_path):
    run(Line(), tmp_path)
    again = Line()
    run(again, tmp_path, resume=True)
    assert again.epochs == []


def test_tensorboard_gets_every_epoch_once(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(Line(), tmp_path, epochs=3)
    time.sleep(1.1)  # TensorBoard tells the files of runs apart by the second they began
    run(Line(), tmp_path, epochs=5, resume=True)
    log = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(log.Tags()["scalars"]) == {"loss/train", "loss/validation"}
    assert [event.step for event in log.Scalars("loss/validation")] == [1, 2, 3, 4, 5]


def test_a_run_is_not_overwritten(tmp_path):
    run(Line(), tmp_path, epochs=1)
    with pytest.raises(ValueError, match="holds a run already: add --resume"):
        run(Line(), tmp_path)


def test_other_settings_cannot_go_on(tmp_path):
    run(Line(), tmp_path, epochs=1)
    with pytest.raises(ValueError, match="solver='ica' differs from 'exact'"):
        train(
            Line(), tmp_path, epochs=2, patience=2, settings={**SETTINGS, "data": {"solver": "ica"}}, resume=True
        )


def test_divergence_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="diverged in epoch 2: try a smaller learning rate"):
        run(Line(validation=[1.0, float("nan")]), tmp_path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def without_header(path):
    safetensors.torch.save_file({"x": torch.zeros(1)}, path)


def with_a_strange_header(path):
    checkpoint.write(path, {"progress": {"steps": 3}, "settings": {}, "network": {"x": torch.zeros(1)}})


def of_another_network(path):
    network = {"x": torch.zeros(1)}
    content = {
        "progress": {"epochs": 1},
        "settings": SETTINGS,
        "network": network,
        "best": network,
        "optimizer": {},
    }
    checkpoint.write(path, content)


def pickled(path):
    torch.save({"x": torch.zeros(1)}, path)


@pytest.mark.parametrize("damage", [cut, without_header, with_a_strange_header, of_another_network, pickled])
def test_a_damaged_checkpoint_is_named(damage, tmp_path):
    run(Line(), tmp_path, epochs=1)
    damage(tmp_path / CHECKPOINT)
    with pytest.raises(ValueError, match=rf"{CHECKPOINT} is no checkpoint of this run"):
        run(Line(), tmp_path, resume=True)
