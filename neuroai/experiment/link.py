"""The levels linked: for many lesions, what changes in representation and what in behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import stats
from tqdm import tqdm

from neuroai.analyses.implementation.localiser import element_means
from neuroai.cards import ChoiceTask
from neuroai.checks import listing, one_of
from neuroai.errors import UsageError
from neuroai.experiment.lesioned import (
    ACCURACY,
    RDM_MATCH,
    AfterLesion,
    LesionedActivity,
    masked_activity,
)
from neuroai.experiment.link_summary import FEWEST_SUBJECTS, summarise_relations
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.audit import usable_units
from neuroai.format.splits import halves
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.mediation import mediation, partial_correlation
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.systems.brain import Recorded
from neuroai.systems.decisions import classes_of, option_probabilities
from neuroai.systems.intervention import SIMULATED, VIRTUAL, Intervention
from neuroai.systems.model import Model

MEASURES = ("change", "match")
# Fewer lesions carry no correlation that could be told from another.
FEWEST_LESIONS = 8


@dataclass(frozen=True)
class Linked:
    """What lesions do to representation and behaviour, and how the two go together.

    Attributes
    ----------
    lesions : xarray.Dataset
        ``representation`` and ``behaviour`` (subject, split, lesion), lesioned less intact, and
        ``size(lesion)``, the elements lesioned.
    relations : xarray.Dataset
        For every subject and split: ``correlation`` of the two changes over lesions (Spearman),
        ``partial`` with the size held constant, and ``total``, ``direct`` and ``indirect``, the
        standardised slopes of behaviour on size, on size with the representation held constant,
        and what runs through the representation.
    summary : xarray.Dataset
        Mean over subjects of the mean over splits, with ``ci_low``, ``ci_high`` (95 %) and ``p``
        (t against 0, two-sided), and the ``unit`` of inference: ``subject`` from three subjects
        on, else ``subject x split``, whose variance is corrected for the overlap of the halves.
    notes : tuple of str
        What a reader must know.
    """

    lesions: xr.Dataset
    relations: xr.Dataset
    summary: xr.Dataset
    notes: tuple[str, ...]


def link(
    system: Model | Recorded,
    lesions: Sequence[Intervention],
    stimuli: StimulusSet,
    task: ChoiceTask,
    *,
    brain: Answer | None = None,
    measure: str = "change",
    region: str = "",
    distance: str = "correlation",
    n_splits: int = 10,
    seed: int = 0,
    progress: bool = False,
) -> Linked | NotMeasurable:
    """Relate what lesions do to a representation to what they do to behaviour.

    Stimuli are halved again and again. The representation is measured on half A, behaviour on
    half B, and a readout where one is needed is fitted on half A of the intact system, so that
    both changes never share a stimulus. Lesions are not independent of each other and are never
    the unit of inference: that is a subject (a seed of the network, a person) with its splits
    averaged, or, with fewer than three subjects, a subject and split. Halves drawn from the same
    stimuli overlap; the variance over J splits of halves is therefore

    .. math:: \\hat\\sigma^2 (1 / J + n_{tested} / n_{learnt}), \\qquad n_{tested} = n_{learnt}

    A mediation of this kind is statistical: it says how much of the association of size and
    behaviour is shared with the representation, not what causes what.

    Parameters
    ----------
    system : Model or Recorded
        A network, or a brain whose recorded units are masked.
    lesions : sequence of Intervention
        At least eight: of a network's layers, or, for a recording, with ``origin="virtual"`` and
        the ids of the units that are masked, all of one region.
    stimuli : StimulusSet
        Stimuli of the task.
    task : ChoiceTask
        Whose accuracy is the behaviour.
    brain : Answer, optional
        RDMs (form ``rdm``) of one brain region, for ``measure="match"``.
    measure : {"change", "match"}
        ``change``: 1 less the Spearman correlation of the RDM with that of the intact system.
        ``match``: the Spearman match with `brain`, lesioned less intact.
    region : str
        Where the representation is read; the last layer of a network by default, and the masked
        region of a recording.
    distance : {"correlation", "squared-euclidean"}
        Of the RDMs.
    n_splits : int
        Halvings of the stimuli.
    seed : int
        Seed of halvings and noise.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    Linked, or NotMeasurable

    Raises
    ------
    UsageError
        Too few lesions, lesions of the other kind of system, or an unknown measure.

    References
    ----------
    Baron & Kenny 1986, doi:10.1037/0022-3514.51.6.1173. Variance of overlapping splits: Nadeau &
    Bengio 2003, doi:10.1023/A:1024068626366.
    """
    one_of(measure, MEASURES, option="measure")
    one_of(distance, ("correlation", "squared-euclidean"), option="distance")
    wanted = VIRTUAL if isinstance(system, Recorded) else SIMULATED
    fitting = sum(one.origin == wanted for one in lesions)
    if len(lesions) < FEWEST_LESIONS or fitting < len(lesions):
        raise UsageError(
            f"{FEWEST_LESIONS} lesions or more of origin='{wanted}' are wanted for a "
            f"{system.kind}; got {len(lesions)}, {fitting} of them of that origin."
        )
    if (measure == "match") != (brain is not None):
        raise UsageError("measure='match' needs brain=..., and nothing else takes it.")
    shown = _met(system, stimuli, task, brain)
    if isinstance(shown, NotMeasurable):
        return shown
    labels = [str(label) for label in shown.column(task.truth)]
    splits = np.asarray(halves(shown.ids, condition=labels, n_splits=n_splits, seed=seed))
    rows = []
    subjects = []
    for subject, sources in _sources(system, lesions, shown, task, region, splits, seed):
        found = [
            _one_split(sources(train), lesions, train, shown, task, brain, measure, distance)
            for train in tqdm(splits, desc=f"{subject}: splits", disable=not progress)
        ]
        subjects.append(subject)
        rows.append(found)
    if not rows:
        return NotMeasurable(f"'{system.name}' has no recording of the masked region")
    return _labelled(np.array(rows), subjects, [_size(one) for one in lesions])


def _met(
    system: Model | Recorded, stimuli: StimulusSet, task: ChoiceTask, brain: Answer | None
) -> StimulusSet | NotMeasurable:
    known = set(stimuli.available if isinstance(system, Model) else stimuli.ids)
    if isinstance(system, Recorded):
        recordings = system.recordings(stimuli)
        if isinstance(recordings, NotMeasurable):
            return recordings
        for recording in recordings:
            known &= {str(key) for key in recording["stimulus_id"].values}
    if brain is not None:
        known &= set(brain.stimuli)
    kept = [key for key in stimuli.ids if key in known]
    if len(kept) < 8:
        return NotMeasurable(f"{len(kept)} stimuli are at hand on every side; halves need 8")
    return stimuli.restrict(kept)


def _size(lesion: Intervention) -> int:
    return len(lesion.targets)


Activities = list[LesionedActivity]
Source = Callable[[np.ndarray], Activities]


def _sources(
    system: Model | Recorded,
    lesions: Sequence[Intervention],
    stimuli: StimulusSet,
    task: ChoiceTask,
    region: str,
    splits: np.ndarray,
    seed: int,
) -> Iterator[tuple[str, Source]]:
    """Give for every subject the activity under each lesion, the intact system first."""
    if isinstance(system, Model):
        for subject in system.subjects:
            yield subject, _of_network(system, subject, lesions, stimuli, task, region)
        return
    for subject, values, ids in _recorded(system, lesions, stimuli):
        yield subject, _of_recording(values, ids, lesions, seed)


def _of_network(
    model: Model,
    subject: str,
    lesions: Sequence[Intervention],
    stimuli: StimulusSet,
    task: ChoiceTask,
    region: str,
) -> Source:
    last = model.regions[-1]
    read = tuple(dict.fromkeys([region or last, last]))
    classes = classes_of(task.options, model.output_map, model.labels)
    benches = {
        name: model.lesion_bench(name, stimuli, reference=stimuli, subject=subject)
        for name in dict.fromkeys(one.region for one in lesions)
    }
    found = []
    for one in (None, *lesions):
        bench = next(iter(benches.values())) if one is None else benches[one.region]
        outputs, layers = bench.run(one, layers=read)
        options = None
        if not isinstance(classes, NotMeasurable):
            options = option_probabilities(np.asarray(outputs), classes=classes)
        flat = {name: np.asarray(layers[name]).reshape(len(outputs), -1) for name in read}
        found.append(LesionedActivity(flat[region or last], flat[last], options))
    return lambda train: found


def _recorded(
    system: Recorded, lesions: Sequence[Intervention], stimuli: StimulusSet
) -> Iterator[tuple[str, np.ndarray, tuple[str, ...]]]:
    regions = sorted({one.region for one in lesions})
    if len(regions) > 1:
        raise UsageError(f"Masks of one region at a time; got {listing(regions)}.")
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return
    for recording in recordings:
        usable = usable_units(recording, undefined="drop")[0]
        ids, values, _, _ = element_means(usable.drop_vars("feature_map", errors="ignore"))
        order = [ids.index(key) for key in stimuli.ids]
        names = tuple(str(name) for name in usable["unit_id"].values)
        yield str(recording.attrs["subject"]), values[order], names


def _of_recording(
    values: np.ndarray, ids: tuple[str, ...], lesions: Sequence[Intervention], seed: int
) -> Source:
    place = {name: at for at, name in enumerate(ids)}
    unknown = sorted({str(u) for one in lesions for u in one.targets if u not in place})
    if unknown:
        raise UsageError(f"The recording has no units {listing(unknown)} that can be used.")

    def source(train: np.ndarray) -> Activities:
        found = [LesionedActivity(values, values)]
        for one in lesions:
            masked = masked_activity(
                values, train=train, kind=one.kind, strength=one.strength, seed=seed
            )
            found.append(masked(tuple(place[unit] for unit in one.targets)))
        return found

    return source


def _one_split(
    activities: Activities,
    lesions: Sequence[Intervention],
    train: np.ndarray,
    stimuli: StimulusSet,
    task: ChoiceTask,
    brain: Answer | None,
    measure: str,
    distance: str,
) -> np.ndarray:
    """Give the changes (2, n_lesions): representation on half A, behaviour on half B."""
    rdms = None
    if brain is not None:
        ids = [key for key, is_a in zip(stimuli.ids, train, strict=True) if is_a]
        matrix = brain.restrict(stimuli=ids).data["rdm"].isel(region=0).values
        rdms = to_vector(matrix)
    labels = stimuli.column(task.truth).astype(object)
    behaviour = AfterLesion(train, ~train, labels, task.options, None, None, "spearman", distance)
    match = AfterLesion(~train, train, None, (), rdms, None, "spearman", distance)
    readout = behaviour.fit(activities[0])
    accuracy = np.array([behaviour.measure(one, readout)[ACCURACY] for one in activities])
    if measure == "match":
        found = np.array([match.measure(one, None)[RDM_MATCH] for one in activities])
        change = found[1:] - found[0]
    else:
        vectors = [_vector(one.lesioned[train], distance) for one in activities]
        r = compare_rdms(vectors[0][None], np.array(vectors[1:]), method="spearman")[0]
        change = 1 - r
    n = int((~train).sum())
    return np.array([change, _logit(accuracy[1:], n) - _logit(accuracy[:1], n)])


def _vector(patterns: np.ndarray, distance: str) -> np.ndarray:
    function = correlation_distance if distance == "correlation" else squared_euclidean
    return to_vector(np.asarray(function(np.asarray(patterns, dtype=float)))[None])[0]


def _logit(share: np.ndarray, n: int) -> np.ndarray:
    hits = np.asarray(share) * n
    return np.log((hits + 0.5) / (n - hits + 0.5))


def _labelled(values: np.ndarray, subjects: list[str], sizes: list[int]) -> Linked:
    """Name what was found: values (subject, split, 2, lesion)."""
    dims, size = ("subject", "split", "lesion"), np.array(sizes, dtype=float)
    coords = {"subject": subjects, "split": range(values.shape[1]), "lesion": range(len(sizes))}
    lesions = xr.Dataset(
        {
            "representation": (dims, values[:, :, 0]),
            "behaviour": (dims, values[:, :, 1]),
            "size": ("lesion", size),
        },
        coords=coords,
    )
    names = ("correlation", "partial", "total", "direct", "indirect")
    each = np.array([[_relation(*split, size) for split in subject] for subject in values])
    data = {name: (dims[:2], each[..., i]) for i, name in enumerate(names)}
    relations = xr.Dataset(data, coords={"subject": subjects, "split": coords["split"]})
    undefined = int(np.isnan(each[..., 0]).sum())
    notes = ["mediation is statistical: it names no cause"]
    if undefined:
        notes.append(f"{undefined} splits in which one of the changes does not vary are undefined")
    if len(subjects) < FEWEST_SUBJECTS:
        notes.append(
            f"{len(subjects)} subject(s): no interval over subjects; that over splits is corrected "
            "for their overlap"
        )
    return Linked(lesions, relations, summarise_relations(each, names), tuple(notes))


def _relation(change: np.ndarray, behaviour: np.ndarray, size: np.ndarray) -> tuple[float, ...]:
    good = np.isfinite(change) & np.isfinite(behaviour)
    a, b, t = change[good], behaviour[good], size[good]
    if len(a) < FEWEST_LESIONS or np.ptp(a) == 0 or np.ptp(b) == 0:
        return (float("nan"),) * 5
    r = float(stats.spearmanr(a, b).statistic)
    ranks = [stats.rankdata(x) for x in (a, b, t)]
    if np.ptp(t) == 0:
        return (r, r, float("nan"), float("nan"), float("nan"))
    partial = partial_correlation(ranks[0], ranks[1], ranks[2][:, None])
    parts = mediation(stats.zscore(t), stats.zscore(a), stats.zscore(b))
    return (r, partial, parts.total, parts.direct, parts.indirect)
