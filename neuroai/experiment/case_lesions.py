"""Lesions in a worked case: simulated in a network, measured in a brain, and their profiles."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import stats

from neuroai.cards import ChoiceTask
from neuroai.checks import known_name
from neuroai.errors import UsageError
from neuroai.experiment.case_numbers import t_numbers
from neuroai.experiment.case_side import Numbers, Reply, Side
from neuroai.experiment.profiles import Profile
from neuroai.experiment.profiles_network import DOSES, network_profiles
from neuroai.format.answers import NotMeasurable
from neuroai.format.cases import Curve
from neuroai.format.results import DoseCurve
from neuroai.systems.brain import Recorded
from neuroai.systems.model import Model

MATCHED = "matched"
WITHOUT = "no intervention"


def lesion(
    side: Side,
    *,
    task: str,
    contrast: str,
    region: str,
    where: Sequence[str] = (),
    kind: str = "mean",
    sign: str = "positive",
    fraction: float = 0.05,
    dose: float | str = 1.0,
    match_task: str = "",
    match_question: str = "",
) -> Reply:
    """Lesion the elements that prefer a contrast, beside matched random lesions.

    Parameters
    ----------
    side : Side
        A network.
    task : str
        Whose accuracy is measured.
    contrast : str
        Whose preferring elements are lesioned; chosen and tested on different stimuli.
    region : str
        Layer.
    where : (str, str)
        Column and value of the stimuli to use; all by default.
    kind, sign, fraction
        See `neuroai.experiment.profiles_network.network_profiles`.
    dose : float or "matched"
        Share of the target; ``matched`` takes the dose whose change of accuracy on `match_task`
        is nearest to what the brain's intervention changed there, so that the dose is never
        chosen by the task that is asked.
    match_task, match_question : str
        Another task, and the id of the question, asked before, whose brain's cell is matched.

    Returns
    -------
    Reply
        The change of accuracy, with p from the random lesions of that dose.
    """
    if not isinstance(side.system, Model):
        return side.unmeasured("only a network that runs can be lesioned here")
    if {dose == MATCHED} != {bool(match_task), bool(match_question)}:
        raise UsageError(
            'dose = "matched" needs match_task=... and match_question=..., and nothing else '
            "takes them."
        )
    wanted = _wanted(side, match_question) if match_question else math.nan
    side.task(task)
    doses = DOSES if dose == MATCHED else tuple(sorted({*DOSES, float(dose)}))
    names = tuple(filter(None, (task, match_task)))
    found = lesion_profiles(
        side, names, contrast=contrast, region=region, where=where, fraction=fraction, sign=sign,
        kind=kind, doses=doses,
    )  # fmt: skip
    if isinstance(found, NotMeasurable):
        return side.unmeasured(found.reason)
    chosen = _matched(found, wanted) if dose == MATCHED else doses.index(float(dose))
    one = found[chosen]
    matched = ""
    if dose == MATCHED:
        got = float(one.accuracy[1, 1] - one.accuracy[0, 1])
        matched = f"dose {one.dose:g} matched on '{match_task}': {got:+.3f} for {wanted:+.3f}"
    shares = f"accuracy {one.accuracy[0, 0]:.3f} intact, {one.accuracy[1, 0]:.3f} lesioned"
    note = "; ".join(filter(None, (shares, matched, one.note)))
    cell = side.cell(
        _lesion_numbers(one), measure="change of accuracy", where=one.target, origin=one.origin,
        note=note,
    )  # fmt: skip
    return Reply(cell, dose_curves=(_dose_curve(side, found, task, kind),))


def lesion_profiles(
    side: Side,
    names: tuple[str, ...],
    *,
    contrast: str,
    region: str,
    where: Sequence[str],
    fraction: float,
    sign: str,
    kind: str,
    doses: tuple[float, ...],
) -> tuple[Profile, ...] | NotMeasurable:
    """Give profiles over these tasks, in this order; equal lesions of a case run once.

    A lesion is asked at once for every task that any question of the case asks of it.
    """
    key = (contrast, region, tuple(where), fraction, sign, kind, doses)
    wanted = tuple(dict.fromkeys((*names, *side.lesion_tasks.get(tuple(where), ()))))
    if (key, wanted) not in side.memo:
        side.memo[key, wanted] = network_profiles(
            side.system, side.stimuli(where), [side.task(name) for name in wanted],
            contrast=side.contrast(contrast), region=region, fraction=fraction, sign=sign,
            kind=kind, doses=doses, n_controls=side.settings.n_controls, seed=side.settings.seed,
        )  # fmt: skip
    found = side.memo[key, wanted]
    return found if isinstance(found, NotMeasurable) else tuple(p.restrict(names) for p in found)


def _wanted(side: Side, question: str) -> float:
    known_name(question, side.earlier, kind="question that was asked before")
    return side.earlier[question].cell.value


def _matched(found: Sequence[Profile], wanted: float) -> int:
    changes = [float(one.accuracy[1, 1] - one.accuracy[0, 1]) for one in found]
    return int(np.argmin(np.abs(np.array(changes) - wanted)))


def _lesion_numbers(one: Profile) -> Numbers:
    """Give the change of accuracy, with Newcombe's interval of two shares."""
    before, after = one.accuracy[:, 0]
    random = one.control_accuracy[:, 0]
    n = one.n_trials[0]
    p = (1 + int((random <= after).sum())) / (1 + len(random))
    low, high = _newcombe(float(before), float(after), n)
    return Numbers(
        float(after - before), low, high, 0.0, n, "stimuli", p,
        f"{len(random)} random lesions of this size and activity take less",
    )  # fmt: skip


