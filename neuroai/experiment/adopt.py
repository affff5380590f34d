"""A single brain as a data set that can be compared."""

from __future__ import annotations

from dataclasses import replace

from neuroai.cards import LEVELS, DatasetCard
from neuroai.format.holdings import Holdings
from neuroai.systems.brain import Recorded

NOT_STATED = "not stated"


def holdings_of(brain: Recorded) -> Holdings:
    """Give the data set of a brain with this brain first, or make one of a brain made by hand.

    Parameters
    ----------
    brain : Recorded
        From `neuroai.load_brain`, or made from recordings.

    Returns
    -------
    Holdings

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> holdings_of(toy_brain()).card.name
    'toy'
    """
    if brain.holdings is not None:
        others = [data for data in brain.holdings.systems if data is not brain.data]
        return replace(brain.holdings, systems=(brain.data, *others))
    card = DatasetCard(
        name=brain.name,
        title=f"Recordings of {brain.name}",
        folder="none",
        url=NOT_STATED,
        licence=NOT_STATED,
        citation=NOT_STATED,
        doi="",
        modality=tuple({str(r.attrs.get("modality", NOT_STATED)) for r in brain.data.recordings})
        or (NOT_STATED,),
        systems=(brain.name,),
        n_stimuli=len(brain.stimuli.ids),
        size_mib=round(sum(r.nbytes for r in brain.data.recordings) / 2**20, 3),
        answers=dict.fromkeys(LEVELS, "what the recordings allow"),
    )
    return Holdings(card=card, stimuli=brain.stimuli, systems=(brain.data,))
