import math

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_cf_gym.baselines.dynamic.backward import Grid, cost_at, points, solve
from mec_cf_gym.baselines.dynamic.optimal_single import OptimalSingle, Plan
from mec_cf_gym.baselines.dynamic.program import Program, gain_law, phase_of, poisson, two_states
from mec_cf_gym.evaluation import seeds

NEVER = 1e300
SPEEDS, POWERS = np.linspace(0, 1, 13)[:, None], np.linspace(0, 1, 17) ** 2
SAME = {  # every AP at 13 dB: all networks have the same statistics, and one plan
    "num_users": 1,
    "num_aps": 4,
    "path_loss_exponent": 0.0,
    "path_loss_intercept_db": -100.0,
    "noise_dbm_per_hz": -163.0,
    "shadowing_db": 0.0,
}


def program(**changes):
    """Return a problem like that of paper A's dynamic network: 18 dB, bursts, and a small battery."""
    numbers = {
        "gain": np.array([20.0, 80.0]),
        "weight": np.array([0.4, 0.6]),
        "link_bits": 500.0,
        "transmit_j": 5.0,
        "local_bits": 750.0,
        "local_j": 1.35,
        "server_bits": 1e9,
        "price_ms": 0.5 / 1200,
        "drop_price_ms": 0.0,
        "queue_limit_bits": math.inf,
        "battery_limit_j": 12.0,
        "phases": two_states(0.1, 0.25),
        "task_bits": 1000.0,
        "tasks": np.array([[1.0, 0.0, 0.0], [0.2, 0.5, 0.3]]),
        "harvest_j": np.array([1.0, 1.0]),
    }
    return Program(**{**numbers, **changes})


def exhaustive(p, blocks, phase, queue_bits, left_over_bits, battery_j):
    """Return the least mean cost, ``(...)``, over shares of the CPU and powers on a lattice, by recursion."""
    if blocks == 0:
        return np.zeros(np.shape(queue_bits))
    states = [np.asarray(value, float)[..., None, None] for value in (queue_bits, left_over_bits, battery_j)]
    queue_bits, left_over_bits, battery_j = states
    total, powers = 0.0, POWERS if blocks > 1 else np.zeros(1)  # what is sent in the last block changes nothing
    for gain, weight in zip(p.gain, p.weight, strict=True):
        local_bits = np.minimum(queue_bits, SPEEDS * p.local_bits)
        through_bits = p.link_bits * np.log2(1 + powers * gain)
        sent_bits = np.minimum(queue_bits - local_bits, through_bits)
        sending = np.divide(sent_bits, through_bits, out=np.zeros(sent_bits.shape), where=through_bits > 0)
        spent_j = p.transmit_j * powers * sending + p.local_j * SPEEDS**2 * local_bits / p.local_bits
        cost = p.price_ms * (queue_bits - local_bits + left_over_bits)
        kept_bits, kept_j = queue_bits - local_bits - sent_bits, battery_j - spent_j
        over_bits = np.maximum(left_over_bits + sent_bits - p.server_bits, 0)
        charged_j = np.minimum(kept_j + p.harvest_j[phase], p.battery_limit_j)
        for tasks, likely in enumerate(p.tasks[phase]):
            dropped_bits = np.maximum(kept_bits + tasks * p.task_bits - p.queue_limit_bits, 0)
            cost = cost + likely * p.drop_price_ms * dropped_bits * (blocks > 1)
            next_bits = kept_bits + tasks * p.task_bits - dropped_bits
            for coming, follows in enumerate(p.phases[phase]):
                if likely * follows > 0:
                    later = exhaustive(p, blocks - 1, coming, next_bits, over_bits, charged_j)
                    cost = cost + likely * follows * later
        total = total + weight * np.where(kept_j >= 0, cost, NEVER).min((-1, -2))
    return total


