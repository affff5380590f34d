"""The metric cka-debiased: similarity of two sets of responses, blind to rotation and scale."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.cka import cka
from neuroai.numerics.gram import centred_gram

CARD = MetricCard(
    name="cka-debiased",
    compares="responses",
    title="Debiased linear centred kernel alignment",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Kornblith et al. 2019, arXiv:1905.00414; Song et al. 2012, JMLR 13:1393",
)


def cka_debiased(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare responses by the debiased alignment of their Gram matrices.

    .. math:: CKA = \frac{HSIC_1(K, L)}{\sqrt{HSIC_1(K, K)\, HSIC_1(L, L)}}

    with the unbiased estimator of HSIC (zero diagonal, U-centred), so that independent data give
    0 however many units there are. It may be negative.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order; at least 4 stimuli.

    Returns
    -------
    float
        1 for responses that are equal up to rotation, scale and offset; 0 expected for independent
        ones; NaN where a side does not vary.

    References
    ----------
    Song et al. 2012, JMLR 13:1393; Murphy et al. 2024, arXiv:2405.01012

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(cka_debiased(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    grams_a, grams_b = centred_gram(a)[None], centred_gram(b)[None]
    return float(cka(grams_a, grams_b, estimator="debiased")[0, 0])
