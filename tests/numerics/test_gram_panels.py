"""Panels of the lower half of a Gram matrix, beside the whole product."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from neuroai.numerics.gram_panels import WHOLE, GramPanels

EXACT = 1e-12
MANY = 2**30


def _whole(gram: GramPanels) -> np.ndarray:
    out = np.full((gram.n_stimuli,) * 2, np.nan)
    for rows, products in gram:
        out[rows, : rows.stop] = products
    return out[np.tril_indices(len(out))]


@pytest.mark.parametrize("offset", [0.0, 50.0])
@pytest.mark.parametrize(("shape", "block_bytes"), [
    ((WHOLE + 3, 40), MANY), ((5, 300), MANY), ((5, 300), 5 * 8 * 70), ((4, 1), 1),
])  # fmt: skip
def test_the_panels_are_the_product_about_a_common_point(shape, block_bytes, offset):
    """One panel and several, units at once and in chunks, patterns near 0 and far from it."""
    patterns = np.random.default_rng(0).standard_normal(shape) + offset
    gram = GramPanels.of(patterns, block_bytes=block_bytes)
    kept = offset == 0 and patterns.nbytes <= block_bytes and shape[1] > 1
    about = patterns if kept and _is_raw(gram, patterns) else patterns - patterns.mean(axis=0)
    wanted = about @ about.T
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(_whole(gram), wanted[np.tril_indices(shape[0])], atol=EXACT * scale)
    np.testing.assert_allclose(gram.squares, np.diagonal(wanted), atol=EXACT * scale)


def _is_raw(gram: GramPanels, patterns: np.ndarray) -> bool:
    return bool(np.isclose(gram.squares.sum(), (patterns**2).sum()))


def test_patterns_far_from_0_are_centred_and_near_it_taken_as_they_are():
    """A mean with a tenth of the squares would cost digits; without one no copy is made."""
    patterns = np.random.default_rng(1).standard_normal((60, 50)).astype(np.float32)
    near, far = (GramPanels.of(patterns + shift, block_bytes=MANY) for shift in (0, 100))
    assert near.squares.sum() == pytest.approx((patterns.astype(float) ** 2).sum(), rel=1e-6)
    centred = patterns - patterns.mean(axis=0)
    # The shifted patterns hold four digits less.
    assert far.squares.sum() == pytest.approx((centred.astype(float) ** 2).sum(), rel=1e-3)


def test_memory_that_is_read_only_is_read_without_a_warning_and_left_alone():
    """torch would warn of it, and warnings are errors here."""
    patterns = np.random.default_rng(2).standard_normal((6, 50))
    before = patterns.copy()
    patterns.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = _whole(GramPanels.of(patterns, block_bytes=MANY))
    assert np.isfinite(found).all() and np.array_equal(patterns, before)


def test_values_that_are_not_finite_show_in_the_squares():
    """Whoever asks for distances says so in words."""
    patterns = np.ones((3, 4))
    patterns[1, 2] = np.nan
    assert not np.isfinite(GramPanels.of(patterns, block_bytes=MANY).squares).all()
