"""Deficit profiles in a worked case: the brain's, and the network's lesion most like it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from neuroai.cards import ChoiceTask
from neuroai.checks import known_name
from neuroai.experiment.case_lesions import lesion_profiles
from neuroai.experiment.case_side import Numbers, Reply, Side
from neuroai.experiment.profiles import Profile, find_profile
from neuroai.experiment.profiles_measured import measured_profile
from neuroai.experiment.profiles_network import DOSES
from neuroai.format.answers import NotMeasurable
from neuroai.format.cases import Curve
from neuroai.systems.brain import Recorded
from neuroai.systems.model import Model

BRAIN = "profile of the brain"


def profile(
    side: Side,
    *,
    tasks: Sequence[str],
    intervention: str = "",
    contrasts: Sequence[str] = (),
    regions: Sequence[str] = (),
    where: Sequence[str] = (),
    kind: str = "mean",
    sign: str = "positive",
    fraction: float = 0.05,
    doses: Sequence[float] = DOSES,
    against: Sequence[float] = (),
) -> Reply:
    """Give a deficit profile over tasks; of a network the one most like the brain's.

    Parameters
    ----------
    side : Side
        A brain, with a measured `intervention`; or a network, asked after the brain.
    tasks : sequence of str
        Tasks, in one order on both sides.
    intervention : str
        For a brain: what was applied.
    contrasts, regions : sequence of str
        For a network: unit sets and layers that are searched, at every one of `doses`.
    where, kind, sign, fraction, doses
        As for `lesion`.
    against : sequence of float
        For a network: the brain's deficits by task, where they come from published numbers.

    Returns
    -------
    Reply
        Of a brain the mean deficit; of a network the likeness of the best profile, with the exact
        p over its random lesions, corrected for the search.
    """
    asked = {name: side.task(name) for name in tasks}
    if isinstance(side.system, Recorded):
        return _brain_profile(side, asked, intervention)
    if not isinstance(side.system, Model):
        return side.unmeasured("only a network that runs can be lesioned here")
    brain = _against(side, tuple(asked), against)
    if isinstance(brain, NotMeasurable):
        return side.unmeasured(brain.reason)
    found: list[Profile] = []
    for contrast in contrasts:
        for region in regions:
            profiles = lesion_profiles(
                side, tuple(asked), contrast=contrast, region=region, where=where,
                fraction=fraction, sign=sign, kind=kind, doses=tuple(doses),
            )  # fmt: skip
            if isinstance(profiles, NotMeasurable):
                return side.unmeasured(profiles.reason)
            found += profiles
    search = find_profile(brain, found)
    best, match = search.candidates[0], search.matches[0]
    if not math.isfinite(match.value):
        return side.unmeasured("no lesion of the search has a defined profile")
    numbers = Numbers(
        match.value, neutral=0.0, n=match.n_tasks, unit="tasks", p=search.p_best,
        null=f"exact over {match.n_controls} random lesions, times {len(found)} searched",
    )  # fmt: skip
    told = ", ".join(f"{t} {z:+.2f}" for t, z in zip(best.tasks, best.deficits, strict=True))
    cell = side.cell(
        numbers, measure=f"{match.measure} with the brain's profile",
        where=f"{best.target}, dose {best.dose:g}", origin="simulated",
        note=f"deficits in SD of random lesions: {told}; signs agree on {match.signs:.0%}"
        + (f"; ceiling {search.ceiling:.3f}" if math.isfinite(search.ceiling) else ""),
    )  # fmt: skip
    return Reply(cell, curves=(_profile_curve(side, best),))


def _brain_profile(side: Side, tasks: dict[str, ChoiceTask], intervention: str) -> Reply:
    brain: Recorded = side.system
    names = [name for name, _ in brain.interventions()]
    known_name(intervention, names, kind="measured intervention")
    tables = {}
    for name, task in tasks.items():
        pair = brain.choices(task), brain.under_intervention(intervention).choices(task)
        for table in pair:
            if isinstance(table, NotMeasurable):
                return side.unmeasured(table.reason)
        tables[name] = pair
    found = measured_profile(
        tables, system=brain.name, intervention=intervention, n_null=side.settings.n_null,
        seed=side.settings.seed,
    )  # fmt: skip
    if isinstance(found, NotMeasurable):
        return side.unmeasured(found.reason)
    side.memo[BRAIN, side.question] = found
    told = ", ".join(f"{t} {z:+.2f}" for t, z in zip(found.tasks, found.deficits, strict=True))
    mean = float(found.deficits.mean())
    null = (found.controls / found.controls.std(axis=0, ddof=1)).mean(axis=1)
    p = (1 + int((null <= mean).sum())) / (1 + len(null))
    cell = side.cell(
        Numbers(mean, neutral=0.0, n=len(found.tasks), unit="tasks", p=p,
                null=f"{len(null)} shuffles of the intervention's label"),
        measure="mean deficit (SD of shuffles)", where=intervention, origin="measured",
        note=f"deficits: {told}",
    )  # fmt: skip
    return Reply(cell, curves=(_profile_curve(side, found),))


def _against(
    side: Side, tasks: tuple[str, ...], deficits: Sequence[float]
) -> Profile | NotMeasurable:
    """Give the brain's profile: that of its reply, or the numbers of the case."""
    values = np.array(deficits, dtype=float)
    if not len(values) and (BRAIN, side.question) in side.memo:
        return side.memo[BRAIN, side.question]
    if len(values) != len(tasks):
        return NotMeasurable("the brain has no profile over these tasks to be compared with")
    n = len(tasks)
    # Two controls of SD 1 around 0: the deficits stand as they are.
    unit = np.outer([-1.0, 1.0], np.full(n, math.sqrt(0.5)))
    nothing = np.full((2, n), math.nan)
    return Profile(
        "brain", "", "", "measured", math.nan, tasks, ("deficit",) * n, np.zeros(n), values,
        unit, nothing, nothing, 0, (0,) * n,
    )  # fmt: skip


def _profile_curve(side: Side, one: Profile) -> Curve:
    n = len(one.tasks)
    spread = np.ones(n)
    return Curve(
        name=f"{side.system.name}: {one.target}", side=side.name, line="deficits",
        x=np.arange(n, dtype=float), y=one.deficits, low=one.deficits - spread,
        high=one.deficits + spread, n=np.array(one.n_trials, dtype=float), x_label="task",
        y_label="deficit (SD of controls)", neutral=0.0, note="whiskers: one SD of the controls",
        ticks=one.tasks,
    )  # fmt: skip
