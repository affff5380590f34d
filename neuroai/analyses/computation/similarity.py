"""Similarity judgements: how alike does the system find two stimuli?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import listing, one_of
from neuroai.errors import UsageError
from neuroai.format.align import stimulus_means
from neuroai.format.answers import Answer, NotMeasurable, part_of, rdm_answer
from neuroai.format.audit import usable_units
from neuroai.format.schema import OPTION_STIMULUS_ID, STIMULUS
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.arrangements import combine_arrangements
from neuroai.numerics.distances import correlation_distance
from neuroai.systems.base import System

BEHAVIOUR = "behaviour"
RATINGS = ("similarity", "dissimilarity")

CARD = AnalysisCard(
    name="similarity",
    level="computation",
    question="How dissimilar does the system find each pair of stimuli?",
    form="rdm",
    defined_on="published or rated similarity judgements; activity of one region in their place",
    citation="Mur et al. 2013, doi:10.3389/fpsyg.2013.00128",
)


def similarity(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    region: str | None = None,
    task: ChoiceTask | None = None,
    rating: str = "similarity",
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    """Give the dissimilarity that a system sees between each pair of stimuli.

    Judgements come first: published ones, then ratings of pairs, then distances on a screen on
    which several stimuli were arranged at once: rows with the same ``arrangement`` belong together,
    and are combined by inverse MDS since every arrangement fills the screen.

    A network does not judge; what it would say is taken from the activity of one region, as 1 - r
    between the mean patterns (the last region by default). A stated `region` is used for a brain as
    well.

    Parameters
    ----------
    system : System
        A brain or a model.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    region : str, optional
        Region (layer) whose activity stands for the judgement.
    task : ChoiceTask, optional
        Task in which pairs were rated.
    rating : {"similarity", "dissimilarity"}
        What a high rating says. Similarities are taken from the subject's highest one.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``rdm``, region ``behaviour``; the parameter ``method`` says where it comes from.
        Pairs that a subject did not judge are NaN and counted.

    Raises
    ------
    UsageError
        The name of the region matches several.

    References
    ----------
    Mur et al. 2013, doi:10.3389/fpsyg.2013.00128

    Examples
    --------
    The patterns (0, 1), (0, 2) and (3, 0): the first two are alike, the third is opposed.

    >>> from neuroai.format.build import recording
    >>> from neuroai.format.holdings import SystemData
    >>> from neuroai.systems.brain import Recorded
    >>> from neuroai.testing import toy_stimuli
    >>> activity = recording(
    ...     np.array([[0.0, 1], [0, 2], [3, 0]]), stimulus_id=["a", "b", "c"],
    ...     unit_id=["u0", "u1"], region="IT", system="toy", kind="brain", stimulus_set="toy",
    ...     subject="s1")
    >>> toy = Recorded(data=SystemData("toy", "brain", "none", recordings=(activity,)),
    ...                stimuli=toy_stimuli())
    >>> similarity(toy, region="IT").data.rdm.values[0, 0].round(6) + 0.0
    array([[0., 0., 2.],
           [0., 0., 2.],
           [2., 2., 0.]])
    """
    one_of(rating, RATINGS, option="rating")
    stimuli = system.stimuli if stimuli is None else stimuli
    if region is not None:
        return _from_activity(system, stimuli=stimuli, region=region, undefined=undefined)
    published = [answer for answer in system.published(CARD.name) if answer.form == CARD.form]
    if published:
        keep = None if stimuli is None else set(stimuli.ids)
        kept = [key for key in published[0].stimuli if keep is None or key in keep]
        return published[0].restrict(stimuli=kept)
    if task is not None:
        table = system.choices(task, stimuli)
        if not isinstance(table, NotMeasurable):
            return _from_ratings(system, table, stimuli=stimuli, rating=rating)
    if system.kind != "model":
        return NotMeasurable(f"'{system.name}' was not asked how similar the stimuli are")
    if not system.regions:
        return NotMeasurable(f"'{system.name}' has no region whose activity could be compared")
    return _from_activity(system, stimuli=stimuli, region=system.regions[-1], undefined=undefined)


def _from_activity(
    system: System, *, stimuli: StimulusSet | None, region: str, undefined: str
) -> Answer | NotMeasurable:
    recordings = system.recordings(stimuli, regions=[region])
    if isinstance(recordings, NotMeasurable):
        return recordings
    matrices: dict[str, tuple[list[str], np.ndarray]] = {}
    notes: list[str] = []
    left_out, names = 0, set()
    for recording in recordings:
        usable, found = usable_units(recording, undefined=undefined)
        means = stimulus_means(usable)
        subject, name = part_of(recording)
        names.add(name)
        patterns = means.values.reshape(means.sizes[STIMULUS], -1)
        ids = [str(key) for key in means[STIMULUS].values]
        matrices[subject] = (ids, np.asarray(correlation_distance(patterns)))
        left_out += len(found.nan_units)
        notes += [f"{name}: {sentence}" for sentence in found.sentences()]
    if len(names) > 1:
        raise UsageError(
            f"region='{region}' matches {len(names)} regions: {listing(sorted(names))}. Name one."
        )
    if not matrices:
        return NotMeasurable(f"'{system.name}' has no recording of these stimuli in '{region}'")
    method = f"1 - r of the activity of {names.pop()}"
    notes.append(f"judgements are taken from activity: {method}")
    return _answer(
        system, matrices, stimuli=stimuli, method=method, notes=notes, counts={"units": left_out}
    )


def _from_ratings(
    system: System, table: xr.Dataset, *, stimuli: StimulusSet | None, rating: str
) -> Answer | NotMeasurable:
    if "rating" not in table or OPTION_STIMULUS_ID not in table:
        return NotMeasurable(f"the trials of '{system.name}' hold no ratings of pairs of stimuli")
    pairs = table[OPTION_STIMULUS_ID].values.astype(str)
    if pairs.shape[1] != 2:
        return NotMeasurable(
            f"the ratings of '{system.name}' are of {pairs.shape[1]} stimuli, not 2"
        )
    subjects = table["subject"].values.astype(str)
    kept = ~np.isnan(table["rating"].values)
    if stimuli is not None:
        kept &= np.isin(pairs, stimuli.ids).all(axis=1)
    arranged = "arrangement" in table
    if arranged and rating != "dissimilarity":
        raise UsageError(
            "Distances of an arrangement are dissimilarities: ask with rating='dissimilarity'."
        )
    matrices = {}
    for name in np.unique(subjects[kept]):
        rows = kept & (subjects == name)
        values, shown = table["rating"].values[rows], pairs[rows]
        matrices[str(name)] = (
            _arranged(shown, values, table["arrangement"].values[rows].astype(str))
            if arranged
            else _mean_ratings(shown, values, rating=rating)
        )
    if not matrices:
        return NotMeasurable(f"'{system.name}' rated no pair of these stimuli")
    method = "multi-arrangement (inverse MDS)" if arranged else f"ratings of {rating}"
    return _answer(system, matrices, stimuli=stimuli, method=method, notes=[])


def _arranged(
    pairs: np.ndarray, distances: np.ndarray, arrangement: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Combine one subject's arrangements of some of the stimuli each."""
    ids, places = np.unique(pairs, return_inverse=True)
    i, j = places.reshape(pairs.shape).T
    names, which = np.unique(arrangement, return_inverse=True)
    held = np.full((len(names), len(ids), len(ids)), np.nan)
    held[which, i, j] = held[which, j, i] = distances
    return [str(key) for key in ids], combine_arrangements(held)


