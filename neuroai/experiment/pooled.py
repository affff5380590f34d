"""Sessions of one area, averaged within each subject before anything is compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from neuroai.format.answers import Answer
from neuroai.systems.brain import Recorded

AREA = "area"


def pool_sessions(answer: Answer, brain: Recorded) -> Answer:
    """Average the RDMs of a subject's sessions of one area.

    Where other units were recorded on every day, each day is a region of its own, and its units
    say in the coordinate ``area`` what it is a session of. Dissimilarities are averaged over the
    sessions that have them.

    Parameters
    ----------
    answer : Answer
        RDMs of a brain.
    brain : Recorded
        Whose recordings name the areas; without any the answer stays as it is.

    Returns
    -------
    Answer
        With areas as regions, and a note of how many sessions were averaged.
    """
    areas = _areas(brain)
    if not areas or answer.form != "rdm" or not set(answer.regions) <= set(areas):
        return answer
    named = [areas[region] for region in answer.regions]
    parts = []
    for area in dict.fromkeys(named):
        rows = [i for i, name in enumerate(named) if name == area]
        values = answer.data["rdm"].isel(region=rows)
        known = np.isfinite(values)
        n = known.sum("region")
        mean = (values.where(known, 0.0).sum("region") / n.where(n > 0)).expand_dims(region=[area])
        parts.append(mean.transpose(*answer.data["rdm"].dims))
    pooled = xr.concat(parts, "region", join="exact").to_dataset(name="rdm")
    pooled["region"] = np.array(list(dict.fromkeys(named)), dtype=object)
    note = f"the RDMs of {len(named)} sessions are averaged within each subject"
    return replace(answer, data=pooled, notes=(note, *answer.notes))


def _areas(brain: Recorded) -> dict[str, str]:
    """Give the area of every region whose units name one."""
    found: dict[str, str] = {}
    for recording in brain.data.recordings:
        if AREA in recording.coords:
            pairs = zip(recording["region"].values, recording[AREA].values, strict=True)
            found |= {str(region): str(area) for region, area in pairs}
    return found
