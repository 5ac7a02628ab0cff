"""The groups of a scenario: small frozen dataclasses, each field with its unit and the values it may have."""

from __future__ import annotations

from dataclasses import dataclass

from mec_cf_gym.scenario.fields import (
    Interval,
    Table,
    Validated,
    choice,
    count,
    flag,
    interval,
    limit,
    number,
    of_users,
    optional_interval,
    part,
    table,
)


@dataclass(frozen=True, kw_only=True)
class Layout(Validated):
    """Where access points (APs) and users are."""

    deployment: str = part("cell_free")
    """cell_free: single-antenna APs all over the disk; cellular: all antennas at its centre (paper A);
    user_centric: APs with several antennas on a square grid; multi_cell: base stations on one (paper B)."""
    num_aps: int = count(64, high=4096)
    """Number of APs: M, single antennas, in paper A; L, a square number, in a user-centric network."""
    antennas_per_ap: int = count(1, high=1024)
    """Antennas of an AP of a user-centric network; one in paper A."""
    num_base_stations: int = count(4, high=1024)
    """Base stations of a multi-cell network, a square number; they also are the cells of a balanced drop."""
    antennas_per_base_station: int = count(100, high=1024)
    """Antennas of a base station."""
    num_users: int = count(10, high=1024)
    """Number of single-antenna users, K."""
    radius_m: float = number(1000.0, low=1.0, high=1e5)
    """Radius of the disk that paper A's networks serve."""
    side_m: float = number(1000.0, low=1.0, high=1e5)
    """Side of the square that paper B's networks serve; it wraps around at its edges."""
    user_drop: str = part("uniform")
    """How users are dropped in the square. uniform: anywhere; balanced: the same number in each cell, where those
    who share a pilot are in different cells as far as possible."""
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
    propagation: str = part("log_distance")
    """Large-scale model: log_distance."""
    path_loss_intercept_db: float = number(-30.5, low=-100.0, high=0.0)
    """Channel gain at 1 m (3GPP UMi at 2 GHz)."""
    path_loss_exponent: float = number(3.67, low=0.0, high=6.0)
    """Decay of the channel gain with distance (3GPP UMi)."""
    shadowing_db: float = number(4.0, low=0.0, high=20.0)
    """Standard deviation of the log-normal shadowing."""
    shadowing_correlation_m: float = number(0.0, low=0.0, high=1e5)
    """Distance over which the correlation of shadowing halves, between users and on a square along a way;
    0: users have independent shadowing, and keep it."""
    azimuth_spread_deg: float = number(15.0, low=0.0, high=90.0)
    """Standard deviation of the azimuth of scattered waves, seen from an AP with several antennas."""
    elevation_spread_deg: float = number(15.0, low=0.0, high=90.0)
    """Standard deviation of their elevation."""
    block_samples: int = count(200, high=10**6, shapes=False)
    """Samples of a coherence block, tau_c; pilots take pilot_samples of them."""
    pilot_samples: int = count(5, high=1024)
    """Length of the pilots, and number of orthogonal ones, tau_p; used by paper B's networks."""
    combiner: str = part("mrc", "auto")
    """Receive combiner: mrc, mmse, zf (paper A's networks only) or p_mmse, p_rzf, l_mmse, lp_mmse (paper B's
    only); auto: mrc in paper A's networks, p_mmse in user-centric and l_mmse in multi-cell ones."""
    csi_error_variance: float = number(0.0, low=0.0, high=0.99)
    """Share of the channel's variance that the channel estimate misses (0: perfect CSI)."""
    receiver_noise: str = choice("physical", "physical", "printed")
    """physical: one noise term after the unit-norm combiner; printed: one per AP, as paper A writes it."""
    interference: str = part("physical")
    """physical: users hear the others through their own combiner; printed: through the others', as paper A writes
    it."""


