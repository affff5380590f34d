"""Recorded systems: what was measured is given by name, and what was not has a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.analyses.computation.similarity import similarity
from neuroai.cards import ChoiceTask
from neuroai.errors import AlignmentError, UnknownName
from neuroai.format import build
from neuroai.format.answers import NotMeasurable, rdm_answer
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded, brains_of, chosen_names, published_networks
from neuroai.testing import random_recording

WHO = {"system": "monkey", "kind": "brain", "stimulus_set": "toy"}
TASK = ChoiceTask(name="naming", options=("cat", "dog"), truth="category")
NAN = float("nan")
STIMULI = stimulus_set(pd.DataFrame({"stimulus_id": list("abc")}), name="toy")


def recording(subject: str, regions: str, **presentation: object) -> xr.DataArray:
    """Make three showings of units that lie in these regions, one letter a unit."""
    names = {"V": "V1", "I": "IT", "P": "PFC"}
    return build.recording(
        np.arange(3.0 * len(regions)).reshape(3, -1), stimulus_id=list("abc"),
        unit_id=[f"u{i}" for i in range(len(regions))], region=[names[r] for r in regions],
        subject=subject, presentation=presentation, **WHO,
    )  # fmt: skip


def behaviour(task: str = "naming", **columns: object) -> xr.Dataset:
    """Make a behaviour table of one person."""
    n = len(next(iter(columns.values())))
    return build.behaviour({"subject": ["p1"] * n, **columns}, task=task, **WHO)


def brain(**data: object) -> Recorded:
    """Make a brain that holds these data."""
    facts = {"name": "monkey", "kind": "brain", "species": "Macaca mulatta", **data}
    return Recorded(data=SystemData(**facts), stimuli=STIMULI)


def lesioned() -> Recorded:
    """Make a brain with silencing at two doses, a sham, and trials whose dose is not stated."""
    table = behaviour(
        stimulus_id=list("abcabc"),
        choice=["cat", "dog", "cat", "dog", "cat", "dog"],
        intervention=["none", "silenced", "silenced", "sham", "stimulated", ""],
        dose=[NAN, 1.0, 0.5, 0.5, NAN, NAN],
    )
    return brain(behaviour=(table,))


def test_subjects_and_regions_come_in_order_of_appearance() -> None:
    """Neither is sorted, and neither is repeated."""
    system = brain(recordings=(recording("m2", "PVP"), recording("m1", "IV")))
    assert system.subjects == ("m2", "m1") and system.regions == ("PFC", "V1", "IT")


def test_recordings_hold_one_subject_and_one_region() -> None:
    """Each part states its subject and region, with that region's units alone."""
    system = brain(recordings=(recording("m2", "PVP"), recording("m1", "IV")))
    parts = list(system.recordings(regions=["V*", "PFC"]))
    assert [(p.attrs["subject"], p.attrs["region"]) for p in parts] == [
        ("m2", "PFC"), ("m2", "V1"), ("m1", "V1"),
    ]  # fmt: skip
    assert parts[0].unit_id.values.tolist() == ["u0", "u2"]
    np.testing.assert_array_equal(parts[0].values, [[0, 2], [3, 5], [6, 8]])
    assert "region" not in system.data.recordings[0].attrs


def test_recordings_are_cut_to_the_stimuli() -> None:
    """Only showings of the named stimuli are given, and a subject who saw none is left out."""
    one = recording("m1", "V")
    other = recording("m2", "V").isel(presentation=[0])
    parts = list(brain(recordings=(one, other)).recordings(STIMULI.restrict(["b", "c"])))
    assert [p.attrs["subject"] for p in parts] == ["m1"]
    assert parts[0].stimulus_id.values.tolist() == ["b", "c"]


def test_misspelt_region_gets_the_near_miss() -> None:
    """An unknown region is named with the nearest, a glob without a match with what there is."""
    system = brain(recordings=(recording("m1", "VI"),))
    with pytest.raises(UnknownName, match="No region of 'monkey' is called 'ITT'. .* 'IT'"):
        system.recordings(regions=["ITT"])
    with pytest.raises(UnknownName, match=r"No region of 'monkey' matches 'X\*'. There is: V1, IT"):
        system.recordings(regions=["V1", "X*"])


def test_a_region_recorded_twice_is_named() -> None:
    """Two recordings of one subject and region would overwrite each other: they are refused."""
    system = brain(recordings=(recording("m1", "VI"), recording("m1", "VP")))
    with pytest.raises(AlignmentError, match="same subject and region: m1 V1. Join"):
        system.recordings()


