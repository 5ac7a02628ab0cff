"""Compiled curves of queues are those of plain NumPy, to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.block import backlog as of_backlog
from mec_cf_gym.block.backlog import Backlog, aged
from mec_cf_gym.performance import service as of_service
from mec_cf_gym.performance.service import Service, left_over


def draw(seed, history):
    """Return a backlog of rising curves, and a service that may be of nothing or of all."""
    rng = np.random.default_rng(seed)
    queue, server = np.cumsum(rng.integers(0, 4, (2, 3, 5, history)) * 100.0, axis=-1)
    bits = [rng.integers(0, 5, (3, 5)) * 100.0 for _ in range(3)]
    flat = np.zeros((3, 5))
    backlog = Backlog(queue[..., -1], server[..., -1], flat, flat, flat, flat, queue, server, None)
    return backlog, Service(*bits, flat, flat, flat > 0)


@given(seed=st.integers(0, 2**32), history=st.integers(1, 7))
def test_what_is_left_and_what_ages(seed, history):
    backlog, service = draw(seed, history)
    compiled = *left_over(backlog, service), aged(backlog.queue_curve_bits, service.sent_bits)
    with pytest.MonkeyPatch.context() as patch:
        for module in (of_service, of_backlog):
            patch.setattr(module, "kernel", lambda *_: None)
        plain = *left_over(backlog, service), aged(backlog.queue_curve_bits, service.sent_bits)
    for found, expected in zip(compiled, plain, strict=True):
        np.testing.assert_array_equal(found, expected)
