"""The scenario holds every number, checks it, and takes any leaf field by name."""

import dataclasses
import json

import numpy as np
import pytest

from mec_cf_gym import Layout, Radio, Scenario


def test_paper_a_has_the_papers_numbers():
    fields = Scenario.paper_a().to_dict()
    expected = {
        "radius_m": 1000,
        "bandwidth_hz": 20e6,
        "noise_dbm_per_hz": -174,
        "user_power_dbm": 10,
        "task_bits": 1e3,
        "cycles_per_bit": 1e3,
        "local_hz": 1e9,
        "server_hz": 5e9,
        "block_s": 0.5e-3,
        "receiver_noise": "physical",
    }
    assert {name: fields[name] for name in expected} == expected


def test_paper_a_as_printed_is_both_of_its_readings():
    assert Scenario.paper_a_printed() == Scenario.paper_a(receiver_noise="printed", interference="printed")
    assert Scenario.paper_a_printed(interference="physical").radio.receiver_noise == "printed"


def test_noise_as_printed_is_summed_over_the_aps_of_a_cell_free_network_only():
    physical, printed = Scenario.paper_a(num_aps=16), Scenario.paper_a_printed(num_aps=16)
    assert printed.noise_w == pytest.approx(16 * physical.noise_w)
    assert printed.replace(deployment="cellular").noise_w == physical.noise_w
    assert physical.noise_w == pytest.approx(10 ** (-174 / 10 - 3) * 20e6 / 4)


def test_leaf_names_are_unique():
    groups = [group.default_factory for group in dataclasses.fields(Scenario)]
    leaves = [leaf.name for group in groups for leaf in dataclasses.fields(group)]
    assert len(leaves) == len(set(leaves)) == len(Scenario().to_dict())


def test_fields_survive_json():
    scenario = Scenario.paper_a(num_users=7, task_bits=(500, 2000), local_computing=False)
    assert Scenario().replace(**json.loads(json.dumps(scenario.to_dict()))) == scenario


def test_whole_groups_and_leaves_can_be_replaced_together():
    scenario = Scenario().replace(layout=Layout(num_aps=9, num_users=3), num_users=4)
    assert (scenario.layout.num_aps, scenario.layout.num_users) == (9, 4)


def test_a_range_of_one_value_is_that_value():
    assert Scenario.paper_a(task_bits=(1e3, 1e3)) == Scenario.paper_a()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_users", 0),
        ("num_users", -3),
        ("num_users", 2.5),
        ("num_users", True),
        ("num_aps", "64"),
        ("radius_m", -1.0),
        ("radius_m", float("nan")),
        ("bandwidth_hz", float("inf")),
        ("num_subcarriers", 1334),
        ("task_bits", (2000, 500)),
        ("task_bits", (1, 2, 3)),
        ("task_bits", 0),
        ("csi_error_variance", 1.0),
        ("combiner", "best"),
        ("fading", None),
        ("local_computing", "yes"),
        ("layout", {"num_users": 3}),
        ("radio", Layout()),
    ],
)
def test_bad_values_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        Scenario().replace(**{field: value})


def test_the_error_says_what_is_allowed():
    with pytest.raises(ValueError, match=r"num_users=0 is not allowed: it must be a whole number from 1 to 1024"):
        Layout(num_users=0)
    with pytest.raises(ValueError, match="'mmse', 'mrc', 'p_mmse', 'p_rzf', 'zf'"):
        Radio(combiner="best")


def test_unknown_fields_are_refused_with_a_suggestion():
    with pytest.raises(ValueError, match="'num_user' is not a field of Scenario; did you mean num_users"):
        Scenario().replace(num_user=3)


def test_zero_forcing_needs_an_ap_per_user():
    with pytest.raises(ValueError, match=r"num_users=5 .* num_aps=4"):
        Scenario.paper_a(combiner="zf", num_users=5, num_aps=4)


