"""RDMs equal rsatoolbox's, hang on no order, and say what is undefined or was not measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.errors import AlignmentError, DataError, UnknownName, UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable, rdm_answer
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.testing import EQUAL, random_recording, toy_brain, toy_stimuli

DISTANCES = {"correlation": "correlation", "squared-euclidean": "euclidean"}
WHO = {"system": "human", "kind": "brain", "stimulus_set": "toy"}
STIMULI = toy_stimuli(6)


def recording(
    values: object, *, subject: str = "p1", region: str = "IT", ids: str = ""
) -> xr.DataArray:
    """Make one showing a row of these stimuli (a, b, c, ... by default)."""
    values = np.asarray(values, dtype=float)
    ids = ids or "abcdef"[: len(values)]
    return build.recording(
        values, stimulus_id=list(ids), unit_id=[f"u{i}" for i in range(values.shape[1])],
        region=region, subject=subject, **WHO,
    )  # fmt: skip


def brain(*recordings: xr.DataArray, **data: object) -> Recorded:
    """Make a brain of these recordings."""
    facts = SystemData("human", "brain", "Homo sapiens", recordings=recordings, **data)
    return Recorded(data=facts, stimuli=STIMULI)


def published(distance: str) -> Recorded:
    """Make a brain of which only RDMs are known."""
    values = np.arange(9.0).reshape(3, 3) + np.arange(9.0).reshape(3, 3).T
    np.fill_diagonal(values, 0)
    answer = rdm_answer(
        np.stack([values, 2 * values])[None], subjects=["p1"], regions=["V1", "IT"],
        stimuli=list("bca"), parameters={"distance": distance}, origin="published", **WHO,
    )  # fmt: skip
    return brain(published=(answer,), missing={"recordings": "only RDMs were published"})


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("n_repeats", [1, 3])
def test_equal_to_rsatoolbox(distance: str, n_repeats: int) -> None:
    """The RDM is rsatoolbox's of the same showings, averaged by stimulus."""
    rsatoolbox = pytest.importorskip("rsatoolbox")
    shown = random_recording(n_stimuli=12, n_units=20, n_repeats=n_repeats, seed=n_repeats)
    data = rsatoolbox.data.Dataset(
        shown.values.copy(), obs_descriptors={"id": shown.stimulus_id.values.astype(str)}
    )
    theirs = rsatoolbox.rdm.calc_rdm(data, method=DISTANCES[distance], descriptor="id")
    assert list(theirs.pattern_descriptors["id"]) == sorted(set(shown.stimulus_id.values))
    answer = rdm(_noise(shown), distance=distance)
    ours = answer.data["rdm"].sel(subject="s1", region="R1").values
    np.testing.assert_allclose(ours, theirs.get_matrices()[0], rtol=0, atol=EQUAL)
    assert answer.parameters == {"distance": distance} and answer.form == "rdm"


def _noise(shown: xr.DataArray) -> Recorded:
    data = SystemData("noise", "brain", "none", recordings=(shown,))
    table = pd.DataFrame({"stimulus_id": sorted(set(shown.stimulus_id.values))})
    return Recorded(data=data, stimuli=stimulus_set(table, name="noise"))


def test_every_subject_and_region_keeps_its_name() -> None:
    """Matrices stand under their subject and region; a pair that was not recorded is counted."""
    one = recording([[0, 0], [3, 0]])
    other = recording([[0, 0], [5, 0]], subject="p2")
    early = recording([[0, 0], [1, 0]], subject="p2", region="V1")
    early = early.assign_coords(unit_id=("unit", np.array(["v0", "v1"], dtype=object)))
    answer = rdm(brain(one, other, early), distance="squared-euclidean")
    values = answer.data["rdm"].sel(stimulus="a", stimulus_to="b")
    assert values.sel(subject="p1", region="IT").item() == 4.5
    assert values.sel(subject="p2", region="IT").item() == 12.5
    assert values.sel(subject="p2", region="V1").item() == 0.5
    assert np.isnan(values.sel(subject="p1", region="V1").item())
    assert answer.undefined["subject-region pairs not recorded"] == 1


def test_nan_units_are_refused_then_dropped_and_counted() -> None:
    """NaN raises by default; dropped units are counted and named, and no zero takes their place."""
    values = [[0, 1, np.nan], [3, 1, 0], [0, 1, 5]]
    with pytest.raises(DataError, match="1 of 3 units of 'human' hold NaN .*: u2"):
        rdm(brain(recording(values)), distance="squared-euclidean")
    answer = rdm(brain(recording(values)), distance="squared-euclidean", undefined="drop")
    matrix = answer.data["rdm"].values[0, 0]
    assert matrix.tolist() == [[0, 4.5, 0], [4.5, 0, 4.5], [0, 4.5, 0]]
    assert answer.undefined["units"] == 1
    assert answer.notes == (
        "IT: 1 of 3 units hold NaN or infinite values: u2",
        "IT: 1 of 3 units never vary: u1",
    )


