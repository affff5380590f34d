"""Layer by layer grids from cached factors, beside the same numbers worked out pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from neuroai.numerics.canonical import canonical_basis, canonical_grid
from neuroai.numerics.cka import cka
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid

N_LAYERS, N_STIMULI, N_UNITS = 20, 1_000, 2_000


def pairwise_cka(a, b):
    """Linear CKA in feature space, as it is often written."""
    a, b = a - a.mean(0), b - b.mean(0)
    between = np.linalg.norm(b.T @ a) ** 2
    return between / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))


def pairwise_svcca(a, b):
    """SVCCA with a fresh decomposition for each pair."""
    kept = []
    for values in (a - a.mean(0), b - b.mean(0)):
        left, sizes, _ = np.linalg.svd(values, full_matrices=False)
        share = np.cumsum(sizes**2) / np.sum(sizes**2)
        kept.append(left[:, : np.searchsorted(share, 0.99) + 1])
    return np.linalg.svd(kept[0].T @ kept[1], compute_uv=False).mean()


def pairwise_procrustes(a, b):
    """The scale of the best rotation, from scipy."""
    a, b = a - a.mean(0), b - b.mean(0)
    return orthogonal_procrustes(a, b)[1] / (np.linalg.norm(a) * np.linalg.norm(b))


def grid_cka(layers):
    """Gram matrices once, then one product."""
    grams = np.stack([centred_gram(layer) for layer in layers])
    return cka(grams, grams, estimator="biased")


def grid_svcca(layers):
    """Bases once, then singular values of each unordered pair."""
    bases = [canonical_basis(layer, variance=0.99) for layer in layers]
    return canonical_grid(bases, bases)


def grid_procrustes(layers):
    """Roots of Gram matrices once, then singular values of each unordered pair."""
    factors = [procrustes_factor(layer) for layer in layers]
    return procrustes_grid(factors, factors)


JOBS = {
    "CKA": (grid_cka, pairwise_cka, 6),
    "SVCCA": (grid_svcca, pairwise_svcca, 2),
    "Procrustes": (grid_procrustes, pairwise_procrustes, 1),
}


@pytest.mark.parametrize("name", JOBS)
def test_similarity_grid_speed(duel, name):
    """Ours makes all 400 cells; the peer some of them, and its time is scaled."""
    ours, theirs, n_pairs = JOBS[name]
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((N_STIMULI, 50), dtype=np.float32)
    layers = [
        rng.standard_normal((N_STIMULI, N_UNITS), dtype=np.float32)
        + shared @ rng.standard_normal((50, N_UNITS), dtype=np.float32)
        for _ in range(N_LAYERS)
    ]
    small = [layer[:200, :60].astype(np.float64) for layer in layers[:2]]
    np.testing.assert_allclose(ours(small)[0, 1], theirs(*small), atol=1e-6)
    pairs = [(layers[k], layers[k + 1]) for k in range(n_pairs)]
    duel(
        f"{name} of {N_LAYERS} x {N_LAYERS} layers, {N_STIMULI} x {N_UNITS}, float32",
        lambda: ours(layers),
        lambda: [theirs(a, b) for a, b in pairs],
        peer="pair by pair",
        share=n_pairs / N_LAYERS**2,
        note=f"(theirs from {n_pairs} pairs)",
    )
