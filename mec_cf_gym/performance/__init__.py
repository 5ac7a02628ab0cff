"""Performance of an allocation in a block: rates, latencies, paper B's objective, fairness metrics."""

from mec_cf_gym.performance.latencies import (
    best_latency,
    best_offload,
    full_offload_latency,
    latency,
    local_latency,
    offload_latency,
)
from mec_cf_gym.performance.metrics import cdf_points, gini, percentiles
from mec_cf_gym.performance.objective import needed_server_hz, power_fairness
from mec_cf_gym.performance.outcome import Outcome, outcome_of
from mec_cf_gym.performance.rates import rate, received_interference, sinr, spectral_efficiency

__all__ = [
    "Outcome",
    "best_latency",
    "best_offload",
    "cdf_points",
    "full_offload_latency",
    "gini",
    "latency",
    "local_latency",
    "needed_server_hz",
    "offload_latency",
    "outcome_of",
    "percentiles",
    "power_fairness",
    "rate",
    "received_interference",
    "sinr",
    "spectral_efficiency",
]
