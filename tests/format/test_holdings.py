"""Holdings hand over what a data set's card states, with empty places for what is not there."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.format.holdings import Holdings, SystemData
from neuroai.testing import toy_brain

TASK = ChoiceTask(name="naming", options=("cat", "dog"), truth="category")
CONTRAST = Contrast(column="face", positive=("1",))
CARD = DatasetCard(
    name="toy", title="Toy", folder="toy", url="none", licence="CC0-1.0", citation="none", doi="",
    modality=("fMRI",), systems=("toy",), n_stimuli=3, size_mib=0.1,
    answers=dict.fromkeys(("computation", "algorithm", "implementation"), "all"),
    contrasts={"face": CONTRAST}, tasks=(TASK,),
)  # fmt: skip


def holdings() -> Holdings:
    """Make the holdings of one brain."""
    brain = toy_brain()
    return Holdings(card=CARD, stimuli=brain.stimuli, systems=(brain.data,))


def test_contrasts_and_tasks_are_those_of_the_card() -> None:
    """What can be asked stands on the card alone; a copy cannot change it."""
    held = holdings()
    assert held.contrasts == {"face": CONTRAST} and held.tasks == (TASK,)
    held.contrasts["house"] = CONTRAST
    assert set(held.contrasts) == set(CARD.contrasts) == {"face"}


def test_what_is_not_there_is_empty() -> None:
    """A system of which nothing was recorded has no recordings, tables or reasons."""
    bare = SystemData(name="human", kind="brain", species="Homo sapiens")
    parts = (bare.recordings, bare.behaviour, bare.published, bare.measures, bare.lesions)
    assert all(part == () for part in (*parts, bare.connectomes)) and bare.missing == {}
    assert holdings().confounds == () and holdings().truth == {}


def test_reasons_are_not_shared() -> None:
    """Each system has its own mapping of reasons."""
    one, other = (SystemData(name=n, kind="brain", species="x") for n in "ab")
    one.missing["recordings"] = "masked"
    assert other.missing == {}


def test_holdings_are_frozen() -> None:
    """What was loaded is not changed in place."""
    with pytest.raises(FrozenInstanceError):
        holdings().systems = ()
    with pytest.raises(FrozenInstanceError):
        holdings().systems[0].name = "other"
