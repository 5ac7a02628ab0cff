"""What allocations make of blocks whose users have servers of their own: rates, latencies and energy in one loop.

The twin of ``outcome_of`` in ``mec_cf_gym.performance.outcome``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled_in_order

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
RATE, EFFICIENCY, LOCAL, TRANSMISSION, FRONTHAUL, COMPUTING, OFFLOADED, LATENCY, SENDING, CYCLES = range(10)
"""Places of what is found in the first axis of the results, seconds but for bit/s, bit/s/Hz and, at the end, J."""


Constants = tuple[float, float, float, float, float, float]
"""Bandwidth of a subcarrier in Hz, share of data, load of the fronthaul, least SE in bit/s/Hz, capacitance, and
the worth of a cell's least SE in watts."""


@compiled_in_order
def judge(
    signal: Floats,
    interference: Floats,
    task_bits: Floats,
    cycles_per_bit: Floats,
    local_hz: Floats,
    server_hz: Floats,
    user_power_w: Floats,
    cell: Indices,
    power: Floats,
    offload: Floats,
    constants: Constants,
) -> tuple[Floats, Floats, Floats]:
    """Return what users get, ``(10, rows, K)``, and of each row two powers, and two summaries, ``(2, rows)``.

    These are the total power and the objective, in watts; and the largest latency, in seconds, and the Gini
    index of latencies.

    Args:
        signal: Signal gains, ``(rows, N, K)``.
        interference: Interference gains, ``(rows, N, K, K)``.
        task_bits: Sizes of the tasks, ``(rows, K)``.
        cycles_per_bit: Their work, ``(rows, K)``.
        local_hz: Speeds of the users' CPUs, ``(rows, K)``.
        server_hz: Speeds of their servers, ``(rows, K)``.
        user_power_w: Full powers, ``(rows, K)``.
        cell: Cells of the users, whole numbers, ``(rows, K)``.
        power: Power ratios, ``(rows, N, K)``.
        offload: Offload ratios, ``(rows, K)``.
        constants: Of all blocks.
    """
    rows, subcarriers, users = signal.shape
    out, watts, summary = np.empty((10, rows, users)), np.zeros((2, rows)), np.empty((2, rows))
    subcarrier_hz, data_share, fronthaul_load, least_efficiency, capacitance, worth_w = constants
    prelog, bandwidth_hz = data_share / math.log(2) * subcarrier_hz, subcarrier_hz * subcarriers
    least_bps = least_efficiency * bandwidth_hz
    for row in range(rows):
        for k in range(users):
            nats, sent = 0.0, 0.0
            for n in range(subcarriers):
                heard = 1.0
                for j in range(users):
                    heard += interference[row, n, k, j] * power[row, n, j]
                nats += math.log1p(power[row, n, k] * signal[row, n, k] / heard)
                sent += power[row, n, k]
            rate_bps = prelog * nats
            counted_bps = max(rate_bps, least_bps)
            share, cycles = offload[row, k], task_bits[row, k] * cycles_per_bit[row, k]
            on_air_s = share * (task_bits[row, k] / counted_bps)
            on_link_s = on_air_s * (1 + fronthaul_load)
            local_s, computing_s, offloaded_s = 0.0, 0.0, 0.0
            if local_hz[row, k] > 0:
                local_s = (1 - share) * cycles / local_hz[row, k]
            elif share < 1:
                local_s = math.inf
            if share > 0:
                computing_s = share * (cycles / server_hz[row, k]) if server_hz[row, k] > 0 else math.inf
                offloaded_s = on_link_s + computing_s
            out[RATE, row, k], out[EFFICIENCY, row, k] = rate_bps, rate_bps / bandwidth_hz
            out[LOCAL, row, k], out[TRANSMISSION, row, k] = local_s, on_air_s
            out[FRONTHAUL, row, k], out[COMPUTING, row, k] = fronthaul_load * on_air_s, computing_s
            out[OFFLOADED, row, k], out[LATENCY, row, k] = offloaded_s, max(local_s, offloaded_s)
            sending_w = user_power_w[row, k] * sent
            out[SENDING, row, k] = sending_w * on_air_s
            speed = local_hz[row, k]
            out[CYCLES, row, k] = capacitance * speed * speed * ((1 - share) * cycles)
            watts[0, row] += sending_w
        watts[1, row] = watts[0, row] - worth_w * _least_of_cells(out[EFFICIENCY, row], cell[row])
        summary[0, row], summary[1, row] = _largest_and_gini(out[LATENCY, row])
    return out, watts, summary


@compiled_in_order
def _least_of_cells(efficiency: Floats, cell: Indices) -> float:
    """Return the sum of the cells' least spectral efficiencies."""
    total = 0.0
    for number in range(cell.max() + 1):
        least = math.inf
        for k in range(len(cell)):
            if cell[k] == number:
                least = min(least, efficiency[k])
        total += least if least < math.inf else 0.0  # a cell may be empty
    return total


@compiled_in_order
def _largest_and_gini(values: Floats) -> tuple[float, float]:
    """Return the largest value and the Gini index, ``sum_ij |x_i - x_j| / (2 K sum_i x_i)``."""
    largest, total, apart = 0.0, 0.0, 0.0
    for k in range(len(values)):
        largest = max(largest, values[k])
        total += values[k]
        for j in range(k):
            apart += abs(values[k] - values[j])
    return largest, apart / (len(values) * total) if total > 0 else 0.0
