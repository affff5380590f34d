"""Oddity as a question: recorded choices, activity, and trials that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from neuroai.analyses.computation.oddity import oddity
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import DataError, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import behaviour
from neuroai.numerics.odd_one_out import least_alike, odd_one_out, triplets
from neuroai.testing import EXACT, chooser

MEMBERS = [["a", "b", "c", "d"], ["b", "c", "d", "e"], ["a", "c", "d", "e"]]
ODD = ["d", "b", "e"]


def person(choice: list[str], members=MEMBERS, odd=ODD):
    """Make a person who chose among the stimuli of three trials, met twice."""
    return chooser({
        "stimulus_id": [f"t{i}" for i in range(len(members))], "option_stimulus_id": members,
        "truth": odd, "choice": choice,
    })  # fmt: skip


def test_three_items_are_the_odd_one_out():
    """Least alike on average and outside the most similar pair are the same for three."""
    rdm = squareform(pdist(np.random.default_rng(0).normal(size=(9, 4))))
    some = triplets(9)
    np.testing.assert_array_equal(least_alike(rdm, some), odd_one_out(rdm, some))


def test_ties_and_gaps_are_no_choice():
    """Equal distances and missing ones give -1."""
    flat = 1 - np.eye(4)
    assert least_alike(flat, np.array([[0, 1, 2, 3]])).tolist() == [-1]
    gap = flat.copy()
    gap[0, 1] = gap[1, 0] = np.nan
    assert least_alike(gap, np.array([[0, 1, 2]])).tolist() == [-1]
    with pytest.raises(DataError, match="n_trials, 3 or more"):
        least_alike(flat, np.array([[0, 1]]))


def test_recorded_choices_are_counted_by_trial():
    """Right where the odd stimulus was named; a silent trial is no error but is counted."""
    answer = oddity(person(["d", "c", ""]))
    np.testing.assert_allclose(answer.data.per_stimulus.values[0, 0], [1, 0, np.nan])
    assert answer.data.value.item() == 0.5 and answer.data.n.item() == 2
    assert answer.parameters["choice_by"] == "recorded" and answer.parameters["chance"] == 0.25
    assert answer.undefined["trials without a choice"] == 1


def test_a_network_meets_the_trials_of_the_person(network, images):
    """Its layer chooses on the same trials, by label: the layer that knows the kind finds them."""
    ids = {kind: [k for k in images.ids if images.column("category", [k])[0] == kind]
           for kind in ("cat", "dog")}  # fmt: skip
    members = [[*ids["cat"][i : i + 3], ids["dog"][i]] for i in range(7)]
    trials = person([row[3] for row in members], members, [row[3] for row in members])
    table = trials.data.behaviour[0]
    good = oddity(network, trials=table, stimuli=images, region="layer2")
    bad = oddity(network, trials=table, stimuli=images, region="layer1")
    assert good.data.value.values.min() > 0.9 > bad.data.value.values.max()
    assert good.parameters["choice_by"] == "activity"
    assert good.data.stimulus.values.tolist() == [f"t{i}" for i in range(7)]
    (score,) = compare(
        oddity(trials), good, metric="accuracy-difference",
        context=Context(level="computation", dataset="toy"),
        inference=Inference(n_bootstrap=50, n_null=0),
    )  # fmt: skip
    assert score.value == pytest.approx(good.data.value.mean().item() - 1, abs=EXACT)


def test_activity_chooses_as_a_loop_does(network, images):
    """The stimulus whose pattern correlates least with the others, seed by seed."""
    answer = oddity(network, stimuli=images, region="layer1", limit=20)
    parts = {p.attrs["subject"]: p for p in network.activity if p.attrs["region"] == "layer1"}
    for seed, part in parts.items():
        patterns = dict(zip(part["stimulus_id"].values, part.values, strict=True))
        for name in answer.data.stimulus.values:
            *same, odd = name.split("|")
            row = [*same, odd]
            r = np.corrcoef([patterns[k] for k in row])
            chosen = row[int((r.sum(axis=1) - 1).argmin())]
            found = answer.data.per_stimulus.sel(subject=seed, region="layer1", stimulus=name)
            assert found.item() == float(chosen == odd)


def test_drawn_trials_hold_one_kind_and_one_other(network, images):
    """Every trial is distinct; the seed draws it; other seeds draw others."""
    ask = {"stimuli": images, "region": "layer2", "n_options": 5, "limit": 30}
    answer = oddity(network, seed=1, **ask)
    for name in answer.data.stimulus.values:
        *same, odd = (images.column("category", [k])[0] for k in name.split("|"))
        assert len(set(same)) == 1 and odd not in same and len(same) == 4
    again, other = (oddity(network, seed=s, **ask).data.stimulus.values.tolist() for s in (1, 2))
    assert again == answer.data.stimulus.values.tolist() != other
    assert answer.parameters["seed"] == 1 and answer.parameters["chance"] == 0.2


def test_what_cannot_be_asked_says_why(network, images):
    """No kinds, no trials, no odd stimulus among the trial's, too few options."""
    none = oddity(network, stimuli=images, label="colour")
    assert none == NotMeasurable("the stimuli have no column 'colour' to make oddity trials of")
    many = oddity(network, stimuli=images, n_options=12)
    assert "needs 11 stimuli of one category" in many.reason
    assert "by experiment was published" in oddity(person(["d", "c", ""]), by="experiment").reason
    wrong = behaviour(
        {"subject": ["p"], "option_stimulus_id": [["a", "b", "c"]], "truth": ["z"],
         "choice": ["a"]},
        system="toy", kind="brain", stimulus_set="toy",
    )  # fmt: skip
    with pytest.raises(DataError, match="none of their stimuli: z"):
        oddity(network, trials=wrong, stimuli=images)
    with pytest.raises(UsageError, match="n_options must be at least 3"):
        oddity(network, stimuli=images, n_options=2)
