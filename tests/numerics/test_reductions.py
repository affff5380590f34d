"""Random maps keep inner products, and principal components are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from neuroai.errors import DataError, UsageError
from neuroai.numerics.reductions import count_sketch, principal_components, sparse_projection

SINGLE = 1e-4  # float32 sums over some thousands of terms, relative to the largest
DRAWS = 400


@pytest.mark.parametrize("p, k", [(1, 1), (10, 4), (37, 36), (5000, 7), (600, 600)])
def test_a_sketch_is_a_signed_sum_into_buckets(p, k):
    """By the definition, unit by unit, with few blocks and with many."""
    sketch = count_sketch(p, k, seed=3)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((3, p)).astype("f"))
    expected = np.zeros((3, k))
    np.add.at(expected.T, sketch.buckets(), (x * sketch.signs).numpy().T)
    assert np.abs(sketch(x).numpy() - expected).max() < SINGLE * max(1, np.abs(expected).max())
    assert np.abs(sketch._gathered(x).numpy() - expected).max() < SINGLE * np.abs(expected).max()
    counts = np.bincount(sketch.buckets(), minlength=k)
    assert counts.max() - counts.min() <= 2


@pytest.mark.parametrize("draw", [count_sketch, sparse_projection])
def test_inner_products_are_kept_on_average(draw):
    """Over 400 draws the mean lies within four standard errors of the true inner product."""
    x, y = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 1, 300)).astype("f"))
    y = x + y
    found = []
    for seed in range(DRAWS):
        small = draw(300, 40, seed=seed)
        found.append(float((small(x) * small(y)).sum()))
    truth, error = float((x * y).sum()), np.std(found, ddof=1) / np.sqrt(DRAWS)
    assert abs(np.mean(found) - truth) < 4 * error
    # The stated bound of a count-sketch's variance, with the chi-square spread of 400 draws.
    if draw is count_sketch:
        bound = 2 * float((x**2).sum() * (y**2).sum()) / 40
        assert np.var(found, ddof=1) < bound * (1 + 4 * np.sqrt(2 / DRAWS))


@pytest.mark.parametrize("draw", [count_sketch, sparse_projection])
def test_a_seed_draws_the_same_again(draw):
    """The map hangs on sizes and seed alone."""
    x = torch.ones(1, 50)
    assert torch.equal(draw(50, 8, seed=2)(x), draw(50, 8, seed=2)(x))
    assert not torch.equal(draw(50, 8, seed=2)(x), draw(50, 8, seed=4)(x))


@pytest.mark.parametrize("draw", [count_sketch, sparse_projection])
@pytest.mark.parametrize(
    ("k", "seed", "said"), [(0, 0, "got 0"), (6, 0, "got 6"), (2, -1, "from 0; got -1")]
)
def test_sizes_and_seeds_out_of_range_are_told(draw, k, seed, said):
    """More features than units, none, or a negative seed."""
    with pytest.raises(UsageError, match=said):
        draw(5, k, seed=seed)


def test_components_are_those_of_scikit_learn():
    """Scores agree up to the sign, which is fixed here."""
    x = np.random.default_rng(2).standard_normal((30, 80)) @ np.diag(np.linspace(1, 4, 80))
    fitted = principal_components(x.astype("f"), 5)
    found, expected = fitted(torch.from_numpy(x.astype("f"))).numpy(), PCA(5).fit_transform(x)
    signs = np.sign((found * expected).sum(axis=0))
    assert np.abs(found - signs * expected).max() < SINGLE * np.abs(expected).max() * 10
    largest = fitted.components.abs().argmax(dim=0)
    assert bool((fitted.components[largest, torch.arange(5)] > 0).all())


def test_too_few_directions_are_told():
    """More components than stimuli allow, or than the stimuli vary along."""
    with pytest.raises(UsageError, match="allow 1 to 2 principal components; got 3"):
        principal_components(np.eye(3), 3)
    flat = np.outer(np.arange(6.0), np.ones(4))
    with pytest.raises(DataError, match="vary along 1 directions; 2 are asked for"):
        principal_components(flat, 2)
