"""Small-scale fading: unit-variance channel coefficients of each block, and how they age."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.gammas import keyed_gammas, places_of
from mec_cf_gym.network.network import Network
from mec_cf_gym.normals import keyed_normals
from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0

Coefficients = NDArray[np.complex64]  # (rows, N, M, K), CN(0, 1)
Floats = NDArray[np.float64]
Lags = Sequence[int] | NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Fading:
    """The fading of a block; models that remember more than its coefficients derive from it."""

    AXES: ClassVar[Mapping[str, int]] = {"coefficients": 3}

    coefficients: Coefficients


@dataclass(frozen=True)
class KeyedFading:
    """Independent fading that is not kept: keys, of which coefficients are drawn when they are asked for."""

    keys: NDArray[np.uint64]  # (rows, 2), of the numbers of an episode
    block: NDArray[np.int64]  # (rows,), number of the block in the episode
    shape: tuple[int, int, int]  # (N, M, K)

    @property
    def first(self) -> NDArray[np.int64]:
        """Place of the first number, ``(rows,)``."""
        return self.block * math.prod(self.shape)

    @property
    def coefficients(self) -> Coefficients:
        """The coefficients, ``(rows, N, M, K)``; of a single row without its axis."""
        subcarriers, antennas, users = self.shape
        drawn = keyed_normals(self.keys.reshape(-1, 2), math.prod(self.shape), self.first.reshape(-1))
        by_user = drawn.reshape(*self.keys.shape[:-1], subcarriers, users, antennas)
        return np.ascontiguousarray(np.swapaxes(by_user, -1, -2))

    def later(self) -> Self:
        """Return the fading one block later."""
        return dataclasses.replace(self, block=self.block + 1)


@dataclass(frozen=True)
class WishartFading(KeyedFading):
    """Independent fading at one site, of which a step draws what decides gains alone.

    With antennas at one site, M of them and at least as many as users, coefficients are ``G = Q R`` (Bartlett):
    R ``(K, K)`` is triangular, CN(0, 1) above its diagonal and the root of a Gamma(M - k) variable on it, k from 0
    on, and ``G^H G = R^H R``. Q, ``(M, K)`` with orthonormal columns, is independent of R, and is drawn when
    coefficients are asked for.
    """

    length_keys: NDArray[np.uint64]  # (rows, 2), of the diagonals; ``keys`` are those of Q
    factor_keys: NDArray[np.uint64]  # (rows, 2), of what is above them

    @property
    def factor(self) -> KeyedFading:
        """Matrices whose upper triangles are those of R, ``(rows, N, K, K)``."""
        subcarriers, _, users = self.shape
        return KeyedFading(self.factor_keys, self.block, (subcarriers, users, users))

    @property
    def lengths(self) -> NDArray[np.float32]:
        """The diagonals, ``(rows, N, K)``."""
        subcarriers, antennas, users = self.shape
        shapes = np.tile(antennas - np.arange(users), subcarriers).astype(np.float64)
        first = self.block.reshape(-1) * places_of(len(shapes))
        squared = keyed_gammas(self.length_keys.reshape(-1, 2), shapes, first)
        return np.sqrt(squared).astype(np.float32).reshape(*self.block.shape, subcarriers, users)

    @property
    def coefficients(self) -> Coefficients:
        """The coefficients, ``(rows, N, M, K)``; of a single row without its axis."""
        own = np.triu(self.factor.coefficients, 1)
        own += self.lengths[..., None, :] * np.eye(self.shape[2], dtype=np.float32)
        any_matrix = super().coefficients.astype(np.complex128)
        adjoint = np.swapaxes(any_matrix.conj(), -1, -2)
        factor = np.swapaxes(np.linalg.cholesky(adjoint @ any_matrix).conj(), -1, -2)
        return (any_matrix @ np.linalg.solve(factor, own)).astype(np.complex64)


AnyFading: TypeAlias = Fading | KeyedFading


class FadingModel(Protocol):
    """Draws the first block's fading and the next block's from the last. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def begin(self, network: Network, streams: Streams) -> AnyFading:
        """Return the fading of an episode's first block."""
        ...

    def advance(self, fading: Any, network: Network, streams: Streams) -> AnyFading:
        """Return the fading one block later."""
        ...

    @staticmethod
    def autocorrelation(doppler_rad: Floats, lags: Lags, error_share: float) -> Floats:
        """Return the correlation of coefficients with those of earlier blocks, ``(..., lags)``.

        Args:
            doppler_rad: See :func:`doppler_phase_rad`, ``(...)``.
            lags: Ages of the earlier blocks, in blocks.
            error_share: Share of the channel's variance that its estimates miss, ``csi_error_variance``.
        """
        ...


