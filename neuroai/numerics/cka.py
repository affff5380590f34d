"""Centred kernel alignment of two sets of responses to the same stimuli."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import Array, as_float64, is_torch, namespace_of, require_finite
from neuroai.numerics.gram import double_centred
from neuroai.numerics.rdm_permutation import as_permutations

ESTIMATORS = ("debiased", "biased")
FEWEST_STIMULI = 4

_BLOCK_BYTES = 64 * 2**20
_ROUNDING = 1e-13


class JackknifeCka(NamedTuple):
    """CKA with its jackknife over stimuli.

    Attributes
    ----------
    value : float
        CKA on all stimuli.
    standard_error : float
        Jackknife standard error over stimuli.
    left_out : array of shape (n_stimuli,)
        CKA without each stimulus.
    """

    value: float
    standard_error: float
    left_out: np.ndarray


def debiased_hsic(gram_a: Array, gram_b: Array) -> float:
    r"""Return the unbiased estimate of the Hilbert-Schmidt independence criterion.

    With :math:`\tilde K` the Gram matrix whose diagonal is set to 0,

    .. math:: \frac{1}{n (n - 3)} \left[ \mathrm{tr}(\tilde K \tilde L)
              + \frac{1^\top \tilde K 1 \; 1^\top \tilde L 1}{(n - 1)(n - 2)}
              - \frac{2}{n - 2} 1^\top \tilde K \tilde L 1 \right]

    Parameters
    ----------
    gram_a, gram_b : arrays or tensors of shape (n_stimuli, n_stimuli)
        Gram matrices, raw or centred: the estimate is the same. At least 4 stimuli.

    Returns
    -------
    float
        Negative values are possible; the expectation is 0 for independent responses.

    Raises
    ------
    UsageError
        Fewer than 4 stimuli, or shapes that differ.
    DataError
        Some entries are not finite.

    References
    ----------
    Song et al. (2012), Feature selection via dependence maximization, Journal of Machine Learning
    Research 13, 1393-1434.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [4.0], [8.0]])
    >>> round(debiased_hsic(x @ x.T, x @ x.T), 4)
    44.6667
    """
    first, second = _stack(gram_a, name="gram_a"), _stack(gram_b, name="gram_b")
    _same_stimuli(first, second)
    n_stimuli = first.shape[-1]
    inner = (u_centred(first) * u_centred(second)).sum()
    return float(inner) / (n_stimuli * (n_stimuli - 3))


def cka(grams_a: Array, grams_b: Array, *, estimator: str = "debiased") -> Array:
    r"""Return the centred kernel alignment of every Gram matrix of one set with every other's.

    .. math:: \frac{\mathrm{HSIC}(K, L)}{\sqrt{\mathrm{HSIC}(K, K)\,\mathrm{HSIC}(L, L)}}

    The biased estimator tends to 1 for independent responses as units outnumber stimuli.

    Parameters
    ----------
    grams_a : array or tensor of shape (n_a, n_stimuli, n_stimuli) or (n_stimuli, n_stimuli)
        Gram matrices, raw or centred: the result is the same. At least 4 stimuli.
    grams_b : array or tensor of shape (n_b, n_stimuli, n_stimuli) or (n_stimuli, n_stimuli)
        Gram matrices of the same stimuli in the same order.
    estimator : {"debiased", "biased"}
        Of the three HSIC terms.

    Returns
    -------
    array or tensor of shape (n_a, n_b)
        float64, without unit. Biased: from 0 to 1. Debiased: 0 on average for independent
        responses, negative values possible. NaN where responses do not vary.

    Raises
    ------
    UsageError
        Fewer than 4 stimuli, or different numbers of stimuli.
    DataError
        Some entries are not finite; the message counts them.

    References
    ----------
    Kornblith et al. (2019), https://doi.org/10.48550/arXiv.1905.00414;
    Murphy et al. (2024), https://doi.org/10.48550/arXiv.2405.01012

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [1.0, 5.0], [0.0, 1.0]])
    >>> cka(x @ x.T, 4 * x @ x.T)
    array([[1.]])
    """
    one_of(estimator, ESTIMATORS, option="estimator")
    first, second = _stack(grams_a, name="grams_a"), _stack(grams_b, name="grams_b")
    _same_stimuli(first, second)
    rows_a, norms_a = _rows_and_norms(first, estimator)
    # A set against itself is centred once, and its products are symmetric.
    same = grams_a is grams_b
    rows_b, norms_b = (rows_a, norms_a) if same else _rows_and_norms(second, estimator)
    return (rows_a @ rows_b.T) / (norms_a[:, None] * norms_b)


def jackknife_cka(gram_a: Array, gram_b: Array, *, estimator: str = "debiased") -> JackknifeCka:
    r"""Return CKA and its jackknife standard error over stimuli, in n squared operations.

    .. math:: \mathrm{SE}^2 = \frac{n - 1}{n} \sum_i (c_{-i} - \bar c_{-})^2

    Parameters
    ----------
    gram_a, gram_b : arrays or tensors of shape (n_stimuli, n_stimuli)
        Gram matrices, raw or centred, of at least 5 stimuli.
    estimator : {"debiased", "biased"}
        Of the three HSIC terms.

    Returns
    -------
    JackknifeCka
        ``value``, ``standard_error`` and ``left_out`` (n_stimuli,), NumPy whatever the input.

    Raises
    ------
    UsageError
        Fewer than 5 stimuli, or shapes that differ.
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [4.0], [8.0], [5.0]])
    >>> jackknife_cka(x @ x.T, x @ x.T).standard_error
    0.0
    """
    one_of(estimator, ESTIMATORS, option="estimator")
    first, second = _stack(gram_a, name="gram_a"), _stack(gram_b, name="gram_b")
    _same_stimuli(first, second)
    _one_each(first, second)
    if first.shape[-1] <= FEWEST_STIMULI:
        raise UsageError(f"A jackknife of CKA needs at least 5 stimuli; got {first.shape[-1]}.")
    # Centring first changes nothing but the digits that are kept.
    a, b = double_centred(_numpy(first[0])), double_centred(_numpy(second[0]))
    value = float(_numpy(cka(first, second, estimator=estimator))[0, 0])
    cross, own_a, own_b = (_hsic_left_out(*pair, estimator) for pair in ((a, b), (a, a), (b, b)))
    scale = np.sqrt(np.where((own_a > 0) & (own_b > 0), own_a * own_b, np.nan))
    left_out = cross / scale
    n_stimuli = len(left_out)
    spread = np.sqrt((n_stimuli - 1) / n_stimuli * np.sum((left_out - left_out.mean()) ** 2))
    return JackknifeCka(value, float(spread), left_out)


def permute_cka(
    gram_a: Array, gram_b: Array, *, permutations: np.ndarray, estimator: str = "debiased"
) -> np.ndarray:
    r"""Return CKA under every relabelling of the second set's stimuli.

    Parameters
    ----------
    gram_a, gram_b : arrays or tensors of shape (n_stimuli, n_stimuli)
        Gram matrices, raw or centred, of at least 4 stimuli.
    permutations : array of shape (n_permutations, n_stimuli)
        Every row holds 0 to ``n_stimuli - 1`` once; rows and columns move together.
    estimator : {"debiased", "biased"}
        Of the three HSIC terms.

    Returns
    -------
    array of shape (n_permutations,)
        float64, NumPy whatever the input.

    Raises
    ------
    UsageError
        A row of `permutations` is no permutation, or shapes differ.
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [4.0], [8.0]])
    >>> permute_cka(x @ x.T, x @ x.T, permutations=np.array([[0, 1, 2, 3]]))
    array([1.])
    """
    one_of(estimator, ESTIMATORS, option="estimator")
    first, second = _stack(gram_a, name="gram_a"), _stack(gram_b, name="gram_b")
    _same_stimuli(first, second)
    _one_each(first, second)
    n_stimuli = first.shape[-1]
    permutations = as_permutations(permutations, n_stimuli)
    target = _numpy(_unit_vectors(first, estimator))[0]
    moving = _numpy(_unit_vectors(second, estimator))[0]
    null = np.empty(len(permutations))
    block = max(1, _BLOCK_BYTES // (16 * n_stimuli * n_stimuli))
    for start in range(0, len(null), block):
        orders = permutations[start : start + block]
        flat = orders[:, :, None] * n_stimuli + orders[:, None, :]
        null[start : start + block] = moving.take(flat.reshape(len(orders), -1)) @ target
    return null


def _unit_vectors(grams: Array, estimator: str) -> Array:
    """Return centred Gram matrices as rows whose inner products are CKA; NaN where undefined."""
    rows, norms = _rows_and_norms(grams, estimator)
    return rows / norms[:, None]


def _rows_and_norms(grams: Array, estimator: str) -> tuple[Array, Array]:
    """Return centred Gram matrices as rows, and their lengths; NaN where nothing varies."""
    xp = namespace_of(grams)
    raw = _lengths(grams)
    if estimator == "debiased":
        centred = u_centred(grams)
    elif bool((abs(grams.mean(-1)) * grams.shape[-1] <= _ROUNDING * raw[:, None]).all()):
        centred = grams  # As from `centred_gram`: nothing is left to take away.
    else:
        centred = double_centred(grams)
    norms = raw if centred is grams else _lengths(centred)
    # What is left of responses without any variance is rounding of the Gram matrix.
    norms = xp.where((norms > _ROUNDING * raw) & (norms > 0), norms, xp.nan)
    return centred.reshape(len(grams), -1), norms


def _lengths(grams: Array) -> Array:
    xp = namespace_of(grams)
    return xp.sqrt(xp.einsum("kij,kij->k", grams, grams))


def _clear_diagonal(grams: Array) -> Array:
    """Set the diagonal of every matrix to 0, in place."""
    at = np.arange(grams.shape[-1])
    grams[..., at, at] = 0.0
    return grams


def u_centred(grams: Array) -> Array:
    """Centre off-diagonal entries so that their rows sum to 0; the diagonal becomes 0.

    The mean product of two of them over n (n - 3) entries is the unbiased estimate of HSIC.

    Examples
    --------
    >>> u_centred(np.diag([1.0, 2.0, 3.0, 4.0])).round(6).any()
    np.False_
    """
    n_stimuli = grams.shape[-1]
    # Centring the usual way first keeps digits that a large common offset would take.
    out = _clear_diagonal(double_centred(grams))
    rows = out.sum(-1) / (n_stimuli - 2)
    shift = rows - 0.5 * rows.sum(-1)[..., None] / (n_stimuli - 1)
    out -= shift[..., :, None]
    out -= shift[..., None, :]
    return _clear_diagonal(out)


def _hsic_left_out(a: np.ndarray, b: np.ndarray, estimator: str) -> np.ndarray:
    """Return n (n - 3) HSIC, or n squared HSIC if biased, without each stimulus in turn."""
    n = len(a) - 1
    if estimator == "debiased":
        a, b = _clear_diagonal(a.copy()), _clear_diagonal(b.copy())
    rows_a, rows_b, products = a.sum(axis=1), b.sum(axis=1), (a * b).sum(axis=1)
    diagonal_a, diagonal_b = np.diag(a), np.diag(b)
    trace = products.sum() - 2 * products + diagonal_a * diagonal_b
    sum_a = rows_a.sum() - 2 * rows_a + diagonal_a
    sum_b = rows_b.sum() - 2 * rows_b + diagonal_b
    # The sum over the other stimuli of their row sums in both, each without the one left out.
    own = (rows_a - diagonal_a) * (rows_b - diagonal_b)
    rows = (rows_a @ rows_b) - a @ rows_b - b @ rows_a + products - own
    if estimator == "debiased":
        return trace + sum_a * sum_b / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)
    return trace - 2 * rows / n + sum_a * sum_b / n**2


def _stack(grams: Array, *, name: str) -> Array:
    """Return Gram matrices as float64 (n_grams, n_stimuli, n_stimuli), or say what is wrong."""
    grams = as_float64(grams)
    grams = grams[None] if grams.ndim == 2 else grams
    if grams.ndim != 3 or grams.shape[-1] != grams.shape[-2]:
        raise UsageError(
            f"{name} must be Gram matrices, stimuli x stimuli, one or a stack; "
            f"got shape {tuple(grams.shape)}."
        )
    if grams.shape[-1] < FEWEST_STIMULI:
        raise UsageError(
            f"CKA needs at least {FEWEST_STIMULI} stimuli; {name} holds {grams.shape[-1]}."
        )
    require_finite(grams, name=name)
    return grams


def _same_stimuli(first: Array, second: Array) -> None:
    if first.shape[-1] != second.shape[-1]:
        raise UsageError(
            f"The Gram matrices hold {first.shape[-1]} and {second.shape[-1]} stimuli; "
            "both must hold the same stimuli in the same order."
        )


def _one_each(first: Array, second: Array) -> None:
    if len(first) != 1 or len(second) != 1:
        raise UsageError(f"Give one Gram matrix each; got {len(first)} and {len(second)}.")


def _numpy(array: Array) -> np.ndarray:
    return array.cpu().numpy() if is_torch(array) else array
