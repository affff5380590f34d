"""Trajectories of conditions through state space: distance, speed, and when they part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.arrays import require_finite


def trajectory_distances(rows: Sequence[np.ndarray], *, noisy: bool = True) -> np.ndarray:
    r"""Give the squared distance between the mean paths of all pairs of conditions, at every time.

    The noise of the means is taken away, so that the expectation is 0 where nothing differs; this
    equals the mean product of differences over all pairs of different showings.

    .. math:: d_{ab}^2(t) = \frac{1}{p} \left[ \lVert \bar x_a - \bar x_b \rVert^2
              - \frac{\mathrm{tr}\, S_a}{n_a} - \frac{\mathrm{tr}\, S_b}{n_b} \right]

    Parameters
    ----------
    rows : sequence of arrays, shape (n_rows, n_units, n_times)
        Showings of each condition; at least two a condition where they are noisy.
    noisy : bool
        Whether showings scatter. Without noise (a network that repeats itself) the means are
        exact and nothing is taken away.

    Returns
    -------
    array, shape (n_conditions, n_conditions, n_times)
        Symmetric, a unit, in the squared unit of the activity; negative values are possible and
        kept; 0 on the diagonal.

    Raises
    ------
    UsageError
        Shapes differ, or a noisy condition has one showing.
    DataError
        Some entries are not finite.

    References
    ----------
    Walther et al. 2016, doi:10.1016/j.neuroimage.2015.12.012

    Examples
    --------
    >>> a, b = np.array([[[0.0]], [[2.0]]]), np.array([[[5.0]], [[7.0]]])
    >>> trajectory_distances([a, b])[0, 1].tolist()
    [23.0]
    """
    arrays = _checked(rows, least=2 if noisy else 1)
    means = np.stack([array.mean(0) for array in arrays])
    noise = np.stack([_noise(array) if noisy else np.zeros(array.shape[2]) for array in arrays])
    centred = np.ascontiguousarray((means - means.mean(0)).transpose(2, 0, 1))
    gram = centred @ centred.transpose(0, 2, 1)
    lengths = np.einsum("taa->ta", gram)
    squares = np.maximum(lengths[:, :, None] + lengths[:, None] - 2 * gram, 0)
    squares = squares.transpose(1, 2, 0) - noise[:, None] - noise[None]
    at = np.arange(len(arrays))
    squares[at, at] = 0.0
    return squares / means.shape[1]


def trajectory_speed(
    rows: Sequence[np.ndarray], times: np.ndarray, *, noisy: bool = True
) -> np.ndarray:
    r"""Give how fast the mean path of each condition moves from one time to the next.

    .. math:: v(t) = \pm \frac{1}{\Delta t} \left| \frac{1}{p} \left[ \lVert \bar x(t + \Delta t)
              - \bar x(t) \rVert^2 - \frac{\mathrm{tr}\, S_\Delta}{n} \right] \right|^{1/2}

    with the sign of the bracket, and the scatter of the steps of single showings taken away.

    Parameters
    ----------
    rows : sequence of arrays, shape (n_rows, n_units, n_times)
        Showings of each condition.
    times : array, shape (n_times,)
        Increasing.
    noisy : bool
        As in `trajectory_distances`.

    Returns
    -------
    array, shape (n_conditions, n_times - 1)
        Root mean square over units, in the unit of the activity by that of time; negative where
        noise exceeds what moves.

    Raises
    ------
    UsageError
        Shapes differ, times do not increase, or a noisy condition has one showing.

    Examples
    --------
    >>> trajectory_speed([np.array([[[0.0, 1.0, 3.0]]])], np.arange(3.0), noisy=False).tolist()
    [[1.0, 2.0]]
    """
    arrays, times = _checked(rows, least=2 if noisy else 1), np.asarray(times, dtype=np.float64)
    if len(times) != arrays[0].shape[2] or len(times) < 2 or (np.diff(times) <= 0).any():
        raise UsageError(
            f"times must increase, one for each of {arrays[0].shape[2]} columns; got {len(times)}."
        )
    found = []
    for array in arrays:
        steps = np.diff(array, axis=2)
        mean = steps.mean(0)
        squares = (mean**2).sum(0) - (_noise(steps) if noisy else 0.0)
        squares = squares / array.shape[1]
        found.append(np.sign(squares) * np.sqrt(np.abs(squares)) / np.diff(times))
    return np.stack(found)


def first_lasting(values: np.ndarray, *, threshold: np.ndarray | float, n_lasting: int) -> int:
    """Find the first time from which values stay above a threshold for some times.

    Parameters
    ----------
    values : array, shape (n_times,)
        Such as a distance.
    threshold : float or array, shape (n_times,)
        What they must exceed.
    n_lasting : int
        Times in a row, at least 1.

    Returns
    -------
    int
        Place of the first of them, or -1 where there are none.

    Examples
    --------
    >>> first_lasting(np.array([0.0, 2.0, 0.0, 2.0, 3.0]), threshold=1.0, n_lasting=2)
    3
    """
    above = np.asarray(values) > threshold
    if n_lasting < 1:
        raise UsageError(f"n_lasting must be at least 1; got {n_lasting}.")
    if len(above) < n_lasting:
        return -1
    runs = np.lib.stride_tricks.sliding_window_view(above, n_lasting).all(1)
    return int(runs.argmax()) if runs.any() else -1


def parting_threshold(
    a: np.ndarray,
    b: np.ndarray,
    *,
    n_permutations: int,
    rng: np.random.Generator,
    level: float = 0.05,
) -> float:
    r"""Give the distance that two conditions would exceed at any time by chance.

    Showings of both are dealt anew; the threshold is the quantile of the largest distance over
    time, so that one test covers all times.

    Parameters
    ----------
    a, b : array, shape (n_rows, n_units, n_times)
        Showings of two conditions, at least two each.
    n_permutations : int
        Deals, at least 1 / level - 1.
    rng : numpy.random.Generator
        Source of the deals.
    level : float
        Share of deals that exceed the threshold.

    Returns
    -------
    float
        In the unit of `trajectory_distances`.

    Raises
    ------
    UsageError
        There are too few permutations for the level.

    References
    ----------
    Nichols & Holmes 2002, doi:10.1002/hbm.1058

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((8, 3, 4))
    >>> limit = parting_threshold(x[:4], x[4:], n_permutations=19, rng=np.random.default_rng(1))
    >>> bool(limit > 0)
    True
    """
    if n_permutations < round(1 / level) - 1:
        raise UsageError(
            f"A level of {level:g} needs at least {round(1 / level) - 1} permutations; got "
            f"{n_permutations}."
        )
    both, n_first = np.concatenate([a, b]), len(a)
    largest = []
    for _ in range(n_permutations):
        dealt = both[rng.permutation(len(both))]
        largest.append(trajectory_distances([dealt[:n_first], dealt[n_first:]])[0, 1].max())
    # With the observed deal counted, at most a share `level` of all deals lies above.
    place = int(np.ceil((1 - level) * (n_permutations + 1))) - 1
    return float(np.sort(largest)[min(place, n_permutations - 1)])


def _noise(array: np.ndarray) -> np.ndarray:
    """Give the expected squared length of the error of the mean, at every time."""
    return array.var(0, ddof=1).sum(0) / len(array)


def _checked(rows: Sequence[np.ndarray], *, least: int) -> list[np.ndarray]:
    arrays = [np.asarray(array, dtype=np.float64) for array in rows]
    shapes = {array.shape[1:] if array.ndim == 3 else () for array in arrays}
    if len(shapes) != 1 or shapes == {()} or min(map(len, arrays)) < least:
        raise UsageError(
            f"Each condition needs rows x units x times of one shape, with at least {least} rows; "
            f"got {[array.shape for array in arrays]}."
        )
    for array in arrays:
        require_finite(array, name="trajectories")
    return arrays
