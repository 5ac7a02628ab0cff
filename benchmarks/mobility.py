"""Users who walk: their speed at long blocks, handovers against hysteresis, and what walking costs a step.

Speeds are those of one user in a disk 200 m across or on a square of that side, at 30 m/s: of the whole way,
through all waypoints, and of the way as far as the block's first waypoint. Handovers are changes of the master AP
(user-centric) or base station (multi-cell) of paper B's 20 users, whose statistics follow them every 3 m; with
standard errors over networks. Steps are those of the vector environment, in CPU time a network.

Run: OMP_NUM_THREADS=1 python benchmarks/mobility.py [--networks 10] [--repeats 3]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import itertools
import statistics
import time

import gymnasium as gym
import numpy as np
from tabulate import tabulate

import mec_cf_gym  # noqa: F401  # registers the environments
from mec_cf_gym import Scenario
from mec_cf_gym.network.ground import DiskGround, SquareGround
from mec_cf_gym.network.layout import CellFree
from mec_cf_gym.network.mobility import MOBILITIES
from mec_cf_gym.random_streams import Streams

SPEED_M_PER_S, ACROSS_M, STREET_M = 30.0, 200.0, 50.0
BLOCKS_S = (0.5e-3, 0.1, 1.0, 10.0)
HYSTERESES_DB = (0.0, 1.0, 3.0, 6.0, 10.0)
REFRESH_M, WALKED_M = 3.0, 900.0
ROWS, STEPS = 4, 50
NETWORKS = {"user_centric": {"antennas_per_ap": 1}, "multi_cell": {"antennas_per_base_station": 1}}
WALKS = ("random_waypoint", "manhattan")


def way_m(mobility: str, deployment: str, block_s: float, blocks: int) -> tuple[float, float]:
    """Return the length of one user's way through so many blocks, and of its parts up to first waypoints."""
    fields = {"num_users": 1, "speed_m_per_s": SPEED_M_PER_S, "block_s": block_s}
    if deployment == "cell_free":
        scenario = Scenario.paper_a(radius_m=ACROSS_M / 2, **fields)
    else:
        fields |= {"side_m": ACROSS_M, "street_m": STREET_M, "user_drop": "uniform", "mobility": mobility}
        scenario = Scenario.paper_b(deployment=deployment, **fields)
    ground = DiskGround(CellFree(scenario)) if deployment == "cell_free" else SquareGround(scenario)
    model, streams = MOBILITIES[mobility](scenario, ground), Streams.from_seeds([0])
    passed, draw = [], model.next_waypoints

    def remembered(*arguments: object) -> np.ndarray:
        passed.append(draw(*arguments))
        return passed[-1]

    model.next_waypoints = remembered
    here_m = model.place(ground.draw_users(streams))
    heading_m = model.draw_waypoints(streams, here_m)
    whole_m = first_m = 0.0
    for _ in range(blocks):
        passed[:] = [heading_m]
        there_m, heading_m = model.move(here_m, heading_m, np.full((1, 1), SPEED_M_PER_S), streams)
        stops_m = [here_m, *passed[:-1], there_m]
        legs_m = [float(np.linalg.norm(ground.way_m(*ends))) for ends in itertools.pairwise(stops_m)]
        whole_m, first_m, here_m = whole_m + sum(legs_m), first_m + legs_m[0], there_m
    return whole_m, first_m


def speeds() -> list[tuple[str, ...]]:
    """Return the table of speeds."""
    table = []
    for where, mobility, deployment in (
        ("disk, random_waypoint", "random_waypoint", "cell_free"),
        ("square, random_waypoint", "random_waypoint", "user_centric"),
        ("square, manhattan", "manhattan", "user_centric"),
    ):
        for block_s in BLOCKS_S:
            blocks = 20_000 if block_s < 0.01 else 2000
            lengths_m = way_m(mobility, deployment, block_s, blocks)
            table.append(
                (where, f"{block_s:g}", *(f"{length_m / (blocks * block_s):.2f}" for length_m in lengths_m))
            )
    return table


def handovers(networks: int) -> list[tuple[str, ...]]:
    """Return the table of handovers per user and km."""
    table = []
    for deployment, small in NETWORKS.items():
        for mobility in WALKS:
            row = []
            for handover_db in HYSTERESES_DB:
                fields = {"mobility": mobility, "speed_m_per_s": SPEED_M_PER_S, "handover_db": handover_db}
                fields |= {"block_s": REFRESH_M / SPEED_M_PER_S, "snapshot_blocks": 1, **small}
                model = Scenario.paper_b(deployment=deployment, **fields).deployment.networks()
                streams = Streams.from_seeds(range(networks))
                network = model.draw(streams)
                for _ in range(round(WALKED_M / REFRESH_M)):
                    network = model.advance(network, streams)
                per_km = network.association.handovers.mean(-1) / (WALKED_M / 1e3)
                row.append(f"{per_km.mean():.2f} +- {per_km.std(ddof=1) / np.sqrt(networks):.2f}")
            table.append((deployment, mobility, *row))
    return table


def step_s(env_id: str, **fields: object) -> float:
    """Return the CPU time of a step, for one network."""
    envs = gym.make_vec(env_id, num_envs=ROWS, episode_blocks=10**6, **fields)
    envs.reset(seed=0)
    actions = envs.action_space.sample()
    began = time.process_time()
    for _ in range(STEPS):
        envs.step(actions)
    return (time.process_time() - began) / (STEPS * ROWS)


def costs(repeats: int) -> list[tuple[str, ...]]:
    """Return the table of costs of a step."""
    table = []
    for env_id in ("MECUserCentric-v0", "MECMultiCell-v0"):
        settings = {"static": {}} | {
            f"every {every}": {
                "mobility": "random_waypoint",
                "speed_m_per_s": SPEED_M_PER_S,
                "snapshot_blocks": every,
            }
            for every in (50, 10, 1)
        }
        taken = {name: [] for name in settings}
        for _ in range(repeats):  # one after the other, so that all see the same machine
            for name, fields in settings.items():
                taken[name].append(step_s(env_id, **fields))
        table.append((env_id, *(f"{1e3 * statistics.median(times):.2f}" for times in taken.values())))
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10, help="networks whose handovers count")
    parser.add_argument("--repeats", type=int, default=3, help="repeats of which the median counts")
    options = parser.parse_args()
    names = {"tablefmt": "github", "disable_numparse": True}
    headers = ("ground", "block in s", "speed in m/s", "to the first waypoint")
    print(tabulate(speeds(), headers, **names))
    print("\nHandovers per user and km, by handover_db, at", f"{SPEED_M_PER_S:g} m/s, {options.networks} networks")
    print(
        tabulate(
            handovers(options.networks), ("network", "walk", *(f"{db:g} dB" for db in HYSTERESES_DB)), **names
        )
    )
    print(f"\nms of CPU a step and network, {ROWS} rows; statistics follow every so many blocks")
    print(tabulate(costs(options.repeats), ("environment", "static", "50", "10", "1"), **names))


if __name__ == "__main__":
    main()
