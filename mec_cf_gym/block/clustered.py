"""Receive combining of users who are served by clusters of multi-antenna access points (APs).

Everything is relative to the receiver noise and to the users' full power. Combiners are chosen for given
powers, one network at a time, so that its arrays stay in cache, and by compiled code where numba is installed and
APs have few antennas. Equation numbers are those of Demir, Björnson,
Sanguinetti, "Foundations of User-Centric Cell-Free Massive MIMO", 2021.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from mec_cf_gym.batches import networks
from mec_cf_gym.block.clusters import Flags, Floats, flat_reals, share_aps, user_slots
from mec_cf_gym.block.combining import adjoint, unit_columns
from mec_cf_gym.block.definite import Complex, solve_definite
from mec_cf_gym.kernels import FEW_ANTENNAS, frozen, kernel
from mec_cf_gym.parts import Parts


class ClusteredCombiner(ABC):
    """Chooses the receive vectors of all users, zero at the APs that do not serve them."""

    def combine(self, channel: Complex, error_covariance: Complex | None, serves: Flags, power: Floats) -> Complex:
        """Return the combiners ``D_k v_k``, each of unit norm over all antennas; a zero vector stays zero.

        Leading axes broadcast: many powers on one channel, or one choice of clusters for many channels.

        Args:
            channel: Channel estimates, ``(..., L, A, K)``.
            error_covariance: Covariances of the estimation errors, ``(..., L, K, A, A)``; None for perfect CSI.
            serves: Whether AP l serves user k, ``(..., L, K)``.
            power: Power ratios, ``(..., K)``; a user at zero power gets the limit of its combiners.

        Returns:
            ``(..., L, A, K)``.
        """
        vectors = self.vectors(channel, error_covariance, serves, power)
        *_, aps, antennas, users = vectors.shape
        stacked = vectors.reshape(*vectors.shape[:-3], aps * antennas, users)
        return unit_columns(stacked).reshape(vectors.shape)

    def vectors(self, channel: Complex, error_covariance: Complex | None, serves: Flags, power: Floats) -> Complex:
        """Return the combiners before normalisation, ``(..., L, A, K)``, as ``combine`` otherwise."""
        channel = np.asarray(channel, np.complex128)
        lead, rows = networks((channel, 3), (error_covariance, 4), (serves, 2), (power, 1))
        vectors = np.empty(lead + channel.shape[-3:], np.complex128)
        for row, arrays in rows:
            vectors[row] = self._network(*arrays)
        return vectors

    @abstractmethod
    def _network(self, channel: Complex, error: Complex | None, serves: Flags, power: Floats) -> Complex:
        """Return the vectors of one network, ``(L, A, K)``, from its arrays as in ``combine``."""


class MaximumRatio(ClusteredCombiner):
    """``v_k = hhat_k``: the strongest signal (5.14)."""

    def _network(self, channel: Complex, error: Complex | None, serves: Flags, power: Floats) -> Complex:
        return channel * serves[:, None, :]


class MinimumMeanSquareError(ClusteredCombiner):
    """MMSE (5.11): the largest SINR at the given powers."""

    def _network(self, channel: Complex, error: Complex | None, serves: Flags, power: Floats) -> Complex:
        return _central_vectors(channel, error, serves, power, np.ones((len(power), len(power)), np.bool_))


class PartialMinimumMeanSquareError(ClusteredCombiner):
    """P-MMSE (5.16): as MMSE, with only the users who share an AP with user k."""

    def _network(self, channel: Complex, error: Complex | None, serves: Flags, power: Floats) -> Complex:
        return _central_vectors(channel, error, serves, power, share_aps(serves))


class PartialRegularizedZeroForcing(ClusteredCombiner):
    """P-RZF (5.18): as P-MMSE, without the covariances of the estimation errors."""

    def _network(self, channel: Complex, error: Complex | None, serves: Flags, power: Floats) -> Complex:
        return _central_vectors(channel, None, serves, power, share_aps(serves))


class LocalMinimumMeanSquareError(ClusteredCombiner):
    """L-MMSE (5.29): every AP on its own, with all users; also multi-cell L-MMSE, where one AP serves a user."""

    def _network(self, channel: Complex, error: Complex | None, serves: Flags, power: Floats) -> Complex:
        return _local_vectors(channel, error, serves, np.tile(power, (len(serves), 1)))


class LocalPartialMinimumMeanSquareError(ClusteredCombiner):
    """LP-MMSE (5.39): every AP on its own, with the users it serves."""

    def _network(self, channel: Complex, error: Complex | None, serves: Flags, power: Floats) -> Complex:
        return _local_vectors(channel, error, serves, power * serves)


CLUSTERED_COMBINERS: Parts[type[ClusteredCombiner]] = Parts(
    "combiner",
    family="square",
    mrc=MaximumRatio,
    mmse=MinimumMeanSquareError,
    p_mmse=PartialMinimumMeanSquareError,
    p_rzf=PartialRegularizedZeroForcing,
    l_mmse=LocalMinimumMeanSquareError,
    lp_mmse=LocalPartialMinimumMeanSquareError,
)
"""Combiners of clustered users by name."""


def _central_vectors(
    channel: Complex, error_covariance: Complex | None, serves: Flags, power: Floats, counts: Flags
) -> Complex:
    """Return vectors along ``(sum_i p_i (h_i h_i^H + C_i) + I)^-1 h_k`` on each user's cluster, ``(L, A, K)``.

    ``counts`` is ``(K, K)``: whether user i counts for user k's combiner.
    """
    compiled = kernel("central", "central_vectors") if channel.shape[-2] <= FEW_ANTENNAS else None
    if compiled is None:
        return central_vectors(channel, error_covariance, serves, power * counts)
    errors = np.empty((0, 0, 0)) if error_covariance is None else flat_reals(error_covariance)
    return np.asarray(compiled(*map(frozen, (channel, errors, serves, power, counts))))


def central_vectors(channel: Complex, error_covariance: Complex | None, serves: Flags, power: Floats) -> Complex:
    """Return the vectors in plain NumPy.

    ``power`` is ``(K, K)``: what user k's combiner takes as user i's power. With the block diagonal
    ``Z_k = I + sum_i p_ki C_i`` the matrix inversion lemma leaves a K x K system for each user:
    ``v_k ~ Z_k^-1 H x_k`` with ``(I + P_k H^H Z_k^-1 H) x_k = e_k``.
    """
    num_users = channel.shape[-1]
    user, ap = np.nonzero(serves.T)  # pairs (user, AP) that serve, sorted by user
    received = channel[ap]  # (pairs, A, K)
    filtered = received
    if error_covariance is not None:
        slots = user_slots(serves)
        slot = (serves.cumsum(-1) - 1)[ap, user]
        noise = _noise_covariance(power[slots], error_covariance)
        filtered = solve_definite(noise[ap, slot], received)
    gram = np.empty((num_users, num_users, num_users), np.complex128)
    conjugate = received.conj()
    ends = serves.sum(0).cumsum()
    for k, (start, end) in enumerate(zip(ends - serves.sum(0), ends, strict=True)):
        cluster = slice(start, end)
        gram[k] = conjugate[cluster].reshape(-1, num_users).T @ filtered[cluster].reshape(-1, num_users)
    unit = np.eye(num_users)
    weights = np.linalg.solve(unit + power[:, :, None] * gram, unit[:, :, None])
    vectors = np.zeros(channel.shape, np.complex128)
    vectors[ap, :, user] = (filtered @ weights[user])[..., 0]
    return vectors


def _local_vectors(channel: Complex, error_covariance: Complex | None, serves: Flags, power: Floats) -> Complex:
    """Return ``v_kl ~ (sum_i p_li (h_il h_il^H + C_il) + I)^-1 h_kl``.

    ``power`` is ``(L, K)``: what AP l takes as user i's power.
    """
    received = (channel * power[:, None, :]) @ adjoint(channel)
    if error_covariance is None:
        received += np.eye(channel.shape[-2])
    else:
        received += _noise_covariance(power[:, None, :], error_covariance)[:, 0]
    return solve_definite(received, channel * serves[:, None, :])


def _noise_covariance(power: Floats, error_covariance: Complex) -> Complex:
    """Return ``I + sum_i p_li C_il``, ``(L, S, A, A)`` for powers ``(L, S, K)``."""
    antennas = error_covariance.shape[-1]
    errors = (power @ flat_reals(error_covariance)).view(np.complex128)
    return errors.reshape(*errors.shape[:-1], antennas, antennas) + np.eye(antennas)
