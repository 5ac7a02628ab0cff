"""The dynamic world against a simulation of single parcels in plain Python, and what it must conserve."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_cf_gym import Scenario, latency, rate
from mec_cf_gym.allocation import Allocation
from mec_cf_gym.batches import take_rows
from mec_cf_gym.dynamic_world import DynamicWorld, world_of
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

SMALL = {"num_users": 3, "num_aps": 16, "episode_blocks": 40}
SMALL_SQUARE = {"num_users": 4, "num_aps": 16, "antennas_per_ap": 2, "episode_blocks": 20}


def scenarios():
    tight = {"queue_bits": 6e3, "battery_j": 8e-6}
    yield Scenario.paper_a_dynamic(**SMALL)
    yield Scenario.paper_a_dynamic(**SMALL, **tight, num_subcarriers=2, drop_price_ms=3.0)
    yield Scenario.paper_a_dynamic(
        **SMALL, arrivals="bernoulli", tasks_per_s=1000.0, harvest="two_state", server_hz=2e8
    )
    yield Scenario.paper_a_dynamic(**SMALL, arrivals="poisson", deployment="cellular", harvest="exponential")
    yield Scenario.paper_b_dynamic(**SMALL_SQUARE, tasks_per_s=50.0, cloud_hz=1e9)
    yield Scenario.paper_b_dynamic(
        **SMALL_SQUARE, tasks_per_s=50.0, local_computing=True, battery_j=1e-4, harvest_w=0.1
    )


SCENARIOS = [*scenarios()]


def random_allocation(block, rng):
    lead, users, subcarriers = block.batch_shape, block.num_users, block.num_subcarriers
    power = rng.uniform(0, 1 / subcarriers, (*lead, subcarriers, users))
    power[rng.random(power.shape) < 0.1] = 0.0
    return Allocation(power, np.ones((*lead, users)), cpu_share=rng.random((*lead, users)))


def trajectory(scenario, blocks, rows=2, seed=0, decide=random_allocation):
    """Yield the state of every block, the outcome of what was decided, and the next state."""
    world, streams, rng = (
        world_of(scenario),
        Streams.from_seeds(range(seed, seed + rows)),
        np.random.default_rng(seed),
    )
    state = world.begin(streams)
    for _ in range(blocks):
        outcome = world.outcome(state, decide(state.block, rng))
        later = world.advance(state, streams, outcome)
        yield state, outcome, later
        state = later


class User:
    """One user of one row, with a list of parcels, [block of arrival, bits], at itself and at its server."""

    def __init__(self, battery_j):
        self.waiting, self.sent, self.battery_j = [], [], battery_j

    @staticmethod
    def take(parcels, bits):
        """Take bits from the oldest parcels, and return them as parcels."""
        taken = []
        while parcels and bits > 0:
            part = min(bits, parcels[0][1])
            taken.append([parcels[0][0], part])
            parcels[0][1] -= part
            bits -= part
            if parcels[0][1] <= 1e-9:
                parcels.pop(0)
        return taken

    @staticmethod
    def bits(parcels):
        return sum(bits for _, bits in parcels)

    def serve(self, *, most_local, most_sent, most_served, power_w, rate_bps, joules_per_bit):
        """Compute, send and be served for a block; energy stops both in proportion."""
        local = min(self.bits(self.waiting), most_local)
        sending = min(self.bits(self.waiting) - local, most_sent)
        energy = (power_w * sending / rate_bps if sending else 0.0) + joules_per_bit * local
        part = min(1.0, self.battery_j / energy) if energy else 1.0
        self.battery_j -= part * energy
        self.take(self.sent, most_served)  # of what was there before the block
        self.take(self.waiting, part * local)
        self.sent += self.take(self.waiting, part * sending)

    def oldest(self, block):
        """Return the age of the oldest parcel at the end of a block, in blocks."""
        return max((block + 1 - born for born, bits in self.waiting + self.sent if bits > 1e-6), default=0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_queues_servers_batteries_and_ages_are_those_of_single_parcels(scenario):
    duration_s, kappa = scenario.dynamics.block_s, scenario.energy.effective_capacitance
    users, world, rng = None, world_of(scenario), np.random.default_rng(5)
    streams = Streams.from_seeds([11, 12])
    state, waited = world.begin(streams), False
    for index in range(scenario.episode.episode_blocks):
        block, backlog = state.block, state.block.backlog
        waited = waited or (backlog.queue_curve_bits[..., -3] > 0).any()
        users = users or [[User(j) for j in row] for row in backlog.battery_j]
        allocation = random_allocation(block, rng)
        outcome = world.outcome(state, allocation)
        through_bps = rate(block, allocation.power) / (1 + block.fronthaul_load)
        for row, many in enumerate(users):
            for k, user in enumerate(many):
                cpu_hz = allocation.cpu_share[row, k] * block.local_hz[row, k]
                cycles = block.cycles_per_bit[row, k]
                user.serve(
                    most_local=cpu_hz * duration_s / cycles,
                    most_sent=through_bps[row, k] * duration_s,
                    most_served=block.server_hz[row, k] * duration_s / cycles,
                    power_w=allocation.power[row, :, k].sum() * block.fairness.user_power_w[row, k],
                    rate_bps=through_bps[row, k],
                    joules_per_bit=kappa * cpu_hz**2 * cycles,
                )
                assert outcome.latency_s[row, k] == pytest.approx(duration_s * user.oldest(index), abs=1e-12)
                room = scenario.queues.queue_bits - user.bits(user.waiting)
                arriving = state.coming.arriving_bits[row, k]
                assert outcome.dropped_bits[row, k] == pytest.approx(max(arriving - room, 0.0), abs=1e-6)
                if min(arriving, room) > 0:
                    user.waiting.append([index + 1, min(arriving, room)])
                user.battery_j = min(user.battery_j + state.coming.harvest_j[row, k], scenario.energy.battery_j)
        state = world.advance(state, streams, outcome)
        for name, of in (("queue_bits", lambda u: u.bits(u.waiting)), ("server_bits", lambda u: u.bits(u.sent))):
            expected = [[of(user) for user in many] for many in users]
            np.testing.assert_allclose(getattr(state.block.backlog, name), expected, rtol=1e-9, atol=1e-5)
        left_j = [[user.battery_j for user in many] for many in users]
        np.testing.assert_allclose(state.block.backlog.battery_j, left_j, rtol=1e-9, atol=1e-15)
    assert waited


@settings(max_examples=10, deadline=None)
@given(index=st.integers(0, len(SCENARIOS) - 1), seed=st.integers(0, 1000))
def test_bits_that_came_are_computed_waiting_or_dropped(index, seed):
    came = dropped = computed = 0.0
    for state, outcome, later in trajectory(SCENARIOS[index], 15, seed=seed):
        came = came + state.coming.arriving_bits
        dropped = dropped + outcome.dropped_bits
        computed = computed + outcome.service.local_bits + outcome.service.served_bits
        np.testing.assert_allclose(
            computed + dropped + later.block.backlog.waiting_bits, came, rtol=1e-9, atol=1e-4
        )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_energy_that_was_harvested_is_spent_stored_or_found_no_room(seed):
    scenario = Scenario.paper_a_dynamic(**SMALL, harvest="two_state")
    for state, outcome, later in trajectory(scenario, 15, seed=seed):
        before_j, after_j = state.block.backlog.battery_j, later.block.backlog.battery_j
        spent_j = outcome.transmit_energy_j + outcome.computing_energy_j
        assert (spent_j <= before_j * (1 + 1e-12)).all()
        full_j = np.minimum(before_j - spent_j + state.coming.harvest_j, scenario.energy.battery_j)
        np.testing.assert_allclose(after_j, full_j, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_curves_end_in_all_that_waits_and_rise(scenario):
    for _, _, later in trajectory(scenario, 12):
        backlog = later.block.backlog
        for curve, total in (
            (backlog.queue_curve_bits, backlog.queue_bits),
            (backlog.server_curve_bits, backlog.server_bits),
        ):
            np.testing.assert_array_equal(curve[..., -1], total)
            assert (np.diff(curve, axis=-1) >= -1e-6).all()


def test_ages_stop_at_the_length_of_the_curves():
    scenario = Scenario.paper_a_dynamic(**{**SMALL, "episode_blocks": 6}, arrivals="poisson", tasks_per_s=20000.0)
    idle = lambda block, _: Allocation(np.zeros((2, 1, 3)), np.ones((2, 3)), cpu_share=np.zeros((2, 3)))  # noqa: E731
    ages = [outcome.latency_s for _, outcome, _ in trajectory(scenario, 10, decide=idle)]
    blocks = np.array([[0, 1, 2, 3, 4, 5, 6, 6, 6, 6]]).T * np.ones(6)
    np.testing.assert_allclose(np.reshape(ages, (10, 6)), scenario.dynamics.block_s * blocks)


@pytest.mark.parametrize("make", [Scenario.paper_a_dynamic, Scenario.paper_b_dynamic])
def test_no_load_gives_zero(make):
    small = SMALL if make == Scenario.paper_a_dynamic else SMALL_SQUARE
    for _, outcome, later in trajectory(make(**small, tasks_per_s=0.0), 5):
        assert (
            not outcome.latency_s.any() and not outcome.backlog_latency_s.any() and not outcome.drop_cost_ms.any()
        )
        assert not later.block.backlog.waiting_bits.any() and not outcome.service.energy_j.any()


def still(block_s, **fields):
    """A channel that stands still, with no tasks but those that a test puts there."""
    return Scenario.paper_a_dynamic(
        num_users=1,
        num_aps=16,
        block_s=block_s,
        arrivals="poisson",
        tasks_per_s=0.0,
        fading="gauss_markov",
        speed_m_per_s=0.0,
        **{"battery_j": np.inf, **fields},
    )


@pytest.mark.parametrize("fields", [{"server_hz": 1e15}, {"local_computing": False, "server_hz": 1e15}, {}])
def test_a_task_alone_on_a_still_channel_takes_its_static_latency(fields):
    """A server takes its time while bits still arrive; in the static latency it waits until the last has."""
    scenario = still(1e-6, **fields)
    world, streams = DynamicWorld(scenario), Streams.from_seeds([3])
    state = world.begin(streams)
    state = dataclasses.replace(state, coming=dataclasses.replace(state.coming, arriving_bits=np.array([[1e3]])))
    full = Allocation(np.ones((1, 1, 1)), np.ones((1, 1)))
    first = state.block
    blocks = 0
    state = world.advance(state, streams, world.outcome(state, full))
    while state.block.backlog.waiting_bits.max() > 1e-6 and blocks < 10_000:
        state = world.advance(state, streams, world.outcome(state, full))
        blocks += 1
    static_s = best_static_latency_s(first)
    server_s = (first.task_cycles / first.server_hz).item()
    lead_s = 0.0 if scenario.computing.server_hz > 1e12 else server_s
    assert static_s - lead_s - 2e-6 <= blocks * 1e-6 <= static_s + 3e-6


def best_static_latency_s(block):
    from mec_cf_gym import best_offload

    power = np.ones((1, 1, 1))
    return latency(block, power, best_offload(block, power)).item()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_row_alone_is_the_row_of_a_batch_bitwise(scenario):
    def play(seeds):
        world, streams, found = world_of(scenario), Streams.from_seeds(seeds), []
        state = world.begin(streams)
        for _ in range(6):
            users = state.block.task_bits.shape
            power = np.full(state.block.signal_gain.shape, 0.5)
            allocation = Allocation(power, np.ones(users), cpu_share=np.full(users, 0.7))
            outcome = world.outcome(state, allocation)
            state = world.advance(state, streams, outcome)
            found.append((state.block.backlog, outcome))
        return found

    for (alone, of_one), (many, of_all) in zip(play([8]), play([7, 8, 9]), strict=True):
        for one, batch in ((alone, many), (of_one, of_all)):
            for field in dataclasses.fields(one):
                value = getattr(one, field.name)
                if isinstance(value, np.ndarray):
                    np.testing.assert_array_equal(value[0], getattr(take_rows(batch, 1), field.name), field.name)


def test_static_scenarios_have_a_static_world():
    assert type(world_of(Scenario.paper_a())) is World
    assert type(world_of(Scenario.paper_a_dynamic())) is DynamicWorld


def test_dropped_tasks_have_their_price():
    scenario = Scenario.paper_a_dynamic(
        **SMALL, queue_bits=2e3, drop_price_ms=5.0, arrivals="poisson", tasks_per_s=20000.0
    )
    costs = [(outcome.drop_cost_ms, 5.0 * outcome.dropped_bits / 1e3) for _, outcome, _ in trajectory(scenario, 5)]
    assert sum(cost.sum() for cost, _ in costs) > 0
    for cost, expected in costs:
        np.testing.assert_allclose(cost, expected)
