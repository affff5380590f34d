"""How well noisy responses could be predicted at all: ceilings of encoding models, per unit.

Three quantities that are easily mixed: the *reliability* of responses (the expected correlation
of two measurements), the ceiling of *r* (the correlation of the noiseless signal with a
measurement, the square root of a reliability), and the ceiling of *r²* (explainable variance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import UsageError

# Noise below this share of the signal is what float64 leaves of equal repeats.
ROUNDING = 1e-24


@dataclass(frozen=True)
class Reliability:
    """Reliability of each unit's mean response.

    Attributes
    ----------
    half : array, shape (n_units,)
        Correlation of two halves of the repeats, mean over splits, in [-1, 1].
    full : array, shape (n_units,)
        The same corrected to all repeats; NaN where halves do not correlate above 0.
    n_splits : int
        Splits behind the means.
    n_undefined : int
        Units without a ceiling: constant, or halves that do not correlate above 0.
    """

    half: np.ndarray
    full: np.ndarray
    n_splits: int
    n_undefined: int

    @property
    def ceiling_r(self) -> np.ndarray:
        """Highest correlation a perfect model can reach with the mean over all repeats."""
        return np.sqrt(self.full)


def split_half(responses: np.ndarray, *, n_splits: int = 20, seed: int = 0) -> Reliability:
    r"""Correlate random halves of the repeats over stimuli, and correct to their full number.

    .. math:: \rho = \frac{m r}{1 + (m - 1) r}, \qquad c = \sqrt{\rho}

    with r the mean over splits and m the repeats over the repeats in a half, 2 for even numbers
    (Spearman and Brown). Each stimulus's own repeats are halved at random; of an odd number one is
    left out, another each time. Correcting each split before averaging would lift r, since the
    correction is concave and splits below 0 have none.

    Parameters
    ----------
    responses : array, shape (n_stimuli, n_repeats, n_units)
        NaN where a repeat is missing; every stimulus needs two or more.
    n_splits : int
        Random splits.
    seed : int
        Seed of the splits.

    Returns
    -------
    Reliability

    References
    ----------
    Spearman, 1910, doi:10.1111/j.2044-8295.1910.tb00206.x; Brown, 1910,
    doi:10.1111/j.2044-8295.1910.tb00207.x

    Examples
    --------
    >>> same = np.repeat(np.arange(4.0)[:, None, None], 2, axis=1)
    >>> split_half(same).full
    array([1.])
    """
    responses = _checked(responses)
    rng = np.random.default_rng(seed)
    r = np.mean([_correlate(*_halves(responses, rng)) for _ in range(n_splits)], axis=0)
    repeats = np.isfinite(responses).all(axis=2).sum(axis=1)
    m = repeats.mean() / (repeats // 2).mean()
    with np.errstate(invalid="ignore"):
        full = np.where(r > 0, m * r / (1 + (m - 1) * r), np.nan)
    return Reliability(r, full, n_splits, int(np.isnan(full).sum()))


def _halves(responses: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(responses).all(axis=2)
    first, second = (np.empty((len(responses), responses.shape[2])) for _ in range(2))
    for row, here in enumerate(known):
        order = rng.permutation(np.flatnonzero(here))
        n = len(order) // 2
        first[row] = responses[row, order[:n]].mean(axis=0)
        second[row] = responses[row, order[n : 2 * n]].mean(axis=0)
    return first, second


@dataclass(frozen=True)
class Noise:
    """Signal and noise of each unit, from the variance over repeats.

    Attributes
    ----------
    signal, noise : array, shape (n_units,)
        Variances over stimuli and over repeats, in the squared unit of the responses. An estimate
        of the signal below 0 is kept as it is.
    mean_inverse_repeats : float
        Mean over stimuli of 1 / repeats.
    n_undefined : int
        Units whose signal is not above 0, so that nothing could be explained.
    """

    signal: np.ndarray
    noise: np.ndarray
    mean_inverse_repeats: float
    n_undefined: int

    @property
    def ncsnr(self) -> np.ndarray:
        """Noise-ceiling signal-to-noise ratio: SD of the signal over SD of one repeat's noise."""
        positive = np.maximum(self.signal, 0)
        return np.sqrt(
            np.divide(
                positive, self.noise, out=np.full(positive.shape, np.inf), where=self.noise > 0
            )
        )

    @property
    def explainable(self) -> np.ndarray:
        """Share of the variance of the mean response that is signal: the ceiling of r².

        ncsnr² / (ncsnr² + mean of 1 / repeats), in [0, 1]; NaN where there is no signal.
        """
        total = self.signal + self.noise * self.mean_inverse_repeats
        good = self.signal > 0
        return np.divide(self.signal, total, out=np.full(total.shape, np.nan), where=good)

    @property
    def ceiling_r(self) -> np.ndarray:
        """Highest correlation a perfect model can reach with the mean response."""
        return np.sqrt(self.explainable)


