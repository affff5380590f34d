"""A recurrent network that reads an image of 8 by 8 pixels row by row."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from neuroai.cards import ModelCard
from neuroai.systems.models._images import LABELS, grey
from neuroai.systems.weights import seeded

CARD = ModelCard(
    name="small_recurrent",
    title="A gated recurrent network over the rows of 8 x 8 grey images (untrained)",
    can="activations over steps, lesions of units, choices among ten digits once trained",
    licence="BSD-3-Clause",
    citation="Cho et al. 2014, doi:10.3115/v1/D14-1179",
    revision="1",
    input_shape=(1, 8, 8),
)


class SmallRecurrent(nn.Module):
    """A gated recurrent unit over rows; the state after the last row is read out."""

    labels = LABELS

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(input_size=8, hidden_size=32, batch_first=True)
        self.readout = nn.Linear(32, len(LABELS))

    def preprocess(self, stimulus: Any) -> Tensor:
        """Turn an image into a tensor (1, 8, 8) in [0, 1]."""
        return grey(stimulus)

    def forward(self, images: Tensor) -> Tensor:
        """Give logits (n, 10) for images (n, 1, 8, 8)."""
        _, last = self.gru(images[:, 0])
        return self.readout(last[-1])


def build(*, seed: int = 0) -> nn.Module:
    """Build the network with random weights that hang on the seed alone."""
    with seeded(seed):
        return SmallRecurrent()
