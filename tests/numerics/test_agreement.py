"""Cohen's kappa against scikit-learn, closed forms, chance and published numbers."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from neuroai.errors import DataError
from neuroai.numerics.agreement import cohen_kappa, kappa_bounds, stimulus_weights
from neuroai.testing import EXACT

PRINTED = 5e-4  # published numbers are printed with three decimals


@pytest.fixture
def observers() -> tuple[np.ndarray, np.ndarray]:
    """Two groups of observers of different accuracy on 60 stimuli."""
    rng = np.random.default_rng(1)
    a = (rng.random((4, 60)) < [[0.5], [0.7], [0.9], [0.3]]).astype(float)
    b = (rng.random((3, 60)) < [[0.6], [0.2], [0.8]]).astype(float)
    a.setflags(write=False)
    b.setflags(write=False)
    return a, b


def test_equals_scikit_learn(observers):
    """Every pair of observers has the kappa that scikit-learn gives."""
    a, b = observers
    expected = [[cohen_kappa_score(x, y) for y in b] for x in a]
    np.testing.assert_allclose(cohen_kappa(a, b), expected, atol=EXACT)


def test_missing_entries_are_left_out_by_pair(observers):
    """A pair with missing entries scores as its complete stimuli alone."""
    a, b = (values.copy() for values in observers)
    a[0, :7], b[1, 5:20] = np.nan, np.nan
    expected = cohen_kappa_score(a[0, 20:], b[1, 20:])
    np.testing.assert_allclose(cohen_kappa(a, b)[0, 1], expected, atol=EXACT)


def test_weights_repeat_stimuli(observers):
    """A stimulus of weight 2 counts as two copies, and of weight 0 not at all."""
    a, b = observers
    counts = np.random.default_rng(2).multinomial(60, np.full(60, 1 / 60), size=5)
    repeated = [cohen_kappa(np.repeat(a, c, axis=1), np.repeat(b, c, axis=1)) for c in counts]
    np.testing.assert_allclose(cohen_kappa(a, b, weights=counts), repeated, atol=EXACT)


def test_independent_observers_score_zero_on_average():
    """Kappa of independent observers is signed: its mean is 0 within 4 standard errors."""
    rng = np.random.default_rng(20)
    n_pairs = 2000
    a = (rng.random((n_pairs, 160)) < 0.8).astype(float)
    b = (rng.random((n_pairs, 160)) < 0.6).astype(float)
    kappa = np.array([cohen_kappa(x[None], y[None])[0, 0] for x, y in zip(a, b, strict=True)])
    assert abs(kappa.mean()) < 4 * kappa.std(ddof=1) / np.sqrt(n_pairs)
    assert (kappa < 0).mean() > 0.4


@pytest.mark.parametrize("both", [1.0, 0.0])
def test_no_room_for_agreement_is_undefined(both):
    """Two observers who are always right, or always wrong, have no kappa."""
    always = np.full((1, 10), both)
    assert np.isnan(cohen_kappa(always, always)).all()


def test_no_common_stimulus_is_undefined():
    """A pair without a common stimulus has no kappa."""
    assert np.isnan(cohen_kappa([[1.0, np.nan]], [[np.nan, 0.0]])).all()


def test_bounds_hold_and_are_reached(observers):
    """Kappa lies within its bounds, and sorted observers reach the upper one."""
    a, b = observers
    low, high = kappa_bounds(a.mean(axis=1)[:, None], b.mean(axis=1)[None])
    kappa = cohen_kappa(a, b)
    assert (kappa >= low - EXACT).all() and (kappa <= high + EXACT).all()
    nested = cohen_kappa(np.sort(a, axis=1), np.sort(b, axis=1))
    np.testing.assert_allclose(nested, high, atol=EXACT)
    opposed = cohen_kappa(np.sort(a, axis=1), np.sort(b, axis=1)[:, ::-1])
    np.testing.assert_allclose(opposed, low, atol=EXACT)


def test_other_values_are_refused():
    """Fractions of trials have no kappa: the message says what to do."""
    with pytest.raises(DataError, match=r"got 0\.5 among the entries\. Keep one trial"):
        cohen_kappa([[0.5, 1.0]], [[1.0, 1.0]])


def test_unlike_shapes_are_refused():
    """Different numbers of stimuli are an error that shows the shapes."""
    with pytest.raises(DataError, match=r"got \(1, 2\) and \(1, 3\)"):
        cohen_kappa([[1, 0]], [[1, 0, 1]])


def test_wrong_weights_are_refused():
    """Weights of another shape, or negative ones, are refused."""
    with pytest.raises(DataError, match=r"\(n_resamples, 3\)"):
        stimulus_weights(np.ones((2, 2)), n_stimuli=3)
    with pytest.raises(DataError, match="at least 0"):
        stimulus_weights([[-1.0]], n_stimuli=1)


def _shape_decisions(folder: Path, pattern: str) -> tuple[list[str], np.ndarray]:
    """Whether each observer named each image's shape; images in the order of their names."""
    rows = []
    images: list[str] = []
    for path in sorted(folder.glob(pattern)):
        with path.open(newline="") as file:
            found = {
                row["imagename"].rpartition("_")[2]: row["object_response"] == row["category"]
                for row in csv.DictReader(file)
            }
        images = sorted(found)
        rows.append([float(found[image]) for image in images])
    return images, np.array(rows)


def test_published_error_consistency():
    """Human-human 0.331 and ResNet-50-human 0.068 on cue conflict, as published."""
    root = os.environ.get("NEUROAI_DATA", "")
    folder = Path(root) / "geirhos_cue_conflict" / "decisions" / "texture-shape_cue-conflict"
    if not root or not folder.is_dir():
        pytest.skip(f"the decisions are not at {folder}; set NEUROAI_DATA")
    names, humans = _shape_decisions(folder, "*subject-*.csv")
    network_names, network = _shape_decisions(folder, "*_resnet50_*.csv")
    assert names == network_names and humans.shape == (10, 1280) and network.shape == (1, 1280)
    among = cohen_kappa(humans, humans)[np.triu_indices(10, k=1)]
    np.testing.assert_allclose(among.mean(), 0.331, atol=PRINTED)
    np.testing.assert_allclose(cohen_kappa(humans, network).mean(), 0.068, atol=PRINTED)
