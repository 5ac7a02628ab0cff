"""Paper B's users and claims, on measurements that are made up."""

import dataclasses

import numpy as np
import pytest

from mec_cf_gym.baselines.reproduce.paper_b import claims
from mec_cf_gym.baselines.reproduce.paper_b.users import Users


def users(**fields):
    """Return what was measured, the same for all of 20 topologies, 2 blocks and 4 users but for what is given."""
    usual = {
        "power_w": 0.02,
        "full_power_w": 0.1,
        "computing_hz": 3e9,
        "rate_bps": 1e8,
        "spectral_efficiency": 5.0,
        "missed": 0.0,
    }
    spread = np.linspace(0.99, 1.01, 20)[:, None, None]
    return Users(*(spread * np.broadcast_to(value, (20, 2, 4)) for value in (usual | fields).values()))


def test_a_claim_is_judged_on_the_fewest_topologies_that_decide_it():
    claim = claims.POWER[2]  # 8 to 12 % at full power
    share = np.random.default_rng(0).random((4000, 2, 4)) < 0.1
    cellular = Users(*(np.broadcast_to(1.0, share.shape) for _ in range(6)))
    cellular = dataclasses.replace(cellular, power_w=np.where(share, 1.0, 0.5))
    few, many = claims.decide(claim, {"cellular": cellular[:10]}, [10, 4000]), {"cellular": cellular}
    assert (few.topologies, few.holds) == (10, "undecided")
    decided = claims.decide(claim, many, [10, 1000, 4000])
    assert (decided.topologies, decided.holds) == (1000, "yes")
    assert decided == claims.find(claim, {"cellular": cellular[:1000]})


def test_energy_and_ergodic_efficiency_are_those_of_all_blocks():
    found = Users(
        power_w=np.array([[[0.01], [0.03]]]),
        full_power_w=np.ones((1, 2, 1)),
        computing_hz=np.ones((1, 2, 1)),
        rate_bps=np.array([[[40e6], [160e6]]]),
        spectral_efficiency=np.array([[[2.0], [8.0]]]),
        missed=np.zeros((1, 2, 1)),
    )
    assert found.ergodic_efficiency == 5.0
    assert found.energy_j_per_mbit == pytest.approx(0.02 / 100)


def test_computing_of_users_who_miss_their_deadlines_is_not_the_least():
    missed = np.zeros((20, 2, 4))
    missed[:, 0, 0] = 1.0
    found = users(computing_hz=np.where(missed, 1e12, 3e9), missed=missed)
    assert found.timely_computing_hz.size == 20 * 7
    assert found.timely_computing_hz.max() < 1e10
    np.testing.assert_allclose(found.total_computing_hz, 12e9, rtol=0.02)
    assert np.isnan(users(missed=1.0).total_computing_hz).all()


def test_claims_are_judged_by_their_range():
    def holds(claim, **measured):
        return claims.find(claim, {name.replace("_", "-"): value for name, value in measured.items()}).holds

    below_cellular, below_full, at_full, top = claims.POWER
    for factor, verdict in ((0.65, "yes"), (0.5, "no"), (0.9, "no")):
        assert holds(below_cellular, cell_free=users(power_w=0.02 * factor), cellular=users()) == verdict
    assert holds(below_full, cell_free=users(power_w=0.025)) == "yes"
    for topologies, verdict in ((2, "undecided"), (10, "no")):  # 10 % on average, within a wide interval
        at_most = np.arange(20)[:, None, None] < topologies
        assert holds(at_full, cellular=users(power_w=np.where(at_most, 0.1, 0.01))) == verdict
    assert [holds(top, cell_free=users(power_w=watts)) for watts in (0.04, 0.06)] == ["no", "yes"]
    total, low = claims.COMPUTING
    assert holds(total, cell_free=users(computing_hz=2.64e9), cellular=users()) == "yes"
    assert holds(low, cell_free=users(computing_hz=2.85e9), cellular=users()) == "no"
    assert holds(total, cell_free=users(missed=1.0), cellular=users()) == "undecided"  # nobody is in time
    median, likely, energy, largest_energy = claims.EFFICIENCY
    assert holds(median, cell_free=users(spectral_efficiency=10), cellular=users()) == "yes"
    assert holds(likely, cell_free=users(spectral_efficiency=10), cellular=users()) == "no"
    for claim in (energy, largest_energy):
        assert holds(claim, cell_free=users(power_w=0.05)) == "yes"
