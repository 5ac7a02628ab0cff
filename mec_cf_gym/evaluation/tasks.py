"""Tasks of a benchmark: networks of one scenario, the policies that take part, and why others do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.evaluation.store import Unit
from mec_cf_gym.scenario import Scenario

OF_USERS = ("task_bits", "cycles_per_bit", "local_hz", "server_hz", "user_power_dbm")
"""Scenario fields in which users may differ, beside their channels."""
WALKING: dict[str, Any] = {
    "fading": "gauss_markov",
    "speed_m_per_s": (1.0, 30.0),
    "mobility": "random_waypoint",
}
"""Scenario fields of mobile tasks, where an environment's own are static."""
REPORTED: tuple[str, ...] = (
    "name",
    "env",
    "num_users",
    "num_subcarriers",
    "motion",
    "users",
    "reference",
    "seeds",
    "blocks",
)
REPORTED += ("deadline_ms", "left_out", "remark", "headline")
"""Fields of a task that reports show, in this order."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task of a benchmark: every policy meets the same blocks of the same networks."""

    name: str
    env: str
    scenario: Scenario
    policies: tuple[str, ...]
    reference: str
    topologies: int
    blocks: int
    split: str = "test"
    left_out: tuple[tuple[str, str], ...] = ()
    """Policies that might be expected to take part and do not, each with the reason."""
    remark: str = ""
    """What a reader of its results has to know."""
    headline: bool = True
    """Whether a summary shows it."""
    times_batches: bool = True
    """Whether decisions for many networks at once are timed, too."""

    @property
    def units(self) -> list[Unit]:
        """What has to be run: every policy on every seed."""
        return [(self.name, policy, seed) for seed in self.seeds for policy in self.policies]

    @property
    def seeds(self) -> range:
        """The seeds of its networks."""
        return seeds(self.split, self.topologies)

    @property
    def deadline_ms(self) -> float | None:
        """What a block's largest latency should stay below, if it is the same for all users."""
        deadline_s = self.scenario.tasks.deadline_s or self.scenario.dynamics.block_s
        return None if isinstance(deadline_s, tuple) else 1e3 * deadline_s

    @property
    def num_users(self) -> int:
        """Number of users, K."""
        return self.scenario.layout.num_users

    @property
    def num_subcarriers(self) -> int:
        """Number of subcarriers, N."""
        return self.scenario.radio.num_subcarriers

    @property
    def motion(self) -> str:
        """``"mobile"`` if blocks of a network are correlated, as with users who move; else ``"static"``."""
        return "static" if self.scenario.dynamics.fading == "iid" else "mobile"

    @property
    def users(self) -> str:
        """``"unequal"`` if users differ in more than their channels, else ``"equal"``."""
        fields = self.scenario.to_dict()
        return "unequal" if any(isinstance(fields[name], tuple) for name in OF_USERS) else "equal"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that reports show, for JSON."""
        return {
            **{name: getattr(self, name) for name in REPORTED},
            "seeds": [self.seeds[0], self.seeds[-1]],
            "left_out": dict(self.left_out),
        }

    def settings(self) -> dict[str, Any]:
        """Return what decides its results. Policies do not decide each other's."""
        return {
            "env": self.env,
            "reference": self.reference,
            "split": self.split,
            "topologies": self.topologies,
            "blocks": self.blocks,
            **{name: value for name, value in self.scenario.to_dict().items() if name != "episode_blocks"},
        }
