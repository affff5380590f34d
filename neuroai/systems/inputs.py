"""Stimuli on their way into a network: loaded, preprocessed, put into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from neuroai.errors import UsageError
from neuroai.format.stimuli import StimulusSet

KEPT_BYTES = 2**29


@dataclass(frozen=True)
class Inputs:
    """The available stimuli of a set, sorted by id, as inputs of a network.

    Small sets are kept in memory once preprocessed, so that several seeds and lesions share them.

    Attributes
    ----------
    stimuli : StimulusSet
        The set.
    preprocess : callable
        Turns one stimulus into the tensor the network takes, without an axis of stimuli.
    """

    stimuli: StimulusSet
    preprocess: Callable[[Any], Tensor]
    kept: dict[tuple[str, ...], Tensor] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the stimuli, in the order of every output."""
        return self.stimuli.available

    def batches(self, size: int) -> Iterator[tuple[tuple[str, ...], Tensor]]:
        """Give (ids, inputs) for consecutive batches."""
        ids = self.ids
        for start in range(0, len(ids), size):
            some = ids[start : start + size]
            yield some, self._stacked(some)

    def _stacked(self, ids: tuple[str, ...]) -> Tensor:
        if ids in self.kept:
            return self.kept[ids]
        tensors = [self._one(key) for key in ids]
        shapes = {tuple(tensor.shape) for tensor in tensors}
        if len(shapes) > 1:
            raise UsageError(
                f"preprocess gave tensors of unlike shapes {sorted(shapes)}. Let it bring every "
                "stimulus to one shape."
            )
        batch = torch.stack(tensors)
        if tensors[0].nbytes * len(self.ids) <= KEPT_BYTES:
            self.kept[ids] = batch
        return batch

    def _one(self, key: str) -> Tensor:
        tensor = self.preprocess(self.stimuli.content(key))
        if not isinstance(tensor, Tensor):
            raise UsageError(
                f"preprocess must turn a stimulus into a torch.Tensor; it gave "
                f"{type(tensor).__name__} for '{key}'."
            )
        return tensor
