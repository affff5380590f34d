"""The metric confusion-correlation: do two observers make the same mistakes?"""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.confusion import off_diagonal_correlation

CARD = MetricCard(
    name="confusion-correlation",
    compares="confusion",
    title="Pearson correlation of mistakes (off the diagonal)",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "order"),
    citation="Rajalingham, Schmidt & DiCarlo 2015, doi:10.1523/JNEUROSCI.5181-14.2015",
    chance=0.0,
)


def confusion_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compare confusion matrices by the correlation of their mistakes.

    Rows are divided by their sums and the diagonal is left out, since it would dominate.
    Resamples of stimuli are confusions made anew:
    :func:`neuroai.numerics.confusion.pooled_confusions` with weights.

    Parameters
    ----------
    a, b : array, shape ([n_resamples,] n_a, n_options, n_options) and ([n_resamples,] n_b, ...)
        Counts; row: truth; column: choice. Rows without a trial on either side are left out of
        that pair of observers.

    Returns
    -------
    array, shape ([n_resamples,] n_a, n_b)
        In [-1, 1]; NaN where an observer makes no mistakes, or all equally often.

    References
    ----------
    Rajalingham, Schmidt & DiCarlo 2015, doi:10.1523/JNEUROSCI.5181-14.2015

    Examples
    --------
    >>> a = np.array([[[8.0, 2, 0], [0, 9, 1], [3, 0, 7]]])
    >>> confusion_correlation(a, 10 * a).round(6)
    array([[1.]])
    """
    return off_diagonal_correlation(a, b)
