"""Links between the levels in a worked case: over lesions, and trial by trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroai.checks import one_of
from neuroai.experiment.case_numbers import t_numbers
from neuroai.experiment.case_side import Numbers, Reply, Side
from neuroai.experiment.link import Linked, link
from neuroai.experiment.trialwise import N_SHUFFLES, NO_TIME, trialwise
from neuroai.format.answers import NotMeasurable
from neuroai.systems.intervention import VIRTUAL, Intervention
from neuroai.systems.model import Model

RELATIONS = ("correlation", "partial", "total", "direct", "indirect")
SIZES = (0.1, 0.25, 0.5, 0.75)


def linked(
    side: Side,
    *,
    task: str,
    region: str,
    read: str = "",
    where: Sequence[str] = (),
    kind: str = "mean",
    relation: str = "partial",
    n_lesions: int = 24,
    n_splits: int = 10,
) -> Reply:
    """Relate what random lesions change of the representation to what they change of behaviour.

    Parameters
    ----------
    side : Side
        A network, or a brain whose recorded units are masked.
    task : str
        Whose accuracy is the behaviour.
    region : str
        Layer that is lesioned, or region whose units are masked.
    read : str
        Layer where the representation is read; that of `neuroai.link` by default.
    where : (str, str)
        Column and value of the stimuli to use.
    kind : str
        What replaces activity.
    relation : str
        ``correlation``, ``partial`` (size held constant), ``total``, ``direct`` or ``indirect``.
    n_lesions, n_splits : int
        Random lesions, of four sizes, and halvings of the stimuli.

    Returns
    -------
    Reply
        Mean over subjects of the mean over splits; statistical, not causal.
    """
    one_of(relation, RELATIONS, option="relation")
    rng = np.random.default_rng([side.settings.seed, 11])
    lesions = _lesions(side, region, kind, n_lesions, rng)
    if isinstance(lesions, NotMeasurable):
        return side.unmeasured(lesions.reason)
    found = link(
        side.system, lesions, side.stimuli(where), side.task(task), region=read,
        n_splits=n_splits, seed=side.settings.seed,
    )  # fmt: skip
    if isinstance(found, NotMeasurable):
        return side.unmeasured(found.reason)
    words = {"partial": "partial correlation, size held constant"}.get(relation, relation)
    cell = side.cell(
        _link_numbers(found, relation, side.kind), measure=f"{words} of the two changes",
        where=region, origin="virtual" if side.kind == "brain" else "simulated",
        note=f"{n_lesions} random lesions, {n_splits} splits; {'; '.join(found.notes)}",
    )  # fmt: skip
    return Reply(cell)


def _lesions(
    side: Side, region: str, kind: str, n: int, rng: np.random.Generator
) -> list[Intervention] | NotMeasurable:
    if isinstance(side.system, Model):
        [recording] = (
            side.system.recordings(
                side.stimuli().restrict(side.stimuli().available[:1]), regions=[region]
            )
            if side.stimuli().available
            else [None]
        )
        if recording is None:
            return NotMeasurable("the stimuli are not at hand")
        maps = recording.coords.get("feature_map")
        size = len(np.unique(maps)) if maps is not None else recording.sizes["unit"]
        chosen = _sets(size, n, rng)
        return [
            Intervention(region, tuple(map(int, one)), kind, seed=i) for i, one in enumerate(chosen)
        ]
    recordings = side.system.recordings(side.stimuli(), regions=[region])
    if isinstance(recordings, NotMeasurable):
        return recordings
    shared = [set(map(str, r["unit_id"].values)) for r in recordings]
    units = sorted(set.intersection(*shared)) if shared else []
    if len(units) < 2 * len(SIZES):
        return NotMeasurable(f"{len(units)} units of {region} are too few for lesions of all sizes")
    return [
        Intervention(region, tuple(units[int(at)] for at in one), kind, origin=VIRTUAL)
        for one in _sets(len(units), n, rng)
    ]


def _sets(size: int, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw sets of four sizes in turn."""
    counts = [max(1, round(share * size)) for share in SIZES]
    return [np.sort(rng.choice(size, counts[i % len(counts)], replace=False)) for i in range(n)]


def _link_numbers(found: Linked, relation: str, kind: str) -> Numbers:
    row, unit = found.summary.sel(relation=relation), str(found.summary.attrs["unit"])
    subject = "subject" if kind == "brain" else "seed"
    splits = found.relations.sizes["split"]
    over = f"{subject}s" if unit == "subject" else f"{subject} × split"
    n = int(row["n_subjects"]) * (1 if unit == "subject" else splits)
    return Numbers(
        float(row["mean"]), float(row["ci_low"]), float(row["ci_high"]), 0.0, n, over,
        float(row["p"]), f"no relation (t over {over}, two-sided)",
    )  # fmt: skip


def trials(
    side: Side,
    *,
    task: str,
    relation: str = "choice",
    regions: Sequence[str] = (),
    where: Sequence[str] = (),
    outcome: str = "outcome",
    right: str = "hit",
    wrong: str = "error",
    response_time: str = "response_time",
) -> Reply:
    """Relate the distance to a decoder's bound to choice or to response time, trial by trial.

    Parameters
    ----------
    side : Side
        A brain whose showings say what was chosen, or a network.
    task : str
        What is decoded.
    relation : {"choice", "time"}
        Which; the time of a network is not measurable.
    regions : sequence of str
        Regions (layers); all of a brain by default.
    where : (str, str)
        Column and value of the stimuli to use.
    outcome, right, wrong, response_time : str
        As for `neuroai.experiment.trialwise.trialwise`.
    """
    one_of(relation, ("choice", "time"), option="relation")
    if relation == "time" and side.kind == "model":
        return side.unmeasured(NO_TIME)
    found = trialwise(
        side.system, task=side.task(task), stimuli=side.stimuli(where), regions=regions or None,
        outcome=outcome, right=right, wrong=wrong, response_time=response_time,
    )  # fmt: skip
    if isinstance(found, NotMeasurable):
        return side.unmeasured(found.reason)
    if relation == "time" and found.time_reason:
        return side.unmeasured(found.time_reason)
    name, neutral = ("auc", 0.5) if relation == "choice" else ("time", 0.0)
    values = list(found.by_subject(name).values())
    unit = "subjects" if side.kind == "brain" else "seeds"
    numbers = t_numbers(values, neutral=neutral, unit=unit) if values else Numbers(math.nan)
    p = found.table["p"].values
    if len(values) == len(p) == 1 and relation == "choice" and np.isfinite(p[0]):
        null = f"outcomes shuffled within options ({N_SHUFFLES} times)"
        numbers = replace(numbers, p=float(p[0]), null=null)
    words = {
        "auc": "AUC of right over wrong trials by distance to the bound",
        "time": "correlation of distance and response time",
    }
    n = int(found.table["n_right"].sum()), int(found.table["n_wrong"].sum())
    cell = side.cell(
        numbers, measure=words[name], where=_where(found.table["region"].values),
        note=f"{n[0]:,} right and {n[1]:,} wrong trials, within stimuli, "
        f"{found.table.sizes['part']} parts",
    )  # fmt: skip
    return Reply(cell)


def _where(regions: Sequence[str]) -> str:
    names = list(dict.fromkeys(map(str, regions)))
    return names[0] if len(names) == 1 else f"{len(names)} regions"
