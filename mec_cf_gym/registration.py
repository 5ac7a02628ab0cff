"""Registers the environments with Gymnasium."""

from __future__ import annotations

import gymnasium as gym

ENV_IDS = ("MECCellFree-v0", "MECCellular-v0")
"""The ids of all environments of this package."""


def register_envs() -> None:
    """Register every id, with its single and its native vector environment."""
    for env_id in ENV_IDS:
        name = env_id.removesuffix("-v0")
        gym.register(
            id=env_id,
            entry_point=f"mec_cf_gym.envs.cell_free:{name}Env",
            vector_entry_point=f"mec_cf_gym.envs.cell_free:{name}VectorEnv",
        )
