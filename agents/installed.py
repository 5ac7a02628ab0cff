"""The trained agents that come with the package: every card in ``trained/`` is a policy of every evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mec_cf_gym.allocation import Policy


@dataclass(frozen=True)
class InstalledAgent:
    """A trained agent by its card, which is read without torch; calling it loads the agent."""

    path: Path

    @property
    def card(self) -> dict[str, Any]:
        """The card as it is on disk."""
        card: dict[str, Any] = json.loads(self.path.read_text())
        return card

    def __call__(self) -> Policy:
        """Return the agent."""
        from mec_cf_gym.agents.agent import Agent

        return Agent.load(self.path.stem)


def policies() -> dict[str, Callable[[], Policy]]:
    """Return the agents that come with the package, by the names of their policies."""
    cards = (Path(__file__).parent / "trained").glob("*.json")
    return {f"rl-{path.stem}": InstalledAgent(path) for path in sorted(cards, key=lambda path: path.stem)}


def __getattr__(name: str) -> Callable[[], Policy]:
    """Return an agent by its name with underscores, as entry points named it in version 0.1.0."""
    found = policies().get(f"rl-{name.replace('_', '-')}")
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
