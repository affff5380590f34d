"""Image-level signatures of behaviour, and their correlation freed from trial noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from neuroai.checks import one_of
from neuroai.errors import DataError

SIGNATURES = ("i1", "i1n", "i2", "i2n")


def image_signature(
    chosen: np.ndarray,
    truth: np.ndarray,
    *,
    offered: np.ndarray | None = None,
    signature: str = "i1",
) -> np.ndarray:
    r"""Give the sensitivity to each image, against all distractors or one by one.

    .. math:: d'_{i} = z(H_i) - z(F_{o(i)}), \qquad
              d'_{i, d} = z(H_{i, d}) - z(F_{d \to o(i)})

    H is the share of right choices among the trials of image i (with the distractor d); F how often
    images of other objects (of the object d) are taken for the object o(i) of image i, pooled over
    their trials. Rates have the log-linear correction. ``i1n`` and ``i2n`` take off the mean over
    the images of the same object (and distractor), so that only differences between images of one
    object are left.

    Parameters
    ----------
    chosen : array, shape (..., n_images, n_options)
        How often each option was chosen for each image; leading axes are halves or subjects.
    truth : int array, shape (n_images,)
        Place of the right option.
    offered : array, shape (..., n_images, n_options), optional
        In how many trials each option stood beside the right one (two options a trial). Without it
        all options compete in every trial, and `i2` counts the choices of either of the two.
    signature : {"i1", "i1n", "i2", "i2n"}
        Against all distractors, or by distractor; n: normalised by object.

    Returns
    -------
    array, shape (..., n_images) or (..., n_images, n_options)
        d' in standard deviations; NaN where there was no trial, and at the truth.

    Raises
    ------
    DataError
        The shapes do not match, or an option was chosen more often than offered.

    References
    ----------
    Rajalingham, Issa et al. 2018, doi:10.1523/JNEUROSCI.0388-18.2018; Hautus 1995,
    doi:10.3758/BF03203619.

    Examples
    --------
    Two images of two objects; the first is recognised always, the second half of the time.

    >>> image_signature(np.array([[10, 0], [5, 5]]), np.array([0, 1])).round(3)
    array([1.691, 1.691])
    """
    one_of(signature, SIGNATURES, option="signature")
    chosen, truth = np.asarray(chosen, dtype=float), np.asarray(truth, dtype=np.int64)
    if chosen.ndim < 2 or truth.shape != chosen.shape[-2:-1]:
        raise DataError(
            f"A signature needs (..., n_images, n_options) and (n_images,); got {chosen.shape} "
            f"and {truth.shape}."
        )
    is_truth = truth[:, None] == np.arange(chosen.shape[-1])
    total = chosen.sum(axis=-1, keepdims=True)
    passed = _passed(chosen, total, offered)
    right = (chosen * is_truth).sum(axis=-1, keepdims=True)
    if signature.startswith("i1"):
        hit = _z(right, total - right)[..., 0]
        false = [(part * ~is_truth).sum(axis=-2) for part in (chosen, passed)]
        values = hit - _z(*false)[..., truth]
    else:
        rejected = passed if offered is not None else np.broadcast_to(right, chosen.shape)
        values = _by_distractor(chosen, rejected, truth, is_truth)
    if not signature.endswith("n"):
        return values
    return _less_object_mean(values, truth, axis=-1 if signature == "i1n" else -2)


def _passed(chosen: np.ndarray, total: np.ndarray, offered: np.ndarray | None) -> np.ndarray:
    """Trials of each image in which an option could have been chosen and was not."""
    if offered is None:
        return total - chosen
    offered = np.asarray(offered, dtype=float)
    if offered.shape != chosen.shape or (offered < chosen).any():
        raise DataError(
            "offered must have the shape of the choices, and no option be chosen more often than "
            f"it was offered; got {offered.shape} and {chosen.shape}."
        )
    return offered - chosen


def _z(yes: np.ndarray, no: np.ndarray) -> np.ndarray:
    """Normal quantile of a rate with the log-linear correction; NaN without a trial."""
    n = yes + no
    return np.where(n > 0, ndtri((yes + 0.5) / (n + 1)), np.nan)


def _by_distractor(
    chosen: np.ndarray, rejected: np.ndarray, truth: np.ndarray, is_truth: np.ndarray
) -> np.ndarray:
    onto = is_truth.astype(float)
    # (..., object of the image, distractor): images of the object taken for the distractor.
    false, not_false = (
        np.einsum("...id,io->...od", part, onto, optimize=True) for part in (chosen, rejected)
    )
    back = np.swapaxes(_z(false, not_false), -1, -2)
    return np.where(is_truth, np.nan, _z(rejected, chosen) - back[..., truth, :])


def _less_object_mean(values: np.ndarray, truth: np.ndarray, *, axis: int) -> np.ndarray:
    moved = np.moveaxis(values, axis, 0).copy()
    for own in np.unique(truth):
        rows = truth == own
        defined = ~np.isnan(moved[rows])
        n = defined.sum(axis=0)
        mean = np.where(defined, moved[rows], 0.0).sum(axis=0) / np.maximum(n, 1)
        moved[rows] -= mean
    return np.moveaxis(moved, 0, axis)


@dataclass(frozen=True)
class NoiseCorrected:
    """A correlation of two signatures with the reliabilities that it is divided by.

    Attributes
    ----------
    value : float
        Correlation that noiseless signatures would have; may exceed 1 by sampling error.
    raw : float
        Mean correlation of halves of the two.
    reliability_a, reliability_b : float
        Mean correlation of the two halves of each.
    per_split : array, shape (n_splits,)
        The corrected correlation of every split.
    n_undefined : int
        Splits left out since a reliability was not above 0.
    """

    value: float
    raw: float
    reliability_a: float
    reliability_b: float
    per_split: np.ndarray
    n_undefined: int


def noise_corrected_correlation(halves_a: np.ndarray, halves_b: np.ndarray) -> NoiseCorrected:
    r"""Correlate two signatures and divide by the geometric mean of their split-half reliabilities.

    .. math:: \tilde\rho = \frac{\bar\rho(a_i, b_j)}{\sqrt{\rho(a_1, a_2)\, \rho(b_1, b_2)}}

    split by split, and averaged over splits. All correlations are of halves, so that no
    Spearman-Brown correction is needed; the numerator is the mean of the four pairs of halves.
    Entries that are undefined in any of the four are left out.

    Parameters
    ----------
    halves_a, halves_b : array, shape (n_splits, 2, n)
        A signature estimated from either half of the trials, for each random split.

    Returns
    -------
    NoiseCorrected
        NaN value where no split has positive reliabilities.

    Raises
    ------
    DataError
        The shapes do not match.

    References
    ----------
    Rajalingham, Issa et al. 2018, doi:10.1523/JNEUROSCI.0388-18.2018; Spearman 1904.

    Examples
    --------
    A noiseless signature, correlated with itself.

    >>> halves = np.array([[[1.0, 2, 4], [1, 2, 4]]])
    >>> round(noise_corrected_correlation(halves, halves).value, 6)
    1.0
    """
    a, b = np.asarray(halves_a, dtype=float), np.asarray(halves_b, dtype=float)
    if a.ndim != 3 or a.shape != b.shape or a.shape[1] != 2:
        raise DataError(
            f"Signatures are compared as halves (n_splits, 2, n); got {a.shape} and {b.shape}. "
            "Restrict both sides to the same images."
        )
    found = np.array([_of_split(x, y) for x, y in zip(a, b, strict=True)])
    raw, of_a, of_b = found.T
    usable = (of_a > 0) & (of_b > 0) & np.isfinite(raw)
    per_split = np.where(usable, raw / np.sqrt(np.where(usable, of_a * of_b, 1.0)), np.nan)
    return NoiseCorrected(
        value=float(per_split[usable].mean()) if usable.any() else float("nan"),
        raw=float(raw.mean()),
        reliability_a=float(of_a.mean()),
        reliability_b=float(of_b.mean()),
        per_split=per_split,
        n_undefined=int((~usable).sum()),
    )


def _of_split(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    kept = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    parts = np.concatenate([a, b])[:, kept]
    if kept.sum() < 3 or (np.ptp(parts, axis=1) == 0).any():
        return float("nan"), float("nan"), float("nan")
    r = np.corrcoef(parts)
    return float(r[:2, 2:].mean()), float(r[0, 1]), float(r[2, 3])
