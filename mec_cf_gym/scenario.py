"""The scenario: every number that defines a network, its tasks and its dynamics, each with its unit."""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass
from typing import Any

from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.block.combining import COMBINERS
from mec_cf_gym.fields import refuse
from mec_cf_gym.groups import Computing, Dynamics, Episode, Layout, Radio, Tasks
from mec_cf_gym.network.snapshot import GRIDS
from mec_cf_gym.units import dbm_to_w

NARROWEST_SUBCARRIER_HZ = 15e3
"""The smallest subcarrier spacing of LTE and 5G NR below 6 GHz."""
MOST_NUMBERS = 10**8
"""Channel gains, interference gains or correlations of one block; more would not fit into memory."""
PAPER_B_NOISE_DBM = -94.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A mobile edge computing network, its tasks and its dynamics.

    A scenario is composed of small frozen dataclasses; every leaf name is unique, so
    :meth:`replace` and ``gym.make`` take any of them directly. Values are checked on construction.

    Examples:
        >>> Scenario.paper_a(num_users=20).layout.num_users
        20

    Raises:
        ValueError: Names the field, its value and what is allowed.
    """

    layout: Layout = Layout()
    """Where access points and users are."""
    radio: Radio = Radio()
    """Spectrum, powers, propagation and reception."""
    tasks: Tasks = Tasks()
    """What users have to compute."""
    computing: Computing = Computing()
    """Where tasks are computed."""
    dynamics: Dynamics = Dynamics()
    """How one coherence block follows another."""
    episode: Episode = Episode()
    """What a learner meets."""

    def __post_init__(self) -> None:
        for group in dataclasses.fields(self):
            expected, value = type(group.default), getattr(self, group.name)
            if not isinstance(value, expected):
                raise refuse(group.name, value, f"it must be a {expected.__name__}")
        num_subcarriers, bandwidth_hz = self.radio.num_subcarriers, self.radio.bandwidth_hz
        if num_subcarriers > 1 and bandwidth_hz / num_subcarriers < NARROWEST_SUBCARRIER_HZ:
            most = max(1, int(bandwidth_hz // NARROWEST_SUBCARRIER_HZ))
            allowed = f"{bandwidth_hz:g} Hz hold at most {most} subcarriers of at least 15 kHz"
            raise refuse("num_subcarriers", num_subcarriers, allowed)
        (_check_on_grid if self.on_grid else _check_on_disk)(self)
        if self.numbers_per_network > MOST_NUMBERS:
            what = f"with {self.num_antennas} antennas a network has {self.numbers_per_network:.1e} gains"
            raise refuse("num_users", self.layout.num_users, f"{what}, and {MOST_NUMBERS:.1e} is the most")

    @classmethod
    def paper_a(cls, **fields: Any) -> Scenario:
        """Return paper A's numbers with physical receiver noise; ``fields`` replace any of them.

        Paper A gives neither its path loss, here 3GPP UMi at 2 GHz, nor N, here 4.
        """
        return cls().replace(**fields)

    @classmethod
    def paper_a_printed(cls, **fields: Any) -> Scenario:
        """Return paper A's numbers with the receiver noise summed over the APs, as its equations print it."""
        return cls.paper_a(**{"receiver_noise": "printed", **fields})

    @classmethod
    def paper_a_delayed(cls, **fields: Any) -> Scenario:
        """Return paper A's numbers for users in cars whose channels are known eight blocks (4 ms) late, N = 1."""
        delayed = {
            "num_subcarriers": 1,
            "fading": "gauss_markov",
            "speed_m_per_s": 30.0,
            "csi_delay_blocks": 8,
            "episode_blocks": 50,
        }
        return cls.paper_a(**{**delayed, **fields})

    @classmethod
    def paper_b(cls, **fields: Any) -> Scenario:
        """Return paper B's numbers, for either of its networks; ``fields`` replace any of them.

        With ``deployment="multi_cell"`` the same users are served by base stations. Numbers that the text lost
        have values that were found to work: the weight of fairness, computing speeds, tasks, deadlines, fronthaul.
        """
        paper = {
            "deployment": "user_centric",
            "num_aps": 100,
            "antennas_per_ap": 4,
            "num_users": 20,
            "user_drop": "balanced",
            "num_subcarriers": 1,
            "noise_dbm_per_hz": PAPER_B_NOISE_DBM - 10 * math.log10(20e6),
            "user_power_dbm": 20.0,
            "shadowing_correlation_m": 9.0,
            "combiner": "auto",
            "task_bits": (1e6, 5e6),
            "cycles_per_bit": 500.0,
            "deadline_s": 0.4,
            "local_computing": False,
            "server": "shared",
            "block_s": 2e-3,
        }
        return cls().replace(**{**paper, **fields})

    def replace(self, **fields: Any) -> Scenario:
        """Return a copy with the given leaf fields (or whole groups) replaced.

        Raises:
            ValueError: For an unknown field, or a value that is not allowed.
        """
        groups = {group.name: getattr(self, group.name) for group in dataclasses.fields(self)}
        group_of = {leaf.name: name for name, group in groups.items() for leaf in dataclasses.fields(group)}
        unknown = [name for name in fields if name not in groups and name not in group_of]
        if unknown:
            raise unknown_field(unknown[0], [*group_of, *groups])
        whole = {name: fields[name] for name in groups.keys() & fields.keys()}
        base = dataclasses.replace(self, **whole) if whole else self
        leaves: dict[str, dict[str, Any]] = {}
        for name in group_of.keys() & fields.keys():
            leaves.setdefault(group_of[name], {})[name] = fields[name]
        return dataclasses.replace(
            base,
            **{group: dataclasses.replace(getattr(base, group), **changes) for group, changes in leaves.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return every leaf field by name; ``Scenario().replace(**fields)`` is the way back, also from JSON."""
        return {name: value for group in dataclasses.asdict(self).values() for name, value in group.items()}

    @property
    def subcarrier_bandwidth_hz(self) -> float:
        """Bandwidth of one subcarrier, B/N."""
        return self.radio.bandwidth_hz / self.radio.num_subcarriers

    @property
    def data_share(self) -> float:
        """Share of a coherence block's samples that carry data, tau_u / tau_c; paper A sends no pilots."""
        return 1 - self.radio.pilot_samples / self.radio.block_samples if self.on_grid else 1.0

    @property
    def on_grid(self) -> bool:
        """Whether the network is one of paper B's, which estimate channels from pilots."""
        return self.layout.deployment in GRIDS

    @property
    def num_sites(self) -> int:
        """APs or base stations that serve."""
        multi_cell = self.layout.deployment == "multi_cell"
        return self.layout.num_base_stations if multi_cell else self.layout.num_aps

    @property
    def num_antennas(self) -> int:
        """Antennas of all APs or base stations that serve."""
        layout = self.layout
        multi_cell = layout.deployment == "multi_cell"
        return self.num_sites * (layout.antennas_per_base_station if multi_cell else layout.antennas_per_ap)

    @property
    def numbers_per_network(self) -> int:
        """Channel gains, interference gains or correlations that a network has, whichever are more.

        Gains count once for each block that is kept until observations show it.
        """
        users, antennas = self.layout.num_users, self.num_antennas
        gains = self.radio.num_subcarriers * users * max(antennas, users) * (1 + self.dynamics.csi_delay_blocks)
        return max(gains, users * antennas**2 // self.num_sites) if self.on_grid else gains

    @property
    def noise_w(self) -> float:
        """Receiver noise power on one subcarrier, after a unit-norm combiner."""
        noise_w: float = dbm_to_w(self.radio.noise_dbm_per_hz) * self.subcarrier_bandwidth_hz
        if self.radio.receiver_noise == "printed" and self.layout.deployment == "cell_free":
            return noise_w * self.layout.num_aps
        return noise_w


def _check_on_disk(scenario: Scenario) -> None:
    """Check what paper A's networks need."""
    layout, combiner = scenario.layout, scenario.radio.combiner
    if combiner not in (*COMBINERS, "auto"):
        raise refuse("combiner", combiner, f"without clusters of APs it must be auto or one of {list(COMBINERS)}")
    if combiner == "zf" and layout.num_users > layout.num_aps:
        allowed = f"zero-forcing separates at most num_aps={layout.num_aps} users"
        raise refuse("num_users", layout.num_users, allowed)
    if layout.antennas_per_ap != 1:
        allowed = f"the APs of deployment={layout.deployment!r} have one antenna; num_aps counts antennas"
        raise refuse("antennas_per_ap", layout.antennas_per_ap, allowed)
    if scenario.computing.server != "dedicated":
        allowed = f"it must be dedicated with deployment={layout.deployment!r}"
        raise refuse("server", scenario.computing.server, allowed)


def _check_on_grid(scenario: Scenario) -> None:
    """Check what paper B's networks need."""
    layout, radio, deployment = scenario.layout, scenario.radio, scenario.layout.deployment
    needed = {
        "num_subcarriers": (radio.num_subcarriers, 1, "a coherence block is one subcarrier"),
        "csi_error_variance": (radio.csi_error_variance, 0.0, "errors come from the pilots"),
        "receiver_noise": (radio.receiver_noise, "physical", "the other is paper A's"),
        "mobility": (scenario.dynamics.mobility, "static", "a snapshot's statistics hold for an episode"),
    }
    for name, (value, only, reason) in needed.items():
        if value != only:
            raise refuse(name, value, f"with deployment={deployment!r} it must be {only!r}: {reason}")
    if radio.combiner not in (*CLUSTERED_COMBINERS, "auto"):
        allowed = f"with deployment={deployment!r} it must be auto or one of {list(CLUSTERED_COMBINERS)}"
        raise refuse("combiner", radio.combiner, allowed)
    for name in ("num_aps", "num_base_stations"):
        points = getattr(layout, name)
        if math.isqrt(points) ** 2 != points:
            raise refuse(name, points, "they stand on a square grid: it must be a square number")
    if radio.pilot_samples >= radio.block_samples:
        allowed = f"pilots must leave some of block_samples={radio.block_samples} for data"
        raise refuse("pilot_samples", radio.pilot_samples, allowed)


def unknown_field(name: str, known: list[str]) -> ValueError:
    """Return the error for a keyword that is no field of the scenario, with the nearest names."""
    near = difflib.get_close_matches(name, known, n=3) or sorted(known)
    return ValueError(f"{name!r} is not a field of Scenario; did you mean {', '.join(near)}?")
