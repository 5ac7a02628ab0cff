"""Signal and interference gains after combining in clusters, from which rates follow."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.batches import networks
from mec_cf_gym.block.clusters import Flags, Floats, flat_reals, user_slots
from mec_cf_gym.block.definite import Complex
from mec_cf_gym.kernels import FEW_ANTENNAS, frozen, kernel


def clustered_gains(
    combiner: Complex, channel: Complex, error_covariance: Complex | None, serves: Flags
) -> tuple[Floats, Floats]:
    """Return the signal and interference gains of unit-norm combiners, noise power being one.

    ``S_k = |v_k^H D_k h_k|^2`` and ``I_kj = |v_k^H D_k h_j|^2`` for ``j != k``; an estimation error of covariance
    ``C_j`` adds ``v_k^H D_k C_j D_k v_k`` to ``I_kj``, the diagonal included. With estimates and errors the SINR
    is that of the book's (5.5); with true channels and no errors it is the genie-aided one (5.50). Leading axes
    broadcast.

    Args:
        combiner: Combiners of unit norm, zero at APs that do not serve the user, ``(..., L, A, K)``.
        channel: Channel estimates, ``(..., L, A, K)``.
        error_covariance: Covariances of the estimation errors, ``(..., L, K, A, A)``; None for perfect CSI.
        serves: Whether AP l serves user k, ``(..., L, K)``.

    Returns:
        Signal gains, ``(..., K)``, and interference gains, ``(..., K, K)``, from user j on user k.
    """
    lead, rows = networks((combiner, 3), (channel, 3), (error_covariance, 4), (serves, 2))
    num_users = channel.shape[-1]
    signal_gain = np.empty((*lead, num_users))
    interference_gain = np.empty((*lead, num_users, num_users))
    for row, arrays in rows:  # one network at a time stays in cache
        signal_gain[row], interference_gain[row] = _network_gains(*arrays)
    return signal_gain, interference_gain


def _network_gains(
    combiner: Complex, channel: Complex, error_covariance: Complex | None, serves: Flags
) -> tuple[Floats, Floats]:
    """Return the gains of one network, by compiled code where numba is installed and APs have few antennas."""
    compiled = kernel("gains", "network_gains") if channel.shape[-2] <= FEW_ANTENNAS else None
    if compiled is None:
        return network_gains(combiner, channel, error_covariance, serves)
    errors = np.empty((0, 0, 0)) if error_covariance is None else flat_reals(error_covariance)
    precise = combiner.astype(np.complex128, copy=False), channel.astype(np.complex128, copy=False)
    signal_gain, interference_gain = compiled(*map(frozen, (*precise, errors, serves)))
    return signal_gain, interference_gain


def network_gains(
    combiner: Complex, channel: Complex, error_covariance: Complex | None, serves: Flags
) -> tuple[Floats, Floats]:
    """Return the gains of one network in plain NumPy."""
    num_users = channel.shape[-1]
    cross = combiner.reshape(-1, num_users).conj().T @ channel.reshape(-1, num_users)
    gain = np.square(cross.real) + np.square(cross.imag)
    signal_gain = gain.diagonal().astype(np.float64)
    np.fill_diagonal(gain, 0.0)
    if error_covariance is not None:
        gain = gain + np.maximum(_error_gain(combiner, error_covariance, serves), 0.0)  # below only by rounding
    return signal_gain, gain


def _error_gain(combiner: Complex, error_covariance: Complex, serves: Flags) -> Floats:
    """Return ``v_k^H C_j v_k`` of one network, ``(K, K)``, as inner products of ``C_j`` and ``v_k v_k^H``."""
    num_aps, _, num_users = combiner.shape
    users = user_slots(serves)
    vectors = np.swapaxes(combiner, -1, -2)[np.arange(num_aps)[:, None], users]  # (L, S, A)
    outer = vectors[..., :, None] * vectors[..., None, :].conj()
    errors = flat_reals(outer) @ np.swapaxes(flat_reals(error_covariance), -1, -2)  # (L, S, K)
    from_ap = np.zeros((num_aps, num_users, num_users))
    np.put_along_axis(from_ap, users[..., None], errors, axis=-2)
    return np.asarray(from_ap.sum(0))
