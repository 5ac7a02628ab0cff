"""The world: how networks go from block to block, and what observations show of channels that are known late."""

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.envs.observation import channel_of, ratio_of
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

from .settings import ENV_IDS, PAPER_A_IDS, PAPER_B_IDS

DELAY = 3
FADING = {"fading": "gauss_markov", "speed_m_per_s": (5.0, 50.0), "observation": "csi"}
DELAYED = FADING | {"csi_delay_blocks": DELAY}
PAPER_A = {"num_aps": 8, "num_users": 3, "num_subcarriers": 2, "task_bits": (500.0, 2000.0)}
PAPER_B = {"num_aps": 9, "num_users": 4, "antennas_per_base_station": 8, "pilot_samples": 2}
FADES = ("signal", "interference", "csi")
WALK = {"mobility": "random_waypoint", "snapshot_blocks": 2}
NETWORKS = [(env_id, PAPER_A | WALK) for env_id in PAPER_A_IDS]
NETWORKS += [(env_id, PAPER_B | WALK) for env_id in PAPER_B_IDS]
every_network = pytest.mark.parametrize(("env_id", "fields"), NETWORKS)


def scenario_of(env_id, **fields):
    return gym.make(env_id, **fields).unwrapped.scenario


def states(scenario, blocks, seeds=(4, 5)):
    """Return the states of two networks, block by block, and the streams they drew from."""
    world, streams = World(scenario), Streams.from_seeds(seeds)
    found = [world.begin(streams)]
    while len(found) < blocks:
        found.append(world.advance(found[-1], streams))
    return found


def assert_row_equals(batch, row, single):
    for name, values in single.items():
        np.testing.assert_array_equal(batch[name][row], values, err_msg=name)


@every_network
def test_a_delay_shows_the_channels_of_earlier_blocks_and_leaves_blocks_as_they_are(env_id, fields):
    prompt = states(scenario_of(env_id, **fields, **FADING), DELAY + 4)
    late = states(scenario_of(env_id, **fields, **DELAYED), 4)
    for index, state in enumerate(late):
        now, before = prompt[DELAY + index].block, prompt[index].block
        for name in ("signal_gain", "interference_gain", "channel"):
            np.testing.assert_array_equal(getattr(state.block, name), getattr(now, name))
            np.testing.assert_array_equal(getattr(state.observed, name), getattr(before, name))
            assert (getattr(state.observed, name) != getattr(now, name)).any()
        for name in ("task_bits", "cycles_per_bit", "local_hz", "server_hz", "deadline_s"):
            np.testing.assert_array_equal(getattr(state.observed, name), getattr(now, name))


@every_network
def test_what_is_seen_holds_nothing_of_the_current_channels(env_id, fields):
    """Not even in combiners that follow the powers: paper B's receivers know channel estimates."""
    *_, state = states(scenario_of(env_id, **fields, **DELAYED), DELAY + 1)
    first = states(scenario_of(env_id, **fields, **FADING), DELAY + 1)[DELAY].block
    power = np.full(first.signal_gain.shape, 0.3 / first.num_subcarriers)
    np.testing.assert_array_equal(state.observed.tuned(power).signal_gain, first.tuned(power).signal_gain)


@pytest.mark.parametrize("env_id", ENV_IDS[:4])
def test_without_a_delay_what_is_seen_is_the_block(env_id):
    small = PAPER_A if env_id in PAPER_A_IDS else PAPER_B
    for state in states(scenario_of(env_id, **small), 3):
        assert state.observed is state.block
        assert state.past == ()


@every_network
def test_rows_equal_single_environments_through_partial_resets_and_autoresets(env_id, fields):
    fields = fields | DELAYED
    envs = gym.make_vec(env_id, num_envs=3, episode_blocks=3, **fields)
    env = gym.make(env_id, episode_blocks=3, **fields)
    envs.reset(seed=0)
    before, *_ = envs.step(envs.action_space.sample())
    mask = np.array([False, True, False])
    observations, _ = envs.reset(seed=50, options={"reset_mask": mask})
    observation, _ = env.reset(seed=51)
    for name in FADES:
        np.testing.assert_array_equal(observations[name][~mask], before[name][~mask])
    over = False
    for _ in range(7):  # the other rows end, and begin again, one block before this one
        assert_row_equals(observations, 1, observation)
        actions = envs.action_space.sample()
        observations, rewards, *_ = envs.step(actions)
        if over:
            (observation, _), over, reward = env.reset(), False, 0.0
        else:
            observation, reward, _, over, _ = env.step(actions[1])
        assert rewards[1] == reward


