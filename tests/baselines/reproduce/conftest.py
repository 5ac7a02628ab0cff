"""Small networks, for which a figure takes seconds."""

import csv

import pytest

from mec_cf_gym.cli import main

SMALL = ["--num-aps", "8", "--num-subcarriers", "2", "--users", "3", "4", "--workers", "1"]


@pytest.fixture(scope="session")
def reproduce():
    """Return a function that runs the command for a figure and returns its exit status."""

    def run(figure, out, *options):
        command = ["reproduce", "paper-a", "--figure", figure, *SMALL, *options]
        return main([*command, "--out", str(out)] if out else command)

    return run


@pytest.fixture(scope="session")
def read_csv():
    def read(path):
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def files():
    """Return a function that returns the tables of a run by name."""

    def read(folder):
        tables = [*folder.glob("*.csv"), folder / "claims.md"]
        return {path.name: path.read_bytes() for path in tables}

    return read
