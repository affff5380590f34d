"""How well expected counts fit: deviance, its explained share, and bits a count."""

from __future__ import annotations

import numpy as np


def deviance(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    r"""Give the Poisson deviance of every target, 0 or more, 0 for a perfect prediction.

    .. math:: D(y, \mu) = 2 \sum_i \left(y_i \log \frac{y_i}{\mu_i} - y_i + \mu_i\right)

    Examples
    --------
    >>> deviance(np.array([[1.0], [3.0]]), np.array([[1.0], [3.0]]))
    array([0.])
    """
    y, rate = np.asarray(y, dtype=float), np.asarray(rate, dtype=float)
    ratio = np.divide(y, rate, out=np.ones_like(y), where=y > 0)
    return 2 * (y * np.log(ratio) - y + rate).sum(axis=0)


def pseudo_r2(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    r"""Give the share of the deviance that is explained, at most 1; NaN without deviance.

    .. math:: R^2_D = 1 - D(y, \mu) / D(y, \bar y)

    with the mean of these rows, as R² has it; scikit-learn's ``d2_tweedie_score`` of power 1.

    Parameters
    ----------
    y, rate : array, shape (n_rows, n_targets)
        Counts, and expected counts above 0.

    Returns
    -------
    array, shape (n_targets,)

    References
    ----------
    Cameron & Windmeijer, 1997, J Econometrics 77, 329, doi:10.1016/S0304-4076(96)01818-0

    Examples
    --------
    >>> y = np.array([[1.0], [3.0]])
    >>> pseudo_r2(y, y), pseudo_r2(y, np.full((2, 1), 2.0))
    (array([1.]), array([0.]))
    """
    y = np.asarray(y, dtype=float)
    none = deviance(y, np.broadcast_to(y.mean(axis=0), y.shape))
    varies = np.ptp(y, axis=0) > 0
    share = np.divide(deviance(y, rate), none, out=np.full(len(none), np.nan), where=varies)
    return 1 - share


def bits_per_count(y: np.ndarray, rate: np.ndarray, *, mean: np.ndarray) -> np.ndarray:
    r"""Give what a prediction knows beyond a constant rate, in bits for every count.

    .. math:: \frac{1}{\ln 2 \sum_i y_i} \sum_i \left(y_i \log \frac{\mu_i}{m}
              - \mu_i + m\right)

    Parameters
    ----------
    y, rate : array, shape (n_rows, n_targets)
        Counts, and expected counts above 0.
    mean : array, shape (n_targets,)
        The constant rate m that it is held against: the mean count of the rows learnt from.

    Returns
    -------
    array, shape (n_targets,)
        Below 0 where the constant predicts better; NaN without a count.

    References
    ----------
    Pillow et al., 2008, Nature 454, 995, doi:10.1038/nature07140

    Examples
    --------
    >>> y = np.array([[4.0], [0.0]])
    >>> bits_per_count(y, np.array([[4.0], [1e-300]]), mean=np.array([2.0])).round(6)
    array([1.])
    """
    y, rate = np.asarray(y, dtype=float), np.asarray(rate, dtype=float)
    total = y.sum(axis=0)
    known = (total > 0) & (mean > 0)
    level = np.where(known, mean, 1.0)
    gained = (y * np.log(rate / level) - rate + level).sum(axis=0)
    share = np.divide(gained, total, out=np.full(len(total), np.nan), where=known)
    return share / np.log(2)
