"""To and from rsatoolbox: its Dataset and RDMs, with every descriptor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neuroai.checks import known_name
from neuroai.errors import AlignmentError, FormatError
from neuroai.format.answers import Answer, rdm_answer
from neuroai.format.build import recording
from neuroai.format.schema import PRESENTATION, REGION, STIMULUS, STIMULUS_ID, TIME, UNIT, UNIT_ID

if TYPE_CHECKING:
    from rsatoolbox.data import Dataset, TemporalDataset
    from rsatoolbox.rdm import RDMs

# The measures that rsatoolbox and neuroai define alike.
DISTANCE_OF = {"squared euclidean": "squared-euclidean", "correlation": "correlation"}
MEASURE_OF = {ours: theirs for theirs, ours in DISTANCE_OF.items()}


def to_dataset(data: xr.DataArray) -> Dataset | TemporalDataset:
    """Give a recording as an rsatoolbox Dataset (TemporalDataset if it has times).

    Parameters
    ----------
    data : xarray.DataArray
        A recording; its columns become observation and channel descriptors, its attrs
        descriptors, under their own names.

    Returns
    -------
    rsatoolbox.data.Dataset or rsatoolbox.data.TemporalDataset

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> to_dataset(toy_brain().data.recordings[0]).obs_descriptors["stimulus_id"]
    ['a', 'b', 'c']
    """
    from rsatoolbox.data import Dataset, TemporalDataset

    shared: dict[str, Any] = {
        "descriptors": dict(data.attrs),
        "obs_descriptors": _columns(data, PRESENTATION),
        "channel_descriptors": _columns(data, UNIT),
    }
    if TIME not in data.dims:
        return Dataset(np.array(data.values), **shared)
    times = {TIME: np.array(data[TIME].values, dtype=float)}
    return TemporalDataset(np.array(data.values), time_descriptors=times, **shared)


def _columns(data: xr.DataArray, dim: str) -> dict[str, list[Any]]:
    return {
        str(name): coord.values.tolist()
        for name, coord in data.coords.items()
        if coord.dims == (dim,)
    }


def from_dataset(
    dataset: Dataset | TemporalDataset,
    *,
    system: str,
    kind: str,
    subject: str,
    stimulus_set: str,
    stimulus_id: str = STIMULUS_ID,
    unit_id: str = UNIT_ID,
    region: str = REGION,
    time_unit: str = "s",
) -> xr.DataArray:
    """Read an rsatoolbox Dataset or TemporalDataset as a recording.

    Parameters
    ----------
    dataset : rsatoolbox.data.Dataset or TemporalDataset
        Measurements with descriptors.
    system, kind, subject, stimulus_set : str
        What the recording says of itself.
    stimulus_id, unit_id, region : str
        Names of the descriptors that hold them. A region that is no channel descriptor stands for
        all channels.
    time_unit : str
        Unit of the times of a TemporalDataset.

    Returns
    -------
    xarray.DataArray
        Every other descriptor is kept as a column or an attr.

    Raises
    ------
    UnknownName
        A descriptor is missing; the message lists the nearest.
    """
    rows, channels = dict(dataset.obs_descriptors), dict(dataset.channel_descriptors)
    known_name(stimulus_id, rows, kind="observation descriptor")
    known_name(unit_id, channels, kind="channel descriptor")
    stimuli, units = rows.pop(stimulus_id), channels.pop(unit_id)
    regions = channels.pop(region) if region in channels else region
    times = getattr(dataset, "time_descriptors", {}).get(TIME)
    reserved = {"format", "format_version", "system", "kind", "subject", "stimulus_set"}
    known = {k: v for k, v in dataset.descriptors.items() if k not in reserved}
    attrs = {k: v for k, v in known.items() if isinstance(v, (str, int, float))}
    named = {name: attrs.pop(name, "") for name in ("modality", "physical_unit")}
    for name in ("simultaneous", "time_unit"):
        attrs.pop(name, None)
    return recording(
        np.array(dataset.measurements),
        stimulus_id=[str(s) for s in stimuli],
        unit_id=[str(u) for u in units],
        region=regions if isinstance(regions, str) else [str(r) for r in regions],
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        subject=subject,
        simultaneous=bool(dataset.descriptors.get("simultaneous", 1)),
        time=times,
        time_unit=time_unit if times is not None else "",
        presentation={k: v for k, v in rows.items() if k != "index"},
        unit={k: v for k, v in channels.items() if k != "index"},
        modality=str(named["modality"]),
        physical_unit=str(named["physical_unit"]),
        attrs=attrs,
    )


def to_rdms(answer: Answer) -> RDMs:
    """Give an RDM answer as rsatoolbox RDMs, one a subject and region that was measured.

    Parameters
    ----------
    answer : Answer
        Of form ``rdm``.

    Returns
    -------
    rsatoolbox.rdm.RDMs
        RDM descriptors ``subject, region``; pattern descriptor ``stimulus_id``.

    Raises
    ------
    FormatError
        The answer holds no RDMs.
    """
    from rsatoolbox.rdm import RDMs

    if answer.form != "rdm":
        raise FormatError(f"RDMs come from an answer of form 'rdm'; got '{answer.form}'.")
    stacked = answer.data["rdm"].transpose("subject", "region", STIMULUS, "stimulus_to")
    names = [(s, r) for s in answer.subjects for r in answer.regions]
    squares = stacked.values.reshape(len(names), *stacked.shape[2:])
    measured = ~np.isnan(squares).all(axis=(1, 2))
    rows, cols = np.triu_indices(squares.shape[1], k=1)
    kept = [name for name, ok in zip(names, measured, strict=True) if ok]
    distance = str(answer.parameters.get("distance", ""))
    return RDMs(
        squares[measured][:, rows, cols],
        dissimilarity_measure=MEASURE_OF.get(distance, distance or None),
        descriptors={"system": answer.system, "kind": answer.kind, "question": answer.question},
        rdm_descriptors={"subject": [s for s, _ in kept], "region": [r for _, r in kept]},
        pattern_descriptors={STIMULUS_ID: list(answer.stimuli)},
    )


def from_rdms(
    rdms: RDMs,
    *,
    system: str,
    kind: str,
    stimulus_set: str,
    stimulus_id: str = STIMULUS_ID,
    subject: str = "subject",
    region: str = "region",
) -> Answer:
    """Read rsatoolbox RDMs as a published RDM answer.

    Parameters
    ----------
    rdms : rsatoolbox.rdm.RDMs
        With a pattern descriptor that names the stimuli.
    system, kind, stimulus_set : str
        Whose RDMs, about which stimuli.
    stimulus_id : str
        Pattern descriptor of the stimuli.
    subject, region : str
        RDM descriptors; one that is missing stands for all RDMs.

    Returns
    -------
    Answer
        Origin ``published``.

    Raises
    ------
    UnknownName
        The pattern descriptor is missing.
    AlignmentError
        Two RDMs have the same subject and region.
    """
    known_name(stimulus_id, rdms.pattern_descriptors, kind="pattern descriptor")
    stimuli = [str(s) for s in rdms.pattern_descriptors[stimulus_id]]
    n = len(rdms.dissimilarities)
    subjects = [str(v) for v in rdms.rdm_descriptors.get(subject, [subject] * n)]
    regions = [str(v) for v in rdms.rdm_descriptors.get(region, [region] * n)]
    if len(set(zip(subjects, regions, strict=True))) < n:
        raise AlignmentError(
            f"{n} RDMs have only {len(set(zip(subjects, regions, strict=True)))} different pairs "
            f"of '{subject}' and '{region}'. Average the repeats, or name another descriptor."
        )
    names, places = list(dict.fromkeys(subjects)), list(dict.fromkeys(regions))
    squares = rdms.get_matrices()
    values = np.full((len(names), len(places), *squares.shape[1:]), np.nan)
    for square, who, where in zip(squares, subjects, regions, strict=True):
        values[names.index(who), places.index(where)] = square
    measure = str(rdms.dissimilarity_measure or "not stated")
    return rdm_answer(
        values,
        subjects=names,
        regions=places,
        stimuli=stimuli,
        parameters={"distance": DISTANCE_OF.get(measure, measure)},
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        origin="published",
    )
