"""Ceilings on simulated truth: a perfect model reaches 1, and r, r² and reliability stay apart."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.reliability import (
    normalised_correlation,
    signal_and_noise,
    signal_power_ceiling,
    split_half,
)

EXACT = 1e-10  # float64 sums
N_STIMULI, N_REPEATS, N_UNITS = 200, 6, 400
# A perfect model's normalised score, averaged over 400 units.
PERFECT = 0.02


def _simulate(seed=0, *, snr=1.0, n_repeats=N_REPEATS):
    """Simulated: signal of variance snr², noise of variance 1, all units alike."""
    rng = np.random.default_rng(seed)
    signal = snr * rng.standard_normal((N_STIMULI, N_UNITS))
    noise = rng.standard_normal((N_STIMULI, n_repeats, N_UNITS))
    return signal, signal[:, None] + noise


def _r(a, b):
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))


@pytest.mark.parametrize("snr", [0.5, 1.0, 3.0])
def test_a_perfect_model_reaches_one(snr):
    """The noiseless signal over each ceiling of r averages 1.00 ± .02, by three estimators."""
    signal, responses = _simulate(snr=snr)
    raw = _r(signal, responses.mean(axis=1))
    for ceiling in (split_half(responses).ceiling_r, signal_and_noise(responses).ceiling_r):
        assert np.nanmean(raw / ceiling) == pytest.approx(1, abs=PERFECT)
    normalised, plain = normalised_correlation(responses, signal)
    assert np.nanmean(normalised) == pytest.approx(1, abs=PERFECT)
    assert np.abs(plain - raw).max() < EXACT
    assert np.nanmax(np.abs(raw / signal_power_ceiling(responses) - normalised)) < EXACT


@pytest.mark.parametrize("snr", [0.5, 1.0, 3.0])
def test_the_three_quantities_follow_their_formulas(snr):
    """Reliability and explainable variance are s/(s + 1/k), the ceiling of r its square root."""
    _, responses = _simulate(snr=snr)
    truth = snr**2 / (snr**2 + 1 / N_REPEATS)
    assert np.nanmean(split_half(responses).full) == pytest.approx(truth, abs=PERFECT)
    found = signal_and_noise(responses)
    assert np.nanmean(found.explainable) == pytest.approx(truth, abs=PERFECT)
    assert np.nanmean(found.ceiling_r) == pytest.approx(np.sqrt(truth), abs=PERFECT)
    assert found.ncsnr.mean() == pytest.approx(snr, abs=2 * PERFECT * max(1, snr))


def test_an_odd_number_of_repeats_is_corrected_to_all_of_them():
    """With five repeats halves have two; the correction goes from two to five."""
    _, responses = _simulate(snr=1.0, n_repeats=5)
    assert np.nanmean(split_half(responses).full) == pytest.approx(1 / 1.2, abs=PERFECT)


def test_unequal_repeats_are_averaged_by_their_inverse():
    """NSD's formula: noise in the mean response is σ² times the mean of 1 / repeats."""
    signal, responses = _simulate(snr=1.0)
    responses[: N_STIMULI // 2, 3:] = np.nan
    found = signal_and_noise(responses)
    assert found.mean_inverse_repeats == pytest.approx((1 / 3 + 1 / 6) / 2)
    raw = _r(signal, np.nanmean(responses, axis=1))
    assert np.nanmean(raw / found.ceiling_r) == pytest.approx(1, abs=PERFECT)


def test_equal_repeats_give_the_signal_power_of_sahani_and_linden():
    """(n var(mean) - mean of var) / (n - 1), over stimuli."""
    _, x = _simulate(snr=0.7)
    n = x.shape[1]
    power = (n * x.mean(axis=1).var(axis=0, ddof=1) - x.var(axis=0, ddof=1).mean(axis=0)) / (n - 1)
    # Both are unbiased and differ in which mean over repeats they remove.
    assert signal_and_noise(x).signal.mean() == pytest.approx(power.mean(), abs=PERFECT)
    _, raw = normalised_correlation(x, x.mean(axis=1))
    assert raw == pytest.approx(np.ones(N_UNITS))


def test_units_without_signal_are_counted():
    """Noise alone: about half of the estimates lie below 0, and these have no ceiling."""
    _, responses = _simulate(snr=0.0)
    found, halves = signal_and_noise(responses), split_half(responses)
    assert found.n_undefined == np.isnan(found.ceiling_r).sum() == (found.signal <= 0).sum()
    assert N_UNITS * 0.3 < found.n_undefined < N_UNITS * 0.7
    assert halves.n_undefined == np.isnan(halves.ceiling_r).sum() > N_UNITS * 0.3


def test_a_constant_unit_is_undefined():
    """Neither signal nor noise: no ceiling, by any estimator."""
    _, responses = _simulate()
    responses[:, :, 0] = 4.2
    normalised, raw = normalised_correlation(responses, responses.mean(axis=1))
    for value in (
        split_half(responses).full[0],
        signal_and_noise(responses).explainable[0],
        normalised[0],
        raw[0],
    ):
        assert np.isnan(value)


def test_noiseless_responses_have_a_ceiling_of_one():
    """A network that repeats itself exactly can be predicted wholly."""
    signal, _ = _simulate()
    same = np.repeat(signal[:, None], 3, axis=1)
    found = signal_and_noise(same)
    assert np.allclose(found.explainable, 1) and np.isinf(found.ncsnr).all()
    assert np.allclose(split_half(same).full, 1)


@pytest.mark.parametrize(
    ("responses", "said"),
    [
        (np.zeros((5, 2)), r"three stimuli and two repeats or more are wanted; got \(5, 2\)"),
        (np.zeros((5, 1, 3)), r"got \(5, 1, 3\)"),
        (np.array([[[0.0], [np.nan]]] * 3), "3 stimuli have fewer than two repeats"),
        (np.array([[[0.0, np.nan], [1.0, 1.0]]] * 3), "for every unit, or missing"),
    ],
)
def test_wrong_input_is_told(responses, said):
    """Shapes and missing repeats."""
    for function in (split_half, signal_and_noise):
        with pytest.raises(UsageError, match=said):
            function(responses)


def test_missing_repeats_and_shapes_of_predictions_are_told():
    """CC_norm takes whole tables only."""
    _, responses = _simulate()
    with pytest.raises(UsageError, match=r"Predictions \(n_stimuli, n_units\) are wanted"):
        normalised_correlation(responses, np.zeros((3, 3)))
    responses[0, 0] = np.nan
    with pytest.raises(UsageError, match="needs every repeat"):
        normalised_correlation(responses, np.zeros((N_STIMULI, N_UNITS)))


def test_a_shift_of_a_whole_repeat_is_no_noise_to_the_signal_power():
    """Simulated: sessions that differ in level lower the ceiling of variances alone."""
    _, responses = _simulate(snr=1.0)
    shifted = responses + 0.8 * np.arange(responses.shape[1])[:, None]
    steady = signal_power_ceiling(responses)
    assert np.nanmax(np.abs(signal_power_ceiling(shifted) - steady)) < EXACT
    assert np.nanmean(signal_and_noise(shifted).ceiling_r) < np.nanmean(steady) - 0.05


def test_the_signal_power_needs_every_repeat_and_some_signal():
    """A missing repeat is refused; a unit of noise alone has no ceiling."""
    _, responses = _simulate(snr=1.0)
    broken = responses.copy()
    broken[0, 0] = np.nan
    with pytest.raises(UsageError, match="CC_norm needs every repeat"):
        signal_power_ceiling(broken)
    flat = np.stack([np.arange(4.0), -np.arange(4.0)], axis=1)[:, :, None]
    assert np.isnan(signal_power_ceiling(flat)).all()
