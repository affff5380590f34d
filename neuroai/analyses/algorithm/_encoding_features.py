"""Named feature spaces: columns of the stimulus table, or labelled arrays, as numbers a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from neuroai.checks import known_name, listing
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.format.align import stimulus_patterns
from neuroai.format.schema import PRESENTATION, SAMPLE, STIMULUS, TIME, UNIT
from neuroai.format.stimuli import StimulusSet

Space = str | Sequence[str] | xr.DataArray
# Times of two continuous recordings are the same to this share of a sample.
SAME_TIME = 1e-3


def named_spaces(features: Space | Mapping[str, Space]) -> dict[str, Space]:
    """Give every feature space its name: that of its column, or the one it was given.

    Examples
    --------
    >>> named_spaces("length"), named_spaces(["length", "frequency"])
    ({'length': ['length']}, {'length': ['length'], 'frequency': ['frequency']})
    """
    if isinstance(features, Mapping):
        return {str(name): _columns(space) for name, space in features.items()}
    if isinstance(features, xr.DataArray):
        return {str(features.name or "features"): features}
    columns = _columns(features)
    return {name: [name] for name in columns}


def _columns(space: Space) -> list[str] | xr.DataArray:
    if isinstance(space, xr.DataArray):
        return space
    names = [space] if isinstance(space, str) else [str(name) for name in space]
    if not names:
        raise UsageError("A feature space needs one column of the stimuli or more; got none.")
    return names


def continuous_spaces(spaces: Mapping[str, Space]) -> bool:
    """Say whether the features run along time; a mixture is refused."""
    along = [isinstance(s, xr.DataArray) and SAMPLE in s.dims for s in spaces.values()]
    if any(along) and not all(along):
        raise UsageError("Feature spaces are all continuous, or all one row a stimulus.")
    return all(along)


def feature_rows(
    spaces: Mapping[str, Space], stimuli: StimulusSet | None, ids: Sequence[str]
) -> dict[str, np.ndarray]:
    """Give each space as numbers, shape (n_stimuli, n_features), in the order of `ids`.

    Numbers of the stimulus table are taken about their mean and in units of their standard
    deviation over these stimuli; text becomes one column of 0 and 1 a value. Arrays stay as they
    are.

    Raises
    ------
    UnknownName
        The stimuli have no such column.
    AlignmentError
        An array lacks a stimulus.
    DataError
        A feature is missing or does not vary.
    """
    return {
        name: _of_array(name, space, ids)
        if isinstance(space, xr.DataArray)
        else np.column_stack([_of_column(column, stimuli, ids) for column in space])
        for name, space in spaces.items()
    }


def text_labels(
    spaces: Mapping[str, Space], stimuli: StimulusSet | None, ids: Sequence[str]
) -> tuple[str, list[str] | None]:
    """Give the one feature that is a column of text, and its values; None where there is none."""
    columns = [c for s in spaces.values() if not isinstance(s, xr.DataArray) for c in s]
    if len(columns) != 1 or stimuli is None or columns[0] not in stimuli.table.columns:
        return "", None
    values = stimuli.column(columns[0], ids)
    if values.dtype.kind == "f":
        return columns[0], None
    return columns[0], [str(value) for value in values]


def _of_column(name: str, stimuli: StimulusSet | None, ids: Sequence[str]) -> np.ndarray:
    columns = [] if stimuli is None else [str(column) for column in stimuli.table.columns]
    known_name(name, columns, kind="column of the stimuli")
    values = stimuli.column(name, ids)
    if values.dtype.kind != "f":
        labels = values.astype(str)
        lost = [key for key, label in zip(ids, labels, strict=True) if label in ("", "nan")]
        _refuse_missing(name, lost)
        kinds = np.unique(labels)
        if len(kinds) < 2:
            raise DataError(f"The feature '{name}' has one value only: {kinds[0]!r}.")
        return (labels[:, None] == kinds).astype(float)
    _refuse_missing(name, [key for key, v in zip(ids, values, strict=True) if not np.isfinite(v)])
    if np.ptp(values) == 0:
        raise DataError(f"The feature '{name}' has one value only: {values[0]:g}.")
    return ((values - values.mean()) / values.std())[:, None]


def _refuse_missing(name: str, lost: Sequence[str]) -> None:
    if lost:
        raise DataError(
            f"The feature '{name}' is missing for {len(lost)} stimuli: {listing(lost)}. Leave "
            "them out with stimuli=..., or take another feature."
        )


def _of_array(name: str, array: xr.DataArray, ids: Sequence[str]) -> np.ndarray:
    if PRESENTATION in array.dims:
        known, values, _ = stimulus_patterns(array)
    elif STIMULUS in array.dims and STIMULUS in array.coords:
        known, values = array[STIMULUS].values, array.transpose(STIMULUS, ...).values
    else:
        raise UsageError(
            f"The feature array '{name}' needs the dimension '{PRESENTATION}' of a recording or a "
            f"labelled dimension '{STIMULUS}'; got {array.dims}."
        )
    place = {str(key): row for row, key in enumerate(known)}
    lost = [key for key in ids if key not in place]
    if len(place) < len(known) or lost:
        raise AlignmentError(
            f"The feature array '{name}' holds {len(known)} rows of {len(place)} stimuli and lacks "
            f"{len(lost)} of those recorded: {listing(lost)}. Give one row for each."
        )
    rows = values[[place[key] for key in ids]].reshape(len(ids), -1).astype(float)
    _refuse_missing(name, [k for k, r in zip(ids, rows, strict=True) if not np.isfinite(r).all()])
    return rows


def sample_rows(spaces: Mapping[str, xr.DataArray], target: xr.DataArray) -> dict[str, np.ndarray]:
    """Give each continuous space at the samples of a recording, by run and time.

    Raises
    ------
    AlignmentError
        A sample of the recording has no features.
    """
    runs, times = target["run"].values.astype(str), target[TIME].values
    return {name: _at(name, space, runs, times) for name, space in spaces.items()}


def _at(name: str, space: xr.DataArray, runs: np.ndarray, times: np.ndarray) -> np.ndarray:
    own_runs, own_times = space["run"].values.astype(str), space[TIME].values
    values = space.transpose(SAMPLE, UNIT).values.astype(float)
    out = np.empty((len(runs), values.shape[1]))
    for run in dict.fromkeys(runs):
        mine, theirs = np.flatnonzero(runs == run), np.flatnonzero(own_runs == run)
        order = theirs[np.argsort(own_times[theirs], kind="stable")]
        near = np.searchsorted(own_times[order], times[mine] - SAME_TIME * _spacing(times[mine]))
        inside = near < len(order)
        same = np.zeros(len(mine), dtype=bool)
        away = np.abs(own_times[order][near[inside]] - times[mine][inside])
        same[inside] = away <= SAME_TIME * _spacing(times[mine])
        if not same.all():
            raise AlignmentError(
                f"The features '{name}' lack {int((~same).sum())} of {len(mine)} samples of run "
                f"'{run}'. Resample them to the recording's times."
            )
        out[mine] = values[order[near]]
    if not np.isfinite(out).all():
        raise DataError(f"The features '{name}' hold NaN or infinite values.")
    return out


def _spacing(times: np.ndarray) -> float:
    return float(np.median(np.diff(times))) if len(times) > 1 else 1.0
