"""Checks an installed wheel: run in an environment that holds only the wheel and its core dependencies."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import gymnasium as gym

import mec_cf_gym
from mec_cf_gym.baselines import EqualSplit

package = Path(mec_cf_gym.__file__).parent
assert "site-packages" in package.parts, package
assert (package / "py.typed").exists(), "py.typed is missing"
files = importlib.metadata.files("mec-cf-gym") or []
top_level = {file.parts[0] for file in files if not file.parts[0].endswith(".dist-info")} - {"..", "mec_cf_gym"}
assert not top_level, f"unexpected at top level: {top_level}"
for name in ("agents", "baselines"):
    assert importlib.util.find_spec(name) is None, f"{name} is importable at top level"
    assert importlib.util.find_spec(f"mec_cf_gym.{name}") is not None, f"mec_cf_gym.{name} is missing"
heavy = {"torch", "cvxpy", "matplotlib"} & set(sys.modules)
assert not heavy, f"loaded: {heavy}"

for env_id in mec_cf_gym.registration.env_ids():
    env = gym.make(env_id)
    env.reset(seed=0)
    solution = EqualSplit().solve(env.unwrapped.block)
    _, reward, *_ = env.step(env.unwrapped.encode(solution.power, solution.offload))
    print(f"{env_id} from the wheel: reward {reward:.4f}")
