"""``mec-cf-gym benchmark``: a benchmark of environments, or of a suite's tasks."""

from __future__ import annotations

from operator import attrgetter

from mec_cf_gym.commands import given, run_command, split_names
from mec_cf_gym.evaluation.benchmark import Benchmark, run, start_of
from mec_cf_gym.evaluation.league import OF_SUITE


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym benchmark``; return its exit status."""
    start = OF_SUITE if given(arguments, "suite") else start_of(split_names(given(arguments, "env")))
    folder = attrgetter("folder")
    return run_command("mec-cf-gym benchmark", type(start), _report, arguments, default=start, folder=folder)


def _report(benchmark: Benchmark) -> str:
    return benchmark.report(run(benchmark))
