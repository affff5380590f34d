"""Answers are labelled, and what a restriction leaves is what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from neuroai.errors import AlignmentError, FormatError, UnknownName, UsageError
from neuroai.format.answers import Answer, NotMeasurable, part_of, rdm_answer
from neuroai.testing import random_recording

WHO = {"system": "human", "kind": "brain", "stimulus_set": "toy"}


def labels(*names: str) -> np.ndarray:
    """Make an array of text."""
    return np.array(names, dtype=object)


def rdms(stimuli: str = "cab") -> Answer:
    """Make RDMs of two subjects and two regions; an entry is the distance of the letters."""
    place = np.array([ord(key) for key in stimuli], dtype=float)
    rdm = np.abs(place[:, None] - place)
    values = rdm * np.array([1, 2]).reshape(2, 1, 1, 1) * np.array([1, 10]).reshape(1, 2, 1, 1)
    return rdm_answer(
        values, subjects=["p1", "p2"], regions=["V1", "IT"], stimuli=list(stimuli),
        parameters={"distance": "correlation"}, **WHO,
    )  # fmt: skip


def table() -> Answer:
    """Make a table with sums over stimuli, sums over subjects, and values stimulus by stimulus."""
    per_stimulus = np.arange(6.0).reshape(2, 1, 3)
    dims = ("subject", "region")
    data = xr.Dataset(
        {
            "value": (dims, per_stimulus.mean(axis=2)),
            "n": (dims, [[3], [3]]),
            "pooled": (("region",), [2.5]),
            "value_by_condition": ((*dims, "condition"), [[[0.5, 2.0]], [[3.5, 5.0]]]),
            "per_stimulus": ((*dims, "stimulus"), per_stimulus),
            "truth": (("stimulus",), labels("x", "y", "x")),
        },
        coords={
            "subject": labels("p1", "p2"),
            "region": labels("behaviour"),
            "stimulus": labels("a", "b", "c"),
            "condition": labels("easy", "hard"),
        },
    )
    return Answer(form="table", data=data, question="accuracy", parameters={}, **WHO)


def confusion() -> Answer:
    """Make confusions with the choices that they add up."""
    counts = np.zeros((1, 1, 2, 2))
    counts[0, 0, [0, 1], [0, 0]] = 1
    data = xr.Dataset(
        {
            "confusion": (("subject", "region", "truth", "choice"), counts),
            "choice_counts": (("subject", "region", "stimulus", "choice"), counts),
            "truth_code": (("stimulus",), [0, 1]),
        },
        coords={"subject": ["p"], "region": ["behaviour"], "stimulus": ["a", "b"]},
    )
    return Answer(form="confusion", data=data, question="confusions", parameters={}, **WHO)


def responses(*subjects: str) -> Answer:
    """Make responses of these subjects, two showings a stimulus."""
    parts = tuple(
        random_recording(n_stimuli=5, n_units=4, n_repeats=2, subject=name).assign_attrs(
            region="R1"
        )
        for name in subjects
    )
    data = xr.Dataset(
        {"n_units": (("subject", "region"), np.full((len(subjects), 1), 4))},
        coords={"subject": labels(*subjects), "region": labels("R1")},
    )
    return Answer(
        form="responses", data=data, question="responses", parameters={}, responses=parts, **WHO
    )


def test_rdm_answer_sorts_stimuli_with_their_values() -> None:
    """Whatever order the RDM has, the answer is sorted and each value keeps its two ids."""
    answer = rdms("dbca")
    assert answer.stimuli == ("a", "b", "c", "d")
    assert answer.subjects == ("p1", "p2") and answer.regions == ("V1", "IT")
    for first in "abcd":
        for second in "abcd":
            where = {"stimulus": first, "stimulus_to": second, "subject": "p2", "region": "IT"}
            assert answer.data["rdm"].sel(where).item() == 20 * abs(ord(first) - ord(second))


def test_restriction_of_rdms_goes_by_name() -> None:
    """Stimuli are cut on both axes, subjects and regions come in the order asked for."""
    part = rdms("abcd").restrict(stimuli=["d", "b"], subjects=["p2", "p1"], regions=["IT"])
    assert (part.stimuli, part.subjects, part.regions) == (("b", "d"), ("p2", "p1"), ("IT",))
    values = part.data["rdm"].values[:, 0]
    np.testing.assert_array_equal(values, [[[0, 40], [40, 0]], [[0, 20], [20, 0]]])
    assert part.parameters == {"distance": "correlation"}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"stimuli": ["a", "x", "y"]}, AlignmentError, "'human' lacks 2 of the stimuli .*: x, y"),
        ({"stimuli": ["a", "a"]}, AlignmentError, "more than once in the stimuli asked for: a"),
        ({"subjects": ["p3"]}, UnknownName, "No subject is called 'p3'. There is: p1, p2"),
        ({"regions": ["V1", "ITC"]}, UnknownName, "No region is called 'ITC'. Did you mean 'IT'"),
        ({"subjects": ["p1", "p1"]}, AlignmentError, "subjects must be unique; got p1, p1"),
    ],
)
def test_restriction_names_what_it_lacks(options: dict, error: type, message: str) -> None:
    """Unknown and doubled stimuli, subjects and regions are named."""
    with pytest.raises(error, match=message):
        rdms().restrict(**options)


def test_sums_over_left_out_stimuli_go() -> None:
    """After a restriction of stimuli no number is left that was computed over all of them."""
    part = table().restrict(stimuli=["a", "c"])
    assert set(part.data.data_vars) == {"per_stimulus", "truth"}
    assert part.data["per_stimulus"].values.tolist() == [[[0, 2]], [[3, 5]]]
    assert part.stimuli == ("a", "c")


def test_confusions_go_with_the_stimuli_that_they_count() -> None:
    """A confusion matrix over all stimuli does not survive; the counts of each stimulus do."""
    part = confusion().restrict(stimuli=["b"])
    assert set(part.data.data_vars) == {"choice_counts", "truth_code"}


def test_sums_stay_where_no_stimulus_goes() -> None:
    """Asking for all stimuli, in any order, takes nothing away."""
    xr.testing.assert_identical(table().restrict(stimuli=["c", "a", "b"]).data, table().data)
    assert "confusion" in confusion().restrict(stimuli=["b", "a"]).data


def test_pools_over_left_out_subjects_go() -> None:
    """What pools subjects is dropped with one of them; each subject's own numbers stay."""
    part = table().restrict(subjects=["p2"])
    assert set(part.data.data_vars) == set(table().data.data_vars) - {"pooled"}
    assert part.data["value"].values.tolist() == [[4.0]]
    assert "pooled" in table().restrict(subjects=["p2", "p1"]).data


