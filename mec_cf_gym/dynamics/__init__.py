"""Random processes of dynamic worlds: how tasks arrive and how energy is harvested."""

from mec_cf_gym.dynamics.arrivals import ARRIVALS, ArrivalModel
from mec_cf_gym.dynamics.harvests import HARVESTS, HarvestModel
from mec_cf_gym.dynamics.two_states import TwoStates

__all__ = ["ARRIVALS", "HARVESTS", "ArrivalModel", "HarvestModel", "TwoStates"]
