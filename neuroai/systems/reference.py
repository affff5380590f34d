"""Reference activity of a layer: its mean, its spread, and itself to draw from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor, nn

from neuroai.format.stimuli import StimulusSet
from neuroai.systems.hooks import capture, inference
from neuroai.systems.inputs import Inputs
from neuroai.systems.intervention import Intervention
from neuroai.systems.lesion import PlacedLesion, UnitStatistics, statistics_of
from neuroai.systems.passes import on_device, one_pass


def reference_activity(
    module: nn.Module,
    region: str,
    inputs: Inputs,
    *,
    batch_size: int,
    device: str,
    keep: bool = False,
) -> UnitStatistics:
    """Run the intact network over reference stimuli; give mean and SD of every element.

    Parameters
    ----------
    module : torch.nn.Module
        The network, on `device`.
    region : str
        Layer.
    inputs : Inputs
        The reference stimuli.
    batch_size, device
        As for a sweep.
    keep : bool
        Keep the activity of every stimulus too.
    """
    calls = []
    with inference(module):
        for ids, batch in inputs.batches(batch_size):
            with capture(module, [region], n_stimuli=len(ids), as_time=False) as read:
                module(on_device(batch, device))
            calls.append([call.float().cpu().numpy() for call in read[region]])
    whole = [np.concatenate(parts) for parts in zip(*calls, strict=True)]
    return statistics_of(whole, ids=inputs.ids, keep=keep)


def try_target(
    module: nn.Module,
    lesion: Intervention,
    stimuli: StimulusSet,
    *,
    preprocess: Callable[[Any], Tensor],
    device: str,
) -> None:
    """Run one stimulus under an intervention, so that a target that does not exist is told."""
    one = stimuli.restrict(stimuli.available[:1])
    placed = (PlacedLesion(lesion, None),)
    for ids, batch in Inputs(one, preprocess).batches(1):
        with inference(module):
            one_pass(module, on_device(batch, device), ids, [lesion.region], placed, None)


def identity_of(stimuli: StimulusSet) -> tuple[Any, ...]:
    """Give what tells the stimuli at hand from others: names and contents."""
    return stimuli.name, stimuli.available, tuple(stimuli.column("sha256", stimuli.available))
