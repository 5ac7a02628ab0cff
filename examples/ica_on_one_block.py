"""ICA on one coherence block, step by step, beside the heuristics and, for one subcarrier, the exact optimum.

Run: python examples/ica_on_one_block.py
"""

import gymnasium as gym

from mec_cf_gym.baselines import ICA, EqualSplit, ExactMinMax, WaterFilling

for num_subcarriers in (1, 4):
    env = gym.make("MECCellFree-v0", num_subcarriers=num_subcarriers)
    env.reset(seed=1)
    block = env.unwrapped.block

    print(f"\nN = {num_subcarriers}")
    for heuristic in (EqualSplit(), WaterFilling()):
        print(f"{type(heuristic).__name__:12} {1e3 * heuristic.solve(block).max_latency:.5f} ms")

    solution = ICA().solve(block)
    for step, largest_s in enumerate(solution.history):
        print(f"ICA step {step:3} {1e3 * largest_s:.5f} ms")
    subcarriers = solution.alpha[:, 0].nonzero()[0]
    print(f"{solution.status} in {solution.step_time_s.sum():.2f} s; user 0 sends on subcarriers {subcarriers}")

    if num_subcarriers == 1:
        exact = ExactMinMax().solve(block)
        print(f"exact        {1e3 * exact.max_latency:.5f} ms, certified above {1e3 * exact.lower_bound:.5f} ms")
