"""The trained agents that come with the package: every card in ``trained/`` is a policy of every evaluation."""

from collections.abc import Callable
from functools import partial

from mec_cf_gym.agents.agent import FOLDER, Agent


def policies() -> dict[str, Callable[[], Agent]]:
    """Return what loads each of them, by the name of the policy: ``rl-`` and the agent's."""
    return {f"rl-{path.stem}": partial(Agent.load, path.stem) for path in sorted(FOLDER.glob("*.json"))}


def __getattr__(name: str) -> Callable[[], Agent]:
    """Return what loads an agent, for entry points that name it: ``cellfree_k10``."""
    found = policies().get(f"rl-{name.replace('_', '-')}")
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
