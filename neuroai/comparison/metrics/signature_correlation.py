"""The metric signature-correlation: are the same stimuli hard, or slow, for two observers?"""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.profile_correlation import profile_correlation

CARD = MetricCard(
    name="signature-correlation",
    compares="table",
    title="Correlation over stimuli of what each observer reaches (not freed from noise)",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset", "order"),
    citation="Rajalingham, Issa et al. 2018, doi:10.1523/JNEUROSCI.0388-18.2018",
    chance=0.0,
)


def signature_correlation(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    r"""Correlate the profiles of two observers over stimuli.

    Any number that an answer holds for each stimulus will do: the d' of an image, the accuracy of
    an oddity trial, the median response time (or its proxy, in whose unit no difference could be
    taken). Noise of trials pulls it towards 0;
    :func:`neuroai.comparison.signatures.compare_signatures` takes it off where halves are known.

    Parameters
    ----------
    a, b : array, shape (n_a, n_stimuli) and (n_b, n_stimuli)
        In any unit, NaN missing (left out of that pair of observers).
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        Pearson's r in [-1, 1], 0 expected for unrelated observers; NaN where a profile is constant.

    References
    ----------
    Rajalingham, Issa et al. 2018, doi:10.1523/JNEUROSCI.0388-18.2018

    Examples
    --------
    >>> signature_correlation(np.array([[0.1, 0.5, 0.9]]), np.array([[1.0, 2.0, 3.0]])).round(6)
    array([[1.]])
    """
    return profile_correlation(a, b, weights=weights)