def test_restriction_leaves_the_answer_alone() -> None:
    """The answer that is restricted keeps everything."""
    answer = table()
    answer.restrict(stimuli=["a"], subjects=["p1"])
    xr.testing.assert_identical(answer.data, table().data)


def test_responses_are_restricted_with_their_showings() -> None:
    """Every showing of the kept stimuli stays, in place; other subjects' recordings go."""
    part = responses("p1", "p2").restrict(stimuli=["stim003", "stim001"], subjects=["p2"])
    assert [part_of(r) for r in part.responses] == [("p2", "R1")]
    assert part.responses[0].stimulus_id.values.tolist() == ["stim001", "stim003"] * 2
    assert part.stimuli == ("stim001", "stim003")
    assert part.data["n_units"].values.tolist() == [[4]]


def test_a_subject_who_missed_a_stimulus_is_named() -> None:
    """Responses are not restricted to stimuli that one of the subjects never saw."""
    answer = responses("p1", "p2")
    short = answer.responses[1].isel(presentation=[0, 1, 2])
    answer = Answer(**{**vars(answer), "responses": (answer.responses[0], short)})
    with pytest.raises(AlignmentError, match="subject 'p2', lacks 2 .*: stim003, stim004"):
        answer.restrict(stimuli=answer.stimuli)
    assert len(answer.restrict(stimuli=answer.stimuli, subjects=["p1"]).responses) == 1


def test_forms_without_stimuli_have_none() -> None:
    """A table without an axis of stimuli says so, and cannot be restricted to some."""
    answer = rdms().data.drop_dims(["stimulus", "stimulus_to"]).assign(value=("region", [1.0, 2.0]))
    bare = Answer(form="table", data=answer, question="localiser", parameters={}, **WHO)
    assert bare.stimuli == ()
    with pytest.raises(AlignmentError, match="lacks 1 of the stimuli asked for: a"):
        bare.restrict(stimuli=["a"])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"form": "map"}, UsageError, "form must be one of 'rdm'"),
        ({"kind": "robot"}, UsageError, "kind must be one of 'brain', 'model'"),
        ({"origin": "guessed"}, UsageError, "origin must be one of 'computed', 'published'"),
        ({"data": xr.Dataset()}, FormatError, "needs the labelled dim 'subject'"),
        (
            {"data": xr.Dataset(coords={"subject": ["p", "p"], "region": ["V1"]})},
            AlignmentError,
            "subjects must be unique; got p, p",
        ),
    ],
)
def test_what_is_no_answer_is_refused(change: dict, error: type, message: str) -> None:
    """Forms, kinds, origins and labels are checked when the answer is made."""
    with pytest.raises(error, match=message):
        Answer(**{**vars(rdms()), **change})


def test_describe_gives_json() -> None:
    """The parameters come as JSON with sorted keys."""
    answer = Answer(**{**vars(rdms()), "parameters": {"b": 1, "a": ("x", 2.5)}})
    assert json.loads(answer.describe()) == {"a": ["x", 2.5], "b": 1}
    assert answer.describe().index('"a"') < answer.describe().index('"b"')


def test_not_measurable_is_a_value() -> None:
    """Two refusals for the same reason are equal; the reason is what is read."""
    assert NotMeasurable("not recorded") == NotMeasurable("not recorded")
    assert NotMeasurable("not recorded") != NotMeasurable("masked")
