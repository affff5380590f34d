"""The distances that an RDM can be made of, from one labelled recording each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.noise_precision import noise_covariance
from neuroai.numerics.poisson_kl import poisson_kl

DISTANCES = ("correlation", "squared-euclidean", "mahalanobis", "crossnobis", "poisson-kl")
WHITENED = ("mahalanobis", "crossnobis")
RUN = "run"
# A full covariance of more units takes gigabytes and hangs on its shrinkage alone.
MOST_UNITS = 4096


@dataclass(frozen=True)
class Matrix:
    """An RDM of one recording.

    Attributes
    ----------
    ids : tuple of str
        Stimuli, sorted.
    values : array, shape (n_stimuli, n_stimuli)
        Dissimilarities.
    notes : tuple of str
        What a reader must know of the noise.
    """

    ids: tuple[str, ...]
    values: np.ndarray
    notes: tuple[str, ...] = ()


def dissimilarities(recording: xr.DataArray, distance: str) -> Matrix | NotMeasurable:
    """Compute the RDM of a recording whose units are all usable.

    Times are further elements of the pattern: the geometry of the whole response.
    """
    if distance in WHITENED and recording.attrs["kind"] == "brain":
        return _whitened(recording, distance)
    names, means, _ = stimulus_patterns(recording)
    ids, patterns = tuple(str(key) for key in names), means.reshape(len(means), -1)
    if distance == "correlation":
        return Matrix(ids, np.asarray(correlation_distance(patterns)))
    if distance == "poisson-kl":
        if (patterns < 0).any():
            return NotMeasurable(
                f"{recording.attrs['region']} holds values below 0, which are no rates of spikes"
            )
        return Matrix(ids, poisson_kl(patterns))
    notes = ("it repeats itself, so that there is no noise to whiten",)
    exact = np.asarray(squared_euclidean(patterns))
    return Matrix(ids, exact, notes if distance in WHITENED else ())


def _whitened(recording: xr.DataArray, distance: str) -> Matrix | NotMeasurable:
    shown = recording[STIMULUS_ID].values.astype(str)
    values = recording.values.reshape(len(shown), -1).astype(np.float64)
    runs = recording[RUN].values.astype(str) if RUN in recording.coords else None
    reason = _why_not(recording, shown, runs, distance)
    if reason:
        return NotMeasurable(reason)
    values, notes = _white(values, shown, runs)
    if distance == "crossnobis":
        found, names = crossnobis(values, shown, runs)
        return Matrix(tuple(map(str, names)), found, notes)
    names, means, _ = stimulus_patterns(
        xr.DataArray(values, dims=("presentation", "unit"), coords={
            STIMULUS_ID: ("presentation", shown)})
    )  # fmt: skip
    return Matrix(tuple(map(str, names)), np.asarray(squared_euclidean(means)), notes)


def _why_not(
    recording: xr.DataArray, shown: np.ndarray, runs: np.ndarray | None, distance: str
) -> str:
    where = recording.attrs["region"]
    if "n_repeats" in recording.coords and bool((recording["n_repeats"] > 1).any()):
        return f"{where} holds means over showings, whose noise is not known"
    if distance == "crossnobis" and (runs is None or len(set(runs)) < 2):
        return f"crossnobis needs two runs or more (the column '{RUN}'); {where} has none"
    n_runs = 1 if runs is None else len(set(runs))
    if len(shown) - len(set(shown)) - (n_runs - 1) < 2:
        return f"{distance} needs stimuli that were shown more than once; those of {where} were not"
    return ""


def _white(
    values: np.ndarray, shown: np.ndarray, runs: np.ndarray | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Whiten units by the scatter of showings about the means of stimuli and runs."""
    residuals, dof = _residuals(values, shown, runs)
    varies = (residuals**2).sum(axis=0) > 1e-20 * (values**2).sum(axis=0)
    notes = []
    if not varies.all():
        notes.append(f"{int((~varies).sum())} units without noise left out of the distance")
    values, residuals = values[:, varies], residuals[:, varies]
    if values.shape[1] > MOST_UNITS:
        notes.append(f"{values.shape[1]} units: whitened by their variances, not covariances")
        return values / np.sqrt((residuals**2).sum(axis=0) / dof), tuple(notes)
    noise = noise_covariance(residuals, dof=dof)
    notes.append(f"noise from {dof} degrees of freedom, shrinkage {noise.shrinkage:.2f}")
    return noise.whiten(values), tuple(notes)


def _residuals(
    values: np.ndarray, shown: np.ndarray, runs: np.ndarray | None
) -> tuple[np.ndarray, int]:
    """Take out stimuli and runs by least squares; give what is left and its degrees of freedom."""
    factors = [shown] if runs is None or len(set(runs)) == 1 else [shown, runs]
    columns = []
    for factor in factors:
        levels, place = np.unique(factor, return_inverse=True)
        hot = (place[:, None] == np.arange(len(levels))).astype(float)
        columns.append(hot if not columns else hot[:, 1:])
    design = np.hstack(columns)
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    return values - design @ fitted, len(values) - int(rank)
