"""Eight categories in one slice: the published decoding, and the estimates of the GLM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuroai.format.holdings import Holdings
from neuroai.sources.download import fetch_listed
from neuroai.sources.fmri import read_bold, read_bold_series

EXACT = 1e-10  # float64 algebra in another order
PRINTED = 5e-3  # half a unit of the second printed digit
CHANCE = 1 / 8
FOLDER = "openfmri/sub001/BOLD/task001_run{:03d}"


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("haxby2001")


@pytest.fixture(scope="module")
def files(holdings: Holdings) -> dict[str, Path]:
    """Give the original files (the data set is at hand when this runs)."""
    return fetch_listed(holdings.card.folder)


def of_runs(files: dict[str, Path], name: str) -> list[Path]:
    """Give one file of every run."""
    return [files[f"{FOLDER.format(number)}/{name}"] for number in range(1, 13)]


def decoded(patterns: np.ndarray, labels: np.ndarray, runs: np.ndarray) -> float:
    """Leave one run out: accuracy of a linear support vector machine."""
    from sklearn.svm import SVC

    right = [
        SVC(kernel="linear").fit(patterns[runs != run], labels[runs != run]).predict(
            patterns[runs == run]
        )
        == labels[runs == run]
        for run in np.unique(runs)
    ]  # fmt: skip
    return float(np.mean(right))


def test_decoding_of_the_slice_is_as_published(files: dict[str, Path]) -> None:
    """Run-category means, detrended, z-scored to rest: 0.80 (chance 0.125)."""
    series = read_bold_series(
        of_runs(files, "bold_1slice.nii.gz"),
        events=of_runs(files, "bold_events.tsv"),
        mask=files["oneslice/mask.nii.gz"],
        subject="1",
        stimulus_set="haxby2001",
        high_pass=0,
        scale="none",
    )
    assert series.shape == (1452, 530)
    shown, run = series["stimulus_id"].values, series["run"].values
    rest = series.values[shown == ""]
    z = (series.values - rest.mean(axis=0)) / rest.std(axis=0)
    pairs = [(r, c) for r in np.unique(run) for c in np.unique(shown) if c]
    means = np.array([z[(run == r) & (shown == c)].mean(axis=0) for r, c in pairs])
    runs, labels = (np.array(side) for side in zip(*pairs, strict=True))
    assert len(means) == 96
    assert decoded(means, labels, runs) == pytest.approx(0.80, abs=PRINTED)


def test_labels_of_scans_are_those_of_the_other_release(files: dict[str, Path]) -> None:
    """The events name every one of 1,452 scans as the list of labels does."""
    lines = files["oneslice/attributes_literal.txt"].read_text(encoding="utf-8").split()
    series = read_bold_series(
        of_runs(files, "bold_1slice.nii.gz"),
        events=of_runs(files, "bold_events.tsv"),
        mask=files["oneslice/mask.nii.gz"],
        subject="1",
        stimulus_set="haxby2001",
    )
    shown = ["rest" if name == "" else name for name in series["stimulus_id"].values]
    assert shown == lines[0::2]
    assert [int(run) - 1 for run in series["run"].values] == [int(number) for number in lines[1::2]]


def test_estimates_tell_categories_apart(holdings: Holdings) -> None:
    """96 estimates of the GLM decode at 0.58, far above chance: 56 of 96 (p < 1e-20)."""
    (recording,) = holdings.systems[0].recordings
    assert recording.shape == (96, 530)
    assert set(recording["n_repeats"].values) == {1.0}
    z = (recording.values - recording.values.mean(axis=0)) / recording.values.std(axis=0)
    accuracy = decoded(
        z, recording["stimulus_id"].values.astype(str), recording["run"].values.astype(str)
    )
    assert accuracy > 4 * CHANCE


def test_onsets_of_both_layouts_agree(files: dict[str, Path]) -> None:
    """The OpenfMRI onset files and the events name the same blocks, within a scan."""
    key = files["openfmri/models/model001/condition_key.txt"].read_text(encoding="utf-8").split()
    names = dict(zip(key[1::3], key[2::3], strict=True))
    for number, path in enumerate(of_runs(files, "bold_events.tsv"), start=1):
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        onsets = {kind: float(onset) for onset, _, kind in rows}
        folder = f"openfmri/sub001/model/model001/onsets/task001_run{number:03d}"
        for condition, name in names.items():
            onset, duration, weight = files[f"{folder}/{condition}.txt"].read_text().split()
            assert float(onset) == pytest.approx(onsets[name], abs=2.5)
            assert (float(duration), float(weight)) == pytest.approx((22.5, 1), abs=2.5)


def test_one_block_a_category_makes_all_models_one(files: dict[str, Path]) -> None:
    """With one event a condition and run, LSA, LSS and condition estimates are the same."""
    estimates = {
        model: read_bold(
            of_runs(files, "bold_1slice.nii.gz")[:2],
            events=of_runs(files, "bold_events.tsv")[:2],
            mask=files["oneslice/mask.nii.gz"],
            subject="1",
            stimulus_set="haxby2001",
            model=model,
        )
        for model in ("lsa", "lss", "condition")
    }
    order = {
        m: np.lexsort((e["stimulus_id"].values, e["run"].values)) for m, e in estimates.items()
    }
    wanted = estimates["lsa"].values[order["lsa"]]
    for model in ("lss", "condition"):
        np.testing.assert_allclose(estimates[model].values[order[model]], wanted, atol=1e-8)


def test_atlas_labels_name_regions(files: dict[str, Path]) -> None:
    """The coarse whole-brain runs within the labels of the atlas: 45 voxels, many regions."""
    recording = read_bold(
        of_runs(files, "bold_25mm.nii.gz")[:1],
        events=of_runs(files, "bold_events.tsv")[:1],
        labels=files["openfmri/sub001/masks/25mm/hoc.nii.gz"],
        subject="1",
        stimulus_set="haxby2001",
        model="condition",
        high_pass=0.003,
    )
    assert recording.sizes["unit"] == 45
    assert len(set(recording["region"].values)) > 10
    assert recording.attrs["space"] == "scanner"


def test_the_mask_of_other_images_is_refused(files: dict[str, Path]) -> None:
    """The coarse brain mask does not fit the slice."""
    from neuroai.errors import AlignmentError

    with pytest.raises(AlignmentError, match=r"mask has the grid \(6, 10, 10\)"):
        read_bold(
            of_runs(files, "bold_1slice.nii.gz")[:1],
            events=of_runs(files, "bold_events.tsv")[:1],
            mask=files["openfmri/sub001/masks/25mm/brain.nii.gz"],
            subject="1",
            stimulus_set="haxby2001",
        )


def test_the_question_put_to_the_brain_gives_the_published_number(holdings: Holdings) -> None:
    """Run by run, a discriminant gets 78 of 96 where the published support vectors get 0.80."""
    import neuroai as nai
    from neuroai.systems.brain import brains_of

    options = {"label": "stimulus_id", "groups": "run", "n_folds": 12, "n_permutations": 19}
    answer = nai.ask(brains_of(holdings)[0], "decoding", options=options)
    assert answer.data["value"].item() == pytest.approx(0.80, abs=0.02)  # another classifier
    assert answer.data["p"].item() == 1 / 20 and answer.parameters["chance"] == CHANCE
