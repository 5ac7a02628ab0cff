"""Every user as an agent: PettingZoo's contract, the single environment's dynamics, and what agents are told."""

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.wrappers import FlattenObservation, RescaleAction
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.test.state_test import state_test
from pettingzoo.utils.conversions import parallel_to_aec

from mec_cf_gym import Scenario, best_offload
from mec_cf_gym.agents import LogPowerAction
from mec_cf_gym.envs.parallel import UserAgents

from ..settings import ENV_IDS, PAPER_B_IDS
from .users import SHORT, make, random_actions

every_env = pytest.mark.parametrize("env_id", ENV_IDS)
paper_b_env = pytest.mark.parametrize("env_id", PAPER_B_IDS)
SHARED_SPLIT = {"local_computing": True, "local_hz": (2e9, 8e9)}


class TestPettingZoo:
    """No warning of any kind is let through: pytest turns them into errors."""

    @every_env
    def test_the_parallel_api(self, env_id):
        parallel_api_test(make(env_id), num_cycles=10)

    @every_env
    def test_seeds(self, env_id):
        parallel_seed_test(lambda: make(env_id), num_cycles=10)

    @every_env
    def test_the_turn_based_api_after_conversion(self, env_id):
        api_test(parallel_to_aec(make(env_id)), num_cycles=20)

    @every_env
    def test_the_state(self, env_id):
        state_test(parallel_to_aec(make(env_id)), make(env_id))

    def test_several_subcarriers_and_channels(self):
        parallel_api_test(make(num_subcarriers=3, observation="csi"), num_cycles=5)

    def test_users_with_a_split_and_shared_servers(self):
        parallel_api_test(make("MECUserCentric-v0", **SHARED_SPLIT), num_cycles=5)

    def test_one_user_alone(self):
        parallel_api_test(make(num_users=1), num_cycles=5)

    @every_env
    def test_it_says_who_it_is(self, env_id):
        env = make(env_id)
        assert env.metadata["name"] == str(env) == env_id
        assert env.metadata["is_parallelizable"]
        assert env.metadata["render_modes"] == ["rgb_array"]


