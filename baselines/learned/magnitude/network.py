"""The magnitude network: margins for what phases may do, on top of powers that suit the mean interference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mec_cf_gym.arrays import Array, promote
from mec_cf_gym.baselines.learned.magnitude.features import View
from mec_cf_gym.baselines.learned.magnitude.look import BLOCK_FEATURES, LINK_FEATURES, USER_FEATURES
from mec_cf_gym.errors import checked_count

POWER_UNIT, TARGET_UNIT = 0.1, 0.03
"""Logarithms that outputs of one stand for, of powers and of the latency that users aim at."""


class MagnitudeNetwork(nn.Module):
    """Messages between users that hear each other; permuting users or subcarriers permutes what it decides.

    Its decision is written once, for tensors in training and for NumPy arrays in use, where a call costs a tenth.

    Args:
        width: Numbers that a user is known by.
        rounds: Rounds of messages.
    """

    def __init__(self, width: int = 32, rounds: int = 1) -> None:
        super().__init__()
        self.architecture = {
            "width": checked_count("width", width, 1, 4096),
            "rounds": checked_count("rounds", rounds, 1, 100),
        }
        self.enter = nn.Linear(USER_FEATURES + BLOCK_FEATURES, width)
        self.rounds = nn.ModuleList(Messages(width) for _ in range(rounds))
        self.of_link = nn.Linear(LINK_FEATURES, width)
        self.to_link = nn.Linear(width, width, bias=False)
        self.move = nn.Linear(width, 1, bias=False)
        self.aim = nn.Linear(width, 3)
        for layer in (self.move, self.aim):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.aim.bias)
        self.double()  # as the gains are

    def forward(self, view: View) -> tuple[Tensor, Tensor]:
        """Return powers, ``(B, N, K)``, and offload ratios, ``(B, K)``."""
        return decide(dict(self.named_parameters()), view)


class Messages(nn.Module):
    """Weights of a round."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own = nn.Linear(width, width)
        for name in ("mean", "largest", "heard", "harmed"):
            setattr(self, name, nn.Linear(width, width, bias=False))


def decide(weights: Mapping[str, Array], view: View) -> tuple[Array, Array]:
    """Return powers, ``(B, N, K)``, and offload ratios, ``(B, K)``, of the array type of the weights.

    All users aim at about the same latency, a little above the expected one: their local parts then end together.

    Args:
        weights: Parameters of a :class:`MagnitudeNetwork` by name.
        view: The blocks.
    """
    xp, (power, link, user, block, coupling, worst_s, local_s, *_) = promote(
        *vars(view).values(), next(iter(weights.values()))
    )
    blocks = xp.broadcast_to(block[:, None], (*user.shape[:2], block.shape[-1]))
    known = silu(xp, linear(weights, "enter", xp.concat((user, blocks), axis=-1)))
    for number in range(sum(name.endswith("own.weight") for name in weights)):
        known = known + silu(xp, heard_by_all(xp, weights, f"rounds.{number}", known, coupling))
    of_link = linear(weights, "of_link", link) + linear(weights, "to_link", known)[:, None]
    aim = linear(weights, "aim", known)
    moved = linear(weights, "move", silu(xp, of_link))[..., 0] + aim[..., None, :, 0]
    power = power * xp.exp(POWER_UNIT * moved)
    power = power / xp.max(xp.sum(power, axis=-2), axis=-1)[:, None, None]
    margin = xp.mean(POWER_UNIT * aim[..., 1], axis=-1)[:, None] + TARGET_UNIT * aim[..., 2]
    return power, xp.clip(1 - worst_s * xp.exp(margin) / local_s, 0.0, 1.0)


def heard_by_all(xp: Any, weights: Mapping[str, Array], name: str, known: Array, coupling: Array) -> Array:
    """Return what a round's messages tell every user, ``(B, K, width)``.

    Args:
        xp: The arrays' namespace.
        weights: Parameters by name.
        name: Of the round.
        known: What users are known by, ``(B, K, width)``.
        coupling: How much of user j user k hears, ``(B, K, K)``.
    """
    mean, largest = xp.mean(known, axis=1)[:, None], xp.max(known, axis=1)[:, None]
    told = linear(weights, f"{name}.own", known)
    told = told + linear(weights, f"{name}.mean", mean) + linear(weights, f"{name}.largest", largest)
    told = told + coupling @ linear(weights, f"{name}.heard", known)
    return told + xp.matrix_transpose(coupling) @ linear(weights, f"{name}.harmed", known)


def linear(weights: Mapping[str, Array], name: str, values: Array) -> Array:
    """Return a linear layer's outputs, ``(..., outputs)``, for ``values``, ``(..., inputs)``."""
    product = values @ weights[f"{name}.weight"].T
    bias = weights.get(f"{name}.bias")
    return product if bias is None else product + bias


def silu(xp: Any, values: Array) -> Array:
    """Return ``x / (1 + exp(-x))`` of values of any shape, without overflow."""
    half = values / 2
    return half * (1 + xp.tanh(half))