@pytest.mark.parametrize(
    ("missing", "reason"),
    [({}, "no activity was recorded"), ({"recordings": "behaviour alone"}, "behaviour alone")],
)
def test_missing_recordings_have_a_reason(missing: dict[str, str], reason: str) -> None:
    """What was not recorded is said in the data set's words, or in ours."""
    assert brain(missing=missing).recordings() == NotMeasurable(reason)


def test_missing_choices_have_a_reason() -> None:
    """No table, no table of that task, and response times alone are no choices."""
    reason = NotMeasurable("no choices were recorded on the task 'naming'")
    assert brain().choices(TASK) == reason
    timed = behaviour(stimulus_id=["a"], response_time=[0.5])
    assert brain(behaviour=(timed,)).choices(TASK) == reason
    assert lesioned().choices(replace(TASK, name="sorting")).reason.endswith("'sorting'")
    said = brain(missing={"behaviour": "they slept"}).choices(TASK)
    assert said == NotMeasurable("they slept")


def test_choices_are_those_of_the_intact_system() -> None:
    """Trials under an intervention are not mixed with the intact ones."""
    table = lesioned().choices(TASK)
    assert table.stimulus_id.values.tolist() == ["a"]
    assert table.attrs["choice_by"] == "recorded"


def test_choices_are_cut_to_the_stimuli() -> None:
    """Trials of other stimuli are left out; where none is left there is a reason."""
    system = brain(behaviour=(behaviour(stimulus_id=list("abc"), choice=["cat"] * 3),))
    table = system.choices(TASK, STIMULI.restrict(["c"]))
    assert table.stimulus_id.values.tolist() == ["c"]
    assert system.choices(TASK, STIMULI.restrict([])).reason.startswith("no trial of the task")


def test_interventions_come_with_their_doses() -> None:
    """Every named intervention is listed; a dose that is not stated counts as full."""
    assert lesioned().interventions() == (
        ("sham", (0.5,)), ("silenced", (0.5, 1.0)), ("stimulated", (1.0,)),
    )  # fmt: skip
    assert brain(behaviour=(behaviour(stimulus_id=["a"], choice=["cat"]),)).interventions() == ()
    undosed = behaviour(stimulus_id=["a"], choice=["cat"], intervention=["cooled"])
    assert brain(behaviour=(undosed,)).interventions() == (("cooled", (1.0,)),)


@pytest.mark.parametrize(
    ("name", "dose", "stimuli"),
    [
        ("silenced", None, ["b", "c"]),
        ("silenced", 0.5, ["c"]),
        ("stimulated", 1.0, ["b"]),
        ("sham", 0.5, ["a"]),
    ],
)
def test_under_intervention_gives_its_trials(name, dose, stimuli) -> None:
    """A new system holds the trials of that intervention and dose; the old one is as it was."""
    system = lesioned()
    table = system.under_intervention(name, dose=dose).choices(TASK)
    assert table.stimulus_id.values.tolist() == stimuli
    assert system.under == "none" and system.choices(TASK).sizes["trial"] == 1


def test_under_an_unknown_intervention_or_dose() -> None:
    """A misspelt intervention gets the near miss; a dose that was not given has no trials."""
    with pytest.raises(UnknownName, match="No measured intervention is called 'silence'. Did you"):
        lesioned().under_intervention("silence")
    found = lesioned().under_intervention("silenced", dose=0.9).choices(TASK)
    assert found == NotMeasurable("no trial of the task 'naming' was run under 'silenced'")


def test_recordings_go_by_intervention_and_dose() -> None:
    """Activity under an intervention is given only when asked for."""
    shown = recording("m1", "V", intervention=["none", "cooled", "cooled"], dose=[NAN, 0.5, 1.0])
    plain = recording("m2", "V")
    table = behaviour(stimulus_id=list("ab"), choice=["cat"] * 2, intervention=["none", "cooled"])
    system = brain(recordings=(shown, plain), behaviour=(table,))
    ids = {p.attrs["subject"]: p.stimulus_id.values.tolist() for p in system.recordings()}
    assert ids == {"m1": ["a"], "m2": ["a", "b", "c"]}
    parts = list(system.under_intervention("cooled", dose=0.5).recordings())
    assert [(p.attrs["subject"], *p.stimulus_id.values) for p in parts] == [("m1", "b")]
    (both,) = system.under_intervention("cooled").recordings()
    assert both.stimulus_id.values.tolist() == ["b", "c"]


def ratings() -> xr.Dataset:
    """Make ratings of the similarity of pairs, on a scale to 4, without any choice."""
    pairs = [["a", "b"], ["a", "c"], ["c", "b"]]
    return behaviour(task="pairs", option_stimulus_id=pairs, rating=[4.0, 1.0, 2.0])


