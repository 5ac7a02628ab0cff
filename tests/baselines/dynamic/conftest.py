"""Blocks of dynamic worlds whose queues and batteries are partly filled."""

import dataclasses

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.dynamic_world import world_of
from mec_cf_gym.random_streams import Streams


@pytest.fixture
def dynamic_blocks():
    """Return a function that draws blocks, one a row, with queues and batteries at random levels."""

    def draw(rows=4, seed=0, **fields):
        scenario = Scenario.paper_a_dynamic(**{"num_aps": 16, "num_users": 3, **fields})
        block = world_of(scenario).begin(Streams.from_seeds(range(seed, seed + rows))).block
        rng, shape = np.random.default_rng(seed), block.backlog.queue_bits.shape
        queue_bits, server_bits = (
            rng.uniform(0, 2e4, shape) * (rng.random(shape) < 0.8),
            rng.uniform(0, 1e3, shape),
        )
        limit_j = block.backlog.prospects.battery_limit_j
        battery_j = rng.random(shape) * limit_j if np.isfinite(limit_j) else block.backlog.battery_j
        backlog = dataclasses.replace(
            block.backlog, queue_bits=queue_bits, server_bits=server_bits, battery_j=battery_j
        )
        return dataclasses.replace(block, backlog=backlog)

    return draw
