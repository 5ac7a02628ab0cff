"""The exact solver on the gains that observations have shown: a policy for delayed CSI."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.envs.observation import ratio_of
from mec_cf_gym.envs.running_mean import RunningMean
from mec_cf_gym.errors import refuse
from mec_cf_gym.performance.latencies import best_offload


class OutdatedExact:
    """The exact optimum for past gains, its powers raised towards full power; one subcarrier only.

    It is solved for the gains ``mean + freshness (last - mean)`` of those that observations have shown in the
    episode. Tasks and speeds are current. Where combiners follow the powers, gains are those for full power.

    Args:
        exponent: Of the optimal power ratios: 1 trusts them, 0 is full power.
        freshness: Weight of the last gains: 1 remembers nothing, 0 is their mean.

    Raises:
        ValueError: If either is not in [0, 1].

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFreeDelayed-v0", num_users=3).unwrapped
        >>> seen, _ = env.reset(seed=0)
        >>> OutdatedExact(freshness=0.3).allocate(seen, env.block).power.shape
        (1, 3)
    """

    def __init__(self, exponent: float = 1.0, freshness: float = 1.0) -> None:
        for name, value in {"exponent": exponent, "freshness": freshness}.items():
            if not 0 <= value <= 1:
                raise refuse(name, value, "it must be in [0, 1]")
        self.exponent, self.freshness, self.solver = exponent, freshness, ExactMinMax()
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode: past gains are forgotten."""
        self.mean: RunningMean | None = None

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return powers and the best split for the past gains, of one network or of a batch."""
        self.mean = RunningMean.start(observation) if self.mean is None else self.mean.update(observation)
        last = {name: ratio_of(observation[name]) for name in ("signal", "interference")}
        believed = dataclasses.replace(
            block,
            signal_gain=self.mean.signal + self.freshness * (last["signal"] - self.mean.signal),
            interference_gain=self.mean.interference
            + self.freshness * (last["interference"] - self.mean.interference),
            channel=None,
            receiver=None,
        )
        power = self.solver.solve(believed).power ** self.exponent
        return Allocation(power, best_offload(believed, power))


outdated_exact = partial(OutdatedExact, exponent=0.65, freshness=1.0)
"""The best without a memory in ``MECCellFreeDelayed-v0``, on validation networks."""
averaged_exact = partial(OutdatedExact, exponent=0.65, freshness=0.3)
"""The best of all there (benchmarks/memory.py)."""
