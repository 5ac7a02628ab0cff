"""A third family of networks, registered by one file, is benchmarked and trained on without a change elsewhere."""

import json

import gymnasium as gym
import pytest

from mec_cf_gym.agents import load
from mec_cf_gym.cli import main
from mec_cf_gym.deployments import DEPLOYMENTS
from mec_cf_gym.deployments.disk import Disk
from mec_cf_gym.evaluation.environments import usual_scenario
from mec_cf_gym.evaluation.suites import full
from mec_cf_gym.network.layout import CellFree
from mec_cf_gym.parts import REGISTRIES, Parts

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class Row(CellFree):
    """Users on a line."""

    def draw_users(self, streams):
        return super().draw_users(streams) * (1.0, 0.0)


@pytest.fixture
def rows(monkeypatch):
    """What the file would hold."""

    class Rows(Disk):
        layouts = Parts("deployment", family="rows", row=Row)

    monkeypatch.setitem(DEPLOYMENTS, "rows", Rows)
    gym.register(
        id="MECRow-v0",
        entry_point="mec_cf_gym.envs.single:MECEnv",
        vector_entry_point="mec_cf_gym.envs.vector:MECVectorEnv",
        kwargs={"deployment": "row"},
    )
    yield
    del gym.registry["MECRow-v0"]
    REGISTRIES["deployment"].remove(Rows.layouts)
    usual_scenario.cache_clear()


@pytest.mark.usefixtures("rows")
def test_it_is_benchmarked(tmp_path):
    command = "benchmark --env MECRow-v0 --num-subcarriers 1 --num-users 4 --num-aps 9 --topologies 2 --blocks 1"
    command += " --workers 1 --policies full-power,exact --reference exact"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mec_cf_gym.evaluation.runner._in_parallel", one_after_the_other)
        assert main([*command.split(), "--out", str(tmp_path)]) == 0
    content = json.loads((tmp_path / "benchmark.json").read_text())
    assert {row["env"] for row in content["summary"]} == {"MECRow-v0"}
    assert main([*command.split(), "--env", "MECRow-v0,MECUserCentric-v0", "--out", str(tmp_path / "mixed")]) == 2


def one_after_the_other(work, workers):
    """Worker processes have not seen the file."""
    return (function(*arguments) for function, arguments in work)


@pytest.mark.usefixtures("rows")
def test_an_agent_is_trained_on_it(tmp_path):
    command = "train --algo ddpg --env MECRow-v0 --num-users 3 --num-aps 8 --num-subcarriers 1 --steps 64"
    command += " --evaluations 2 --validation-networks 2 --test-networks 2 --no-progress"
    command += " --hyperparams n_envs:4 learning_starts:16 batch_size:8 buffer_size:64"
    assert main([*command.split(), "--out", str(tmp_path)]) == 0
    assert load(tmp_path / "agent").card["env"] == "MECRow-v0"


@pytest.mark.usefixtures("rows")
def test_a_suite_stays_as_it_is():
    assert "MECRow-v0" not in {task.env for task in full()}
