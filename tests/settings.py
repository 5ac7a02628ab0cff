"""What many tests begin with: the environments' ids, and settings that are quick to play."""

import multiprocessing

from mec_cf_gym.registration import env_ids

ENV_IDS = env_ids()
PAPER_A_IDS = ("MECCellFree-v0", "MECCellular-v0")
PAPER_B_IDS = ("MECUserCentric-v0", "MECMultiCell-v0")
SMALL = {"num_users": 3, "num_aps": 16, "antennas_per_base_station": 8}
"""For every environment."""
SIX_USERS = SMALL | {"num_users": 6}
"""For those of paper B, where base stations serve several users."""


def sent(value):
    """Return what another process is handed of a value that is sent to it."""
    queue = multiprocessing.Queue()
    queue.put(value)
    return queue.get(timeout=60)