def test_paper_b_has_the_papers_numbers():
    scenario = Scenario.paper_b()
    fields = scenario.to_dict()
    expected = {
        "num_aps": 100,
        "antennas_per_ap": 4,
        "num_base_stations": 4,
        "antennas_per_base_station": 100,
        "num_users": 20,
        "side_m": 1000,
        "bandwidth_hz": 20e6,
        "user_power_dbm": 20,
        "block_samples": 200,
        "pilot_samples": 5,
        "shadowing_db": 4,
        "shadowing_correlation_m": 9,
        "azimuth_spread_deg": 15,
        "elevation_spread_deg": 15,
        "path_loss_intercept_db": -30.5,
        "path_loss_exponent": 3.67,
        "cycles_per_bit": 500,
        "ap_hz": (1e9, 5e9),
        "cloud_hz": 100e9,
        "task_bits": (1e6, 5e6),
        "fronthaul_bps": 10e9,
        "quantisation_bits": 8,
        "fairness_weight_w": 0.6,
    }
    assert {name: fields[name] for name in expected} == expected
    assert 0.3 <= fields["deadline_s"] <= 0.5
    assert scenario.noise_w == pytest.approx(10 ** (-94 / 10 - 3))
    assert (scenario.num_sites, scenario.num_antennas) == (100, 400)
    multi_cell = Scenario.paper_b(deployment="multi_cell")
    assert (multi_cell.num_sites, multi_cell.num_antennas) == (4, 400)
    assert multi_cell.noise_w == scenario.noise_w


def test_paper_bs_fields_survive_json():
    scenario = Scenario.paper_b(deployment="multi_cell", deadline_s=(0.3, 0.5))
    assert Scenario().replace(**json.loads(json.dumps(scenario.to_dict()))) == scenario


@pytest.mark.parametrize("deployment", ["user_centric", "multi_cell"])
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"num_subcarriers": 4}, "num_subcarriers=4 .* it must be 1"),
        ({"csi_error_variance": 0.1}, "csi_error_variance=0.1 .* errors come from the pilots"),
        ({"receiver_noise": "printed"}, "receiver_noise='printed' .* it must be 'physical'"),
        ({"interference": "printed"}, "interference='printed' .* it must be 'physical'"),
        ({"mobility": "manhattan", "street_m": 300.0}, "street_m=300.0 .* side_m=1000 must be a multiple"),
        ({"mobility": "manhattan", "street_m": 500.0}, "street_m=500.0 .* at least 3 times"),
        ({"combiner": "zf"}, "combiner='zf' .* auto or one of"),
        ({"num_aps": 15}, "num_aps=15 .* it must be a square number"),
        ({"num_base_stations": 3}, "num_base_stations=3 .* it must be a square number"),
        ({"pilot_samples": 200}, "pilot_samples=200 .* block_samples=200"),
        (
            {
                "num_aps": 4096,
                "antennas_per_ap": 1024,
                "antennas_per_base_station": 1024,
                "num_base_stations": 1024,
            },
            "gains, and",
        ),
        ({"deadline_s": 0.0}, "deadline_s=0.0"),
        ({"quantisation_bits": 0}, "quantisation_bits=0"),
        ({"user_drop": "clustered"}, "user_drop='clustered' .* 'balanced', 'uniform'"),
        ({"computing_control": "most"}, "computing_control='most'"),
        ({"server": "none"}, "server='none'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_paper_bs_networks_do_not_admit_is_refused_by_name(deployment, fields, named):
    with pytest.raises(ValueError, match=named):
        Scenario.paper_b(deployment=deployment, **fields)


@pytest.mark.parametrize("deployment", ["cell_free", "cellular"])
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"combiner": "p_mmse"}, "combiner='p_mmse' .* without clusters"),
        ({"antennas_per_ap": 4}, "antennas_per_ap=4 .* num_aps counts antennas"),
        ({"server": "shared"}, "server='shared' .* it must be dedicated"),
    ],
)
def test_what_paper_as_networks_do_not_admit_is_refused_by_name(deployment, fields, named):
    with pytest.raises(ValueError, match=named):
        Scenario.paper_a(deployment=deployment, **fields)


def test_the_usual_combiner_can_be_asked_for_in_every_network():
    for scenario in (Scenario.paper_a(), Scenario.paper_b(), Scenario.paper_b(deployment="multi_cell")):
        assert scenario.replace(combiner="auto").radio.combiner == "auto"