def signal_and_noise(responses: np.ndarray) -> Noise:
    r"""Split the variance of responses into signal over stimuli and noise over repeats.

    .. math:: \sigma_n^2 = \mathrm{mean}_s \mathrm{var}_k(x_{sk}), \qquad
              \sigma_s^2 = \mathrm{var}_s(\bar x_s) - \sigma_n^2\, \mathrm{mean}_s (1 / k_s)

    with the unbiased variances (n - 1). With equal numbers of repeats this is the signal power of
    Sahani and Linden over stimuli. Responses of several sessions are z-scored per session before.

    Parameters
    ----------
    responses : array, shape (n_stimuli, n_repeats, n_units)
        NaN where a repeat is missing; every stimulus needs two or more.

    Returns
    -------
    Noise

    References
    ----------
    Allen et al., 2022, Nat Neurosci 25, 116, doi:10.1038/s41593-021-00962-x (ncsnr); Sahani &
    Linden, 2003, NeurIPS 15.

    Examples
    --------
    >>> found = signal_and_noise(np.array([[[0.0], [2.0]], [[4.0], [6.0]], [[8.0], [10.0]]]))
    >>> found.signal, found.noise, found.explainable
    (array([15.]), array([2.]), array([0.9375]))
    """
    responses = _checked(responses)
    repeats = np.isfinite(responses).all(axis=2).sum(axis=1)
    noise = np.nanvar(responses, axis=1, ddof=1).mean(axis=0)
    inverse = float((1 / repeats).mean())
    spread = np.nanmean(responses, axis=1).var(axis=0, ddof=1)
    noise = np.where(noise > ROUNDING * spread, noise, 0.0)
    signal = spread - noise * inverse
    # A constant unit has no signal, whatever rounding leaves.
    signal = np.where(spread > 0, signal, 0.0)
    return Noise(signal, noise, inverse, int((signal <= 0).sum()))


def signal_power_ceiling(responses: np.ndarray) -> np.ndarray:
    r"""Give the ceiling of r by which r becomes CC_norm.

    .. math:: c = \sqrt{SP / \mathrm{var}(\bar x)}, \qquad r / c = CC_{norm}

    with SP as in `normalised_correlation`. Unlike the ceiling of `signal_and_noise` it counts a
    shift of a whole repeat, such as of a session, as no noise.

    Parameters
    ----------
    responses : array, shape (n_stimuli, n_repeats, n_units)
        No repeat missing.

    Returns
    -------
    array, shape (n_units,)
        In [0, 1] but for noise; NaN where the signal power is not above 0.

    Raises
    ------
    UsageError
        A repeat is missing.

    References
    ----------
    Schoppe et al., 2016, Front Comput Neurosci 10, 10, doi:10.3389/fncom.2016.00010

    Examples
    --------
    >>> x = np.array([[[0.0], [1.0]], [[2.0], [1.0]], [[4.0], [5.0]]])
    >>> signal_power_ceiling(x).round(3)
    array([0.961])
    """
    responses = _checked(responses)
    power = _signal_power(responses)
    spread = responses.mean(axis=1).var(axis=0, ddof=1)
    good = (power > 0) & (spread > 0)
    share = np.divide(power, spread, out=np.full(power.shape, np.nan), where=good)
    return np.sqrt(share)


