"""Channels that are multiplied out when somebody reads them: a step needs their products alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.batches import read_only
from mec_cf_gym.block.fading import AnyFading


@dataclass(frozen=True)
class FadedChannel:
    """Channels as small-scale fading and amplitudes."""

    AXES: ClassVar[Mapping[str, int]] = {"amplitude": 2}

    fading: AnyFading
    amplitude: NDArray[np.float32]  # (..., K, M)

    def array(self) -> NDArray[np.complex64]:
        """Return the channels, ``(..., N, M, K)``."""
        return np.asarray(self.fading.coefficients * np.swapaxes(self.amplitude, -1, -2)[..., None, :, :])


class ReadChannel:
    """The field of a block that holds channels, or a :class:`FadedChannel`, and is read as an array."""

    def __get__(self, block: Any, owner: type) -> Any:
        """Return the channels of a block, ``(..., N, M, K)``, or None; they are kept for the next reading."""
        held = None if block is None else vars(block).get("channel")
        if not isinstance(held, FadedChannel):
            return held
        if "_channel" not in vars(block):
            vars(block)["_channel"] = read_only(held.array())
        return vars(block)["_channel"]

    def __set__(self, block: Any, channel: Any) -> None:
        """Hold channels, of a block that is being made."""
        vars(block)["channel"] = channel


CHANNEL = ReadChannel()
"""The field: a default whose value, of a class, is None."""
