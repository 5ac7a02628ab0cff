"""What paper B's computing claims say when only the way to choose the computing changes: they are not identified.

    OMP_NUM_THREADS=1 python benchmarks/computing.py

Computing is not in the paper's objective. For the same powers and spectral efficiencies (exact power control, one
block of each of the first test seeds) every row takes other speeds that meet all deadlines and budgets: the least;
the centre of all that do; and what an interior-point solver, Clarabel, returns for "find f" in several units and
formulations: totals alone (cycles / f at most what the link leaves), or auxiliary u and v as in the paper
(u f >= 1, v SE >= 1, a v + c u <= 1). Savings are cell-free against cellular, with 95 % bootstrap intervals over
snapshots. Only snapshots count in which every row has an answer for both networks.
"""

import argparse
from collections.abc import Callable

import cvxpy as cp
import numpy as np
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import ExactPowerControl
from mec_cf_gym.baselines.power_control.centre import NoInsideError, central_shares
from mec_cf_gym.baselines.power_control.problem import PowerProblem
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

NETWORKS = ("user_centric", "multi_cell")
WAYS = {
    "least": None,
    "centre": None,
    "totals, 10 GHz": (False, 1e10, True),
    "totals, GHz": (False, 1e9, True),
    "totals, 100 MHz": (False, 1e8, True),
    "u and v, 10 GHz": (True, 1e10, True),
    "u and v, GHz": (True, 1e9, True),
    "u and v, 100 MHz": (True, 1e8, True),
    "u and v, GHz, not equilibrated": (True, 1e9, False),
}
"""Ways to choose: for Clarabel whether there are auxiliary variables, the unit in Hz, and whether it rescales."""
GROUP = 20
"""Snapshots drawn at a time."""
Floats = np.ndarray


def speeds_hz(problem: PowerProblem, efficiency: Floats) -> dict[str, Floats | None]:
    """Return the users' speeds, ``(K,)``, by the way they are chosen; None where a solver found none."""
    tasks = (problem.link_s, problem.cycles, problem.deadline_s)
    try:
        central = central_shares(problem.servers, efficiency, *tasks).total_hz
    except NoInsideError:
        central = None
    found = {"least": problem.needed_hz(efficiency), "centre": central}
    solved = {name: feasible_hz(problem, efficiency, *way) for name, way in WAYS.items() if way is not None}
    return found | solved


def feasible_hz(problem: PowerProblem, efficiency: Floats, auxiliary: bool, unit_hz: float, rescale: bool):
    """Return the speeds that Clarabel gives for a problem without objective, ``(K,)``; None if it fails."""
    servers = problem.servers
    aps, users = np.nonzero(servers.serves)
    num_aps, num_users = servers.serves.shape
    share = cp.Variable(len(aps), nonneg=True)
    by_user, by_ap = (np.zeros((size, len(aps))) for size in (num_users, num_aps))
    by_user[users, np.arange(len(aps))] = by_ap[aps, np.arange(len(aps))] = 1
    speed, constraints = by_user @ share, [by_ap @ share <= servers.ap_hz / unit_hz]
    if servers.cloud_hz > 0:
        cloud = cp.Variable(num_users, nonneg=True)
        speed, constraints = speed + cloud, [*constraints, cp.sum(cloud) <= servers.cloud_hz / unit_hz]
    arrives = problem.link_s / problem.deadline_s / efficiency
    computes = problem.cycles / problem.deadline_s / unit_hz
    if auxiliary:
        u, v = cp.Variable(num_users), cp.Variable(num_users)
        constraints += [u >= cp.inv_pos(speed), v >= 1, cp.multiply(arrives, v) + cp.multiply(computes, u) <= 1]
    else:
        constraints += [cp.multiply(computes, cp.inv_pos(speed)) <= 1 - arrives]
    feasible = cp.Problem(cp.Minimize(0), constraints)
    try:
        feasible.solve(solver=cp.CLARABEL, equilibrate_enable=rescale)
    except cp.SolverError:
        return None
    return unit_hz * speed.value if feasible.status == cp.OPTIMAL else None


def measure(snapshots: int) -> dict[str, np.ndarray]:
    """Return speeds by the way they are chosen, ``(snapshots, networks, K)`` in Hz; NaN where there are none."""
    solver, all_seeds = ExactPowerControl(), list(seeds("test", snapshots))
    worlds = [World(Scenario.paper_b(deployment=name)) for name in NETWORKS]
    found: dict[str, list] = {name: [] for name in WAYS}
    with tqdm(total=snapshots) as progress:
        for start in range(0, snapshots, GROUP):
            streams = [Streams.from_seeds(all_seeds[start : start + GROUP]) for _ in NETWORKS]
            pairs = zip(
                *(world.begin(own).block.rows() for world, own in zip(worlds, streams, strict=True)), strict=True
            )
            for blocks in pairs:
                solutions = [solver.solve(block) for block in blocks]
                chosen = [
                    speeds_hz(PowerProblem.of(block), solution.spectral_efficiency)
                    for block, solution in zip(blocks, solutions, strict=True)
                ]
                for name in WAYS:
                    none = np.full(blocks[0].num_users, np.nan)
                    found[name].append([none if one[name] is None else one[name] for one in chosen])
                progress.update()
    return {name: np.array(values) for name, values in found.items()}


def saving(statistic: Callable[[Floats], float]) -> Callable[[Floats], float]:
    """Return by how many per cent a statistic of cell-free speeds is below that of cellular ones."""
    return lambda speeds: float(100 * (1 - statistic(speeds[:, 0]) / statistic(speeds[:, 1])))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=100, help="the first test seeds, one block each")
    found = measure(parser.parse_args().snapshots)
    whole = np.all([np.isfinite(values).all((1, 2)) for values in found.values()], axis=0)
    statistics = (np.mean, lambda speeds: np.percentile(speeds, 5), lambda speeds: np.percentile(speeds, 10))
    rows = [
        (name, *(Estimate.of_statistic(saving(one), values[whole]).text("% lower") for one in statistics))
        for name, values in found.items()
    ]
    print(f"{whole.sum()} of {len(whole)} snapshots")
    headers = ("computing", "total", "5th percentile of a user", "10th percentile")
    print(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
