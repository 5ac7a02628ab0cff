"""The trained agents that come with the package: what their cards say, as a table and as learning curves.

Run: python benchmarks/agents.py [--figure docs/images/agents.png]
"""

import argparse
from pathlib import Path

from matplotlib.figure import Figure
from tabulate import tabulate

from mec_cf_gym.agents import installed_agents


def main() -> None:
    """Print the table and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=Path("runs/agents.png"))
    path = parser.parse_args().figure
    cards = installed_agents()
    rows = []
    for name, card in cards.items():
        training, test, gap = card["training"], card["test"], card["test"]["gap"]
        rows.append(
            [
                name,
                card["env"],
                card["scenario"]["num_users"],
                card["scenario"]["num_subcarriers"],
                f"{training['steps']:,}",
                f"{training['training_s']:.0f}",
                f"{gap['mean']:+.2%} [{gap['low']:+.2%}, {gap['high']:+.2%}]",
                f"{gap['p95']:+.2%}",
                f"{test['networks']} x {test['blocks']}",
            ]
        )
    headers = [
        "agent",
        "environment",
        "K",
        "N",
        "steps",
        "training s",
        "gap [95 % CI]",
        "p95",
        "networks x blocks",
    ]
    print(tabulate(rows, headers, tablefmt="github", disable_numparse=True))
    figure = Figure(figsize=(8.5, 4.2), layout="constrained")
    axis = figure.subplots()
    for index, (name, card) in enumerate(cards.items()):
        curve = card["training"]["curve"]
        style = "-" if index < 10 else "--"  # there are ten colours
        axis.plot(
            [100 * p["steps"] / curve[-1]["steps"] for p in curve],
            [100 * p["mean"] for p in curve],
            style,
            marker=".",
            label=name,
        )
    axis.set_yscale("symlog", linthresh=1)
    axis.set(xlabel="share of the training steps (%)", ylabel="gap on validation networks (%)")
    axis.axhline(0, color="0.4", linewidth=1)
    axis.grid(True, alpha=0.3)
    figure.legend(loc="outside right upper")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
