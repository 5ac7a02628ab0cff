"""Pictures of a network: where its APs and users are, who serves whom, and how long each user's last task took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from gymnasium.error import DependencyNotInstalled
from numpy.typing import NDArray

from mec_cf_gym.deployments import Deployment
from mec_cf_gym.network.network import Network
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.world import AnyOutcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME_INCHES = (6.4, 5.6)
FRAME_DPI = 100
MARGIN = 0.025
"""Around the service area, relative to its size."""


def draw_network(scenario: Scenario, network: Network, outcome: AnyOutcome | None) -> NDArray[np.uint8]:
    """Return a map of one network as an RGB picture, ``(560, 640, 3)``.

    Args:
        scenario: The scenario it was drawn from.
        network: The network, without batch axis.
        outcome: What its last block led to, without batch axis; None colours no users.

    Raises:
        DependencyNotInstalled: Without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyNotInstalled("rendering needs matplotlib: pip install 'mec-cf-gym[render]'") from error

    figure = Figure(figsize=FRAME_INCHES, dpi=FRAME_DPI, layout="constrained")
    canvas, axis = FigureCanvasAgg(figure), figure.subplots()
    _draw_area(axis, scenario.deployment)
    if network.statistics is not None:
        _draw_clusters(axis, scenario.deployment, network, network.statistics.serves)
    axis.scatter(
        network.ap_positions_m[:, 0],
        network.ap_positions_m[:, 1],
        marker="^",
        s=26,
        color="0.35",
        label=scenario.deployment.sites_name,
    )
    title, latency_ms = "before the first block", np.zeros(scenario.layout.num_users)
    deadline_ms = 1e3 * _deadline_s(scenario)
    if outcome is not None:
        latency_ms = 1e3 * outcome.latency_s
        title = f"largest latency {latency_ms.max():.4g} ms"
    users = axis.scatter(
        network.user_positions_m[:, 0],
        network.user_positions_m[:, 1],
        c=latency_ms,
        cmap="RdYlGn_r",
        vmin=0,
        vmax=deadline_ms,
        s=70,
        edgecolors="black",
        label="users",
        zorder=3,
    )
    figure.colorbar(users, label=f"latency (ms); the deadline is {deadline_ms:g} ms", extend="max")
    axis.set(title=title, xlabel="m", ylabel="m")
    axis.set_aspect("equal")
    figure.legend(loc="outside lower center", ncols=2)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def _draw_area(axis: Axes, deployment: Deployment) -> None:
    """Draw the border of the service area, with a margin around it."""
    border_m = deployment.border_m()
    axis.plot(*border_m.T, color="0.6", linewidth=1)
    low, high = border_m.min(0), border_m.max(0)
    margin = MARGIN * (high - low)
    axis.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))


def _draw_clusters(axis: Axes, deployment: Deployment, network: Network, serves: NDArray[np.bool_]) -> None:
    """Draw a line from every user to each site that serves it, ``(L, K)``, the shortest way around the edges."""
    from matplotlib.collections import LineCollection

    site, user = np.nonzero(serves)
    offsets_m = deployment.offsets_m(network.user_positions_m, network.ap_positions_m)[user, site]
    starts_m = network.user_positions_m[user]
    lines = LineCollection(
        np.stack((starts_m, starts_m + offsets_m), axis=1).tolist(),
        colors=[f"C{number % 10}" for number in user],
        linewidths=0.6,
        alpha=0.5,
    )
    axis.add_collection(lines)


def _deadline_s(scenario: Scenario) -> float:
    """Return the deadline of the tasks, the largest one if they differ."""
    deadline_s = scenario.tasks.deadline_s
    if deadline_s is None:
        return scenario.dynamics.block_s
    return max(deadline_s) if isinstance(deadline_s, tuple) else deadline_s
