"""What must hold of an fMRI run before anything is computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroai.checks import listing
from neuroai.errors import AlignmentError, DataError

SAME_PLACE = 1e-3  # mm; two affines of one grid agree to rounding in the header
LEAST_OVERLAP = 0.5  # of a mask's voxels must carry a signal that varies


@dataclass(frozen=True)
class SignalAudit:
    """Voxels of one run that cannot be used.

    Attributes
    ----------
    n_voxels : int
        How many were looked at.
    not_finite, constant : tuple of str
        Ids of voxels with NaN or infinite samples, and of voxels that never vary.
    """

    n_voxels: int
    not_finite: tuple[str, ...]
    constant: tuple[str, ...]


def audit_signal(values: np.ndarray, unit_id: np.ndarray) -> SignalAudit:
    """Count the voxels with NaN or infinite samples, and those that never vary.

    Parameters
    ----------
    values : array, shape (n_samples, n_voxels)
        Any unit.
    unit_id : array of str, shape (n_voxels,)
        Names of the voxels.

    Examples
    --------
    >>> import numpy as np
    >>> found = audit_signal(np.array([[1, 2, np.nan], [1, 3, 0]]), np.array(["a", "b", "c"]))
    >>> found.not_finite, found.constant
    (('c',), ('a',))
    """
    finite = np.isfinite(values).all(axis=0)
    varies = np.ptp(np.where(np.isfinite(values), values, 0), axis=0) > 0
    return SignalAudit(
        n_voxels=values.shape[1],
        not_finite=tuple(str(u) for u in unit_id[~finite]),
        constant=tuple(str(u) for u in unit_id[finite & ~varies]),
    )


def check_finite(audit: SignalAudit, *, where: str, undefined: str) -> None:
    """Raise a DataError that counts and names voxels with NaN, unless they are to be dropped."""
    if audit.not_finite and undefined == "raise":
        raise DataError(
            f"{len(audit.not_finite)} of {audit.n_voxels} voxels of {where} hold NaN or infinite "
            f"values: {listing(audit.not_finite)}. They are never taken as 0: correct the file, "
            "leave them out of the mask, or say undefined='drop'."
        )


def check_overlap(audit: SignalAudit, *, where: str) -> None:
    """Raise an AlignmentError if most voxels of the mask carry no signal."""
    share = 1 - len(audit.constant) / max(1, audit.n_voxels)
    if share < LEAST_OVERLAP:
        raise AlignmentError(
            f"Only {share:.0%} of the {audit.n_voxels} voxels of the mask carry a signal that "
            f"varies in {where}. The mask belongs to another image, or the brain lies elsewhere in "
            "the grid; give the mask of this image."
        )


def check_grid(image: Any, reference: Any, *, name: str, where: str) -> None:
    """Raise an AlignmentError if two images do not have one grid: shape, then affine.

    Parameters
    ----------
    image, reference : nibabel image
        The mask or atlas, and the image it is laid on.
    """
    if tuple(image.shape[:3]) != tuple(reference.shape[:3]):
        raise AlignmentError(
            f"The {name} has the grid {tuple(image.shape[:3])}, {where} has "
            f"{tuple(reference.shape[:3])}. Resample it to the image (nilearn.image."
            "resample_to_img, interpolation='nearest')."
        )
    apart = np.abs(_corners(image) - _corners(reference)).max()
    if apart > SAME_PLACE:
        raise AlignmentError(
            f"The {name} has the shape of {where} but lies up to {apart:.1f} mm away from it: "
            "their affines differ. Resample it to the image (nilearn.image.resample_to_img, "
            "interpolation='nearest')."
        )


def _corners(image: Any) -> np.ndarray:
    """Give the corners of the grid in mm."""
    ends = np.array([[0, n - 1] for n in image.shape[:3]])
    corners = np.array(np.meshgrid(*ends)).reshape(3, -1)
    return image.affine[:3, :3] @ corners + image.affine[:3, 3:]


def check_events(events: pd.DataFrame, *, n_scans: int, tr: float, where: str | Path) -> None:
    """Raise a DataError that names events outside the run, or entries that are no times.

    Parameters
    ----------
    events : pandas.DataFrame
        Columns ``onset`` and ``duration`` (s) and ``trial_type``.
    n_scans, tr : int, float
        Length of the run, and seconds from scan to scan.
    """
    if len(events) == 0:
        raise DataError(f"{where} holds no events.")
    times = events[["onset", "duration"]].to_numpy(dtype=np.float64)
    if not np.isfinite(times).all() or (times[:, 1] < 0).any():
        raise DataError(
            f"{where} holds onsets or durations that are missing or negative durations: "
            f"{listing(_named(events, ~(np.isfinite(times).all(axis=1) & (times[:, 1] >= 0))))}."
        )
    length = n_scans * tr
    outside = (times[:, 0] < 0) | (times[:, 0] >= length)
    if outside.any():
        hint = " Are they in milliseconds?" if np.median(times[:, 0]) > 10 * length else ""
        raise DataError(
            f"{int(outside.sum())} of {len(events)} onsets of {where} lie outside the run, which "
            f"lasts {length:g} s ({n_scans} scans of {tr:g} s): "
            f"{listing(_named(events, outside))}.{hint} Correct the events, the repetition time or "
            "the order of the runs."
        )


def _named(events: pd.DataFrame, rows: np.ndarray) -> list[str]:
    chosen = events[rows]
    return [
        f"{kind} at {onset:g} s"
        for kind, onset in zip(chosen["trial_type"], chosen["onset"], strict=True)
    ]
