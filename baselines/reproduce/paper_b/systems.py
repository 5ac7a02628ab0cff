"""Paper B's systems, and the settings under which claims are tried: the numbers that its text has lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mec_cf_gym.baselines.reproduce.measure import Cell
from mec_cf_gym.baselines.reproduce.paper_b.users import Users
from mec_cf_gym.scenario import Scenario


@dataclass(frozen=True)
class System:
    """A network and who controls the powers in it."""

    name: str
    label: str
    deployment: str
    style: Mapping[str, Any] = field(hash=False)  # of its line
    policy: str | None = None  # installed name; None: the run's solver

    def cell(self, solver: str, scenario: Scenario, measured: type[Users] = Users) -> Cell[Users]:
        """Return what has to be measured of the system."""
        return Cell(self.name, self.policy or solver, scenario.replace(deployment=self.deployment), measured)


CELL_FREE = System("cell-free", "cell-free", "user_centric", {"color": "C0"})
CELLULAR = System("cellular", "cellular", "multi_cell", {"color": "C2", "ls": "-."})
FULL_POWER = System(
    "cell-free-full-power", "cell-free, full power", "user_centric", {"color": "C0", "ls": ":"}, "full-power"
)
CELLULAR_FULL_POWER = System(
    "cellular-full-power", "cellular, full power", "multi_cell", {"color": "C2", "ls": ":"}, "full-power"
)
CLAIMED = (CELL_FREE, CELLULAR)
"""Systems that claims are about."""
SYSTEMS = (*CLAIMED, FULL_POWER, CELLULAR_FULL_POWER)


@dataclass(frozen=True)
class Setting:
    """One number other than in the scenario of a run."""

    name: str  # of the scenario's field
    value: Any
    symbol: str
    unit: str = ""

    @property
    def text(self) -> str:
        """What is different, in words."""
        return f"{self.symbol} = {self.value}{self.unit}"

    def cell(self, cell: Cell[Users], topologies: int) -> Cell[Users]:
        """Return a cell under this setting, measured on the first topologies only."""
        scenario = cell.scenario.replace(**{self.name: self.value})
        name = f"{cell.name}-{self.name}-{self.value}"
        return Cell(name, cell.solver, scenario, cell.measured, topologies=topologies)


SETTINGS = (
    *(Setting("fairness_weight_w", value, "w", " W") for value in (0.3, 0.6, 1.2)),
    *(Setting("pilot_samples", value, "tau_p") for value in (3, 5, 10)),
    *(Setting("deadline_s", value, "deadline", " s") for value in (0.3, 0.4, 0.5)),
    *(Setting("user_drop", value, "drop") for value in ("balanced", "uniform")),
    *(Setting("combiner", value, "combiner") for value in ("auto", "mmse")),
)
"""Settings that are tried one by one; those of the scenario itself are left out."""


def other_settings(scenario: Scenario) -> list[Setting]:
    """Return the settings that differ from a scenario."""
    fields = scenario.to_dict()
    return [setting for setting in SETTINGS if setting.value != fields[setting.name]]


def base_setting(scenario: Scenario) -> str:
    """Return in words what a scenario has where settings differ."""
    fields = scenario.to_dict()
    return ", ".join(
        Setting(name, fields[name], symbol, unit).text
        for name, (symbol, unit) in {setting.name: (setting.symbol, setting.unit) for setting in SETTINGS}.items()
    )
