"""From the parts of a description to recordings and behaviour, through the readers."""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.checks import known_name, listing, one_of
from neuroai.errors import AlignmentError, DataError, FormatError, UsageError
from neuroai.format.files import open_form
from neuroai.format.schema import PRESENTATION, REGION, STIMULUS_ID, UNIT, UNIT_ID
from neuroai.sources.behaviour import read_behaviour
from neuroai.sources.bids import entities, entity, run_coords
from neuroai.sources.description_schema import (
    BehaviourPart,
    EegPart,
    FmriPart,
    FormPart,
    RastersPart,
    RoisPart,
    UnitsPart,
)
from neuroai.sources.eeg import DATATYPES, open_bids, read_eeg
from neuroai.sources.fmri import read_bold
from neuroai.sources.fmri_audit import check_grid
from neuroai.sources.inside import existing
from neuroai.sources.rasters import read_rasters
from neuroai.sources.rois_nwb import read_nwb_rois
from neuroai.sources.spikes_nwb import read_nwb_units
from neuroai.sources.tables import MISSING, read_table

WITHOUT = ("raise", "drop")
TIMES = ("onset", "duration", "sample")


@dataclass(frozen=True)
class Place:
    """Where a part stands, and whose data it describes.

    Attributes
    ----------
    root : pathlib.Path
        Folder of the description.
    where : str
        Place in the description, for messages.
    system, stimulus_set : str
        Names that the readers write into what they build.
    """

    root: Path
    where: str
    system: str
    stimulus_set: str

    def files(self, given: Sequence[str]) -> list[Path]:
        """Find every file, or say which is not there."""
        return [existing(self.root, one, where=self.where) for one in given]

    def file(self, given: str | Sequence[str]) -> Path | list[Path] | None:
        """Find one file, or several; none if none is named."""
        if not given:
            return None
        if isinstance(given, str):
            return existing(self.root, given, where=self.where)
        return self.files(given)


def build_recording(part: Any, place: Place) -> tuple[xr.DataArray, pd.DataFrame | None]:
    """Read one ``[[recordings]]`` table.

    Parameters
    ----------
    part : one of the recordings of `neuroai.sources.description_schema`
        What to read, and how.
    place : Place
        Where its files lie.

    Returns
    -------
    tuple
        The recording, and for fMRI the columns of its events, one row a showing.

    Raises
    ------
    UsageError, DataError
        As the reader.
    """
    events = None
    if isinstance(part, FmriPart):
        recording, events = _fmri(part, place)
    elif isinstance(part, EegPart):
        recording = _eeg(part, place)
    elif isinstance(part, (UnitsPart, RoisPart)):
        recording = _nwb(part, place)
    elif isinstance(part, RastersPart):
        recording = _rasters(part, place)
    else:
        recording = _form(part, place)
    if part.region and isinstance(part, (EegPart, FormPart, FmriPart)):
        everywhere = np.full(recording.sizes[UNIT], part.region, dtype=object)
        recording = recording.assign_coords({REGION: (UNIT, everywhere)})
    return _with_regions(recording, part.regions, place.where), events


def _with_regions(
    recording: xr.DataArray, regions: Mapping[str, Sequence[str]], where: str
) -> xr.DataArray:
    """Rename the regions of units by name or glob; a unit belongs to one region."""
    if not regions:
        return recording
    units = recording[UNIT_ID].values.astype(str)
    named = recording[REGION].values.astype(object).copy()
    taken = np.zeros(len(units), dtype=bool)
    for region, patterns in regions.items():
        mine = np.zeros(len(units), dtype=bool)
        for pattern in patterns:
            found = np.array([u == pattern or fnmatch.fnmatchcase(u, pattern) for u in units])
            if not found.any():
                known_name(pattern, list(units), kind=f"unit (in {where}, region '{region}')")
            mine |= found
        if (mine & taken).any():
            raise DataError(
                f"{where}: {listing(units[mine & taken])} stand in two regions. A unit has one."
            )
        named[mine], taken = region, taken | mine
    return recording.assign_coords({REGION: (UNIT, named)})


def _fmri(part: FmriPart, place: Place) -> tuple[xr.DataArray, pd.DataFrame]:
    tables = _event_frames(part, place)
    labels, names = _atlas(part, place)
    recording = read_bold(
        place.files(part.files),
        events=tables,
        subject=part.subject,
        stimulus_set=place.stimulus_set,
        system=place.system,
        mask=place.file(part.mask),
        labels=labels,
        label_names=names,
        tr=part.tr,
        confounds=place.files(part.confounds) or None,
        confound_columns=part.confound_columns,
        stimulus=STIMULUS_ID,
        model=part.model,
        hrf=part.hrf,
        noise=part.noise,
        high_pass=part.high_pass,
        slice_time_ref=part.slice_time_ref,
        scale=part.scale,
        undefined=part.undefined,
    )
    noted = _noted(recording, tables, part.stimulus_id)
    return noted, pd.concat(tables, ignore_index=True)


