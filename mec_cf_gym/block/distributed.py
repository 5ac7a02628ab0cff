"""SE of distributed operation: local combiners, weighted by large-scale fading decoding (LSFD).

Each access point (AP) combines on its own, and the weights of the APs and the SE are known from moments of the
effective channels ``g_kil = v_kl^H h_il`` over realisations of the fading. Equation numbers are those of the book
(see clustered). Weights look better than they are on the realisations that they were fitted to: by 5 to 15 % if
these are 20. :func:`held_out_spectral_efficiency` fits and scores on different ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.clusters import Flags, Floats
from mec_cf_gym.block.combining import adjoint, unit_columns
from mec_cf_gym.block.definite import Complex
from mec_cf_gym.errors import refuse

MOST_PARTS = 20
"""Parts of the realisations that the jackknife leaves out in turn, at most."""


@dataclass(frozen=True)
class LocalMoments:
    """Moments of the effective channels of one network; zero where AP l does not serve user k."""

    mean: Complex  # (K, L, K), E[g_kil] by combining user k, AP l and sending user i, at full power
    square: Floats  # (K, L, K), E[|g_kil|^2]
    noise: Floats  # (K, L), E[||v_kl||^2]

    @classmethod
    def sampled(cls, vectors: Complex, channel: Complex) -> LocalMoments:
        """Return the means over realisations.

        Args:
            vectors: Combiners before normalisation, zero at APs that do not serve, ``(realisations, L, A, K)``.
            channel: True channels, ``(realisations, L, A, K)``.
        """
        effective = np.moveaxis(adjoint(vectors) @ channel, 2, 1)
        squared_norm = (np.square(vectors.real) + np.square(vectors.imag)).sum(2)
        return cls(
            effective.mean(0),
            (np.square(effective.real) + np.square(effective.imag)).mean(0),
            squared_norm.mean(0).T,
        )

    @classmethod
    def maximum_ratio(
        cls, covariance: Complex, pilot: NDArray[np.integer[Any]], pilot_samples: int, serves: Flags
    ) -> LocalMoments:
        """Return the closed form for ``v_kl = hhat_kl``, MMSE estimates from pilots at full power (5.33)-(5.35).

        Args:
            covariance: Covariances of the channels, ``(L, K, A, A)``.
            pilot: Pilot of each user, ``(K,)``.
            pilot_samples: Length of the pilots, tau_p.
            serves: Whether AP l serves user k, ``(L, K)``.
        """
        same_pilot = pilot[:, None] == pilot
        received = pilot_samples * np.einsum("ki,liab->lkab", same_pilot, covariance)
        received += np.eye(covariance.shape[-1])
        estimator = pilot_samples * adjoint(np.linalg.solve(received, covariance))  # tau_p R_k Psi^-1
        estimated = estimator @ covariance  # covariance of the estimate
        mean = np.einsum("lkab,liba->kli", estimator, covariance).conj() * same_pilot[:, None, :]
        square = np.einsum("lkab,liba->kli", estimated, covariance).real + np.abs(mean) ** 2
        noise = np.trace(estimated, axis1=-2, axis2=-1).real.T
        return cls(mean * serves.T[..., None], square * serves.T[..., None], noise * serves.T)

    def interference(self, power: Floats) -> Complex:
        """Return what all users and the noise bring, ``sum_i p_i E[g_ki g_ki^H] + F_k``, ``(K, L, L)``.

        Args:
            power: Power ratios, ``(K,)``, or ``(K, K)`` if they differ by combining user.
        """
        each = np.broadcast_to(power, (len(self.noise), self.mean.shape[-1]))[:, None, :]
        total = (self.mean * each) @ adjoint(self.mean)  # independent between APs
        diagonal = np.arange(total.shape[-1])
        total[:, diagonal, diagonal] = (self.square * each).sum(-1) + self.noise
        return np.asarray(total)

    def weights(self, power: Floats, serves: Flags) -> Complex:
        """Return the LSFD weights of the APs, ``(K, L)``, up to a factor for each user.

        Args:
            power: Powers that the weights reckon with: ``(K,)`` for the optimal ones (5.30), ``(K, K)`` with zero
                for users who share no AP with user k for the nearly optimal ones (5.41).
            serves: Whether AP l serves user k, ``(L, K)``.
        """
        total = self.interference(power)
        diagonal = np.arange(total.shape[-1])
        total[:, diagonal, diagonal] += ~serves.T  # keeps the weights of other APs at zero
        return np.asarray(np.linalg.solve(total, self.desired()[..., None])[..., 0])

    def desired(self) -> Complex:
        """Return the users' own mean channels, ``E[g_kk]``, ``(K, L)``."""
        users = np.arange(len(self.mean))
        return self.mean[users, :, users]


