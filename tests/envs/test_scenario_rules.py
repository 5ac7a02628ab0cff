"""A reset goes on with another scenario if nothing that has a shape changes, whatever field that is."""

import gymnasium as gym
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.scenario.scenario import leaf_fields

from ..settings import SMALL

FOUR_USERS = SMALL | {"num_users": 4}
SHAPES = sorted(name for name, field in leaf_fields().items() if field.metadata.get("shapes"))
COUNTS_WITHOUT_A_SHAPE = {"block_samples", "quantisation_bits", "csi_delay_blocks", "episode_blocks"}
COUNTS_WITHOUT_A_SHAPE |= {"snapshot_blocks", "handover_blocks"}
OTHER = {"num_aps": 25, "num_base_stations": 9, "num_users": 5, "antennas_per_ap": 2, "pilot_samples": 3}


def test_every_whole_number_shapes_something_unless_its_field_says_otherwise():
    counts = {name for name, field in leaf_fields().items() if "shapes" in field.metadata}
    assert counts - set(SHAPES) == COUNTS_WITHOUT_A_SHAPE


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "num_subcarriers"])
def test_a_field_that_shapes_arrays_must_stay(name):
    env = gym.make("MECUserCentric-v0", **FOUR_USERS)
    env.reset(seed=0)
    other = Scenario.paper_b(**{**FOUR_USERS, name: OTHER.get(name, 9)})
    with pytest.raises(ValueError, match=rf"^{name}=.* reset\(\) keeps shapes"):
        env.reset(options={"scenario": other})


@pytest.mark.parametrize(
    ("name", "value"),
    [("observation", "csi"), ("server", "dedicated"), ("computing_control", "least"), ("local_computing", True)],
)
def test_so_must_one_that_changes_the_spaces_and_it_is_named_beside_others_that_do_not(name, value):
    env = gym.make("MECUserCentric-v0", **FOUR_USERS)
    env.reset(seed=0)
    other = Scenario.paper_b(**FOUR_USERS, deadline_s=0.7, **{name: value}, cloud_hz=1e9)
    with pytest.raises(ValueError, match=rf"^{name}={value!r} .* reset\(\) keeps shapes"):
        env.reset(options={"scenario": other})


def test_all_other_fields_may_change_and_the_contract_follows():
    env = gym.make("MECUserCentric-v0", **FOUR_USERS).unwrapped
    env.reset(seed=0)
    env.reset(options={"scenario": Scenario.paper_b(**FOUR_USERS, bandwidth_hz=1e7, fronthaul_bps=1e9)})
    assert env.scenario.radio.bandwidth_hz == 1e7
    assert env.contract.link == env.block.link
    assert env.contract.link.subcarrier_bandwidth_hz == 1e7
