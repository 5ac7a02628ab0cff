"""The benchmark command: its files, its errors, and going on after an interruption."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.cli import main
from mec_cf_gym.evaluation import runner
from mec_cf_gym.evaluation.benchmark import Benchmark, run
from mec_cf_gym.evaluation.runs import csv_text

FAST = ["--policies", "full-power,equal", "--reference", "equal", "--num-users", "3", "--workers", "1"]
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def rows(folder):
    with (folder / "blocks.csv").open(newline="") as file:
        return [
            {name: value for name, value in row.items() if name != "decision_ms"} for row in csv.DictReader(file)
        ]


def test_it_prints_a_table_and_writes_all_files(tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["benchmark", *FAST, "--topologies", "3", "--blocks", "2", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert (out / "table.md").read_text().strip() in printed.out
    assert "100%" in printed.err  # the progress bar
    assert len(rows(out)) == 2 * 2 * 3 * 2  # environments, policies, topologies, blocks
    content = json.loads((out / "benchmark.json").read_text())
    assert len(content["summary"]) == 4
    assert content["settings"]["num_users"] == 3
    assert len(content["settings"]["seeds"]) == 3
    assert {"python", "numpy", "mec-cf-gym"} <= content["versions"].keys()
    assert (out / "cdf.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (out / "cdf.svg").read_text()
    assert "Plotly" in (out / "report.html").read_text()


def test_paper_bs_environments_start_from_its_scenario_and_policies(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runner, "LONGEST_BATCH_S", 0.1)
    small = ["--num-aps", "16", "--num-users", "4", "--antennas-per-base-station", "8", "--workers", "1"]
    envs = ["--env", "MECUserCentric-v0,MECMultiCell-v0"]
    assert main(["benchmark", *envs, *small, "--topologies", "2", "--blocks", "1", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "objective W" in printed
    content = json.loads((tmp_path / "benchmark.json").read_text())
    assert content["settings"]["server"] == "shared"
    power_w = {(row["env"], row["policy"]): row["power_w"] for row in content["summary"]}
    for env in content["settings"]["env"]:
        assert power_w[env, "sca"] == pytest.approx(power_w[env, "exact-power"], rel=1e-3)
        assert power_w[env, "sca"] < power_w[env, "full-power"] == pytest.approx(0.4)


@pytest.mark.parametrize(("version", "delay", "more"), [("v0", 8, set()), ("v1", 4, {"predicted-exact"})])
def test_the_delayed_environments_start_from_their_scenarios_and_policies(version, delay, more, tmp_path):
    small = ["--num-users", "4", "--workers", "1", "--topologies", "2", "--blocks", "10"]
    assert main(["benchmark", "--env", f"MECCellFreeDelayed-{version}", *small, "--out", str(tmp_path)]) == 0
    content = json.loads((tmp_path / "benchmark.json").read_text())
    assert (content["settings"]["csi_delay_blocks"], content["settings"]["num_subcarriers"]) == (delay, 1)
    gaps = {row["policy"]: row["gap"] for row in content["summary"]}
    assert gaps.keys() == {"full-power", "outdated-exact", "averaged-exact", "exact"} | more
    assert min(gaps.values()) == gaps["exact"] == 0


@pytest.mark.parametrize("envs", [("MECUserCentric-v0",), ("MECUserCentric-v0", "MECCellFree-v0")])
def test_environments_of_both_papers_do_not_mix(envs, tmp_path):
    with pytest.raises(ValueError, match="all must be of one paper"):
        run(Benchmark(env=envs, out=tmp_path))


def test_the_json_reproduces_the_run(tmp_path):
    settings = Benchmark(
        policies=("random",), reference="equal", topologies=2, blocks=2, out=tmp_path / "a", workers=1
    )
    run(settings)
    stored = json.loads((tmp_path / "a" / "benchmark.json").read_text())["settings"]
    fields = {name: stored[name] for name in Scenario().to_dict() if name in stored}
    again = Benchmark(
        policies=tuple(stored["policies"]),
        env=tuple(stored["env"]),
        reference=stored["reference"],
        topologies=len(stored["seeds"]),
        blocks=stored["blocks"],
        scenario=Scenario().replace(**fields),
        out=tmp_path / "b",
        workers=2,
    )
    run(again)
    assert rows(tmp_path / "a") == rows(tmp_path / "b")


def test_a_run_cut_off_at_any_byte_goes_on_and_ends_the_same(tmp_path, capsys):
    command = ["benchmark", *FAST, "--topologies", "2", "--blocks", "2", "--env", "MECCellFree-v0"]
    main([*command, "--out", str(tmp_path / "whole")])
    whole = (tmp_path / "whole" / "blocks.csv").read_text()
    for cut in range(whole.index("\n") + 1, len(whole), 211):
        out = tmp_path / f"cut-{cut}"
        out.mkdir()
        settings = (tmp_path / "whole" / "benchmark.json").read_text()
        (out / "benchmark.json").write_text(settings)
        (out / "blocks.csv").write_text(whole[:cut])
        assert main([*command, "--resume", "--out", str(out)]) == 0
        assert rows(out) == rows(tmp_path / "whole")


def test_a_run_of_an_earlier_version_is_not_overwritten(tmp_path, capsys):
    command = ["benchmark", *FAST, "--topologies", "2", "--env", "MECCellFree-v0", "--out", str(tmp_path)]
    assert main(command) == 0
    path = tmp_path / "blocks.csv"
    with path.open(newline="") as file:
        written = [*csv.DictReader(file)]
    kept = [name for name in written[0] if name not in ("energy_j", "dropped_bits", "is_dynamic")]
    path.write_text(csv_text(({name: row[name] for name in kept} for row in written), kept))
    before = path.read_text()
    capsys.readouterr()
    assert main(command) == 2
    assert "add --resume" in capsys.readouterr().err
    assert path.read_text() == before


def test_resuming_runs_only_what_is_missing(tmp_path, monkeypatch):
    settings = Benchmark(policies=("equal",), reference="equal", topologies=4, blocks=1, out=tmp_path, workers=1)
    run(settings)
    kept = (tmp_path / "blocks.csv").read_text().splitlines(keepends=True)
    (tmp_path / "blocks.csv").write_text("".join(kept[:-1]))
    ran = []
    unit = runner.run_unit
    monkeypatch.setattr(runner, "run_unit", lambda *args: ran.append(args) or unit(*args))
    with pytest.raises(ValueError, match="holds a run already: add --resume"):
        run(settings)
    run(
        Benchmark(
            policies=("equal",), reference="equal", topologies=4, blocks=1, out=tmp_path, workers=1, resume=True
        )
    )
    assert len(ran) == 1


def test_an_interrupted_run_keeps_what_is_finished(tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "mec_cf_gym", "benchmark", "--policies", "ica", "--env", "MECCellFree-v0"]
    command += ["--topologies", "400", "--blocks", "2", "--workers", "2", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (out / "blocks.csv").exists() or len((out / "blocks.csv").read_text().splitlines()) < 8:
        time.sleep(0.2)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with --resume" in errors
    finished = rows(out)
    assert len(finished) >= 7
    complete = {row["seed"] for row in finished if row["block"] == "1"}
    assert len(complete) >= len(finished) // 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--policies", "best"], "policies='best' is not allowed: it must be one of"),
        (["--env", "CartPole-v1"], "env='CartPole-v1' is not allowed: it must be one of MECCellFree-v0"),
        (["--topologies", "0"], "topologies=0 is not allowed"),
        (["--env", ","], "env='' is not allowed: it must name one at least"),
        (["--workers", "-1"], "workers=-1 is not allowed"),
        (["--deployment", "cellular"], "a benchmark sets it by --env"),
        (["--num-subcarriers", "5000"], "num_subcarriers=5000"),
        (["--combiner", "zf", "--num-aps", "2"], "zero-forcing separates at most num_aps=2 users"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_bad_options_are_named_without_a_traceback(options, said, tmp_path, capsys):
    try:
        status = main(["benchmark", *options, "--out", str(tmp_path / "run")])
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    printed = capsys.readouterr()
    assert said in " ".join((printed.out + printed.err).replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_other_settings_cannot_go_on(tmp_path, capsys):
    main(["benchmark", *FAST, "--topologies", "1", "--blocks", "1", "--out", str(tmp_path)])
    command = ["benchmark", *FAST, "--topologies", "1", "--blocks", "1", "--out", str(tmp_path), "--resume"]
    assert main([*command, "--radius-m", "500"]) == 2
    assert "radius_m=500.0 differs from 1000.0" in capsys.readouterr().err


def test_a_folder_without_results_does_not_stand_in_the_way(tmp_path, capsys):
    command = ["benchmark", "--policies", "exact", "--reference", "exact", "--topologies", "1", "--blocks", "1"]
    command += ["--workers", "1", "--out", str(tmp_path)]
    assert main(command) == 2
    assert "error: exact in MECCellFree-v0: num_subcarriers=4 is not allowed" in capsys.readouterr().err
    assert main([*command, "--num-subcarriers", "1"]) == 0
    assert "n/a" in capsys.readouterr().out  # no interval from one topology
    assert json.loads((tmp_path / "benchmark.json").read_text())["summary"][0]["gap_low"] is None


def test_an_unusable_folder_is_an_error(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["benchmark", *FAST, "--out", str(tmp_path / "file")]) == 2
    assert "error" in capsys.readouterr().err


def test_help_lists_every_option(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["benchmark", "--help"])
    text = capsys.readouterr().out
    for name in ("policies", "env", "topologies", "blocks", "workers", "out", "resume", *Scenario().to_dict()):
        assert f"--{name.replace('_', '-')}" in text or f"--no-{name.replace('_', '-')}" in text
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "benchmark" in capsys.readouterr().out
