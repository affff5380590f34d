"""Encoding over time: continuous recordings from continuous features, run by run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._encoding_features import sample_rows
from neuroai.analyses.algorithm._encoding_fit import Method, Past, fit, rescaled
from neuroai.analyses.algorithm._encoding_null import with_chance
from neuroai.analyses.algorithm._encoding_rows import Rows, unit_dataset
from neuroai.errors import DataError, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import SAMPLE, STIMULUS_ID, TIME, UNIT
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.delays import Delayed, delayed
from neuroai.numerics.folds import Folds, block_folds, shuffled_folds
from neuroai.numerics.run_shifts import run_shifts
from neuroai.systems.base import System


@dataclass(frozen=True, eq=False)
class _Series:
    """A continuous recording as plain arrays.

    Attributes
    ----------
    recording : xarray.DataArray
        The recording itself.
    values : array, shape (n_samples, n_units)
        Finite.
    runs : array of str, shape (n_samples,)
        Run of each sample.
    step : float
        Seconds between samples.
    rows : Rows
        What was asked for.
    """

    recording: xr.DataArray
    values: np.ndarray
    runs: np.ndarray
    step: float
    rows: Rows

    def samples(self, seconds: Sequence[float], *, what: str) -> list[int]:
        """Give delays in samples."""
        return [_whole(s / self.step, what=what.format(s)) for s in seconds]

    @property
    def delays(self) -> list[int]:
        """Delays of the features, in samples."""
        return self.samples(self.rows.delays, what="The delay {:g} s")

    @property
    def gap(self) -> int:
        """Samples on either side of a block: what is learnt must not look back on the tested."""
        return int(np.ceil(max(self.rows.gap, *self.rows.history, 0.0) / self.step - 1e-9))

    def folds(self) -> Folds:
        """Deal blocks of time, or samples where that was asked for."""
        if self.rows.shuffled:
            return shuffled_folds(len(self.runs), n_folds=self.rows.n_folds)
        return block_folds(self.runs, n_folds=self.rows.n_folds, gap=self.gap)

    def history(self, values: np.ndarray) -> Delayed | None:
        """Give counts of all units at the delays of their history."""
        if not self.rows.history:
            return None
        lags = self.samples(self.rows.history, what="The history of {:g} s")
        if min(lags) < 1:
            raise UsageError(
                f"history lies before the count that it predicts: one sample ({self.step:g} s) or "
                f"more; got {min(self.rows.history):g} s."
            )
        if self.rows.coupled and not self.recording.attrs.get("simultaneous", 1):
            raise DataError(
                f"The units of '{self.recording.attrs['region']}' were not recorded together, so "
                "that none tells of another. Leave out coupled=True."
            )
        return delayed(values, runs=self.runs, delays=lags)

    def moved(self, kept: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, Past | None]:
        """Give the kept samples of the recording in another order; counts take their past along."""
        late = self.values[order]
        before = self.history(late)
        past = None if before is None else Past(before.stacked(kept), self.rows.coupled)
        return late[kept], past

    def shifts(self) -> np.ndarray:
        """Draw moves in time."""
        chance = self.rows.chance
        return run_shifts(self.runs, n_shifts=chance.n_null, rng=chance.rng())


def over_time(
    system: System,
    spaces: Mapping[str, xr.DataArray],
    stimuli: StimulusSet | None,
    regions: Sequence[str] | None,
    method: Method,
    rows: Rows,
) -> Iterator[xr.Dataset] | NotMeasurable:
    """Fit every continuous recording in turn."""
    if rows.groups != STIMULUS_ID:
        raise UsageError("Continuous recordings are dealt in blocks of time; groups is not used.")
    ask = getattr(system, "continuous", None)
    parts = None if ask is None else ask(stimuli, regions=regions)
    if parts is None:
        return NotMeasurable(f"'{system.name}' has no continuous recording to predict over time")
    if isinstance(parts, NotMeasurable):
        return parts
    return (_of_recording(part, spaces, method, rows) for part in parts)


def _series(recording: xr.DataArray, rows: Rows) -> _Series:
    runs = recording["run"].values.astype(str)
    step = _step(recording[TIME].values, runs)
    values = recording.transpose(SAMPLE, UNIT).values.astype(float)
    if not np.isfinite(values).all():
        raise DataError(
            f"{int((~np.isfinite(values)).any(axis=0).sum())} units of the continuous recording "
            "hold NaN or infinite values. Leave them out first."
        )
    return _Series(recording, values, runs, step, rows)


def _of_recording(
    recording: xr.DataArray, spaces: Mapping[str, xr.DataArray], method: Method, rows: Rows
) -> xr.Dataset:
    series = _series(recording, rows)
    delays = series.delays
    late = {
        name: delayed(x, runs=series.runs, delays=delays)
        for name, x in sample_rows(spaces, recording).items()
    }
    before, kept = series.history(series.values), next(iter(late.values())).kept
    kept = kept if before is None else np.intersect1d(kept, before.kept)
    made = {name: x.rows(kept) for name, x in late.items()}
    y, past = series.moved(kept, np.arange(len(series.runs)))
    folds = series.folds().within(kept)
    found = fit(method, made, y, folds, past=past)
    if method.name == "poisson":
        found = rescaled(found, y, seed=method.seed)
    along = {name: (SAMPLE, recording[name].values[kept]) for name in ("run", TIME, STIMULUS_ID)}
    units = unit_dataset(found, recording.isel({SAMPLE: 0}, drop=True), folds, rows=along)
    if rows.chance.n_null:
        units = with_chance(
            units, partial(series.moved, kept), orders=series.shifts(), method=method, spaces=made,
            folds=folds, progress=rows.chance.progress,
        ).assign_attrs(null="moved in time within runs")  # fmt: skip
    return units.assign_attrs(
        subject=str(recording.attrs["subject"]),
        region=str(recording.attrs["region"]),
        notes="\n".join(_notes(len(series.runs) - len(kept), rows)),
        n_nan=0,
    )


def _notes(lost: int, rows: Rows) -> list[str]:
    notes = []
    if lost:
        reach = "delays and history reach" if rows.history else "delays reach"
        notes.append(f"{lost} samples at the edges of runs left out, where {reach} beyond")
    if rows.shuffled:
        notes.append("samples were dealt one by one: neighbours in time stand on both sides")
    return notes


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
