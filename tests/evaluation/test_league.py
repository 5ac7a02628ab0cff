"""The league table in the documents: written from a finished run, between markers, or not at all."""

import json
import runpy
import shutil
from pathlib import Path

import pytest

from mec_cf_gym.evaluation.league import summary, training, whole
from mec_cf_gym.evaluation.summary import Summary

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "league.py"))
FIGURE, SUMMARY, WHOLE = (SCRIPT[name] for name in ("FIGURE", "SUMMARY", "WHOLE"))
between, write_documents = SCRIPT["between"], SCRIPT["write_documents"]


@pytest.fixture
def root(tmp_path):
    """Returns a checkout with both pages."""
    (tmp_path / "docs" / "images").mkdir(parents=True)
    (tmp_path / "README.md").write_text(f"# Title\n\n{marked(SUMMARY)}\nThe end.\n")
    (tmp_path / "docs" / "league.md").write_text(
        f"# League\n{marked(SUMMARY)}\n{marked(FIGURE)}\n## Tasks\n{marked(WHOLE)}"
    )
    return tmp_path


@pytest.fixture
def content(league_run):
    return json.loads((league_run / "benchmark.json").read_text())


def marked(name):
    return f"<!-- {name} -->\nold\n<!-- end of {name} -->\n"


def cells(text, start):
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {start} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_both_pages_are_written_between_their_markers(league_run, root, content):
    write_documents(league_run, root)
    readme, page = (root / "README.md").read_text(), (root / "docs" / "league.md").read_text()
    assert summary(content) in readme
    assert readme.startswith("# Title\n\n<!-- league summary -->\n")
    assert readme.endswith("<!-- end of league summary -->\n\nThe end.\n")
    assert "old" not in readme + page
    assert summary(content) in page
    assert whole(content) in page
    assert "](images/league.png)" in page
    assert (root / "docs" / "images" / "league.png").read_bytes().startswith(b"\x89PNG")
    write_documents(league_run, root)
    assert (root / "README.md").read_text() == readme


@pytest.mark.parametrize("name", ["README.md", "docs/league.md"])
@pytest.mark.parametrize(
    "text", ["", "<!-- end of league summary -->\n<!-- league summary -->", 2 * marked(SUMMARY)]
)
def test_a_page_without_its_markers_is_refused_and_nothing_is_written(league_run, root, name, text):
    (root / name).write_text(text)
    before = {path: path.read_bytes() for path in root.rglob("*.*")}
    with pytest.raises(ValueError, match=r"must have the lines <!-- league summary --> and"):
        write_documents(league_run, root)
    assert {path: path.read_bytes() for path in root.rglob("*.*")} == before


@pytest.mark.parametrize("without", ["benchmark.json", "summary", "suite"])
def test_what_is_no_finished_run_of_a_suite_is_refused(league_run, root, content, without, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(league_run, run)
    if without == "benchmark.json":
        (run / without).unlink()
    else:
        del (content if without == "summary" else content["settings"])[without]
        (run / "benchmark.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="it must hold a finished run of mec-cf-gym benchmark --suite"):
        write_documents(run, root)


def test_the_summary_has_a_row_a_policy_and_a_column_a_task(content):
    text = summary(content)
    rows = {row["policy"]: row for row in content["summary"] if row["task"] == "free"}
    gap, low, high = (100 * rows["random"][name] for name in ("gap", "gap_low", "gap_high"))
    assert f"{gap:+.0f} %" in cells(text, "random")[1] or f"{gap:+.1f} %" in cells(text, "random")[1]
    assert low < gap < high
    assert "MECCellular" not in text  # no headline
    assert "CellFree, K = 3, N = 1" in text
    assert [line.count("reference") for line in text.splitlines() if line.startswith("| exact ")] == [1, 1]
    for said in (
        "3 networks (seeds from 3758096384 on) x 2 blocks",
        "2 of its 3 tasks, each environment as it comes",
        "Not installed",
        "rl-none",
    ):
        assert said in " ".join(text.split())


def test_the_whole_has_a_section_a_task(content):
    text = whole(content)
    assert [line.strip("# ") for line in text.splitlines() if line.startswith("#")] == [
        "MECCellFree-v0",
        "free",
        "MECCellular-v0",
        "central",
        "MECUserCentric-v0",
        "grid",
    ]
    assert "power W" not in text[: text.index("### grid")]
    assert "power W" in text[text.index("### grid") :]
    assert "training" in text


def test_an_environment_begins_with_the_gaps_in_all_its_tasks(content):
    lines = whole(content).splitlines()
    (head,) = [
        line for line in lines if line.startswith("| mean gap") and "random" in line and "full-power" in line
    ]
    assert [cell.strip() for cell in head.strip("|").split("|")] == ["mean gap", "full-power", "random", "exact"]
    gap = next(row["gap"] for row in content["summary"] if (row["task"], row["policy"]) == ("free", "full-power"))
    row = cells("\n".join(lines), "free")
    assert float(row[1].rstrip(" %")) == pytest.approx(100 * gap, abs=0.5)
    assert row[3] == "reference"


def test_the_cost_of_training_is_in_words(content):
    row = Summary.from_dict(content["summary"][0])
    assert training(row) == "-"
    fields = {**content["summary"][0], "training_s": 1234.4, "training_steps": 50000}
    assert training(Summary.from_dict(fields)) == "1,234 s, 50,000 steps"


def test_between_replaces_only_what_is_between(tmp_path):
    text = between(f"a\n{marked('x')}b\n{marked('y')}", "y", "new", tmp_path)
    assert text == f"a\n{marked('x')}b\n<!-- y -->\nnew\n<!-- end of y -->\n"
