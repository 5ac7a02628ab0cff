"""Channel estimation from shared pilots: the MMSE estimator and the error it leaves (the book, section 4.2).

Everything is relative to the receiver noise at the users' full power, which is also the power of the pilots: an AP
receives on pilot t, over T samples, ``y = sqrt(T) sum_{i on t} h_i + n`` with n of CN(0, I). ``Psi = E[y y^H]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Complexes = NDArray[np.complexfloating[Any, Any]]
Indices = NDArray[np.intp]

_LOADING = 1e-13  # of the mean variance, per antenna: above the rounding of singular covariances


def pilot_whitening(covariance: Complexes, pilot: Indices, num_pilots: int) -> Complexes:
    """Return V with ``Psi^-1 = V V^H`` for every AP and pilot, ``(..., L, T, A, A)`` (the book's eq. 4.6).

    The factor keeps twice as many digits as the inverse: Psi is ill conditioned where a user is near an AP.

    Args:
        covariance: Covariances of the channels, ``(..., L, K, A, A)``.
        pilot: Pilots, ``(..., K)``, below ``num_pilots``.
        num_pilots: Pilots T, as many as the samples they take.
    """
    *links, num_antennas, _ = covariance.shape
    flat = covariance.reshape(*links, num_antennas**2).view(np.float64)
    received = num_pilots * (_uses(pilot, num_pilots)[..., None, :, :] @ flat).view(np.complex128)
    psi = received.reshape(*received.shape[:-1], num_antennas, num_antennas) + np.eye(num_antennas)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(psi, upper=True)))


def error_covariance(covariance: Complexes, pilot: Indices, whitening: Complexes) -> Complexes:
    """Return the covariances of the estimation errors, ``C = G - T G Psi^-1 G``, ``(..., L, K, A, A)`` (eq. 4.9).

    Args:
        covariance: Covariances G of the channels, ``(..., L, K, A, A)``.
        pilot: Pilots, ``(..., K)``.
        whitening: From :func:`pilot_whitening`, ``(..., L, T, A, A)``.
    """
    num_pilots = whitening.shape[-3]
    of_user = np.take_along_axis(whitening, pilot[..., None, :, None, None], axis=-3)
    root = covariance @ of_user
    error = root @ np.swapaxes(root.conj(), -1, -2)
    error *= -num_pilots
    error += covariance
    return error


def estimate(
    channel: Complexes, noise: Complexes, root: Complexes, pilot: Indices, whitening: Complexes
) -> Complexes:
    """Return the MMSE estimates of the channels, ``(..., L, A, K)`` (the book's eq. 4.5).

    Args:
        channel: Channels, ``(..., L, A, K)``.
        noise: Noise on every pilot, CN(0, 1), ``(..., L, A, T)``.
        root: Roots F of the channels' covariances, ``G = F F^H``, ``(..., L, K, A, A)``.
        pilot: Pilots, ``(..., K)``.
        whitening: From :func:`pilot_whitening`, ``(..., L, T, A, A)``.
    """
    num_pilots = whitening.shape[-3]
    uses = _uses(pilot, num_pilots)[..., None, :, :]
    received = np.sqrt(num_pilots) * (channel @ np.swapaxes(uses, -1, -2)) + noise
    white = np.swapaxes(whitening.conj(), -1, -2) @ np.swapaxes(received, -1, -2)[..., None]
    weighted = (whitening @ white)[..., 0]  # (..., L, T, A), Psi^-1 y
    projected = np.swapaxes(root.conj(), -1, -2) @ (np.swapaxes(uses, -1, -2) @ weighted)[..., None]
    estimates = root @ projected
    return np.asarray(np.sqrt(num_pilots) * np.swapaxes(estimates[..., 0], -1, -2))


def covariance_root(covariance: Complexes) -> Complexes:
    """Return lower triangular F with ``F F^H = G``, so that ``F g`` has covariance G for g of CN(0, I).

    The diagonal is raised by 1e-13 of itself per antenna, so that singular covariances have a root too.

    Args:
        covariance: Covariances G, ``(..., A, A)``, positive semidefinite.
    """
    num_antennas = covariance.shape[-1]
    variance = np.einsum("...aa->...", covariance).real / num_antennas
    loading = (_LOADING * num_antennas * variance)[..., None, None] * np.eye(num_antennas)
    return np.asarray(np.linalg.cholesky(covariance + loading))


def _uses(pilot: Indices, num_pilots: int) -> NDArray[np.float64]:
    """Return one where a user uses a pilot and zero elsewhere, ``(..., T, K)``."""
    return np.asarray(pilot[..., None, :] == np.arange(num_pilots)[:, None], np.float64)
