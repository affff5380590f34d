"""Generalisation: is a class coded in one way in every context, or anew in each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import (
    NOTES,
    UNDEFINED,
    asked_of_parts,
    column_of,
    pseudo_note,
    rows_of,
    separate,
)
from neuroai.cards import AnalysisCard
from neuroai.checks import one_of
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.ccgp import (
    PAIRINGS,
    CrossCondition,
    cross_condition,
    parallelism,
    turned_clouds,
)
from neuroai.numerics.shattering import shattering
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="generalisation",
    level="algorithm",
    question="Are classes of stimuli coded alike in contexts that were never learnt from?",
    form="profile",
    defined_on="recordings and activations of stimuli with a label, in at least two contexts",
    citation="Bernardi et al. 2020, doi:10.1016/j.cell.2020.09.031",
)


@dataclass(frozen=True)
class _How:
    label: str
    context: str
    pairings: str
    shrinkage: float | str
    n_pairings: int
    n_null: int
    n_dichotomies: int
    seed: int
    pseudo: bool


def generalisation(
    system: System,
    *,
    label: str,
    context: str,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    pairings: str = "matched",
    shrinkage: float | str = "auto",
    n_pairings: int = 100,
    n_null: int = 0,
    n_dichotomies: int = 0,
    seed: int = 0,
    undefined: str = "raise",
    pseudo: bool = False,
) -> Answer | NotMeasurable:
    r"""Measure cross-condition generalisation and parallelism, with a null of turned clouds.

    Classes are told apart in contexts that were held out, by what the others taught. The null
    turns the cloud of every condition by a rotation of its own, which leaves each condition as
    far from the grand mean as it was, and no arrangement:

    .. math:: p = (1 + \#\{score_{turned} \ge score\}) / (1 + n_{null})

    Parameters
    ----------
    system : System
        A brain or a model.
    label, context : str
        Columns of the stimuli, or coordinates of the showings, that name class and context.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    pairings : {"matched", "all"}
        Hold out one context of all classes at a time, or every choice of one context a class; see
        `neuroai.numerics.ccgp.cross_condition`.
    shrinkage : float in (0, 1] or "auto"
        Of the covariance.
    n_pairings : int
        Most ways of holding conditions out.
    n_null : int
        Turned copies for p values; none by default.
    n_dichotomies : int
        Splits of all conditions into halves for the shattering; none by default. It takes four
        conditions, of two stimuli each.
    seed : int
        Seed of rows, pairings, rotations and splits.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.
    pseudo : bool
        Take units that were not recorded together as if they had been.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile`` by subject and region: ``value`` (generalisation, chance 1 / n_classes),
        ``parallelism`` (from -1 to 1, for matched contexts), ``n_showings`` of every condition
        and, where asked for, ``p``, ``p_parallelism`` and ``shattering`` (mean accuracy over
        dichotomies, chance .5). Times are further elements of the pattern.

    Raises
    ------
    UnknownName
        There is no such column.

    References
    ----------
    Bernardi et al. 2020, doi:10.1016/j.cell.2020.09.031

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, _ = contrast_brain()
    >>> generalisation(brain, label="face", context="face").reason
    "every value of 'face' occurs in one 'face' only: nothing could be generalised to"
    """
    one_of(pairings, PAIRINGS, option="pairings")
    stimuli = system.stimuli if stimuli is None else stimuli
    how = _How(label, context, pairings, shrinkage, n_pairings, n_null, n_dichotomies, seed, pseudo)

    def work(recording: xr.DataArray) -> xr.Dataset | NotMeasurable:
        return _asked(recording, stimuli, how)

    return asked_of_parts(
        system, work, card=CARD, stimuli=stimuli, regions=regions, undefined=undefined,
        parameters={**asdict(how), "scoring": "balanced-accuracy"},
    )  # fmt: skip


def _asked(
    recording: xr.DataArray, stimuli: StimulusSet | None, how: _How
) -> xr.Dataset | NotMeasurable:
    refused = separate(recording, pseudo=how.pseudo)
    if refused is not None:
        return refused
    labels = column_of(recording, stimuli, how.label)
    contexts = column_of(recording, stimuli, how.context)
    reason = _why_not(labels, contexts, how)
    if reason:
        return NotMeasurable(reason)
    rows = rows_of(recording)
    table, lost = _scores(rows, labels, contexts, how)
    if how.n_dichotomies:
        split = _shattered(recording, rows, labels, contexts, how)
        if isinstance(split, NotMeasurable):
            return split
        table["shattering"] = split
    return xr.Dataset(
        {name: ((), value) for name, value in table.items()},
        attrs={UNDEFINED: {"cosines of no difference": lost}, NOTES: pseudo_note(recording)},
    )


def _scores(
    rows: np.ndarray, labels: list[str], contexts: list[str], how: _How
) -> tuple[dict[str, float], int]:
    """Give scores by name, with their p values, and how many cosines are undefined."""

    def generalised(patterns: np.ndarray) -> CrossCondition:
        return cross_condition(
            patterns, labels, contexts, pairings=how.pairings, shrinkage=how.shrinkage,
            n_pairings=how.n_pairings, seed=how.seed,
        )  # fmt: skip

    found = generalised(rows)
    table = {"value": found.score, "n_showings": float(found.n_rows)}
    # Directions within a context need contexts that classes share.
    crossed, lost = how.pairings == "matched", 0
    if crossed:
        table["parallelism"], lost = parallelism(rows, labels, contexts)
    if how.n_null:
        rng = np.random.default_rng([how.seed, 1])
        turned = [turned_clouds(rows, labels, contexts, rng=rng) for _ in range(how.n_null)]
        null = np.array([generalised(x).score for x in turned])
        table["p"] = (1 + np.sum(null >= found.score)) / (1 + how.n_null)
        if crossed:
            angles = np.array([parallelism(x, labels, contexts)[0] for x in turned])
            reached = np.sum(angles >= table["parallelism"])
            table["p_parallelism"] = (1 + reached) / (1 + how.n_null)
    return table, lost


def _shattered(
    recording: xr.DataArray,
    rows: np.ndarray,
    labels: list[str],
    contexts: list[str],
    how: _How,
) -> float | NotMeasurable:
    ids = [str(key) for key in recording[STIMULUS_ID].values]
    conditions = ["\x1f".join(pair) for pair in zip(labels, contexts, strict=True)]
    met: dict[str, set[str]] = {}
    for condition, key in zip(conditions, ids, strict=True):
        met.setdefault(condition, set()).add(key)
    if len(met) < 4 or min(map(len, met.values())) < 2:
        return NotMeasurable(
            "shattering takes four conditions of two stimuli each; "
            f"there are {len(met)}, of {min(map(len, met.values()))} or more"
        )
    found = shattering(rows, conditions, ids, n_dichotomies=how.n_dichotomies, seed=how.seed)
    return found.score


def _why_not(labels: list[str], contexts: list[str], how: _How) -> str:
    """Say what design is missing; nothing where it is there."""
    met: dict[str, set[str]] = {}
    for one, where in zip(labels, contexts, strict=True):
        met.setdefault(one, set()).add(where)
    if len(met) < 2:
        return f"the label '{how.label}' has one class only: {labels[0]!r}"
    lone = sorted(one for one, own in met.items() if len(own) < 2)
    if len(lone) == len(met):
        return (
            f"every value of '{how.label}' occurs in one '{how.context}' only: nothing could be "
            "generalised to"
        )
    if lone:
        return (
            f"{len(lone)} classes of '{how.label}' occur in one '{how.context}' only: {lone[0]!r}"
        )
    if how.pairings == "matched" and len(set.intersection(*met.values())) < 2:
        return (
            f"the classes of '{how.label}' share fewer than two values of '{how.context}'; "
            "pairings='all' holds out a value of its own for each class"
        )
    return ""
