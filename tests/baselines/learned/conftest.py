"""Labels to learn from: small networks with one subcarrier, solved exactly."""

import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines.labels.generate import Dataset, generate


@pytest.fixture(scope="session")
def make_store(tmp_path_factory):
    def make(topologies, blocks, split="train", **fields):
        scenario = Scenario.paper_a(**{"num_subcarriers": 1, "num_aps": 8, "num_users": 3, **fields})
        out = tmp_path_factory.mktemp("labels") / "store"
        return generate(
            Dataset(
                solver="exact",
                topologies=topologies,
                blocks=blocks,
                split=split,
                workers=1,
                out=out,
                scenario=scenario,
            )
        )

    return make


@pytest.fixture(scope="session")
def store(make_store):
    """Sixty samples of twelve topologies."""
    return make_store(12, 5)
