"""The metric error-consistency: do two observers fail on the same stimuli?"""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.agreement import cohen_kappa

CARD = MetricCard(
    name="error-consistency",
    compares="choices",
    title="Error consistency (Cohen's kappa, signed)",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("order",),
    citation="Geirhos, Meding & Wichmann 2020, arXiv:2006.16736; Klein et al. 2025",
    chance=0.0,
)


def error_consistency(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    r"""Compare which stimuli two observers get right, beyond what their accuracies explain.

    .. math:: \kappa = \frac{c_{obs} - c_{exp}}{1 - c_{exp}}, \quad
              c_{exp} = p_a p_b + (1 - p_a)(1 - p_b)

    Parameters
    ----------
    a, b : array, shape (n_a, n_stimuli) and (n_b, n_stimuli)
        1 right, 0 wrong, NaN missing (left out of that pair of observers).
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        In [-1, 1], 0 expected for independent observers; NaN where both are always right or both
        always wrong.

    References
    ----------
    Cohen 1960, doi:10.1177/001316446002000104; Geirhos, Meding & Wichmann 2020,
    doi:10.48550/arXiv.2006.16736

    Examples
    --------
    >>> a = np.array([[1, 1, 0, 0, 1, 1, 0, 0]])
    >>> error_consistency(a, np.array([[1, 0, 0, 0, 1, 1, 1, 0]]))
    array([[0.5]])
    """
    return cohen_kappa(a, b, weights=weights)
