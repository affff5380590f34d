"""p values of many tests at once: the largest statistic, false discoveries, clusters in time."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
from scipy import stats

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError
from neuroai.numerics.intervals import SIDES

# With this many subjects or fewer, all signs are tried instead of some drawn at random.
_ALL_SIGNS = 12

# A sign pattern that changes nothing must count as reaching the observed, whatever its rounding.
_EQUAL = 1e-10


def t_over_subjects(values: np.ndarray) -> np.ndarray:
    r"""Return :math:`t = \bar x / (s / \sqrt n)` over the first axis.

    Parameters
    ----------
    values : array of shape (n_subjects, ...)
        Differences from what the null says; at least two subjects.

    Returns
    -------
    array of shape (...)
        NaN where subjects do not differ or one is undefined.

    Examples
    --------
    >>> float(t_over_subjects(np.array([1.0, 2.0, 3.0])))
    3.4641
    """
    values = _as_values(values)
    mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return np.where(error > 0, mean / np.where(error > 0, error, 1.0), np.nan)


def max_t(
    values: np.ndarray, *, n_permutations: int = 10_000, side: str = "greater", seed: int = 0
) -> np.ndarray:
    r"""Return p values that hold for all tests together, from the largest t under changed signs.

    .. math:: p_k = \frac{1 + \#\{\max_j t_j^{\epsilon} \ge t_k\}}{1 + N}

    Under the null a subject's values are symmetric about 0, so that the signs of subjects,
    each for all tests at once, may be changed; what the tests share is kept. With 12 subjects or
    fewer all signs are tried.

    Parameters
    ----------
    values : array of shape (n_subjects, ...)
        Differences from what the null says, one a subject and test; at least two subjects.
    n_permutations : int
        Sign patterns, where they are drawn.
    side : {"greater", "two-sided"}
        What counts as extreme.
    seed : int
        Of the signs.

    Returns
    -------
    array of shape (...)
        From 1 / (1 + N) to 1, or, of all signs, from 1 / 2 ** n_subjects; NaN for tests that are
        undefined, which do not count among the others.

    Raises
    ------
    UsageError
        One subject, or an unknown side.

    References
    ----------
    Nichols & Holmes (2002), https://doi.org/10.1002/hbm.1058

    Examples
    --------
    >>> x = np.array([[1.0, 0.1], [1.2, -0.1], [0.9, 0.2], [1.1, -0.2]])
    >>> float(max_t(x)[0])
    0.0625
    """
    one_of(side, SIDES, option="side")
    values = _as_values(values)
    observed = t_over_subjects(values).ravel()
    defined = np.isfinite(observed)
    p = np.full(observed.shape, np.nan)
    if defined.any():
        flat = values.reshape(len(values), -1)[:, defined]
        mine = np.abs(observed[defined]) if side == "two-sided" else observed[defined]
        largest, exact = _largest_t(flat, n_permutations, side, seed)
        reached = len(largest) - np.searchsorted(np.sort(largest), mine - _EQUAL * np.abs(mine))
        p[defined] = reached / len(largest) if exact else (1 + reached) / (1 + len(largest))
    return p.reshape(values.shape[1:])


def _largest_t(
    flat: np.ndarray, n_permutations: int, side: str, seed: int
) -> tuple[np.ndarray, bool]:
    """Return the largest t of every sign pattern, and whether these are all there are."""
    n = len(flat)
    exact = n <= _ALL_SIGNS
    if exact:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        drawn = np.random.default_rng(seed).integers(0, 2, size=(n_permutations, n))
        signs = 1.0 - 2.0 * drawn
    # Signs leave squares as they are, so that each pattern is one product.
    squares = (flat**2).mean(axis=0)
    largest = np.empty(len(signs))
    for start in range(0, len(signs), 1024):
        mean = signs[start : start + 1024] @ flat / n
        spread = np.maximum(squares - mean**2, np.finfo(float).tiny) / (n - 1)
        t = mean / np.sqrt(spread)
        largest[start : start + 1024] = (np.abs(t) if side == "two-sided" else t).max(axis=1)
    return largest, exact


def false_discovery(p: np.ndarray, *, dependent: bool = False) -> np.ndarray:
    r"""Return p values adjusted so that at most that share of the discoveries is expected false.

    .. math:: q_{(i)} = \min_{j \ge i} \min\left(1, \tfrac{m}{j} p_{(j)}\right)

    Parameters
    ----------
    p : array
        One p value a test; NaN for tests that are undefined, which do not count.
    dependent : bool
        Hold under any dependence of the tests (Benjamini and Yekutieli), at a cost in power.

    Returns
    -------
    array of the shape of `p`
        From 0 to 1.

    Raises
    ------
    DataError
        A p value lies outside 0 to 1.

    References
    ----------
    Benjamini & Hochberg (1995), https://doi.org/10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> false_discovery(np.array([0.01, 0.02, np.nan, 0.5])).tolist()
    [0.03, 0.03, nan, 0.5]
    """
    p = np.asarray(p, dtype=np.float64)
    defined = np.isfinite(p)
    if ((p[defined] < 0) | (p[defined] > 1)).any():
        raise DataError("p values must lie from 0 to 1.")
    out = np.full(p.shape, np.nan)
    if defined.any():
        out[defined] = stats.false_discovery_control(p[defined], method="by" if dependent else "bh")
    return out


def clusters_in_time(
    values: np.ndarray,
    *,
    n_permutations: int = 1_000,
    side: str = "greater",
    alpha: float = 0.05,
    seed: int = 0,
) -> np.ndarray:
    """Return, for every time, the p value of the cluster of times that it belongs to.

    Neighbouring times whose t passes that of `alpha` form a cluster; its sum of t is compared
    with the largest such sum under changed signs of subjects. The p value is that of the whole
    cluster: it does not say when the effect begins.

    Parameters
    ----------
    values : array of shape (n_subjects, n_times)
        Differences from what the null says; at least two subjects.
    n_permutations : int
        Sign patterns.
    side : {"greater", "two-sided"}
        What counts as extreme.
    alpha : float
        Of the threshold that forms clusters; the level of the test does not hang on it.
    seed : int
        Of the signs.

    Returns
    -------
    array of shape (n_times,)
        1 at times of no cluster.

    Raises
    ------
    UsageError
        One subject, or an unknown side.
    DataError
        Values are undefined.

    References
    ----------
    Maris & Oostenveld (2007), https://doi.org/10.1016/j.jneumeth.2007.03.024

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((12, 20))
    >>> x[:, 5:10] += 2
    >>> bool((clusters_in_time(x)[5:10] < 0.05).all())
    True
    """
    from mne.stats import permutation_cluster_1samp_test

    one_of(side, SIDES, option="side")
    values = _as_values(values)
    if not np.isfinite(values).all():
        raise DataError("Values are undefined at some times; leave these times out first.")
    tails = 2 if side == "two-sided" else 1
    threshold = stats.t.ppf(1 - alpha / tails, len(values) - 1)
    _, clusters, p_of, _ = permutation_cluster_1samp_test(
        values,
        threshold=threshold,
        n_permutations=n_permutations,
        tail=0 if side == "two-sided" else 1,
        out_type="mask",
        verbose="ERROR",
        **_seeded(permutation_cluster_1samp_test, seed),
    )
    p = np.ones(values.shape[1])
    for cluster, own in zip(clusters, p_of, strict=True):
        # mne gives each cluster as a slice where times are neighbours.
        p[cluster[0] if isinstance(cluster, tuple) else cluster] = own
    return p


def _seeded(function: Callable[..., object], seed: int) -> dict[str, int]:
    """Name the seed as this version of mne does."""
    return {"rng" if "rng" in inspect.signature(function).parameters else "seed": seed}


def _as_values(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim < 1 or len(values) < 2:
        raise UsageError(
            "A test over subjects needs two of them or more along the first axis; got an array of "
            f"shape {values.shape}. For one subject permute the labels of the stimuli."
        )
    return values
