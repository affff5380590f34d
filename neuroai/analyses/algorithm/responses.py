"""Responses: the checked recordings themselves, for metrics that compare activity directly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neuroai.cards import AnalysisCard
from neuroai.format.answers import Answer, NotMeasurable, part_of
from neuroai.format.audit import usable_units
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="responses",
    level="algorithm",
    question="How does each unit respond to each stimulus?",
    form="responses",
    defined_on="recordings and activations",
    citation="He et al. 2024, arXiv:2408.12664",
)


def responses(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    """Give the recordings of every region and subject, audited, with repeats kept.

    Parameters
    ----------
    system : System
        A brain or a model.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``responses``; ``n_units(subject, region)`` in its data, 0 where nothing was recorded.

    Raises
    ------
    DataError
        Units hold NaN and `undefined` is ``raise``.

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> responses(toy_brain()).data.n_units.values.tolist()
    [[2]]
    """
    stimuli = system.stimuli if stimuli is None else stimuli
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    kept, notes, left_out = [], [], 0
    for recording in recordings:
        usable, found = usable_units(recording, undefined=undefined)
        kept.append(usable)
        left_out += len(found.nan_units)
        notes += [f"{recording.attrs['region']}: {sentence}" for sentence in found.sentences()]
    if not kept:
        return NotMeasurable(f"'{system.name}' has no recording of these regions and stimuli")
    return Answer(
        form="responses",
        data=_counts(kept),
        question=CARD.name,
        parameters={},
        system=system.name,
        kind=system.kind,
        stimulus_set=stimuli.name if stimuli is not None else "",
        responses=tuple(kept),
        notes=tuple(dict.fromkeys(notes)),
        undefined={"units": left_out},
    )


def _counts(kept: Sequence[xr.DataArray]) -> xr.Dataset:
    subjects = list(dict.fromkeys(part_of(r)[0] for r in kept))
    regions = list(dict.fromkeys(part_of(r)[1] for r in kept))
    counts = np.zeros((len(subjects), len(regions)), dtype=np.int64)
    for r in kept:
        subject, region = part_of(r)
        counts[subjects.index(subject), regions.index(region)] = r.sizes["unit"]
    return xr.Dataset(
        {"n_units": (("subject", "region"), counts)},
        coords={
            "subject": np.array(subjects, dtype=object),
            "region": np.array(regions, dtype=object),
        },
    )
