"""Options that decide what others start from are found on the command line as options, not as text."""

import gymnasium as gym
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.commands import given, split_names
from mec_cf_gym.evaluation.benchmark import Benchmark, start_of

from .settings import ENV_IDS


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ([], []),
        (["--env", "a"], ["a"]),
        (["--env=a"], ["a"]),
        (["--env", "a", "b", "--blocks", "2"], ["a", "b"]),
        (["--env", "a,b", "c"], ["a", "b", "c"]),
        (["--env", "a", "--env", "b"], ["b"]),
        (["--env", "a", "--policies", "b", "-h"], ["a"]),
        (["--out", "env", "--environment", "c"], []),
        (["--env"], []),
    ],
)
def test_an_option_is_read_in_every_form(arguments, values):
    assert split_names(given(arguments, "env")) == values


@pytest.mark.parametrize("names", [[env_id] for env_id in ENV_IDS] + [["MECCellFree-v0", "MECCellFreeDelayed-v0"]])
def test_a_benchmark_of_an_environment_starts_from_a_scenario_that_it_allows(names):
    start = start_of(names)
    start.check()
    assert start.env == tuple(names)
    for env_id in names:
        gym.make(env_id, scenario=start.scenario).reset(seed=0)


@pytest.mark.parametrize(
    ("env_id", "scenario"),
    [
        ("MECCellular-v0", Scenario()),
        ("MECMultiCell-v0", Scenario.paper_b()),
        ("MECUserCentric-v0", Scenario.paper_b()),
    ],
)
def test_one_scenario_serves_every_environment_of_a_paper(env_id, scenario):
    Benchmark(env=(env_id,), scenario=scenario).check()


def test_a_suite_is_no_plain_benchmark():
    with pytest.raises(ValueError, match="suite='quick'"):
        Benchmark(suite="quick").check()


def test_a_folder_that_has_a_suites_or_environments_name_decides_nothing():
    arguments = ["--out", "runs/--suite-MECUserCentric-v0"]
    assert given(arguments, "suite") == []
    assert start_of(split_names(given(arguments, "env"))) == Benchmark()
