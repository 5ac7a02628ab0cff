"""The dataset command: its content, its errors, and the same bytes however often it is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mec_cf_gym import Scenario, latency
from mec_cf_gym.baselines import LabelStore
from mec_cf_gym.baselines.labels import generate as module
from mec_cf_gym.baselines.labels.samples import Samples
from mec_cf_gym.baselines.labels.store import array_layout
from mec_cf_gym.cli import main
from mec_cf_gym.evaluation.seeds import seeds

SMALL = ["--solver", "water-filling", "--num-users", "3", "--topologies", "60", "--blocks", "2"]
EXACT = ["--solver", "exact", "--num-subcarriers", "1", "--num-aps", "16"]
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def command(*options):
    return [sys.executable, "-m", "mec_cf_gym", "dataset", *options]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small data set that was made without interruption."""
    folder = tmp_path_factory.mktemp("whole") / "labels"
    assert main(["dataset", *SMALL, "--workers", "1", "--out", str(folder)]) == 0
    return folder


def copy_of(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def test_the_content_is_what_is_drawn_and_solved(whole):
    store = LabelStore(whole)
    samples = Samples(Scenario.paper_a(num_users=3), seeds("train", 60), blocks=2)
    everything = slice(0, 120)
    for name, expected in samples.solve(everything, "water-filling").items():
        np.testing.assert_allclose(store.read(name, everything), expected, rtol=1e-6, err_msg=name)
    block, labels = store.block(everything), store.labels(everything)
    np.testing.assert_allclose(latency(block, labels.power, labels.offload), labels.latency_s, rtol=1e-6)
    assert store.settings["versions"].keys() >= {"mec-cf-gym", "numpy"}
    assert "workers" not in store.settings


def test_it_says_what_it_made(tmp_path, capsys):
    assert main(["dataset", *SMALL, "--split", "test", "--workers", "1", "--out", str(tmp_path / "labels")]) == 0
    printed = capsys.readouterr()
    assert "120 samples in" in printed.out
    assert "60 test networks x 2 blocks, solved by water-filling" in printed.out
    assert "mean largest latency 0." in printed.out
    assert "120/120" in printed.err  # the progress bar
    assert LabelStore(tmp_path / "labels").read("seed", slice(0, 1)) == 3 * 2**30


def test_the_workers_make_no_difference(whole, tmp_path):
    assert main(["dataset", *SMALL, "--workers", "2", "--out", str(tmp_path / "labels")]) == 0
    assert files(tmp_path / "labels") == files(whole)


def test_the_threads_of_the_linear_algebra_make_no_difference():
    samples = Samples(Scenario.paper_a(num_subcarriers=1, num_users=60, num_aps=512), seeds("train", 2), blocks=2)
    gains = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            gains.append(module._solve(samples, slice(0, 4), "equal")[1]["interference_gain"])
    np.testing.assert_array_equal(*gains)


def test_a_ray_cluster_makes_no_difference(whole, tmp_path):
    options = [*SMALL, "--backend", "ray", "--workers", "2", "--out", str(tmp_path / "labels")]
    environment = {**os.environ, "RAY_ADDRESS": "local"}
    result = subprocess.run(command(*options), capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert "Started a local Ray instance" in result.stderr
    assert files(tmp_path / "labels") == files(whole)


def test_without_ray_the_extra_is_named_and_nothing_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["dataset", *SMALL, "--backend", "ray", "--out", str(tmp_path / "labels")]) == 2
    assert "error: dataset needs ray: pip install" in capsys.readouterr().err
    assert not (tmp_path / "labels").exists()


def test_a_run_killed_again_and_again_ends_the_same(tmp_path):
    options = [*EXACT, "--topologies", "40", "--blocks", "50"]
    main(["dataset", *options, "--workers", "1", "--out", str(tmp_path / "whole")])
    expected, out = files(tmp_path / "whole"), tmp_path / "killed"
    for moment, workers in [(1, "1"), (12, "2"), (25, "1")]:
        line = command(*options, "--workers", workers, "--resume", "--out", str(out))
        process = subprocess.Popen(line, stderr=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and len(list(out.glob("seed/c/*"))) < moment:
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert len(files(out)) < len(expected)
    assert main(["dataset", *options, "--workers", "1", "--resume", "--out", str(out)]) == 0
    assert files(out) == expected


def test_a_run_cut_off_between_any_two_files_goes_on_and_ends_the_same(whole, tmp_path, capsys):
    """Files are written one after the other, each whole; a file that was being written has another name."""
    names = list(array_layout(LabelStore(whole).scenario))
    for kept in range(0, len(names), 3):
        out = copy_of(whole, tmp_path / str(kept))
        store = LabelStore(out)
        for name in names[kept:]:
            store.chunk_path(name, 0).unlink()
        store.chunk_path(names[kept], 0).with_suffix(".0123abcd.partial").write_bytes(b"half")
        capsys.readouterr()
        assert main(["dataset", *SMALL, "--workers", "1", "--resume", "--out", str(out)]) == 0
        printed = capsys.readouterr().err
        assert "70/120" in printed  # the bar begins with what is there
        assert "again" not in printed
        assert files(out) == files(whole)


def test_resuming_makes_only_what_is_missing(whole, tmp_path, monkeypatch, capsys):
    out = copy_of(whole, tmp_path)
    LabelStore(out).chunk_path("power", 110).unlink()
    made, solve = [], module._solve
    monkeypatch.setattr(
        module, "_solve", lambda samples, rows, solver: made.append(rows) or solve(samples, rows, solver)
    )
    assert main(["dataset", *SMALL, "--workers", "1", "--out", str(out)]) == 2
    assert "holds a data set already: add --resume" in capsys.readouterr().err
    assert not made
    for _ in range(2):
        assert main(["dataset", *SMALL, "--workers", "1", "--resume", "--out", str(out)]) == 0
    assert made == [slice(100, 120)]
    assert files(out) == files(whole)


def test_damage_is_found_named_and_mended(whole, tmp_path, capsys):
    out = copy_of(whole, tmp_path)
    assert main(["dataset", "--verify", "--out", str(out)]) == 0
    damaged, missing = LabelStore(out).chunk_path("power", 60), LabelStore(out).chunk_path("seed", 110)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    missing.unlink()
    capsys.readouterr()
    assert main(["dataset", "--verify", "--out", str(out)]) == 2
    printed = capsys.readouterr().err
    assert "error: 2 chunks are missing or damaged" in printed
    assert f"{damaged} of array 'power' is damaged" in printed
    assert f"{missing} of array 'seed' is missing" in printed
    assert main(["dataset", *SMALL, "--workers", "1", "--resume", "--out", str(out)]) == 0
    assert f"making again: chunk {damaged} of array 'power' is damaged" in capsys.readouterr().err
    assert files(out) == files(whole)


def test_verifying_what_is_no_data_set_is_an_error(tmp_path, capsys):
    assert main(["dataset", "--verify", "--out", str(tmp_path / "none")]) == 2
    assert "holds no data set" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    out = tmp_path / "labels"
    options = ["--solver", "ica", "--topologies", "1000", "--blocks", "1", "--workers", "2", "--out", str(out)]
    process = subprocess.Popen(command(*options), stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (out / "seed").exists():
        time.sleep(0.1)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"what is finished is kept in {out}: go on with --resume" in errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--solver", "best"], "policy='best' is not allowed: the installed policies are"),
        (["--solver", "exact"], "num_subcarriers=4 is not allowed: the exact optimum"),
        (["--topologies", "0"], "topologies=0 is not allowed"),
        (["--topologies", "1", "--blocks", "0"], "blocks=0 is not allowed"),
        (["--split", "exam"], "split='exam' is not allowed: it must be one of 'train'"),
        (["--workers", "0"], "workers=0 is not allowed"),
        (["--episode-blocks", "5"], "episode_blocks=5 is not allowed: a data set sets it by --blocks"),
        (["--arrivals", "poisson"], "arrivals='poisson' is not allowed: labels solve one block at a time"),
        (["--backend", "dask"], "dask"),
        (["--num-users", "0"], "num_users=0 is not allowed"),
    ],
)
def test_bad_options_are_named_without_a_traceback(options, said, tmp_path, capsys):
    try:
        status = main(["dataset", *SMALL, *options, "--out", str(tmp_path / "labels")])
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    printed = capsys.readouterr()
    assert said in " ".join((printed.out + printed.err).replace("│", " ").split())
    assert not (tmp_path / "labels").exists()


def test_other_settings_cannot_go_on(whole, capsys):
    before = files(whole)
    assert main(["dataset", *SMALL, "--radius-m", "500", "--resume", "--out", str(whole)]) == 2
    assert "radius_m=500.0 differs from 1000.0" in capsys.readouterr().err
    assert files(whole) == before


def test_help_lists_every_option(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["dataset", "--help"])
    text = capsys.readouterr().out
    for name in ("solver", "topologies", "blocks", "split", "backend", "workers", "out", "resume", "verify"):
        assert f"--{name}" in text
