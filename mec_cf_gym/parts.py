"""Swappable parts: classes that a scenario chooses by name. A registry says which field names them."""

from __future__ import annotations

from typing import Any, TypeVar

Part = TypeVar("Part")
REGISTRIES: dict[str, list[Parts[Any]]] = {}
"""All registries, by the scenario field that they serve."""


class Parts(dict[str, Part]):
    """Classes by the name that a scenario field chooses them by; add your own to use it by its name.

    Args:
        field: Leaf field of the scenario.
        family: Family of networks that the parts fit, a name in ``DEPLOYMENTS``; None if they fit all.
        **parts: The first parts.
    """

    def __init__(self, field: str, /, family: str | None = None, **parts: Part) -> None:
        super().__init__(parts)
        self.family = family
        REGISTRIES.setdefault(field, []).append(self)


def names_of(field: str) -> list[str]:
    """Return the names that a field can have, in all families of networks."""
    return [name for parts in REGISTRIES.get(field, ()) for name in parts]


def family_of(field: str, name: str) -> str | None:
    """Return the family of networks that a part fits; None if it fits all."""
    return next(parts.family for parts in REGISTRIES[field] if name in parts)
