"""Agents: reinforcement learning on the environments.

So far this holds :class:`AgentPolicy`, which lets a Stable-Baselines3 model run in every evaluation.
"""

from mec_cf_gym.agents.policy import AgentPolicy

__all__ = ["AgentPolicy"]
