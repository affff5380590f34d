"""Spike times into counts around onsets, for any bins and all trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError

MEASURES = {"counts": "spikes", "rates": "spikes/s"}
# Windows divided by bins miss whole numbers by rounding alone.
WHOLE = 1e-6
# The edge of a window is searched a little wider than it is, then every spike is put in its bin
# by its time since the onset.
SLACK = 1e-6


def bin_edges(window: tuple[float, float], *, bin_width: float | None = None) -> np.ndarray:
    """Give the edges of equal bins over a window.

    Parameters
    ----------
    window : tuple of float
        Start and end around the onset, in seconds.
    bin_width : float, optional
        Width in seconds; a whole number of bins must fill the window. By default one bin.

    Returns
    -------
    array, shape (n_bins + 1,)
        Seconds.

    Raises
    ------
    UsageError
        The window is empty, or no whole number of bins fills it.

    Examples
    --------
    >>> bin_edges((-0.1, 0.2), bin_width=0.1)
    array([-0.1,  0. ,  0.1,  0.2])
    """
    start, end = float(window[0]), float(window[1])
    if not (np.isfinite([start, end]).all() and start < end):
        raise UsageError(f"window is (start, end) in seconds with start < end; got {window}.")
    if bin_width is None:
        return np.array([start, end])
    if not bin_width > 0:
        raise UsageError(f"bin_width must be more than 0 s; got {bin_width}.")
    number = (end - start) / bin_width
    if abs(number - round(number)) > WHOLE * max(1.0, number) or round(number) < 1:
        raise UsageError(
            f"bin_width {bin_width} s does not divide the window of {end - start:.6g} s: that is "
            f"{number:.6g} bins. Change one of them."
        )
    # Rounded, so that an edge meant to be 0.3 is the number that 0.3 is written as.
    return np.round(start + np.arange(round(number) + 1) * bin_width, 12)


def bin_spikes(
    spike_times: Sequence[np.ndarray], trial_starts: np.ndarray, *, edges: np.ndarray
) -> np.ndarray:
    """Count spikes in bins around every onset.

    ``counts[i, j, k] = #{s in spike_times[j] : edges[k] <= s - trial_starts[i] < edges[k + 1]}``

    Each unit takes one binary search over all onsets and one count over all trials and bins;
    windows may overlap.

    Parameters
    ----------
    spike_times : sequence of array, one a unit
        Seconds, sorted.
    trial_starts : array, shape (n_trials,)
        Onsets in seconds, in any order, on the clock of the spikes.
    edges : array, shape (n_bins + 1,)
        Increasing, in seconds since the onset.

    Returns
    -------
    array, shape (n_trials, n_units, n_bins), float32
        Counts from 0.

    Raises
    ------
    DataError
        Spike times are not sorted or not finite, or an onset is not finite.
    UsageError
        The edges do not increase.

    Examples
    --------
    >>> times = np.array([0.05, 1.05, 1.15, 2.0])
    >>> bin_spikes([times], np.array([0.0, 1.0]), edges=np.array([0.0, 0.1, 0.2])).tolist()
    [[[1.0, 0.0]], [[1.0, 1.0]]]
    """
    starts = np.asarray(trial_starts, dtype=np.float64)
    edges = np.asarray(edges, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise UsageError("edges are at least two increasing times in seconds.")
    if starts.ndim != 1 or not np.isfinite(starts).all():
        raise DataError("Onsets are one finite time a trial. Drop the trials without one.")
    counts = np.empty((len(starts), len(spike_times), len(edges) - 1), dtype=np.float32)
    for unit, times in enumerate(spike_times):
        counts[:, unit] = _one_unit(_sorted(times, unit), starts, edges)
    return counts


def _sorted(times: np.ndarray, unit: int) -> np.ndarray:
    times = np.asarray(times, dtype=np.float64)
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise DataError(
            f"The spike times of unit {unit} are not finite and sorted. Sort them, and drop what "
            "is no time."
        )
    return times


def _one_unit(times: np.ndarray, starts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count over (trial, bin), visiting each spike once for every window it lies in."""
    n_trials, n_bins = len(starts), len(edges) - 1
    low = np.searchsorted(times, starts + (edges[0] - SLACK))
    high = np.searchsorted(times, starts + (edges[-1] + SLACK))
    spikes = high - low
    trial = np.repeat(np.arange(n_trials), spikes)
    before = np.repeat(low - (np.cumsum(spikes) - spikes), spikes)
    since = times[np.arange(len(trial)) + before] - starts[trial]
    bins = _bins(since, edges)
    inside = (bins >= 0) & (bins < n_bins)
    flat = np.bincount(trial[inside] * n_bins + bins[inside], minlength=n_trials * n_bins)
    return flat.reshape(n_trials, n_bins)


