"""Similarity: published, rated, and taken from activity."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from neuroai.analyses.computation.similarity import similarity
from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable, rdm_answer
from neuroai.format.build import behaviour
from neuroai.format.holdings import SystemData
from neuroai.systems.brain import Recorded
from neuroai.testing import EQUAL, toy_stimuli

RATING = ChoiceTask(name="pairs", options=(), truth="")


def test_a_network_is_asked_through_its_last_layer(network, images):
    """The RDM is scipy's correlation distance of the last layer, and says so."""
    answer = similarity(network, stimuli=images)
    assert answer.form == "rdm" and answer.regions == ("behaviour",)
    assert answer.parameters["method"] == "1 - r of the activity of layer2"
    expected = squareform(pdist(network.activity[1].values, "correlation"))
    np.testing.assert_allclose(answer.data.rdm.values[0, 0], expected, atol=EQUAL)
    assert answer.subjects == ("seed0", "seed1")


def test_another_layer_can_be_named(network, images):
    """A stated layer is used in place of the last."""
    answer = similarity(network, stimuli=images, region="layer1")
    expected = squareform(pdist(network.activity[0].values, "correlation"))
    np.testing.assert_allclose(answer.data.rdm.values[0, 0], expected, atol=EQUAL)


def test_published_judgements_come_first(people, images):
    """A published answer is given as it stands, on the stimuli asked for."""
    rdms = squareform(np.arange(3.0))[None, None]
    published = rdm_answer(
        rdms,
        subjects=["judge"],
        regions=["behaviour"],
        stimuli=["i02", "i00", "i01"],
        question="similarity",
        parameters={"method": "arrangement"},
        system="human",
        kind="brain",
        stimulus_set="images",
        origin="published",
    )
    data = dataclasses.replace(people.data, published=(published,))
    judges = Recorded(data=data, stimuli=images)
    assert similarity(judges).data.identical(published.data)
    assert similarity(judges, stimuli=images.restrict(["i01", "i02"])).stimuli == ("i01", "i02")


def test_ratings_become_dissimilarities(network, images):
    """Mean ratings of pairs, in either order, are taken from the highest; gaps are counted."""
    table = behaviour(
        {
            "subject": ["p"] * 4,
            "option_stimulus_id": [["i00", "i01"], ["i01", "i00"], ["i00", "i02"], ["i03", "i00"]],
            "rating": [4.0, 6.0, 7.0, 1.0],
        },
        system="network",
        kind="model",
        stimulus_set="images",
    )
    rater = dataclasses.replace(network, table=table)
    answer = similarity(rater, stimuli=images, task=RATING)
    first = answer.data.rdm.sel(subject="p", region="behaviour", stimulus="i00").values
    assert first.tolist() == [0.0, 2.0, 0.0, 6.0]
    assert answer.undefined["pairs without a judgement"] == 3
    high = similarity(rater, stimuli=images, task=RATING, rating="dissimilarity")
    assert high.data.rdm.sel(stimulus="i00").values.ravel().tolist() == [0.0, 5.0, 7.0, 1.0]


def test_a_brain_without_judgements_is_not_measurable(people):
    """A brain is not given the judgements of its activity unless a region is named."""
    answer = similarity(people)
    assert answer == NotMeasurable("'human' was not asked how similar the stimuli are")


def test_constant_patterns_are_counted(network, images):
    """A stimulus with a constant pattern has no correlation: its pairs are counted."""
    part = network.activity[1].copy()
    part[5] = 1.0
    answer = similarity(dataclasses.replace(network, activity=(part,)), stimuli=images)
    assert answer.undefined["pairs without a judgement"] == 29


def test_one_region_at_a_time(images, network):
    """A pattern that matches several regions is refused."""
    parts = tuple(part.copy() for part in network.activity[:2])
    data = SystemData("both", "brain", "none", recordings=parts)
    with pytest.raises(UsageError, match="matches 2 regions: layer1, layer2"):
        similarity(Recorded(data=data, stimuli=images), region="layer*")


def arranged(*, rating: str = "dissimilarity") -> Recorded:
    """Make a person who arranged four items twice: all of them, and three on a larger scale."""
    place = np.array([[0.0, 0], [1, 0], [0, 2], [3, 3]])
    rows = []
    for name, items, scale in (("first", (0, 1, 2, 3), 1.0), ("second", (0, 1, 3), 2.5)):
        for x, i in enumerate(items):
            for j in items[x + 1 :]:
                distance = scale * np.linalg.norm(place[i] - place[j])
                rows.append((name, ("abcd"[j], "abcd"[i]), distance))
    arrangement, pairs, distance = zip(*rows, strict=True)
    table = behaviour(
        {
            "subject": ["p"] * len(rows), "option_stimulus_id": list(pairs),
            "rating": distance, "arrangement": arrangement,
        },
        system="human", kind="brain", stimulus_set="toy", task="pairs",
    )  # fmt: skip
    data = SystemData("human", "brain", "Homo sapiens", behaviour=(table,))
    return Recorded(data=data, stimuli=toy_stimuli(4))


def test_arrangements_are_combined_by_inverse_mds():
    """Two arrangements on unlike scales give the map's distances, up to one factor."""
    answer = similarity(arranged(), task=RATING, rating="dissimilarity")
    place = np.array([[0.0, 0], [1, 0], [0, 2], [3, 3]])
    truth = squareform(pdist(place))
    found = answer.data.rdm.values[0, 0]
    i, j = np.triu_indices(4, 1)
    np.testing.assert_allclose(found[i, j] / truth[i, j], found[0, 1] / truth[0, 1], rtol=EQUAL)
    assert answer.parameters["method"] == "multi-arrangement (inverse MDS)"
    assert answer.stimuli == ("a", "b", "c", "d")


def test_an_arrangement_is_no_similarity():
    """Distances on a screen grow with dissimilarity: the other reading is refused."""
    with pytest.raises(UsageError, match="ask with rating='dissimilarity'"):
        similarity(arranged(), task=RATING)
