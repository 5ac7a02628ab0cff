"""A run that was cut off goes on, and its tables end the same."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from mec_cf_gym.baselines.reproduce import measure
from mec_cf_gym.cli import main

COMMAND = ["reproduce", "paper-a", "--figure", "1", "--solver", "exact", "--num-subcarriers", "1"]
COMMAND += ["--num-aps", "8", "--users", "3", "4", "--topologies", "3", "--blocks", "800"]
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run without interruption: six cells of three units each."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert main([*COMMAND, "--workers", "1", "--out", str(out)]) == 0
    return out


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def resume(out):
    return main([*COMMAND, "--workers", "1", "--resume", "--out", str(out)])


def test_a_killed_run_goes_on_and_ends_the_same(whole, tmp_path, files):
    out = tmp_path / "killed"
    line = [sys.executable, "-m", "mec_cf_gym", *COMMAND, "--workers", "2", "--resume", "--out", str(out)]
    process = subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and not list(out.glob("units/*/*.npy")):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (out / "data.csv").exists()
    assert resume(out) == 0
    assert files(out) == files(whole)


def test_only_what_is_missing_or_damaged_is_measured(whole, copy, files, monkeypatch, capsys):
    units = sorted((copy / "units" / "scheme-2-K4").iterdir())
    units[1].unlink()
    units[2].write_bytes(units[2].read_bytes()[:-8])
    ran, unit = [], measure._measure
    monkeypatch.setattr(measure, "_measure", lambda *args: ran.append(args[0]) or unit(*args))
    assert resume(copy) == 0
    assert "13000/14400" in capsys.readouterr().err  # the bar begins with what is there
    assert [(cell.name, rows.start) for cell, rows in ran] == [("scheme-2-K4", 1000), ("scheme-2-K4", 2000)]
    assert files(copy) == files(whole)


def test_a_run_is_not_begun_anew_unasked(copy, capsys):
    assert main([*COMMAND, "--out", str(copy)]) == 2
    assert "holds a run already: add --resume" in capsys.readouterr().err


def test_other_settings_cannot_go_on(copy, capsys):
    for option, said in (("--radius-m", "radius_m=500.0 differs"), ("--blocks", "blocks=500 differs from 800")):
        assert main([*COMMAND, option, "500", "--resume", "--out", str(copy)]) == 2
        assert said in capsys.readouterr().err


def test_a_solver_that_has_changed_cannot_go_on(copy, capsys):
    path = copy / "units" / "scheme-1-K3" / "00000000.npy"
    values = np.load(path)
    np.save(path, values * 1.01)
    assert resume(copy) == 2
    assert "exact gives another result than in" in capsys.readouterr().err


def test_rounding_is_no_change(copy):
    path = copy / "units" / "scheme-1-K3" / "00000000.npy"
    values = np.load(path)
    values[1] += 1e-12  # a Gini index of users who all end together, which is rounding itself
    np.save(path, values)
    assert resume(copy) == 0


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    out = tmp_path / "run"
    line = [
        sys.executable,
        "-m",
        "mec_cf_gym",
        *COMMAND,
        "--blocks",
        "100000",
        "--workers",
        "2",
        "--out",
        str(out),
    ]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(out.glob("units/*/*.npy")):
        time.sleep(0.1)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"what is finished is kept in {out}: go on with --resume" in errors


def test_help_lists_the_figures_and_their_options(capsys):
    for command, names in {
        "reproduce": ["paper-a"],
        "reproduce paper-a": ["--figure {1,2,map,claims}"],
        "reproduce paper-a --figure 1": ["--users", "--topologies", "--blocks", "--quick", "--receiver-noise"],
        "reproduce paper-a --figure map": ["--exponents", "--shadowings-db", "--noises"],
    }.items():
        try:
            assert main([*command.split(), "--help"]) == 0
        except SystemExit as exit_:
            assert exit_.code == 0
        text = capsys.readouterr().out
        assert all(name in text for name in names)


def test_a_figure_must_be_named(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["reproduce", "paper-a"])
    assert "--figure is missing: choose from 1, 2, map, claims" in capsys.readouterr().err
