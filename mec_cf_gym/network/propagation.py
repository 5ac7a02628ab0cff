"""Propagation: the large-scale gain from a user to an access point."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.units import db_to_linear


class PropagationModel(Protocol):
    """Turns positions into large-scale gains. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def draw_shadowing_db(self, streams: Streams, site_of_ap: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the shadowing of every link in dB, ``(rows, M, K)``."""
        ...

    def gain(self, offsets_m: NDArray[np.float64], shadowing_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the large-scale gain beta, linear, ``(..., M, K)``.

        Args:
            offsets_m: From APs to users, ``(..., M, K, 2)``.
            shadowing_db: ``(..., M, K)``.
        """
        ...


class LogDistance:
    """Log-distance path loss over the 3-D distance, with log-normal shadowing.

    ``beta_dB = intercept - 10 exponent log10(d / 1 m) + shadowing``; the defaults are 3GPP UMi at 2 GHz.
    Shadowing is independent between sites and users, and stays with a user through an episode.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.radio = scenario.radio
        self.num_users = scenario.layout.num_users
        self.height_difference_m = scenario.layout.height_difference_m

    def draw_shadowing_db(self, streams: Streams, site_of_ap: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the shadowing of every link in dB, ``(rows, M, K)``; antennas of one site share it."""
        per_site = streams.normal((int(site_of_ap.max()) + 1, self.num_users))
        return self.radio.shadowing_db * per_site[:, site_of_ap]

    def gain(self, offsets_m: NDArray[np.float64], shadowing_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the large-scale gain beta, linear, ``(..., M, K)``, from offsets ``(..., M, K, 2)``."""
        squared_distance_m2 = np.square(offsets_m).sum(-1) + self.height_difference_m**2
        path_gain_db = self.radio.path_loss_intercept_db - 5 * self.radio.path_loss_exponent * np.log10(
            squared_distance_m2
        )
        return np.asarray(db_to_linear(path_gain_db + shadowing_db))


PROPAGATIONS: Parts[type[PropagationModel]] = Parts("propagation", log_distance=LogDistance)
"""Propagation models by name; add your own to use it as ``propagation``."""