def test_rewards_are_those_of_the_current_block():
    env = gym.make("MECCellFreeDelayed-v0")
    env.reset(seed=0)
    block = env.unwrapped.block
    _, _, _, _, info = env.step(np.ones(env.action_space.shape, np.float32))
    power = np.ones(block.signal_gain.shape)
    efficiency = np.log2(1 + block.signal_gain / (1 + block.interference_gain.sum(-1)))
    np.testing.assert_allclose(info["rate_bps"], 20e6 * (power * efficiency).sum(0))


def test_a_delay_may_change_from_reset_to_reset():
    env = gym.make("MECCellFreeDelayed-v0", num_users=3)
    longer = env.unwrapped.scenario.replace(csi_delay_blocks=20)
    late, _ = env.reset(seed=0)
    later, _ = env.reset(seed=0, options={"scenario": longer})
    np.testing.assert_array_equal(later["signal"], late["signal"])  # the first block that was drawn
    seen, blocks = [], []
    for _ in range(22):
        blocks.append(env.unwrapped.block.signal_gain)
        seen.append(ratio_of(env.step(env.action_space.sample())[0]["signal"]))
    np.testing.assert_allclose(seen[20], blocks[1], rtol=1e-4)


def test_the_delayed_environment_refuses_scenarios_without_a_delay():
    for without in ({"csi_delay_blocks": 0}, {"scenario": Scenario.paper_a()}):
        with pytest.raises(ValueError, match=r"csi_delay_blocks=0 is not allowed.*paper_a_delayed"):
            gym.make("MECCellFreeDelayed-v0", **without)


@pytest.mark.parametrize("delay", [-1, 101, 2.5, True, None, "8"])
def test_delays_that_are_no_count_of_blocks_are_refused(delay):
    with pytest.raises(ValueError, match=r"csi_delay_blocks=.*must be a whole number from 0 to 100"):
        gym.make("MECCellFree-v0", csi_delay_blocks=delay)


def test_blocks_that_are_kept_count_against_the_size_of_a_network():
    Scenario.paper_a(num_users=600)
    with pytest.raises(ValueError, match=r"num_users=600 is not allowed: with 64 antennas .* is the most"):
        Scenario.paper_a(num_users=600, csi_delay_blocks=100)


def test_its_second_version_has_clarkes_fading_complex_channels_and_imperfect_estimates():
    scenario = gym.make("MECCellFreeDelayed-v1").unwrapped.scenario
    assert scenario == Scenario.paper_a_clarke()
    changed = {"fading": "clarke", "observation": "channel", "csi_error_variance": 1e-3, "csi_delay_blocks": 4}
    assert scenario == Scenario.paper_a_delayed().replace(**changed)
    with pytest.raises(ValueError, match=r"csi_delay_blocks=0 is not allowed.*paper_a_clarke"):
        gym.make("MECCellFreeDelayed-v1", csi_delay_blocks=0)


def test_complex_channels_are_shown_late():
    env = gym.make("MECCellFreeDelayed-v1", num_users=3, num_aps=8)
    env.reset(seed=0)
    seen, blocks = [], []
    for _ in range(10):
        blocks.append(env.unwrapped.block.channel)
        seen.append(channel_of(env.step(env.action_space.sample())[0]["channel"]))
    np.testing.assert_allclose(seen[8], blocks[5], rtol=1e-4, atol=1e-6)


def test_the_delayed_environment_has_cars_and_a_delay():
    dynamics = gym.make("MECCellFreeDelayed-v0").unwrapped.scenario.dynamics
    assert (dynamics.fading, dynamics.speed_m_per_s, dynamics.csi_delay_blocks) == ("gauss_markov", 30.0, 8)
    assert Scenario().dynamics.csi_delay_blocks == 0
