"""Every registered metric keeps what its card says: identity, range, symmetry, blindness."""

from __future__ import annotations

import doctest
import importlib
import inspect
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from neuroai.comparison.catalogue import METRICS
from neuroai.registry import Entry
from neuroai.testing import EXACT

N_STIMULI, N_OPTIONS = 24, 5
ENTRIES = [pytest.param(entry, id=entry.card.name) for entry in METRICS.entries()]
Pair = tuple[np.ndarray, np.ndarray]


def _positive(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(0.1, 2, size=(n, N_STIMULI * (N_STIMULI - 1) // 2))


def _inputs(entry: Entry, seed: int) -> Pair:
    """Two independent answers of the form that the metric compares, three subjects and two."""
    rng, card = np.random.default_rng(seed), entry.card
    if card.compares == "rdm":
        pair = _positive(rng, 3), _positive(rng, 2)
    elif card.compares == "responses":
        pair = rng.normal(size=(N_STIMULI, 12)), rng.normal(size=(N_STIMULI, 9))
    elif card.compares == "confusion":
        shapes = (3, N_OPTIONS, N_OPTIONS), (2, N_OPTIONS, N_OPTIONS)
        pair = tuple(rng.integers(0, 30, size=shape).astype(float) for shape in shapes)
    elif card.compares in ("choices", "table"):
        # Guessing among k codes agrees by chance on 1 / k; right or wrong are two codes.
        k = round(1 / card.chance) if card.chance else 2
        pair = tuple(rng.integers(k, size=(n, N_STIMULI)).astype(float) for n in (3, 2))
    else:
        pytest.fail(f"'{card.name}' compares {card.compares}: say here how such inputs are made")
    for values in pair:
        values.setflags(write=False)
    return pair


def _stimuli_moved(pair: Pair, *, compares: str) -> Pair:
    """Put the stimuli (or options) of both sides into one other order."""
    rng = np.random.default_rng(99)
    if compares == "confusion":
        order = rng.permutation(N_OPTIONS)
        return tuple(values[:, order][:, :, order] for values in pair)
    axis = 0 if compares == "responses" else 1
    order = rng.permutation(pair[0].shape[axis])
    return tuple(np.take(values, order, axis=axis) for values in pair)


def _rotated(pair: Pair, *, compares: str) -> Pair:
    rotation = np.linalg.qr(np.random.default_rng(98).normal(size=(pair[0].shape[1],) * 2))[0]
    return pair[0] @ rotation, pair[1]


BLINDNESS: dict[str, Callable[..., Pair]] = {
    "scale": lambda pair, *, compares: (3 * pair[0], pair[1]),
    "offset": lambda pair, *, compares: (pair[0] + 2, pair[1]),
    "monotone": lambda pair, *, compares: (pair[0] ** 3, pair[1]),
    "rotation": _rotated,
    "order": _stimuli_moved,
}


def _value(entry: Entry, pair: Pair) -> np.ndarray:
    return np.asarray(entry.function(*pair), dtype=float)


@pytest.mark.parametrize("entry", ENTRIES)
def test_perfect_with_itself(entry):
    """An answer compared with itself has the perfect score."""
    a, _ = _inputs(entry, 0)
    value = _value(entry, (a, a))
    own = np.diag(value) if value.ndim == 2 else value
    np.testing.assert_allclose(own, entry.card.perfect, atol=EXACT)


@pytest.mark.parametrize("entry", ENTRIES)
def test_within_the_stated_range(entry):
    """No score is farther from perfect than the worst, and none is better than perfect."""
    card = entry.card
    for seed in range(30):
        value = _value(entry, _inputs(entry, seed))
        assert np.isfinite(value).all(), f"seed {seed}"
        assert (np.abs(value - card.perfect) <= abs(card.worst - card.perfect) + EXACT).all()
        if card.symmetric:
            low, high = sorted((card.perfect, card.worst))
            assert (value >= low - EXACT).all() and (value <= high + EXACT).all()


@pytest.mark.parametrize("entry", ENTRIES)
def test_symmetric_exactly_when_it_says_so(entry):
    """Swapping the sides transposes the scores if, and only if, the card says so."""
    a, b = _inputs(entry, 1)
    there, back = _value(entry, (a, b)), _value(entry, (b, a)).T
    assert np.allclose(there, back, atol=EXACT) == entry.card.symmetric


@pytest.mark.parametrize(
    "entry, name",
    [
        pytest.param(entry, name, id=f"{entry.card.name}-{name}")
        for entry in METRICS.entries()
        for name in entry.card.ignores
    ],
)
def test_blind_to_what_it_ignores(entry, name):
    """What the card says is ignored leaves the score as it is."""
    assert name in BLINDNESS, f"say here how to change the {name!r} of an answer"
    pair = _inputs(entry, 2)
    changed = BLINDNESS[name](pair, compares=entry.card.compares)
    assert not np.array_equal(changed[0], pair[0])
    np.testing.assert_allclose(_value(entry, changed), _value(entry, pair), atol=EXACT)


@pytest.mark.parametrize("entry", [p for p in ENTRIES if p.values[0].card.chance is not None])
def test_independent_answers_score_chance(entry):
    """The mean score of independent answers is the stated chance within 4 standard errors."""
    values = [_value(entry, _inputs(entry, seed)).mean() for seed in range(1000, 1400)]
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert abs(np.mean(values) - entry.card.chance) < 4 * error


@pytest.mark.parametrize(
    "entry",
    [p for p in ENTRIES if "weights" in inspect.signature(p.values[0].function).parameters],
)
def test_weights_repeat_stimuli(entry):
    """A stimulus of weight 2 counts as two copies, resample by resample."""
    a, b = _inputs(entry, 3)
    weights = np.random.default_rng(4).multinomial(N_STIMULI, np.full(N_STIMULI, 1 / N_STIMULI), 6)
    expected = [entry.function(np.repeat(a, w, axis=1), np.repeat(b, w, axis=1)) for w in weights]
    found = entry.function(a, b, weights=weights)
    assert found.shape == (6, len(a), len(b))
    np.testing.assert_allclose(found, expected, atol=EXACT)


@pytest.mark.parametrize("entry", [p for p in ENTRIES if p.values[0].card.compares == "choices"])
def test_missing_answers_are_left_out_by_pair(entry):
    """A subject's missing answers leave the scores of the other subjects as they are."""
    a, b = _inputs(entry, 5)
    gappy = a.copy()
    gappy[0, :4] = np.nan
    found, whole = _value(entry, (gappy, b)), _value(entry, (a, b))
    np.testing.assert_allclose(found[1:], whole[1:], atol=EXACT)
    np.testing.assert_allclose(found[0], _value(entry, (a[:1, 4:], b[:, 4:]))[0], atol=EXACT)


@pytest.mark.parametrize("entry", ENTRIES)
def test_data_by_position_and_options_by_name(entry):
    """Two data arguments stand first; every option is given by name."""
    parameters = list(inspect.signature(entry.function).parameters.values())
    assert [parameter.name for parameter in parameters[:2]] == ["a", "b"]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters[2:])


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_example_runs(entry):
    """The docstring has an example, and it gives what it prints."""
    module = importlib.import_module(entry.function.__module__)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = [case for case in doctest.DocTestFinder().find(module) if case.examples]
    assert found, f"{entry.path} has no example"
    runner = doctest.DocTestRunner(optionflags=flags)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sum(runner.run(case).failed for case in found) == 0
