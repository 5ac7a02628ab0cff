"""Parts register themselves under the scenario field that names them."""

import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.block import COMBINERS, FADINGS, TASK_MODELS
from mec_cf_gym.block.tasks import Uniform
from mec_cf_gym.parts import Parts, family_of, names_of
from mec_cf_gym.scenario.scenario import leaf_fields


def test_a_field_knows_the_names_of_all_its_registries():
    assert set(names_of("deployment")) == {"cell_free", "cellular", "user_centric", "multi_cell"}
    assert set(names_of("fading")) == set(FADINGS)
    assert family_of("deployment", "multi_cell") == "square"
    assert family_of("fading", "iid") is None


def test_a_scenario_takes_a_part_as_soon_as_it_is_registered(monkeypatch):
    with pytest.raises(ValueError, match=r"task_model='twice' is not allowed: it must be one of .* 'uniform'"):
        Scenario.paper_a(task_model="twice")
    monkeypatch.setitem(TASK_MODELS, "twice", Uniform)
    assert Scenario.paper_a(task_model="twice").tasks.task_model == "twice"


def test_every_registry_serves_a_field_of_the_scenario():
    class Own:
        pass

    registry = Parts("no_field", own=Own)
    assert registry == {"own": Own} and names_of("no_field") == ["own"]
    fields = leaf_fields()
    for name in (
        "deployment",
        "user_drop",
        "propagation",
        "mobility",
        "fading",
        "combiner",
        "task_model",
        "arrivals",
        "harvest",
    ):
        assert name in fields and names_of(name)
    assert set(COMBINERS) < set(names_of("combiner"))
