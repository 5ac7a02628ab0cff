"""Times cases of benchmarks/speed.py with whatever version of the package this process imports.

Reads lines of JSON, ``{"case": ..., "calls": ...}``, and answers each with CPU seconds, or for decisions wall
seconds, of one call, with the peak resident memory in MiB, or with the reason why it cannot run.
"""

import json
import resource
import sys
import time

import gymnasium as gym

import mec_cf_gym
from mec_cf_gym import baselines
from mec_cf_gym.evaluation import load_policy

WARM_UP = 2


def vector_step(env, rows, **fields):
    """Return a step of the native vector environment; autoresets included."""
    envs = gym.make_vec(env, num_envs=rows, **fields)
    envs.reset(seed=0)
    actions = envs.action_space.sample()
    return lambda: envs.step(actions)


def single_step(env, **fields):
    """Return a step of the single environment, as ``gym.make`` wraps it; resets included."""
    one = gym.make(env, **fields)
    one.reset(seed=0)
    action = one.action_space.sample()

    def step():
        if one.step(action)[3]:
            one.reset()

    return step


def reset(env, **fields):
    """Return a reset of the single environment."""
    one = gym.make(env, **fields)
    one.reset(seed=0)
    return one.reset


def solve(env, solver, **fields):
    """Return a decision of a solver for one block."""
    one = gym.make(env, **fields).unwrapped
    one.reset(seed=0)
    found, block = getattr(baselines, solver)(), one.block
    return lambda: found.solve(block)


def decide(env, policy, rows=0, **fields):
    """Return a decision of an installed policy, for one block or for a batch."""
    one = gym.make_vec(env, num_envs=rows, **fields) if rows else gym.make(env, **fields)
    observation, _ = one.reset(seed=0)
    found, block = load_policy(policy), one.unwrapped.block
    found.reset(0)
    return lambda: found.allocate(observation, block)


KINDS = {"vector": vector_step, "single": single_step, "reset": reset, "solve": solve, "decide": decide}
ON_THE_WALL = ("solve", "decide")


def answer(case, calls, ready):
    """Return what a line asks for; what was prepared for a case is kept in ``ready``."""
    key = json.dumps(case)
    if key not in ready:
        options = dict(case)
        ready[key] = KINDS[options.pop("kind")](**options)
        for _ in range(WARM_UP):
            ready[key]()
    clock = time.perf_counter if case["kind"] in ON_THE_WALL else time.process_time
    began = clock()
    for _ in range(calls):
        ready[key]()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": (clock() - began) / calls, "peak_mib": peak_mib}


if __name__ == "__main__":
    print(json.dumps({"version": mec_cf_gym.__version__}), flush=True)
    prepared = {}
    for line in sys.stdin:
        try:
            said = answer(**json.loads(line), ready=prepared)
        except Exception as error:  # of a version that lacks what the case needs
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)
