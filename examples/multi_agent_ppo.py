"""Every user is an agent, and all share one policy: PPO of Stable-Baselines3 on what single users know.

Each agent sees its own link and task, and the strongest links to and from others. It chooses its power in dB; the
network then splits the tasks in the best way. About a minute of training with ten users, then a comparison on
unseen networks with five, ten and twenty.

Run: python examples/multi_agent_ppo.py [--steps 20000] [--rewards individual]
"""

import argparse

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import RescaleAction
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from mec_cf_gym.agents import LogPowerAction
from mec_cf_gym.baselines import ExactMinMax, FullPower
from mec_cf_gym.envs.local import joint_action
from mec_cf_gym.envs.parallel import REWARD_KINDS, UserAgents
from mec_cf_gym.evaluation import evaluate, summarise, table

ENV_ID, SETTING = "MECCellFree-v0", {"num_subcarriers": 1}
NUM_ENVS, NUM_USERS = 8, 10


def make_users(num_users: int, num_interferers: int, rewards: str = "shared") -> UserAgents:
    """Return an environment whose agents act in [-1, 1], from -40 dB to full power."""
    env = gym.make(ENV_ID, num_users=num_users, reward="log_latency", episode_blocks=10, **SETTING)
    rescaled = RescaleAction(LogPowerAction(env), np.float32(-1), np.float32(1))
    return UserAgents(rescaled, num_interferers=num_interferers, rewards=rewards)


class UserRows(VecEnv):
    """Multi-agent environments side by side: every user of each is a row, so that one policy acts for all."""

    def __init__(self, envs: list[UserAgents]) -> None:
        self.envs, self.agents = envs, envs[0].possible_agents
        first = self.agents[0]
        rows = len(envs) * len(self.agents)
        super().__init__(rows, envs[0].observation_space(first), envs[0].action_space(first))

    def reset(self) -> np.ndarray:
        """Reset all, every environment with a seed of its own if one was set."""
        observed = [env.reset(seed)[0] for env, seed in zip(self.envs, self._seeds, strict=False)]
        self._reset_seeds()
        return self._rows(observed)

    def step_async(self, actions: np.ndarray) -> None:
        """Remember the actions."""
        self.actions = actions.reshape(len(self.envs), len(self.agents), -1)

    def step_wait(self):
        """Step all, and reset those whose episode ended."""
        stepped = [
            env.step(dict(zip(self.agents, rows, strict=True)))
            for env, rows in zip(self.envs, self.actions, strict=True)
        ]
        observed, rewards, _, truncated, infos = map(list, zip(*stepped, strict=True))
        for index, env in enumerate(self.envs):
            if not env.agents:
                for agent in self.agents:
                    end = {"terminal_observation": observed[index][agent], "TimeLimit.truncated": True}
                    infos[index][agent] |= end
                observed[index], _ = env.reset()
        flat_infos = [info[agent] for info in infos for agent in self.agents]
        return self._rows(observed), self._rows(rewards).astype(np.float32), self._rows(truncated), flat_infos

    def _rows(self, dicts: list[dict]) -> np.ndarray:
        return np.stack([values[agent] for values in dicts for agent in self.agents])

    def close(self) -> None:
        """Close all."""
        for env in self.envs:
            env.close()

    def get_attr(self, attr_name, indices=None):
        """Return an attribute of the environment that each row belongs to."""
        return [getattr(env, attr_name) for env in self._envs_of(indices)]

    def set_attr(self, attr_name, value, indices=None):
        """Set an attribute of the environments that rows belong to."""
        for env in self._envs_of(indices):
            setattr(env, attr_name, value)

    def env_method(self, method_name, *method_args, indices=None, **method_kwargs):
        """Call a method of the environment that each row belongs to, once for each row."""
        return [getattr(env, method_name)(*method_args, **method_kwargs) for env in self._envs_of(indices)]

    def _envs_of(self, indices):
        return [self.envs[row // len(self.agents)] for row in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class, indices=None):
        """No row is an environment of Gymnasium."""
        return [False] * len(self._get_indices(indices))


class SharedPolicy:
    """The trained agents as a policy: each decides on its own observation, without exploration."""

    def __init__(self, model: PPO, normaliser: VecNormalize, users: UserAgents) -> None:
        self.model, self.normaliser, self.users = model, normaliser, users

    def reset(self, seed: int) -> None:
        """Begin an episode; the agents remember nothing."""

    def allocate(self, observation, block):
        """Return the allocation that all agents' actions make up."""
        seen = self.normaliser.normalize_obs(self.users.local.observe(observation))
        actions, _ = self.model.predict(seen, deterministic=True)
        rescale = self.users.env
        decibels = rescale.action(joint_action(actions))
        return self.users.base.codec.decode(
            rescale.env.log_power.plain(decibels, observation, block.link), block.servers
        )


def main() -> None:
    """Train, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="coherence blocks to train for")
    parser.add_argument("--rewards", choices=REWARD_KINDS, default="shared", help="what each agent earns")
    parser.add_argument("--interferers", type=int, default=4, help="how many others an agent hears and knows")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--networks", type=int, default=100, help="unseen networks to compare on")
    options = parser.parse_args()

    envs = [make_users(NUM_USERS, options.interferers, options.rewards) for _ in range(NUM_ENVS)]
    rows = VecNormalize(UserRows(envs), norm_reward=False)
    # blocks are independent given the topology, a contextual bandit: gamma = 0
    model = PPO(
        "MlpPolicy",
        rows,
        gamma=0.0,
        n_steps=64,
        batch_size=512,
        n_epochs=5,
        learning_rate=lambda left: 1e-3 * left,
        policy_kwargs={"log_std_init": -1.0},
        seed=options.seed,
        device="cpu",
    )
    model.learn(options.steps * NUM_USERS, progress_bar=True)

    for num_users in (5, NUM_USERS, 20):  # what an agent sees does not depend on how many there are
        policies = {
            "full power (equal split)": FullPower(),
            "shared PPO": SharedPolicy(model, rows, make_users(num_users, options.interferers)),
            "exact": ExactMinMax(),
        }
        records = evaluate(policies, ENV_ID, topologies=options.networks, blocks=2, num_users=num_users, **SETTING)
        print(f"\n{num_users} users\n" + table(summarise(records, reference="exact")))


if __name__ == "__main__":
    main()
