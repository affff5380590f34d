"""T10: with shuffled labels a score is 0."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from calibration_cases import Calibration, Size, assert_calibrated, rdms_of, unrelated_patterns

from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import group_folds

PENALTIES = (0.1, 1.0, 10.0, 100.0)


def shuffled_rdms(n: int, rng: np.random.Generator, *, method: str) -> np.ndarray:
    """Score a model that knows the truth, its stimuli shuffled."""
    found = np.empty(n)
    for i in range(n):
        truth = unrelated_patterns(rng, 1, 20)
        noisy = truth + unrelated_patterns(rng, 5, 20)
        model = rdms_of(rng.permutation(truth[0])[None])
        found[i] = compare_rdms(rdms_of(noisy), model, method=method).mean()
    return found


def shuffled_encoding(n: int, rng: np.random.Generator) -> np.ndarray:
    """Predict units from features that drive them, the stimuli of the features shuffled."""
    folds = group_folds([str(i) for i in range(40)], n_folds=5)
    found = np.empty(n)
    for i in range(n):
        features = rng.standard_normal((40, 10))
        units = features @ rng.standard_normal((10, 5)) + rng.standard_normal((40, 5))
        shuffled = rng.permutation(features)
        r = encode(shuffled, units, folds=folds, penalties=PENALTIES, rule="leave-one-out").mean_r()
        found[i] = np.nanmean(r)
    return found


CASES = [
    *(
        Calibration(
            "T10",
            "mean score with shuffled labels",
            f"RDMs, {method}, 20 stimuli, 5 subjects",
            partial(shuffled_rdms, method=method),
            Size(500, -0.03, 0.03),
            Size(20_000, -0.03, 0.03),
        )
        for method in ("pearson", "spearman", "tau-a")
    ),
    Calibration(
        "T10",
        "mean score with shuffled labels",
        "ridge encoding, 40 stimuli, 10 features, 5 folds",
        shuffled_encoding,
        Size(200, -0.06, 0.06),
        Size(5000, -0.03, 0.03),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_shuffled_labels_score_nothing(case):
    """Labels that say nothing give scores around 0."""
    assert_calibrated(case)
