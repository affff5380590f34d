"""Decoding of single patterns of any number of units, solved among rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.checks import one_of
from neuroai.numerics.decoding import Decoded, decode
from neuroai.numerics.discriminant import AUTO, CLASSIFIERS
from neuroai.numerics.procrustes import procrustes_factor
from neuroai.numerics.readout import fit_readout, predict

# Of the length of a class mean, the share below which its variation over units is rounding.
_ROUNDING = 1e-12


def decode_flat(
    patterns: np.ndarray,
    labels: Sequence[str],
    folds: Sequence[int],
    *,
    classifier: str = "lda",
    shrinkage: float | str = AUTO,
    penalty: float = 1.0,
) -> Decoded:
    r"""Decode classes of single patterns, at the cost of their Gram matrix.

    ``lda`` scales units to one variance and shrinks the pooled covariance
    (`neuroai.numerics.readout.fit_readout`); ``ridge`` regresses targets of -1 and 1,

    .. math:: w = X^\top (X X^\top + \lambda I)^{-1} y

    with centred X and y; ``correlation`` takes the class whose mean pattern correlates best.

    Parameters
    ----------
    patterns : array, shape (n_rows, n_units)
        Activity, any unit, finite.
    labels : sequence of str, length n_rows
        Class of each row.
    folds : sequence of int, length n_rows
        Fold of each row.
    classifier : {"lda", "ridge", "correlation"}
        Which rule.
    shrinkage : float in (0, 1] or "auto"
        Of ``lda``.
    penalty : float
        Of ``ridge``, above 0.

    Returns
    -------
    Decoded
        Balanced accuracies, averaged over folds.

    Raises
    ------
    DataError
        Entries are not finite, or a fold holds every row of a class.

    References
    ----------
    Haxby et al. 2001, doi:10.1126/science.1063736

    Examples
    --------
    >>> x = np.array([[0.0, 1.0, 0.0], [0.1, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.1, 1.0]])
    >>> decode_flat(x, "aabb", [0, 1, 0, 1], classifier="correlation").scores.item()
    1.0
    """
    one_of(classifier, CLASSIFIERS, option="classifier")
    if classifier == "ridge":
        # A turned copy has the same products of rows, which are all that a ridge hangs on.
        rows = procrustes_factor(patterns)
        return decode(
            rows, labels, folds, classifier="ridge", penalty=penalty, scoring="balanced-accuracy"
        )
    rows, truth = np.asarray(patterns, dtype=np.float64), np.array(list(labels), dtype=object)
    folds = np.asarray(folds)
    scores = []
    for fold in np.unique(folds):
        held = folds == fold
        if classifier == "lda":
            readout = fit_readout(rows[~held], list(truth[~held]), shrinkage=shrinkage)
            chosen = predict(readout, rows[held]).labels
        else:
            chosen = _most_correlated(rows[~held], truth[~held], rows[held])
        scores.append(_balanced(chosen, truth[held]))
    undefined = np.isnan(scores)
    return Decoded(
        scores=np.asarray(np.mean(scores)),
        fold_scores=np.array(scores),
        n_undefined=np.asarray(undefined.sum()),
        n_tested=np.unique(folds, return_counts=True)[1],
        chance=1 / len(set(truth)),
    )


def _balanced(chosen: np.ndarray | None, truth: np.ndarray) -> float:
    if chosen is None:
        return np.nan
    return float(np.mean([(chosen[truth == one] == one).mean() for one in np.unique(truth)]))


def _most_correlated(rows: np.ndarray, truth: np.ndarray, tested: np.ndarray) -> np.ndarray | None:
    """Choose the class whose mean correlates best over units; None where a mean is constant."""
    classes = np.unique(truth)
    means = np.stack([rows[truth == one].mean(0) for one in classes])
    centred = means - means.mean(1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1)
    if (lengths <= _ROUNDING * np.linalg.norm(means, axis=1)).any():
        return None
    alike = (tested - tested.mean(1, keepdims=True)) @ (centred / lengths[:, None]).T
    return classes[alike.argmax(1)]