def test_a_limit_that_there_is_not_is_none_in_json():
    fields = json.loads(json.dumps(Scenario().to_dict(), allow_nan=False))
    assert fields["queue_bits"] is None and fields["battery_j"] is None
    assert Scenario().replace(**fields) == Scenario()
    assert Scenario.paper_a_dynamic(battery_j=None).energy.battery_j == float("inf")


def test_tables_and_numbers_of_users_survive_json_and_hash():
    tables = {
        "arrivals": "trace",
        "arrivals_table": [[0, 1], [2, 0]],
        "harvest": "trace",
        "harvest_table": np.array([1e-3, 2e-3]),
        "task_model": "per_user",
        "task_bits_of_users": [500, 1000.0],
    }
    scenario = Scenario.paper_a_dynamic(num_users=2, **tables)
    assert scenario.queues.arrivals_table == ((0.0, 1.0), (2.0, 0.0))
    assert scenario.energy.harvest_table == ((1e-3,), (2e-3,))
    assert scenario.tasks.task_bits_of_users == (500.0, 1000.0)
    again = Scenario().replace(**json.loads(json.dumps(scenario.to_dict())))
    assert again == scenario and hash(again) == hash(scenario)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (
            {"arrivals": "sometimes"},
            "arrivals='sometimes' .* 'bernoulli', 'bursts', 'every_block', 'poisson', 'trace'",
        ),
        (
            {"arrivals": "bernoulli", "tasks_per_s": 2001.0},
            "tasks_per_s=2001.0 .* at most one a block: at most 2000",
        ),
        ({"arrivals": "bursts", "burst_s": 1e-4}, "burst_s=0.0001 .* at least a block, block_s=0.0005"),
        ({"harvest": "two_state", "harvest_on_s": 1e-4}, "harvest_on_s=0.0001 .* at least a block"),
        ({"burst_share": 0.0}, "burst_share=0.0"),
        ({"queue_bits": 0.0}, "queue_bits=0.0 .* number from 1 to inf"),
        ({"battery_j": -1.0}, "battery_j=-1.0"),
        ({"battery_j": float("nan")}, "battery_j=nan"),
        ({"arrivals": "trace"}, "arrivals_table=None .* one column, or num_users=10"),
        ({"arrivals": "trace", "arrivals_table": [[1, 2]]}, "arrivals_table='2 columns' .* num_users=10"),
        ({"harvest": "trace", "harvest_table": [[1, 2]]}, "harvest_table='2 columns'"),
        ({"task_model": "trace", "task_table": [[1, 2]]}, "task_table='2 columns'"),
        ({"arrivals_table": []}, r"arrivals_table=\[\] .* finite numbers of at least 0"),
        ({"arrivals_table": [[[1]]]}, "arrivals_table"),
        ({"arrivals_table": [[1, 2], [3]]}, "arrivals_table"),
        ({"arrivals_table": [1, -1]}, "arrivals_table"),
        ({"harvest_table": [1, float("inf")]}, "harvest_table"),
        ({"task_table": [1, 0.5]}, "task_table=.* at least 1"),
        ({"task_table": "many"}, "task_table='many'"),
        ({"task_model": "per_user"}, "task_bits_of_users=None .* or cycles_per_bit_of_users"),
        (
            {"task_model": "per_user", "task_bits_of_users": (1e3,) * 9},
            "task_bits_of_users=.* num_users=10 numbers",
        ),
        ({"task_bits_of_users": 1e3}, "task_bits_of_users=1000.0 .* one number for each user"),
        ({"task_bits_of_users": (1e3, 0.0)}, "task_bits_of_users=0.0"),
        ({"cycles_per_bit_of_users": ()}, "cycles_per_bit_of_users"),
    ],
)
def test_what_queues_batteries_and_recordings_do_not_admit_is_refused_by_name(fields, named):
    with pytest.raises(ValueError, match=named):
        Scenario.paper_a(**fields)


def test_the_limits_themselves_are_admitted():
    assert Scenario.paper_a_dynamic(arrivals="bernoulli", tasks_per_s=2000.0).is_dynamic
    assert Scenario.paper_a_dynamic(burst_s=0.5e-3).queues.burst_s == 0.5e-3
