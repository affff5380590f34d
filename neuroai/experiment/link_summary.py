"""Relations over lesions, summarised over subjects or over splits that share stimuli."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import stats

# Fewer subjects give no interval over subjects.
FEWEST_SUBJECTS = 3


def summarise_relations(each: np.ndarray, names: Sequence[str]) -> xr.Dataset:
    """Summarise relations over the unit of inference.

    Parameters
    ----------
    each : array, shape (n_subjects, n_splits, n_relations)
        NaN where undefined.
    names : sequence of str
        Names of the relations.

    Returns
    -------
    xarray.Dataset
        As `neuroai.experiment.link.Linked.summary`.

    References
    ----------
    Nadeau & Bengio 2003, doi:10.1023/A:1024068626366

    Examples
    --------
    >>> found = summarise_relations(np.array([[[0.1], [0.3]]]), ["partial"])
    >>> float(found["mean"].item()), found.attrs["unit"]
    (0.2, 'subject x split')
    """
    by_subject = [_defined_means(values) for values in np.moveaxis(each, 2, 0)]
    rows = []
    for means, values in zip(by_subject, np.moveaxis(each, 2, 0), strict=True):
        some = means[np.isfinite(means)]
        mean = float(some.mean()) if len(some) else float("nan")
        if len(some) >= FEWEST_SUBJECTS:
            error, freedom = float(stats.sem(some)), len(some) - 1
        else:
            error, freedom = _split_error(values)
        wide = float(stats.t.ppf(0.975, freedom) * error) if freedom > 0 else float("nan")
        p = float(2 * stats.t.sf(abs(mean) / error, freedom)) if error > 0 else float("nan")
        rows.append((mean, mean - wide, mean + wide, p, len(some)))
    columns = ("mean", "ci_low", "ci_high", "p", "n_subjects")
    data = {column: ("relation", [row[i] for row in rows]) for i, column in enumerate(columns)}
    unit = "subject" if len(each) >= FEWEST_SUBJECTS else "subject x split"
    return xr.Dataset(data, coords={"relation": list(names)}, attrs={"unit": unit})


def _defined_means(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    total, n = np.where(known, values, 0).sum(axis=1), known.sum(axis=1)
    return np.divide(total, n, out=np.full(len(total), np.nan), where=n > 0)


def _split_error(values: np.ndarray) -> tuple[float, int]:
    """Give the standard error of the mean over splits (subject, split) that share stimuli."""
    errors, freedom = [], 0
    for row in values:
        known = row[np.isfinite(row)]
        if len(known) > 1:
            errors.append(known.var(ddof=1) * (1 / len(known) + 1))
            freedom += len(known) - 1
    return (float(np.sqrt(np.sum(errors)) / len(errors)), freedom) if errors else (float("nan"), 0)