def _noted(recording: xr.DataArray, tables: Sequence[pd.DataFrame], column: str) -> xr.DataArray:
    """Count in the attr `note` the events that were left out."""
    n_left_out = sum(int(table.attrs["left_out"]) for table in tables)
    if not n_left_out:
        return recording
    said = f"{n_left_out} events without '{column}' were left out"
    notes = [recording.attrs.get("note", ""), said]
    return recording.assign_attrs(note="; ".join(note for note in notes if note))


def _event_frames(part: FmriPart | EegPart, place: Place) -> list[pd.DataFrame]:
    one_of(part.without_stimulus, WITHOUT, option=f"{place.where}: without_stimulus")
    return [_event_frame(path, part) for path in place.files(part.events)]


def _event_frame(path: Path, part: FmriPart | EegPart) -> pd.DataFrame:
    table = read_table(path)
    columns = {name: _gone(values) for name, values in table.columns.items()}
    frame = pd.DataFrame(columns, dtype=object)
    frame[STIMULUS_ID] = _gone(table.text(part.stimulus_id or "trial_type"))
    missing = frame[STIMULUS_ID].isna()
    if missing.any() and part.without_stimulus == "raise":
        raise DataError(
            f"{int(missing.sum())} of {len(frame)} events of {path} have no '{part.stimulus_id}', "
            f"the first on line {int(np.flatnonzero(missing)[0]) + 2}. Name another column, or say "
            'without_stimulus = "drop" to leave these events out.'
        )
    for name in TIMES:
        if name in frame or name == "onset":
            frame[name] = table.numbers(name)
    kinds = frame["trial_type"] if "trial_type" in frame else frame[STIMULUS_ID]
    frame["trial_type"] = kinds.fillna(frame[STIMULUS_ID])
    kept = frame[~missing].reset_index(drop=True)
    kept.attrs["left_out"] = int(missing.sum())
    return kept


def _gone(values: np.ndarray) -> np.ndarray:
    stripped = [str(value).strip() for value in values]
    return np.array([None if v in MISSING else v for v in stripped], dtype=object)


def _atlas(part: FmriPart, place: Place) -> tuple[Any, dict[int, str] | None]:
    if part.masks and (part.labels or part.mask):
        raise UsageError(f"{place.where}: give masks, or mask and labels, not both.")
    if part.masks:
        return _labels_of(part.masks, place)
    try:
        names = {int(number): name for number, name in part.label_names.items()}
    except ValueError as error:
        raise UsageError(
            f"{place.where}: label_names go from a label's number to a name ({error})."
        ) from error
    return place.file(part.labels), names or None


def _labels_of(masks: Mapping[str, str], place: Place) -> tuple[Any, dict[int, str]]:
    """Make one atlas of several masks; no voxel may lie in two."""
    import nibabel

    images: list[Any] = [nibabel.load(path) for path in place.files(list(masks.values()))]
    content = np.zeros(images[0].shape[:3], dtype=np.int16)
    for number, (name, image) in enumerate(zip(masks, images, strict=True), start=1):
        check_grid(image, images[0], name=f"mask '{name}'", where=next(iter(masks)))
        inside = np.nan_to_num(np.asarray(image.dataobj, dtype=float)).reshape(content.shape) != 0
        shared = int((inside & (content != 0)).sum())
        if shared:
            raise DataError(
                f"{place.where}: {shared} voxels of the mask '{name}' lie in another mask too. "
                "A voxel has one region."
            )
        content[inside] = number
    names = dict(enumerate(masks, start=1))
    return nibabel.Nifti1Image(content, images[0].affine), names


def _eeg(part: EegPart, place: Place) -> xr.DataArray:
    files, events = place.files(part.files), _event_frames(part, place)
    if events and len(events) != len(files):
        raise UsageError(
            f"{place.where}: {len(files)} files need {len(files)} tables of events; "
            f"got {len(events)}."
        )
    if part.baseline and len(part.baseline) != 2:
        raise UsageError(f"{place.where}: baseline is [start, end] in seconds.")
    parts = [
        read_eeg(
            _through_bids(path, place) if part.bids else path,
            system=place.system,
            subject=str(entity(part.subject, "sub")),
            stimulus_set=place.stimulus_set,
            stimulus_id=part.stimulus_id or None if table is None else STIMULUS_ID,
            events=table,
            conditions=part.conditions or None,
            tmin=part.tmin,
            tmax=part.tmax,
            baseline=(part.baseline[0], part.baseline[1]) if part.baseline else None,
            decimate=part.decimate,
            picks=part.picks,
            channel_types=part.channel_types or None,
            incomplete=part.incomplete,
        )
        for path, table in zip(files, events or [None] * len(files), strict=True)
    ]
    return _noted(_joined(parts, files), events, part.stimulus_id)


