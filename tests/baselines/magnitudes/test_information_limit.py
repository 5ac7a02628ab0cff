"""The information limit: better than expectations alone, on phases and in blocks that it has not met."""

import dataclasses

import numpy as np
import pytest

from mec_cf_gym.baselines import ExactMinMax, FastMinMax, InformationLimit, MagnitudeOnly
from mec_cf_gym.baselines.magnitudes.phases import Phases
from mec_cf_gym.performance.latencies import latency

from ...conftest import draw_blocks

SMALL = {"num_users": 10, "num_aps": 64, "num_subcarriers": 1}


def mean_latency_s(block, found):
    """Return the mean largest latency of an allocation under phases of a seed that no solver uses."""
    drawn = Phases(block, seed=987).drawn(3000)
    power, offload = found.power, found.offload
    gains = {name: np.asarray(getattr(drawn, name)) for name in ("signal_gain", "interference_gain")}
    return latency(dataclasses.replace(drawn, **gains), power, offload).max(-1).mean()


@pytest.mark.parametrize("fields", [{}, {"local_computing": False}, {"csi_error_variance": 0.1}], ids=str)
def test_it_is_better_than_the_mean_interference_alone(fields):
    for block in draw_blocks(2, **SMALL, **fields).rows():
        before, after = MagnitudeOnly(FastMinMax()).solve(block), InformationLimit(steps=150).solve(block)
        assert mean_latency_s(block, after) < mean_latency_s(block, before)
        assert (after.power.sum(0) <= 1 + 1e-12).all()
        assert ((after.offload >= 0) & (after.offload <= 1)).all()
        assert after.history[1] < after.history[0]


def test_what_it_expects_is_the_mean_over_phases():
    block = next(draw_blocks(1, **SMALL).rows())
    found = InformationLimit(steps=60, draws=256).solve(block)
    assert found.history[-1] == pytest.approx(mean_latency_s(block, found), rel=5e-3)


def test_as_printed_nothing_is_left_to_chance():
    block = next(draw_blocks(1, **SMALL, interference="printed").rows())
    found = InformationLimit(steps=50).solve(block)
    assert found.max_latency == pytest.approx(float(ExactMinMax().solve(block).max_latency), rel=1e-6)


def test_the_same_seed_gives_the_same_decision_alone_and_in_a_batch():
    block, solver = draw_blocks(2, **SMALL), InformationLimit(steps=60)
    whole = solver.solve(block)
    for index, row in enumerate(block.rows()):
        np.testing.assert_array_equal(solver.solve(row).power, whole.power[index])
    assert (InformationLimit(steps=60, seed=1).solve(block).power != whole.power).any()


@pytest.mark.parametrize("options", [{"steps": 0}, {"draws": 0}, {"learning_rate": 0.0}, {"seed": -1}], ids=str)
def test_bad_arguments_are_named(options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        InformationLimit(**options)
