"""One round of messages between the links of a network: what every equivariant model of the package is made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MessagePassing(nn.Module):
    """A layer over links, equivariant to permutations of users and of subcarriers, for any number of them.

    A link is a user on a subcarrier. Messages come from the links that interfere with it and from those that it
    interferes with, and as means from those of its user, its subcarrier and the block; they update its memory.

    Args:
        link_features: Number of features of a link.
        user_features: Number of features of a user.
        block_features: Number of features of the block.
        width: Numbers that a link remembers from round to round.
        hidden: Width of the hidden layers.
    """

    def __init__(
        self, link_features: int, user_features: int, block_features: int, width: int, hidden: int
    ) -> None:
        super().__init__()
        self.width = width
        self.normalise = nn.LayerNorm(width)
        self.of_link = nn.Linear(link_features + width, hidden)
        self.of_user = nn.Linear(user_features + 2 * width, hidden, bias=False)
        self.of_subcarrier = nn.Linear(width, hidden, bias=False)
        self.of_block = nn.Linear(block_features + width, hidden, bias=False)
        self.from_heard = nn.Linear(width, hidden, bias=False)
        self.from_harmed = nn.Linear(width, hidden, bias=False)
        self.middle = nn.Linear(hidden, hidden)
        self.remember = nn.Linear(hidden, width)

    def exchange(
        self,
        memory: Tensor,
        link: Tensor,
        user: Tensor,
        block: Tensor,
        share: Tensor,
        heard: Tensor,
        harmed: Tensor,
        links: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the new memory of links, ``(B, N, K, width)``, and the hidden layer, ``(B, N, K, hidden)``.

        Args:
            memory: Their memory, ``(B, N, K, width)``.
            link: ``(B, N, K, link_features)``.
            user: ``(B, K, user_features)``.
            block: ``(B, block_features)``.
            share: Of a user's power on its subcarriers, ``(B, N, K)``.
            heard: Share of user j in the interference and noise that user k receives, ``(B, N, K, K)``.
            harmed: Share of user j in the interference that user k causes, ``(B, N, K, K)``.
            links: One for links that exist, zero for padding, ``(B, N, K)``; all exist if not given.
        """
        known = self.normalise(memory)
        message = self.of_link(torch.cat([link, known], -1))
        message = message + heard @ self.from_heard(known) + harmed @ self.from_harmed(known)
        of_user = torch.cat([user, mean_of(known, links, 1), (share[..., None] * known).sum(1)], -1)
        of_subcarrier = mean_of(known, links, 2)
        subcarriers = None if links is None else links.amax(2)
        of_block = torch.cat([block, mean_of(of_subcarrier, subcarriers, 1)], -1)
        message = message + self.of_user(of_user)[:, None] + self.of_block(of_block)[:, None, None]
        message = message + self.of_subcarrier(of_subcarrier)[:, :, None]
        hidden = nn.functional.silu(self.middle(nn.functional.silu(message)))
        return memory + self.remember(hidden), hidden


def mean_of(values: Tensor, there: Tensor | None, axis: int) -> Tensor:
    """Return the mean over an axis of entries that are no padding; zero where all are.

    Args:
        values: ``(..., features)``.
        there: One, or zero for padding, as ``values`` without its last axis; all ones if not given.
        axis: Counted from the first.
    """
    if there is None:
        return values.mean(axis)
    weight = there / there.sum(axis, keepdim=True).clamp_min(1)
    return (weight[..., None] * values).sum(axis)


def largest_of(values: Tensor, there: Tensor | None, axis: int) -> Tensor:
    """Return the largest values over an axis, as :func:`mean_of` the mean."""
    if there is None:
        return values.amax(axis)
    largest = values.masked_fill(there[..., None] == 0, -torch.inf).amax(axis)
    return largest.masked_fill(there.amax(axis)[..., None] == 0, 0)
