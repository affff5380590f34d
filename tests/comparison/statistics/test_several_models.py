"""Several models at once, labelled: confounds are held fixed, mixtures scored on what is new."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.comparison.statistics.several_models import fitted_model, models_together
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import rdm_answer
from neuroai.numerics.distances import squared_euclidean
from neuroai.numerics.rdm_regression import partial_similarity, regression_weights
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.testing import EXACT

N_STIMULI = 14
IDS = [f"s{k:02d}" for k in range(N_STIMULI)]


def _answer(values, regions, kind):
    values = np.asarray(values)
    return rdm_answer(
        values, subjects=[f"{kind}{k}" for k in range(len(values))], regions=regions, stimuli=IDS,
        parameters={}, system=kind, kind=kind, stimulus_set="made",
    )  # fmt: skip


def _problem(n_subjects=6, seed=0):
    """Make a brain that follows pixels and meaning; a layer that copies pixels; and noise."""
    rng = np.random.default_rng(seed)
    pixels, meaning, other = rng.standard_normal((3, N_STIMULI, 5))
    seen = np.hstack([pixels, meaning])
    data = [
        [squared_euclidean(seen + 0.7 * rng.standard_normal(seen.shape))] for _ in range(n_subjects)
    ]
    layer = pixels + 0.3 * rng.standard_normal(pixels.shape)
    models = [[squared_euclidean(x) for x in (pixels, meaning, layer, other)]]
    names = ["pixels", "meaning", "layer", "other"]
    return _answer(data, ["IT"], "brain"), _answer(models, names, "model")


@pytest.mark.parametrize("measure", ["partial", "regression", "nonnegative"])
def test_values_are_those_of_the_arrays(measure):
    """Each subject's value by its label, whatever the order of models."""
    brain, models = _problem(3)
    found = models_together(brain, models, measure=measure, n_permutations=9)
    d, m = to_vector(brain.data["rdm"].values[:, 0]), to_vector(models.data["rdm"].values[0])
    if measure == "partial":
        expected = partial_similarity(d, m, method="spearman")
    else:
        nonnegative = measure == "nonnegative"
        expected = regression_weights(d, m, method="spearman", nonnegative=nonnegative)
    np.testing.assert_allclose(found["value"].values[:, 0], expected, atol=EXACT)
    moved = models.restrict(regions=list(models.regions)[::-1])
    again = models_together(brain, moved, measure=measure, n_permutations=9)
    np.testing.assert_allclose(
        again["value"].sel(model_region=found["model_region"]), found["value"], atol=1e-8
    )


@pytest.mark.parametrize(("n_subjects", "null"), [(8, "signs of subjects changed"),
                                                  (1, "stimulus labels permuted")])  # fmt: skip
def test_meaning_is_found_beside_pixels_and_noise_is_not(n_subjects, null):
    """Planted: meaning has a part of its own; a model of nothing has none."""
    found = models_together(*_problem(n_subjects), n_permutations=199)
    assert found.attrs["null"] == null
    p = found["p_max"].sel(region="IT")
    assert p.sel(model_region="meaning") < 0.05 < p.sel(model_region="other")


def test_a_mixture_beats_each_model_on_stimuli_and_subjects_that_are_new():
    """Planted: pixels and meaning together; both get weight, and the ceiling is not far."""
    brain, models = _problem(8)
    mixed = fitted_model(brain, models, comparator="pearson", n_bootstrap=60)
    chosen = fitted_model(brain, models, kind="selected", comparator="pearson", n_bootstrap=60)
    assert mixed["value"].item() > chosen["value"].item()
    weights = mixed["weight"].mean(("subject_fold", "stimulus_fold")).sel(region="IT")
    assert weights.sel(model_region="meaning") > 0.2
    assert float(mixed["ceiling_high"].mean()) > mixed["value"].item()
    assert mixed["per_fold"].shape == (1, 2, 2) and mixed.attrs["n_undefined"] == 0
    for found in (mixed, chosen):
        assert found["ci_low"].item() < found["value"].item() < found["ci_high"].item()
    plain = fitted_model(brain, models, kind="selected", comparator="whitened-pearson", n_null=0)
    assert np.isnan(plain["ci_low"].item()) and np.isfinite(plain["value"].item())


def test_a_mixture_is_tested_against_relabelled_models():
    """A mixture of what was planted is found; one of models of nothing is not."""
    brain, models = _problem(8)
    found = fitted_model(brain, models, comparator="pearson", n_null=60, n_bootstrap=0)
    assert found["p"].item() == pytest.approx(1 / 61) and found.attrs["n_null"] == 60
    rng = np.random.default_rng(5)
    nothing = rng.random((1, 2, len(IDS), len(IDS)))
    nothing = _answer(nothing + nothing.swapaxes(2, 3), ["a", "b"], "model")
    none = fitted_model(brain, nothing, comparator="pearson", n_null=60, n_bootstrap=0)
    assert none["p"].item() > 0.05 and np.isnan(none["ci_low"].item())
    assert np.isnan(fitted_model(brain, nothing, n_null=0, n_bootstrap=0)["p"].item())


def test_wrong_calls_say_what_to_do():
    """One subject has none to hold out; labels, stimuli and answers must fit."""
    brain, models = _problem()
    with pytest.raises(UsageError, match="subject_folds must put each of 1"):
        fitted_model(_problem(1)[0], models)
    with pytest.raises(UsageError, match="condition must label each of the 14 stimuli; got 2"):
        fitted_model(brain, models, condition=["a", "b"])
    with pytest.raises(AlignmentError, match="Stimulus ids differ"):
        models_together(brain, models.restrict(stimuli=IDS[1:]))
    broken = brain.data["rdm"].values.copy()
    broken[0, 0, 0, 1] = np.nan
    with pytest.raises(UsageError, match="RDMs of IT have undefined pairs"):
        models_together(_answer(broken, ["IT"], "brain"), models)
    with pytest.raises(UsageError, match="measure must be one of"):
        models_together(brain, models, measure="part")
