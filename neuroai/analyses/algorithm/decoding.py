"""Decoding: can a linear readout of a region tell classes of stimuli apart?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import column_of, in_order, together
from neuroai.cards import AnalysisCard
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable, part_of
from neuroai.format.audit import usable_units
from neuroai.format.schema import PRESENTATION, STIMULUS_ID, TIME, UNIT
from neuroai.format.splits import group_folds
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.decoding import Decoded, decode, temporal_generalisation
from neuroai.numerics.decoding_any import decode_with
from neuroai.numerics.decoding_flat import decode_flat
from neuroai.numerics.discriminant import CLASSIFIERS
from neuroai.numerics.group_folds import stratified_group_folds
from neuroai.numerics.pseudo_trials import pseudo_trials
from neuroai.systems.base import System

OVER_TIME = ("flatten", "each", "generalise")

CARD = AnalysisCard(
    name="decoding",
    level="algorithm",
    question="Can a linear readout of each region tell classes of stimuli apart?",
    form="profile",
    defined_on="recordings and activations of stimuli with a label",
    citation="Haxby et al. 2001, doi:10.1126/science.1063736; King & Dehaene 2014, "
    "doi:10.1016/j.tics.2014.01.002",
)


@dataclass(frozen=True)
class _How:
    label: str
    groups: str
    over_time: str
    n_folds: int
    n_permutations: int
    seed: int
    pseudo: bool
    classifier: Any
    shrinkage: float | str
    penalty: float
    n_averaged: int


def decoding(
    system: System,
    *,
    label: str,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    groups: str = STIMULUS_ID,
    over_time: str = "flatten",
    n_folds: int = 5,
    n_permutations: int = 0,
    seed: int = 0,
    undefined: str = "raise",
    pseudo: bool = False,
    classifier: Any = "lda",
    shrinkage: float | str = "auto",
    penalty: float = 1.0,
    n_averaged: int = 1,
) -> Answer | NotMeasurable:
    r"""Decode a label of the stimuli by a cross-validated classifier.

    Scores are balanced accuracies (mean over classes of the share that is right), taken within
    each fold and then averaged, so that classes of unequal size leave chance at 1 / n_classes. No
    group stands on both sides of a fold.

    .. math:: p = (1 + \#\{score_{permuted} \ge score\}) / (1 + n_{permutations})

    Parameters
    ----------
    system : System
        A brain or a model.
    label : str
        Column of the stimuli, or coordinate of the showings, that names the classes.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    groups : str
        What no fold may split: ``stimulus_id``, so that repeats never straddle, or a coordinate
        of the showings such as ``run`` (which generalises to new runs, not to new stimuli).
    over_time : {"flatten", "each", "generalise"}
        Take all times as one pattern; decode at each time; or learn at each and test at each.
        The covariance is pooled over units scaled to one variance for "flatten", and shrunk class
        by class for the others.
    n_folds : int
        Folds; at most the number of groups.
    n_permutations : int
        Permutations of the labels, for a p value; none by default. Labels are permuted among
        groups, or within each group where a group holds several classes.
    seed : int
        Seed of the folds and permutations.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.
    pseudo : bool
        Decode single showings of units that were not recorded together, as if they had been; the
        answer says so.
    classifier : {"lda", "ridge", "correlation"} or a scikit-learn classifier
        Linear discriminant analysis with a shrunk covariance, ridge regression on the classes,
        the class mean that correlates best, or any unfitted classifier or pipeline.
    shrinkage : float in (0, 1] or "auto"
        Of ``lda``.
    penalty : float
        Of ``ridge``.
    n_averaged : int
        Showings of one class that are averaged to a pseudo-trial, within folds; 1 for none.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile``: ``value(subject, region[, time[, time_tested]])`` from 0 to 1,
        ``n_showings``, ``n_undefined_folds`` and, where asked for, ``p``; ``chance`` is in its
        parameters.

    Raises
    ------
    UsageError
        The label, the groups or the option are unknown.
    DataError
        Units hold NaN and `undefined` is ``raise``, or a class has fewer than two groups.

    References
    ----------
    King & Dehaene 2014, doi:10.1016/j.tics.2014.01.002

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> answer = decoding(toy_brain(), label="stimulus_id")
    >>> answer.reason
    'every stimulus is a class of its own, so that none could be learnt from others; group by...'
    """
    one_of(over_time, OVER_TIME, option="over_time")
    if isinstance(classifier, str):
        one_of(classifier, CLASSIFIERS, option="classifier")
    how = _How(
        label, groups, over_time, n_folds, n_permutations, seed, pseudo, classifier, shrinkage,
        penalty, n_averaged,
    )  # fmt: skip
    stimuli = system.stimuli if stimuli is None else stimuli
    if label == groups == STIMULUS_ID:
        return NotMeasurable(
            "every stimulus is a class of its own, so that none could be learnt from others; "
            "group by run or session, or name a column of the stimuli"
        )
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    parts: dict[tuple[str, str], xr.Dataset] = {}
    notes, refused, left_out = [], [], 0
    for recording in recordings:
        usable, found = usable_units(recording, undefined=undefined)
        left_out += len(found.nan_units)
        name = recording.attrs["region"]
        notes += [f"{name}: {sentence}" for sentence in found.sentences()]
        part = _decoded(in_order(usable), stimuli, how)
        if isinstance(part, NotMeasurable):
            refused.append(part)
            notes.append(f"left out, {' '.join(part_of(recording))}: {part.reason}")
            continue
        parts[part_of(recording)] = part
    if not parts and refused:
        return refused[0]
    if not parts:
        return NotMeasurable(f"'{system.name}' has no recording of these regions and stimuli")
    return _answer(system, stimuli, parts, how, notes, left_out)


def _answer(
    system: System,
    stimuli: StimulusSet | None,
    parts: dict[tuple[str, str], xr.Dataset],
    how: _How,
    notes: list[str],
    left_out: int,
) -> Answer:
    data = together(parts)
    chances = sorted({round(float(part.attrs["chance"]), 6) for part in parts.values()})
    if how.n_averaged > 1:
        notes = [*notes, f"pseudo-trials of {how.n_averaged} showings, made within folds"]
    if how.pseudo:
        notes = [*notes, "units that were not recorded together were decoded as if they had been"]
    unmeasured = data.sizes["subject"] * data.sizes["region"] - len(parts)
    return Answer(
        form="profile",
        data=data,
        question=CARD.name,
        parameters={
            "label": how.label,
            "groups": how.groups,
            "over_time": how.over_time,
            "scoring": "balanced-accuracy",
            "n_folds": how.n_folds,
            "n_permutations": how.n_permutations,
            "seed": how.seed,
            "pseudo": how.pseudo,
            "classifier": str(how.classifier),
            **_rule_options(how),
            "n_averaged": how.n_averaged,
            "chance": chances[0] if len(chances) == 1 else chances,
        },
        system=system.name,
        kind=system.kind,
        stimulus_set=stimuli.name if stimuli is not None else "",
        notes=tuple(dict.fromkeys(notes)),
        undefined={
            "units": left_out,
            "scores": int(np.isnan(data["value"].values).sum()),
            "subject-region pairs not recorded": unmeasured,
        },
    )


def _decoded(
    recording: xr.DataArray, stimuli: StimulusSet | None, how: _How
) -> xr.Dataset | NotMeasurable:
    if not recording.attrs.get("simultaneous", 1) and not how.pseudo:
        return NotMeasurable(
            f"units of {recording.attrs['region']} were not recorded together, so that single "
            "showings are no population patterns; pseudo=True decodes them as if they were"
        )
    if how.over_time != "flatten" and TIME not in recording.dims:
        return NotMeasurable(f"{recording.attrs['region']} has no time to decode over")
    labels = column_of(recording, stimuli, how.label)
    groups = column_of(recording, stimuli, how.groups)
    if len(set(labels)) < 2:
        return NotMeasurable(f"the label '{how.label}' has one class only: {labels[0]!r}")
    folds = _folds(labels, groups, how)
    found = _score(recording, labels, folds, how)
    rng = np.random.default_rng(how.seed)
    null = [
        _score(recording, _permuted(labels, groups, rng), folds, how).scores
        for _ in range(how.n_permutations)
    ]
    return _labelled(recording, found, np.array(null), n_classes=len(set(labels)))


def _folds(labels: list[str], groups: list[str], how: _How) -> np.ndarray:
    if len(set(zip(labels, groups, strict=True))) == len(set(groups)):
        return stratified_group_folds(labels, groups, n_folds=how.n_folds, seed=how.seed)
    n_groups = len(set(groups))
    if n_groups < 2:
        raise UsageError(f"Folds need at least two values of '{how.groups}'; got {groups[0]!r}.")
    return group_folds(groups, n_folds=min(how.n_folds, n_groups), seed=how.seed)


def _permuted(labels: list[str], groups: list[str], rng: np.random.Generator) -> list[str]:
    """Permute labels among groups of one class each, or else within each group."""
    label_of: dict[str, set[str]] = {}
    for label, group in zip(labels, groups, strict=True):
        label_of.setdefault(group, set()).add(label)
    if all(len(classes) == 1 for classes in label_of.values()):
        names = sorted(label_of)
        moved = rng.permutation([next(iter(label_of[name])) for name in names])
        given = dict(zip(names, moved, strict=True))
        return [str(given[group]) for group in groups]
    shuffled = np.array(labels, dtype=object)
    for group in sorted(label_of):
        own = np.flatnonzero(np.array(groups, dtype=object) == group)
        shuffled[own] = shuffled[rng.permutation(own)]
    return [str(label) for label in shuffled]


def _rule_options(how: _How) -> dict[str, object]:
    """Give the options that the classifier hangs on, and no other."""
    return {
        "lda": {"shrinkage": how.shrinkage},
        "ridge": {"penalty": how.penalty},
    }.get(how.classifier if isinstance(how.classifier, str) else "", {})


def _score(recording: xr.DataArray, labels: list[str], folds: np.ndarray, how: _How) -> Decoded:
    flat = how.over_time == "flatten"
    axes = (PRESENTATION, ...) if flat else (PRESENTATION, UNIT, TIME)
    values = recording.transpose(*axes).values
    values = values.reshape(len(values), -1) if flat else values
    if how.n_averaged > 1:
        made = pseudo_trials(values, labels, folds, size=how.n_averaged, seed=how.seed)
        values, labels, folds = made.patterns, made.labels.tolist(), made.folds
    if not isinstance(how.classifier, str):
        across = how.over_time == "generalise"
        return decode_with(how.classifier, values, labels, folds, generalise=across)
    rule = {"classifier": how.classifier, **_rule_options(how)}
    if flat:
        return decode_flat(values, labels, folds, **rule)
    job = decode if how.over_time == "each" else temporal_generalisation
    return job(values, labels, folds, scoring="balanced-accuracy", **rule)


def _labelled(
    recording: xr.DataArray, found: Decoded, null: np.ndarray, *, n_classes: int
) -> xr.Dataset:
    dims = ("time", "time_tested")[: found.scores.ndim]
    variables = {
        "value": (dims, found.scores),
        "n_undefined_folds": (dims, found.n_undefined.astype(np.float64)),
        "n_showings": ((), float(recording.sizes[PRESENTATION])),
    }
    if len(null):
        p = (1 + (null >= found.scores).sum(0)) / (1 + len(null))
        variables["p"] = (dims, np.where(np.isnan(found.scores), np.nan, p))
    coords = {dim: recording[TIME].values for dim in dims}
    return xr.Dataset(variables, coords=coords, attrs={"chance": 1 / n_classes})
