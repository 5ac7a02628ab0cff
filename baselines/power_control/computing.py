"""Shared computing: sets of users that need more than their servers have, and shares in whole Hz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import maximum_flow

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.network.servers import Servers, Shares

Flags = NDArray[np.bool_]


def reach_hz(servers: Servers, users: Flags) -> float:
    """Return the speed that all servers together have for a set of users, ``(K,)``, in Hz."""
    serves_any = (servers.serves & users).any(-1)
    return float(servers.ap_hz[serves_any].sum() + servers.cloud_hz)


def greediest(servers: Servers, hz: Floats) -> Flags:
    """Return the set of users, ``(K,)``, whose speeds, ``(K,)``, exceed by most what their servers have together.

    Speeds can be shared out exactly if no set of users asks for more than its servers have (max-flow, min-cut).
    The set is a vertex of a linear program: u_k says whether user k belongs to it, a_l whether AP l serves it.
    """
    aps, users = np.nonzero(servers.serves)
    num_aps, num_users = servers.serves.shape
    unit = hz.max()
    rows = np.arange(len(aps))
    cloud = len(aps) + np.arange(num_users)
    implies = coo_array(  # u_k <= a_l for every pair that serves, u_k <= z for the cloud
        (
            np.repeat([1.0, -1.0, 1.0, -1.0], [len(aps), len(aps), num_users, num_users]),
            (
                np.concatenate([rows, rows, cloud, cloud]),
                np.concatenate(
                    [users, num_users + aps, np.arange(num_users), np.full(num_users, num_users + num_aps)]
                ),
            ),
        )
    )
    cost = np.concatenate([-hz, servers.ap_hz, [float(servers.cloud_hz)]]) / unit
    found = linprog(cost, A_ub=implies.tocsr(), b_ub=np.zeros(implies.shape[0]), bounds=(0, 1))
    return np.asarray(found.x[:num_users] > 0.5)


def in_whole_hz(shares: Shares, servers: Servers, needed_hz: Floats) -> Shares:
    """Return shares in whole Hz that break no budget and give users the whole Hz they need, if any such do.

    Shares are rounded down; what users then lack flows to them from servers with Hz to spare, directly or by
    taking the place of another user who moves on.

    Args:
        shares: Shares of one network, (nearly) within the budgets.
        servers: The servers of that network.
        needed_hz: What every user needs, ``(K,)``; it is rounded up.
    """
    whole = np.floor(_within_budgets(shares, servers))  # (L + 1, K), the cloud last
    lacks = np.maximum(np.ceil(needed_hz) - whole.sum(0), 0.0)
    spare = np.floor(np.append(servers.ap_hz, servers.cloud_hz)) - whole.sum(1)
    whole += _flow(lacks, np.maximum(spare, 0.0), whole, _open(servers))
    return Shares(whole[:-1], whole[-1])


def _within_budgets(shares: Shares, servers: Servers) -> Floats:
    """Return shares within the budgets, which count in whole Hz, ``(L + 1, K)``, the cloud's last."""
    given = np.vstack([shares.ap_hz * servers.serves, shares.cloud_hz])
    budget = np.floor(np.append(servers.ap_hz, servers.cloud_hz))
    asked = given.sum(1)
    return np.asarray(given * np.where(asked > budget, budget / np.where(asked > 0, asked, 1.0), 1.0)[:, None])


def _open(servers: Servers) -> Flags:
    """Return which servers serve which users, ``(L + 1, K)``, the cloud last."""
    return np.vstack([servers.serves, np.ones(servers.serves.shape[1], np.bool_)])


def _flow(lacks: Floats, spare: Floats, given: Floats, is_open: Flags) -> Floats:
    """Return the change of given speeds, ``(L + 1, K)``, with which users lack as little as possible (max-flow).

    Args:
        lacks: What users lack, ``(K,)``, in whole Hz.
        spare: What servers have to spare, ``(L + 1,)``.
        given: Speeds as they are, ``(L + 1, K)``.
        is_open: Which servers serve which users, ``(L + 1, K)``.
    """
    (num_servers, num_users), most = given.shape, min(lacks.sum(), 1e9)  # no arc has to carry more
    if most == 0:
        return np.zeros_like(given)
    source, sink = num_users + num_servers, num_users + num_servers + 1
    capacity = np.zeros((sink + 1, sink + 1), np.int32)
    capacity[source, :num_users] = np.minimum(lacks, most)
    capacity[:num_users, num_users:source] = np.where(is_open.T, most, 0)
    capacity[num_users:source, :num_users] = np.minimum(given, most)
    capacity[num_users:source, sink] = np.minimum(spare, most)
    flow = maximum_flow(csr_array(capacity), source, sink).flow.toarray()
    return np.asarray(flow[:num_users, num_users:source].T, np.float64)  # net: it is antisymmetric
