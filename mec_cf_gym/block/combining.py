"""Receive combining: from channels to signal and interference gains, from which rates follow."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.parts import Parts
from mec_cf_gym.scenario import Scenario

Channel = NDArray[np.complexfloating[Any, Any]]  # (..., N, M, K), amplitude over the noise at full power
Floats = NDArray[np.float64]


class InterferenceModel(Protocol):
    """Says what unit-norm combiners make of the users' signals, noise power being one."""

    def __call__(self, combiner: Channel, channel: Channel, error_gain: Floats | None) -> tuple[Floats, Floats]:
        """Return signal gains, ``(..., N, K)``, and interference gains, ``(..., N, K, K)``; see the functions."""
        ...


class CombinerModel(Protocol):
    """Chooses a unit-norm receive vector for every user and subcarrier. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def combine(self, channel: Channel, error_gain: Floats | None) -> Channel:
        """Return the combiners ``a_k``, ``(..., N, M, K)``, each of unit norm over the APs.

        Args:
            channel: Channel estimates.
            error_gain: Variance of the estimation error over the noise, ``(..., M, K)``; None for perfect CSI.
        """
        ...


class MaximumRatio:
    """``a_k = h_k / ||h_k||`` (paper A)."""

    def __init__(self, scenario: Scenario) -> None:
        pass

    def combine(self, channel: Channel, error_gain: Floats | None) -> Channel:
        """Return the normalised channels, ``(..., N, M, K)``."""
        return unit_columns(channel)


class ZeroForcing:
    """Columns of ``H (H^H H)^-1``, normalised: no interference between users, at the price of array gain."""

    def __init__(self, scenario: Scenario) -> None:
        pass

    def combine(self, channel: Channel, error_gain: Floats | None) -> Channel:
        """Return the normalised columns of the pseudo-inverse, ``(..., N, M, K)``."""
        unit = unit_columns(channel.astype(np.complex128))
        return unit_columns(unit @ np.linalg.inv(adjoint(unit) @ unit))


class MinimumMeanSquareError:
    """``a_k ~ (sum_i p_i (h_i h_i^H + C_i) + I)^-1 h_k``: the largest SINR at the assumed powers.

    Combiners are fixed before powers are chosen, so they assume an equal split of every budget over the
    subcarriers, ``p = 1/N``; at these powers no other combiner gives a larger SINR.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.power = 1 / scenario.radio.num_subcarriers

    def combine(self, channel: Channel, error_gain: Floats | None) -> Channel:
        """Return the normalised MMSE combiners, ``(..., N, M, K)``, by inverses of K x K matrices (the lemma)."""
        weighted = channel.astype(np.complex128)
        if error_gain is not None:
            weighted = weighted / (1 + self.power * error_gain.sum(-1))[..., None, :, None]
        system = adjoint(channel) @ weighted
        system *= self.power
        system += np.eye(channel.shape[-1])
        return unit_columns(weighted @ np.linalg.inv(system))


def receive_gains(combiner: Channel, channel: Channel, error_gain: Floats | None) -> tuple[Floats, Floats]:
    """Return what unit-norm combiners make of the users' signals, noise power being one.

    ``S_k = |a_k^H h_k|^2`` and ``I_kj = |a_k^H h_j|^2`` for ``j != k``; an estimation error of covariance
    ``C_j`` adds ``a_k^H C_j a_k`` to ``I_kj``, the diagonal included, and the rates become the standard lower
    bound given the estimates.

    Args:
        combiner: Combiners, ``(..., N, M, K)``.
        channel: Channel estimates, amplitude over the noise at full power, ``(..., N, M, K)``.
        error_gain: Variance of the estimation error over the noise, ``(..., M, K)``; None for perfect CSI.

    Returns:
        Signal gains, ``(..., N, K)``, and interference gains, ``(..., N, K, K)``, from user j on user k.
    """
    interference_gain = _power(adjoint(combiner) @ channel).astype(np.float64)
    users = np.arange(channel.shape[-1])
    signal_gain = interference_gain[..., users, users]
    interference_gain[..., users, users] = 0.0
    if error_gain is not None:
        interference_gain += np.swapaxes(_power(combiner), -1, -2) @ error_gain[..., None, :, :]
    return signal_gain, interference_gain


def printed_gains(combiner: Channel, channel: Channel, error_gain: Floats | None) -> tuple[Floats, Floats]:
    """Return the gains as paper A prints them: every user is heard through its own combiner, whoever it disturbs.

    ``I_kj = |a_j^H h_j|^2 = S_j`` for ``j != k``, a matter of the magnitudes alone with maximum-ratio combining;
    an estimation error adds ``a_j^H C_j a_j``, the diagonal included. Arguments and gains are those of
    :func:`receive_gains`.
    """
    own: NDArray[Any] = np.vecdot(combiner, channel, axis=-2)  # type: ignore[call-overload]
    signal_gain = _power(own).astype(np.float64)
    error = np.zeros_like(signal_gain)
    if error_gain is not None:
        error += (_power(combiner) * error_gain[..., None, :, :]).sum(-2)
    others = 1 - np.eye(channel.shape[-1])
    return signal_gain, others * signal_gain[..., None, :] + error[..., None, :]


def _power(array: Channel) -> NDArray[Any]:
    """Return ``|x|^2``, of any shape."""
    return np.square(array.real) + np.square(array.imag)


def adjoint(matrix: Channel) -> Channel:
    """Return the conjugate transposes of matrices, ``(..., K, M)`` of ``(..., M, K)``."""
    return np.swapaxes(matrix.conj(), -1, -2)


def unit_columns(matrix: Channel) -> Channel:
    """Return matrices ``(..., M, K)`` with each column scaled to unit norm; zero columns stay zero."""
    squared: NDArray[Any] = np.vecdot(matrix, matrix, axis=-2).real  # type: ignore[call-overload]
    norm = np.sqrt(squared)
    inverse = 1 / np.maximum(norm, np.finfo(norm.dtype).tiny)  # a dead channel gets a zero combiner
    return np.asarray(matrix * inverse[..., None, :])


COMBINERS: Parts[type[CombinerModel]] = Parts(
    "combiner", family="disk", mrc=MaximumRatio, zf=ZeroForcing, mmse=MinimumMeanSquareError
)
"""Combiners by name; add your own to use it as ``combiner``."""
INTERFERENCES: Parts[InterferenceModel] = Parts(
    "interference", family="disk", physical=receive_gains, printed=printed_gains
)
"""Readings of the interference by name; add your own to use it as ``interference``."""
