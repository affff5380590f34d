"""Objects in IT: the published decoding, and what a pseudo-population may not claim."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuroai.format.holdings import Holdings
from neuroai.sources.download import fetch_listed
from neuroai.sources.matlab import read_matlab

PUBLISHED = 0.94  # accuracy of the same classifier, in one draw of 40 trials an object
TRIALS, FOLDS, RUNS = 40, 10, 10
# One draw tests 280 trials: 4 standard errors are 4 * sqrt(.94 * .06 / 280) = .057.
SAMPLED = 0.057


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("zhang2011")


def decoded(patterns: np.ndarray, objects: np.ndarray, rng: np.random.Generator) -> float:
    """Classify by the highest correlation with the mean pattern of each object, in 10 folds.

    Every cell's trials of an object are drawn apart, since cells were not recorded together.
    """
    names = np.unique(objects)
    drawn = np.empty((len(names), TRIALS, patterns.shape[1]))
    for k, name in enumerate(names):
        rows = np.flatnonzero(objects == name)
        for cell in range(patterns.shape[1]):
            drawn[k, :, cell] = patterns[rng.choice(rows, TRIALS, replace=False), cell]
    right = []
    for test in np.arange(TRIALS).reshape(FOLDS, -1):
        train = np.delete(drawn, test, axis=1)
        mean, spread = train.mean(axis=(0, 1)), train.std(axis=(0, 1)) + 1e-12
        templates = (train.mean(axis=1) - mean) / spread
        held = ((drawn[:, test] - mean) / spread).reshape(-1, patterns.shape[1])
        r = np.corrcoef(templates, held)[: len(names), len(names) :]
        right.append(r.argmax(axis=0) == np.repeat(np.arange(len(names)), len(test)))
    return float(np.mean(right))


def test_objects_are_decoded_as_published(holdings: Holdings) -> None:
    """Counts from 100 to 400 ms: 0.94 of seven objects, far above the chance of 0.143."""
    (recording,) = holdings.systems[0].recordings
    seconds = recording["time"].values
    patterns = recording.values[:, :, (seconds > 0.1) & (seconds < 0.4)].sum(axis=2)
    rng = np.random.default_rng(0)
    runs = [decoded(patterns, recording["object"].values, rng) for _ in range(RUNS)]
    assert np.mean(runs) == pytest.approx(PUBLISHED, abs=SAMPLED)
    shuffled = rng.permutation(recording["object"].values)
    assert decoded(patterns, shuffled, rng) == pytest.approx(1 / 7, abs=4 * (6 / 49 / 280) ** 0.5)


def test_cells_were_not_recorded_together(holdings: Holdings) -> None:
    """132 cells of 21 sessions, and the recording says so; one trial is short of 21 times 20."""
    (recording,) = holdings.systems[0].recordings
    assert recording.sizes == {"presentation": 419, "unit": 132, "time": 10}
    assert recording.attrs["simultaneous"] == 0
    assert recording["session"].dims == ("unit",)
    assert len(np.unique(recording["session"].values)) == 21
    assert recording.attrs["physical_unit"] == "spikes"


def test_a_cell_is_as_in_its_file(holdings: Holdings) -> None:
    """The third face in the middle of one cell, 100 to 150 ms after column 501."""
    (recording,) = holdings.systems[0].recordings
    files = fetch_listed("zhang_desimone_it")
    path = next(p for name, p in files.items() if "bp1014spk_03A" in name)
    content = read_matlab(path)
    labels = content["raster_labels"]["combined_ID_position"].item()
    row = np.flatnonzero(labels == "face_middle")[2]
    by_hand = int(content["raster_data"][row, 600:650].sum())
    found = recording[
        np.flatnonzero(
            (recording["stimulus_id"].values == "face_middle") & (recording["repeat"].values == 3)
        )[0],
        list(recording["unit_id"].values).index("bp1014spk_03A"),
        2,
    ]
    assert float(found["time"]) == pytest.approx(0.125)
    assert int(found) == by_hand


def test_stimuli_are_objects_at_positions(holdings: Holdings) -> None:
    """7 by 3, each shown 19 or 20 times."""
    (recording,) = holdings.systems[0].recordings
    ids, counts = np.unique(recording["stimulus_id"].values.astype(str), return_counts=True)
    assert tuple(ids) == holdings.stimuli.ids
    assert set(counts) == {19, 20}
    assert (holdings.stimuli.table["object"] == "face").sum() == 3