def _bins(since: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Number the bin of every time; -1 before the first, n_bins after the last."""
    widths = np.diff(edges)
    if np.ptp(widths) > WHOLE * widths[0]:
        return np.searchsorted(edges, since, side="right") - 1
    # Equal bins are divided out, which is within one of the bin that the edges say.
    guess = ((since - edges[0]) * (len(widths) / (edges[-1] - edges[0]))).astype(np.int64)
    np.clip(guess, 0, len(widths) - 1, out=guess)
    guess -= since < edges[guess]
    guess += since >= edges[guess + 1]
    return guess


def bin_rasters(
    raster: np.ndarray,
    *,
    zero: int,
    window: tuple[float, float],
    bin_width: float | None = None,
    sample: float = 0.001,
) -> np.ndarray:
    """Count spikes in bins of a raster that has one column a sample.

    Parameters
    ----------
    raster : array, shape (..., n_samples)
        Spikes in each sample.
    zero : int
        Column of the onset, counted from 0.
    window, bin_width
        As `bin_edges`.
    sample : float
        Width of a column in seconds.

    Returns
    -------
    array, shape (..., n_bins), float32

    Raises
    ------
    DataError
        The window is not within the raster.
    UsageError
        An edge falls between two samples.

    Examples
    --------
    >>> bin_rasters(np.array([1, 0, 1, 1]), zero=2, window=(-0.002, 0.002), bin_width=0.002)
    array([1., 2.], dtype=float32)
    """
    edges = bin_edges(window, bin_width=bin_width)
    columns = zero + edges / sample
    whole = np.round(columns).astype(int)
    if np.abs(columns - whole).max() > WHOLE * len(columns) * 100:
        raise UsageError(f"The edges of the bins must fall on samples of {sample} s.")
    n_samples = raster.shape[-1]
    if whole[0] < 0 or whole[-1] > n_samples:
        first, last = -zero * sample, (n_samples - zero) * sample
        raise DataError(
            f"The raster runs from {first:.4g} to {last:.4g} s; the window "
            f"{tuple(window)} is not within it."
        )
    cut = raster[..., whole[0] : whole[-1]].astype(np.float32, copy=False)
    return np.add.reduceat(cut, whole[:-1] - whole[0], axis=-1, dtype=np.float32)


def as_measure(counts: np.ndarray, *, measure: str, edges: np.ndarray) -> np.ndarray:
    """Give counts as they are, or divided by the width of their bin (spikes a second).

    Examples
    --------
    >>> as_measure(np.array([[2.0]]), measure="rates", edges=np.array([0.0, 0.1])).tolist()
    [[20.0]]
    """
    one_of(measure, tuple(MEASURES), option="measure")
    if measure == "counts":
        return counts
    return (counts / np.diff(edges)).astype(counts.dtype)


def with_time(values: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Drop the axis of bins if there is one bin, else give its centres.

    Returns
    -------
    tuple
        The values, and the centres in seconds or None.

    Examples
    --------
    >>> with_time(np.zeros((2, 3, 1)), np.array([0.0, 1.0]))[0].shape
    (2, 3)
    """
    if values.shape[-1] == 1:
        return values[..., 0], None
    return values, np.round((edges[:-1] + edges[1:]) / 2, 12)
