"""Minibatch alignment: terms averaged first, divided once; and what wrong averages would give."""

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.cka import cka, debiased_hsic
from neuroai.numerics.cka_minibatch import batches_of, minibatch_cka
from neuroai.numerics.gram import centred_gram
from neuroai.testing import EQUAL, EXACT, STANDARD_ERRORS, readonly


def layers(seed, sizes=(12, 30), n_stimuli=48):
    """Draw layers that share a signal, read-only."""
    rng = np.random.default_rng(seed)
    signal = np.random.default_rng(1).standard_normal((n_stimuli, 4))
    return [
        readonly(signal @ rng.standard_normal((4, p)) + rng.standard_normal((n_stimuli, p)))
        for p in sizes
    ]


def cut(a, b, size):
    """Cut both sides into batches in order."""
    return [
        ([x[i : i + size] for x in a], [y[i : i + size] for y in b])
        for i in range(0, len(a[0]), size)
    ]


def test_one_batch_is_the_debiased_alignment():
    """Nothing is averaged, so nothing may change."""
    a, b = layers(0), layers(2, (7,))
    grams = [np.stack([centred_gram(x) for x in side]) for side in (a, b)]
    np.testing.assert_allclose(minibatch_cka(cut(a, b, 48)), cka(*grams), atol=EXACT)


def test_terms_are_averaged_before_they_are_divided():
    """Every term by its own function, averaged over 30 sets of batches by hand."""
    for seed in range(30):
        a, b = layers(seed, (5,)), layers(seed + 1000, (6,))
        terms = [
            [debiased_hsic(x @ x.T, y @ y.T) for x, y in ((p, q), (p, p), (q, q))]
            for [p], [q] in cut(a, b, 8)
        ]
        cross, own_a, own_b = np.mean(terms, axis=0)
        found = minibatch_cka(cut(a, b, 8))[0, 0]
        assert found == pytest.approx(cross / np.sqrt(own_a * own_b), abs=EQUAL)


def test_a_mean_of_batches_own_alignments_is_another_number():
    """The documented error, averaging ratios, is told apart from what is done here."""
    a, b = layers(3, (5,)), layers(4, (6,))
    ratios = [cka(p @ p.T, q @ q.T)[0, 0] for [p], [q] in cut(a, b, 8)]
    assert abs(minibatch_cka(cut(a, b, 8))[0, 0] - np.mean(ratios)) > 1e-3


def test_the_number_of_layers_does_not_enter():
    """The documented error of dividing by layers in place of batches would change every cell."""
    a, b = layers(5, (5, 6, 7)), layers(6, (6,))
    together = minibatch_cka(cut(a, b, 16))
    alone = [minibatch_cka(cut([x], b, 16))[0, 0] for x in a]
    np.testing.assert_allclose(together[:, 0], alone, atol=EXACT)


def test_independent_layers_align_at_zero_whatever_the_batch():
    """Over 200 draws of 16 stimuli and 100 units, in batches of 8, the mean is 0."""
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        a, b = rng.standard_normal((2, 16, 100))
        values.append(minibatch_cka(cut([a], [b], 8))[0, 0])
    assert abs(np.mean(values)) < STANDARD_ERRORS * np.std(values) / np.sqrt(len(values))


def test_batches_hold_every_stimulus_once_and_are_alike():
    """Sizes differ by at most one, and never fall below four."""
    for n in range(4, 60):
        batches = batches_of(n, batch_size=8, seed=n)
        assert sorted(np.concatenate(batches).tolist()) == list(range(n))
        sizes = [len(batch) for batch in batches]
        assert max(sizes) - min(sizes) <= 1 and min(sizes) >= 4 and max(sizes) <= 8


def test_a_dead_layer_is_undefined_and_wrong_calls_say_what_to_do():
    """No variance has no alignment; unequal batches, too few stimuli and no batch are refused."""
    x = layers(0, (3,))[0]
    assert np.isnan(minibatch_cka([([np.ones((8, 3))], [x[:8]])])).all()
    with pytest.raises(UsageError, match="at least one batch; got none"):
        minibatch_cka([])
    with pytest.raises(UsageError, match="same layers; got"):
        minibatch_cka([([x], [x]), ([x, x], [x])])
    with pytest.raises(UsageError, match=r"at least 4; got \[3\]"):
        minibatch_cka([([x[:3]], [x[:3]])])
    with pytest.raises(UsageError, match="same stimuli; got 8 and 9"):
        minibatch_cka([([x[:8]], [x[:9]])])
    with pytest.raises(UsageError, match="batch_size of at least 8; got 20 stimuli and batch_si"):
        batches_of(20, batch_size=6)
