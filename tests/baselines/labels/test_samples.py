"""Samples are drawn from seeds alone: whatever the chunk, they are the blocks an environment goes through."""

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines.labels import samples as module
from mec_cf_gym.baselines.labels.samples import Samples, load_solver
from mec_cf_gym.evaluation.seeds import seeds

from ...writing import WritesIntoTheBlock

VARIETY = {"num_users": 3, "num_aps": 5, "task_bits": (500.0, 2000.0), "local_hz": (0.5e9, 2e9)}
WALK = {"fading": "gauss_markov", "speed_m_per_s": 30.0, "mobility": "random_waypoint"}
WORLDS = {
    "iid": {"num_subcarriers": 2},
    "fading alone": {"num_subcarriers": 2, "task_bits": 1000.0},
    "fixed tasks": {"num_subcarriers": 2, "task_model": "fixed"},
    "a recording": {"num_subcarriers": 2, "task_model": "trace", "task_table": (500.0, 900.0, 2000.0)},
    "correlated": {"num_subcarriers": 1, "fading": "gauss_markov", "speed_m_per_s": (1.0, 20.0)},
    "moving": {
        "num_subcarriers": 1,
        "fading": "gauss_markov",
        "speed_m_per_s": 30.0,
        "mobility": "random_waypoint",
    },
}
FIELDS = ("signal_gain", "interference_gain", "task_bits", "cycles_per_bit", "local_hz", "server_hz", "channel")


@pytest.fixture(params=WORLDS)
def samples(request):
    scenario = Scenario.paper_a(**VARIETY | WORLDS[request.param])
    return Samples(scenario, seeds("validation", 4), blocks=7)


@pytest.mark.parametrize(
    "rows", [slice(0, 1), slice(0, 7), slice(6, 8), slice(10, 13), slice(5, 28), slice(27, 28)]
)
def test_rows_do_not_depend_on_the_chunk_they_are_drawn_in(samples, rows):
    whole, part = samples.draw(slice(0, 28)), samples.draw(rows)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[rows], err_msg=name)


def test_rows_do_not_depend_on_how_many_are_drawn_at_once(samples, monkeypatch):
    whole = samples.draw(slice(3, 28))
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 1)
    for name in FIELDS:
        np.testing.assert_array_equal(
            getattr(samples.draw(slice(3, 28)), name), getattr(whole, name), err_msg=name
        )


def test_rows_are_the_blocks_of_environments(samples):
    block = samples.draw(slice(0, 28))
    env = gym.make("MECCellFree-v0", scenario=samples.scenario)
    for topology, seed in enumerate(samples.seeds):
        env.reset(seed=seed)
        for index in range(samples.blocks):
            seen, row = env.unwrapped.block, topology * samples.blocks + index
            np.testing.assert_array_equal(block.channel[row], np.abs(seen.channel))
            for name in FIELDS[:-1]:
                np.testing.assert_allclose(getattr(block, name)[row], getattr(seen, name), rtol=1e-6, err_msg=name)
            env.step(env.action_space.sample())


def test_a_solver_with_random_numbers_labels_rows_the_same_in_any_order(samples):
    first = samples.solve(slice(0, 5), "random")["power"]
    samples.solve(slice(5, 28), "random")
    np.testing.assert_array_equal(samples.solve(slice(0, 5), "random")["power"], first)


def test_seeds_and_blocks_say_where_a_row_comes_from(samples):
    content = samples.solve(slice(5, 16), "equal")
    assert content["seed"].tolist() == [2**31] * 2 + [2**31 + 1] * 7 + [2**31 + 2] * 2
    assert content["block"].tolist() == [5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1]


def test_a_policy_that_is_no_solver_is_refused(monkeypatch):
    monkeypatch.setattr(module, "load_policy", lambda name: object())
    with pytest.raises(ValueError, match="solver='an-agent' is not allowed: it must be a"):
        load_solver("an-agent")


def test_a_solver_that_writes_into_its_blocks_is_refused(samples, monkeypatch):
    monkeypatch.setattr(module, "load_solver", lambda name: WritesIntoTheBlock())
    with pytest.raises(ValueError, match="read-only"):
        samples.solve(slice(1, 3), "writer")
