"""Figures 1 to 3 of paper B."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mec_cf_gym.baselines.reproduce.paper_b import claims
from mec_cf_gym.baselines.reproduce.paper_b.distributions import Distributions, Panel
from mec_cf_gym.baselines.reproduce.paper_b.systems import CELL_FREE, CELLULAR, FULL_POWER


@dataclass(frozen=True, kw_only=True)
class Figure1(Distributions):
    """Measure figure 1 of paper B again: distributions of the uplink power, of all users and of each.

    Full size: 200 test topologies x 5 blocks, up to 1000 for claims that those leave undecided, and 50 for each
    setting of the numbers that the paper's text has lost; --quick: 10 x 2, and 5. The figures share their
    measurements, which are in the folder's units. Writes figure.png, figure.svg, data.csv (a row per system,
    topology and user), cdf.csv, claims.md, claims.csv, sensitivity.csv and run.json to figure-1 there.
    Interrupted, even killed, it keeps what is finished; --resume goes on and ends the same.
    """

    NUMBER: ClassVar = 1
    SYSTEMS: ClassVar = (CELL_FREE, CELLULAR, FULL_POWER)
    CLAIMS: ClassVar = claims.POWER
    PANELS: ClassVar = (
        Panel("total_power_w", "total uplink power (W)", lambda users: users.total_power_w),
        Panel("user_power_mw", "uplink power of a user (mW)", lambda users: 1e3 * users.power_w),
    )


@dataclass(frozen=True, kw_only=True)
class Figure2(Distributions):
    """Measure figure 2 of paper B again: distributions of the computing that deadlines need.

    Sizes, files and options are those of figure 1, whose measurements are used if they are in the folder.
    """

    NUMBER: ClassVar = 2
    CLAIMS: ClassVar = claims.COMPUTING
    PANELS: ClassVar = (
        Panel("user_computing_ghz", "computing of a user (GHz)", lambda users: 1e-9 * users.timely_computing_hz),
        Panel("total_computing_ghz", "total computing (GHz)", lambda users: 1e-9 * users.total_computing_hz),
    )


@dataclass(frozen=True, kw_only=True)
class Figure3(Distributions):
    """Measure figure 3 of paper B again: distributions of the ergodic spectral efficiency and the energy per Mbit.

    Sizes, files and options are those of figure 1, whose measurements are used if they are in the folder.
    """

    NUMBER: ClassVar = 3
    CLAIMS: ClassVar = claims.EFFICIENCY
    PANELS: ClassVar = (
        Panel("spectral_efficiency", "ergodic SE of a user (bit/s/Hz)", lambda users: users.ergodic_efficiency),
        Panel("energy_mj_per_mbit", "energy per Mbit (mJ)", lambda users: 1e3 * users.energy_j_per_mbit, "log"),
    )
