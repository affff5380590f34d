"""Distances of spike counts: the symmetrised Kullback-Leibler divergence of Poisson rates."""

from __future__ import annotations

import numpy as np

from neuroai.checks import in_range
from neuroai.errors import DataError, UsageError


def poisson_kl(
    rates: np.ndarray, *, prior_rate: float = 1.0, prior_weight: float = 0.1
) -> np.ndarray:
    r"""Compute the divergence of every pair of patterns of rates.

    .. math:: d_{ij} = \frac{1}{p} \sum_u (\lambda_{iu} - \lambda_{ju})
              (\log \lambda_{iu} - \log \lambda_{ju}), \qquad
              \lambda = \frac{x + w \lambda_0}{1 + w}

    The prior keeps a count of 0 finite.

    Parameters
    ----------
    rates : array, shape (n_stimuli, n_units)
        Counts or rates, 0 or more.
    prior_rate, prior_weight : float
        The rate that is mixed in, in the unit of `rates`, and its weight in showings; above 0.

    Returns
    -------
    array, shape (n_stimuli, n_stimuli)
        0 or more, in the unit of `rates`, a unit.

    Raises
    ------
    DataError
        A rate is negative or not finite.

    References
    ----------
    Schütt et al., 2023, doi:10.7554/eLife.82566

    Examples
    --------
    >>> poisson_kl(np.array([[1.0], [np.e * 1.1 - 0.1]])).round(6)
    array([[0.      , 1.718282],
           [1.718282, 0.      ]])
    """
    in_range(prior_rate, option="prior_rate", low=0, high=np.inf, low_open=True)
    in_range(prior_weight, option="prior_weight", low=0, high=np.inf, low_open=True)
    x = np.asarray(rates, dtype=np.float64)
    if x.ndim != 2:
        raise UsageError(f"Rates (n_stimuli, n_units) are wanted; got {x.shape}.")
    if not np.isfinite(x).all() or (x < 0).any():
        raise DataError(
            "Poisson rates are 0 or more and finite; some are not. Take another distance for "
            "betas, z-scores and voltages."
        )
    mixed = (x + prior_weight * prior_rate) / (1 + prior_weight)
    crossed = mixed @ np.log(mixed).T
    own = np.diag(crossed)
    found = np.maximum((own[:, None] + own - crossed - crossed.T) / x.shape[1], 0)
    np.fill_diagonal(found, 0)
    return found
