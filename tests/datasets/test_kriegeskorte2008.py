"""The 92 images: published numbers, and what was measured in whom."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import pearsonr, spearmanr

from neuroai.format.answers import Answer
from neuroai.format.holdings import Holdings, SystemData
from neuroai.sources.download import fetch_listed
from neuroai.sources.matlab import read_matlab

EXACT = 1e-10  # float64 algebra in another order
PRINTED = 5e-5  # half a unit of the fourth printed digit
PRINTED_3 = 5e-4  # half a unit of the third


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("kriegeskorte2008")


def system(holdings: Holdings, name: str) -> SystemData:
    """Give one system by name."""
    return next(s for s in holdings.systems if s.name == name)


def answer(holdings: Holdings, name: str, question: str = "rdm") -> Answer:
    """Give one published answer."""
    return next(a for a in system(holdings, name).published if a.question == question)


def vectors(found: Answer) -> np.ndarray:
    """Give the pairs above the diagonal of every subject's RDM."""
    return np.array([squareform(rdm, checks=False) for rdm in found.data["rdm"].values[:, 0]])


def test_images_are_92_different_pictures(holdings: Holdings) -> None:
    """Every image is 175 by 175 RGB, at hand, and unlike all others."""
    stimuli = holdings.stimuli
    assert len(stimuli.available) == 92
    assert stimuli.table["sha256"].nunique() == 92
    assert stimuli.content("k92-13").size == (175, 175)
    assert stimuli.content("k92-13").mode == "RGB"


def test_categories_are_those_of_the_paper(holdings: Holdings) -> None:
    """48 animate (24 human, half of each faces) and 44 inanimate (23 natural, 21 artificial)."""
    table = holdings.stimuli.table
    assert table["category"].value_counts().to_dict() == {
        "human bodypart": 12, "human face": 12, "nonhuman bodypart": 12, "nonhuman face": 12,
        "natural inanimate": 23, "artificial inanimate": 21,
    }  # fmt: skip
    assert {c: int((table[c] == "1").sum()) for c in ("animate", "human", "face", "natural")} == {
        "animate": 48, "human": 24, "face": 24, "natural": 71,
    }  # fmt: skip
    assert table["animacy"].value_counts()["animate"] == 48
    assert table["faceness"].value_counts()["face"] == 24
    assert table["label"].is_unique


def test_human_and_monkey_it_match_as_published(holdings: Holdings) -> None:
    """Human RDM (mean of 4 persons) against the monkeys': r = 0.49 published, 0.4912 in full."""
    human = vectors(answer(holdings, "human")).mean(axis=0)
    (monkey,) = vectors(answer(holdings, "monkey"))
    assert pearsonr(human, monkey)[0] == pytest.approx(0.4912, abs=PRINTED)
    assert spearmanr(human, monkey)[0] == pytest.approx(0.4389, abs=PRINTED)


def test_mean_of_persons_is_the_published_figure(holdings: Holdings) -> None:
    """The mean over sessions and persons is the human RDM of the paper's first figure."""
    files = fetch_listed("kriegeskorte92")
    figure = read_matlab(files["Kriegeskorte_Neuron2008_supplementalData.mat"])
    published = figure["RDMs_mIT_hIT_fig1"]["RDM"][1]
    human = vectors(answer(holdings, "human")).mean(axis=0)
    assert pearsonr(human, published)[0] == pytest.approx(1, abs=EXACT)


def test_persons_are_the_scanned_four(holdings: Holdings) -> None:
    """Region IT of four persons, and the correlations between them (independently computed)."""
    found = answer(holdings, "human")
    assert found.subjects == ("BE", "KO", "SN", "TI")
    assert found.regions == ("IT",)
    assert (found.origin, dict(found.parameters)) == ("published", {"distance": "correlation"})
    pairs = vectors(found)
    upper = np.mean([spearmanr(pairs.mean(axis=0), one)[0] for one in pairs])
    others = [np.delete(pairs, i, axis=0).mean(axis=0) for i in range(4)]
    lower = np.mean([spearmanr(o, one)[0] for o, one in zip(others, pairs, strict=True)])
    assert (lower, upper) == pytest.approx((0.379, 0.661), abs=PRINTED_3)


def test_sessions_are_averaged_within_the_person(holdings: Holdings) -> None:
    """One pair of images by hand: the mean of the two sessions of the file."""
    sessions = read_matlab(fetch_listed("kriegeskorte92")["92_brainRDMs.mat"])["RDMs"]
    assert sessions["name"][1, 0] == "hIT | KO | Session: 1"
    by_hand = np.mean([float(sessions["RDM"][1, day][3, 70]) for day in range(2)])
    rdm = answer(holdings, "human").data["rdm"]
    got = rdm.sel(subject="KO", region="IT", stimulus="k92-04", stimulus_to="k92-71")
    assert float(got) == pytest.approx(by_hand, abs=EXACT)


def test_sixteen_persons_judged_similarity(holdings: Holdings) -> None:
    """Judgements are RDMs of 16 other persons, with faces nearer to faces than to objects."""
    found = answer(holdings, "human", "similarity")
    assert found.subjects == tuple(f"subject{i}" for i in range(1, 17))
    assert found.regions == ("behaviour",)
    face = holdings.stimuli.column("face", found.stimuli) == "1"
    rdm = found.data["rdm"].mean("subject").values[0]
    assert rdm[np.ix_(face, face)].mean() < rdm[np.ix_(face, ~face)].mean()


def test_monkeys_are_one_subject(holdings: Holdings) -> None:
    """The two monkeys' cells make one RDM, said in the subject's name."""
    assert answer(holdings, "monkey").subjects == ("2 monkeys pooled",)


def test_models_are_confounds(holdings: Holdings) -> None:
    """Eight published model RDMs; animacy is 1 between animate and inanimate, else 0."""
    names = [c.regions[0] for c in holdings.confounds]
    assert names == [
        "animacy", "FaceBodyManmadeNatobj", "monkeyIT", "EVA", "HMAX", "V1", "Silhouette", "RADON",
    ]  # fmt: skip
    animate = holdings.stimuli.column("animate", holdings.confounds[0].stimuli) == "1"
    expected = (animate[:, np.newaxis] != animate).astype(float)
    np.testing.assert_array_equal(holdings.confounds[0].data["rdm"].values[0, 0], expected)


def test_what_was_not_measured_has_a_reason(holdings: Holdings) -> None:
    """Neither species has recordings or lesions here, and the reason is a sentence."""
    for name in ("human", "monkey"):
        assert system(holdings, name).missing["recordings"].startswith("only RDMs were published")
        assert "no lesion" in system(holdings, name).missing["lesions"]