class TestEqualsTheSingleEnvironment:
    @every_env
    def test_in_rewards_infos_and_state_until_the_end(self, env_id):
        agents, single = make(env_id), gym.make(env_id, **SHORT)
        rng = np.random.default_rng(0)
        observations, infos = agents.reset(seed=5)
        whole, _ = single.reset(seed=5)
        assert infos == {"user_0": {}, "user_1": {}, "user_2": {}}
        for left in (3, 2, 1, 0):
            assert agents.agents == ["user_0", "user_1", "user_2"]
            np.testing.assert_array_equal(agents.state(), spaces.flatten(single.observation_space, whole))
            actions = random_actions(agents, rng)
            joint = np.stack(list(actions.values()), axis=-1).ravel()  # all users' first entries, then all second
            whole, reward, _, truncated, info = single.step(joint)
            observations, rewards, terminations, truncations, infos = agents.step(actions)
            assert rewards == dict.fromkeys(actions, reward)
            assert terminations == dict.fromkeys(actions, False)
            assert truncations == dict.fromkeys(actions, truncated) == dict.fromkeys(actions, left == 0)
            assert set(observations) == set(infos) == set(actions)
            for user, agent in enumerate(actions):
                own = ("sent_bits", "starved") if "starved" in info else ("offload", "capped")
                for name in ("latency_s", "rate_bps", "server_hz", "missed_users", *own):
                    assert infos[agent][name] == info[name][user]
                assert "max_latency_s" not in infos[agent]
        assert agents.agents == []
        with pytest.raises(ResetNeeded, match="reset"):
            agents.step(actions)
        agents.reset()
        assert agents.num_agents == 3

    def test_an_agents_powers_and_split_are_its_own(self):
        agents = make(num_subcarriers=2)
        agents.reset(seed=0)
        actions = {"user_0": [0.1, 0.2, 0.3], "user_1": [0.4, 0.5, 0.6], "user_2": [0.7, 0.3, 0.9]}
        block = agents.base.block
        *_, infos = agents.step(actions)
        assert [info["offload"] for info in infos.values()] == pytest.approx([0.3, 0.6, 0.9])
        power = np.array([[0.1, 0.4, 0.7], [0.2, 0.5, 0.3]])
        sinr = power * block.signal_gain / (1 + (block.interference_gain @ power[..., None])[..., 0])
        rate_bps = 10e6 * np.log2(1 + sinr).sum(0)
        assert [info["rate_bps"] for info in infos.values()] == pytest.approx(rate_bps)

    @paper_b_env
    def test_an_agents_shares_of_servers_are_its_own(self, env_id):
        agents = make(env_id, **SHARED_SPLIT)
        agents.reset(seed=0)
        sites, cloud = (16, True) if env_id == "MECUserCentric-v0" else (4, False)
        assert agents.action_space("user_0").shape == (1 + 1 + sites + cloud,)
        rng = np.random.default_rng(1)
        actions = {agent: rng.uniform(0, 0.3, (2 + sites + cloud,)) for agent in agents.agents}  # within budgets
        servers = agents.base.block.servers
        *_, infos = agents.step(actions)
        for user, agent in enumerate(actions):
            ap_hz = (actions[agent][2 : 2 + sites] * servers.ap_hz * servers.serves[:, user]).sum()
            cloud_hz = actions[agent][-1] * servers.cloud_hz if cloud else 0.0
            assert infos[agent]["server_hz"] == pytest.approx(ap_hz + cloud_hz)
            assert infos[agent]["offload"] == pytest.approx(actions[agent][1])

    @paper_b_env
    def test_without_a_split_it_is_no_part_of_the_action(self, env_id):
        assert make(env_id, computing_control="least").action_space("user_0").shape == (1,)

    def test_seeds_reproduce_whole_episodes(self):
        first, second = make("MECUserCentric-v0"), make("MECUserCentric-v0")
        one, other = first.reset(seed=3), second.reset(seed=3)
        rng = np.random.default_rng(0)
        while first.agents:
            for agent in first.agents:
                np.testing.assert_array_equal(one[0][agent], other[0][agent])
            actions = random_actions(first, rng)
            one, other = first.step(actions), second.step(actions)
            assert one[1:4] == other[1:4]
        assert not np.array_equal(first.reset()[0]["user_0"], first.reset(seed=3)[0]["user_0"])

    def test_wrappers_of_actions_work_below_it(self):
        wrapped = RescaleAction(LogPowerAction(gym.make("MECCellFree-v0", **SHORT)), np.float32(-1), np.float32(1))
        agents, single = UserAgents(wrapped), gym.make("MECCellFree-v0", **SHORT).unwrapped
        assert agents.action_space("user_0") == spaces.Box(-1, 1, (1,))
        agents.reset(seed=0), single.reset(seed=0)
        _, rewards, *_ = agents.step({"user_0": [-1], "user_1": [0], "user_2": [1]})
        power = np.array([[1e-4, 1e-2, 1]])

        _, reward, *_ = single.step(single.encode(power, best_offload(single.block, power)))
        assert rewards["user_1"] == pytest.approx(reward, rel=1e-5)

    @paper_b_env
    def test_in_db_an_agent_has_one_weight_at_all_servers(self, env_id):
        agents = UserAgents(LogPowerAction(gym.make(env_id, **SHORT)))
        assert agents.action_space("user_2") == spaces.Box(np.float32([-40, -20]), np.float32([0, 0]))
        agents.reset(seed=0)
        servers = agents.base.block.servers
        *_, infos = agents.step({agent: [0, -20 * (agent == "user_1")] for agent in agents.agents})
        weight = np.array([1, 0.01, 1])
        server_hz = servers.divided(np.broadcast_to(weight, servers.serves.shape), weight).total_hz
        assert [info["server_hz"] for info in infos.values()] == pytest.approx(server_hz, rel=1e-5)

    def test_pictures_are_those_of_the_environment(self):
        fields = {"render_mode": "rgb_array", **SHORT}
        agents, single = make(**fields), gym.make("MECCellFree-v0", **fields)
        agents.reset(seed=0), single.reset(seed=0)
        assert agents.render_mode == "rgb_array"
        np.testing.assert_array_equal(agents.render(), single.render())
        agents.close()


