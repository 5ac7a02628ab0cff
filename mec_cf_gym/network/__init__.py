"""Networks: where access points and users are, and how much power reaches one from the other on average."""

from mec_cf_gym.network.grid import DROPS, DropModel
from mec_cf_gym.network.layout import LAYOUTS, LayoutModel
from mec_cf_gym.network.mobility import MOBILITIES, MobilityModel
from mec_cf_gym.network.network import Network, NetworkModel
from mec_cf_gym.network.propagation import PROPAGATIONS, PropagationModel
from mec_cf_gym.network.servers import Servers, Shares
from mec_cf_gym.network.snapshot import GRIDS, GridModel

__all__ = [
    "DROPS",
    "GRIDS",
    "LAYOUTS",
    "MOBILITIES",
    "PROPAGATIONS",
    "DropModel",
    "GridModel",
    "LayoutModel",
    "MobilityModel",
    "Network",
    "NetworkModel",
    "PropagationModel",
    "Servers",
    "Shares",
]