def test_constant_pattern_is_undefined_and_counted() -> None:
    """A pattern without variance has no correlation: its row is NaN, and the others are not."""
    answer = rdm(brain(recording([[0, 1, 2], [5, 5, 5], [2, 1, 0]])))
    matrix = answer.data["rdm"].values[0, 0]
    assert np.isnan(matrix[1]).all() and np.isnan(matrix[:, 1]).all()
    np.testing.assert_allclose(matrix[np.ix_([0, 2], [0, 2])], [[0, 2], [2, 0]], atol=EQUAL)
    assert answer.undefined["constant patterns"] == 1


def test_subjects_who_saw_other_stimuli_are_named() -> None:
    """Different sets of stimuli are not put into one array, even where there are as many."""
    other = recording([[0, 1], [1, 0], [2, 1]], subject="p2", ids="abd")
    system = brain(recording([[0, 1], [1, 0], [2, 1]]), other)
    with pytest.raises(AlignmentError) as caught:
        rdm(system)
    text = str(caught.value)
    assert "1 only in the first subject: c" in text and "1 only in subject 'p2', IT: d" in text
    assert rdm(system, stimuli=STIMULI.restrict(["a", "b"])).stimuli == ("a", "b")


def test_times_are_part_of_the_pattern() -> None:
    """With a time axis the distance is over units and times together."""
    values = np.random.default_rng(0).normal(size=(4, 3, 5))
    timed = build.recording(
        values, stimulus_id=list("abcd"), unit_id=["u0", "u1", "u2"], region="IT", subject="p1",
        time=np.arange(5), time_unit="step", **WHO,
    )  # fmt: skip
    flat = recording(values.reshape(4, 15))
    for distance in DISTANCES:
        a, b = (rdm(brain(r), distance=distance).data["rdm"].values for r in (timed, flat))
        np.testing.assert_allclose(a, b, atol=EQUAL)


def test_published_answers_serve_only_the_question_they_answer() -> None:
    """RDMs of another distance are not passed off; those of the same one are given, by name."""
    answer = rdm(published("correlation"), regions=["IT"])
    assert answer.origin == "published" and answer.regions == ("IT",)
    assert answer.data["rdm"].sel(stimulus="a", stimulus_to="b").item() == 16
    refused = rdm(published("squared-euclidean"))
    assert refused == NotMeasurable(
        "the published RDMs of 'human' use the distance squared-euclidean, not correlation"
    )


def test_published_answers_are_cut_to_the_stimuli() -> None:
    """Known stimuli are kept; where none is known there is a reason and no empty matrix."""
    system = published("correlation")
    assert rdm(system, stimuli=STIMULI.restrict(["a", "b", "f"])).stimuli == ("a", "b")
    assert rdm(system, stimuli=STIMULI.restrict(["e", "f"])) == NotMeasurable(
        "the published RDMs of 'human' hold none of these stimuli"
    )
    with pytest.raises(UnknownName, match="No region of 'human' is called 'V2'"):
        rdm(system, regions=["V2"])


def test_recordings_come_before_published_answers() -> None:
    """Where activity was recorded it is what is asked."""
    system = brain(recording([[0, 0], [3, 0]]), published=published("correlation").data.published)
    assert rdm(system, distance="squared-euclidean").origin == "computed"


def test_what_cannot_be_measured_has_a_reason() -> None:
    """No recording, no showing of the stimuli, or nothing to show a network."""
    assert rdm(brain()) == NotMeasurable("no activity was recorded")
    unseen = rdm(brain(recording([[0, 1], [1, 0]])), stimuli=STIMULI.restrict(["e", "f"]))
    assert unseen == NotMeasurable("'human' has no recording of these regions and stimuli")
    network = rdm(load_model("builtin:small_convnet"))
    assert isinstance(network, NotMeasurable) and len(network.reason.split()) > 2


def test_an_unknown_distance_is_refused() -> None:
    """The message lists the distances."""
    with pytest.raises(UsageError, match="distance must be one of 'correlation', 'squared-eucl"):
        rdm(toy_brain(), distance="cosine")


def test_a_network_is_asked_by_the_same_function() -> None:
    """The RDM of a layer is that of its activations, one subject a seed."""
    model = load_model("builtin:small_convnet?seeds=0,1")
    answer = rdm(model, stimuli=toy_stimuli(5), regions=["fc1"], distance="squared-euclidean")
    assert answer.subjects == ("seed0", "seed1") and answer.kind == "model"
    recordings = model.recordings(toy_stimuli(5), regions=["fc1"])
    for shown in recordings:
        values = shown.values.astype(float)
        wanted = ((values[:, None] - values[None]) ** 2).mean(axis=2)
        got = answer.data["rdm"].sel(subject=shown.attrs["subject"], region="fc1").values
        # Activations are float32; squares are summed about the grand mean.
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-7)
