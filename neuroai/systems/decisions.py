"""Choices of a network: its outputs, summed up by the options of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.checks import listing
from neuroai.errors import UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import StimulusSet


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Turn outputs (n, n_outputs) into probabilities in [0, 1], float64, rows summing to 1.

    Examples
    --------
    >>> softmax(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    shifted = np.asarray(outputs, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def option_probabilities(outputs: np.ndarray, classes: Sequence[Sequence[int]]) -> np.ndarray:
    """Give the probability of every option: the mean softmax over its classes.

    Parameters
    ----------
    outputs : array, shape (n, n_outputs)
        Logits.
    classes : sequence of sequence of int
        Indices of the outputs that belong to each option.

    Returns
    -------
    numpy.ndarray, shape (n, n_options), in [0, 1]
        Rows need not sum to 1: options may hold any number of classes.

    Examples
    --------
    >>> option_probabilities(np.zeros((1, 4)), [(0, 1), (2,)]).tolist()
    [[0.25, 0.25]]
    """
    probabilities = softmax(outputs)
    return np.stack([probabilities[:, list(some)].mean(axis=1) for some in classes], axis=1)


def classes_of(
    options: Sequence[str], output_map: Mapping[str, Sequence[int]], labels: Sequence[str]
) -> tuple[tuple[int, ...], ...] | NotMeasurable:
    """Find the outputs that belong to each option, by the output map, else by the labels."""
    if not options:
        return NotMeasurable(
            "the task has no options, so that no output of a network stands for an answer"
        )
    named = {label: (index,) for index, label in enumerate(labels)}
    named.update({option: tuple(classes) for option, classes in output_map.items()})
    lacking = [option for option in options if not named.get(option)]
    if lacking:
        return NotMeasurable(
            f"the network has no outputs for the option(s) {listing(lacking)}; give "
            "output_map={option: (output indices), ...}, or put a file "
            "imagenet_to_<n>_categories.json beside the weights"
        )
    return tuple(named[option] for option in options)


def shown_in(task: ChoiceTask, stimuli: StimulusSet) -> StimulusSet:
    """Restrict a set to the stimuli of a task that are at hand."""
    shown = stimuli.where(*task.where) if task.where else stimuli
    return shown.restrict(shown.available)


def refuse_beyond(
    outputs: Mapping[str, np.ndarray], classes: Sequence[Sequence[int]], *, system: str
) -> None:
    """Raise a UsageError that names classes beyond the network's outputs."""
    width = min(values.shape[1] for values in outputs.values())
    beyond = sorted({index for some in classes for index in some if not 0 <= index < width})
    if beyond:
        raise UsageError(
            f"'{system}' has {width} outputs, counted from 0; output_map names {listing(beyond)}."
        )


def entropy_bits(shares: np.ndarray) -> np.ndarray:
    """Give the entropy (n,) of probabilities (n, n_options) whose rows add up to 1, in bits.

    Examples
    --------
    >>> entropy_bits(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    return -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=1) + 0.0


def decide(
    outputs: Mapping[str, np.ndarray],
    *,
    task: ChoiceTask,
    classes: Sequence[Sequence[int]],
    stimuli: StimulusSet,
    system: str,
    attrs: Mapping[str, Any],
) -> xr.Dataset:
    """Build the behaviour table of a network from its outputs, one row a subject and stimulus.

    Parameters
    ----------
    outputs : mapping of str to array, shape (n_stimuli, n_outputs)
        Logits of every subject (seed), in the order of ``stimuli.ids``.
    classes : sequence of sequence of int
        Outputs of each option of the task.
    stimuli : StimulusSet
        The stimuli that were shown.

    Returns
    -------
    xarray.Dataset
        Columns subject, stimulus_id, choice, truth, confidence (mean softmax of the chosen
        option, in [0, 1]), probability (its share among the options, which add up to 1), entropy
        (of these shares, in bits), and condition where the stimuli have one; attr ``choice_by``.

    Raises
    ------
    UsageError
        A class lies beyond the network's outputs.
    """
    refuse_beyond(outputs, classes, system=system)
    options = np.asarray(task.options, dtype=object)
    chances = [option_probabilities(values, classes) for values in outputs.values()]
    shares = [chance / chance.sum(axis=1, keepdims=True) for chance in chances]
    n = len(outputs)
    columns: dict[str, Any] = {
        "subject": [name for name in outputs for _ in stimuli.ids],
        "stimulus_id": list(stimuli.ids) * n,
        "choice": np.concatenate([options[chance.argmax(axis=1)] for chance in chances]),
        "truth": list(stimuli.column(task.truth)) * n,
        "confidence": np.concatenate([chance.max(axis=1) for chance in chances]),
        "probability": np.concatenate([share.max(axis=1) for share in shares]),
        "entropy": np.concatenate([entropy_bits(share) for share in shares]),
    }
    if "condition" in stimuli.table.columns:
        columns["condition"] = list(stimuli.column("condition")) * n
    return build.behaviour(
        columns,
        system=system,
        kind="model",
        stimulus_set=stimuli.name,
        task=task.name,
        options=task.options,
        attrs={"choice_by": "outputs", **attrs},
    )
