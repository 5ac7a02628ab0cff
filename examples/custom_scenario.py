"""A scenario of one's own: walking users with unequal tasks, correlated fading and an imperfect channel estimate.

Run: python examples/custom_scenario.py
"""

import gymnasium as gym

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import EqualSplit

scenario = Scenario.paper_a(
    num_users=6,
    num_aps=100,
    num_subcarriers=2,
    task_bits=(500, 2000),  # a pair is a range: drawn anew for each user and block
    local_hz=(0.5e9, 2e9),  # drawn once per user and network
    mobility="random_waypoint",
    speed_m_per_s=(1, 20),
    fading="gauss_markov",
    csi_error_variance=0.05,
)
env = gym.make("MECCellFree-v0", scenario=scenario, episode_blocks=20)
policy = EqualSplit()

observation, _ = env.reset(seed=7)
truncated = False
while not truncated:
    allocation = policy.allocate(observation, env.unwrapped.block)
    action = env.unwrapped.encode(allocation.power, allocation.offload)
    observation, reward, _, truncated, info = env.step(action)
    print(f"largest latency {-reward:.3f} ms, Gini index {info['gini']:.3f}, missed: {info['deadline_missed']}")

# a curriculum changes the scenario at a reset; shapes stay, everything else may change
harder = scenario.replace(radius_m=1500, csi_error_variance=0.2)
env.reset(options={"scenario": harder})
print("the next episode has a radius of", env.unwrapped.scenario.layout.radius_m, "m")
