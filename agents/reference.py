"""The policy that agents are compared with."""

from __future__ import annotations

from mec_cf_gym.allocation import Policy
from mec_cf_gym.baselines.dynamic.drift import DriftPlusPenalty
from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.fast.solver import FastMinMax
from mec_cf_gym.scenario import Scenario


def reference_for(scenario: Scenario) -> Policy:
    """Return the policy that agents of a scenario are compared with."""
    if scenario.is_dynamic:
        return DriftPlusPenalty()
    return ExactMinMax() if scenario.radio.num_subcarriers == 1 else FastMinMax()
