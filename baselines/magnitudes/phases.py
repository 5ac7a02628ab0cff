"""Phases that nobody knows: what a block could be, given the magnitudes of its channels."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import torch

from mec_cf_gym.baselines.magnitudes.magnitudes import Magnitudes, floored
from mec_cf_gym.block.block import CoherenceBlock

OF_USERS = ("task_bits", "cycles_per_bit", "local_hz", "server_hz")


class Phases:
    """Draws blocks that have the magnitudes of a given one, with independent uniform phases; gains are tensors.

    Args:
        block: The block, or a batch of them.
        seed: Of the phases.

    Raises:
        ValueError: If the block has no channel, or another combiner than maximum-ratio.
    """

    def __init__(self, block: CoherenceBlock, seed: int) -> None:
        known = Magnitudes.of(block)
        self.block, self.printed = block, known.printed
        self.magnitude = torch.from_numpy(known.magnitude.astype(np.float32))
        self.signal_gain = torch.from_numpy(np.array(known.signal_gain, np.float64))
        self.known = torch.from_numpy(np.array(known.known, np.float64))
        self.scale = torch.from_numpy(1 / floored(known.signal_gain))[..., None]  # (..., N, K, 1)
        self.generator = torch.Generator().manual_seed(seed)

    def drawn(self, draws: int) -> CoherenceBlock:
        """Return the block under fresh phases, with ``draws`` as a new first axis."""
        interference_gain = self.known.expand(draws, *self.known.shape)
        if not self.printed:
            angle = 2 * math.pi * torch.rand((draws, *self.magnitude.shape), generator=self.generator)
            channel = torch.polar(self.magnitude.expand_as(angle), angle)
            heard = (channel.mH @ channel).abs().square().double() * self.scale
            interference_gain = interference_gain + heard * (1 - torch.eye(heard.shape[-1]))
        signal_gain = self.signal_gain.expand(draws, *self.signal_gain.shape)
        users = (draws, *self.block.batch_shape, self.block.num_users)
        changes: dict[str, Any] = {name: np.broadcast_to(getattr(self.block, name), users) for name in OF_USERS}
        changes |= {"signal_gain": signal_gain, "interference_gain": interference_gain}
        return dataclasses.replace(self.block, **changes, channel=None, deadline_s=None, fairness=None)
