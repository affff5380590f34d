"""Cards refuse to be made without their facts, and say which are missing."""

from __future__ import annotations

import dataclasses

import pytest

from neuroai import cards
from neuroai.errors import RegistryError

ANSWERS = dict.fromkeys(("computation", "algorithm", "implementation"), "all")
FACTS = {
    cards.DatasetCard: {
        "name": "toy", "title": "Toy", "folder": "toy", "url": "none", "licence": "CC0-1.0",
        "citation": "none", "doi": "", "modality": ("fMRI",), "systems": ("human",),
        "n_stimuli": 3, "size_mib": 0.0, "answers": ANSWERS,
    },
    cards.ModelCard: {
        "name": "toy", "title": "Toy", "can": "activations", "licence": "MIT", "citation": "none",
        "revision": "1", "input_shape": (1, 8, 8),
    },
    cards.AnalysisCard: {
        "name": "toy", "level": "algorithm", "question": "Which?", "form": "rdm",
        "defined_on": "all", "citation": "none",
    },
    cards.MetricCard: {
        "name": "toy", "compares": "rdm", "title": "Toy", "perfect": 1.0, "worst": -1.0,
        "symmetric": True, "ignores": (), "citation": "none",
    },
    cards.LesionCard: {
        "name": "toy", "title": "Toy", "null_strength": 0.0, "full_strength": 1.0,
        "reversible": True, "citation": "none",
    },
    cards.BenchmarkCard: {
        "name": "toy", "level": "algorithm", "question": "Which?", "dataset": "d",
        "system": "human", "analysis": "rdm", "metric": "rdm-pearson", "regions": (),
        "chance": 0.0, "citation": "none", "version": "1",
    },
}  # fmt: skip
TEXTS = [
    (card, name)
    for card, facts in FACTS.items()
    for name, value in facts.items()
    if isinstance(value, str) and name != "doi"
]


@pytest.mark.parametrize("card", FACTS)
def test_a_complete_card_is_made_and_frozen(card: type) -> None:
    """With every fact the card holds them as given; zero and False are facts."""
    made = card(**FACTS[card])
    assert {name: getattr(made, name) for name in FACTS[card]} == FACTS[card]
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "other"


@pytest.mark.parametrize(("card", "fact"), TEXTS)
def test_an_empty_fact_is_named(card: type, fact: str) -> None:
    """A text left empty is named with the card."""
    name = FACTS[card]["name"] if fact != "name" else ""
    with pytest.raises(RegistryError) as caught:
        card(**{**FACTS[card], fact: ""})
    message = f"The {card.__name__} '{name}' leaves out: {fact}. Every fact must be stated."
    assert str(caught.value) == message


def test_several_empty_facts_are_all_named() -> None:
    """Nobody has to mend a card fact by fact."""
    with pytest.raises(RegistryError, match="leaves out: title, revision, input_shape"):
        empty = {"title": "", "revision": None, "input_shape": ()}
        cards.ModelCard(**{**FACTS[cards.ModelCard], **empty})


@pytest.mark.parametrize("answers", [{}, {"computation": "x"}, {**ANSWERS, "other": "x"}])
def test_a_data_set_speaks_of_every_level(answers: dict[str, str]) -> None:
    """Each level has what can be asked, or the reason why nothing can; and no other level."""
    with pytest.raises(RegistryError, match="for each of computation, algorithm, implementation"):
        cards.DatasetCard(**{**FACTS[cards.DatasetCard], "answers": answers})


@pytest.mark.parametrize(
    ("card", "fact", "message"),
    [
        (cards.AnalysisCard, "level", "has level 'x' and form 'rdm'"),
        (cards.AnalysisCard, "form", "has level 'algorithm' and form 'x'"),
        (cards.MetricCard, "compares", "compares 'x'"),
        (cards.BenchmarkCard, "level", "has level 'x'"),
    ],
)
def test_unknown_levels_and_forms_are_refused(card: type, fact: str, message: str) -> None:
    """Levels and forms are those of the framework."""
    with pytest.raises(RegistryError, match=message):
        card(**{**FACTS[card], fact: "x"})


def test_levels_and_forms_agree_with_the_schema() -> None:
    """Cards stand below the schema and repeat its words; they must be the same."""
    from neuroai.format.answers import ANSWER_FORMS
    from neuroai.format.schema import LEVELS

    assert cards.LEVELS == LEVELS and set(cards.COMPARES) == set(ANSWER_FORMS)
