"""fMRI from a BIDS folder, with the derivatives that fMRIPrep and others make of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from neuroai.checks import listing, near_miss, one_of
from neuroai.errors import DataError, UsageError
from neuroai.sources.bids import belongs, entities, entity, seconds_of
from neuroai.sources.fmri import read_bold
from neuroai.sources.fmri_surfaces import by_run

IMAGES = ("_bold.nii", "_bold.nii.gz", "_bold.func.gii")
PREPROCESSED = ("desc-preproc_", ".func.gii")
CONFOUNDS = ("_timeseries.tsv", "_regressors.tsv")
MASKS = ("_mask.nii", "_mask.nii.gz")
WHICH_MASK = ("brain", "none")
MOST_FILES = 100_000


@dataclass(frozen=True)
class BidsRun:
    """The files of one run.

    Attributes
    ----------
    entities : mapping
        Of the image's name.
    bold : path, or tuple of two
        The image, or its two hemispheres.
    events, confounds, mask : path or None
        Where there is one.
    """

    entities: Mapping[str, str]
    bold: Any
    events: Path | None
    confounds: Path | None
    mask: Path | None

    @property
    def first(self) -> Path:
        """The image, or that of the left hemisphere."""
        return self.bold[0] if isinstance(self.bold, tuple) else self.bold


def find_bold(
    root: str | Path,
    *,
    subject: str,
    task: str,
    session: str | None = None,
    run: str | None = None,
    space: str | None = None,
    derivatives: str | Path | None = None,
) -> tuple[BidsRun, ...]:
    """Find the runs of one subject and task, each with the tables and the mask that belong to it.

    Files belong together by the entities in their names, never by their order; a table further up
    serves every run that it contradicts in nothing.

    Parameters
    ----------
    root : path
        The BIDS folder, or a folder of derivatives.
    subject, task, session, run : str
        BIDS entities, with or without their key (``01`` or ``sub-01``).
    space : str, optional
        Space of preprocessed images, such as ``MNI152NLin2009cAsym`` or ``fsaverage5``; needed
        where there are several. Without preprocessed images the raw ones are taken.
    derivatives : path, optional
        A folder of derivatives that lies elsewhere.

    Returns
    -------
    tuple of BidsRun
        By session and run.

    Raises
    ------
    UsageError
        A folder is not there, or nothing has these entities; what there is is named.
    DataError
        Several images could be the run, or the folder holds more files than any study.
    """
    wanted = {
        key: str(entity(value, key))
        for key, value in {"sub": subject, "task": task, "ses": session, "run": run}.items()
        if value is not None
    }
    files = [path for folder in _folders(root, derivatives) for path in _files(folder)]
    images = [path for path in files if path.name.endswith(IMAGES)]
    mine = [p for p in images if all(entities(p).get(k) == v for k, v in wanted.items())]
    if not mine:
        raise UsageError(_nothing(wanted, images, root))
    chosen = _in_space(mine, space)
    runs = [_run(one, files) for one in by_run(sorted(chosen))]
    _refuse_twins(runs)
    return tuple(sorted(runs, key=lambda r: (_key(r.entities, "ses"), _key(r.entities, "run"))))


def _folders(root: str | Path, derivatives: str | Path | None) -> list[Path]:
    found = [Path(one).expanduser() for one in (root, derivatives) if one is not None]
    for folder in found:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for count, path in enumerate(sorted(folder.rglob("*"))):
        if count > MOST_FILES:
            raise DataError(f"{folder} holds more than {MOST_FILES} files. Give a smaller folder.")
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            yield path


def _nothing(wanted: Mapping[str, str], images: Sequence[Path], root: Any) -> str:
    asked = "_".join(f"{key}-{value}" for key, value in wanted.items())
    if not images:
        return f"{root} holds no fMRI run (*_bold.nii.gz or *_bold.func.gii)."
    for key, value in wanted.items():
        there = sorted({entities(path).get(key, "") for path in images} - {""})
        if value not in there:
            return (
                f"{root} holds no {key}-{value}. {near_miss(value, there)} "
                f"There are: {listing([f'{key}-{one}' for one in there], shown=12)}."
            )
    return f"{root} holds no run {asked}."


def _in_space(images: Sequence[Path], space: str | None) -> list[Path]:
    """Take preprocessed images of one space, or the raw ones where there are no others."""
    cleaned = [path for path in images if any(mark in path.name for mark in PREPROCESSED)]
    if not cleaned:
        if space is not None:
            raise UsageError(f"There are raw images alone, which have no space-{space}.")
        return list(images)
    spaces = sorted({entities(path).get("space", "") for path in cleaned})
    if space is None and len(spaces) > 1:
        raise UsageError(
            f"There are images in several spaces: {listing(spaces)}. Choose one with space=..."
        )
    wanted = spaces[0] if space is None else one_of(space, spaces, option="space")
    return [path for path in cleaned if entities(path).get("space", "") == wanted]


def _run(bold: Any, files: Sequence[Path]) -> BidsRun:
    first = bold[0] if isinstance(bold, tuple) else bold
    own = entities(first)

    def nearest(ends: tuple[str, ...], space: bool = False) -> Path | None:
        fitting = [p for p in files if p.name.endswith(ends) and belongs(entities(p), own)]
        if space:
            alike = own.get("space")
            fitting = [p for p in fitting if entities(p).get("space") == alike]
            fitting = [p for p in fitting if entities(p).get("desc", "brain") == "brain"]
        named = sorted(fitting, key=lambda p: (len(entities(p)), _shared(p, first)))
        return named[-1] if named else None

    return BidsRun(
        own, bold, nearest(("_events.tsv",)), nearest(CONFOUNDS), nearest(MASKS, space=True)
    )


def _shared(path: Path, other: Path) -> int:
    return sum(a == b for a, b in zip(path.parts, other.parts, strict=False))


def _key(own: Mapping[str, str], key: str) -> tuple[int, str]:
    value = own.get(key, "")
    return (int(value) if value.isdecimal() else 0, value)


def _refuse_twins(runs: Sequence[BidsRun]) -> None:
    seen: dict[tuple[str, str, str], Path] = {}
    for run in runs:
        key = tuple(run.entities.get(name, "") for name in ("ses", "task", "run"))
        if key in seen:
            raise DataError(
                f"{seen[key].name} and {run.first.name} are one run twice. Name the folder of one "
                "of them alone."
            )
        seen[key] = run.first


def read_bold_bids(
    root: str | Path,
    *,
    subject: str,
    task: str,
    stimulus_set: str,
    system: str = "human",
    session: str | None = None,
    run: str | None = None,
    space: str | None = None,
    derivatives: str | Path | None = None,
    mask: Any = "brain",
    labels: Any = None,
    label_names: Mapping[int, str] | None = None,
    confound_columns: Sequence[str] = (),
    stimulus: str = "",
    model: str = "lss",
    hrf: str = "glover",
    noise: str = "ols",
    high_pass: float = 0.01,
    slice_time_ref: float | None = None,
    scale: str = "percent",
    undefined: str = "raise",
) -> xr.DataArray:
    """Read the runs of one subject and task of a BIDS folder, as `neuroai.sources.fmri.read_bold`.

    Parameters
    ----------
    root, subject, task, session, run, space, derivatives
        As `find_bold`.
    mask : {"brain", "none"}, path or image
        The brain masks beside the preprocessed images, of which a voxel must lie in all; no mask;
        or a mask of your own.
    confound_columns : sequence of str
        Columns of the confounds table that are taken out; none by default.
    slice_time_ref : float, optional
        By default what the sidecars state (``StartTime``, in shares of the repetition time), else
        0.
    labels, label_names, stimulus, model, hrf, noise, high_pass, scale, undefined
        As `neuroai.sources.fmri.read_bold`.

    Returns
    -------
    xarray.DataArray
        Recording (presentation, unit); ``session``, ``task`` and ``run`` are coordinates,
        ``subject`` is an attr without its key.

    Raises
    ------
    UsageError
        Nothing has these entities, or a run has no events or confounds.
    AlignmentError, DataError
        As `neuroai.sources.fmri.read_bold`.
    """
    runs = find_bold(
        root, subject=subject, task=task, session=session, run=run, space=space,
        derivatives=derivatives,
    )  # fmt: skip
    confounds = _all(runs, "confounds") if confound_columns else None
    return read_bold(
        [one.bold for one in runs],
        events=_all(runs, "events"),
        subject=subject,
        stimulus_set=stimulus_set,
        system=system,
        mask=_mask(runs, mask),
        labels=labels,
        label_names=label_names,
        confounds=confounds,
        confound_columns=confound_columns,
        stimulus=stimulus,
        model=model,
        hrf=hrf,
        noise=noise,
        high_pass=high_pass,
        slice_time_ref=_reference(runs) if slice_time_ref is None else slice_time_ref,
        scale=scale,
        undefined=undefined,
    )


def _all(runs: Sequence[BidsRun], name: str) -> list[Path]:
    lacking = [one.first.name for one in runs if getattr(one, name) is None]
    if lacking:
        raise UsageError(
            f"No {name} belong to {listing(lacking)}. Put their .tsv into the BIDS folder, under "
            "the run's entities, or give the folder that holds it as root or derivatives."
        )
    return [getattr(one, name) for one in runs]


def _mask(runs: Sequence[BidsRun], mask: Any) -> Any:
    if not isinstance(mask, str) or mask not in WHICH_MASK:
        return mask
    found = [one.mask for one in runs if one.mask is not None]
    return found if mask == "brain" and found else None


def _reference(runs: Sequence[BidsRun]) -> float:
    """Give the moment of a scan that its images were brought to, in shares of the whole."""
    found = set()
    for one in runs:
        start, tr = (seconds_of(one.first, key) for key in ("StartTime", "RepetitionTime"))
        found.add(0.0 if not start or not tr else round(start / tr, 4))
    if len(found) > 1:
        raise DataError(f"Runs state unlike moments of their scans: {listing(map(str, found))}.")
    return found.pop()
