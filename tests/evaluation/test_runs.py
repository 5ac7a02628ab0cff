"""The folder of a run: one process writes it at a time, and one that was killed does not stand in the way."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mec_cf_gym.cli import main
from mec_cf_gym.evaluation.runs import check_same, hold, whole_file, write_json
from mec_cf_gym.scenario import Scenario

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_folder_is_refused_while_another_process_writes_it_and_goes_on_once_that_is_killed(
    workers, tmp_path, capsys
):
    out = tmp_path / "run"
    command = ["benchmark", "--policies", "full-power", "--reference", "equal", "--env", "MECCellFree-v0"]
    command += ["--num-users", "3", "--topologies", "4", "--blocks", "200", "--resume", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "mec_cf_gym", *command, "--workers", workers],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    while not (out / "benchmark.json").exists():
        time.sleep(0.01)
        assert process.poll() is None
    before = (out / "benchmark.json").read_bytes()
    assert main([*command, "--workers", "1"]) == 2
    assert f"out={str(out)!r} is in use: another process writes it" in capsys.readouterr().err
    assert (out / "benchmark.json").read_bytes() == before
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert main([*command, "--workers", "1"]) == 0


def test_a_run_goes_on_if_a_field_of_scenarios_is_younger_and_has_its_default(tmp_path):
    now = Scenario().to_dict()
    before = json.loads(json.dumps(now))
    del before["task_model"]
    check_same({"scenario": before, **before}, {"scenario": now, **now}, tmp_path)
    with pytest.raises(ValueError, match="task_model='other' differs from 'uniform'"):
        check_same(before, now | {"task_model": "other"}, tmp_path)
    with pytest.raises(ValueError, match="num_users=7 differs from 10"):
        check_same(before, now | {"num_users": 7}, tmp_path)


def test_a_process_may_hold_a_folder_twice(tmp_path):
    with hold(tmp_path / "run"):
        with hold(tmp_path / "run"):
            pass
        assert (tmp_path / "run" / ".lock").exists()
        (tmp_path / "run" / "file").write_text("")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["file"]


def test_a_folder_that_was_made_and_stays_empty_is_removed(tmp_path):
    with pytest.raises(ZeroDivisionError), hold(tmp_path / "run"):
        raise ZeroDivisionError
    assert not (tmp_path / "run").exists()
    with pytest.raises(ZeroDivisionError), hold(tmp_path):
        raise ZeroDivisionError
    assert tmp_path.exists()


def test_a_file_that_is_not_written_to_its_end_does_not_take_its_place(tmp_path):
    write_json(tmp_path / "file.json", {"a": 1})
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file.json") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "file.json").read_text() == '{\n  "a": 1\n}\n'