def _through_bids(path: Path, place: Place) -> Any:
    """Open a file of a BIDS folder with its channels' types and quality."""
    roots = [folder.parent for folder in path.parents if folder.name.startswith("sub-")]
    if not roots or path.parent.name not in DATATYPES:
        raise UsageError(
            f"{place.where}: bids = true needs files in sub-*/eeg, meg or ieeg; got {path}."
        )
    with warnings.catch_warnings():
        # What mne says of the file it says again when it is read.
        warnings.simplefilter("ignore")
        return open_bids(roots[-1], entities(path), path.parent.name)[0]


def _joined(parts: Sequence[xr.DataArray], files: Sequence[Path]) -> xr.DataArray:
    """Put the runs of one subject one below the other; their units must be the same."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    for part, path in zip(parts[1:], files[1:], strict=True):
        same_units = part[UNIT_ID].equals(first[UNIT_ID])
        if not same_units or part.shape[1:] != first.shape[1:]:
            raise AlignmentError(
                f"{path.name} has other channels or times than {files[0].name}. Runs of one "
                "recording share both: choose channels with picks, and one window."
            )
    shared = set.intersection(*(set(part.coords) for part in parts))
    kept = [
        part.drop_vars(set(part.coords) - shared).assign_coords(
            {
                name: (PRESENTATION, np.full(part.sizes[PRESENTATION], value, dtype=object))
                for name, value in own.items()
            }
        )
        for part, own in zip(parts, run_coords(files), strict=True)
    ]
    joined = xr.concat(kept, PRESENTATION, coords="minimal", compat="override", join="override")
    return joined.assign_attrs(first.attrs)


def _nwb(part: UnitsPart | RoisPart, place: Place) -> xr.DataArray:
    if len(part.files) != 1:
        raise UsageError(
            f"{place.where}: a recording is one NWB file; got {len(part.files)}. Write one "
            "[[recordings]] a file: other sessions record other units."
        )
    shared: dict[str, Any] = {
        "system": place.system,
        "stimulus_set": place.stimulus_set,
        "stimulus_id": part.stimulus_id,
        "subject": part.subject or None,
        "interval_table": part.interval_table,
        "align": part.align,
        "window": (part.window[0], part.window[1]),
        "intervention": part.intervention or None,
        "undefined": part.undefined,
    }
    path = place.files(part.files)[0]
    if isinstance(part, RoisPart):
        return read_nwb_rois(
            path,
            region=part.region,
            series=part.series or None,
            incomplete=part.incomplete,
            **shared,
        )
    return read_nwb_units(
        path,
        region=part.region or None,
        bin_width=part.bin_width,
        measure=part.measure,
        **shared,
    )


def _rasters(part: RastersPart, place: Place) -> xr.DataArray:
    return read_rasters(
        place.files(part.files),
        system=place.system,
        stimulus_set=place.stimulus_set,
        subject=part.subject,
        region=part.region,
        stimulus_id=part.stimulus_id,
        window=(part.window[0], part.window[1]),
        bin_width=part.bin_width,
        measure=part.measure,
        session=part.session,
        zero=part.zero,
        raster=part.raster,
        labels=part.labels,
        site=part.site,
        sample=part.sample,
    )


def _form(part: FormPart, place: Place) -> xr.DataArray:
    if len(part.files) != 1:
        raise UsageError(f"{place.where}: one file in the common form is one recording.")
    data = open_form(place.files(part.files)[0])
    if not isinstance(data, xr.DataArray) or data.attrs["format"] != "recording":
        raise FormatError(f"{place.where}: {part.files[0]} holds no recording.")
    return data.assign_attrs(system=place.system, stimulus_set=place.stimulus_set)


def build_behaviour(part: BehaviourPart, place: Place) -> xr.Dataset:
    """Read one ``[[behaviour]]`` table.

    Raises
    ------
    UsageError, DataError
        As `neuroai.sources.behaviour.read_behaviour`.
    """
    return read_behaviour(
        place.files(part.files),
        columns=part.columns,
        system=place.system,
        kind="brain",
        stimulus_set=place.stimulus_set,
        task=part.task,
        options=part.options,
        subject=part.subject,
        missing=part.missing,
        numbers=part.numbers,
        response_time_unit=part.response_time_unit,
        no_choice=part.no_choice,
    )
