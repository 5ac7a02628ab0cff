"""Options that decide what others start from are found on the command line as options, not as text."""

import pytest

from mec_cf_gym.commands import given, split_names


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


def test_a_folder_that_has_a_suites_or_environments_name_decides_nothing():
    from mec_cf_gym.evaluation.benchmark import Benchmark, start_of

    arguments = ["--out", "runs/--suite-MECUserCentric-v0"]
    assert given(arguments, "suite") == []
    assert start_of(split_names(given(arguments, "env"))) == Benchmark()
