"""Where a system's choices come from: its own, or a readout of a region's activity."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.analyses.computation._trials import (
    ORDER,
    Trials,
    finished,
    in_order,
    known_stimuli,
    trials_of,
)
from neuroai.cards import ChoiceTask
from neuroai.checks import listing
from neuroai.format.answers import NotMeasurable, part_of
from neuroai.format.audit import usable_units
from neuroai.format.build import text
from neuroai.format.schema import PRESENTATION, STIMULUS_ID, TIME
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.readout import cross_validated_choices
from neuroai.systems.base import System


def gather(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None,
    readout_region: str | None,
    undefined: str,
    sure_at: float | None = None,
) -> Trials | NotMeasurable:
    """Collect the trials of a task: the system's own choices, else those of a readout.

    A stated `readout_region` is read out even where the system chose by itself. With `sure_at` a
    readout of every time says in the column ``sure_time`` when it first gave its choice that
    probability.
    """
    shown = known_stimuli(system, task, stimuli)
    if shown is not None and not shown.ids:
        return NotMeasurable(f"no stimulus belongs to the task '{task.name}'")
    if readout_region is None:
        behaviour = system.choices(task, shown)
        if not isinstance(behaviour, NotMeasurable):
            return trials_of(behaviour, system=system, task=task, shown=shown)
        if not task.readout:
            return behaviour
    elif not task.readout:
        return NotMeasurable(f"the task '{task.name}' allows no readout")
    return _read_out(
        system, task=task, shown=shown, region=readout_region, undefined=undefined, sure_at=sure_at
    )


def _read_out(
    system: System,
    *,
    task: ChoiceTask,
    shown: StimulusSet | None,
    region: str | None,
    undefined: str,
    sure_at: float | None,
) -> Trials | NotMeasurable:
    if shown is None:
        return NotMeasurable(
            f"a readout for the task '{task.name}' needs stimuli whose truth is known"
        )
    shown = _answerable(shown, task)
    lacking = _lacking(shown, task)
    if lacking:
        return NotMeasurable(
            f"a readout for the task '{task.name}' needs two stimuli of every option that occurs, "
            f"and two options; {lacking}"
        )
    if not system.regions:
        return NotMeasurable(f"'{system.name}' has no region to read out")
    recordings = system.recordings(shown, regions=[region or system.regions[-1]])
    if isinstance(recordings, NotMeasurable):
        return recordings
    parts, notes = [], []
    for recording in recordings:
        usable, found = usable_units(recording, undefined=undefined)
        name = recording.attrs["region"]
        notes += [f"{name}: {sentence}" for sentence in found.sentences()]
        part = _choices_of(usable, task=task, shown=shown, sure_at=sure_at)
        if isinstance(part, NotMeasurable):
            return part
        parts.append(part)
    if not parts:
        return NotMeasurable(f"'{system.name}' has no recording of the stimuli of '{task.name}'")
    return finished(
        pd.concat(parts, ignore_index=True),
        system=system,
        task=task,
        shown=shown,
        choice_by="readout",
        notes=tuple(dict.fromkeys(notes)),
    )


def _answerable(shown: StimulusSet, task: ChoiceTask) -> StimulusSet:
    truth = text(shown.column(task.truth))
    kept = [key for key, option in zip(shown.ids, truth, strict=True) if option in task.options]
    return shown.restrict(kept)


def _lacking(shown: StimulusSet, task: ChoiceTask) -> str:
    """Say why no readout can be fitted on these stimuli; empty if one can."""
    counts = Counter(text(shown.column(task.truth))) if shown.ids else Counter()
    rare = [option for option, n in sorted(counts.items()) if n < 2]
    if rare:
        return f"there is one of {listing(rare)}"
    return "" if len(counts) > 1 else f"there is {listing(counts) or 'none'}"


def _choices_of(
    recording: xr.DataArray, *, task: ChoiceTask, shown: StimulusSet, sure_at: float | None
) -> pd.DataFrame | NotMeasurable:
    """Choose on every presentation by a readout fitted on other stimuli."""
    subject, region = part_of(recording)
    ids = recording[STIMULUS_ID].values.astype(str).astype(object)
    lacking = _lacking(shown.restrict(sorted(set(ids))), task)
    if lacking:
        return NotMeasurable(f"subject '{subject}' saw too few stimuli of '{task.name}': {lacking}")
    truth = text(shown.column(task.truth, ids))
    if sure_at is not None and TIME not in recording.dims:
        return NotMeasurable(f"the activity of '{region}' has no steps: it is there at once")
    # Times are further features of the same presentation.
    features = recording.values.reshape(recording.sizes[PRESENTATION], -1)
    found = cross_validated_choices(features, truth.tolist(), groups=ids.tolist())
    right = np.where(found.codes < 0, np.nan, found.labels == truth)
    condition = "condition" in shown.table.columns
    # Columns of units may bear the same names (`session` of a pseudo-population).
    order = {
        name: recording[name].values
        for name in ORDER
        if name in recording.coords and recording[name].dims == (PRESENTATION,)
    }
    if sure_at is not None:
        order["sure_time"] = _sure_times(recording, truth.tolist(), ids.tolist(), sure_at)
        order["time_unit"] = str(recording.attrs.get("time_unit", ""))
    return in_order(
        pd.DataFrame(
            {
                "subject": subject,
                "region": region,
                "stimulus": ids,
                "choice": found.labels,
                "truth": truth,
                "correct": right.astype(float),
                "condition": text(shown.column("condition", ids)) if condition else "",
                "probability": found.confidence,
                **order,
            }
        )
    )


def _sure_times(
    recording: xr.DataArray, truth: list[str], groups: list[str], sure_at: float
) -> np.ndarray:
    """First time at which a readout of that time alone is sure; NaN where none ever is."""
    values = recording.transpose(PRESENTATION, ..., TIME).values
    sure = np.stack(
        [
            cross_validated_choices(values[..., t], truth, groups=groups).confidence >= sure_at
            for t in range(values.shape[-1])
        ],
        axis=1,
    )
    times = recording[TIME].values.astype(float)
    return np.where(sure.any(axis=1), times[sure.argmax(axis=1)], np.nan)
