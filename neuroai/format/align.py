"""Alignment by id: never by position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from neuroai.checks import listing, no_duplicates, one_of
from neuroai.errors import AlignmentError, DataError
from neuroai.format.answers import Answer
from neuroai.format.schema import PRESENTATION, STIMULUS, STIMULUS_ID

STIMULI = ("same", "shared")


def common_stimuli(
    a: Iterable[str],
    b: Iterable[str],
    *,
    stimuli: str = "same",
    names: tuple[str, str] = ("a", "b"),
) -> tuple[str, ...]:
    """Give the ids on which two sides are compared, sorted.

    Parameters
    ----------
    a, b : iterable of str
        Ids of either side, unique.
    stimuli : {"same", "shared"}
        ``same`` demands equal sets; ``shared`` keeps the intersection (the caller counts what it
        drops).
    names : tuple of str
        What to call the sides in a message.

    Raises
    ------
    AlignmentError
        Ids are duplicated, differ (with ``same``) or have nothing in common; it names them.

    Examples
    --------
    >>> common_stimuli(["b", "a"], ["c", "a"], stimuli="shared")
    ('a',)
    """
    one_of(stimuli, STIMULI, option="stimuli")
    left, right = list(a), list(b)
    no_duplicates(left, where=names[0])
    no_duplicates(right, where=names[1])
    only_left = sorted(set(left) - set(right))
    only_right = sorted(set(right) - set(left))
    if stimuli == "same" and (only_left or only_right):
        parts = [
            f"{len(ids)} only in {name}: {listing(ids)}"
            for ids, name in ((only_left, names[0]), (only_right, names[1]))
            if ids
        ]
        raise AlignmentError(
            f"Stimulus ids differ ({'; '.join(parts)}). Both sides need the same stimuli; "
            'stimuli="shared" keeps the common ones and records what was dropped.'
        )
    shared = sorted(set(left) & set(right))
    if not shared:
        raise AlignmentError(f"{names[0]} and {names[1]} have no stimulus in common.")
    return tuple(shared)


def align(a: Answer, b: Answer, *, stimuli: str = "same") -> tuple[Answer, Answer, int]:
    """Bring two answers to the same stimuli in the same order.

    Parameters
    ----------
    a, b : Answer
        Of forms with stimuli.
    stimuli : {"same", "shared"}
        See `common_stimuli`.

    Returns
    -------
    tuple
        Both answers restricted to the common ids, and how many ids were dropped.

    Raises
    ------
    AlignmentError
        The ids differ, and dropping was not asked for.
    """
    names = (_side(a), _side(b))
    shared = common_stimuli(a.stimuli, b.stimuli, stimuli=stimuli, names=names)
    dropped = len(set(a.stimuli) | set(b.stimuli)) - len(shared)
    left, right = a.restrict(stimuli=shared), b.restrict(stimuli=shared)
    if STIMULUS in left.data.dims and STIMULUS in right.data.dims:
        xr.align(left.data[STIMULUS], right.data[STIMULUS], join="exact")
    return left, right, dropped


def _side(answer: Answer) -> str:
    return f"{answer.kind} '{answer.system}'"


def stimulus_means(
    recording: xr.DataArray, *, stimuli: Sequence[str] | None = None
) -> xr.DataArray:
    """Average the showings of each stimulus: (presentation, unit) to (stimulus, unit).

    .. math:: \\bar a_s = \\frac{1}{n_s} \\sum_{i: s(i) = s} a_i

    Parameters
    ----------
    recording : xarray.DataArray
        A recording; showings that are averages already carry ``n_repeats`` and count as often.
    stimuli : sequence of str, optional
        Ids to keep; every one must have been shown.

    Returns
    -------
    xarray.DataArray
        Dims ``stimulus, unit[, time]``, sorted by id, with ``n_repeats(stimulus)``. A showing
        that is NaN in a unit leaves that unit NaN for the stimulus: nothing is skipped in silence.

    Raises
    ------
    AlignmentError
        A stimulus asked for was never shown.
    """
    ids, means, counts = stimulus_patterns(recording, stimuli=stimuli)
    labelled = xr.DataArray(
        means, dims=(STIMULUS, *recording.dims[1:]), attrs=dict(recording.attrs)
    )
    # Assigned afterwards, since the constructor copies every label one by one.
    kept = {n: c.variable for n, c in recording.coords.items() if PRESENTATION not in c.dims}
    return labelled.assign_coords(kept).assign_coords(
        {STIMULUS: ids, "n_repeats": (STIMULUS, counts)}
    )


def stimulus_patterns(
    recording: xr.DataArray, *, stimuli: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average the showings of each stimulus, as plain arrays.

    Parameters
    ----------
    recording, stimuli
        As for `stimulus_means`.

    Returns
    -------
    tuple
        Sorted ids (n_stimuli,), means (n_stimuli, n_units[, n_times]), showings (n_stimuli,).
        Averages are float64; where every stimulus was shown once the values keep their type.

    Raises
    ------
    AlignmentError
        A stimulus asked for was never shown, or is asked for twice.
    """
    shown = recording[STIMULUS_ID].values.astype(str)
    ids, inverse = np.unique(shown, return_inverse=True)
    weights = _showings(recording)
    keep = _positions(ids, stimuli)
    counts = np.bincount(inverse, weights=weights, minlength=len(ids))
    values = recording.values
    if len(ids) == len(shown) and (weights == 1).all():
        order = np.argsort(inverse)[keep]
        in_place = len(order) == len(shown) and (order == np.arange(len(shown))).all()
        means = values if in_place else values[order]
    else:
        means = _weighted_means(values, inverse, weights)[keep]
    return ids[keep].astype(object), means, counts[keep]


def _weighted_means(values: np.ndarray, groups: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average the rows of every group, one showing of each group at a time."""
    # A product with a membership matrix would spread the NaN of one stimulus to all others.
    # Running means leave a unit that never varies exactly constant, and float64 sums do not hang
    # on the order of the showings as float32 sums do.
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    showing = np.empty(len(groups), dtype=int)
    showing[order] = np.arange(len(groups)) - starts[groups[order]]
    means = np.zeros((len(starts), *values.shape[1:]))
    so_far = np.zeros(len(starts))
    for number in range(showing.max() + 1):
        rows = np.flatnonzero(showing == number)
        here = groups[rows]
        so_far[here] += weights[rows]
        share = (weights[rows] / so_far[here]).reshape(-1, *[1] * (values.ndim - 1))
        with np.errstate(invalid="ignore"):  # infinite minus infinite is NaN: undefined
            means[here] += share * (values[rows] - means[here])
    return means


def _showings(recording: xr.DataArray) -> np.ndarray:
    if "n_repeats" not in recording.coords:
        return np.ones(recording.sizes[PRESENTATION])
    counts = recording["n_repeats"].values.astype(float)
    if not (counts > 0).all():
        raise DataError("n_repeats must be positive for every presentation.")
    return counts


def _positions(ids: np.ndarray, stimuli: Sequence[str] | None) -> np.ndarray:
    if stimuli is None:
        return np.arange(len(ids))
    no_duplicates(stimuli, where="the stimuli asked for")
    where = {key: position for position, key in enumerate(ids)}
    absent = [key for key in stimuli if key not in where]
    if absent:
        raise AlignmentError(
            f"{len(absent)} stimuli were never shown: {listing(absent)}. "
            "Ask only for stimuli of the recording."
        )
    return np.array([where[key] for key in sorted(stimuli)], dtype=int)
