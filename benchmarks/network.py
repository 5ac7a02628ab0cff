"""How fast the statistics of paper B's networks are computed: correlation, pilots, clusters, estimation.

A plain prototype does the same in this very process: a quadrature per link, loops over access points and users,
and an eigendecomposition for the root of every covariance. Prints median times and the ratio to the prototype.

Run: OMP_NUM_THREADS=1 python benchmarks/network.py [--repeats 11]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import toeplitz as plain_toeplitz
from tabulate import tabulate

from mec_cf_gym.network.correlation import local_scattering, toeplitz
from mec_cf_gym.network.estimation import covariance_root, error_covariance, pilot_whitening
from mec_cf_gym.network.pilots import assign_pilots, form_clusters

USERS, PILOTS, SPREAD_RAD = 20, 5, np.deg2rad(15)
SHAPES = {"4 x 100": (4, 100), "100 x 4": (100, 4)}
Floats = NDArray[np.float64]


def draw_links(num_aps: int) -> tuple[Floats, Floats, Floats]:
    """Return azimuths, elevations and gains over the noise of every link, ``(L, K)`` each."""
    rng = np.random.default_rng(0)
    shape = (num_aps, USERS)
    return rng.uniform(-np.pi, np.pi, shape), rng.uniform(0.02, 0.5, shape), 10 ** rng.uniform(-2, 4, shape)


def package(
    num_antennas: int, azimuth: Floats, elevation: Floats, gain: Floats
) -> dict[str, Callable[[], object]]:
    """Return the parts of the package's computation, by name."""
    first_row = local_scattering(azimuth, elevation, num_antennas, SPREAD_RAD, SPREAD_RAD)
    covariance = toeplitz(gain[..., None] * first_row)
    pilot = assign_pilots(gain, PILOTS)
    whitening = pilot_whitening(covariance, pilot, PILOTS)

    def correlate() -> object:
        return local_scattering(azimuth, elevation, num_antennas, SPREAD_RAD, SPREAD_RAD)

    return {
        "correlation": lambda: toeplitz(gain[..., None] * correlate()),
        "pilots and clusters": lambda: form_clusters(gain, assign_pilots(gain, PILOTS), PILOTS),
        "pilot whitening": lambda: pilot_whitening(covariance, pilot, PILOTS),
        "error covariance": lambda: error_covariance(covariance, pilot, whitening),
        "covariance root": lambda: covariance_root(covariance),
    }


def correlate_link(num_antennas: int, azimuth: float, elevation: float) -> NDArray[np.complex128]:
    """Return one link's correlation matrix by the trapezoidal rule, exact to 1e-12."""
    deviation, step = np.linspace(-8 * SPREAD_RAD, 8 * SPREAD_RAD, 40 + 3 * num_antennas, retstep=True)
    density = np.exp(-np.square(deviation / SPREAD_RAD) / 2) * step / (np.sqrt(2 * np.pi) * SPREAD_RAD)
    wave = np.exp(1j * np.pi * np.sin(azimuth + deviation)[:, None] * np.cos(elevation + deviation))
    row, turned = np.ones(num_antennas, complex), np.ones_like(wave)
    for lag in range(1, num_antennas):
        turned *= wave
        row[lag] = density @ turned @ density
    return np.asarray(plain_toeplitz(row.conj(), row))


def prototype(num_antennas: int, azimuth: Floats, elevation: Floats, gain: Floats) -> None:
    """Compute the same link by link."""
    covariance = np.empty((*gain.shape, num_antennas, num_antennas), complex)
    for link in np.ndindex(gain.shape):
        covariance[link] = gain[link] * correlate_link(num_antennas, azimuth[link], elevation[link])
    pilot = assign_pilots(gain, PILOTS)
    for ap, user in np.ndindex(gain.shape):
        psi = PILOTS * covariance[ap, pilot == pilot[user]].sum(0) + np.eye(num_antennas)
        link_covariance = covariance[ap, user]
        link_covariance - PILOTS * link_covariance @ np.linalg.solve(psi, link_covariance)
        np.linalg.eigh(link_covariance)


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11, help="repeats of which the median counts")
    repeats = parser.parse_args().repeats
    table = []
    for name, (num_aps, num_antennas) in SHAPES.items():
        links = draw_links(num_aps)
        parts = package(num_antennas, *links)
        plain_s = statistics.median(seconds(lambda a=num_antennas, b=links: prototype(a, *b)) for _ in range(3))
        part_s = {part: statistics.median(seconds(work) for _ in range(repeats)) for part, work in parts.items()}
        table += [(name, part, f"{1e3 * time_s:.2f}", "") for part, time_s in part_s.items()]
        total_s = sum(part_s.values())
        table.append((name, "together", f"{1e3 * total_s:.2f}", f"{plain_s / total_s:.1f}"))
        table.append((name, "prototype", f"{1e3 * plain_s:.2f}", ""))
    print(f"K = {USERS}, {PILOTS} pilots, 15 degrees, median of {repeats} repeats, tables of the series warm")
    headers = ("APs x antennas", "part", "ms", "times faster than the prototype")
    print(
        tabulate(
            table, headers, tablefmt="github", disable_numparse=True, colalign=("left", "left", "right", "right")
        )
    )


if __name__ == "__main__":
    main()