@dataclass(frozen=True, kw_only=True)
class Tasks(Validated):
    """What users have to compute."""

    task_bits: Interval = interval(1e3, low=1.0, high=1e12)
    """Size of a task, Z, in bits."""
    cycles_per_bit: Interval = interval(1e3, low=1e-3, high=1e9)
    """Work per bit, C, in CPU cycles."""
    task_model: str = part("uniform")
    """How sizes and work are drawn. uniform: from their ranges, anew for each user and block; fixed: once for each
    user and network; per_user: as the fields of_users say; trace: sizes from a recording, work as in uniform."""
    task_bits_of_users: tuple[float, ...] | None = of_users(low=1.0, high=1e12)
    """Size of each user's tasks, per_user; None: drawn from task_bits once for each user and network."""
    cycles_per_bit_of_users: tuple[float, ...] | None = of_users(low=1e-3, high=1e9)
    """Work per bit of each user's tasks, per_user; None: drawn from cycles_per_bit in the same way."""
    task_table: Table | None = table(low=1.0)
    """Sizes of tasks of recorded blocks, in bits, for all users or with a column for each, trace; played from a
    drawn block on, round and round."""
    deadline_s: Interval | None = optional_interval(None, low=1e-6, high=1e6)
    """Time a task may take; None: the length of a coherence block."""


@dataclass(frozen=True, kw_only=True)
class Computing(Validated):
    """Where tasks are computed; a range is drawn once per user and network."""

    local_hz: Interval = interval(1e9, low=1e3, high=1e15)
    """CPU speed of a user, f."""
    server_hz: Interval = interval(5e9, low=1e3, high=1e15)
    """Server speed dedicated to a user, f_ser."""
    local_computing: bool = flag(True)
    """Whether users compute a part themselves; without it, everything is offloaded."""
    server: str = choice("dedicated", "dedicated", "shared")
    """dedicated: every user has its share; shared: users share APs (or base stations) and the cloud."""
    ap_hz: Interval = interval((1e9, 5e9), low=1e3, high=1e15)
    """Speed of an AP's server, shared by the users it serves; a range is drawn once per AP and network. Base
    stations share the speeds of all APs and of the cloud equally."""
    cloud_hz: float = number(100e9, low=1e3, high=1e18)
    """Speed of the cloud's server behind the APs, shared by all users."""
    computing_control: str = choice("shares", "shares", "least")
    """shares: actions choose every user's share of servers; least: users get just what their deadlines need."""
    fronthaul_bps: float = number(10e9, low=1e3, high=1e18)
    """Capacity of the fronthaul link of an AP of a user-centric network."""
    quantisation_bits: int = count(8, high=64, shapes=False)
    """Bits that a quantised sample takes on the fronthaul, for each of its real and imaginary part."""


@dataclass(frozen=True, kw_only=True)
class Dynamics(Validated):
    """How one coherence block follows another."""

    block_s: float = number(0.5e-3, low=1e-6, high=10.0)
    """Length of a coherence block, and the deadline of tasks unless deadline_s says otherwise."""
    fading: str = part("iid")
    """iid: independent blocks; gauss_markov: correlated by J0(2 pi f_D block_s) to the power of the lag in blocks;
    clarke: by J0(2 pi f_D lag), waves coming from all around, and what estimates miss is drawn in every block."""
    speed_m_per_s: Interval = interval(0.0, low=0.0, high=1e3)
    """Speed of a user; a range is drawn once per user and network."""
    mobility: str = part("static")
    """static: users stay where they are drawn; random_waypoint: they walk from point to point; manhattan: along
    streets (on a square only)."""
    street_m: float = number(100.0, low=1.0, high=1e5)
    """Distance between parallel streets, for manhattan."""
    snapshot_blocks: int = count(50, high=10**9, shapes=False)
    """Blocks after which a square's statistics, pilots and clusters follow users who walk."""
    handover_db: float = number(3.0, low=0.0, high=100.0)
    """Hysteresis: how much better another AP, base station or pilot must be for a user to change to it."""
    handover_blocks: int = count(2, low=0, high=10**6, shapes=False)
    """Blocks without service that a change of a user's master AP, or of its base station, costs."""
    csi_delay_blocks: int = count(0, low=0, high=100, shapes=False)
    """Age of the channels that observations show, in blocks; tasks and servers are current. Rewards are for the
    current channels, which receivers know."""


