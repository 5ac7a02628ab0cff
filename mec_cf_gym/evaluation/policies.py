"""Policies by name: the entry-point group that baselines, agents and anybody's package fill."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from mec_cf_gym.allocation import Policy
from mec_cf_gym.errors import refuse

GROUP = "mec_cf_gym.policies"
"""Entry points of this group name a callable without arguments that returns a policy."""


def available_policies() -> tuple[str, ...]:
    """Return the names of all installed policies."""
    return tuple(sorted(_found()))


def load_policy(name: str) -> Policy:
    """Return the policy that is installed under ``name``.

    Raises:
        ValueError: If there is none of that name.
        ImportError: If it needs packages that are not installed; the message says which extra brings them.
    """
    found = _found()
    if name not in found:
        raise refuse("policy", name, f"the installed policies are {', '.join(sorted(found))}")
    try:
        factory = found[name].load()
    except ModuleNotFoundError as error:
        hint = f"policy {name!r} needs {error.name}; pip install 'mec-cf-gym[all]' brings every dependency"
        raise ImportError(hint) from error
    policy = factory()
    if not isinstance(policy, Policy):
        raise refuse("policy", name, f"{found[name].value} must return an object with reset() and allocate()")
    return policy


def _found() -> dict[str, EntryPoint]:
    return {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}
