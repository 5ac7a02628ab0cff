"""Registers the environments with Gymnasium."""

from __future__ import annotations

import gymnasium as gym

PAPER_A_IDS = ("MECCellFree-v0", "MECCellular-v0")
PAPER_B_IDS = ("MECUserCentric-v0", "MECMultiCell-v0")
SEQUENTIAL_IDS = ("MECCellFreeDelayed-v0",)
ENV_IDS = PAPER_A_IDS + PAPER_B_IDS + SEQUENTIAL_IDS
"""The ids of all environments of this package."""
MODULES = (
    dict.fromkeys(PAPER_A_IDS, "cell_free")
    | dict.fromkeys(PAPER_B_IDS, "user_centric")
    | dict.fromkeys(SEQUENTIAL_IDS, "delayed")
)


def register_envs() -> None:
    """Register every id, with its single and its native vector environment."""
    for env_id, module in MODULES.items():
        name = env_id.removesuffix("-v0")
        gym.register(
            id=env_id,
            entry_point=f"mec_cf_gym.envs.{module}:{name}Env",
            vector_entry_point=f"mec_cf_gym.envs.{module}:{name}VectorEnv",
        )
