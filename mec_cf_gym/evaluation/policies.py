"""Policies by name: entry points that baselines, agents and anybody's package fill."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from mec_cf_gym.allocation import Policy
from mec_cf_gym.errors import refuse

GROUP = "mec_cf_gym.policies"
"""Entry points of this group name a callable without arguments that returns a policy."""
FAMILIES = "mec_cf_gym.policy_families"
"""Entry points of this group name a function that returns such callables by the names of their policies."""
Factory = Callable[[], Policy]


def available_policies() -> tuple[str, ...]:
    """Return the names of all installed policies."""
    return tuple(sorted(_found()))


def cards() -> dict[str, dict[str, Any]]:
    """Return the cards of trained policies by name: those of families whose callables have a ``card``."""
    return {name: source.card for name, source in _found().items() if hasattr(source, "card")}


def load_policy(name: str) -> Policy:
    """Return the policy that is installed under ``name``.

    Raises:
        ValueError: If there is none of that name.
        ImportError: If it needs packages that are not installed; the message says which extra brings them.
    """
    found = _found()
    if name not in found:
        raise refuse("policy", name, f"the installed policies are {', '.join(sorted(found))}")
    source = found[name]
    try:
        factory: Factory = source.load() if isinstance(source, EntryPoint) else source
        policy: Any = factory()
    except ModuleNotFoundError as error:
        hint = f"policy {name!r} needs {error.name}; pip install 'mec-cf-gym[all]' brings every dependency"
        raise ImportError(hint) from error
    if not isinstance(policy, Policy):
        made_by = source.value if isinstance(source, EntryPoint) else source
        raise refuse("policy", name, f"{made_by} must return an object with reset() and allocate()")
    return policy


def _found() -> dict[str, EntryPoint | Factory]:
    """Return the sources of all installed policies by name; families that cannot be imported are left out."""
    found: dict[str, EntryPoint | Factory] = {}
    for family in _entry_points(FAMILIES):
        try:
            found |= family.load()()
        except ImportError as error:  # of one package, which must not shut out all others
            warnings.warn(f"policies of {family.value} are left out: {error}", stacklevel=3)
    return found | {entry_point.name: entry_point for entry_point in _entry_points(GROUP)}


@cache
def _entry_points(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group; a process reads the metadata of all packages once."""
    return tuple(entry_points(group=group))