def _mean_ratings(
    pairs: np.ndarray, ratings: np.ndarray, *, rating: str
) -> tuple[list[str], np.ndarray]:
    """Average one subject's ratings of each pair, in either order."""
    ids, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(pairs.shape)
    total, count = np.zeros((2, len(ids), len(ids)))
    for i, j in (places.T, places.T[::-1]):
        np.add.at(total, (i, j), ratings)
        np.add.at(count, (i, j), 1)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    values = ratings.max() - means if rating == "similarity" else means
    np.fill_diagonal(values, 0.0)
    return [str(key) for key in ids], values


def _answer(
    system: System,
    matrices: Mapping[str, tuple[list[str], np.ndarray]],
    *,
    stimuli: StimulusSet | None,
    method: str,
    notes: list[str],
    counts: Mapping[str, int] | None = None,
) -> Answer:
    """Put the subjects' matrices on one set of stimuli; what a subject did not meet is NaN."""
    ids = sorted({key for names, _ in matrices.values() for key in names})
    values = np.full((len(matrices), 1, len(ids), len(ids)), np.nan)
    for row, (names, matrix) in enumerate(matrices.values()):
        places = np.searchsorted(ids, names)
        values[row, 0][np.ix_(places, places)] = matrix
    missing = int(np.isnan(values[..., *np.triu_indices(len(ids), k=1)]).sum())
    return rdm_answer(
        values,
        subjects=list(matrices),
        regions=[BEHAVIOUR],
        stimuli=ids,
        question=CARD.name,
        parameters={"method": method},
        system=system.name,
        kind=system.kind,
        stimulus_set=stimuli.name if stimuli is not None else "",
        notes=tuple(dict.fromkeys(notes)),
        undefined={**(counts or {}), "pairs without a judgement": missing},
    )
