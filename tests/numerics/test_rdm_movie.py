"""RDMs at every time against RDMs made one by one, and their scores against compare_rdms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from rsatoolbox.data import TemporalDataset
from rsatoolbox.rdm import calc_rdm_movie
from scipy.spatial.distance import pdist

from neuroai.errors import DataError, UsageError
from neuroai.numerics import rdm_movie as module
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.rdm_movie import movie_rsa, rdm_movie
from neuroai.testing import EQUAL, EXACT, SINGLE, readonly

SCIPY = {"correlation": "correlation", "squared-euclidean": "sqeuclidean"}


def _patterns(seed=0, shape=(8, 6, 11), dtype="float64"):
    rng = np.random.default_rng(seed)
    return readonly(rng.standard_normal(shape) + rng.standard_normal(shape[0])[:, None, None],
                    dtype=dtype)  # fmt: skip


def _models(n_stimuli=8, n_models=3, seed=1):
    n_pairs = n_stimuli * (n_stimuli - 1) // 2
    return readonly(np.random.default_rng(seed).random((n_models, n_pairs)))


def _expected(x, distance, window):
    rows = []
    for start in range(x.shape[2] - window + 1):
        flat = x[:, :, start : start + window].reshape(len(x), -1).astype(float)
        found = pdist(flat, SCIPY[distance])
        rows.append(found / flat.shape[1] if distance != "correlation" else found)
    return np.array(rows)


@pytest.mark.parametrize("window", [1, 3, 11])
@pytest.mark.parametrize("distance", module.DISTANCES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_time_is_scipys_rdm(distance, window, dtype):
    """At each time, or window of times as further elements, the RDM is that of scipy."""
    x = _patterns(dtype=dtype)
    expected = _expected(x, distance, window)
    # Windows are always worked on in double precision.
    tolerance = SINGLE if dtype == "float32" and window == 1 else EXACT
    np.testing.assert_allclose(
        rdm_movie(x, distance=distance, window=window), expected, atol=tolerance
    )


@pytest.mark.parametrize(("ours", "theirs"), [("correlation", "correlation"),
                                              ("squared-euclidean", "euclidean")])  # fmt: skip
@pytest.mark.parametrize("seed", range(20))
def test_equal_to_rsatoolbox(ours, theirs, seed):
    """Ten times of twenty random recordings: 200 RDMs are those of rsatoolbox."""
    x = _patterns(seed, shape=(6, 5, 10))
    peer = calc_rdm_movie(
        TemporalDataset(np.array(x), time_descriptors={"time": np.arange(10.0)}), method=theirs
    )
    np.testing.assert_allclose(rdm_movie(x, distance=ours), peer.dissimilarities, atol=EQUAL)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("distance", module.DISTANCES)
@pytest.mark.parametrize("window", [1, 4])
def test_scores_are_those_of_the_rdms(method, distance, window):
    """The fused comparison is the comparison of the RDMs, for all comparators."""
    x, models = _patterns(), _models()
    expected = compare_rdms(rdm_movie(x, distance=distance, window=window), models, method=method)
    found = movie_rsa(x, models, method=method, distance=distance, window=window)
    np.testing.assert_allclose(found, expected, atol=EXACT)


@pytest.mark.parametrize("method", ["pearson", "cosine", "spearman", "rho-a"])
def test_single_precision_is_near_double(method):
    """float32 patterns give scores near those of float64."""
    x, models = _patterns(shape=(20, 30, 7)), _models(20)
    exact = movie_rsa(x, models, method=method)
    found = movie_rsa(x.astype(np.float32), models, method=method)
    np.testing.assert_allclose(found, exact, atol=SINGLE)


def test_blocks_of_times_do_not_matter(monkeypatch):
    """One time a block or all of them give the same numbers."""
    x, models = _patterns(), _models()
    whole = movie_rsa(x, models), movie_rsa(x, models, window=3)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 1)
    np.testing.assert_allclose(movie_rsa(x, models), whole[0], atol=EXACT)
    np.testing.assert_allclose(movie_rsa(x, models, window=3), whole[1], atol=EXACT)


def test_tensors_give_the_same_numbers():
    """A tensor is worked on where it lies."""
    x, models = _patterns(), _models()
    tensor = torch.tensor(x)
    np.testing.assert_array_equal(rdm_movie(tensor), rdm_movie(x))
    np.testing.assert_array_equal(movie_rsa(tensor, models), movie_rsa(x, models))


@pytest.mark.parametrize("shape", [(8, 6, 11), (8, 6, 1)])
def test_what_is_given_stays_as_it_is(shape):
    """Arrays and tensors of any layout in memory are not written over."""
    x = _patterns(shape=shape)
    for order in itertools.permutations(range(3)):
        tensor = torch.tensor(x.transpose(order).copy()).permute(*np.argsort(order).tolist())
        for values in (tensor, tensor.numpy()):
            rdm_movie(values)
            movie_rsa(values, _models())
            np.testing.assert_array_equal(np.asarray(values), x)


@pytest.mark.parametrize("level", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_pattern_is_undefined_at_its_time_alone(level, dtype):
    """Its correlation with others is NaN at that time, and so are scores with that RDM."""
    x = np.array(_patterns(dtype=dtype))
    x[2, :, 4] = level
    rdms = rdm_movie(x)
    assert np.isnan(rdms[4]).sum() == 7 and not np.isnan(np.delete(rdms, 4, axis=0)).any()
    scores = movie_rsa(x, _models(), method="spearman")
    assert np.isnan(scores[4]).all() and not np.isnan(np.delete(scores, 4, axis=0)).any()


@pytest.mark.parametrize("method", ["pearson", "spearman", "cosine"])
def test_rdms_that_are_all_alike_have_no_score(method):
    """At a time without any response all distances are 0: NaN, not 0."""
    x = np.array(_patterns())
    x[:, :, 3] = 1.0
    scores = movie_rsa(x, _models(), method=method, distance="squared-euclidean")
    assert np.isnan(scores[3]).all() and np.isfinite(np.delete(scores, 3, axis=0)).all()


def test_a_large_offset_costs_no_digits():
    """An electrode's offset of 10,000 standard deviations is gone before anything is multiplied."""
    x = _patterns()
    for distance in module.DISTANCES:
        shifted = rdm_movie(x + 1e4, distance=distance, window=3)
        np.testing.assert_allclose(shifted, rdm_movie(x, distance=distance, window=3), atol=EQUAL)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"patterns": np.zeros((3, 2))}, UsageError, "must be stimuli x units x times"),
        ({"window": 12}, UsageError, "window must be from 1 to the 11 times"),
        ({"models": np.zeros((1, 3))}, UsageError, "models have 3 pairs, and 8 stimuli have 28"),
        ({"method": "spearmann"}, UsageError, "Did you mean 'spearman'"),
        ({"distance": "crossnobis"}, UsageError, "distance must be one of"),
        ({"patterns": np.full((8, 6, 11), np.nan)}, DataError, "528 of 528 entries"),
    ],
)
def test_wrong_calls_say_what_to_do(change, error, said):
    """Shapes, options and NaN each have their message."""
    options = {"patterns": _patterns(), "models": _models(), **change}
    patterns, models = options.pop("patterns"), options.pop("models")
    with pytest.raises(error, match=said):
        movie_rsa(patterns, models, **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device here")
def test_a_device_that_is_not_there_is_refused():
    """Work meant for a device runs there or fails; it never falls back in silence."""
    with pytest.raises((AssertionError, RuntimeError), match=r"CUDA|cuda"):
        rdm_movie(torch.tensor(_patterns()).to("cuda"))


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_several_subjects_at_once_are_one_after_the_other(method):
    """A first axis of subjects gives the same numbers; none at all is refused."""
    rng = np.random.default_rng(9)
    patterns, models = rng.standard_normal((3, 6, 5, 4)), rng.random((2, 15))
    found = movie_rsa(patterns, models, method=method)
    alone = [movie_rsa(one, models, method=method) for one in patterns]
    np.testing.assert_array_equal(found, alone)
    with pytest.raises(UsageError, match="no subject"):
        movie_rsa(patterns[:0], models, method=method)
