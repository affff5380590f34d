"""Measured perturbations: what silencing, stimulation or a lesion did, condition by condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from neuroai.cards import AnalysisCard
from neuroai.checks import listing
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import INTERVENTION, NO_INTERVENTION, SUBJECT
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded

CARD = AnalysisCard(
    name="perturbation",
    level="implementation",
    question="What did a measured perturbation change, beside the same system without it?",
    form="table",
    defined_on="brains with trials or published tables of both, with and without a perturbation",
    citation="Afraz, Boyden & DiCarlo 2015, doi:10.1073/pnas.1423328112",
)
PAIRED, COUNTED, SUBJECTS = "paired t over sessions", "chi-square of counts", "paired t of subjects"
# What a row of a table is about, besides whether the system was perturbed.
ABOUT = ("quantity", "method", "stimulus_class", "site", "condition", "visual_field")


@dataclass(frozen=True)
class _Effect:
    """One perturbation in one condition."""

    names: Mapping[str, str]
    before: float
    after: float
    statistic: float
    p: float
    n: int
    test: str


def perturbation(system: System) -> Answer | NotMeasurable:
    r"""Set what was measured under a perturbation beside the same without it.

    Trials give the accuracy of every subject, averaged over subjects, and a paired t over those
    that have both. Published tables give what their rows allow: a paired t over sessions, or, for
    shares with their numbers of trials, pooled shares and the chi-square of the two-by-two table.

    .. math:: t = \bar d / (s_d / \sqrt n), \qquad d_i = after_i - before_i

    Parameters
    ----------
    system : System
        A brain. A network's lesions are not measured; ask ``dose_curve`` or ``lesion_symptom``.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table`` over ``effect``: ``before``, ``after`` and ``difference`` in the unit of the
        quantity (accuracy in [0, 1]), ``statistic``, two-sided ``p``, ``n`` (pairs, or trials) and
        the columns ``intervention``, ``test``, ``quantity``, ``condition``, ``site`` and others.
        p is NaN, and counted, where fewer than two pairs were measured or none of them differ.

    References
    ----------
    Afraz, Boyden & DiCarlo 2015, doi:10.1073/pnas.1423328112

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> perturbation(toy_brain()).reason
    "no trial and no published number of 'toy' was measured under a perturbation"
    """
    if not isinstance(system, Recorded) or system.kind != "brain":
        return NotMeasurable(
            f"nothing was perturbed in '{system.name}' by an experiment; lesions of recordings are "
            "virtual and those of a network simulated"
        )
    effects = [
        *(e for table in system.data.behaviour for e in _of_trials(table)),
        *(e for table in system.data.measures for e in _of_measures(table)),
    ]
    if not effects:
        return NotMeasurable(
            f"no trial and no published number of '{system.name}' was measured under a perturbation"
        )
    return _answer(system, effects)


def _of_trials(table: xr.Dataset) -> Iterator[_Effect]:
    """Compare the accuracies of every subject under each intervention with its own without."""
    if INTERVENTION not in table or "correct" not in table:
        return
    columns = [SUBJECT, INTERVENTION, "correct", *(["dose"] if "dose" in table else [])]
    trials = table[columns].to_dataframe()[columns].dropna(subset=["correct"])
    intact = trials[trials[INTERVENTION] == NO_INTERVENTION].groupby(SUBJECT)["correct"].mean()
    by = [name for name in columns if name in (INTERVENTION, "dose")]
    perturbed = trials[~trials[INTERVENTION].isin([NO_INTERVENTION, ""])]
    for key, rows in perturbed.groupby(by, dropna=False):
        own = rows.groupby(SUBJECT)["correct"].mean()
        names = dict(zip(by, map(str, key), strict=True))
        names |= {"quantity": "accuracy", "condition": str(table.attrs.get("task", ""))}
        paired = own.index.intersection(intact.index)
        t, p = _paired(intact[paired].to_numpy(), own[paired].to_numpy())
        yield _Effect(names, intact.mean(), own.mean(), t, p, len(paired), SUBJECTS)


def _of_measures(table: xr.Dataset) -> Iterator[_Effect]:
    """Compare rows of a published table with and without an intervention."""
    if INTERVENTION not in table:
        return
    rows = table.to_dataframe()
    about = [name for name in ABOUT if name in rows]
    for key, group in rows.groupby(about, dropna=False):
        names = {name: str(value) for name, value in zip(about, key, strict=True)}
        without = group[group[INTERVENTION] == NO_INTERVENTION]
        for intervention, perturbed in group.groupby(INTERVENTION):
            if intervention == NO_INTERVENTION or without.empty:
                continue
            found = _compared(without, perturbed)
            if found is not None:
                yield _Effect({**names, INTERVENTION: str(intervention)}, *found)


def _compared(
    without: pd.DataFrame, perturbed: pd.DataFrame
) -> tuple[float, float, float, float, int, str] | None:
    if "session" in without:
        both = {"before": without, "after": perturbed}
        pairs = pd.DataFrame({k: t.set_index("session")["value"] for k, t in both.items()}).dropna()
        before, after = pairs["before"].to_numpy(), pairs["after"].to_numpy()
        if not len(pairs):
            return None
        return before.mean(), after.mean(), *_paired(before, after), len(pairs), PAIRED
    if not np.isfinite([*without["n"], *perturbed["n"]]).all():
        return None
    counts = np.array([_counts(without), _counts(perturbed)])
    before, after = counts[:, 0] / counts.sum(axis=1)
    if (counts.sum(axis=0) == 0).any():
        return before, after, np.nan, np.nan, int(counts.sum()), COUNTED
    test = stats.chi2_contingency(counts, correction=False)
    return before, after, test.statistic, test.pvalue, int(counts.sum()), COUNTED


def _counts(rows: pd.DataFrame) -> tuple[float, float]:
    hits = float(np.round(rows["value"] * rows["n"]).sum())
    return hits, float(rows["n"].sum()) - hits


def _paired(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Paired t of after minus before; NaN where it is not defined."""
    change = after - before
    if len(change) < 2 or np.ptp(change) == 0:
        return float("nan"), float("nan")
    test = stats.ttest_1samp(change, 0)
    return float(test.statistic), float(test.pvalue)


