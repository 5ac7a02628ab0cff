"""``mec-cf-gym fit MODEL``: training of the learned solvers, each imported only when it is asked for."""

from __future__ import annotations

from mec_cf_gym.commands import parser_for, run

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
    parser = parser_for("mec-cf-gym fit", "Train a learned solver.", "model", MODELS)
    return run(MODELS, parser.parse_args(arguments))