class IID:
    """Rayleigh fading, independent between blocks, subcarriers, APs and users (paper A)."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.shape = scenario, link_shape(scenario)
        _, antennas, users = self.shape
        self.at_one_site = scenario.layout.deployment == "cellular" and antennas >= users

    def begin(self, network: Network, streams: Streams) -> AnyFading:
        """Return the fading of an episode's first block."""
        if not streams.keyed:
            return self.drawn(streams)
        keys, block = streams.keys(), np.zeros(len(streams), np.int64)
        if self.at_one_site:
            return WishartFading(keys, block, self.shape, streams.keys(), streams.keys())
        return KeyedFading(keys, block, self.shape)

    def advance(self, fading: AnyFading, network: Network, streams: Streams) -> AnyFading:
        """Return fading independent of the last."""
        return fading.later() if isinstance(fading, KeyedFading) else self.drawn(streams)

    def drawn(self, streams: Streams) -> Fading:
        """Return independent fading that is kept."""
        return Fading(streams.complex_normal(self.shape))

    @staticmethod
    def autocorrelation(doppler_rad: Floats, lags: Lags, error_share: float) -> Floats:
        """Return one at lag zero, else zero, ``(..., lags)``."""
        return np.broadcast_to(np.equal(lags, 0) * 1.0, (*np.shape(doppler_rad), len(lags)))


class GaussMarkov(IID):
    """Rayleigh fading, a first-order Gauss-Markov process from block to block.

    ``g' = r g + sqrt(1 - r^2) w``, with Jakes' correlation ``r = J0(2 pi f_D block_s)`` at lag one and Doppler
    spread ``f_D = speed carrier / c`` of each user. At lag d the correlation is ``r^d``, which is not that of
    waves from all around: :class:`~mec_cf_gym.block.Clarke` is right at every lag.
    """

    def begin(self, network: Network, streams: Streams) -> Fading:
        """Return the fading of an episode's first block."""
        return self.drawn(streams)

    def advance(self, fading: AnyFading, network: Network, streams: Streams) -> Fading:
        """Return the fading one block later."""
        correlation = _j0(doppler_phase_rad(self.scenario, network.speed_m_per_s))[:, None, None, :]
        innovation = streams.complex_normal(self.shape)
        innovation *= np.sqrt(1 - correlation**2).astype(np.float32)
        innovation += correlation.astype(np.float32) * fading.coefficients
        return Fading(innovation)

    @staticmethod
    def autocorrelation(doppler_rad: Floats, lags: Lags, error_share: float) -> Floats:
        """Return Jakes' correlation at lag one to the power of each lag, ``(..., lags)``."""
        return np.asarray(_j0(doppler_rad)[..., None] ** np.asarray(lags))


@dataclass(frozen=True)
class ClarkeFading(Fading):
    """Fading, and the waves that it is the sum of."""

    waves: Coefficients  # (rows, K, 2 W, N M), each of variance 1/W
    cosines: Floats  # (rows, K, W), of the angles between the waves and the user's way
    way_rad: Floats  # (rows, K), length of the way so far, one wavelength being 2 pi