def test_ratings_reach_similarity() -> None:
    """A table of ratings alone answers how alike pairs are; a judged pair keeps its rating."""
    answer = similarity(brain(behaviour=(ratings(),)), task=replace(TASK, name="pairs"))
    assert answer.parameters["method"] == "ratings of similarity"
    np.testing.assert_array_equal(answer.data.rdm[0, 0], [[0, 0, 3], [0, 0, 2], [3, 2, 0]])


def test_ratings_are_cut_to_pairs_of_the_stimuli() -> None:
    """A pair stays where both of its stimuli are asked for."""
    system, task = brain(behaviour=(ratings(),)), replace(TASK, name="pairs")
    table = system.choices(task, STIMULI.restrict(["a", "c"]))
    assert table.option_stimulus_id.values.tolist() == [["a", "c"]]


def test_choices_come_before_ratings() -> None:
    """Where one task has both tables the choices are given, whatever their order."""
    rated = behaviour(stimulus_id=["a"], rating=[1.0])
    chosen = behaviour(stimulus_id=["b"], choice=["cat"])
    for tables in ((rated, chosen), (chosen, rated)):
        assert "choice" in brain(behaviour=tables).choices(TASK)


def test_without_recordings_subjects_and_regions_come_from_the_rest() -> None:
    """Behaviour and published answers name subjects and regions, too."""
    rdm = rdm_answer(
        np.zeros((2, 1, 3, 3)), subjects=["m9", "m8"], regions=["IT"], stimuli=list("abc"),
        parameters={}, origin="published", **WHO,
    )  # fmt: skip
    system = brain(behaviour=(behaviour(stimulus_id=["a"], choice=["cat"]),), published=(rdm,))
    assert system.subjects == ("p1", "m9", "m8") and system.regions == ("IT",)
    assert system.published("rdm") == (rdm,) and system.published("similarity") == ()


def test_published_answers_are_of_the_intact_system() -> None:
    """Under an intervention nothing that was published of the intact system is served."""
    system = lesioned()
    rdm = rdm_answer(
        np.zeros((1, 1, 1, 1)), subjects=["p"], regions=["IT"], stimuli=["a"], parameters={}, **WHO
    )
    system = replace(system, data=replace(system.data, published=(rdm,)))
    assert system.published("rdm") == (rdm,)
    assert system.under_intervention("sham").published("rdm") == ()


def test_chosen_names_go_by_name_and_glob() -> None:
    """All by default; in the order of what is known; each once; brackets are taken as written."""
    known = ["V1", "V2", "IT", "PFC[left]"]
    assert chosen_names(known, None, kind="region") == tuple(known)
    assert chosen_names(known, ["IT", "V?", "V1"], kind="region") == ("V1", "V2", "IT")
    assert chosen_names(known, ["PFC[left]"], kind="region") == ("PFC[left]",)
    assert chosen_names(known, ["V[12]"], kind="region") == ("V1", "V2")
    with pytest.raises(UnknownName) as caught:
        chosen_names(known, ["Q*"], kind="region")
    assert str(caught.value) == "No region matches 'Q*'. There is: V1, V2, IT, PFC[left]."
    with pytest.raises(UnknownName) as caught:
        chosen_names(known, ["v1"], kind="region")
    assert str(caught.value) == "No region is called 'v1'. Did you mean 'V1'?"


def test_brains_and_published_networks_are_told_apart() -> None:
    """A data set's brains come in order; networks whose answers it publishes come apart."""
    kinds = {"human": "brain", "AlexNet": "model", "monkey": "brain"}
    systems = tuple(SystemData(name=n, kind=k, species="x") for n, k in kinds.items())
    held = Holdings(card=None, stimuli=STIMULI, systems=systems)
    assert [b.name for b in brains_of(held)] == ["human", "monkey"]
    assert [(n.name, n.kind) for n in published_networks(held)] == [("AlexNet", "model")]
    assert all(b.holdings is held for b in brains_of(held))


def test_two_units_of_one_region_are_refused() -> None:
    """Subjects recorded in volts and in microvolts are named with their units."""
    recordings = tuple(
        random_recording(seed=seed).assign_attrs(physical_unit=unit, subject=unit)
        for seed, unit in enumerate(("V", "uV"))
    )
    ids = sorted(set(recordings[0]["stimulus_id"].values))
    brain = Recorded(
        data=SystemData("brain", "brain", "none", recordings=recordings),
        stimuli=stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="noise"),
    )
    with pytest.raises(AlignmentError, match=r"different units: 'V' \(V\), 'uV' \(uV\)"):
        brain.recordings()
