"""Names that a module imports when they are first asked for: they need an extra, or take long to load."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


def lazy_names(
    module: str, names: Mapping[str, str], extra: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a module; tab completion shows the names that are still to come.

    Args:
        module: Its name.
        names: Where each of the names is: a module.
        extra: The extra of this package that brings what they need.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        try:
            return getattr(importlib.import_module(names[name]), name)
        except ModuleNotFoundError as error:
            raise ImportError(f"{name} needs {error.name}: pip install 'mec-cf-gym[{extra}]'") from error

    def public_names() -> list[str]:
        content = vars(sys.modules[module])
        submodules = (name for name, value in content.items() if isinstance(value, ModuleType))
        return sorted({*content["__all__"], *submodules, *names})

    return get, public_names
