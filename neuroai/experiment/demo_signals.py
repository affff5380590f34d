"""Signals of a simulated brain: BOLD series, scalp potentials and spikes that carry patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.stats import gamma

TR = 1.5
GAPS = (3.0, 4.5, 6.0)  # s from trial to trial, whole scans
REST = 12.0  # s before the first trial and after the last
DURATION = 1.0
BASELINE = 1000.0
RESPONSE, SCANNER_NOISE, DRIFT, MEMORY = 0.01, 0.006, 0.02, 0.3

RATE = 40.0  # Hz
SPACING = 1.0  # s from picture to picture
SCALP_TIMES = (0.16, 0.22, 0.28)  # s, when each of three mixtures of the pattern peaks
SCALP_WIDTH = 0.03
SCALP_SPAN = (0.1, 0.34)
MICROVOLT = 1e-6
SCALP_SIGNAL, SCALP_NOISE, SCALP_MEMORY = 10.0, 6.0, 0.9

FIRING = 25.0  # spikes a second
DEPTH = 0.5
SHOWN, PAUSE = 0.4, 1.0  # s
LASER_LEFT = 0.2  # share of the module's firing that the laser leaves


@dataclass(frozen=True)
class Shown:
    """What was shown when, in one run.

    Attributes
    ----------
    order : array of int, shape (n_trials,)
        Row of the stimulus in every trial.
    onsets : array, shape (n_trials,)
        Seconds from the start of the run.
    """

    order: np.ndarray
    onsets: np.ndarray


def mixed(layer: np.ndarray, n_units: int, rng: np.random.Generator) -> np.ndarray:
    """Mix a layer at random into units of standard deviation 1 over all entries.

    Patterns are centred over the layer's units first: their correlations, and so the layer's
    correlation distances, survive a random mixture.

    Parameters
    ----------
    layer : array, shape (n_stimuli, n_features)
        Activity of the layer.

    Returns
    -------
    array, shape (n_stimuli, n_units)
    """
    centred = layer - layer.mean(axis=1, keepdims=True)
    signal = centred @ rng.standard_normal((layer.shape[1], n_units))
    return signal / signal.std()


def scanner_trials(n_stimuli: int, rng: np.random.Generator) -> Shown:
    """Show every stimulus once, in random order, 3 to 6 s apart."""
    gaps = rng.choice(GAPS, n_stimuli)
    return Shown(rng.permutation(n_stimuli), REST + np.cumsum(gaps) - gaps[0])


def double_gamma(seconds: np.ndarray) -> np.ndarray:
    """Give the double-gamma response to an instant, largest value 1.

    .. math:: h(t) \\propto g_6(t) - g_{16}(t) / 6

    where g_k is the gamma density of shape k and scale 1 s: a peak after 5 s, then an undershoot.

    Examples
    --------
    >>> float(double_gamma(np.array([0.0, 5.0])).round(3)[0])
    0.0
    >>> int(double_gamma(np.arange(0.0, 20.0)).argmax())
    5
    """
    fine = np.linspace(0, 30, 3001)
    largest = (gamma.pdf(fine, 6) - gamma.pdf(fine, 16) / 6).max()
    return (gamma.pdf(seconds, 6) - gamma.pdf(seconds, 16) / 6) / largest


def bold(shown: Shown, patterns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make a run of scans: responses to trials, drifts and noise that remembers itself.

    Parameters
    ----------
    shown : Shown
        The trials.
    patterns : array, shape (n_stimuli, n_voxels)
        Response of every voxel in units of 1 % of its baseline, beside a common response of 1 %.

    Returns
    -------
    array, shape (n_scans, n_voxels)
        Arbitrary units of the scanner, around 1,000.
    """
    n_scans = int((shown.onsets[-1] + REST + SHOWN) // TR)
    times = np.arange(n_scans) * TR
    # A second of stimulation is ten instants.
    instants = shown.onsets[:, None, None] + np.arange(0, DURATION, 0.1)
    responses = double_gamma(times[None, :, None] - instants).mean(axis=2)
    signal = RESPONSE * responses.T @ (1 + patterns[shown.order])
    n_voxels = patterns.shape[1]
    phase = rng.uniform(0, 2 * np.pi, n_voxels)
    slow = np.sin(2 * np.pi * times[:, None] / times[-1] + phase)
    line = np.outer(np.linspace(-1, 1, n_scans), rng.standard_normal(n_voxels))
    noise = _remembering(rng.standard_normal((n_scans, n_voxels)), MEMORY)
    return BASELINE * (1 + signal + DRIFT * (slow + line) / 2 + SCANNER_NOISE * noise)


def _remembering(white: np.ndarray, memory: float) -> np.ndarray:
    """Turn white noise into an autoregression of order 1 and standard deviation 1, over rows."""
    return np.sqrt(1 - memory**2) * lfilter([1.0], [1.0, -memory], white, axis=0)


def picture_trials(n_stimuli: int, n_repeats: int, rng: np.random.Generator) -> Shown:
    """Show every stimulus so many times, in random order, one second apart."""
    order = np.concatenate([rng.permutation(n_stimuli) for _ in range(n_repeats)])
    return Shown(order, 1.0 + SPACING * np.arange(len(order)))


def scalp(shown: Shown, layer: np.ndarray, n_channels: int, rng: np.random.Generator) -> np.ndarray:
    """Make potentials that carry a layer's patterns from 0.1 to 0.34 s after every onset.

    Parameters
    ----------
    layer : array, shape (n_stimuli, n_features)
        Activity of the layer; three random mixtures of it follow one another.

    Returns
    -------
    array, shape (n_channels, n_samples)
        Volts.
    """
    n_samples = int((shown.onsets[-1] + SPACING) * RATE)
    window = np.arange(int(0.5 * RATE)) / RATE
    response = np.zeros((len(layer), len(window), n_channels))
    for peak in SCALP_TIMES:
        course = np.exp(-0.5 * ((window - peak) / SCALP_WIDTH) ** 2)
        course[(window < SCALP_SPAN[0]) | (window > SCALP_SPAN[1])] = 0
        response += course[None, :, None] * mixed(layer, n_channels, rng)[:, None, :]
    values = SCALP_NOISE * _remembering(rng.standard_normal((n_samples, n_channels)), SCALP_MEMORY)
    for row, onset in zip(shown.order, shown.onsets, strict=True):
        start = round(onset * RATE)
        values[start : start + len(window)] += SCALP_SIGNAL * response[row]
    return MICROVOLT * values.T


def spikes(shown: Shown, rates: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw Poisson spikes of every unit while stimuli are shown.

    Parameters
    ----------
    rates : array, shape (n_trials, n_units)
        Spikes a second in every trial.

    Returns
    -------
    list of array
        Sorted times in seconds, one array a unit.
    """
    counts = rng.poisson(rates * SHOWN)
    return [
        np.sort(np.repeat(shown.onsets, unit) + SHOWN * rng.random(int(unit.sum())))
        for unit in counts.T
    ]


def laser_trials(n_stimuli: int, rng: np.random.Generator) -> tuple[Shown, np.ndarray]:
    """Show every stimulus once without and once with the laser, in random order.

    Returns
    -------
    Shown
        The trials.
    array of bool, shape (n_trials,)
        Whether the laser was on.
    """
    order = rng.permutation(2 * n_stimuli)
    onsets = 1.0 + (SHOWN + PAUSE) * np.arange(2 * n_stimuli)
    return Shown(order % n_stimuli, onsets), order >= n_stimuli


def firing(
    patterns: np.ndarray, lit: np.ndarray, module: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """Give the rate of every unit in every trial; the laser takes most of the module's firing.

    Parameters
    ----------
    patterns : array, shape (n_stimuli, n_units)
        Of standard deviation 1.
    lit : array of bool, shape (n_trials,)
        Whether the laser was on.
    module : array of bool, shape (n_units,)
        Units that the laser silences.
    """
    rates = np.maximum(FIRING * (1 + DEPTH * patterns[order]), 1.0)
    return np.where(lit[:, None] & module, LASER_LEFT * rates, rates)
