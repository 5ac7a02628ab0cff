"""The scenario: every number that defines a network, its tasks and its dynamics, each with its unit."""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mec_cf_gym.errors import refuse
from mec_cf_gym.parts import REGISTRIES, family_of
from mec_cf_gym.scenario.groups import Computing, Dynamics, Energy, Episode, Layout, Queues, Radio, Tasks
from mec_cf_gym.units import dbm_to_w

NARROWEST_SUBCARRIER_HZ = 15e3
"""The smallest subcarrier spacing of LTE and 5G NR below 6 GHz."""
MOST_NUMBERS = 10**8
"""Most channel gains, interference gains or correlations of one network; more would not fit into memory."""
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

    layout: Layout = field(default_factory=Layout)
    """Where access points and users are."""
    radio: Radio = field(default_factory=Radio)
    """Spectrum, powers, propagation and reception."""
    tasks: Tasks = field(default_factory=Tasks)
    """What users have to compute."""
    computing: Computing = field(default_factory=Computing)
    """Where tasks are computed."""
    dynamics: Dynamics = field(default_factory=Dynamics)
    """How one coherence block follows another."""
    queues: Queues = field(default_factory=Queues)
    """How tasks arrive and wait, in dynamic worlds."""
    energy: Energy = field(default_factory=Energy)
    """What computing costs users, what their batteries hold and harvest."""
    episode: Episode = field(default_factory=Episode)
    """The learning problem: length of an episode, observation and reward."""

    def __post_init__(self) -> None:
        for group in dataclasses.fields(self):
            expected: Any = group.default_factory  # the group's class
            if not isinstance(value := getattr(self, group.name), expected):
                raise refuse(group.name, value, f"it must be a {expected.__name__}")
        num_subcarriers, bandwidth_hz = self.radio.num_subcarriers, self.radio.bandwidth_hz
        if num_subcarriers > 1 and bandwidth_hz / num_subcarriers < NARROWEST_SUBCARRIER_HZ:
            most = max(1, int(bandwidth_hz // NARROWEST_SUBCARRIER_HZ))
            allowed = f"{bandwidth_hz:g} Hz hold at most {most} subcarriers of at least 15 kHz"
            raise refuse("num_subcarriers", num_subcarriers, allowed)
        self.deployment.check()
        self._check_users()
        self._check_dynamics()
        if self.numbers_per_network > MOST_NUMBERS:
            what = f"with {self.num_antennas} antennas a network has {self.numbers_per_network:.1e} gains"
            raise refuse("num_users", self.layout.num_users, f"{what}, and {MOST_NUMBERS:.1e} is the most")

    def _check_users(self) -> None:
        """Check that what is given for each user is given for all of them."""
        tasks, queues, energy, num_users = self.tasks, self.queues, self.energy, self.layout.num_users
        tables = {
            "task_table": (tasks.task_table, tasks.task_model),
            "arrivals_table": (queues.arrivals_table, queues.arrivals),
            "harvest_table": (energy.harvest_table, energy.harvest),
        }
        for name, (recorded, model) in tables.items():
            if model == "trace" and (recorded is None or len(recorded[0]) not in (1, num_users)):
                columns = None if recorded is None else f"{len(recorded[0])} columns"
                raise refuse(name, columns, f"a trace needs one column, or num_users={num_users} of them")
        if tasks.task_model != "per_user":
            return
        given = {name: getattr(tasks, name) for name in ("task_bits_of_users", "cycles_per_bit_of_users")}
        if not any(given.values()):
            raise refuse("task_bits_of_users", None, "per_user needs it, or cycles_per_bit_of_users")
        for name, numbers in given.items():
            if numbers is not None and len(numbers) != num_users:
                raise refuse(name, numbers, f"it must be num_users={num_users} numbers")

    def _check_dynamics(self) -> None:
        """Check arrivals, harvest and reward against each other."""
        queues, energy, reward, block_s = self.queues, self.energy, self.episode.reward, self.dynamics.block_s
        lengths = [("burst_s", queues.burst_s)] if queues.arrivals == "bursts" else []
        lengths += [("harvest_on_s", energy.harvest_on_s)] if energy.harvest == "two_state" else []
        for name, length_s in lengths:
            if length_s < block_s:
                raise refuse(name, length_s, f"it must be at least a block, block_s={block_s:g}")
        most_per_s = np.max(queues.tasks_per_s)
        if queues.arrivals == "bernoulli" and most_per_s * block_s > 1:
            allowed = f"bernoulli arrivals are at most one a block: at most {1 / block_s:g}"
            raise refuse("tasks_per_s", queues.tasks_per_s, allowed)
        if reward == "max_backlog" and not self.is_dynamic:
            raise refuse("reward", reward, "nothing waits with arrivals='every_block'; it needs a dynamic world")
        if reward == "log_latency" and self.is_dynamic:
            raise refuse("reward", reward, "ages of a dynamic world may be zero, which has no logarithm")

    @classmethod
    def paper_a(cls, **fields: Any) -> Scenario:
        """Return paper A's numbers with physical receiver noise; ``fields`` replace any of them.

        Paper A gives neither its path loss, here 3GPP UMi at 2 GHz, nor N, here 4.
        """
        return cls().replace(**fields)

    @classmethod
    def paper_a_printed(cls, **fields: Any) -> Scenario:
        """Return paper A's numbers as its equations print them.

        The receiver noise is summed over the APs, and interference comes through the interferer's own combiner.
        """
        return cls.paper_a(**{"receiver_noise": "printed", "interference": "printed", **fields})

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
    def paper_a_dynamic(cls, **fields: Any) -> Scenario:
        """Return paper A's network with queues and batteries: tasks come in bursts, energy is harvested, N = 1.

        Numbers are chosen so that looking ahead pays; ``MECCellFreeDynamic-v0`` gives the reasons.
        """
        dynamic = {
            "num_subcarriers": 1,
            "bandwidth_hz": 1e6,
            "combiner": "mmse",
            "cycles_per_bit": 200.0,
            "local_hz": 0.3e9,
            "deadline_s": 10e-3,
            "arrivals": "bursts",
            "tasks_per_s": 2400.0,
            "burst_s": 10e-3,
            "burst_share": 0.3,
            "battery_j": 50e-6,
            "harvest_w": 4e-3,
            "reward": "max_backlog",
        }
        return cls.paper_a(**{**dynamic, **fields})

    @classmethod
    def paper_b_dynamic(cls, **fields: Any) -> Scenario:
        """Return paper B's numbers with tasks that arrive by a Poisson process and wait until they are done."""
        dynamic = {"arrivals": "poisson", "tasks_per_s": 8.0, "episode_blocks": 250, "reward": "max_backlog"}
        return cls.paper_b(**{**dynamic, **fields})

    @classmethod
    def paper_a_clarke(cls, **fields: Any) -> Scenario:
        """Return those of :meth:`paper_a_delayed` for predictions: Clarke's fading, complex channels, 2 ms late.

        Estimates miss a thousandth of the channel's variance, as after pilots that arrive at 30 dB: from perfect
        ones, band-limited fading could all but be computed ahead.
        """
        ours = {"fading": "clarke", "observation": "channel", "csi_error_variance": 1e-3, "csi_delay_blocks": 4}
        return cls.paper_a_delayed(**{**ours, **fields})

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
        """Return every leaf field by name; ``Scenario().replace(**fields)`` is the way back, also from JSON.

        JSON knows no infinity: a limit that there is not is None.
        """
        leaves = {name: value for group in dataclasses.asdict(self).values() for name, value in group.items()}
        return {name: None if value == math.inf else value for name, value in leaves.items()}

    @cached_property
    def deployment(self) -> Any:
        """The scenario's family of networks, built for it: a :class:`~mec_cf_gym.deployments.Deployment`."""
        (deployments,) = REGISTRIES["family"]
        return deployments[str(family_of("deployment", self.layout.deployment))](self)

    @property
    def subcarrier_bandwidth_hz(self) -> float:
        """Bandwidth of one subcarrier, B/N."""
        return self.radio.bandwidth_hz / self.radio.num_subcarriers

    @property
    def data_share(self) -> float:
        """Share of a coherence block's samples that carry data, tau_u / tau_c; paper A sends no pilots."""
        return float(self.deployment.data_share)

    @property
    def num_sites(self) -> int:
        """APs or base stations that serve."""
        return int(self.deployment.num_sites)

    @property
    def num_antennas(self) -> int:
        """Antennas of all APs or base stations that serve."""
        return int(self.deployment.num_antennas)

    @property
    def is_dynamic(self) -> bool:
        """Whether tasks queue up, so that actions have consequences."""
        return self.queues.arrivals != "every_block"

    @property
    def has_recordings(self) -> bool:
        """Whether there is a table, of which a network plays its own part."""
        tables = (self.tasks.task_table, self.queues.arrivals_table, self.energy.harvest_table)
        return any(table is not None for table in tables)

    @property
    def numbers_per_network(self) -> int:
        """Channel gains, interference gains or correlations that a network has, whichever are more.

        With outdated CSI, gains count once for each block that is stored until observations show it.
        """
        users = self.layout.num_users
        links = self.radio.num_subcarriers * users
        gains = links * max(self.num_antennas, users) * (1 + self.dynamics.csi_delay_blocks)
        return max(gains, int(self.deployment.num_correlations))

    @property
    def noise_w(self) -> float:
        """Receiver noise power on one subcarrier, after a unit-norm combiner."""
        noise_w: float = dbm_to_w(self.radio.noise_dbm_per_hz) * self.subcarrier_bandwidth_hz
        return noise_w * int(self.deployment.noise_terms)


def leaf_fields() -> dict[str, dataclasses.Field[Any]]:
    """Return the leaf fields of a scenario by name; their ``metadata`` hold the rules for values."""
    groups = (group.default_factory for group in dataclasses.fields(Scenario))
    return {leaf.name: leaf for group in groups for leaf in dataclasses.fields(group)}  # type: ignore[arg-type]


def unknown_field(name: str, known: list[str]) -> ValueError:
    """Return the error for a keyword that is no field of the scenario, with the nearest names."""
    near = difflib.get_close_matches(name, known, n=3) or sorted(known)
    return ValueError(f"{name!r} is not a field of Scenario; did you mean {', '.join(near)}?")
