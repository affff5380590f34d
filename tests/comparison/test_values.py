"""What one system does by itself, with its interval."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from neuroai.comparison.statistics.inference import Inference
from neuroai.comparison.values import value_scores
from neuroai.errors import UsageError
from neuroai.testing import EXACT


def _right(n_subjects: int, n_stimuli: int, *, share: float = 0.7, seed: int = 0):
    truth = np.array(["yes"] * n_stimuli, dtype=object)
    rng = np.random.default_rng(seed)
    return np.where(rng.random((n_subjects, n_stimuli)) < share, "yes", "no"), truth


def test_the_value_is_the_mean_over_subjects(choices_of, context, fast):
    """A brain's accuracy is the mean of its subjects' and stands on the brain's side."""
    chosen, truth = _right(5, 40)
    answer = choices_of(chosen, truth, form="table")
    [score] = value_scores(
        answer, context=dataclasses.replace(context, task="naming"), inference=fast
    )
    assert score.value == pytest.approx((chosen == truth).mean(), abs=EXACT)
    assert (score.brain_region, score.model, score.metric) == ("made", "", "value")
    assert score.analysis == "accuracy: naming" and math.isnan(score.p)
    assert (score.n_stimuli, score.n_brain_subjects) == (40, 5)


def test_the_interval_of_one_subject_is_binomial(choices_of, context):
    """With one subject the variance is that of a share, s(1 - s) / (n - 1)."""
    chosen, truth = _right(1, 50)
    inference = Inference(n_bootstrap=4000, n_null=0)
    [score] = value_scores(
        choices_of(chosen, truth, kind="model", form="table"), context=context, inference=inference
    )
    share = (chosen == truth).mean()
    expected = 2.0096 * math.sqrt(share * (1 - share) / 49)  # t quantile of 49 degrees of freedom
    # A variance of 4,000 draws has a relative error of sqrt(2 / 4000) = .022.
    assert (score.ci_high - score.ci_low) / 2 == pytest.approx(expected, rel=4 * 0.5 * 0.0224)
    assert (score.model, score.brain_region) == ("net", "")


def test_no_interval_beyond_a_share(choices_of, context, fast):
    """Shares end at 0 and 1, and so do their intervals."""
    chosen, truth = _right(3, 12, share=0.9)
    [score] = value_scores(choices_of(chosen, truth, form="table"), context=context, inference=fast)
    assert 0 <= score.ci_low <= score.value <= score.ci_high <= 1


def test_stimuli_without_a_value_are_no_sample(choices_of, context, fast):
    """Stimuli nobody answered are left out, counted, and the size stamp looks at the rest."""
    chosen, truth = _right(8, 25)
    chosen = chosen.astype(object)
    chosen[:, :10] = ""
    [score] = value_scores(choices_of(chosen, truth, form="table"), context=context, inference=fast)
    assert score.n_stimuli == 15 and score.n_undefined == 80
    assert "uncalibrated interval (8 subjects, 15 stimuli" in score.note
    assert score.value == pytest.approx((chosen[:, 10:] == truth[10:]).mean(), abs=EXACT)


def test_a_system_that_answered_nothing_is_undefined(choices_of, context, fast):
    """Without an answer there is no value, and the row says so."""
    _, truth = _right(1, 6)
    nothing = np.full((2, 6), "", dtype=object)
    [score] = value_scores(
        choices_of(nothing, truth, form="table"), context=context, inference=fast
    )
    assert score.status == "undefined" and score.note == "no answer is defined"


def test_an_answer_without_stimuli_is_refused(rdm_of, context):
    """A form that holds nothing stimulus by stimulus says so."""
    with pytest.raises(UsageError, match="nothing stimulus by stimulus"):
        value_scores(rdm_of(), context=context)
