"""fMRI: from 4-D images and events to recordings, and to the cleaned series."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.checks import listing, one_of
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.format.build import continuous, recording
from neuroai.sources.bids import entity, run_coords, seconds_of
from neuroai.sources.fmri_audit import audit_signal, check_finite, check_overlap
from neuroai.sources.fmri_glm import estimate, nuisance
from neuroai.sources.fmri_runs import Grid, Run, load_confounds, load_events, load_run
from neuroai.sources.fmri_surfaces import by_run

SCALES = ("percent", "none")
UNDEFINED = ("raise", "drop")


def read_bold(
    bold: Any,
    *,
    events: Any,
    subject: str,
    stimulus_set: str,
    system: str = "human",
    mask: Any = None,
    labels: Any = None,
    label_names: Mapping[int, str] | None = None,
    tr: float | None = None,
    confounds: Any = None,
    confound_columns: Sequence[str] = (),
    stimulus: str = "",
    model: str = "lss",
    hrf: str = "glover",
    noise: str = "ols",
    high_pass: float = 0.01,
    slice_time_ref: float = 0.0,
    scale: str = "percent",
    undefined: str = "raise",
    run_names: Sequence[str] = (),
) -> xr.DataArray:
    """Read one subject's runs as a recording of single trials or of conditions.

    Parameters
    ----------
    bold : path, nibabel image or list of them
        4-D NIfTI or functional GIFTI, one a run, all on one grid. GIFTI files whose names differ in
        ``hemi-L`` and ``hemi-R`` alone are one run.
    events : path, pandas.DataFrame or list of them
        BIDS events (``onset``, ``duration`` in s, ``trial_type``), one a run.
    mask, labels, label_names, tr
        As `neuroai.sources.fmri_runs.load_run`; without a mask every voxel that varies is kept.
    confounds, confound_columns
        Nuisance series, one table a run, and which of their columns.
    stimulus : str
        Column of the events that names the stimulus; ``trial_type`` if empty.
    model, hrf, noise, high_pass, slice_time_ref
        As `neuroai.sources.fmri_glm.estimate`; ``model`` is ``lss``, ``lsa`` or ``condition``.
    scale : str
        ``percent`` of each voxel's mean over the run, or ``none``.
    undefined : str
        For voxels with NaN in any run: ``raise`` or ``drop``. Voxels that never vary in a run are
        left out; both are counted in the attr ``note``.
    subject : str
        With or without the key of BIDS: ``sub-01`` and ``01`` are the same.
    run_names : sequence of str
        Names of the runs; by default those of BIDS names, else numbers from 1. BIDS names give
        ``session`` and ``task`` too.

    Returns
    -------
    xarray.DataArray
        Recording (presentation, unit) with ``run``, ``onset`` (s) and ``condition``; units carry
        ``region`` and, from a volume, ``x y z`` (mm in the attr ``space``), from a surface
        ``hemisphere``.

    Raises
    ------
    AlignmentError
        The mask, atlas or a run has another grid, or the mask lies where nothing varies.
    DataError
        Voxels hold NaN, onsets lie outside the run, or the design is singular.
    """
    one_of(scale, SCALES, option="scale")
    files = _files(bold)
    runs = _runs(files, mask, labels, label_names, tr)
    tables = _several(events, len(runs), "events")
    extras = _several(confounds, len(runs), "confounds")
    names = _names(run_names, files)
    kept, note = _usable(runs, undefined=undefined, masked=mask is not None or labels is not None)
    how = {"model": model, "hrf": hrf, "noise": noise, "high_pass": high_pass}
    fit = functools.partial(estimate, **how, slice_time_ref=slice_time_ref)
    betas, rows = [], []
    for run, shown, extra, name in zip(runs, tables, extras, names, strict=True):
        n_scans = len(run.values)
        found, about = fit(
            _scaled(run.values[:, kept], scale, run),
            load_events(shown, n_scans=n_scans, tr=run.tr, stimulus=stimulus),
            tr=run.tr,
            confounds=load_confounds(extra, confound_columns, n_scans=n_scans),
        )
        betas.append(found)
        rows.append(about.assign(**name))
    built = _labelled(
        np.concatenate(betas),
        pd.concat(rows, ignore_index=True),
        runs[0].grid,
        kept,
        system=system,
        stimulus_set=stimulus_set,
        subject=subject,
        physical_unit="percent" if scale == "percent" else "",
    )
    told = f"{model}, {hrf} HRF, {noise}, high-pass {high_pass:g} Hz"
    return built.assign_attrs({"estimate": told, **({"note": note} if note else {})})


def _labelled(
    betas: np.ndarray,
    table: pd.DataFrame,
    grid: Grid,
    kept: np.ndarray,
    *,
    system: str,
    stimulus_set: str,
    subject: str,
    physical_unit: str,
) -> xr.DataArray:
    return recording(
        betas,
        stimulus_id=table["stimulus_id"].tolist(),
        unit_id=grid.unit_id[kept],
        region=grid.region[kept],
        system=system,
        kind="brain",
        stimulus_set=stimulus_set,
        subject=str(entity(subject, "sub")),
        modality="fMRI",
        physical_unit=physical_unit,
        presentation=_presentation(table),
        unit=_places(grid, kept),
        attrs={"space": grid.space, "grid": grid.description},
    )


def read_bold_series(
    bold: Any,
    *,
    subject: str,
    stimulus_set: str,
    events: Any = None,
    system: str = "human",
    mask: Any = None,
    labels: Any = None,
    label_names: Mapping[int, str] | None = None,
    tr: float | None = None,
    confounds: Any = None,
    confound_columns: Sequence[str] = (),
    stimulus: str = "",
    detrend: bool = True,
    high_pass: float = 0.01,
    scale: str = "percent",
    undefined: str = "raise",
    run_names: Sequence[str] = (),
) -> xr.DataArray:
    """Read one subject's runs as the series of scans, cleaned of drifts and confounds.

    Mean, line, cosines slower than `high_pass` and confounds are taken out by one regression, so
    that none brings another back.

    Parameters are those of `read_bold`. A scan's ``stimulus_id`` is that of the event during which
    it began, and empty between events; no delay of the response is taken into account.

    Returns
    -------
    xarray.DataArray
        Continuous (sample, unit), runs one after the other, ``time`` in s from the run's start.
    """
    one_of(scale, SCALES, option="scale")
    files = _files(bold)
    runs = _runs(files, mask, labels, label_names, tr)
    tables = _several(events, len(runs), "events")
    extras = _several(confounds, len(runs), "confounds")
    kept, note = _usable(runs, undefined=undefined, masked=mask is not None or labels is not None)
    series, times, shown, named = [], [], [], []
    names = _names(run_names, files)
    for run, table, extra, name in zip(runs, tables, extras, names, strict=True):
        n_scans = len(run.values)
        regressors = load_confounds(extra, confound_columns, n_scans=n_scans)
        columns = nuisance(
            n_scans, tr=run.tr, detrend=detrend, high_pass=high_pass, confounds=regressors
        )
        samples = _scaled(run.values[:, kept], scale, run)
        series.append(samples - columns @ (np.linalg.pinv(columns) @ samples))
        times.append(np.arange(n_scans) * run.tr)
        shown.append(_shown(table, times[-1], run.tr, stimulus))
        named.append(np.full(n_scans, name["run"], dtype=object))
    grid = runs[0].grid
    built = continuous(
        np.concatenate(series),
        run=np.concatenate(named),
        time=np.concatenate(times),
        stimulus_id=np.concatenate(shown),
        unit_id=grid.unit_id[kept],
        region=grid.region[kept],
        system=system,
        kind="brain",
        stimulus_set=stimulus_set,
        subject=str(entity(subject, "sub")),
        modality="fMRI",
        physical_unit="percent" if scale == "percent" else "",
    )
    built = built.assign_coords({k: ("unit", v) for k, v in _places(grid, kept).items()})
    extra_attrs = {"space": grid.space, "grid": grid.description, "note": note}
    return built.assign_attrs({key: value for key, value in extra_attrs.items() if value})


def _files(bold: Any) -> list[Any]:
    given = by_run(list(bold) if isinstance(bold, list) else [bold])
    if not given:
        raise UsageError("No run was given. Give at least one image.")
    return given


def _runs(files: list[Any], mask: Any, labels: Any, names: Any, tr: float | None) -> list[Run]:
    options = {"mask": mask, "labels": labels, "label_names": names}
    runs = [load_run(one, tr=_told_tr(one) if tr is None else tr, **options) for one in files]
    for run in runs[1:]:
        if run.grid.description != runs[0].grid.description or run.tr != runs[0].tr:
            raise AlignmentError(
                f"{run.where} has another grid or repetition time than {runs[0].where}. Runs of "
                "one recording share both; resample them first."
            )
    return runs


def _told_tr(one: Any) -> float | None:
    first = one[0] if isinstance(one, tuple) else one
    return seconds_of(Path(first), "RepetitionTime") if isinstance(first, (str, Path)) else None


def _several(given: Any, n: int, name: str) -> list[Any]:
    if given is None:
        return [None] * n
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(several) != n:
        raise UsageError(f"{n} run(s) need {n} {name}; got {len(several)}. Give one a run.")
    return several


def _names(names: Sequence[str], files: list[Any]) -> list[dict[str, str]]:
    found = run_coords([one[0] if isinstance(one, tuple) else one for one in files])
    if not names:
        return found
    if len(names) != len(files) or len(set(names)) != len(names):
        raise UsageError(f"run_names must be {len(files)} different names; got {listing(names)}.")
    return [{**own, "run": str(name)} for own, name in zip(found, names, strict=True)]


def _usable(runs: Sequence[Run], *, undefined: str, masked: bool) -> tuple[np.ndarray, str]:
    """Audit every run before anything else touches it; say which voxels can be used in all."""
    one_of(undefined, UNDEFINED, option="undefined")
    ids = runs[0].grid.unit_id
    not_finite: set[str] = set()
    constant: set[str] = set()
    for run in runs:
        audit = audit_signal(run.values, ids)
        check_finite(audit, where=run.where, undefined=undefined)
        if masked:
            check_overlap(audit, where=run.where)
        not_finite |= set(audit.not_finite)
        constant |= set(audit.constant)
    kept = np.array([unit not in not_finite and unit not in constant for unit in ids])
    if not kept.any():
        raise DataError(f"No voxel of {runs[0].where} varies and is finite in every run.")
    parts = [
        f"{len(found)} of {len(ids)} voxels {what} were left out: {listing(sorted(found))}"
        for found, what in (
            (not_finite, "with NaN or infinite values"),
            (constant - not_finite, "that never vary"),
        )
        if found
    ]
    return kept, "; ".join(parts)


def _scaled(values: np.ndarray, scale: str, run: Run) -> np.ndarray:
    if scale == "none":
        return values
    means = values.mean(axis=0)
    if (means <= 0).any():
        raise DataError(
            f"{int((means <= 0).sum())} of {means.size} voxels of {run.where} have a mean that is "
            "not above 0, so there is no percent of it. Say scale='none'."
        )
    return 100 * (values / means - 1)


def _presentation(table: pd.DataFrame) -> dict[str, Any]:
    found = {"run": table["run"].tolist(), "condition": table["trial_type"].tolist()}
    found |= {name: table[name].tolist() for name in ("session", "task") if name in table}
    for name in ("onset", "n_repeats"):
        if name in table:
            found[name] = table[name].to_numpy(dtype=np.float64)
    return {**found, "repeat": table.groupby("stimulus_id").cumcount().to_numpy(dtype=np.float64)}


def _places(grid: Grid, kept: np.ndarray) -> dict[str, np.ndarray]:
    if grid.xyz is None:
        return {"hemisphere": np.array([unit[:1] for unit in grid.unit_id[kept]], dtype=object)}
    return {name: grid.xyz[kept, axis].astype(np.float64) for axis, name in enumerate("xyz")}


def _shown(table: Any, times: np.ndarray, tr: float, stimulus: str) -> np.ndarray:
    shown = np.full(len(times), "", dtype=object)
    if table is not None:
        events = load_events(table, n_scans=len(times), tr=tr, stimulus=stimulus)
        for onset, duration, name in zip(
            events["onset"], events["duration"], events["stimulus_id"], strict=True
        ):
            shown[(times >= onset) & (times < onset + duration)] = name
    return shown