def use_and_forget_spectral_efficiency(
    moments: LocalMoments, weights: NDArray[Any], power: Floats, prelog: float
) -> Floats:
    """Return the SEs of weighted local combiners when only moments are known to the receiver (5.25).

    Args:
        moments: Moments of the effective channels.
        weights: Weights of the APs, ``(K, L)``: from ``LocalMoments.weights``, or one at each serving AP.
        power: Power ratios, ``(K,)``.
        prelog: Share of the coherence block that carries data.

    Returns:
        SEs in bit/s/Hz, ``(K,)``.
    """
    signal = power * np.abs(np.vecdot(weights, moments.desired())) ** 2
    total = np.vecdot(weights, np.matvec(moments.interference(power), weights)).real
    heard = total > 0
    return np.asarray(prelog / math.log(2) * -np.log1p(-signal / np.where(heard, total, 1.0)))


def held_out_spectral_efficiency(
    vectors: Complex,
    channel: Complex,
    serves: Flags,
    power: Floats,
    prelog: float,
    known_power: Floats | None = None,
) -> Floats:
    """Return the SEs (5.25) of LSFD weights that are fitted on one half of the realisations, scored on the other.

    Both halves take both roles. The SE is no linear function of the moments, so that their errors raise it even
    for given weights; a jackknife takes that away to first order.

    Args:
        vectors: Combiners before normalisation, zero at APs that do not serve, ``(realisations, L, A, K)``.
        channel: True channels, ``(realisations, L, A, K)``.
        serves: Whether AP l serves user k, ``(L, K)``.
        power: Power ratios, ``(K,)``.
        prelog: Share of the coherence block that carries data.
        known_power: Powers that the weights reckon with, as in ``LocalMoments.weights``; ``power`` if not given.

    Returns:
        SEs in bit/s/Hz, ``(K,)``; noise can take those near zero below it.

    Raises:
        ValueError: If there are less than four realisations.
    """
    count = len(vectors)
    if count < 4:
        raise refuse("realisations", count, "each half needs two or more")
    known_power = power if known_power is None else known_power

    def score(weights: Complex, rows: NDArray[np.intp]) -> Floats:
        moments = LocalMoments.sampled(vectors[rows], channel[rows])
        return use_and_forget_spectral_efficiency(moments, weights, power, prelog)

    halves = np.array_split(np.arange(count), 2)
    found = []
    for fitted, scored in (halves, halves[::-1]):
        weights = LocalMoments.sampled(vectors[fitted], channel[fitted]).weights(known_power, serves)
        parts = np.array_split(scored, min(len(scored), MOST_PARTS))
        without = np.mean([score(weights, np.setdiff1d(scored, part)) for part in parts], axis=0)
        found.append(len(parts) * score(weights, scored) - (len(parts) - 1) * without)
    return np.asarray(np.mean(found, axis=0))


def weighted_combiner(vectors: Complex, weights: NDArray[Any]) -> Complex:
    """Return local combiners weighted over the APs as one unit-norm combiner, for genie-aided SEs (5.53).

    Args:
        vectors: Combiners before normalisation, ``(..., L, A, K)``.
        weights: Weights of the APs, ``(K, L)``.

    Returns:
        ``(..., L, A, K)``.
    """
    weighted = vectors * weights.T[:, None, :]
    return unit_columns(weighted.reshape(*weighted.shape[:-3], -1, weighted.shape[-1])).reshape(weighted.shape)
