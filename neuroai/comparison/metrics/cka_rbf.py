"""The metric cka-rbf: alignment of responses under a radial basis kernel."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.cka import cka
from neuroai.numerics.cka_rbf import rbf_gram
from neuroai.numerics.gram import centred_gram

CARD = MetricCard(
    name="cka-rbf",
    compares="responses",
    title="Debiased centred kernel alignment, radial basis kernel",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Kornblith et al. 2019, arXiv:1905.00414; Song et al. 2012, JMLR 13:1393",
)


def cka_rbf(a: np.ndarray, b: np.ndarray, *, share: float = 1.0) -> float:
    r"""Compare which stimuli lie close together, and how close, whatever the far distances are.

    .. math:: CKA = \frac{HSIC_1(K, L)}{\sqrt{HSIC_1(K, K)\, HSIC_1(L, L)}}, \qquad
              K_{ij} = \exp\left( -\frac{\lVert x_i - x_j \rVert^2}{2 \sigma^2} \right)

    with the debiased estimator, and a width that is a share of the median distance of each side.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order; at least 4 stimuli.
    share : float
        Width of the kernel as a share of the median distance between stimuli, above 0.

    Returns
    -------
    float
        1 for responses that are equal up to rotation, scale and offset; 0 expected for independent
        ones; NaN where a side does not vary.

    References
    ----------
    Kornblith et al. 2019, arXiv:1905.00414

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(cka_rbf(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    kernels = [rbf_gram(centred_gram(side), share=share)[None] for side in (a, b)]
    return float(cka(*kernels, estimator="debiased")[0, 0])
