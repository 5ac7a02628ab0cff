"""Checks of the arguments of ``reset``; nothing is changed before all have passed."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.errors import refuse


def checked_options(options: Any, known: Collection[str]) -> dict[str, Any]:
    """Return the options of ``reset``, none by default.

    Raises:
        ValueError: If they are no dict, or hold an unknown key.
    """
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise refuse("options", options, f"it must be a dict with keys among {list(known)}")
    for key in options:
        if key not in known:
            raise refuse(f"options[{key!r}]", options[key], f"the options are {list(known)}")
    return options


def checked_mask(mask: Any, num_envs: int) -> NDArray[np.bool_]:
    """Return which rows to reset, ``(num_envs,)``, all by default.

    Raises:
        ValueError: If the mask is no boolean array with one entry a row, or chooses none.
    """
    if mask is None:
        return np.ones(num_envs, np.bool_)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (num_envs,) or not mask.any():
        raise refuse(
            "reset_mask", mask, f"it must be a boolean array of shape ({num_envs},) with one True at least"
        )
    return mask


def checked_seed(seed: Any) -> int | None:
    """Return a seed as a plain whole number, or None.

    Raises:
        ValueError: If it is neither None nor a whole number of at least 0.
    """
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise refuse("seed", seed, "it must be None or a whole number of at least 0")
    return int(seed)


def checked_seeds(seed: Any, num_envs: int) -> list[int | None]:
    """Return one seed, or None, for each row.

    Args:
        seed: None, one seed ``s`` for all rows (row ``i`` gets ``s + i``), or a list with one a row.
        num_envs: Number of rows.

    Raises:
        ValueError: For a bad seed, or a list that does not have one seed a row.
    """
    if isinstance(seed, (list, tuple)):
        if len(seed) != num_envs:
            raise refuse("seed", seed, f"a list must hold one seed for each of the {num_envs} rows")
        return [checked_seed(row_seed) for row_seed in seed]
    first = checked_seed(seed)
    return [None if first is None else first + row for row in range(num_envs)]
