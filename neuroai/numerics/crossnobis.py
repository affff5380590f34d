"""Cross-validated distances: unbiased by noise, since two factors of each come from other runs."""

from __future__ import annotations

import numpy as np

from neuroai.errors import DataError, UsageError


def crossnobis(
    patterns: np.ndarray, conditions: np.ndarray, runs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Estimate squared distances of conditions from products of different runs alone.

    .. math:: d_{ij} = \frac{1}{F (F - 1) p} \sum_{f \ne g}
              (\bar x_{if} - \bar x_{jf})^\top (\bar x_{ig} - \bar x_{jg})

    over the F runs in which both conditions were met, with the mean over a run's showings. What a
    run adds to all its patterns drops out, and noise that is independent from run to run adds
    nothing on average: the estimate of a distance of 0 is 0, and single estimates may be negative.
    Patterns whitened by their noise give the crossnobis distance.

    Parameters
    ----------
    patterns : array, shape (n_showings, n_units)
        Activity, whitened as a rule, finite.
    conditions, runs : array, shape (n_showings,)
        Condition and run of each showing.

    Returns
    -------
    distances : array, shape (n_conditions, n_conditions)
        In the squared unit of the patterns, a unit; conditions sorted; NaN where a pair was met
        together in fewer than two runs.
    names : array, shape (n_conditions,)
        The conditions.

    Raises
    ------
    UsageError
        Labels that do not fit, or a single run.
    DataError
        Values that are not finite.

    References
    ----------
    Walther et al., 2016, NeuroImage 137, 188, doi:10.1016/j.neuroimage.2015.12.012; Schütt et
    al., 2023, doi:10.7554/eLife.82566

    Examples
    --------
    >>> x = np.array([[0.0], [2.0], [1.0], [2.0]])
    >>> crossnobis(x, np.array(["a", "b", "a", "b"]), np.array([1, 1, 2, 2]))[0]
    array([[0., 2.],
           [2., 0.]])
    """
    x = np.asarray(patterns, dtype=np.float64 if patterns.dtype != np.float32 else np.float32)
    names, condition = np.unique(np.asarray(conditions), return_inverse=True)
    labels, run = np.unique(np.asarray(runs), return_inverse=True)
    if x.ndim != 2 or condition.shape != (len(x),) or run.shape != (len(x),):
        raise UsageError(
            "Patterns (n_showings, n_units) with a condition and a run for each showing are "
            f"wanted; got {x.shape}, {condition.shape} and {run.shape}."
        )
    if len(labels) < 2:
        raise UsageError("Cross-validated distances need two runs or more; there is one.")
    if len(x) == len(names) * len(labels) == len(np.unique(run * len(names) + condition)):
        distances = _one_each(x, np.lexsort((condition, run)).reshape(len(labels), -1))
    else:
        _require_finite(x)
        cells, met = _cells(x, condition, run, len(names), len(labels))
        distances = _complete(cells) if met.all() else _incomplete(cells, met)
    return distances / x.shape[1], names


def _cells(
    x: np.ndarray, condition: np.ndarray, run: np.ndarray, n_conditions: int, n_runs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Average showings to (n_runs, n_conditions, n_units), each run about its own mean."""
    counts = np.zeros((n_runs, n_conditions))
    np.add.at(counts, (run, condition), 1)
    if counts.max() == 1:
        cells = np.zeros((n_runs, n_conditions, x.shape[1]), x.dtype)
        cells[run, condition] = x
    else:
        cells = np.zeros((n_runs, n_conditions, x.shape[1]), np.float64)
        np.add.at(cells, (run, condition), x)
        cells /= np.maximum(counts, 1)[..., None]
    met = counts > 0
    # A constant of each run drops out of every difference; products then keep their digits.
    cells -= cells.sum(axis=1, keepdims=True) / np.maximum(met.sum(axis=1), 1)[:, None, None]
    return cells, met


def _require_finite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise DataError("Patterns hold values that are not finite. Leave these units out.")


def _one_each(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Do as `_complete` where each run shows each condition once, without a copy of all runs."""
    total = np.zeros((places.shape[1], x.shape[1]), x.dtype)
    own = np.zeros((places.shape[1],) * 2)
    work = np.empty_like(total)
    for of_run in places:
        first = of_run[0]
        in_order = (np.diff(of_run) == 1).all()
        one = x[first : first + len(of_run)] if in_order else x[of_run]
        # What is not finite is told below, from squares that are there anyway.
        with np.errstate(invalid="ignore", over="ignore"):
            np.subtract(one, one.mean(axis=0), out=work)
            total += work
            own += work @ work.T
    _require_finite(np.diagonal(own))
    return _distances(total @ total.T - own) / (len(places) * (len(places) - 1))


def _complete(cells: np.ndarray) -> np.ndarray:
    """Sum over pairs of runs in closed form: the Gram matrix of the sum less those of the runs."""
    n_runs = len(cells)
    total = cells.sum(axis=0)
    gram = (total @ total.T).astype(np.float64)
    for one in cells:
        gram -= one @ one.T
    return _distances(gram) / (n_runs * (n_runs - 1))


def _incomplete(cells: np.ndarray, met: np.ndarray) -> np.ndarray:
    """Sum over the pairs of runs in which both conditions were met, pair by pair."""
    n = met.shape[1]
    total, pairs = np.zeros((n, n)), np.zeros((n, n))
    both = [np.outer(here, here) for here in met]
    for f, one in enumerate(cells):
        for g in range(f + 1, len(cells)):
            shared = both[f] & both[g]
            total += 2 * np.where(shared, _distances(one @ cells[g].T), 0)
            pairs += 2 * shared
    found = np.divide(total, pairs, out=np.full((n, n), np.nan), where=pairs > 0)
    np.fill_diagonal(found, np.where(met.sum(axis=0) > 1, 0.0, np.nan))
    return found


def _distances(gram: np.ndarray) -> np.ndarray:
    own = np.diag(gram).astype(np.float64)
    found = own[:, None] + own - gram - gram.T
    np.fill_diagonal(found, 0)
    return found
