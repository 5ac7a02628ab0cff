"""Registers the environments with Gymnasium, each with its single and its native vector form."""

from __future__ import annotations

import warnings

import gymnasium as gym


def register_envs() -> None:
    """Register every id of this package."""
    gym.register(
        id="MECCellFree-v0",
        entry_point="mec_cf_gym.envs.cell_free:MECCellFreeEnv",
        vector_entry_point="mec_cf_gym.envs.cell_free:MECCellFreeVectorEnv",
    )
    gym.register(
        id="MECCellular-v0",
        entry_point="mec_cf_gym.envs.cell_free:MECCellularEnv",
        vector_entry_point="mec_cf_gym.envs.cell_free:MECCellularVectorEnv",
    )
    gym.register(
        id="MECUserCentric-v0",
        entry_point="mec_cf_gym.envs.user_centric:MECUserCentricEnv",
        vector_entry_point="mec_cf_gym.envs.user_centric:MECUserCentricVectorEnv",
    )
    gym.register(
        id="MECMultiCell-v0",
        entry_point="mec_cf_gym.envs.user_centric:MECMultiCellEnv",
        vector_entry_point="mec_cf_gym.envs.user_centric:MECMultiCellVectorEnv",
    )
    gym.register(
        id="MECCellFreeDelayed-v0",
        entry_point="mec_cf_gym.envs.delayed:MECCellFreeDelayedEnv",
        vector_entry_point="mec_cf_gym.envs.delayed:MECCellFreeDelayedVectorEnv",
    )
    gym.register(
        id="MECCellFreeDynamic-v0",
        entry_point="mec_cf_gym.envs.dynamic:MECCellFreeDynamicEnv",
        vector_entry_point="mec_cf_gym.envs.dynamic:MECCellFreeDynamicVectorEnv",
    )
    gym.register(
        id="MECUserCentricDynamic-v0",
        entry_point="mec_cf_gym.envs.dynamic:MECUserCentricDynamicEnv",
        vector_entry_point="mec_cf_gym.envs.dynamic:MECUserCentricDynamicVectorEnv",
    )
    gym.register(
        id="MECCellFreeDelayed-v1",
        entry_point="mec_cf_gym.envs.delayed:MECCellFreeClarkeEnv",
        vector_entry_point="mec_cf_gym.envs.delayed:MECCellFreeClarkeVectorEnv",
    )
    # both versions stay; Gymnasium would tell users of the first to move on
    warnings.filterwarnings("ignore", ".*MECCellFreeDelayed-v0 is out of date", DeprecationWarning)


def env_ids() -> tuple[str, ...]:
    """Return the ids of all environments that this package's classes make, in the order of registration."""
    ours = [spec.id for spec in gym.registry.values() if str(spec.entry_point).startswith("mec_cf_gym.")]
    return tuple(ours)
