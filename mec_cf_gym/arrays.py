"""One array type for NumPy and torch: physics is written once and scores, or differentiates, either."""

from __future__ import annotations

from typing import Any, TypeAlias

import array_api_compat
import numpy as np

Array: TypeAlias = Any
"""A NumPy array or a torch tensor."""


def promote(*arrays: Array) -> tuple[Any, tuple[Array, ...]]:
    """Return the namespace of ``arrays``, and the arrays converted to it, of any shapes; tensors get one dtype.

    If any is a torch tensor, all become tensors on the device of the first: NumPy blocks score tensors of powers.
    """
    # asking for NumPy first spares most calls the slower question
    others = (array for array in arrays if not isinstance(array, np.ndarray))
    tensors = [array for array in others if array_api_compat.is_torch_array(array)]
    if not tensors:
        lifted = tuple(np.asarray(array) for array in arrays)
        return np, lifted
    xp = array_api_compat.array_namespace(tensors[0])
    device = tensors[0].device
    # tensors are taken as they are: asarray would cut them off from their gradients in some versions of torch
    on_device = [  # a copy of NumPy's arrays: those of blocks are read-only, which tensors cannot be
        array if array_api_compat.is_torch_array(array) else xp.asarray(np.array(array), device=device)
        for array in arrays
    ]
    dtype = xp.result_type(*on_device)
    return xp, tuple(xp.astype(array, dtype, copy=False) for array in on_device)


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return the values of an array or tensor, of any shape, as a NumPy array without gradients."""
    if array_api_compat.is_torch_array(array):
        return np.asarray(array.detach().cpu())
    return np.asarray(array)
