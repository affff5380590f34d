"""A convolutional network for images of 8 by 8 pixels, small enough to train in a second."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from neuroai.cards import ModelCard
from neuroai.systems.models._images import LABELS, grey
from neuroai.systems.weights import seeded

CARD = ModelCard(
    name="small_convnet",
    title="Two convolutions and two linear layers for 8 x 8 grey images (untrained)",
    can="activations, lesions of feature maps, choices among ten digits once trained",
    licence="BSD-3-Clause",
    citation="LeCun et al. 1998, doi:10.1109/5.726791",
    revision="1",
    input_shape=(1, 8, 8),
)


class SmallConvnet(nn.Module):
    """Convolution, ReLU, convolution, ReLU, pooling, linear, ReLU, linear."""

    labels = LABELS

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(32 * 4 * 4, 64)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(64, len(LABELS))

    def preprocess(self, stimulus: Any) -> Tensor:
        """Turn an image into a tensor (1, 8, 8) in [0, 1]."""
        return grey(stimulus)

    def forward(self, images: Tensor) -> Tensor:
        """Give logits (n, 10) for images (n, 1, 8, 8)."""
        maps = self.relu1(self.conv1(images))
        maps = self.pool(self.relu2(self.conv2(maps)))
        return self.fc2(self.relu3(self.fc1(torch.flatten(maps, 1))))


def build(*, seed: int = 0) -> nn.Module:
    """Build the network with random weights that hang on the seed alone."""
    with seeded(seed):
        return SmallConvnet()
