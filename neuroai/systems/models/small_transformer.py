"""A transformer whose tokens are the rows of an image of 8 by 8 pixels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from neuroai.cards import ModelCard
from neuroai.systems.models._images import LABELS, grey
from neuroai.systems.weights import seeded

CARD = ModelCard(
    name="small_transformer",
    title="Two blocks of attention over the rows of 8 x 8 grey images (untrained)",
    can="activations of tokens, lesions of features, choices among ten digits once trained",
    licence="BSD-3-Clause",
    citation="Vaswani et al. 2017, arXiv:1706.03762",
    revision="1",
    input_shape=(1, 8, 8),
)
WIDTH = 16


class Block(nn.Module):
    """Attention and a feed-forward step, each added to its input; gives (tokens, weights)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, num_heads=2, batch_first=True)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 32), nn.GELU(), nn.Linear(32, WIDTH))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Give tokens (n, 8, width) and attention weights (n, 8, 8)."""
        normed = self.norm1(tokens)
        mixed, weights = self.attention(normed, normed, normed)
        tokens = tokens + mixed
        return tokens + self.mlp(self.norm2(tokens)), weights


class SmallTransformer(nn.Module):
    """Rows as tokens, learnt positions, two blocks, the mean token read out."""

    labels = LABELS

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Linear(8, WIDTH)
        self.positions = nn.Parameter(torch.empty(8, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.readout = nn.Linear(WIDTH, len(LABELS))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the positions anew; every other part draws its own weights."""
        nn.init.normal_(self.positions)

    def preprocess(self, stimulus: Any) -> Tensor:
        """Turn an image into a tensor (1, 8, 8) in [0, 1]."""
        return grey(stimulus)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits (n, 10) and the last attention weights for images (n, 1, 8, 8)."""
        tokens = self.embedding(images[:, 0]) + self.positions
        for block in self.blocks:
            tokens, weights = block(tokens)
        return self.readout(tokens.mean(dim=1)), weights


def build(*, seed: int = 0) -> nn.Module:
    """Build the network with random weights that hang on the seed alone."""
    with seeded(seed):
        return SmallTransformer()
