"""Shared by all tests: sampled worlds, paper A's reference instances and the book's networks."""

import functools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from mec_cf_gym import CoherenceBlock, Scenario
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("suite")

DATA = Path(__file__).parent / "data"


def draw_blocks(rows: int, first_seed: int = 0, **fields) -> CoherenceBlock:
    """Return one block of each of several networks."""
    return World(Scenario.paper_a(**fields)).begin(Streams.from_seeds(range(first_seed, first_seed + rows))).block


@pytest.fixture(scope="session")
def blocks():
    return draw_blocks


def block_of(signal, interference, channel=None) -> CoherenceBlock:
    """Return the blocks of paper A's numbers with gains, ``(..., N, K)`` and ``(..., N, K, K)``."""
    each = np.ones((*signal.shape[:-2], signal.shape[-1]))
    numbers = (1e3 * each, 1e3 * each, 1e9 * each, 5e9 * each)
    return CoherenceBlock(signal, interference, *numbers, 20e6 / signal.shape[-2], channel)


@pytest.fixture(scope="session")
def paper_a_reference():
    """Returns what an independent prototype found, by the file's name behind ``paper_a_``: its arrays by name."""

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(DATA / f"paper_a_{name}.npz") as data:
            return dict(data)

    return load


@pytest.fixture(scope="session", params=[(1, 10), (4, 10), (4, 20)], ids=lambda size: "N{}-K{}".format(*size))
def reference(request):
    """Instances an independent prototype solved: the block, its powers, rates and largest latency."""
    subcarriers, users = request.param
    with np.load(DATA / "paper_a.npz") as data:
        arrays = {
            name: data[f"{name}_N{subcarriers}_K{users}"]
            for name in ("signal", "interference", "power", "rate_bps", "latency_s")
        }
    signal, interference, *solved = arrays.values()
    return block_of(signal, interference), *solved


@pytest.fixture(scope="session")
def book_reference():
    """Returns what the book's own code computed on one network: its arrays by name."""

    @functools.cache
    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(DATA / f"book_reference_{name}.npz") as data:
            return dict(data)

    return load
