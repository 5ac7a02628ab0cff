"""Combiners of clustered users, and their gains, against a plain loop over users in the same run.

Networks are paper B's: 100 access points of 4 antennas with P-MMSE, 4 base stations of 100 with L-MMSE, 20 users,
5 pilots. Times are CPU milliseconds per network on one thread.

Run: OMP_NUM_THREADS=1 python benchmarks/combiners.py [--repeats 21]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.block.clustered_gains import clustered_gains

USERS, PILOTS, SIDE_M = 20, 5, 1000.0
BATCHES = (1, 16, 64)
Arrays = tuple[NDArray[Any], ...]
Work = Callable[..., NDArray[Any]]


def draw_networks(batch: int, grid: int, antennas: int, cellular: bool) -> Arrays:
    """Return channels, error covariances, clusters and powers of random networks on a ``grid x grid`` layout."""
    rng = np.random.default_rng(batch)
    line = (np.arange(grid) + 0.5) * SIDE_M / grid
    access_points = (line[:, None] + 1j * line).ravel()[:, None]
    users = SIDE_M * (rng.random((batch, 1, USERS)) + 1j * rng.random((batch, 1, USERS)))
    offset = access_points - users
    east_m, north_m = (np.minimum(np.abs(d), SIDE_M - np.abs(d)) for d in (offset.real, offset.imag))
    distance_m = np.sqrt(east_m**2 + north_m**2 + 10**2)
    shadowing = 0.4 * rng.standard_normal(distance_m.shape)
    gain = 10 ** (8.35 - 3.67 * np.log10(distance_m) + shadowing)  # -30.5 dB at 1 m, 20 dBm over -94 dBm
    serves = np.zeros(gain.shape, bool)
    if cellular:
        np.put_along_axis(serves, gain.argmax(1)[:, None], True, axis=1)
    else:
        for pilot in range(PILOTS):  # each access point serves the strongest user of each pilot
            strongest = gain[:, :, pilot::PILOTS].argmax(-1)
            np.put_along_axis(serves, PILOTS * strongest[..., None] + pilot, True, axis=-1)
    channel = np.sqrt(gain)[:, :, None] * _normal(rng, batch, grid**2, antennas, USERS)
    factor = _normal(rng, batch, grid**2, USERS, antennas, 3)
    error_covariance = 0.1 * gain[..., None, None] * (factor @ np.swapaxes(factor.conj(), -1, -2))
    return channel, error_covariance, serves, rng.random((batch, USERS))


def plain_combiner(
    channel: NDArray[Any], error_covariance: NDArray[Any], serves: NDArray[Any], power: NDArray[Any]
) -> NDArray[Any]:
    """Return P-MMSE combiners, one direct solution for each user; also L-MMSE where one AP serves each user."""
    antennas = channel.shape[1]
    combiner = np.zeros_like(channel)
    for k in range(USERS):
        aps = np.flatnonzero(serves[:, k])
        counted = power * serves[aps].any(0) if len(aps) > 1 else power
        stacked = channel[aps].reshape(-1, USERS)
        errors = np.zeros((len(aps), antennas, len(aps), antennas), np.complex128)
        each = np.arange(len(aps))
        errors[each, :, each] = (counted @ error_covariance[aps].reshape(len(aps), USERS, -1)).reshape(
            -1, antennas, antennas
        )
        received = errors.reshape(len(stacked), -1) + np.eye(len(stacked))
        received += (stacked * counted) @ stacked.conj().T
        vector = np.linalg.solve(received, stacked[:, k])
        combiner[aps, :, k] = (vector / np.linalg.norm(vector)).reshape(-1, antennas)
    return combiner


def interference(*arrays: NDArray[Any]) -> NDArray[Any]:
    """Return the interference gains; the signal gains are by-products."""
    _, gain = clustered_gains(*arrays)
    return gain


def plain_interference(
    combiner: NDArray[Any], channel: NDArray[Any], error_covariance: NDArray[Any], serves: NDArray[Any]
) -> NDArray[Any]:
    """Return the interference gains, user by user."""
    gain = np.empty((USERS, USERS))
    for k in range(USERS):
        aps = np.flatnonzero(serves[:, k])
        vectors = combiner[aps, :, k]
        gain[k] = np.abs(np.tensordot(vectors.conj(), channel[aps], 2)) ** 2
        gain[k, k] = 0.0
        heard = error_covariance[aps] @ vectors[:, None, :, None]
        gain[k] += (vectors.conj()[:, None, :] * heard[..., 0]).sum((0, 2)).real
    return gain


def cpu_ms(work: Work, *arrays: NDArray[Any]) -> float:
    """Return the CPU time of one call."""
    began = time.process_time()
    work(*arrays)
    return 1e3 * (time.process_time() - began)


def compare(name: str, repeats: int, work: Work, plain: Work, *arrays: NDArray[Any]) -> tuple[str, ...]:
    """Return a row of the table; the results must agree."""
    batch = len(arrays[0])
    first = [array[0] for array in arrays]
    np.testing.assert_allclose(work(*arrays)[0], plain(*first), rtol=1e-6, atol=1e-6)
    pairs = []
    for repeat in range(repeats):
        one = [array[repeat % batch] for array in arrays]
        pairs.append((cpu_ms(work, *arrays) / batch, cpu_ms(plain, *one)))
    work_ms, plain_ms = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    return name, f"{batch}", f"{work_ms:.2f}", f"{plain_ms:.2f}", f"{ratio:.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=21, help="repeats of which the median counts")
    repeats = parser.parse_args().repeats
    table = []
    for kind, grid, antennas, batches in (("p_mmse", 10, 4, BATCHES), ("l_mmse", 2, 100, BATCHES[:2])):
        for batch in batches:
            networks = draw_networks(batch, grid, antennas, cellular=kind == "l_mmse")
            combine = CLUSTERED_COMBINERS[kind]().combine
            size = f"{grid**2} x {antennas}"
            table.append(compare(f"{kind}, {size}", repeats, combine, plain_combiner, *networks))
            gains = (combine(*networks), *networks[:3])
            table.append(compare(f"gains, {size}", repeats, interference, plain_interference, *gains))
    print(f"{USERS} users, median of {repeats} repeats")
    headers = ("part", "batch", "ms per network", "plain loop", "times faster")
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=("left", *["right"] * 4)))


def _normal(rng: np.random.Generator, *shape: int) -> NDArray[Any]:
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


if __name__ == "__main__":
    main()
