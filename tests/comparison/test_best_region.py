"""The best region: chosen on one half, scored on the other, so that the choice earns nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroai.comparison.best_region import best_region_scores
from neuroai.comparison.compare import compare
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import UsageError
from neuroai.testing import STANDARD_ERRORS

LAYERS = tuple(f"layer{i:02d}" for i in range(50))


def _with_signal(rdm_of, region: int, *, n_stimuli: int = 24, n_seeds: int = 1):
    """A network of noise layers, one of which shares the brain's patterns."""
    noise = rdm_of(n_seeds, n_stimuli, regions=LAYERS[:6], seed=5, kind="model").data.rdm.values
    signal = rdm_of(n_seeds, n_stimuli, signal=2, seed=6, kind="model").data.rdm.values
    noise = noise.copy()
    noise[:, region] = signal[:, 0]
    return rdm_of(values=noise, regions=LAYERS[:6], kind="model")


def test_a_planted_layer_is_found(rdm_of, context):
    """The layer that shares the brain's geometry is chosen by every half, and p is small."""
    brain = rdm_of(8, 24, signal=2)
    [score] = best_region_scores(
        brain, _with_signal(rdm_of, 3), metric="rdm-spearman", context=context,
        inference=Inference(n_bootstrap=60, n_null=99),
    )  # fmt: skip
    assert score.selected and score.model_region == "layer03"
    assert score.note.startswith("best of 6 regions") and "20 of 20 choices: layer03" in score.note
    assert score.p == pytest.approx(0.01) and score.n_null == 99
    assert score.null == "stimulus labels permuted, choice repeated"
    assert 0 < score.ci_low < score.value < score.ci_high <= 1
    assert score.ceiling_low < score.ceiling_high
    assert score.resampled == "stimuli+subjects"


def test_the_best_of_fifty_noise_layers_earns_nothing(rdm_of, context):
    """Of 40 brains of noise the mean score is 0 and p is uniform, although 50 layers compete.

    The highest of the 50 scores on all stimuli, for comparison, lies far above 0.
    """
    values, p_values, highest = [], [], []
    inference = Inference(n_bootstrap=50, n_null=19)
    for seed in range(40):
        brain = rdm_of(2, 16, seed=1000 + seed)
        model = rdm_of(1, 16, regions=LAYERS, seed=2000 + seed, kind="model")
        options = {"metric": "rdm-pearson", "context": context, "inference": inference}
        [score] = best_region_scores(brain, model, **options)
        values.append(score.value)
        p_values.append(score.p)
        if seed < 5:
            highest.append(max(s.value for s in compare(brain, model, **options)))
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values)) < STANDARD_ERRORS * error
    assert np.mean(highest) > 0.1
    # A uniform p on 20 steps has mean .525 and standard deviation .288.
    assert abs(np.mean(p_values) - 0.525) < STANDARD_ERRORS * 0.288 / math.sqrt(40)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + STANDARD_ERRORS * math.sqrt(0.0475 / 40)


def test_the_halves_do_not_hang_on_the_order_of_stimuli(rdm_of, context, fast):
    """Shuffled stimuli give identical scores."""
    brain, model = rdm_of(3, 24, signal=1), _with_signal(rdm_of, 2)
    order = np.random.default_rng(1).permutation(24)
    ids = np.array([f"s{i:03d}" for i in range(24)])[order]
    moved = rdm_of(values=brain.data.rdm.values[:, :, order][..., order], stimuli=ids)
    options = {"metric": "rdm-spearman", "context": context, "inference": fast}
    [found], [expected] = (best_region_scores(b, model, **options) for b in (moved, brain))
    for name in ("value", "ci_low", "ci_high", "p", "ceiling_low", "ceiling_high"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-12)


def test_small_sizes_and_fixed_seeds_are_said(rdm_of, context, fast):
    """The stamp of small sizes stands in the row of the best region as in all others."""
    options = {"metric": "rdm-spearman", "context": context, "inference": fast}
    [few] = best_region_scores(rdm_of(3, 24), _with_signal(rdm_of, 2, n_seeds=3), **options)
    assert "uncalibrated interval (3 subjects, 24 stimuli" in few.note
    assert "3 seeds held fixed" in few.note
    [many] = best_region_scores(rdm_of(8, 24), _with_signal(rdm_of, 2, n_seeds=5), **options)
    assert many.resampled == "stimuli+subjects+seeds"
    assert "uncalibrated" not in many.note and "held fixed" not in many.note


def test_one_subject_is_generalised_over_stimuli_only(rdm_of, context, fast):
    """With one subject only stimuli are resampled, and there is no ceiling."""
    [score] = best_region_scores(
        rdm_of(1, 24), _with_signal(rdm_of, 1), metric="rdm-spearman", context=context,
        inference=fast,
    )  # fmt: skip
    assert score.resampled == "stimuli" and math.isnan(score.ceiling_low)
    assert "one subject: the interval generalises over stimuli only" in score.note


def test_regions_that_are_constant_on_a_half_are_undefined(rdm_of, context, fast):
    """Where no region has a score on some half, the row says so and holds no value."""
    values = np.zeros((1, 2, 12, 12))
    values[..., 0, 1] = values[..., 1, 0] = 1.0
    model = rdm_of(values=values, regions=LAYERS[:2], kind="model")
    [score] = best_region_scores(
        rdm_of(2), model, metric="rdm-pearson", context=context, inference=fast
    )
    assert score.status == "undefined" and score.selected
    assert "no region with a defined score" in score.note


@pytest.mark.parametrize(("n_stimuli", "n_regions"), [(5, 6), (12, 1)])
def test_where_nothing_can_be_chosen_there_is_no_row(rdm_of, context, fast, n_stimuli, n_regions):
    """One region, or too few stimuli for two halves, leave no choice."""
    brain = rdm_of(2, n_stimuli)
    model = rdm_of(1, n_stimuli, regions=LAYERS[:n_regions], kind="model")
    found = best_region_scores(brain, model, metric="rdm-spearman", context=context, inference=fast)
    assert found == ()


def test_the_choice_needs_rdms(rdm_of, context):
    """A metric of another form is refused."""
    with pytest.raises(UsageError, match="'cka-debiased' is none"):
        best_region_scores(rdm_of(), rdm_of(), metric="cka-debiased", context=context)
