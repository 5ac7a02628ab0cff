"""The order of paper A's schemes 2 and 3 over what the paper does not give: path loss, shadowing and noise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from mec_cf_gym.baselines.reproduce.claims import NO, UNDECIDED, YES, verdict
from mec_cf_gym.baselines.reproduce.measure import Cell
from mec_cf_gym.baselines.reproduce.paper_a import schemes
from mec_cf_gym.baselines.reproduce.paper_a.schemes import BS_CENTRED, NO_LOCAL_COMPUTING, Latencies
from mec_cf_gym.baselines.reproduce.reproduction import Report
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.evaluation.report import markdown
from mec_cf_gym.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINEAR_MS = 0.01
"""Up to here the colours of the map are linear in the difference, then logarithmic."""
Noise = Literal["physical", "printed"]
PLACES = ("receiver_noise", "path_loss_exponent", "shadowing_db")
"""Scenario fields that the points of the map set."""


Place = Mapping[str, Any]
"""A point of the map: values of the fields in :data:`PLACES`."""


@dataclass(frozen=True)
class Order:
    """How much slower scheme 2 is than scheme 3 at a point of the map, for few users and for many."""

    place: Place
    few: Estimate  # ms, scheme 2 less scheme 3
    many: Estimate  # ms

    @property
    def flips(self) -> str:
        """Whether scheme 3 is better for few users and scheme 2 for many, as far as the intervals tell."""
        opposite = Estimate(-self.few.mean, -self.few.high, -self.few.low)
        found = {verdict(opposite, 0.0), verdict(self.many, 0.0)}
        return NO if NO in found else UNDECIDED if UNDECIDED in found else YES

    @property
    def flips_in_the_mean(self) -> bool:
        """Whether the means flip, be it by chance."""
        return self.few.mean > 0 > self.many.mean


@dataclass(frozen=True, kw_only=True)
class SensitivityMap(schemes.OfSchemes):
    """Map the order of paper A's schemes 2 and 3 over path loss exponent, shadowing and receiver noise.

    The paper says that scheme 3 beats scheme 2 for K = 20 and loses for K = 30, and gives no path loss. The
    map is for N = 1 unless you set num_subcarriers: there the solver is exact, and solves thousands of blocks
    a second. Full size: 1000 test topologies, one block each; --quick: 50. Writes figure.png, figure.svg,
    data.csv (a row per point), claims.md, claims.csv (the points whose order flips) and run.json.
    Interrupted, even killed, it keeps what is finished; --resume goes on and ends the same.
    """

    SIZE: ClassVar = (1000, 1)
    QUICK_SIZE: ClassVar = (50, 1)
    FOLDER: ClassVar = "paper-a/map"
    SET_BY: ClassVar = schemes.SET_BY_SCHEMES | {
        "path_loss_exponent": "--exponents",
        "shadowing_db": "--shadowings-db",
        "receiver_noise": "--noises",
    }

    users: tuple[int, int] = (20, 30)
    """Few and many users K."""
    exponents: tuple[float, ...] = (2.6, 2.8, 2.9, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.67, 4.0)
    """Path loss exponents."""
    shadowings_db: tuple[float, ...] = (0, 1, 2, 3, 4, 4.7, 5.3, 6, 6.4, 6.8, 7, 7.2, 7.6, 8, 9, 10)
    """Standard deviations of the shadowing in dB."""
    noises: tuple[Noise, ...] = ("physical", "printed")
    """Receiver noise: physical, printed or both."""
    scenario: Scenario = field(default_factory=lambda: Scenario.paper_a(num_subcarriers=1))
    """The scenario, field by field."""

    def check(self) -> None:
        """Check the options before any work is done."""
        super().check()
        for name in ("exponents", "shadowings_db", "noises"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise refuse(name, values, "it must name one at least, and none twice")

    def places(self) -> list[Place]:
        """Return the points of the map."""
        axes = itertools.product(sorted(self.exponents), sorted(self.shadowings_db), self.noises)
        return [dict(zip(PLACES, (noise, *values), strict=True)) for *values, noise in axes]

    def pair(self, place: Place, users: int) -> tuple[Cell[Latencies], Cell[Latencies]]:
        """Return schemes 2 and 3 at a point."""
        at, (noise, exponent, shadowing_db) = self.scenario.replace(**place), in_words(place)
        where = f"-exponent-{exponent}-shadowing-{shadowing_db}"
        second = NO_LOCAL_COMPUTING.cell(self.solver, at, users)
        # A base station has one receiver: however noise is counted, it is the physical one, and measured once.
        third = BS_CENTRED.cell(self.solver, at.replace(receiver_noise="physical"), users)
        return (
            replace(second, name=f"{second.name}{where}-{noise}"),
            replace(third, name=f"{third.name}{where}"),
        )

    def cells(self) -> list[Cell[Latencies]]:
        """Return both schemes at every point, for few and many users, each cell once."""
        pairs = (self.pair(place, users) for place in self.places() for users in self.users)
        return list({cell.name: cell for pair in pairs for cell in pair}.values())

    def order(self, results: Mapping[str, Latencies], place: Place) -> Order:
        """Return the order of the schemes at a point."""
        differences = []
        for users in self.users:
            second, third = (schemes.mean_ms(results[cell.name]) for cell in self.pair(place, users))
            differences.append(Estimate.of(second - third))
        return Order(place, *differences)

    def report(self, results: Mapping[str, Latencies], missing: Mapping[str, str]) -> Report:
        """Return the report on what each cell gave."""
        orders = [self.order(results, place) for place in self.places()]
        flipping = [order for order in orders if order.flips_in_the_mean]
        under = self.setting(without=PLACES)
        few, many = self.users
        names = (f"2 less 3 at K = {users}, ms [95 % CI]" for users in self.users)
        headers = ("noise", "exponent", "shadowing dB", *names, "flips")
        rows = [
            (*in_words(order.place), order.few.text("ms"), order.many.text("ms"), order.flips)
            for order in flipping
        ]
        certain = sum(order.flips == YES for order in orders)
        return Report(
            figure=self.plot(orders),
            tables={
                "data": [self.row(order) for order in orders],
                "claims": [{**self.row(order), "setting": under} for order in flipping],
            },
            text=f"# Order of schemes 2 and 3: {under}\n\n"
            f"Scheme 3 is better at K = {few} and scheme 2 at K = {many}, as the paper says, at {len(flipping)} "
            f"of {len(orders)} points in the mean, and at {certain} with both intervals on that side.\n\n"
            f"{markdown(rows, headers)}\n\n{schemes.HOW_MEASURED}",
        )

    def row(self, order: Order) -> dict[str, Any]:
        """Return a point as a row of a CSV file."""
        few_and_many = zip(self.users, (order.few, order.many), strict=True)
        return {
            **order.place,
            **{
                f"difference_ms_K{users}{suffix}": value
                for users, found in few_and_many
                for suffix, value in (("", found.mean), ("_low", found.low), ("_high", found.high))
            },
            "flips_in_the_mean": order.flips_in_the_mean,
            "flips": order.flips,
        }

    def plot(self, orders: list[Order]) -> Figure:
        """Return the map: a row of panels per receiver noise, a column for few and one for many users."""
        from matplotlib.colors import SymLogNorm
        from matplotlib.figure import Figure

        rows = len(self.noises)
        figure = Figure(figsize=(11, 0.6 + 3.6 * rows), layout="constrained")
        axes = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
        differences_ms = [abs(found.mean) for order in orders for found in (order.few, order.many)]
        largest_ms = max(LINEAR_MS, *differences_ms)
        scale = SymLogNorm(LINEAR_MS, vmin=-largest_ms, vmax=largest_ms)
        for noise, line in zip(self.noises, axes, strict=True):
            here = [order for order in orders if order.place["receiver_noise"] == noise]
            for axis, users, which in zip(line, self.users, ("few", "many"), strict=True):
                means = np.array([getattr(order, which).mean for order in here])
                grid = means.reshape(len(self.exponents), len(self.shadowings_db))
                image = axis.imshow(grid, cmap="RdBu_r", norm=scale, aspect="auto", origin="lower")
                axis.set_title(f"K = {users}, receiver noise {noise}")
                self._mark(axis, here)
        figure.colorbar(image, ax=axes, label="scheme 2 less scheme 3 (ms); red: 3 is better")
        figure.supxlabel("shadowing (dB)")
        figure.supylabel("path loss exponent")
        return figure

    def _mark(self, axis: Axes, orders: list[Order]) -> None:
        """Mark the points at which the order flips: filled if both intervals say so."""
        columns = len(self.shadowings_db)
        for index, order in enumerate(orders):
            if order.flips_in_the_mean:
                fill = "black" if order.flips == YES else "none"
                axis.plot(index % columns, index // columns, "o", mec="black", mfc=fill)
        axis.set_xticks(range(columns), [f"{value:g}" for value in sorted(self.shadowings_db)])
        axis.set_yticks(range(len(self.exponents)), [f"{value:g}" for value in sorted(self.exponents)])


def in_words(place: Place) -> tuple[str, str, str]:
    """Return the receiver noise, the path loss exponent and the shadowing of a point."""
    noise, exponent, shadowing_db = (place[name] for name in PLACES)
    return noise, f"{exponent:g}", f"{shadowing_db:g}"
