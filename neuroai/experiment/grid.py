"""Layer by layer: two systems are shown the same stimuli, and all their regions compared."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison.grid import similarity_grid
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System


def grid(
    a: System,
    b: System | None = None,
    *,
    metric: str = "cka-debiased",
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    regions_to: Sequence[str] | None = None,
    undefined: str = "raise",
) -> xr.Dataset | NotMeasurable:
    """Compare every region of one system with every region of another, brains or models alike.

    Parameters
    ----------
    a : System
        A brain or a model.
    b : System, optional
        The other; `a` itself by default.
    metric : str
        Name of a registered metric of responses, such as ``cka-debiased`` or ``procrustes``.
    stimuli : StimulusSet, optional
        What to show; by default what the first of the two that was recorded was shown.
    regions, regions_to : sequence of str, optional
        Names or globs of regions (layers) of `a` and of `b`.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    xarray.Dataset or NotMeasurable
        As `neuroai.comparison.grid.similarity_grid` gives it.

    Raises
    ------
    UsageError
        Neither system was recorded, and no stimuli are given.
    AlignmentError
        The systems answered about different stimuli.

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> grid(toy_brain(), metric="procrustes")["value"].dims
    ('subject', 'region', 'subject_to', 'region_to')
    """
    other = a if b is None else b
    shown = next((s for s in (stimuli, a.stimuli, other.stimuli) if s is not None), None)
    if shown is None:
        raise UsageError("Two networks need stimuli to be shown; give stimuli=...")
    if b is None and regions_to is None:
        own = responses(a, stimuli=shown, regions=regions, undefined=undefined)
        return own if isinstance(own, NotMeasurable) else similarity_grid(own, own, metric=metric)
    asked = [(a, regions), (other, regions_to)]
    # What was recorded is asked first: a network can be shown just the stimuli that were met.
    order = sorted((0, 1), key=lambda i: asked[i][0].stimuli is None)
    answers: dict[int, Answer] = {}
    for place in order:
        system, wanted = asked[place]
        answer = responses(system, stimuli=shown, regions=wanted, undefined=undefined)
        if isinstance(answer, NotMeasurable):
            return answer
        answers[place] = answer
        shown = shown.restrict(answer.stimuli)
    return similarity_grid(answers[0], answers[1], metric=metric)
