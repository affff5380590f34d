"""One labelled value a unit: encoding maps, which go back to voxels, sensors or cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._encoding_features import (
    continuous_spaces,
    feature_rows,
    named_spaces,
    sample_rows,
    text_labels,
)
from neuroai.analyses.algorithm._encoding_fit import Fit, Method, Past, fit, rescaled
from neuroai.analyses.algorithm._encoding_targets import Targets, targets_of
from neuroai.errors import DataError, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import SAMPLE, STIMULUS, STIMULUS_ID, TIME, UNIT
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.delays import Delayed, delayed
from neuroai.numerics.folds import Folds, block_folds, group_folds, shuffled_folds
from neuroai.numerics.group_folds import stratified_group_folds
from neuroai.systems.base import System


@dataclass(frozen=True)
class Rows:
    """How rows are dealt, and how features are delayed.

    Attributes
    ----------
    groups : str
        Column of the stimuli whose values no fold splits.
    n_folds : int
        Folds.
    delays : tuple of float
        In seconds, of continuous features.
    gap : float
        In seconds, on either side of a tested block.
    shuffled : bool
        Deal the samples of continuous recordings one by one.
    history : tuple of float
        In seconds, how long before each sample counts are taken from; of ``poisson`` alone.
    coupled : bool
        Whether every unit is predicted from the history of all units of its region.
    """

    groups: str
    n_folds: int
    delays: tuple[float, ...]
    gap: float
    shuffled: bool
    history: tuple[float, ...] = ()
    coupled: bool = False

    def __post_init__(self) -> None:
        if self.coupled and not self.history:
            raise UsageError("coupled=True needs history=..., the delays of the counts in seconds.")


def encoding_maps(
    system: System,
    *,
    features: object,
    stimuli: StimulusSet | None,
    regions: Sequence[str] | None,
    method: Method,
    rows: Rows,
    undefined: str,
    ceiling: str,
) -> Iterator[xr.Dataset] | NotMeasurable:
    """Fit every subject and region in turn."""
    spaces = named_spaces(features)
    method.check(spaces)
    if rows.history and method.name != "poisson":
        raise UsageError(f"history is for method='poisson', which counts; got '{method.name}'.")
    if continuous_spaces(spaces):
        return _continuous(system, spaces, stimuli, regions, method, rows)
    if rows.delays != (0.0,) or rows.shuffled or rows.history:
        raise UsageError(
            "delays, history and shuffled are for continuous features; these have one row a "
            "stimulus."
        )
    targets = targets_of(system, stimuli, regions=regions, undefined=undefined, ceiling=ceiling)
    if isinstance(targets, NotMeasurable):
        return targets
    return (_by_stimulus(part, spaces, stimuli, method, rows) for part in targets)


def _by_stimulus(
    part: Targets,
    spaces: Mapping[str, object],
    stimuli: StimulusSet | None,
    method: Method,
    rows: Rows,
) -> xr.Dataset:
    folds = _deal(part.ids, spaces, stimuli, rows)
    found = fit(method, feature_rows(spaces, stimuli, part.ids), part.values, folds)
    ids = np.array(part.ids, dtype=object)
    made = _dataset(found, part.labels, folds, rows={STIMULUS: (STIMULUS, ids)})
    if part.ceiling_r is not None:
        shape, dims = part.labels.shape, part.labels.dims
        made["ceiling_r"] = (dims, part.ceiling_r.reshape(shape))
        made["normalised_r"] = made["r"] / made["ceiling_r"]
    return made.assign_attrs(
        subject=part.subject, region=part.region, notes="\n".join(part.notes), n_nan=part.n_nan
    )


def _deal(
    ids: Sequence[str], spaces: Mapping[str, object], stimuli: StimulusSet | None, rows: Rows
) -> Folds:
    """Deal stimuli or their groups, evenly over the values of a single feature of text."""
    if len(ids) < 2 * rows.n_folds:
        raise DataError(
            f"{len(ids)} stimuli in {rows.n_folds} folds leave fewer than two to test in a fold. "
            "Take fewer folds or more stimuli."
        )
    if rows.groups != STIMULUS_ID:
        if stimuli is None:
            raise UsageError(f"groups='{rows.groups}' needs the table of the stimuli.")
        groups = [str(value) for value in stimuli.column(rows.groups, ids)]
        return group_folds(groups, n_folds=rows.n_folds)
    name, labels = text_labels(spaces, stimuli, ids)
    # A fold of one value alone would leave every prediction constant and every score undefined.
    if labels is None or min(labels.count(label) for label in set(labels)) < rows.n_folds:
        return group_folds(ids, n_folds=rows.n_folds)
    fold_of = stratified_group_folds(labels, ids, n_folds=rows.n_folds)
    test = fold_of == np.arange(rows.n_folds)[:, None]
    return Folds(~test, test, f"{rows.n_folds} folds stratified by {name}, seed 0")


def _dataset(
    found: Fit, labels: xr.DataArray, folds: Folds, *, rows: Mapping[str, object]
) -> xr.Dataset:
    dims, shape = labels.dims, labels.shape
    data = {name: (dims, values.reshape(shape)) for name, values in found.columns.items()}
    coords = dict(labels.coords)
    if found.parts:
        parts = np.stack([part.reshape(shape) for part in found.parts.values()])
        data["r2_part"] = (("part", *dims), parts)
        coords["part"] = ("part", np.array(list(found.parts), dtype=object))
    if found.predictions is not None:
        along = next(iter(rows.values()))[0]
        predicted = found.predictions.reshape(-1, *shape)
        data["predicted"] = ((along, *dims), predicted)
        coords |= rows
    attrs = {key: value for key, value in labels.attrs.items() if key not in ("format", "history")}
    return xr.Dataset(data, coords=coords).assign_attrs(
        attrs | {"folds": folds.how, "penalties_at_edge": found.at_edge}
    )


def _continuous(
    system: System,
    spaces: Mapping[str, xr.DataArray],
    stimuli: StimulusSet | None,
    regions: Sequence[str] | None,
    method: Method,
    rows: Rows,
) -> Iterator[xr.Dataset] | NotMeasurable:
    if rows.groups != STIMULUS_ID:
        raise UsageError("Continuous recordings are dealt in blocks of time; groups is not used.")
    ask = getattr(system, "continuous", None)
    parts = None if ask is None else ask(stimuli, regions=regions)
    if parts is None:
        return NotMeasurable(f"'{system.name}' has no continuous recording to predict over time")
    if isinstance(parts, NotMeasurable):
        return parts
    return (_over_time(part, spaces, method, rows) for part in parts)


def _over_time(
    recording: xr.DataArray, spaces: Mapping[str, xr.DataArray], method: Method, rows: Rows
) -> xr.Dataset:
    runs = recording["run"].values.astype(str)
    step = _step(recording[TIME].values, runs)
    values = recording.transpose(SAMPLE, UNIT).values.astype(float)
    if not np.isfinite(values).all():
        raise DataError(
            f"{int((~np.isfinite(values)).any(axis=0).sum())} units of the continuous recording "
            "hold NaN or infinite values. Leave them out first."
        )
    delays = [_whole(delay / step, what=f"The delay {delay:g} s") for delay in rows.delays]
    late = {
        name: delayed(x, runs=runs, delays=delays)
        for name, x in sample_rows(spaces, recording).items()
    }
    before = _history(recording, values, runs, step, rows)
    kept = next(iter(late.values())).kept
    kept = kept if before is None else np.intersect1d(kept, before.kept)
    made = {name: x.rows(kept) for name, x in late.items()}
    past = None if before is None else Past(before.stacked(kept), rows.coupled)
    folds = _blocks(runs, step, rows).within(kept)
    found = fit(method, made, values[kept], folds, past=past)
    if method.name == "poisson":
        found = rescaled(found, values[kept], seed=method.seed)
    labels = recording.isel({SAMPLE: 0}, drop=True)
    along = {name: (SAMPLE, recording[name].values[kept]) for name in ("run", TIME, STIMULUS_ID)}
    notes, lost = [], len(runs) - len(kept)
    if lost:
        reach = "delays and history reach" if rows.history else "delays reach"
        notes.append(f"{lost} samples at the edges of runs left out, where {reach} beyond")
    if rows.shuffled:
        notes.append("samples were dealt one by one: neighbours in time stand on both sides")
    return _dataset(found, labels, folds, rows=along).assign_attrs(
        subject=str(recording.attrs["subject"]),
        region=str(recording.attrs["region"]),
        notes="\n".join(notes),
        n_nan=0,
    )


def _blocks(runs: np.ndarray, step: float, rows: Rows) -> Folds:
    if rows.shuffled:
        return shuffled_folds(len(runs), n_folds=rows.n_folds)
    # What is learnt from must not look back on counts that are tested.
    gap = max(rows.gap, *rows.history, 0.0)
    return block_folds(runs, n_folds=rows.n_folds, gap=int(np.ceil(gap / step - 1e-9)))


def _history(
    recording: xr.DataArray, values: np.ndarray, runs: np.ndarray, step: float, rows: Rows
) -> Delayed | None:
    """Give the counts of all units at the delays of their history."""
    if not rows.history:
        return None
    lags = [_whole(lag / step, what=f"The history of {lag:g} s") for lag in rows.history]
    if min(lags) < 1:
        raise UsageError(
            f"history lies before the count that it predicts: one sample ({step:g} s) or more; got "
            f"{min(rows.history):g} s."
        )
    if rows.coupled and not recording.attrs.get("simultaneous", 1):
        raise DataError(
            f"The units of '{recording.attrs['region']}' were not recorded together, so that none "
            "tells of another. Leave out coupled=True."
        )
    return delayed(values, runs=runs, delays=lags)


def _step(times: np.ndarray, runs: np.ndarray) -> float:
    same = runs[1:] == runs[:-1]
    steps = np.diff(times)[same]
    if not len(steps) or np.ptp(steps) > 1e-3 * np.median(steps) or np.median(steps) <= 0:
        raise DataError(
            "Delays and gaps need samples in order of time at one distance within every run."
        )
    return float(np.median(steps))


def _whole(number: float, *, what: str) -> int:
    if abs(number - round(number)) > 1e-3:
        raise UsageError(f"{what} is no whole number of samples (it is {number:g} of them).")
    return round(number)
