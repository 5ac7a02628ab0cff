"""The scenario: every number that defines a network, its tasks and its dynamics, each with its unit."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any

from mec_cf_gym.block.combining import COMBINERS
from mec_cf_gym.block.fading import FADINGS
from mec_cf_gym.envs.observation import OBSERVATIONS
from mec_cf_gym.envs.reward import REWARDS
from mec_cf_gym.fields import Interval, Validated, choice, count, flag, interval, number, refuse
from mec_cf_gym.network.layout import LAYOUTS
from mec_cf_gym.network.mobility import MOBILITIES
from mec_cf_gym.network.propagation import PROPAGATIONS
from mec_cf_gym.units import dbm_to_w

NARROWEST_SUBCARRIER_HZ = 15e3
"""The smallest subcarrier spacing of LTE and 5G NR below 6 GHz."""
MOST_NUMBERS = 10**8
"""Channel or interference gains of one block; more would not fit into memory."""


@dataclass(frozen=True, kw_only=True)
class Layout(Validated):
    """Where access points (APs) and users are."""

    deployment: str = choice("cell_free", LAYOUTS)
    """cell_free: single-antenna APs all over the disk; cellular: all antennas at its centre."""
    num_aps: int = count(64, high=4096)
    """Number of AP antennas, M."""
    num_users: int = count(10, high=1024)
    """Number of single-antenna users, K."""
    radius_m: float = number(1000.0, low=1.0, high=1e5)
    """Radius of the service area."""
    height_difference_m: float = number(10.0, low=1.0, high=1e3)
    """Height of the APs above the users."""


@dataclass(frozen=True, kw_only=True)
class Radio(Validated):
    """Spectrum, powers, propagation and reception."""

    carrier_hz: float = number(2e9, low=1e8, high=1e12)
    """Carrier frequency; sets the Doppler spread of moving users."""
    bandwidth_hz: float = number(20e6, low=1e3, high=1e11)
    """Bandwidth B, shared by all subcarriers."""
    num_subcarriers: int = count(4, high=4096)
    """Number of subcarriers, N; each is at least 15 kHz wide."""
    noise_dbm_per_hz: float = number(-174.0, low=-200.0, high=-100.0)
    """Power spectral density of the receiver noise."""
    user_power_dbm: Interval = interval(10.0, low=-50.0, high=60.0)
    """Power budget of a user; a range is drawn once per user and network."""
    propagation: str = choice("log_distance", PROPAGATIONS)
    """Large-scale model: log_distance."""
    path_loss_intercept_db: float = number(-30.5, low=-100.0, high=0.0)
    """Channel gain at 1 m (3GPP UMi at 2 GHz)."""
    path_loss_exponent: float = number(3.67, low=0.0, high=6.0)
    """Decay of the channel gain with distance (3GPP UMi)."""
    shadowing_db: float = number(4.0, low=0.0, high=20.0)
    """Standard deviation of the log-normal shadowing."""
    combiner: str = choice("mrc", COMBINERS)
    """Receive combiner: mrc, zf or mmse."""
    csi_error_variance: float = number(0.0, low=0.0, high=0.99)
    """Share of the channel's variance that the channel estimate misses (0: perfect CSI)."""
    receiver_noise: str = choice("physical", ("physical", "printed"))
    """physical: one noise term after the unit-norm combiner; printed: one per AP, as paper A writes it."""


@dataclass(frozen=True, kw_only=True)
class Tasks(Validated):
    """What users have to compute; a range is drawn anew for each user and block."""

    task_bits: Interval = interval(1e3, low=1.0, high=1e12)
    """Size of a task, Z, in bits."""
    cycles_per_bit: Interval = interval(1e3, low=1e-3, high=1e9)
    """Work per bit, C, in CPU cycles."""


@dataclass(frozen=True, kw_only=True)
class Computing(Validated):
    """Where tasks are computed; a range is drawn once per user and network."""

    local_hz: Interval = interval(1e9, low=1e3, high=1e15)
    """CPU speed of a user, f."""
    server_hz: Interval = interval(5e9, low=1e3, high=1e15)
    """Server speed dedicated to a user, f_ser."""
    local_computing: bool = flag(True)
    """Whether users compute a part themselves; without it, everything is offloaded."""


@dataclass(frozen=True, kw_only=True)
class Dynamics(Validated):
    """How one coherence block follows another."""

    block_s: float = number(0.5e-3, low=1e-6, high=10.0)
    """Length of a coherence block, also the deadline of a task."""
    fading: str = choice("iid", FADINGS)
    """iid: independent blocks; gauss_markov: correlated by J0(2 pi f_D block_s)."""
    speed_m_per_s: Interval = interval(0.0, low=0.0, high=1e3)
    """Speed of a user; a range is drawn once per user and network."""
    mobility: str = choice("static", MOBILITIES)
    """static: users stay where they are drawn; random_waypoint: they walk from point to point."""


@dataclass(frozen=True, kw_only=True)
class Episode(Validated):
    """What a learner meets: the length of an episode, what it sees and what it earns."""

    episode_blocks: int = count(100, high=10**9)
    """Coherence blocks until the episode is truncated."""
    observation: str = choice("gains", OBSERVATIONS)
    """gains: signal, interference and tasks; csi: these and the channel magnitudes."""
    reward: str = choice("max_latency", REWARDS)
    """max_latency: minus the largest latency in ms."""
    least_spectral_efficiency: float = number(1e-3, low=1e-12, high=1.0)
    """Rate over bandwidth, in bit/s/Hz, that a link counts with if it gives less: latencies stay finite."""


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
        layout = self.layout
        numbers = num_subcarriers * layout.num_users * max(layout.num_aps, layout.num_users)
        if numbers > MOST_NUMBERS:
            allowed = (
                f"with num_aps={layout.num_aps} and num_users={layout.num_users} a block has {numbers:.1e} gains"
            )
            raise refuse("num_subcarriers", num_subcarriers, f"{allowed}, and {MOST_NUMBERS:.1e} is the most")
        if self.radio.combiner == "zf" and layout.num_users > layout.num_aps:
            allowed = f"zero-forcing separates at most num_aps={layout.num_aps} users"
            raise refuse("num_users", layout.num_users, allowed)

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
    def noise_w(self) -> float:
        """Receiver noise power on one subcarrier, after a unit-norm combiner."""
        noise_w: float = dbm_to_w(self.radio.noise_dbm_per_hz) * self.subcarrier_bandwidth_hz
        if self.radio.receiver_noise == "printed" and self.layout.deployment == "cell_free":
            return noise_w * self.layout.num_aps
        return noise_w


def unknown_field(name: str, known: list[str]) -> ValueError:
    """Return the error for a keyword that is no field of the scenario, with the nearest names."""
    near = difflib.get_close_matches(name, known, n=3) or sorted(known)
    return ValueError(f"{name!r} is not a field of Scenario; did you mean {', '.join(near)}?")
