"""Families of policies: a package that cannot be imported does not shut out the others."""

from importlib.metadata import EntryPoint

import pytest

from mec_cf_gym.evaluation import available_policies, policies

BROKEN = EntryPoint("broken", "mec_cf_gym_of_nobody:policies", policies.FAMILIES)


def test_a_family_that_cannot_be_imported_is_left_out_with_a_warning(monkeypatch):
    before, usual = available_policies(), policies._entry_points
    monkeypatch.setattr(
        policies, "_entry_points", lambda group: usual(group) + (BROKEN,) * (group == policies.FAMILIES)
    )
    with pytest.warns(UserWarning, match="policies of mec_cf_gym_of_nobody:policies are left out"):
        assert available_policies() == before
