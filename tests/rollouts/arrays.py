"""Arrays by dotted names from what users get."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .digests import Arrays

BLOCK = [
    "signal_gain",
    "interference_gain",
    "task_bits",
    "cycles_per_bit",
    "local_hz",
    "server_hz",
    "channel",
    "deadline_s",
    "data_share",
    "fronthaul_load",
    "servers",
]
NETWORK = [
    "ap_positions_m",
    "user_positions_m",
    "waypoints_m",
    "speed_m_per_s",
    "shadowing_db",
    "large_scale_gain",
    "user_power_w",
    "local_hz",
    "server_hz",
    "cell",
    "servers",
]


def leaves(name: str, value: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Yield all arrays in dicts and dataclasses by dotted names, nothing for None."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        value.pop("step_time_s", None)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(f"{name}.{key}", inner)
    elif value is not None:
        yield name, np.asarray(value)


class Record:
    """Arrays by name; what is added under one name more than once is stacked, or strung together."""

    def __init__(self) -> None:
        self._added: dict[str, list[np.ndarray]] = defaultdict(list)

    def add(self, **values: Any) -> None:
        for name, value in values.items():
            for leaf, array in leaves(name, value):
                self._added[leaf].append(array)

    def add_step(self, observation: Any, reward: Any, terminated: Any, truncated: Any, info: Any) -> None:
        self.add(observation=observation, reward=reward, terminated=terminated, truncated=truncated)
        self.add_info("info", info)

    def add_info(self, name: str, info: Mapping[str, Any]) -> None:
        """Add an info; the masks of a vector environment's entries are one array, in the order of their names."""
        masks = sorted(key for key in info if key.startswith("_"))
        self.add(**{name: {key: values for key, values in info.items() if key not in masks}})
        if masks:
            self.add(**{f"{name} masks": np.stack([info[mask] for mask in masks]), f"{name} masked": masks})

    def arrays(self) -> Arrays:
        return {name: _joined(added) for name, added in self._added.items()}


def _joined(added: list[np.ndarray]) -> np.ndarray:
    if len(added) == 1:
        return added[0]
    same = len({array.shape for array in added}) == 1
    return np.stack(added) if same else np.concatenate([array.ravel() for array in added])