class TestResetOptions:
    def test_a_scenario_passes_through(self):
        env = make()
        other = env.base.scenario.replace(radius_m=200.0, episode_blocks=1)
        env.reset(seed=0, options={"scenario": other})
        assert env.base.scenario.layout.radius_m == 200
        *_, truncations, _ = env.step(random_actions(env, np.random.default_rng(0)))
        assert all(truncations.values())

    def test_shapes_stay(self):
        with pytest.raises(ValueError, match="num_users=4"):
            make().reset(options={"scenario": Scenario.paper_a(**{**SHORT, "num_users": 4})})


class TestErrors:
    @pytest.mark.parametrize("number", [0, -1, 1.5, True, "4", None])
    def test_number_of_interferers(self, number):
        with pytest.raises(ValueError, match=r"num_interferers=.* whole number from 1"):
            make(num_interferers=number)

    @pytest.mark.parametrize("kind", ["own", None, True])
    def test_kind_of_rewards(self, kind):
        with pytest.raises(ValueError, match=r"rewards=.* 'shared', 'individual'"):
            make(rewards=kind)

    def test_its_own_arguments_are_no_fields_of_a_scenario(self):
        assert not {"num_interferers", "rewards"} & Scenario().to_dict().keys()

    def test_unknown_fields(self):
        with pytest.raises(ValueError, match=r"'num_user' is not a field .* num_users"):
            make(num_user=3)

    def test_other_environments(self):
        with pytest.raises(ValueError, match=r"env=.* must be an environment of mec_cf_gym"):
            UserAgents(gym.make("CartPole-v1"))
        with pytest.raises(ValueError, match="with its own observation"):
            UserAgents(FlattenObservation(gym.make("MECCellFree-v0", **SHORT)))

    def test_actions_that_treat_users_differently(self):
        env = gym.make("MECCellFree-v0", **SHORT)
        low = np.arange(6, dtype=np.float32) / 6 - 1
        with pytest.raises(ValueError, match=r"env\.action_space=.* for each of the 3 users"):
            UserAgents(RescaleAction(env, low, np.ones(6, np.float32)))

    @pytest.mark.parametrize("seed", [-1, 0.5, "1"])
    def test_seeds(self, seed):
        with pytest.raises(ValueError, match="seed="):
            make().reset(seed=seed)

    def test_options_that_are_none(self):
        with pytest.raises(ValueError, match="options="):
            make().reset(options=7)

    def test_before_the_first_reset(self):
        env = make()
        with pytest.raises(ResetNeeded):
            env.step({})
        with pytest.raises(ResetNeeded):
            env.state()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"user_1": [0.5, np.nan]}, r"actions\['user_1'\]\[1\]=nan .* in \[0, 1\]"),
            ({"user_2": [1.1, 0.5]}, r"actions\['user_2'\]\[0\]=1.1 "),
            ({"user_0": [0.5]}, r"actions\['user_0'\]=.* array of \(2,\)"),
            ({"user_0": ["a", "b"]}, r"actions\['user_0'\]=.* real numbers"),
            ({"user_3": [0.5, 0.5]}, r"actions=.*'user_3'.* one for each of user_0 \.\. user_2"),
        ],
    )
    def test_actions(self, change, message):
        env = make()
        env.reset(seed=0)
        good = {agent: [0.5, 0.5] for agent in env.agents}
        with pytest.raises(ValueError, match=message):
            env.step(good | change)
        expected = make()
        expected.reset(seed=0)
        assert env.step(good)[1] == expected.step(good)[1]  # nothing had changed

    @pytest.mark.parametrize("actions", [{"user_0": [0.5, 0.5]}, {}, None, [[0.5, 0.5]] * 3])
    def test_agents_without_an_action(self, actions):
        env = make()
        env.reset(seed=0)
        with pytest.raises(ValueError, match=r"actions=.* one for each"):
            env.step(actions)


class TestImport:
    def test_the_package_itself_needs_no_pettingzoo(self, tmp_path):
        code = (
            "import sys, mec_cf_gym; assert 'pettingzoo' not in sys.modules\n"
            "sys.modules['pettingzoo'] = None\n"  # as if it were not installed
            "try: mec_cf_gym.parallel_env\n"
            "except ImportError as error: print(error)"
        )
        result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert result.stdout.strip() == "parallel_env needs pettingzoo: pip install 'mec-cf-gym[multiagent]'", (
            result.stderr
        )
