"""Training of small classifiers, the same on every run."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from neuroai.systems.weights import seeded


def train_classifier(
    module: nn.Module,
    inputs: Tensor,
    classes: Tensor,
    *,
    seed: int = 0,
    epochs: int = 15,
    batch_size: int = 64,
    learning_rate: float = 5e-3,
) -> nn.Module:
    """Train a copy of a network to classify, by Adam on the cross entropy.

    Parameters
    ----------
    module : torch.nn.Module
        Gives logits (n, n_classes); it is left as it is.
    inputs : Tensor, shape (n, ...)
        Preprocessed stimuli.
    classes : Tensor of int64, shape (n,)
        Class of each.
    seed : int
        Seed of the order of the stimuli; torch's own generator is left as it was.
    epochs, batch_size, learning_rate
        The course of training.

    Returns
    -------
    torch.nn.Module
        The trained copy, in eval mode.

    Examples
    --------
    >>> net = train_classifier(nn.Linear(1, 2), torch.tensor([[-1.0], [1.0]]),
    ...                        torch.tensor([0, 1]), epochs=200)
    >>> net(torch.tensor([[-1.0], [1.0]])).argmax(dim=1).tolist()
    [0, 1]
    """
    trained = copy.deepcopy(module).train()
    optimiser = torch.optim.Adam(trained.parameters(), lr=learning_rate)
    with seeded(seed), torch.enable_grad():
        for _ in range(epochs):
            for rows in torch.randperm(len(inputs)).split(batch_size):
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(trained(inputs[rows]), classes[rows])
                loss.backward()
                optimiser.step()
    return trained.eval()
