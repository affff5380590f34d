"""Cross-validated distances: unbiased by noise, since two factors of each come from other runs."""

from __future__ import annotations

import numpy as np

from neuroai.errors import DataError, UsageError

# Below this share of cells it is less work to multiply those that were met than to correct for
# those that were not.
MOSTLY_MET = 2 / 3


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
        distances = _of_cells(x, run * len(names) + condition, (len(labels), len(names)))
    return distances / x.shape[1], names


def _of_cells(x: np.ndarray, place: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Average the showings of each cell (run, condition), and choose how to sum over the cells."""
    counts = np.bincount(place, minlength=shape[0] * shape[1])
    met = counts.reshape(shape) > 0
    few_missing = MOSTLY_MET <= met.mean() < 1
    # Put in their places anyway, single showings need no averages.
    means, cells = (x, place) if few_missing and counts.max() == 1 else _cells(x, place, counts)
    if met.all():
        return _one_each(means, cells.reshape(met.shape))
    return (_few_missing if few_missing else _missing)(means, cells, met)


def _cells(x: np.ndarray, place: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average the showings of each cell (run and condition); give means and their cells, in order.

    Means are those of the cells that were met, (n_met, n_units).
    """
    order = np.argsort(place, kind="stable")
    means, met = x[order], np.flatnonzero(counts)
    if counts.max() > 1:
        starts = np.concatenate([[0], np.cumsum(counts[met])[:-1]])
        means = np.add.reduceat(means.astype(np.float64), starts, axis=0)
        means /= counts[met][:, None]
    return means, met


def _require_finite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise DataError("Patterns hold values that are not finite. Leave these units out.")


def _one_each(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Sum over pairs of runs in closed form: the Gram matrix of the sum less those of the runs.

    `places` (n_runs, n_conditions) are the rows of each run's conditions, met once each.
    """
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


def _few_missing(x: np.ndarray, places: np.ndarray, met: np.ndarray) -> np.ndarray:
    r"""Sum over all runs in closed form, and take out what was not met in both conditions.

    With :math:`x_{if}` 0 where condition i was not met in run f, and :math:`u_{ij}` the sum of
    :math:`x_{if}` over the runs in which j was met, the sum of each pair of conditions is

    .. math:: \sum_{f \ne g} m_{jf} m_{jg} x_{if}^\top x_{ig} + m_{if} m_{ig} x_{jf}^\top x_{jg}
              - 2 \left( u_{ij}^\top u_{ji} - \sum_f x_{if}^\top x_{jf} \right)

    where :math:`u_{ij} = \sum_f x_{if}` less what j missed: products of missing cells alone.
    """
    n_runs, n = met.shape
    dense = np.zeros((n, n_runs, x.shape[1]), x.dtype)
    run, condition = np.divmod(places, n)
    dense[condition, run] = x
    # A constant of each run drops out of every difference; products then keep their digits.
    dense -= dense.sum(axis=0) / met.sum(axis=1)[:, None].astype(x.dtype)
    dense[~met.T] = 0
    flat, total = dense.reshape(n, -1), dense.sum(axis=1)
    if not np.isfinite(total.sum()):
        _require_finite(dense)
    own = np.matmul(dense, dense.transpose(0, 2, 1)).astype(np.float64)
    own[:, np.arange(n_runs), np.arange(n_runs)] = 0
    known = met.T.astype(np.float64)
    own = own.reshape(n, -1) @ (known[:, :, None] * known[:, None, :]).reshape(n, -1).T
    whole, same = (part.astype(np.float64) for part in (total @ total.T, flat @ flat.T))
    cross = whole - same - _not_met(dense, total, met)
    return _over_pairs(own + own.T - 2 * cross, known)


def _not_met(dense: np.ndarray, total: np.ndarray, met: np.ndarray) -> np.ndarray:
    """Give what the products of the sums of two conditions hold of runs that one of them missed."""
    once, twice = np.zeros((len(dense),) * 2), np.zeros((len(dense),) * 2)
    missed = [np.flatnonzero(~one) for one in met]
    for g, those in enumerate(missed):
        once[those] += total[those] @ dense[:, g].T
        for f, others in enumerate(missed[:g]):
            twice[np.ix_(those, others)] += dense[those, f] @ dense[others, g].T
    return once + once.T - twice - twice.T


def _missing(means: np.ndarray, cells: np.ndarray, met: np.ndarray) -> np.ndarray:
    r"""Sum over the pairs of runs in which both conditions were met, one run with all later ones.

    With m_{if} 1 where condition i was met in run f and G the products of cells, 0 where one of
    the two was not met, the sum of each pair of conditions is

    .. math:: 2 \sum_{f < g} m_{jf} m_{jg} G_{if,ig} + m_{if} m_{ig} G_{jf,jg}
              - m_{jf} m_{ig} G_{if,jg} - m_{jg} m_{if} G_{jf,ig}
    """
    n_runs, n = met.shape
    edges = np.concatenate([[0], np.cumsum(met.sum(axis=1))])
    # A constant of each run drops out of every difference; products then keep their digits.
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        means[start:stop] -= means[start:stop].mean(axis=0)
    if not np.isfinite(means.sum()):
        _require_finite(means)
    met = met.astype(np.float64)
    own, cross = np.zeros((n, n)), np.zeros((n, n))
    for f in range(n_runs - 1):
        here, later = slice(edges[f], edges[f + 1]), slice(edges[f + 1], None)
        products = np.zeros((n, (n_runs - f - 1) * n))
        columns = cells[later] - (f + 1) * n
        products[np.ix_(cells[here] - f * n, columns)] = means[here] @ means[later].T
        products = products.reshape(n, -1, n)
        own += np.einsum("igi,gj->ij", products, met[f + 1 :] * met[f])
        cross += np.einsum("igj,gi->ij", products, met[f + 1 :]) * met[f]
    return _over_pairs(2 * (own + own.T - cross - cross.T), met.T)


def _over_pairs(total: np.ndarray, met: np.ndarray) -> np.ndarray:
    """Divide by the ordered pairs of runs in which both were met; `met` (n, n_runs)."""
    together = met @ met.T
    pairs = together * (together - 1)
    found = np.divide(total, pairs, out=np.full(total.shape, np.nan), where=pairs > 0)
    np.fill_diagonal(found, np.where(np.diagonal(together) > 1, 0.0, np.nan))
    return found


def _distances(gram: np.ndarray) -> np.ndarray:
    own = np.diag(gram).astype(np.float64)
    found = own[:, None] + own - gram - gram.T
    np.fill_diagonal(found, 0)
    return found
