"""Several model RDMs at once: partial correlation, regression and non-negative weights."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import as_complete_rdms, same_pairs, standardised
from neuroai.numerics.ranks import average_ranks
from neuroai.numerics.rdm_ceiling import pool

PARTIAL_METHODS = ("pearson", "spearman")
WEIGHTED_METHODS = ("cosine", "pearson")

# Models whose correlations have a condition number above this say the same.
_ALIKE = 1e10
# A weight of standardised vectors this small is rounding, and so is such a share left over.
_NOTHING = 1e-10


def partial_similarity(data: np.ndarray, models: np.ndarray, *, method: str) -> np.ndarray:
    r"""Correlate every RDM with every model, the other models held fixed in both.

    With P the inverse of the correlation matrix of the data's vector and all models,

    .. math:: r_{d m \cdot rest} = \frac{-P_{dm}}{\sqrt{P_{dd} P_{mm}}}

    Parameters
    ----------
    data : array of shape (n_rdms, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli; fewer than ``n_pairs - 1`` of them.
    method : {"pearson", "spearman"}
        Of the vectors, or of their average ranks.

    Returns
    -------
    array of shape (n_rdms, n_models)
        From -1 to 1; NaN where an RDM or a model is constant, where models say the same, and for
        models that add nothing to others which explain an RDM wholly.

    Raises
    ------
    UsageError
        An unknown method, or too many models.

    Examples
    --------
    >>> d = np.array([[1.0, 2.0, 4.0, 3.0, 6.0, 5.0]])
    >>> other = np.array([2.0, 1.0, 2.0, 1.0, 3.0, 0.0])
    >>> partial_similarity(d, np.stack([d[0] + other, other]), method="pearson").round(6).tolist()
    [[1.0, -1.0]]
    """
    one_of(method, PARTIAL_METHODS, option="method")
    data, models = _complete(data, models)
    m, n_pairs = models.shape
    if m > n_pairs - 2:
        raise UsageError(
            f"{m} models leave nothing of {n_pairs} pairs of stimuli; take fewer than "
            f"{n_pairs - 1}."
        )
    unit_data, unit_models = (standardised(x, method=method) for x in (data, models))
    among, with_data = unit_models @ unit_models.T, unit_data @ unit_models.T
    if np.isnan(among).any() or np.linalg.cond(among) > _ALIKE:
        return np.full((len(data), m), np.nan)
    # By blocks: the models' own inverse serves all RDMs.
    inverse = np.linalg.inv(among)
    weights = with_data @ inverse
    # Of an RDM that the others explain wholly nothing is left, and no sign of rounding is a part.
    weights[np.abs(weights) < _NOTHING] = 0.0
    left = 1.0 - np.einsum("dm,dm->d", weights, with_data)
    left = np.where(left > _NOTHING, left, 0.0)[:, None]
    scale = np.sqrt(np.diag(inverse) * left + weights**2)
    return np.clip(weights / np.where(scale > 0, scale, np.nan), -1.0, 1.0)


def regression_weights(
    data: np.ndarray, models: np.ndarray, *, method: str = "pearson", nonnegative: bool = False
) -> np.ndarray:
    r"""Regress every RDM on all models at once.

    .. math:: \hat\beta = \arg\min_\beta \| d - \beta^\top M \|^2, \qquad
              \beta \ge 0 \text{ if nonnegative}

    Parameters
    ----------
    data : array of shape (n_rdms, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli.
    method : {"cosine", "pearson", "spearman"}
        Vectors as they are, centred (which is an intercept), or their centred average ranks.
    nonnegative : bool
        Whether a weight may not be negative, as fits a sum of squared distances.

    Returns
    -------
    array of shape (n_rdms, n_models)
        In the unit of the data a unit of the model.

    Raises
    ------
    UsageError
        An unknown method.

    References
    ----------
    Khaligh-Razavi & Kriegeskorte (2014), https://doi.org/10.1371/journal.pcbi.1003915

    Examples
    --------
    >>> a, b = np.array([1.0, 0.0, 2.0]), np.array([0.0, 1.0, 1.0])
    >>> found = regression_weights((2 * a + 3 * b)[None], np.stack([a, b]), method="cosine")
    >>> found.round(6).tolist()
    [[2.0, 3.0]]
    """
    one_of(method, ("cosine", *PARTIAL_METHODS), option="method")
    data, models = _complete(data, models)
    if method == "spearman":
        data, models = average_ranks(data), average_ranks(models)
    if method != "cosine":
        data, models = (x - x.mean(axis=1, keepdims=True) for x in (data, models))
    if nonnegative:
        return np.array([nnls(models.T, one)[0] for one in data])
    return np.linalg.lstsq(models.T, data.T, rcond=None)[0].T


def fitted_weights(data: np.ndarray, models: np.ndarray, *, method: str) -> np.ndarray:
    """Fit one non-negative mixture of models to the pooled RDM of several subjects.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli.
    method : {"cosine", "pearson"}
        The comparator that the mixture is made for.

    Returns
    -------
    array of shape (n_models,)
        At least 0, of length 1 or all 0.

    Examples
    --------
    >>> fitted_weights(np.array([[0.0, 3.0, 4.0]]), np.eye(3), method="cosine").round(6).tolist()
    [0.0, 0.6, 0.8]
    """
    one_of(method, WEIGHTED_METHODS, option="method")
    pooled = pool(data, method=method)
    weights = regression_weights(pooled[None], models, method=method, nonnegative=True)[0]
    length = np.sqrt(weights @ weights)
    return weights / length if length > 0 else weights


def _complete(data: np.ndarray, models: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    data, models = as_complete_rdms(data, name="data"), as_complete_rdms(models, name="models")
    same_pairs(data, models)
    return data, models
