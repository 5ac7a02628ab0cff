"""How fast this version steps, resets and decides, beside version 0.1.0, in one table.

Both versions run in processes of their own, one thread each, and take turns in every repeat; ratios are medians
over repeats. Environments are timed in CPU time, decisions by the clock. Version 0.1.0 is built from its commit.
Results are kept in benchmarks/speed/VERSION.json, and compared with those that were there.

Run on an idle machine: make bench-speed, or python benchmarks/speed.py [--repeats 9] [--only MultiCell]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tabulate import tabulate
from tqdm.auto import tqdm

BASELINE = "a4662c4"
ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).parent / "speed"
LEAST_S = 0.05
"""Calls are repeated until they take so long in all."""


def disk(aps, users, subcarriers):
    """Return the fields of a network of paper A."""
    return {"num_aps": aps, "num_users": users, "num_subcarriers": subcarriers}


CELL_FREE, CELLULAR = "MECCellFree-v0", "MECCellular-v0"
USER_CENTRIC, MULTI_CELL = "MECUserCentric-v0", "MECMultiCell-v0"
SIZES = (disk(64, 10, 4), disk(64, 10, 1), disk(100, 20, 1))
CASES = [
    *({"kind": "vector", "env": CELL_FREE, "rows": 256, **size} for size in SIZES),
    {"kind": "vector", "env": CELL_FREE, "rows": 64, **disk(64, 50, 4)},
    {"kind": "vector", "env": CELLULAR, "rows": 256, **disk(64, 10, 4)},
    *({"kind": "single", "env": env, **disk(64, 10, 4)} for env in (CELL_FREE, CELLULAR, "MECCellFreeDelayed-v0")),
    *({"kind": "vector", "env": env, "rows": rows} for env in (USER_CENTRIC, MULTI_CELL) for rows in (16, 64)),
    *({"kind": kind, "env": env} for env in (USER_CENTRIC, MULTI_CELL) for kind in ("single", "reset")),
    {"kind": "solve", "env": CELL_FREE, "solver": "ExactMinMax", **disk(64, 10, 1)},
    {"kind": "solve", "env": CELL_FREE, "solver": "FastMinMax", **disk(64, 10, 4)},
    {"kind": "solve", "env": CELL_FREE, "solver": "ICA", **disk(64, 10, 4)},
    {"kind": "solve", "env": USER_CENTRIC, "solver": "ExactPowerControl"},
    {"kind": "solve", "env": USER_CENTRIC, "solver": "SCA"},
    {"kind": "decide", "env": CELL_FREE, "policy": "rl-cellfree-k10", **disk(64, 10, 1)},
    {"kind": "decide", "env": CELL_FREE, "policy": "rl-cellfree-k10-n4", **disk(64, 10, 4)},
    {"kind": "decide", "env": CELL_FREE, "policy": "equivariant", **disk(64, 10, 4)},
    {"kind": "decide", "env": CELL_FREE, "policy": "equivariant", "rows": 256, **disk(64, 10, 4)},
]


class Version:
    """A process with a version of the package, which answers lines of JSON.

    Args:
        path: A folder to import the package from; None: where this interpreter finds it.
    """

    def __init__(self, path: Path | None = None) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment |= {"PYTHONPATH": str(path)} if path else {}
        worker = [sys.executable, str(Path(__file__).with_name("speed_worker.py"))]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(worker, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.name = self.said()["version"]

    def said(self) -> dict:
        """Return the next answer."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def time(self, case: dict, calls: int) -> dict:
        """Return the answer on a case."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"case": case, "calls": calls}) + "\n")
        self.process.stdin.flush()
        return self.said()


def build(folder: Path) -> Path:
    """Build version 0.1.0 from its commit in a folder; return where it can be imported from."""
    archive = subprocess.run(["git", "archive", BASELINE], cwd=ROOT, check=True, capture_output=True).stdout
    source, target = folder / "source", folder / "package"
    source.mkdir()
    subprocess.run(["tar", "x", "-C", str(source)], input=archive, check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(source)]
    subprocess.run(pip, check=True)
    return target


def name_of(case: dict) -> str:
    """Return a case as people read it."""
    options = {name: value for name, value in case.items() if name not in ("kind", "env", "solver", "policy")}
    what = case.get("solver") or case.get("policy") or case["kind"]
    sizes = "".join(f", {name} {value}" for name, value in options.items())
    return f"{case['env']} {what}{sizes}".replace("num_", "")


def measure(case: dict, versions: list[Version], repeats: int) -> dict:
    """Return the times of a call with each version, in ms, and the median ratio of the first to the second."""
    first = [version.time(case, 1) for version in versions]
    if errors := [answer["error"] for answer in first if "error" in answer]:
        return {"case": name_of(case), "error": errors[0]}
    calls = [max(1, round(LEAST_S / answer["seconds"])) for answer in first]
    times = [
        [version.time(case, number)["seconds"] for version, number in zip(versions, calls, strict=True)]
        for _ in range(repeats)
    ]
    rows = case.get("rows", 0) or 1
    before_ms, now_ms = (1e3 * statistics.median(column) / rows for column in zip(*times, strict=True))
    ratio = statistics.median(before / now for before, now in times)
    return {"case": name_of(case), "before_ms": before_ms, "now_ms": now_ms, "ratio": ratio}


def main() -> None:
    """Measure, print, keep and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="repeats of which the median counts")
    parser.add_argument("--only", default="", help="part of the names of cases to run; nothing is kept then")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in name_of(case)]
    with tempfile.TemporaryDirectory() as folder:
        versions = [Version(build(Path(folder))), Version()]
        found = [measure(case, versions, options.repeats) for case in tqdm(cases, unit="case")]
    path = KEPT / f"{versions[1].name}.json"
    last = {row["case"]: row for row in json.loads(path.read_text())} if path.exists() else {}
    columns = ("before_ms", "now_ms", "ratio")
    table = [
        (
            row["case"],
            *(f"{row[name]:.4g}" if name in row else row["error"] for name in columns),
            f"{last[row['case']]['ratio']:.4g}" if "ratio" in last.get(row["case"], ()) else "",
        )
        for row in found
    ]
    print(tabulate(table, ["case, ms a row", versions[0].name, versions[1].name, "ratio", "last ratio"], "github"))
    if not options.only:
        KEPT.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
