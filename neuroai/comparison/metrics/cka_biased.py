"""The metric cka-biased: alignment of Gram matrices, which rises with the number of units."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.cka import cka
from neuroai.numerics.gram import centred_gram

CARD = MetricCard(
    name="cka-biased",
    compares="responses",
    title="Biased linear centred kernel alignment",
    perfect=1.0,
    worst=0.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Kornblith et al. 2019, arXiv:1905.00414",
    chance=None,
)


def cka_biased(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare responses by the cosine of their centred Gram matrices.

    .. math:: CKA = \frac{\langle K, L \rangle}{\lVert K \rVert\, \lVert L \rVert}

    It tends to 1 for independent responses as units outnumber stimuli, so that only its permutation
    null tells anything; `cka_debiased` has no such bias.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        In [0, 1]; 1 for responses that are equal up to rotation, scale and offset; NaN where a side
        does not vary.

    References
    ----------
    Kornblith et al. 2019, arXiv:1905.00414

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(cka_biased(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    grams_a, grams_b = centred_gram(a)[None], centred_gram(b)[None]
    return float(cka(grams_a, grams_b, estimator="biased")[0, 0])
