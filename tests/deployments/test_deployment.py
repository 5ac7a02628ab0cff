"""Families of networks: sites, antennas and servers follow from the scenario, and a new family is one class."""

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.deployments import DEPLOYMENTS
from mec_cf_gym.deployments.disk import Disk
from mec_cf_gym.envs import MECEnv
from mec_cf_gym.network.layout import CellFree
from mec_cf_gym.parts import REGISTRIES, Parts


@pytest.mark.parametrize(
    ("scenario", "sites", "antennas", "cloud", "combiner"),
    [
        (Scenario.paper_a(num_aps=9, num_users=4, combiner="auto"), 9, 9, False, "mrc"),
        (Scenario.paper_a(num_aps=9, num_users=4, deployment="cellular", combiner="zf"), 9, 9, False, "zf"),
        (Scenario.paper_b(), 100, 400, True, "p_mmse"),
        (Scenario.paper_b(deployment="multi_cell"), 4, 400, False, "l_mmse"),
    ],
    ids=["cell_free", "cellular", "user_centric", "multi_cell"],
)
def test_sites_antennas_cloud_and_combiner_follow_from_the_scenario(scenario, sites, antennas, cloud, combiner):
    deployment = scenario.deployment
    assert (deployment.num_sites, deployment.num_antennas) == (sites, antennas)
    assert (deployment.has_cloud, deployment.combiner) == (cloud, combiner)
    assert (scenario.num_sites, scenario.num_antennas) == (sites, antennas)
    assert getattr(scenario.layout, deployment.sites_field) == sites


def test_noise_is_printed_once_for_each_access_point_and_once_for_a_base_station():
    def terms(**fields):
        return Scenario.paper_a_printed(num_aps=9, **fields).deployment.noise_terms

    assert (terms(), terms(deployment="cellular")) == (9, 1)
    assert Scenario.paper_a().deployment.noise_terms == 1


@pytest.mark.parametrize(
    ("scenario", "side_m"), [(Scenario.paper_a(radius_m=300.0), 600.0), (Scenario.paper_b(side_m=500.0), 500.0)]
)
def test_the_service_area_has_a_closed_border(scenario, side_m):
    border_m = scenario.deployment.border_m()
    np.testing.assert_allclose(border_m[0], border_m[-1], atol=1e-9)
    np.testing.assert_allclose(np.ptp(border_m, axis=0), side_m, rtol=1e-3)


def test_ways_on_the_square_wrap_around_and_those_on_the_disk_do_not():
    origin, target = np.array([[10.0, 500.0]]), np.array([[990.0, 500.0]])
    assert Scenario.paper_b().deployment.offsets_m(origin, target)[0, 0, 0] == -20
    assert Scenario.paper_a().deployment.offsets_m(origin, target)[0, 0, 0] == 980


class Row(CellFree):
    """Users and access points on a line."""

    def draw_users(self, streams):
        return super().draw_users(streams) * (1.0, 0.0)


@pytest.fixture
def rows(monkeypatch):
    """A third family, as somebody else's package would add it."""

    class Rows(Disk):
        layouts = Parts("deployment", family="rows", row=Row)

    monkeypatch.setitem(DEPLOYMENTS, "rows", Rows)
    gym.register(
        id="MECRow-v0",
        entry_point="mec_cf_gym.envs.single:MECEnv",
        vector_entry_point="mec_cf_gym.envs.vector:MECVectorEnv",
        kwargs={"deployment": "row"},
    )
    yield Rows
    del gym.registry["MECRow-v0"]
    REGISTRIES["deployment"].remove(Rows.layouts)


def test_a_family_of_ones_own_needs_no_change_of_the_package(rows):
    env = gym.make("MECRow-v0", num_users=3, num_aps=4)
    assert isinstance(env.unwrapped, MECEnv)
    env.reset(seed=0)
    assert isinstance(env.unwrapped.scenario.deployment, rows)
    assert (env.unwrapped.network.user_positions_m[:, 1] == 0).all()
    *_, info = env.step(env.action_space.sample())
    assert np.isfinite(info["latency_s"]).all()
    assert gym.make_vec("MECRow-v0", num_envs=2, num_users=3).reset(seed=0)[0]["signal"].shape == (2, 4, 3)