@dataclass(frozen=True, kw_only=True)
class Queues(Validated):
    """How tasks arrive and wait, in dynamic worlds."""

    arrivals: str = part("every_block", "every_block")
    """every_block: each user has one task a block, and nothing waits (a static world); bernoulli: at most one task
    a block; poisson; bursts: Poisson, in bursts only; trace: recorded numbers of tasks."""
    tasks_per_s: Interval = interval(1000.0, low=0.0, high=1e9)
    """Mean number of tasks of a user in a second; a range is drawn once per user and network."""
    burst_s: float = number(10e-3, low=1e-6, high=1e6)
    """Mean length of a burst."""
    burst_share: float = number(0.3, low=1e-6, high=1.0)
    """Share of the time that is within bursts."""
    arrivals_table: Table | None = table()
    """Numbers of tasks of recorded blocks, for all users or with a column for each, trace; played from a drawn
    block on, round and round."""
    queue_bits: float = limit(low=1.0)
    """Bits that a user's buffer holds; what finds no room is dropped."""
    drop_price_ms: float = number(10.0, low=0.0, high=1e9)
    """Price of a dropped task in the reward."""


@dataclass(frozen=True, kw_only=True)
class Energy(Validated):
    """What users' computing takes, and, in dynamic worlds, what their batteries hold and harvest."""

    effective_capacitance: float = number(1e-28, low=0.0, high=1.0)
    """Energy that a cycle of a user's CPU takes, over the square of its speed, in J/Hz^2: kappa."""
    battery_j: float = limit(low=1e-15)
    """Energy that a user's battery holds; infinite: energy is no limit."""
    harvest: str = part("constant")
    """How energy is harvested. constant; exponential: independent between blocks; two_state: on and off; trace."""
    harvest_w: float = number(0.0, low=0.0, high=1e9)
    """Mean power that is harvested."""
    harvest_on_s: float = number(10e-3, low=1e-6, high=1e6)
    """Mean time for which a two-state harvest stays on."""
    harvest_share: float = number(0.5, low=1e-6, high=1.0)
    """Share of the time for which it is on."""
    harvest_table: Table | None = table()
    """Powers harvested in recorded blocks, in W, for all users or with a column for each."""
    energy_weight_ms_per_j: float = number(1e3, low=0.0, high=1e12)
    """What a joule costs in the reward latency_energy: by default a millijoule costs a millisecond."""


@dataclass(frozen=True, kw_only=True)
class Episode(Validated):
    """The learning problem: length of an episode, observation and reward."""

    episode_blocks: int = count(100, high=10**9, shapes=False)
    """Coherence blocks until the episode is truncated."""
    generator: str = choice("numpy", "numpy", "keyed")
    """How fading is drawn from an environment's np_random. numpy: by NumPy, as version 0.1.0 did: seeds are the
    same networks as there; keyed: other fading, by compiled code from a key."""
    observation: str = part("gains")
    """gains: signal, interference and tasks; csi: these and the channel magnitudes; channel: gains, tasks and the
    complex channels."""
    reward: str = part("max_latency")
    """max_latency: minus the largest latency in ms, in dynamic worlds the age of the oldest bit; max_backlog:
    minus the largest of backlogs over their rates of arrival; log_latency: minus its natural logarithm;
    power_fairness: paper B's objective, with deadlines; energy: minus the users' energy in mJ; latency_energy:
    minus the largest latency in ms and the energy at the price energy_weight_ms_per_j."""
    fairness_weight_w: float = number(0.6, low=0.0, high=1e6)
    """Weight w of the least spectral efficiency in paper B's objective, in W per bit/s/Hz."""
    deadline_penalty_w: float = number(1.0, low=0.0, high=1e6)
    """Penalty of a missed deadline in the reward power_fairness, in W."""
    least_spectral_efficiency: float = number(1e-3, low=1e-12, high=1.0)
    """Least spectral efficiency, in bit/s/Hz, that a link counts with, so that latencies stay finite."""
