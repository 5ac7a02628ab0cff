"""The backlog that an observation shows, for agents that act in what things are worth."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.agents.translation import Seen
from mec_cf_gym.block.backlog import Backlog, Prospects
from mec_cf_gym.dynamic_world import DynamicWorld
from mec_cf_gym.envs.observation import QUEUE_COLUMNS, TASK_UNITS, ratio_of


def observed_backlog(observation: Seen, world: DynamicWorld) -> Backlog:
    """Return the backlog that an observation shows; all that waits counts as one block old.

    Args:
        observation: With ``queue`` ``(..., K, 7)``.
        world: Whose statistics and limits are known.
    """
    shown = dict(zip(QUEUE_COLUMNS, np.moveaxis(ratio_of(observation["queue"]), -1, 0), strict=True))
    mean_bits = TASK_UNITS["task_bits"] * shown["mean_bits"]
    block_s = world.scenario.dynamics.block_s
    prospects: Prospects = world.prospects(mean_bits / block_s, np.ones_like(mean_bits))  # tasks of one bit
    queue_bits, server_bits = shown["queue_bits"] * mean_bits, shown["server_bits"] * mean_bits
    limit_j = prospects.battery_limit_j
    full = np.minimum(shown["battery"], 1.0)
    return Backlog(
        queue_bits=queue_bits,
        server_bits=server_bits,
        battery_j=limit_j * full if np.isfinite(limit_j) else np.full_like(full, limit_j),
        new_bits=shown["new_bits"] * mean_bits,
        bursting=shown["bursting"],
        charging=shown["charging"],
        queue_curve_bits=queue_bits[..., None],
        server_curve_bits=server_bits[..., None],
        prospects=prospects,
    )
