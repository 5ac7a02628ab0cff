"""``dir()`` and tab completion show everything public, also what is imported only when it is asked for."""

import importlib

import pytest

FACES = {
    "mec_cf_gym": {"Network", "World", "parallel_env", "Scenario"},
    "mec_cf_gym.network": {"Network", "LAYOUTS", "DROPS", "MOBILITIES", "PROPAGATIONS"},
    "mec_cf_gym.block": {"CoherenceBlock", "FADINGS", "COMBINERS", "CLUSTERED_COMBINERS", "TASK_MODELS"},
    "mec_cf_gym.envs": {"MECEnv", "MECVectorEnv", "OBSERVATIONS", "REWARDS", "parallel_env"},
    "mec_cf_gym.baselines": {"ICA", "SCA", "CNNLSTM", "FastMinMax", "LabelStore"},
    "mec_cf_gym.agents": {"Agent", "AgentPolicy", "EquivariantPolicy", "load", "SB3VecEnv"},
}


@pytest.mark.parametrize("face", FACES)
def test_it_shows_all_its_names_and_hands_them_on(face):
    module = importlib.import_module(face)
    shown = set(dir(module))
    assert FACES[face] | set(module.__all__) <= shown
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018
