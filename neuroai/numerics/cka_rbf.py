"""The radial basis kernel of responses, whose width is read off the responses themselves."""

from __future__ import annotations

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.arrays import as_float64, require_finite


def rbf_gram(gram: np.ndarray, *, share: float = 1.0) -> np.ndarray:
    r"""Turn a Gram matrix of responses into that of the radial basis kernel.

    .. math:: K_{ij} = \exp\left( -\frac{\lVert x_i - x_j \rVert^2}{2 \sigma^2} \right), \qquad
              \sigma = share \cdot \mathrm{median}_{i < j} \lVert x_i - x_j \rVert

    The median runs over the distances of distinct pairs that are not 0. (Others take the root of
    the median squared distance with the diagonal, or a fixed width: their numbers differ.)

    Parameters
    ----------
    gram : array, shape (n_stimuli, n_stimuli)
        Inner products of responses, raw or centred: distances are the same.
    share : float
        Width as a share of the median distance, above 0. A large share makes the kernel linear.

    Returns
    -------
    array, shape (n_stimuli, n_stimuli)
        From 0 to 1, with a diagonal of 1; all 1 where the responses do not vary.

    Raises
    ------
    UsageError
        The share is not above 0, or the matrix is not square.
    DataError
        Some entries are not finite.

    References
    ----------
    Kornblith et al. 2019, doi:10.48550/arXiv.1905.00414

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> rbf_gram(x @ x.T)[0].round(4).tolist()
    [1.0, 0.6065, 0.1353]
    """
    gram = as_float64(gram)
    if share <= 0:
        raise UsageError(f"share must be above 0; got {share}.")
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise UsageError(f"gram must be stimuli x stimuli; got shape {tuple(gram.shape)}.")
    require_finite(gram, name="gram")
    lengths = np.diag(gram)
    squares = np.maximum(lengths[:, None] + lengths - 2 * gram, 0)
    pairs = squares[np.triu_indices(len(gram), 1)]
    pairs = pairs[pairs > 0]
    width = share * np.median(np.sqrt(pairs)) if len(pairs) else np.inf
    kernel = np.exp(-squares / (2 * width**2))
    np.fill_diagonal(kernel, 1.0)
    return kernel