def _answer(system: Recorded, effects: list[_Effect]) -> Answer:
    labels = list(dict.fromkeys(name for effect in effects for name in effect.names))
    titles = [", ".join(v for v in effect.names.values() if v) for effect in effects]
    repeated = {title for title in titles if titles.count(title) > 1}
    titles = [f"{t} ({i})" if t in repeated else t for i, t in enumerate(titles)]
    columns = {
        "before": [e.before for e in effects],
        "after": [e.after for e in effects],
        "difference": [e.after - e.before for e in effects],
        "statistic": [e.statistic for e in effects],
        "p": [e.p for e in effects],
        "n": [e.n for e in effects],
    }
    coords = {
        name: ("effect", np.array([e.names.get(name, "") for e in effects], dtype=object))
        for name in labels
    }
    coords["test"] = ("effect", np.array([e.test for e in effects], dtype=object))
    data = xr.Dataset(
        {k: (("subject", "region", "effect"), np.array([[v]])) for k, v in columns.items()},
        coords={
            **coords,
            "subject": np.array(["group"], dtype=object),
            "region": np.array(["perturbed"], dtype=object),
            "effect": np.array(titles, dtype=object),
        },
    )
    unpaired = [title for title, e in zip(titles, effects, strict=True) if np.isnan(e.p)]
    return Answer(
        form="table",
        data=data,
        question=CARD.name,
        parameters={"origin": "measured"},
        system=system.name,
        kind=system.kind,
        stimulus_set=system.stimuli.name,
        notes=(f"no p for {listing(unpaired)}",) if unpaired else (),
        undefined={"effects without a p": len(unpaired)},
    )
