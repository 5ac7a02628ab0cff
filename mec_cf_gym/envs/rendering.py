"""Pictures of a network: where its APs and users are, and how long each user's last task took."""

from __future__ import annotations

import numpy as np
from gymnasium.error import DependencyNotInstalled
from numpy.typing import NDArray

from mec_cf_gym.envs.outcome import Outcome
from mec_cf_gym.network.network import Network
from mec_cf_gym.scenario import Scenario

FRAME_INCHES = (6.4, 5.6)
FRAME_DPI = 100


def draw_network(scenario: Scenario, network: Network, outcome: Outcome | None) -> NDArray[np.uint8]:
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
        from matplotlib.patches import Circle
    except ImportError as error:
        raise DependencyNotInstalled("rendering needs matplotlib: pip install 'mec-cf-gym[render]'") from error

    figure = Figure(figsize=FRAME_INCHES, dpi=FRAME_DPI, layout="constrained")
    canvas, axis, radius_m = FigureCanvasAgg(figure), figure.subplots(), scenario.layout.radius_m
    axis.add_patch(Circle((0, 0), radius_m, fill=False, color="0.6"))
    axis.scatter(
        network.ap_positions_m[:, 0],
        network.ap_positions_m[:, 1],
        marker="^",
        s=26,
        color="0.35",
        label="AP antennas",
    )
    title = "before the first block"
    deadline_ms = 1e3 * scenario.dynamics.block_s
    latency_ms = np.zeros(scenario.layout.num_users)
    if outcome is not None:
        latency_ms = 1e3 * outcome.latency_s
        title = f"largest latency {latency_ms.max():.3f} ms"
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
    )
    figure.colorbar(users, label=f"latency (ms); the deadline is {deadline_ms:g} ms", extend="max")
    margin_m = 1.05 * radius_m
    axis.set(title=title, xlabel="m", ylabel="m", xlim=(-margin_m, margin_m), ylim=(-margin_m, margin_m))
    axis.set_aspect("equal")
    axis.legend(loc="upper right")
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
