"""Representational dissimilarity matrices: which stimuli does a region tell apart?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._dissimilarities import DISTANCES, dissimilarities
from neuroai.cards import AnalysisCard
from neuroai.checks import one_of
from neuroai.format.align import common_stimuli
from neuroai.format.answers import Answer, NotMeasurable, rdm_answer
from neuroai.format.audit import usable_units
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.brain import chosen_names

CARD = AnalysisCard(
    name="rdm",
    level="algorithm",
    question="How dissimilar are the region's responses to each pair of stimuli?",
    form="rdm",
    defined_on="recordings and activations; published RDMs made with the same distance",
    citation="Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008",
)


def rdm(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    distance: str = "correlation",
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    """Compute the dissimilarity of every pair of stimuli in every region and subject.

    With a the mean pattern of a stimulus over its showings and p units,

    .. math:: d_{corr}(i, j) = 1 - r(a_i, a_j), \\qquad d_{sq}(i, j) = \\|a_i - a_j\\|^2 / p

    ``mahalanobis`` is the squared distance of patterns whitened by the noise of their showings,
    ``crossnobis`` the same from products of different runs alone, which noise does not lift and
    which may be negative, and ``poisson-kl`` the symmetrised divergence of rates. A network
    repeats itself: its mahalanobis and crossnobis distances are squared-euclidean ones.

    Parameters
    ----------
    system : System
        A brain or a model.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep; all that were shown by default.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    distance : {"correlation", "squared-euclidean", "mahalanobis", "crossnobis", "poisson-kl"}
        ``correlation`` in [0, 2]; ``squared-euclidean`` in squared units of the activity, a unit;
        the whitened ones in variances of the noise, a unit; ``poisson-kl`` in the unit of the
        rates, a unit. ``crossnobis`` needs runs, ``mahalanobis`` repeats.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``rdm``: (subject, region, stimulus, stimulus_to). The row of a stimulus with a
        constant pattern is NaN under ``correlation`` and is counted in ``undefined``.

    Raises
    ------
    UsageError
        The distance is unknown.
    DataError
        Units hold NaN and `undefined` is ``raise``.
    AlignmentError
        Subjects saw different stimuli; it names them.

    References
    ----------
    Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> answer = rdm(toy_brain(), distance="squared-euclidean")
    >>> answer.data.rdm.sel(subject="s1", region="V1", stimulus="a", stimulus_to="b").item()
    1.0
    """
    one_of(distance, DISTANCES, option="distance")
    stimuli = system.stimuli if stimuli is None else stimuli
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return published_rdm(
            system, recordings, distance=distance, regions=regions, stimuli=stimuli
        )
    found = _parts(recordings, distance=distance, undefined=undefined)
    if isinstance(found, NotMeasurable):
        return found
    parts, ids, notes, counts = found
    if not parts:
        return NotMeasurable(f"'{system.name}' has no recording of these regions and stimuli")
    subjects = tuple(dict.fromkeys(subject for subject, _ in parts))
    names = tuple(dict.fromkeys(region for _, region in parts))
    values = np.full((len(subjects), len(names), len(ids), len(ids)), np.nan)
    for (subject, region), matrix in parts.items():
        values[subjects.index(subject), names.index(region)] = matrix
    unmeasured = len(subjects) * len(names) - len(parts)
    if unmeasured:
        counts["subject-region pairs not recorded"] = unmeasured
    return rdm_answer(
        values,
        subjects=subjects,
        regions=names,
        stimuli=ids,
        parameters={"distance": distance},
        system=system.name,
        kind=system.kind,
        stimulus_set=stimuli.name if stimuli is not None else "",
        notes=tuple(dict.fromkeys(notes)),
        undefined=counts,
    )


Parts = tuple[dict[tuple[str, str], np.ndarray], tuple[str, ...], list[str], dict[str, int]]


def _parts(
    recordings: Iterable[xr.DataArray], *, distance: str, undefined: str
) -> Parts | NotMeasurable:
    """Reduce every recording to an RDM as it comes, so that only one layer is held at a time."""
    parts: dict[tuple[str, str], np.ndarray] = {}
    ids: tuple[str, ...] = ()
    notes: list[str] = []
    counts = {"units": 0, "constant patterns": 0}
    for recording in recordings:
        usable, found = usable_units(recording, undefined=undefined)
        matrix = dissimilarities(usable, distance)
        if isinstance(matrix, NotMeasurable):
            return matrix
        # Subjects that saw other stimuli are named with what is missing.
        names = ("the first subject", _whose(recording))
        ids = common_stimuli(ids or matrix.ids, matrix.ids, names=names)
        counts["units"] += len(found.nan_units)
        counts["constant patterns"] += int(np.isnan(np.diagonal(matrix.values)).sum())
        told = (*found.sentences(), *matrix.notes)
        notes += [f"{recording.attrs['region']}: {sentence}" for sentence in told]
        parts[str(recording.attrs["subject"]), str(recording.attrs["region"])] = matrix.values
    return parts, ids, notes, counts


def _whose(recording: xr.DataArray) -> str:
    return f"subject '{recording.attrs['subject']}', {recording.attrs['region']}"


def published_rdm(
    system: System,
    unmeasured: NotMeasurable,
    *,
    distance: str,
    regions: Sequence[str] | None,
    stimuli: StimulusSet | None,
) -> Answer | NotMeasurable:
    """Give the published RDMs if they were made in the way that is asked for."""
    answers = system.published("rdm")
    fitting = [answer for answer in answers if answer.parameters.get("distance") == distance]
    if not answers:
        return unmeasured
    if not fitting:
        made = ", ".join(str(answer.parameters.get("distance")) for answer in answers)
        return NotMeasurable(
            f"the published RDMs of '{system.name}' use the distance {made}, not {distance}"
        )
    answer = fitting[0]
    names = chosen_names(answer.regions, regions, kind=f"region of '{system.name}'")
    keep = None if stimuli is None else [s for s in answer.stimuli if s in set(stimuli.ids)]
    if keep == []:
        return NotMeasurable(f"the published RDMs of '{system.name}' hold none of these stimuli")
    return answer.restrict(stimuli=keep, regions=names)
