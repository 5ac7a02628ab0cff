"""``mec-cf-gym fit MODEL``: training of the learned solvers, each imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib

MODELS = {
    "cnn-lstm": ("mec_cf_gym.baselines.learned.fit_cnn_lstm:main", "paper A's CNN-LSTM, on labels"),
    "equivariant": (
        "mec_cf_gym.baselines.learned.fit_equivariant:main",
        "the equivariant network, without labels",
    ),
}
"""Name: (``module:function`` from arguments to exit status, help)."""


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym fit``; return its exit status."""
    listing = "\n".join(f"  {name:12} {text}" for name, (_, text) in MODELS.items())
    parser = argparse.ArgumentParser(
        prog="mec-cf-gym fit",
        description="Train a learned solver.",
        epilog=f"models:\n{listing}\n\nmec-cf-gym fit MODEL --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", choices=MODELS, metavar="MODEL", help="one of the models below")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options of the model")
    parsed = parser.parse_args(arguments)
    module, _, function = MODELS[parsed.model][0].partition(":")
    return int(getattr(importlib.import_module(module), function)(parsed.options))
