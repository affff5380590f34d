"""On a graphics card: what takes tensors runs there and agrees with the processor, or raises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from neuroai.numerics.canonical import canonical_basis
from neuroai.numerics.cka import cka, debiased_hsic, jackknife_cka, permute_cka
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.decoding import decode
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.encoding import encode
from neuroai.numerics.encoding_null import encoding_null
from neuroai.numerics.folds import group_folds
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.neighbourhoods import within_radius
from neuroai.numerics.procrustes import procrustes_factor
from neuroai.numerics.ranks_float32 import average_ranks_of
from neuroai.numerics.rdm_movie import movie_rsa, rdm_movie
from neuroai.numerics.reductions import count_sketch, principal_components, sparse_projection
from neuroai.numerics.ridge import as_kernel, fit_ridge, predict_ridge
from neuroai.numerics.ridge_penalty import choose_penalties, fit_ridge_cv
from neuroai.numerics.searchlight_lda import searchlight_lda
from neuroai.numerics.searchlight_rsa import searchlight_rsa

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no cuda device is here")

# float32 sums in another order, relative to the largest value; and float64.
AGREES, AGREES_DOUBLE = 1e-5, 1e-10
# Where float32 itself lies 2e-4 to 4e-4 from float64: with more features than rows small penalties
# score all but alike, so that another one may be chosen; and ranks of distances that all but tie.
ROUNDED = 2e-4
FAR = ("searchlight, spearman", "ridge, generalised", "encoding", "encoding, one-out",
       "encoding null", "encoding null, fast")  # fmt: skip
# Principal components of float32 by two solvers; their signs are free.
SOLVERS = 1e-3
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
    "encoding": lambda to: encode(to(X), to(Y), folds=FOLDS, inner=_inner).r,
    "encoding, one-out": lambda to: encode(to(X), to(Y), folds=FOLDS, rule="leave-one-out").r,
    "kernel encoding": lambda to: encode(
        as_kernel(centred_gram(to(X))), to(Y), folds=FOLDS, inner=_inner).r2,
    "encoding null": lambda to: encoding_null(to(X), Y, folds=FOLDS, permutations=ORDERS),
    "encoding null, fast": lambda to: encoding_null(
        to(X), Y, folds=FOLDS, permutations=ORDERS, rule="generalised"),
}  # fmt: skip
JOBS = STAY | LEAVE


def _of(device: str, dtype: torch.dtype) -> To:
    return lambda array: torch.tensor(np.array(array), dtype=dtype, device=device)


def _numbers(found: object) -> np.ndarray:
    return np.asarray(found.cpu() if isinstance(found, torch.Tensor) else found, dtype=float)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("job", JOBS)
def test_the_card_agrees_with_the_processor(job, dtype):
    """The same job on both: what is undefined there is undefined here, and values agree."""
    here, there = (_numbers(JOBS[job](_of(device, dtype))) for device in ("cpu", "cuda"))
    single = ROUNDED if job in FAR else AGREES
    # A sketch of either precision sums in float32.
    sketched = job in ("count-sketch", "sparse projection")
    bound = single if sketched or dtype == torch.float32 else AGREES_DOUBLE
    assert np.array_equal(np.isnan(here), np.isnan(there))
    assert np.nanmax(np.abs(here - there)) <= bound * np.nanmax(np.abs(here))


@pytest.mark.parametrize("job", STAY)
def test_tensors_stay_on_their_card(job):
    """What gives a tensor gives it where its input was."""
    found = STAY[job](_of("cuda", torch.float32))
    assert found.device.type == "cuda"


@pytest.mark.parametrize("job", JOBS)
def test_the_work_is_done_there(job):
    """The card's memory is used beyond the input's own: nothing falls back in silence."""
    to = _of("cuda", torch.float32)
    JOBS[job](to)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
        JOBS[job](to)
    kernels = [event.key for event in seen.key_averages() if not event.key.startswith("Mem")]
    assert kernels and torch.cuda.max_memory_allocated() > before


def test_principal_components_agree():
    """The components' span, signs aside."""
    here, there = (
        _numbers(principal_components(to(X), 5)(to(X).float()))
        for to in (_of("cpu", torch.float32), _of("cuda", torch.float32))
    )
    assert np.abs(np.abs(here) - np.abs(there)).max() <= SOLVERS * np.abs(here).max()


NUMPY_ONLY = {
    "procrustes": lambda x: procrustes_factor(x),
    "canonical correlations": lambda x: canonical_basis(x),
    "crossnobis": lambda x: crossnobis(x, np.arange(N_STIMULI) % 5, np.arange(N_STIMULI) // 5),
    "decoding": lambda x: decode(x, LABELS, RUNS),
    "comparators": lambda x: compare_rdms(x, x, method="pearson"),
}


@pytest.mark.parametrize("job", NUMPY_ONLY)
def test_what_is_for_arrays_alone_raises(job):
    """A tensor on a card is refused, never copied away from it in silence."""
    with pytest.raises((TypeError, ValueError), match=r"cuda|NumPy|numpy"):
        NUMPY_ONLY[job](_of("cuda", torch.float64)(X))
