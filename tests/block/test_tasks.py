"""Task models: what is drawn anew, what stays, and what is played from a recording."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.batches import put_rows, take_rows
from mec_cf_gym.block import TASK_MODELS
from mec_cf_gym.dynamic_world import world_of
from mec_cf_gym.random_streams import Streams

RANGES = {"task_bits": (500.0, 2000.0), "cycles_per_bit": (200.0, 900.0)}
SMALL = {"num_users": 3, "num_aps": 4, "num_subcarriers": 1}
MODELS = {
    "uniform": RANGES,
    "fixed": RANGES,
    "per_user": {"task_bits_of_users": (1e3, 2e3, 3e3), "cycles_per_bit": (200.0, 900.0)},
    "trace": {"task_table": ((1e3, 2e3, 3e3), (4e3, 5e3, 6e3)), "cycles_per_bit": (200.0, 900.0)},
}


def play(blocks=4, seeds=(1, 2), make=Scenario.paper_a, **fields):
    """Return the state of every block."""
    world, streams = world_of(make(**SMALL | fields)), Streams.from_seeds(seeds)
    states = [world.begin(streams)]
    for _ in range(blocks - 1):
        states.append(world.advance(states[-1], streams))
    return states


def tasks_of(states):
    """Return sizes and work, ``(blocks, rows, K)`` both."""
    return [np.array([getattr(s.block, name) for s in states]) for name in ("task_bits", "cycles_per_bit")]


def test_uniform_tasks_are_new_in_every_block():
    for values, (low, high) in zip(tasks_of(play(200, **RANGES)), RANGES.values(), strict=True):
        assert (values >= low).all() and (values <= high).all()
        assert np.unique(values).size == values.size
        assert values.mean() == pytest.approx((low + high) / 2, rel=0.05)


def test_fixed_tasks_are_drawn_once_for_each_user_and_network_and_stay():
    for values, (low, high) in zip(
        tasks_of(play(4, seeds=range(100), task_model="fixed", **RANGES)), RANGES.values(), strict=True
    ):
        np.testing.assert_array_equal(values, np.broadcast_to(values[0], values.shape))
        assert np.unique(values[0]).size == values[0].size
        assert values[0].mean() == pytest.approx((low + high) / 2, rel=0.05)
        assert low <= values.min() and values.max() <= high


def test_a_users_own_tasks_are_the_same_in_every_network():
    bits, cycles = tasks_of(play(task_model="per_user", **MODELS["per_user"]))
    np.testing.assert_array_equal(bits, np.broadcast_to([1e3, 2e3, 3e3], bits.shape))
    np.testing.assert_array_equal(cycles, np.broadcast_to(cycles[0], cycles.shape))
    assert np.unique(cycles[0]).size == cycles[0].size  # not given: drawn once for each user and network


def test_a_recording_is_played_round_and_round_from_a_block_of_each_networks_own():
    bits, cycles = tasks_of(play(5, seeds=range(40), task_model="trace", **MODELS["trace"]))
    for row in range(40):
        shown = bits[:, row].tolist()
        assert shown[0] in ([1e3, 2e3, 3e3], [4e3, 5e3, 6e3])
        assert shown[0] == shown[2] == shown[4] and shown[1] == shown[3] and shown[0] != shown[1]
    assert 8 < (bits[0, :, 0] == 1e3).sum() < 32
    assert np.unique(cycles).size == cycles.size


def test_recordings_of_tasks_and_of_their_numbers_are_played_together():
    tables = {"task_table": (1e3, 2e3, 3e3), "arrivals_table": (1, 2, 3)}
    fields = {"task_model": "trace", "arrivals": "trace"} | tables
    for state in play(6, seeds=range(10), make=Scenario.paper_a_dynamic, **fields):
        np.testing.assert_allclose(state.coming.arriving_bits, state.block.task_bits**2 / 1e3)


@pytest.mark.parametrize(("model", "fields"), MODELS.items())
class TestEveryModel:
    def test_keeps_the_mean_of_what_it_draws(self, model, fields):
        states = play(400, seeds=[5], task_model=model, **fields)
        for values, mean in zip(tasks_of(states), dataclasses.astuple(states[0].tasks.mean), strict=True):
            np.testing.assert_allclose(values.mean(0), mean, rtol=0.1)

    def test_draws_a_row_alone_as_in_a_batch(self, model, fields):
        for alone, together in zip(
            tasks_of(play(seeds=[2], task_model=model, **fields)),
            tasks_of(play(seeds=[1, 2, 3], task_model=model, **fields)),
            strict=True,
        ):
            np.testing.assert_array_equal(alone[:, 0], together[:, 1])

    def test_survives_a_reset_of_some_rows(self, model, fields):
        states = play(3, task_model=model, **fields)
        merged = put_rows(states[2], np.array([True, False]), take_rows(states[0], np.array([True, False])))
        np.testing.assert_array_equal(merged.clock, [states[0].clock[0], states[2].clock[1]])
        np.testing.assert_array_equal(merged.tasks.mean.task_bits, states[0].tasks.mean.task_bits)

    @pytest.mark.parametrize("env_id", ["MECCellFree-v0", "MECCellFreeDynamic-v0"])
    def test_runs_in_environments_as_in_its_single_form(self, env_id, model, fields):
        fields = SMALL | fields | {"task_model": model, "episode_blocks": 3}
        env, envs = gym.make(env_id, **fields), gym.make_vec(env_id, num_envs=2, **fields)
        first, _ = env.reset(seed=7)
        many, _ = envs.reset(seed=[6, 7])
        for _ in range(3):
            np.testing.assert_array_equal(first["task"], many["task"][1])
            first, reward, *_ = env.step(np.full(env.action_space.shape, 0.5, np.float32))
            many, rewards, *_ = envs.step(np.full(envs.action_space.shape, 0.5, np.float32))
            assert np.isfinite(reward) and reward == rewards[1]


def test_means_of_tasks_are_what_is_known_of_arrivals():
    state = play(1, make=Scenario.paper_a_dynamic, task_model="per_user", task_bits_of_users=(1e3, 2e3, 3e3))[0]
    np.testing.assert_array_equal(state.block.backlog.prospects.task_bits, [[1e3, 2e3, 3e3]] * 2)


def test_a_model_of_ones_own_may_follow_the_clock(monkeypatch):
    class Growing(TASK_MODELS["uniform"]):
        def draw(self, mean, clock, streams):
            return dataclasses.replace(mean, task_bits=mean.task_bits * (1 + clock[:, None]))

    monkeypatch.setitem(TASK_MODELS, "growing", Growing)
    bits, _ = tasks_of(play(3, task_model="growing"))
    np.testing.assert_array_equal(bits[:, 0, 0], [1e3, 2e3, 3e3])
