"""Which scenarios an environment accepts: its id fixes some fields, and a reset keeps all shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mec_cf_gym.deployments import DEPLOYMENTS
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.errors import refuse
from mec_cf_gym.parts import family_of
from mec_cf_gym.scenario import Layout, Scenario
from mec_cf_gym.scenario.scenario import leaf_fields


def with_fixed_fields(scenario: Scenario, fields: Mapping[str, Any], fixed: Mapping[str, Any]) -> Scenario:
    """Return a scenario with ``fields`` replaced, and with those that the environment's id fixes.

    Raises:
        ValueError: If it is no scenario, or a field contradicts the id.
    """
    if not isinstance(scenario, Scenario):
        raise refuse("scenario", scenario, "it must be a Scenario")
    for name in fields.keys() & fixed.keys():
        if fields[name] != fixed[name]:
            raise refuse(name, fields[name], f"this environment's id fixes it to {fixed[name]!r}")
    return scenario.replace(**{**fields, **fixed})


def usual_scenario(fields: Mapping[str, Any]) -> Scenario:
    """Return the default scenario: that of the family of networks that the field ``deployment`` belongs to."""
    deployment = Layout(deployment=fields.get("deployment", Layout().deployment)).deployment
    make: Callable[..., Scenario] = DEPLOYMENTS[str(family_of("deployment", deployment))].usual_scenario
    return make(deployment=deployment)


def check_same_shapes(contract: Contract, scenario: Scenario) -> None:
    """Check that an environment can go on with another scenario: nothing that has a shape changes it.

    Raises:
        ValueError: Names a field that does.
    """
    before, after, fields = contract.scenario.to_dict(), scenario.to_dict(), leaf_fields()
    changed = [name for name in after if after[name] != before[name]]
    counts = [name for name in changed if fields[name].metadata.get("shapes")]
    if counts or not contract.has_spaces_of(Contract(scenario)):
        name = [*counts, *(name for name in changed if _reshapes(contract, name, after[name])), *changed][0]
        allowed = f"reset() keeps shapes, so it must stay {before[name]!r}; make a new environment"
        raise refuse(name, after[name], allowed)


def _reshapes(contract: Contract, name: str, value: Any) -> bool:
    """Return whether one field changes the spaces by itself, if it can change alone."""
    try:
        return not contract.has_spaces_of(Contract(contract.scenario.replace(**{name: value})))
    except ValueError:
        return False
