"""Agents are compared with a reference on networks of their own split, the same ones every time."""

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.agents import Validation
from mec_cf_gym.agents.validation import reference_for
from mec_cf_gym.baselines import ExactMinMax
from mec_cf_gym.baselines.fast.solver import FastMinMax
from mec_cf_gym.evaluation import seeds

SCENARIO = Scenario.paper_a(num_users=3, num_subcarriers=1, num_aps=8)


class Oracle:
    """Knows the block, and does what the exact solver does."""

    def __init__(self, validation):
        self.env = validation.env.unwrapped

    def predict(self, observation, state=None):
        solution = ExactMinMax().solve(self.env.block)
        return self.env.encode(solution.power, solution.offload), state


class FullPower:
    def predict(self, observation, state=None):
        self.calls = (state or 0) + 1
        return np.ones((len(observation["signal"]), 6)), self.calls


def test_the_reference_itself_has_no_gap():
    validation = Validation("MECCellFree-v0", SCENARIO, networks=4, blocks=2)
    gap = validation.gap(Oracle(validation))
    assert gap.mean == pytest.approx(0, abs=1e-5)
    assert gap.p95 == pytest.approx(0, abs=1e-5)


def test_others_have_one_and_it_repeats():
    validation = Validation("MECCellFree-v0", SCENARIO, networks=4, blocks=3)
    agent = FullPower()
    gap = validation.gap(agent)
    assert gap.low < gap.mean < gap.high
    assert gap.mean > 0.05
    assert gap == validation.gap(agent)
    assert agent.calls == 3  # what it remembers begins anew


def test_networks_are_the_first_of_the_split():
    assert Validation("MECCellFree-v0", SCENARIO, networks=3, split="test").seeds == list(seeds("test", 3))
    with pytest.raises(ValueError, match="split='other'"):
        Validation("MECCellFree-v0", SCENARIO, split="other")


def test_the_reference_is_exact_where_an_exact_solver_exists():
    assert isinstance(reference_for(SCENARIO), ExactMinMax)
    assert isinstance(reference_for(Scenario.paper_a()), FastMinMax)