def _signal_power(responses: np.ndarray) -> np.ndarray:
    n = responses.shape[1]
    if not np.isfinite(responses).all():
        raise UsageError(
            "CC_norm needs every repeat of every stimulus. Use signal_and_noise (ceiling='ncsnr')."
        )
    power = responses.sum(axis=1).var(axis=0, ddof=1) - responses.var(axis=0, ddof=1).sum(axis=0)
    return power / (n * (n - 1))


def normalised_correlation(
    responses: np.ndarray, predictions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Correlate predictions with responses as if there were no noise.

    .. math:: CC_{norm} = \frac{\mathrm{cov}(\bar x, \hat y)}{\sqrt{\mathrm{var}(\hat y)\, SP}},
              \qquad SP = \frac{\mathrm{var}(\sum_k x_k) - \sum_k \mathrm{var}(x_k)}{n (n - 1)}

    with all variances n - 1, so that no factor is left over. Its expectation for a perfect model
    is 1; single values may lie above.

    Parameters
    ----------
    responses : array, shape (n_stimuli, n_repeats, n_units)
        No repeat missing.
    predictions : array, shape (n_stimuli, n_units)
        Predicted without these responses.

    Returns
    -------
    normalised, raw : array, shape (n_units,)
        CC_norm, NaN where the signal power is not above 0; and the plain correlation.

    References
    ----------
    Schoppe et al., 2016, Front Comput Neurosci 10, 10, doi:10.3389/fncom.2016.00010

    Examples
    --------
    >>> x = np.array([[[0.0], [1.0]], [[2.0], [1.0]], [[4.0], [5.0]]])
    >>> norm, raw = normalised_correlation(x, np.array([[0.0], [1.0], [3.0]]))
    >>> float(raw[0].round(3)), float(norm[0].round(3))
    (0.996, 1.037)
    """
    responses, predictions = _checked(responses), np.asarray(predictions, float)
    power = _signal_power(responses)
    if predictions.shape != (len(responses), responses.shape[2]):
        raise UsageError(
            f"Predictions (n_stimuli, n_units) are wanted; got {predictions.shape} for responses "
            f"{responses.shape}."
        )
    mean = responses.mean(axis=1)
    covariance = ((mean - mean.mean(axis=0)) * (predictions - predictions.mean(axis=0))).sum(
        axis=0
    ) / (len(mean) - 1)
    scale = predictions.var(axis=0, ddof=1) * power
    good = (power > 0) & (scale > 0)
    normalised = np.full(len(power), np.nan)
    normalised[good] = covariance[good] / np.sqrt(scale[good])
    return normalised, _correlate(mean, predictions)


def _correlate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), scale, out=np.full(len(scale), np.nan), where=scale > 0)


def _checked(responses: np.ndarray) -> np.ndarray:
    responses = np.asarray(responses, dtype=np.float64)
    if responses.ndim != 3 or len(responses) < 3 or responses.shape[1] < 2:
        raise UsageError(
            "Responses (n_stimuli, n_repeats, n_units) with three stimuli and two repeats or more "
            f"are wanted; got {responses.shape}."
        )
    known = np.isfinite(responses)
    if not (known.all(axis=2) | ~known.any(axis=2)).all():
        raise UsageError("A repeat is there for every unit, or missing (NaN) for every unit.")
    few = int((known.all(axis=2).sum(axis=1) < 2).sum())
    if few:
        raise UsageError(f"{few} stimuli have fewer than two repeats. Leave them out.")
    # About a value of its own a constant unit is exactly 0, whatever its level.
    return responses - responses[known.all(axis=2)][0]
