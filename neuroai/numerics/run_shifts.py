"""Orders in which series are moved in time against each other, run by run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.errors import DataError, UsageError


def run_shifts(runs: Sequence[str], *, n_shifts: int, rng: np.random.Generator) -> np.ndarray:
    r"""Turn the rows of every run about a random place, so that what was together lies apart.

    .. math:: \pi(i) = (i + s) \bmod L, \qquad s \sim U\{0, \ldots, L - 1\}

    in a run of L rows, with a shift s of its own for every run. A series that is moved as a whole
    keeps how its samples hang together; samples that are relabelled one by one do not, and slow
    series then seem to be related. Small shifts are drawn as well, and none: what they give is like
    what was observed, and without them p would be too small, the more so the longer a series
    remembers. Where a run closes on itself its last row meets its first, which no series does: a
    run should be long against what series remember.

    Parameters
    ----------
    runs : sequence of str, length n_rows
        Run of each row; the rows of a run follow one another in time.
    n_shifts : int
        At least 1.
    rng : numpy.random.Generator
        Where the draws come from.

    Returns
    -------
    array of int, shape (n_shifts, n_rows)
        Every row of it holds 0 to ``n_rows - 1`` once, each within its run.

    Raises
    ------
    UsageError
        `n_shifts` is below 1.
    DataError
        The rows of a run are scattered.

    References
    ----------
    Harris 2020, Nonsense correlations in neuroscience, https://doi.org/10.1101/2020.11.29.402719;
    Hemerik & Goeman 2018, Exact testing with random permutations,
    https://doi.org/10.1007/s11749-017-0571-1

    Examples
    --------
    >>> orders = run_shifts(["a"] * 4 + ["b"] * 2, n_shifts=1, rng=np.random.default_rng(0))
    >>> orders.tolist()
    [[3, 0, 1, 2, 5, 4]]
    """
    labels = np.asarray(runs, dtype=str)
    if n_shifts < 1:
        raise UsageError(f"n_shifts must be at least 1; got {n_shifts}.")
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    if len(starts) > len(set(labels.tolist())):
        raise DataError("The rows of a run must follow one another; some come back later.")
    orders = np.empty((n_shifts, len(labels)), dtype=np.int64)
    for start, stop in zip(starts, np.r_[starts[1:], len(labels)], strict=True):
        length = int(stop - start)
        moved = rng.integers(length, size=(n_shifts, 1))
        orders[:, start:stop] = start + (np.arange(length) + moved) % length
    return orders
