"""RDMs over time: when does a region tell stimuli apart, and how?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._dissimilarities import DISTANCES, dissimilarities
from neuroai.analyses.algorithm._parts import NOTES, UNDEFINED, asked_of_parts
from neuroai.cards import AnalysisCard
from neuroai.checks import one_of
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS, STIMULUS_TO, TIME
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.rdm_batch import DISTANCES as BATCHED
from neuroai.numerics.rdm_movie import rdm_movie
from neuroai.numerics.rdm_vectors import to_square
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="rdm_over_time",
    level="algorithm",
    question="How dissimilar are the region's responses to each pair of stimuli at every time?",
    form="profile",
    defined_on="recordings with a time axis; recurrent layers, whose steps are a time of their own",
    citation="Cichy, Pantazis & Oliva 2014, doi:10.1038/nn.3635",
)


def rdm_over_time(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    distance: str = "correlation",
    window: float | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Compute the dissimilarity of every pair of stimuli at every time, or in every window.

    .. math:: d_{ij}(t) = d(x_{i, t \dots t + w - 1}, x_{j, t \dots t + w - 1})

    with the distances of the question ``rdm``; the times of a window are further elements of the
    pattern. A layer is never a time: a network without recurrence has one RDM a layer, which is
    compared with every time of a brain.

    Parameters
    ----------
    system : System
        A brain or a model.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    distance : {"correlation", "squared-euclidean", "mahalanobis", "crossnobis", "poisson-kl"}
        As for ``rdm``.
    window : float, optional
        Width of a window in the unit of the recording's time; single times if not given. A window
        bears the middle of its times as its label.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile``: ``rdm(subject, region, time, stimulus, stimulus_to)``, and
        ``value(subject, region, time)``, the mean over pairs. The unit of time is among its
        parameters, under ``time_unit``. Patterns that are constant at a time are NaN under
        ``correlation`` and are counted in ``undefined``.

    Raises
    ------
    UsageError
        The distance is unknown, or the window is longer than the recording.
    AlignmentError
        Times or stimuli differ between subjects or regions.

    References
    ----------
    Cichy, Pantazis & Oliva 2014, doi:10.1038/nn.3635

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> rdm_over_time(toy_brain()).reason
    'V1 has no time, and so one RDM: ask for rdm, which is compared with every time of the other'
    """
    one_of(distance, DISTANCES, option="distance")
    stimuli = system.stimuli if stimuli is None else stimuli
    seen: dict[str, tuple[str, object]] = {}
    answer = asked_of_parts(
        system,
        partial(_over_time, distance=distance, window=window, seen=seen),
        card=CARD,
        stimuli=stimuli,
        regions=regions,
        undefined=undefined,
        parameters={"distance": distance, "window": window},
    )
    if isinstance(answer, NotMeasurable):
        return answer
    answer.parameters["time_unit"] = seen["unit of time"][1]
    return answer


def _over_time(
    recording: xr.DataArray, *, distance: str, window: float | None, seen: dict
) -> xr.Dataset | NotMeasurable:
    where = str(recording.attrs["region"])
    if TIME not in recording.dims:
        return NotMeasurable(
            f"{where} has no time, and so one RDM: ask for rdm, which is compared with every time "
            "of the other"
        )
    times = recording[TIME].values.astype(float)
    width = _width(times, window)
    notes: tuple[str, ...] = ()
    if distance in BATCHED:
        names, means, _ = stimulus_patterns(recording)
        ids = tuple(map(str, names))
        vectors = rdm_movie(means, distance=distance, window=width)
    else:
        found = _one_by_one(recording, distance, width)
        if isinstance(found, NotMeasurable):
            return found
        ids, vectors, notes = found
    middle = np.array([times[k : k + width].mean() for k in range(len(vectors))])
    _same(seen, "unit of time", where, str(recording.attrs.get("time_unit", "")))
    _same(seen, "times", where, tuple(middle.tolist()))
    _same(seen, "stimuli", where, ids)
    return _labelled(vectors, ids, middle, notes)


def _width(times: np.ndarray, window: float | None) -> int:
    """Return how many times a window holds."""
    if window is None:
        return 1
    steps = np.diff(times)
    if not len(steps) or not np.allclose(steps, steps[0], rtol=1e-3):
        raise UsageError("A window needs evenly spaced times; leave window out for single times.")
    width = round(window / steps[0])
    if not 1 <= width <= len(times):
        raise UsageError(
            f"window={window:g} holds {width} of {len(times)} times, which are {steps[0]:g} apart; "
            "it must hold from one to all of them."
        )
    return width


def _one_by_one(
    recording: xr.DataArray, distance: str, width: int
) -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]] | NotMeasurable:
    """Compute whitened and other distances at one time after the other."""
    rows, ids, notes = [], (), ()
    for start in range(recording.sizes[TIME] - width + 1):
        part = recording.isel({TIME: slice(start, start + width)})
        found = dissimilarities(part, distance)
        if isinstance(found, NotMeasurable):
            return found
        ids, notes = found.ids, found.notes
        rows.append(found.values[np.triu_indices(len(ids), k=1)])
    return ids, np.array(rows), notes


def _same(seen: dict, what: str, where: str, value: object) -> None:
    """Refuse regions or subjects that cannot stand in one table."""
    first, known = seen.setdefault(what, (where, value))
    if known != value:
        raise AlignmentError(
            f"The {what} of {where} differ from those of {first}. Ask for regions one at a time "
            "with regions=[...], or bring all recordings to the same ones first."
        )


def _labelled(
    vectors: np.ndarray, ids: tuple[str, ...], times: np.ndarray, notes: tuple[str, ...]
) -> xr.Dataset:
    bad = np.isnan(vectors)
    counts = np.maximum((~bad).sum(axis=1), 1)
    mean = np.where(bad.all(axis=1), np.nan, np.where(bad, 0.0, vectors).sum(axis=1) / counts)
    names = np.array(ids, dtype=object)
    data = {
        "rdm": ((TIME, STIMULUS, STIMULUS_TO), to_square(vectors)),
        "value": (TIME, mean.astype(np.float64)),
    }
    coords = {TIME: times, STIMULUS: names, STIMULUS_TO: names}
    counted = {"pairs of stimuli at a time": int(bad.sum())}
    return xr.Dataset(data, coords=coords, attrs={NOTES: notes, UNDEFINED: counted})
