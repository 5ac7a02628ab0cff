"""Paper A as printed: the closed form for one subcarrier, several subcarriers, and every solver."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import rate
from mec_cf_gym.baselines import ICA, EquivariantSolver, ExactMinMax, FastMinMax, GreedySubcarrier, WaterFilling
from mec_cf_gym.performance.latencies import best_latency, latency

from ..conftest import block_of, draw_blocks

NUM_APS = 64
READINGS = [
    {"interference": interference, "receiver_noise": noise}
    for interference in ("physical", "printed")
    for noise in ("physical", "printed")
]


def as_printed(signal):
    """Return the interference gains, ``(..., N, K, K)``, of signal gains, ``(..., N, K)``: those of the others."""
    return (1 - np.eye(signal.shape[-1])) * signal[..., None, :]


def closed_form(signal):
    """Return the optimal powers, ``(..., 1, K)``: everybody is received as loud as the weakest at full power."""
    return signal.min(-1, keepdims=True) / signal


@pytest.mark.parametrize(
    ("gain", "found", "noise_terms"), [("gain_cf", "sum", NUM_APS), ("gain_cf", "one", 1), ("gain_bs", "bs", 1)]
)
def test_the_exact_optimum_is_the_reference(paper_a_reference, gain, found, noise_terms):
    known = paper_a_reference("printed_n1")
    signal = known[gain][:, None] / noise_terms
    solution = ExactMinMax().solve(block_of(signal, as_printed(signal)))
    np.testing.assert_allclose(solution.power[:, 0], known[f"power_{found}"], rtol=1e-9)
    latency_s = known["latency3_s" if found == "bs" else f"latency1_s_{found}"]
    np.testing.assert_allclose(solution.max_latency, latency_s, rtol=1e-9)
    rate_bps = rate(block_of(signal, as_printed(signal)), solution.power)
    np.testing.assert_allclose(rate_bps, np.broadcast_to(known[f"rate_bps_{found}"][:, None], rate_bps.shape))


@given(seed=st.integers(0, 2**32), users=st.integers(1, 12), spread=st.floats(0, 4))
def test_the_exact_optimum_is_the_closed_form(seed, users, spread):
    rng = np.random.default_rng(seed)
    signal = 10 ** rng.uniform(-2, 2, (3, 1, 1)) * 10 ** rng.uniform(-spread, 0, (3, 1, users))
    block = block_of(signal, as_printed(signal))
    solution = ExactMinMax().solve(block)
    np.testing.assert_allclose(solution.power, closed_form(signal), rtol=1e-9)
    weakest = signal.min(-1)
    nats = np.log1p(weakest / ((users - 1) * weakest + 1))
    expected_s = best_latency(block, 20e6 / np.log(2) * nats)
    np.testing.assert_allclose(solution.latency, np.broadcast_to(expected_s, solution.latency.shape), rtol=1e-9)


@given(seed=st.integers(0, 2**32), users=st.integers(2, 8))
def test_the_closed_form_is_what_bisection_on_the_common_sinr_finds(seed, users):
    signal = 10 ** np.random.default_rng(seed).uniform(-1, 3, users)
    low, high = 0.0, 1 / (users - 1)
    for _ in range(100):  # p_k S_k (1 + sinr) = sinr (1 + sum_j p_j S_j), the same for all users
        sinr = (low + high) / 2
        received = sinr / (1 - (users - 1) * sinr)
        low, high = (sinr, high) if (received / signal).max() <= 1 else (low, sinr)
    found = ExactMinMax().solve(block_of(signal[None], as_printed(signal[None])))
    weakest = signal.min()
    assert low == pytest.approx(weakest / ((users - 1) * weakest + 1), rel=1e-9)
    np.testing.assert_allclose(found.power[0], low / (1 - (users - 1) * low) / signal, rtol=1e-8)


def test_several_subcarriers_end_where_53_starts_of_another_code_do(paper_a_reference):
    known = paper_a_reference("printed_n4")
    signal = known["gain"] / known["noise_terms"]
    solution = FastMinMax().solve(block_of(signal, as_printed(signal)))
    assert (solution.max_latency <= 1.005 * known["latency_s"]).all()


@pytest.mark.parametrize("fields", READINGS, ids=lambda fields: "-".join(fields.values()))
@pytest.mark.parametrize("deployment", ["cell_free", "cellular"])
def test_every_solver_is_sound_under_every_reading(fields, deployment):
    block = draw_blocks(4, num_users=5, num_aps=16, num_subcarriers=2, deployment=deployment, **fields)
    rivals = (GreedySubcarrier(), WaterFilling(), EquivariantSolver.load("equivariant"), FastMinMax())
    found = {type(solver).__name__: solver.solve(block) for solver in rivals}
    found["ICA"] = ICA().solve(block)
    for solution in found.values():
        assert (solution.power >= 0).all()
        assert (solution.power.sum(-2) <= 1 + 1e-9).all()
        np.testing.assert_allclose(solution.latency, latency(block, solution.power, solution.offload))
        assert (solution.max_latency >= solution.lower_bound * (1 - 1e-9)).all()
    assert found["FastMinMax"].max_latency.mean() <= 1.001 * found["ICA"].max_latency.mean()


def test_under_the_print_scheme_3_cannot_lose_to_scheme_2_from_30_users_on():
    """``SINR <= 1 / (K - 1)``: offloading everything takes 1.22 ms at least, and scheme 3's own CPUs 1 ms."""
    for users in (30, 50):
        fields = {"num_users": users, "num_subcarriers": 1, "interference": "printed"}
        second = draw_blocks(20, local_computing=False, **fields)
        third = draw_blocks(20, deployment="cellular", **fields)
        assert ExactMinMax().solve(second).max_latency.min() > 1.22e-3
        assert ExactMinMax().solve(third).max_latency.max() <= 1e-3