def solved(p, blocks, resolution, longest_bits=8000.0):
    """Return the grid and the costs of all blocks, for queues up to ``longest_bits``."""
    slow = p.server_bits < 1e9
    left_over = np.linspace(0, 2000.0, resolution // 2) if slow else np.zeros(1)
    grid = Grid(points(longest_bits, resolution), points(p.battery_limit_j, resolution // 2), left_over)
    return grid, solve(p, grid, blocks, resolution, resolution)[1]


def search(p, blocks, phase, state):
    """Return the costs of a state by backward induction and by exhaustive search."""
    grid, costs = solved(p, blocks, 24, min(8000.0, p.queue_limit_bits))
    return cost_at(costs[phase], grid, *state), float(exhaustive(p, blocks, phase, *state))


STATES = [(1800.0, 0.0, 6.0), (2400.0, 0.0, 12.0), (1500.0, 0.0, 9.0)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("phase", [0, 1])
def test_two_blocks_cost_what_an_exhaustive_search_finds(state, phase):
    cost, found = search(program(), 2, phase, state)
    assert cost == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "changes", [{}, {"server_bits": 300.0}, {"queue_limit_bits": 2500.0, "drop_price_ms": 1e-3}], ids=str
)
def test_three_blocks_cost_at_most_what_an_exhaustive_search_finds(state, changes):
    always = {"phases": np.ones((1, 1)), "tasks": np.array([[0.4, 0.6]]), "harvest_j": np.array([1.0])}
    always |= {"gain": np.array([40.0]), "weight": np.ones(1)}
    cost, found = search(program(**always, **changes), 3, 0, state)
    assert 0.96 * found < cost < 1.005 * found  # the lattice of the search is coarse


@settings(max_examples=20, deadline=None)
@given(
    db=st.floats(0, 40),
    transmit_j=st.floats(0.5, 20),
    local_j=st.floats(0.1, 10),
    local_bits=st.floats(0, 2000),
    harvest_j=st.floats(0, 3),
)
def test_longer_queues_cost_more_and_fuller_batteries_less(db, transmit_j, local_j, local_bits, harvest_j):
    numbers = {"transmit_j": transmit_j, "local_j": local_j, "local_bits": local_bits}
    gains, harvests = 10 ** (db / 10) * np.array([0.5, 1.5]), np.full(2, harvest_j)
    _, costs = solved(program(gain=gains, harvest_j=harvests, **numbers), 6, 24)
    inside = costs[:, 0, 1:-1, 1:-1]
    slack = 5e-3 * inside.max()  # of the interpolation
    assert np.diff(inside, axis=1).min() >= -slack
    assert np.diff(inside, axis=2).max() <= slack


def test_finer_grids_agree():
    p = program(battery_limit_j=50.0, tasks=np.array([[1.0, 0, 0, 0, 0, 0], [0.1, 0.1, 0.1, 0.2, 0.2, 0.3]]))
    values = [Plan.of(p, 30, resolution).value_ms for resolution in (12, 24, 48)]
    coarse, usual = abs(values[0] / values[2] - 1), abs(values[1] / values[2] - 1)
    assert (usual < 0.01).all()
    assert (usual < coarse).all()


def test_nobody_saves_energy_that_is_free():
    p = program(transmit_j=0.0, local_j=0.0, battery_limit_j=1.0)
    plan = Plan.of(p, 10, 12)
    rate = p.weight @ (p.link_bits * np.log2(1 + p.gain))
    assert rate > p.tasks[1] @ [0, 1, 2] * p.task_bits  # everything that comes goes at once
    assert plan.value_ms[1] < p.price_ms * 1500


def test_a_single_ap_has_an_exponential_gain():
    gain, weight = gain_law((5.0,), 8)
    assert weight.sum() == pytest.approx(1)
    assert weight @ np.exp(-gain / 5) == pytest.approx(0.5, abs=1e-3)  # E exp(-x) of x ~ Exp(1)
    assert weight @ (gain / 5) == pytest.approx(1, rel=0.02)


def test_many_aps_have_the_gain_of_their_sum():
    variance = np.random.default_rng(0).exponential(size=20)
    gain, weight = gain_law(tuple(variance), 8)
    assert weight @ gain == pytest.approx(variance.sum(), rel=2e-3)
    assert weight @ gain**2 == pytest.approx((variance**2).sum() + variance.sum() ** 2, rel=0.01)


def test_numbers_of_tasks_are_poissons():
    law = poisson(np.array([0.0, 1.2]))
    counts = np.arange(law.shape[1])
    assert law.sum(-1) == pytest.approx(1)
    assert law @ counts == pytest.approx([0, 1.2], abs=1e-5)
    assert law @ counts**2 == pytest.approx([0, 1.2 + 1.44], abs=1e-4)


def test_others_are_refused():
    env = gym.make("MECCellFreeDynamic-v0", num_users=2).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="num_users=2"):
        OptimalSingle().allocate({}, env.block)
    static = gym.make("MECCellFree-v0", num_users=1).unwrapped
    static.reset(seed=0)
    with pytest.raises(ValueError, match="backlog=None"):
        OptimalSingle().allocate({}, static.block)
    with pytest.raises(ValueError, match="horizon=0"):
        OptimalSingle(horizon=0)


def rolled_out(blocks, rows, **fields):
    """Return the costs of a block in ``rows`` episodes of equal networks, and what the plan expects, in ms."""
    env = gym.make_vec("MECCellFreeDynamic-v0", num_envs=rows, episode_blocks=blocks, **SAME, **fields).unwrapped
    seen, _ = env.reset(seed=list(seeds("validation", rows)))
    policy, total = OptimalSingle(horizon=blocks), np.zeros(rows)
    phases = [phase_of(row.backlog) for row in env.block.rows()]
    for _ in range(blocks):
        allocation = policy.allocate(seen, env.block)
        seen, reward, *_ = env.step(env.encode(allocation.power, allocation.cpu_share))
        total -= reward
    assert len({id(plan) for plan in policy.plans}) == 1
    return total / blocks, policy.plans[0].value_ms[phases]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"battery_j": math.inf, "arrivals": "poisson", "tasks_per_s": 5000.0},
        {"harvest": "two_state", "harvest_on_s": 5e-3, "harvest_share": 0.5, "queue_bits": 10e3},
        {"server_hz": 0.5e9},
    ],
    ids=["bursts", "energy is free", "charging and drops", "slow server"],
)
def test_the_environment_costs_what_the_plan_expects(fields):
    cost_ms, expected_ms = rolled_out(12, 200, **fields)
    difference = cost_ms - expected_ms
    assert abs(difference.mean()) < 2.6 * difference.std() / math.sqrt(len(difference))  # 99 %, of fixed seeds


def test_a_batch_decides_as_its_rows_do():
    env = gym.make_vec("MECCellFreeDynamic-v0", num_envs=3, num_users=1).unwrapped
    seen, _ = env.reset(seed=[5, 6, 7])
    together, alone = OptimalSingle(4, 12), [OptimalSingle(4, 12) for _ in range(3)]
    for _ in range(4):
        both = together.allocate(seen, env.block)
        for row, (policy, block) in enumerate(zip(alone, env.block.rows(), strict=True)):
            single = policy.allocate({}, block)
            assert single.power.tobytes() == both.power[row].tobytes()
            assert single.cpu_share.tobytes() == both.cpu_share[row].tobytes()
        seen, *_ = env.step(env.encode(both.power, both.cpu_share))


def test_another_batch_needs_a_reset():
    env = gym.make_vec("MECCellFreeDynamic-v0", num_envs=3, num_users=1).unwrapped
    seen, _ = env.reset(seed=[5, 6, 7])
    policy = OptimalSingle(4, 12)
    policy.allocate(seen, env.block)
    with pytest.raises(
        ValueError, match="block='of 1 rows' is not allowed: the episode began with 3: reset first"
    ):
        policy.allocate(seen, next(env.block.rows()))
