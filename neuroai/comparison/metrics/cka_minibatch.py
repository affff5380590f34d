"""The metric cka-minibatch: debiased alignment with its terms averaged over batches of stimuli."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.cka_minibatch import batches_of, minibatch_cka

CARD = MetricCard(
    name="cka-minibatch",
    compares="responses",
    title="Debiased linear centred kernel alignment over minibatches",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327",
)


def cka_minibatch(a: np.ndarray, b: np.ndarray, *, batch_size: int = 256, seed: int = 0) -> float:
    r"""Compare responses by alignment whose terms are averaged over batches, then divided.

    .. math:: \frac{\overline{HSIC_1(K, L)}}
              {\sqrt{\overline{HSIC_1(K, K)}\; \overline{HSIC_1(L, L)}}}

    It estimates what ``cka-debiased`` estimates, and equals it where one batch holds all stimuli.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order; at least 4 stimuli.
    batch_size : int
        Most stimuli in a batch, at least 8.
    seed : int
        Seed of the deal into batches.

    Returns
    -------
    float
        1 for responses that are equal up to rotation, scale and offset; 0 expected for independent
        ones; NaN where a side does not vary.

    References
    ----------
    Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(cka_minibatch(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    a, b = np.asarray(a), np.asarray(b)
    batches = batches_of(len(a), batch_size=batch_size, seed=seed)
    return float(minibatch_cka(([a[batch]], [b[batch]]) for batch in batches)[0, 0])