def _newcombe(before: float, after: float, n: int) -> tuple[float, float]:
    def wilson(share: float) -> tuple[float, float]:
        interval = stats.binomtest(round(share * n), n).proportion_ci(method="wilson")
        return float(interval.low), float(interval.high)

    (l1, u1), (l2, u2) = wilson(after), wilson(before)
    change = after - before
    return (
        change - math.hypot(after - l1, u2 - before),
        change + math.hypot(u1 - after, before - l2),
    )


def _dose_curve(side: Side, found: Sequence[Profile], task: str, kind: str) -> DoseCurve:
    nothing = np.full(len(found), math.nan)
    controls = np.array([one.control_accuracy[:, 0] for one in found])
    after = np.array([one.accuracy[1, 0] for one in found])
    p = (1 + (controls <= after[:, None]).sum(axis=1)) / (1 + controls.shape[1])
    return DoseCurve(
        system=side.system.name, kind=side.kind, region=found[0].region, level="computation",
        measure=f"accuracy: {task}", lesion=kind, origin="simulated",
        baseline=float(found[0].accuracy[0, 0]), doses=np.array([one.dose for one in found]),
        targeted=after, controls=controls, p=p,
        n_targets=np.array([one.n_lesioned for one in found]), ci_low=nothing, ci_high=nothing,
        note=found[0].target,
    )  # fmt: skip


def measured(
    side: Side, *, task: str, intervention: str, curve: str = "", label: str = "latency (ms)"
) -> Reply:
    """Give what an intervention that was really applied changed of the accuracy on a task.

    Parameters
    ----------
    side : Side
        A brain with trials with and without the intervention.
    task, intervention : str
        Names, as its behaviour table holds them.
    curve : str
        A pattern such as ``laser-*ms``: interventions whose number makes a curve.
    label : str
        What that number is.

    Returns
    -------
    Reply
        Mean over subjects of the change of accuracy, with a paired t over subjects.
    """
    if not isinstance(side.system, Recorded):
        return side.unmeasured("nothing was applied to this system by an experiment")
    asked = side.task(task)
    intact = side.system.choices(asked)
    if isinstance(intact, NotMeasurable):
        return side.unmeasured(intact.reason)
    names = [name for name, _ in side.system.interventions()]
    known_name(intervention, names, kind="measured intervention")
    before = _shares(intact)
    after = _under(side.system, asked, intervention)
    both = sorted(set(before) & set(after))
    if len(both) < 2:
        return side.unmeasured(f"{len(both)} subject(s) ran '{task}' with and without it")
    change = np.array([after[s][0] - before[s][0] for s in both])
    told = f"accuracy {_mean(before, both):.3f} without, {_mean(after, both):.3f} under it"
    cell = side.cell(
        t_numbers(change, neutral=0.0, unit="subjects"), measure="change of accuracy",
        where=intervention, origin="measured", note=told,
    )  # fmt: skip
    if not curve:
        return Reply(cell)
    return Reply(cell, curves=(_interventions(side, asked, before, curve, label),))


def _shares(table: xr.Dataset) -> dict[str, tuple[float, int]]:
    """Give for every subject the share of right choices and their number."""
    frame = table[["subject", "correct"]].to_dataframe().dropna()
    groups = frame.groupby("subject")["correct"]
    return {str(s): (float(rows.mean()), len(rows)) for s, rows in groups}


def _under(brain: Recorded, task: ChoiceTask, name: str) -> dict[str, tuple[float, int]]:
    table = brain.under_intervention(name).choices(task)
    return {} if isinstance(table, NotMeasurable) else _shares(table)


def _mean(shares: dict[str, tuple[float, int]], subjects: Sequence[str]) -> float:
    return float(np.mean([shares[s][0] for s in subjects]))


def _interventions(
    side: Side, task: ChoiceTask, before: dict[str, tuple[float, int]], pattern: str, label: str
) -> Curve:
    """Give the accuracy under every intervention of a series, averaged over subjects."""
    form = re.compile(re.escape(pattern).replace(r"\*", r"(\d+(?:\.\d+)?)") + "$")
    series = []
    for name, _ in side.system.interventions():
        match = form.match(name)
        shares = _under(side.system, task, name) if match else {}
        if len(shares) > 1:
            series.append((float(match.group(1)), [value for value, _ in shares.values()]))
    rows = []
    for x, values in sorted(series):
        wide = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
        mean = float(np.mean(values))
        rows.append((x, mean, mean - wide, mean + wide, len(values)))
    columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
    columns = columns or [np.array([])] * 5
    x, y, low, high, n = columns
    return Curve(
        name=f"{side.system.name}: {task.name}", side=side.name, line=side.system.name, x=x, y=y,
        low=low, high=high, n=n, x_label=label, y_label="accuracy",
        neutral=_mean(before, sorted(before)),
        note=f"dotted: {WITHOUT}; mean over subjects, t-intervals",
    )  # fmt: skip
