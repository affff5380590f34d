"""What analyses of activity share: a question put to every subject and region, and its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import xarray as xr

from neuroai.cards import AnalysisCard
from neuroai.checks import known_name
from neuroai.format.answers import Answer, NotMeasurable, part_of
from neuroai.format.audit import usable_units
from neuroai.format.schema import PRESENTATION, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

NOTES, UNDEFINED = "notes", "undefined"
Work = Callable[[xr.DataArray], xr.Dataset | NotMeasurable]


def asked_of_parts(
    system: System,
    work: Work,
    *,
    card: AnalysisCard,
    stimuli: StimulusSet | None,
    regions: Sequence[str] | None,
    undefined: str,
    parameters: Mapping[str, object],
) -> Answer | NotMeasurable:
    """Put a question to every subject and region of a system, and label what comes back.

    `work` gets a recording whose units are all usable, its showings in one order, and gives a
    Dataset without subject and region; its attrs ``notes`` (sentences) and ``undefined`` (counts
    by name) go into the answer. Regions on which the question is not defined are left out, with
    the reason in a note; where there is no other, that reason is the answer.
    """
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    parts: dict[tuple[str, str], xr.Dataset] = {}
    notes: list[str] = []
    refused: dict[tuple[str, str], NotMeasurable] = {}
    counts: Counter[str] = Counter(units=0)
    for recording in recordings:
        usable, found = usable_units(recording, undefined=undefined)
        subject, region = part_of(recording)
        part = work(in_order(usable))
        if isinstance(part, NotMeasurable):
            refused[subject, region] = part
            notes.append(f"left out, {subject} {region}: {part.reason}")
            continue
        notes += [f"{region}: {sentence}" for sentence in found.sentences()]
        notes += [f"{region}: {sentence}" for sentence in part.attrs.get(NOTES, ())]
        counts.update(part.attrs.get(UNDEFINED, {}))
        counts["units"] += len(found.nan_units)
        parts[subject, region] = part
    if not parts and refused:
        return next(iter(refused.values()))
    if not parts:
        return NotMeasurable(f"'{system.name}' has no recording of these regions and stimuli")
    data = together(parts)
    known = {(str(s), str(r)) for s in data["subject"].values for r in data["region"].values}
    counts["subject-region pairs not recorded"] = len(known - {*parts, *refused})
    counts["subject-region pairs left out"] = len(refused)
    return Answer(
        form=card.form,
        data=data,
        question=card.name,
        parameters=dict(parameters),
        system=system.name,
        kind=system.kind,
        stimulus_set=stimuli.name if stimuli is not None else "",
        notes=tuple(dict.fromkeys(notes)),
        undefined=dict(counts),
    )


def in_order(recording: xr.DataArray) -> xr.DataArray:
    """Sort showings by stimulus, run and repeat, so that results hang on no order of rows."""
    keys = [recording[STIMULUS_ID].values.astype(str)]
    keys += [recording[n].values for n in ("run", "repeat") if n in recording.coords]
    return recording.isel({PRESENTATION: np.lexsort(keys[::-1])})


def column_of(recording: xr.DataArray, stimuli: StimulusSet | None, name: str) -> list[str]:
    """Give a value a showing: from the recording's coordinates, else from the stimuli.

    Raises
    ------
    UnknownName
        Neither has such a column; the nearest is named.
    """
    own = {str(key) for key, coord in recording.coords.items() if coord.dims == (PRESENTATION,)}
    if name in own:
        return [str(value) for value in recording[name].values]
    columns = [] if stimuli is None else [str(column) for column in stimuli.table.columns]
    known_name(name, sorted(own | set(columns)), kind="column of the stimuli or showings")
    ids = [str(key) for key in recording[STIMULUS_ID].values]
    return [str(value) for value in stimuli.column(name, ids)]


def separate(recording: xr.DataArray, *, pseudo: bool) -> NotMeasurable | None:
    """Say why single showings are no population patterns, where they are not."""
    if recording.attrs.get("simultaneous", 1) or pseudo:
        return None
    return NotMeasurable(
        f"units of {recording.attrs['region']} were not recorded together, so that single "
        "showings are no population patterns; pseudo=True takes them as if they were"
    )


def pseudo_note(recording: xr.DataArray) -> tuple[str, ...]:
    """Say that units were taken together which were not recorded together."""
    if recording.attrs.get("simultaneous", 1):
        return ()
    return ("units that were not recorded together were taken as if they had been",)


def rows_of(recording: xr.DataArray) -> np.ndarray:
    """Give showings as float64 rows; times are further elements of the pattern."""
    values = recording.transpose(PRESENTATION, ...).values.astype(np.float64)
    return values.reshape(len(values), -1)


def together(parts: Mapping[tuple[str, str], xr.Dataset]) -> xr.Dataset:
    """Lay parts side by side; what one part lacks of another's labels is NaN there."""
    subjects = list(dict.fromkeys(subject for subject, _ in parts))
    regions = list(dict.fromkeys(region for _, region in parts))
    labels = _labels(parts.values())
    where = {dim: {value: at for at, value in enumerate(own)} for dim, own in labels.items()}
    found: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    for (subject, region), part in parts.items():
        corner = subjects.index(subject), regions.index(region)
        for name, variable in part.data_vars.items():
            dims = tuple(str(dim) for dim in variable.dims)
            if name not in found:
                shape = (len(subjects), len(regions), *(len(labels[dim]) for dim in dims))
                found[str(name)] = (("subject", "region", *dims), np.full(shape, np.nan))
            places = [[where[dim][value] for value in part[dim].values.tolist()] for dim in dims]
            found[str(name)][1][(*corner, *np.ix_(*places))] = variable.values
    coords = {
        dim: np.array(own, dtype=object if isinstance(own[0], str) else None)
        for dim, own in {"subject": subjects, "region": regions, **labels}.items()
    }
    return xr.Dataset(found, coords=coords)


def _labels(parts: Iterable[xr.Dataset]) -> dict[str, list]:
    """Give the labels of every dimension, in order of first appearance; numbers sorted."""
    labels: dict[str, dict] = {}
    for part in parts:
        for dim in part.dims:
            labels.setdefault(str(dim), {}).update(dict.fromkeys(part[dim].values.tolist()))
    return {
        dim: list(own) if any(isinstance(value, str) for value in own) else sorted(own)
        for dim, own in labels.items()
    }
