"""What takes tensors, by name: jobs that give the same on every device and in either precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from neuroai.numerics.cka import cka, debiased_hsic, jackknife_cka, permute_cka
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.encoding import Encoded, encode
from neuroai.numerics.encoding_null import encoding_null
from neuroai.numerics.folds import group_folds
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.neighbourhoods import within_radius
from neuroai.numerics.ranks_float32 import average_ranks_of
from neuroai.numerics.rdm_movie import movie_rsa, rdm_movie
from neuroai.numerics.reductions import count_sketch, sparse_projection
from neuroai.numerics.ridge import as_kernel, fit_ridge, predict_ridge
from neuroai.numerics.ridge_penalty import choose_penalties, fit_ridge_cv
from neuroai.numerics.searchlight_lda import searchlight_lda
from neuroai.numerics.searchlight_rsa import searchlight_rsa

# Sums of float32 in another order, relative to the largest value.
AGREES = 1e-5
# Targets and folds that another penalty was chosen for, all but tied, with other predictions.
CHOSEN_OTHERWISE = 0.03
N_STIMULI, N_UNITS, N_TIMES = 120, 700, 6
RNG = np.random.default_rng(17)
X = RNG.standard_normal((N_STIMULI, N_UNITS)) + 3
Y = X @ RNG.standard_normal((N_UNITS, 40)) / 20 + RNG.standard_normal((N_STIMULI, 40))
MOVIE = RNG.standard_normal((30, 20, N_TIMES)) + 1
MODELS = RNG.random((3, 30 * 29 // 2))
SPACE = RNG.uniform(0, 6, (N_UNITS, 3))
NEAR = within_radius(SPACE, radius=1.5)
LABELS = [f"class{i % 3}" for i in range(N_STIMULI)]
RUNS = [i // 24 for i in range(N_STIMULI)]
FOLDS = group_folds([str(i) for i in range(N_STIMULI)], n_folds=4)
ORDERS = np.stack([RNG.permutation(N_STIMULI) for _ in range(3)])
for _array in (X, Y, MOVIE, MODELS, SPACE, ORDERS):
    _array.setflags(write=False)

To = Callable[[np.ndarray], torch.Tensor]


def _inner(rows: np.ndarray):
    return group_folds([str(i) for i in rows], n_folds=3)


def _grams(to: To) -> tuple[torch.Tensor, torch.Tensor]:
    return centred_gram(to(X)), centred_gram(to(Y))


# Each takes what turns an array into a tensor somewhere and gives a number or array.
STAY = {
    "gram": lambda to: centred_gram(to(X)),
    "gram in blocks": lambda to: centred_gram(to(X), block_bytes=200_000),
    "squared Euclidean": lambda to: squared_euclidean(to(X)),
    "correlation distance": lambda to: correlation_distance(to(X)),
    "count-sketch": lambda to: count_sketch(N_UNITS, 64)(to(X).float()),
    "sparse projection": lambda to: sparse_projection(N_UNITS, 64)(to(X).float()),
    "ranks": lambda to: average_ranks_of(to(np.round(X, 1))),
}
LEAVE = {
    "hsic": lambda to: debiased_hsic(*_grams(to)),
    "cka": lambda to: cka(*_grams(to)),
    "cka, biased": lambda to: cka(*_grams(to), estimator="biased"),
    "cka, jackknife": lambda to: jackknife_cka(*_grams(to)).standard_error,
    "cka, permuted": lambda to: permute_cka(*_grams(to), permutations=ORDERS),
    "rdm movie": lambda to: rdm_movie(to(MOVIE)),
    "rdm movie, Euclid": lambda to: rdm_movie(to(MOVIE), distance="squared-euclidean", window=3),
    "rsa in time, pearson": lambda to: movie_rsa(to(MOVIE), MODELS, method="pearson"),
    "rsa in time, spearman": lambda to: movie_rsa(to(MOVIE), MODELS, method="spearman"),
    "rsa in time, several": lambda to: movie_rsa(to(np.stack([MOVIE, MOVIE[::-1]])), MODELS),
    "searchlight, pearson": lambda to: searchlight_rsa(
        to(X[:30]), MODELS, neighbourhoods=NEAR, method="pearson"),
    "searchlight, spearman": lambda to: searchlight_rsa(
        to(X[:30]), MODELS, neighbourhoods=NEAR, method="spearman"),
    "searchlight, Euclid": lambda to: searchlight_rsa(
        to(X[:30]), MODELS, neighbourhoods=NEAR, method="cosine", distance="squared-euclidean"),
    "searchlight LDA": lambda to: searchlight_lda(to(X), LABELS, RUNS, neighbourhoods=NEAR),
    "searchlight LDA, fixed": lambda to: searchlight_lda(
        to(X), LABELS, RUNS, neighbourhoods=NEAR, shrinkage=0.3),
    "ridge": lambda to: fit_ridge(to(X), to(Y), penalties=100.0).weights,
    "ridge, new rows": lambda to: predict_ridge(to(X[:90]), to(Y[:90]), to(X[90:]), penalties=9.0),
    "ridge, folds": lambda to: choose_penalties(to(X), to(Y), folds=FOLDS).scores,
    "ridge, leave-one-out": lambda to: choose_penalties(to(X), to(Y), rule="leave-one-out").scores,
    "ridge, generalised": lambda to: choose_penalties(to(X), to(Y), rule="generalised").scores,
    "ridge, chosen": lambda to: fit_ridge_cv(to(X), to(Y), folds=FOLDS)[0].weights,
    "encoding": lambda to: encode(to(X), to(Y), folds=FOLDS, inner=_inner),
    "encoding, one-out": lambda to: encode(to(X), to(Y), folds=FOLDS, rule="leave-one-out"),
    "kernel encoding": lambda to: encode(
        as_kernel(centred_gram(to(X))), to(Y), folds=FOLDS, inner=_inner),
    "encoding null": lambda to: encoding_null(to(X), Y, folds=FOLDS, permutations=ORDERS),
    "encoding null, fast": lambda to: encoding_null(
        to(X), Y, folds=FOLDS, permutations=ORDERS, rule="generalised"),
}  # fmt: skip
JOBS = STAY | LEAVE


def numbers(found: object) -> np.ndarray:
    """Give what a job gave as an array of float64 here."""
    return np.asarray(found.cpu() if isinstance(found, torch.Tensor) else found, dtype=float)


def assert_agree(here: object, there: object, *, bound: float) -> None:
    """Hold two results together, and encoding wherever both choose the same penalty."""
    if isinstance(here, Encoded):
        for a, b in ((here.r, there.r), (here.r2, there.r2)):
            # A score that is undefined on one side alone is far.
            far = ~np.isclose(a, b, rtol=0, atol=bound, equal_nan=True)
            assert not (far & (here.penalties == there.penalties)).any()
            assert far.mean() <= CHOSEN_OTHERWISE
        return
    here, there = numbers(here), numbers(there)
    assert np.array_equal(np.isnan(here), np.isnan(there))
    assert np.nanmax(np.abs(here - there)) <= bound * np.nanmax(np.abs(here))
