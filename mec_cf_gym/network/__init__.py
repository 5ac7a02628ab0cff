"""Networks: where access points and users are, and how much power reaches one from the other on average."""

from mec_cf_gym.network.grid import DROPS, DropModel
from mec_cf_gym.network.grids import GRIDS, GridModel
from mec_cf_gym.network.ground import Ground
from mec_cf_gym.network.layout import LAYOUTS, LayoutModel
from mec_cf_gym.network.mobility import MOBILITIES, MobilityModel
from mec_cf_gym.network.network import Association, Network, NetworkModel
from mec_cf_gym.network.propagation import PROPAGATIONS, PropagationModel
from mec_cf_gym.network.servers import Servers, Shares

__all__ = [
    "DROPS",
    "GRIDS",
    "LAYOUTS",
    "MOBILITIES",
    "PROPAGATIONS",
    "Association",
    "DropModel",
    "GridModel",
    "Ground",
    "LayoutModel",
    "MobilityModel",
    "Network",
    "NetworkModel",
    "PropagationModel",
    "Servers",
    "Shares",
]
