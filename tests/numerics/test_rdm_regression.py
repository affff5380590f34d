"""Partial correlation and regression of RDMs against plain formulas, scipy and rsatoolbox."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.model import ModelWeighted, fitter
from rsatoolbox.rdm import RDMs
from scipy import optimize, stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.rdm_regression import (
    fitted_weights,
    partial_similarity,
    regression_weights,
)
from neuroai.testing import EQUAL, EXACT, readonly


def _rdms(seed=0, n_data=4, n_models=3, n_stimuli=9):
    rng = np.random.default_rng(seed)
    n_pairs = n_stimuli * (n_stimuli - 1) // 2
    models = rng.random((n_models, n_pairs))
    data = rng.random((n_data, n_models)) @ models + rng.random((n_data, n_pairs))
    return readonly(data), readonly(models)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("seed", range(50))
def test_partial_is_the_correlation_of_residuals(seed, method):
    """200 RDMs: what regression on the other models leaves of the RDM and of the model."""
    data, models = _rdms(seed)
    found = partial_similarity(data, models, method=method)
    ranked = stats.rankdata if method == "spearman" else (lambda x: x)
    for d in range(len(data)):
        for m in range(len(models)):
            others = np.array([ranked(x) for k, x in enumerate(models) if k != m])
            design = np.vstack([others, np.ones(others.shape[1])]).T
            left = [
                ranked(x) - design @ np.linalg.lstsq(design, ranked(x), rcond=None)[0]
                for x in (data[d], models[m])
            ]
            np.testing.assert_allclose(found[d, m], np.corrcoef(*left)[0, 1], atol=EQUAL)


def test_one_model_alone_is_the_plain_correlation():
    """Without other models nothing is held fixed."""
    data, models = _rdms(n_models=1)
    expected = np.array([[np.corrcoef(d, models[0])[0, 1]] for d in data])
    np.testing.assert_allclose(
        partial_similarity(data, models, method="pearson"), expected, atol=EXACT
    )


def test_what_a_confound_explains_is_taken_out():
    """Planted: the data follow pixels, of which a layer is a noisy copy; its part is small."""
    rng = np.random.default_rng(1)
    pixels = rng.random(190)
    layer = pixels + 0.5 * rng.random(190)
    data = (pixels + 0.3 * rng.random(190))[None]
    alone = partial_similarity(data, layer[None], method="pearson")[0, 0]
    held = partial_similarity(data, np.stack([layer, pixels]), method="pearson")[0]
    assert alone > 0.7 and abs(held[0]) < 0.2 and held[1] > 0.5


@pytest.mark.parametrize("method", ["cosine", "pearson", "spearman"])
def test_regression_is_least_squares(method):
    """Weights of ordinary least squares, with an intercept for all but cosine."""
    data, models = _rdms()
    ranked = (lambda x: stats.rankdata(x, axis=1)) if method == "spearman" else (lambda x: x)
    d, m = ranked(data), ranked(models)
    design = m.T if method == "cosine" else np.vstack([m, np.ones(m.shape[1])]).T
    expected = np.linalg.lstsq(design, d.T, rcond=None)[0][: len(m)].T
    np.testing.assert_allclose(
        regression_weights(data, models, method=method), expected, atol=EQUAL
    )


@pytest.mark.parametrize("method", ["cosine", "pearson"])
def test_nonnegative_weights_are_those_of_a_bounded_search(method):
    """scipy's bounded least squares finds the same weights, some of them 0."""
    data, models = _rdms(n_models=5)
    data = data - 2 * models[0]
    found = regression_weights(data, models, method=method, nonnegative=True)
    assert (found >= 0).all() and (found == 0).any()
    centre = (lambda x: x) if method == "cosine" else (lambda x: x - x.mean(-1, keepdims=True))
    for own, weights in zip(data, found, strict=True):
        bounded = optimize.lsq_linear(centre(models).T, centre(own), bounds=(0, np.inf), tol=1e-14)
        np.testing.assert_allclose(weights, bounded.x, atol=1e-6)  # where that search stops


@pytest.mark.parametrize(("method", "theirs"), [("cosine", "cosine"), ("pearson", "corr")])
@pytest.mark.parametrize("seed", range(100))
def test_fitted_weights_are_those_of_rsatoolbox(seed, method, theirs):
    """200 random problems: the mixture fitted to several subjects."""
    data, models = _rdms(seed)
    peer = fitter.fit_regress_nn(
        ModelWeighted("m", RDMs(np.array(models))), RDMs(np.array(data)), method=theirs
    )
    np.testing.assert_allclose(fitted_weights(data, models, method=method), peer, atol=EQUAL)


def test_models_that_say_the_same_have_no_part_of_their_own():
    """Two copies of a model: NaN, not an arbitrary share."""
    data, models = _rdms()
    twice = np.concatenate([models, models[:1]])
    assert np.isnan(partial_similarity(data, twice, method="pearson")).all()


def test_what_others_explain_wholly_leaves_nothing_to_correlate():
    """An RDM that is a model: that model has all of it, and the others' part is undefined."""
    _, models = _rdms()
    found = partial_similarity(models[:1], models, method="pearson")
    np.testing.assert_allclose(found, [[1.0, np.nan, np.nan]], atol=EXACT)


def test_wrong_calls_say_what_to_do():
    """Too many models, NaN, other stimuli and unknown methods."""
    data, models = _rdms()
    with pytest.raises(UsageError, match="2 models leave nothing of 3 pairs"):
        partial_similarity(np.ones((1, 3)), np.eye(3)[:2], method="pearson")
    with pytest.raises(DataError, match="144 of 144 entries of data are undefined"):
        regression_weights(data * np.nan, models)
    with pytest.raises(UsageError, match="36 and 28 pairs"):
        regression_weights(data, models[:, :28])
    with pytest.raises(UsageError, match="method must be one of"):
        fitted_weights(data, models, method="rho-a")
