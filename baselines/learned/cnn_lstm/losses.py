"""What the CNN-LSTM is trained to make small: its distance from labels, or the latency itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import torch
from torch import Tensor

from mec_cf_gym.baselines.learned.cnn_lstm.examples import Examples
from mec_cf_gym.baselines.learned.cnn_lstm.network import CNNLSTMNetwork
from mec_cf_gym.baselines.learned.cnn_lstm.splits import Rows
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.latencies import local_latency, longer, offload_latency
from mec_cf_gym.performance.rates import rate

LossName = Literal["labels", "latency"]
SOFTNESS = 0.02
"""Difference of log latencies up to which users count as nearly the slowest."""


class Loss(Protocol):
    """A scalar loss of a network over some examples."""

    def __call__(self, network: CNNLSTMNetwork, examples: Examples, rows: Rows | slice) -> Tensor:
        """Return the mean over the rows."""
        ...


def squared_error(network: CNNLSTMNetwork, examples: Examples, rows: Rows | slice) -> Tensor:
    """Return the mean squared error of normalised targets over some rows, a scalar."""
    targets = network.normalised(examples.power[rows], examples.offload[rows])
    return torch.nn.functional.mse_loss(network(examples.magnitude[rows]), targets)


def log_latency(network: CNNLSTMNetwork, examples: Examples, rows: Rows | slice) -> Tensor:
    """Return the mean log of the largest latency in seconds, at the network's own offload ratios, a scalar.

    In training the maximum is a soft one, ``s log sum_k exp(log tau_k / s)``, so that all who are nearly the
    slowest user teach. Logarithms keep a link that is nearly dead from drowning all others.
    """
    block = examples.block(rows)
    power, offload = network.allocation(network(examples.magnitude[rows]))
    log_s = latencies(block, power, offload, examples.least_spectral_efficiency).log()
    if network.training:
        return (SOFTNESS * (log_s / SOFTNESS).logsumexp(-1)).mean()
    return log_s.amax(-1).mean()


LOSSES: Mapping[LossName, Loss] = {"labels": squared_error, "latency": log_latency}


def latencies(block: CoherenceBlock, power: Tensor, offload: Tensor, least_spectral_efficiency: float) -> Tensor:
    """Return the users' latencies in seconds, ``(rows, K)``, as environments count them.

    Args:
        block: Blocks of tensors.
        power: ``(rows, N, K)``.
        offload: ``(rows, K)``; a user without a CPU offloads everything.
        least_spectral_efficiency: What a link that gives less counts with, in bit/s/Hz.
    """
    least_bps = least_spectral_efficiency * block.subcarrier_bandwidth_hz * block.num_subcarriers
    offload = torch.where(block.local_hz > 0, offload, 1.0)
    offloaded_s = offload_latency(block, rate(block, power).clamp(min=least_bps), offload)
    return torch.as_tensor(longer(local_latency(block, offload), offloaded_s))
