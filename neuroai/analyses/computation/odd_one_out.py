"""Odd one out: which of three stimuli is unlike the other two?"""

from __future__ import annotations

import numpy as np
import xarray as xr

from neuroai.analyses.computation.similarity import similarity
from neuroai.cards import AnalysisCard
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics import odd_one_out as numerics
from neuroai.systems.base import System

SEPARATOR = "|"

CARD = AnalysisCard(
    name="odd_one_out",
    level="computation",
    question="Which of three stimuli is unlike the other two?",
    form="choices",
    defined_on="systems with similarity judgements, or activity in their place",
    citation="Hebart et al. 2020, doi:10.1038/s41562-020-00951-3",
)


def odd_one_out(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    region: str | None = None,
    limit: int = 2000,
    seed: int = 0,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    """Choose, from each triplet of stimuli, the one outside the most similar pair.

    Two systems are asked the same triplets if they are asked about the same stimuli with the
    same limit and seed.

    Parameters
    ----------
    system, stimuli, region, undefined
        As in :func:`neuroai.analyses.computation.similarity.similarity`.
    limit : int
        Most triplets; a seeded sample is drawn where there are more.
    seed : int
        Seed of the sample.

    Returns
    -------
    Answer or NotMeasurable
        Form ``choices``; its stimuli are triplets, named by their sorted ids joined by ``|``.
        ``choice(subject, region, stimulus)`` is the id of the odd one (``''`` where two pairs tie
        or a judgement is missing; these are counted) and ``code`` its place 0, 1 or 2 (NaN);
        ``members(stimulus, place)`` are the ids of each triplet.

    References
    ----------
    Hebart et al. 2020, doi:10.1038/s41562-020-00951-3

    Examples
    --------
    >>> from neuroai.format.build import recording
    >>> from neuroai.format.holdings import SystemData
    >>> from neuroai.systems.brain import Recorded
    >>> from neuroai.testing import toy_stimuli
    >>> activity = recording(
    ...     np.array([[0.0, 1, 0], [0, 2, 1], [3, 0, 0]]), stimulus_id=["a", "b", "c"],
    ...     unit_id=["u0", "u1", "u2"], region="IT", system="toy", kind="brain",
    ...     stimulus_set="toy", subject="s1")
    >>> toy = Recorded(data=SystemData("toy", "brain", "none", recordings=(activity,)),
    ...                stimuli=toy_stimuli())
    >>> odd_one_out(toy, region="IT").data.choice.sel(stimulus="a|b|c").values.tolist()
    [['c']]
    """
    judged = similarity(system, stimuli=stimuli, region=region, undefined=undefined)
    if isinstance(judged, NotMeasurable):
        return judged
    ids = np.array(judged.stimuli, dtype=object)
    if len(ids) < 3:
        return NotMeasurable(f"'{system.name}' judged {len(ids)} stimuli; a triplet needs three")
    items = numerics.triplets(len(ids), limit=limit, seed=seed)
    codes = numerics.odd_one_out(judged.data["rdm"].values, items)
    tied = codes < 0
    chosen = ids[items[np.arange(len(items)), np.maximum(codes, 0)]]
    dims = ("subject", "region", STIMULUS)
    names = [SEPARATOR.join(triplet) for triplet in ids[items]]
    order = np.argsort(np.array(names, dtype=object))
    data = xr.Dataset(
        {
            "choice": (dims, np.where(tied, "", chosen).astype(object)),
            "code": (dims, np.where(tied, np.nan, codes)),
            "members": ((STIMULUS, "place"), ids[items]),
        },
        coords={
            "subject": judged.data["subject"].values,
            "region": judged.data["region"].values,
            STIMULUS: np.array(names, dtype=object),
        },
    ).isel({STIMULUS: order})
    return Answer(
        form=CARD.form,
        data=data,
        question=CARD.name,
        parameters={**judged.parameters, "limit": limit, "seed": seed},
        system=judged.system,
        kind=judged.kind,
        stimulus_set=judged.stimulus_set,
        origin=judged.origin,
        notes=judged.notes,
        undefined={**judged.undefined, "triplets without an odd one": int(tied.sum())},
    )
