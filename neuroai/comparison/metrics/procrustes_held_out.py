"""The metric procrustes-held-out: a rotation learnt from some stimuli, tested on others."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.shapes import held_out_alignment

CARD = MetricCard(
    name="procrustes-held-out",
    compares="responses",
    title="Procrustes similarity on held-out stimuli",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Williams et al. 2021, arXiv:2110.14739",
)


def procrustes_held_out(
    a: np.ndarray, b: np.ndarray, *, n_folds: int = 5, n_deals: int = 4, seed: int = 0
) -> float:
    r"""Compare responses after a rotation that never saw the stimuli it is tested on.

    .. math:: s = \frac{\langle A_2 Q, B_2 \rangle}{\lVert A_2 \rVert \lVert B_2 \rVert}, \qquad
              Q = \arg\max_Q \langle A_1 Q, B_1 \rangle

    Unlike ``procrustes`` it is 0 on average for independent responses.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order; at least 10 stimuli for five folds.
    n_folds : int
        Folds, at least 2.
    n_deals : int
        Times that stimuli are dealt into folds anew.
    seed : int
        Seed of the deals.

    Returns
    -------
    float
        From -1 to 1; 1 for equal shapes whose units do not outnumber the stimuli learnt from; NaN
        where a side does not vary.

    References
    ----------
    Williams et al. 2021, arXiv:2110.14739

    Examples
    --------
    >>> a = np.random.default_rng(0).standard_normal((20, 3))
    >>> round(procrustes_held_out(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    return held_out_alignment(a, b, n_folds=n_folds, n_deals=n_deals, seed=seed)