class Clarke:
    """Rayleigh fading of users who drive through waves from all around them (Clarke's model).

    Along a way of ``x`` radians, a wavelength being 2 pi, the coefficient of a link is the sum over W waves of
    ``a_w cos(x cos t_w) + b_w sin(x cos t_w)``, with independent ``a_w`` and ``b_w`` of CN(0, 1/W) and directions
    ``t_w = pi (w + u) / W``, w from 0 to W - 1, of which the user draws ``u`` from [0, 1).

    - Coefficients are CN(0, 1) in every block, exactly: amplitudes are Rayleigh's, ``E|g|^2 = 1``, ``E|g|^4 = 2``.
    - Their correlation at a distance x, over all draws, is exactly ``J0(x)``: ``J0(2 pi f_D t)`` at any lag t.
    - Given ``u`` they are a Gaussian process of correlation ``J0(x) + 2 cos(2 pi u) J_2W(x) + ...``. With W = 16
      that is J0 to 1e-3 up to a distance of x = 22, three and a half wavelengths, and to 1e-6 up to 17. Over
      longer ways a single user shows that its waves are few, and only the mean over users is J0.
    - Links, subcarriers and antennas have waves of their own, independent of the others.

    Where ``csi_error_variance`` e is not zero, coefficients are those of MMSE estimates, whose errors are drawn
    anew for every block: ``sqrt(1 - e) g + sqrt(e) w``. That noise bounds what past estimates tell of the current
    one.
    """

    NUM_WAVES = 16
    """Waves of a link, W. Sines and cosines make it as exact as 32 directions all around."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.shape = scenario, link_shape(scenario)

    def begin(self, network: Network, streams: Streams) -> ClarkeFading:
        """Return the fading of an episode's first block."""
        subcarriers, antennas, users = self.shape
        start = streams.uniform(0.0, 1.0, (users, 1))
        waves = streams.complex_normal((users, 2 * self.NUM_WAVES, subcarriers * antennas))
        waves *= np.float32(1 / np.sqrt(self.NUM_WAVES))
        cosines = np.cos(np.pi * (np.arange(self.NUM_WAVES) + start) / self.NUM_WAVES)
        return self._at(waves, cosines, np.zeros(cosines.shape[:-1]), streams)

    def advance(self, fading: ClarkeFading, network: Network, streams: Streams) -> ClarkeFading:
        """Return the fading one block later."""
        way_rad = fading.way_rad + doppler_phase_rad(self.scenario, network.speed_m_per_s)
        return self._at(fading.waves, fading.cosines, way_rad, streams)

    @staticmethod
    def autocorrelation(doppler_rad: Floats, lags: Lags, error_share: float) -> Floats:
        """Return Clarke's correlation, ``(..., lags)``; the noise of estimates adds to that at lag zero alone."""
        own = np.equal(lags, 0) * error_share
        return np.asarray((1 - error_share) * _j0(doppler_rad[..., None] * np.asarray(lags)) + own)

    def _at(self, waves: Coefficients, cosines: Floats, way_rad: Floats, streams: Streams) -> ClarkeFading:
        """Return the fading after a way; in double precision its end is known to 1e-9 after 1e6 blocks."""
        subcarriers, antennas, users = self.shape
        turned = way_rad[..., None] * cosines
        weights = np.concatenate((np.cos(turned), np.sin(turned)), axis=-1).astype(np.float32)
        # real weights of complex waves: one product of real matrices
        summed = (weights[..., None, :] @ waves.view(np.float32)).view(np.complex64)
        coefficients = np.moveaxis(summed.reshape(-1, users, subcarriers, antennas), 1, -1)
        error_share = self.scenario.radio.csi_error_variance
        if error_share:
            coefficients = np.float32(np.sqrt(1 - error_share)) * coefficients
            coefficients += np.float32(np.sqrt(error_share)) * streams.complex_normal(self.shape)
        return ClarkeFading(np.ascontiguousarray(coefficients), waves, cosines, way_rad)


def link_shape(scenario: Scenario) -> tuple[int, int, int]:
    """Return the numbers of subcarriers, of antennas of all sites, and of users, ``(N, M, K)``."""
    return scenario.radio.num_subcarriers, scenario.num_antennas, scenario.layout.num_users


def doppler_phase_rad(scenario: Scenario, speed_m_per_s: Floats) -> Floats:
    """Return ``2 pi f_D block_s``, the way of a user in a block, a wavelength being 2 pi, for speeds ``(...)``."""
    phase_per_speed = 2 * np.pi * scenario.radio.carrier_hz * scenario.dynamics.block_s
    return phase_per_speed / SPEED_OF_LIGHT_M_PER_S * speed_m_per_s


def _j0(argument: Floats) -> Floats:
    """Return the Bessel function J0, of any shape."""
    from scipy.special import j0  # takes as long to import as the rest of the package

    return np.asarray(j0(argument))


FADINGS: Parts[type[FadingModel]] = Parts("fading", iid=IID, gauss_markov=GaussMarkov, clarke=Clarke)
"""Fading models by name; add your own to use it as ``fading``."""
