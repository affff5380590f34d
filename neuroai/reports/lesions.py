"""Lesions and localisers told by system: subjects and seeds of one system together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroai.format.results import DoseCurve, LocaliserResult, Results
from neuroai.reports.numbers import counted, number, probability

SIGNIFICANT = 0.05
ORIGIN_WORDS = {
    "simulated": "lesion in the forward pass",
    "virtual": "recorded units masked",
    "measured": "measured in the lesioned brain",
}


@dataclass(frozen=True)
class DoseGroup:
    """Dose curves of one system, place and measure, one a subject or seed.

    `members` are the names of subjects or seeds, ``""`` where the curve is of all together.
    `average` is for pictures: its controls are averaged draw by draw over the members, and it has
    a p-value only where there is one member.
    """

    system: str
    members: tuple[str, ...]
    curves: tuple[DoseCurve, ...]
    average: DoseCurve


def dose_groups(results: Results) -> list[DoseGroup]:
    """Group dose curves by system, place, measure and kind of lesion, in order of appearance."""
    known = _systems(results)
    found: dict[tuple, list[tuple[str, DoseCurve]]] = {}
    for curve in results.dose_curves:
        system, member = _split(curve.system, known)
        key = (system, curve.region, curve.level, curve.measure, curve.lesion, curve.origin)
        found.setdefault((*key, tuple(curve.doses)), []).append((member, curve))
    return [
        DoseGroup(
            system=key[0],
            members=tuple(member for member, _ in pairs),
            curves=tuple(curve for _, curve in pairs),
            average=_average([curve for _, curve in pairs], system=key[0]),
        )
        for key, pairs in found.items()
    ]


def _systems(results: Results) -> set[str]:
    named = {score.model for score in results.scores}
    return named | {item.system for item in (*results.answers, *results.localisers)}


def _split(name: str, known: set[str]) -> tuple[str, str]:
    """Split ``system (subject)``; a system whose own name has brackets is left whole."""
    system, bracket, member = name.rpartition(" (")
    if name in known or not bracket or not name.endswith(")"):
        return name, ""
    return system, member.removesuffix(")")


def _average(curves: Sequence[DoseCurve], *, system: str) -> DoseCurve:
    first = curves[0]
    if len(curves) == 1:
        return replace(first, system=system)
    n_controls = min(np.shape(c.controls)[1] for c in curves)
    nothing = np.full(len(first.doses), np.nan)
    return replace(
        first,
        system=system,
        baseline=float(np.mean([c.baseline for c in curves])),
        targeted=np.mean([c.targeted for c in curves], axis=0),
        controls=np.mean([np.asarray(c.controls)[:, :n_controls] for c in curves], axis=0),
        p=nothing,
        ci_low=nothing,
        ci_high=nothing,
        n_targets=np.max([c.n_targets for c in curves], axis=0),
    )


def member_noun(kind: str, n: int) -> str:
    """Give ``4 subjects`` of a brain, or ``3 seeds`` of a network."""
    return counted(n, "subject" if kind == "brain" else "seed")


def evidence(group: DoseGroup, index: int) -> str:
    """Say how sure the effect at one dose is: a p-value, or in how many members p ≤ .05."""
    values = [float(curve.p[index]) for curve in group.curves]
    finite = [p for p in values if np.isfinite(p)]
    if not finite:
        return ""
    if len(values) == 1:
        printed = probability(finite[0])
        return f"p {printed}" if printed.startswith("<") else f"p = {printed}"
    small = sum(p <= SIGNIFICANT for p in finite)
    return f"p ≤ .05 in {small} of {len(finite)}"


def fall(group: DoseGroup) -> str:
    """Say what the largest dose does to the measure, beside random sets."""
    curve = group.average
    after = number(float(curve.targeted[-1])) or "undefined"
    text = f"{curve.measure} {number(curve.baseline)} → {after}"
    controls = curve.controls[-1][np.isfinite(curve.controls[-1])]
    what = "sham" if curve.origin == "measured" else "random sets"
    details = [f"{what} {number(float(np.median(controls)))}"] if controls.size else []
    details += [part for part in (evidence(group, -1),) if part]
    return f"{text} ({'; '.join(details)})" if details else text


@dataclass(frozen=True)
class Localised:
    """A localiser in one region, averaged over subjects or seeds for display."""

    system: str
    kind: str
    region: str
    contrast: str
    n_members: int
    n_selected: float
    n_units: int
    unit_kind: str
    t_selected: float
    t_heldout: float
    n_small_p: int
    rows: tuple[LocaliserResult, ...]


def localised(found: Iterable[LocaliserResult]) -> list[Localised]:
    """Group localisers by system, contrast and region, in order of appearance."""
    groups: dict[tuple[str, str, str], list[LocaliserResult]] = {}
    for row in found:
        groups.setdefault((row.system, row.contrast, row.region), []).append(row)
    return [
        Localised(
            system=rows[0].system,
            kind=rows[0].kind,
            region=rows[0].region,
            contrast=rows[0].contrast,
            n_members=len(rows),
            n_selected=float(np.mean([r.n_selected for r in rows])),
            n_units=rows[0].n_units,
            unit_kind=rows[0].unit_kind,
            t_selected=_mean([r.t_selected for r in rows]),
            t_heldout=_mean([r.t_heldout for r in rows]),
            n_small_p=sum(r.heldout_p <= SIGNIFICANT for r in rows),
            rows=tuple(rows),
        )
        for rows in groups.values()
    ]


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def best_localised(found: Iterable[LocaliserResult]) -> list[Localised]:
    """Give for every system and contrast the region whose held-out t is highest."""
    best: dict[tuple[str, str], Localised] = {}
    for item in localised(found):
        key = (item.system, item.contrast)
        old = best.get(key)
        if old is None or not item.t_heldout <= old.t_heldout:
            best[key] = item
    return list(best.values())


def contrast_words(contrast: str) -> str:
    """Give a contrast without the mark of a column that holds 1 and 0.

    Examples
    --------
    >>> contrast_words("face: 1"), contrast_words("category: face or body")
    ('face', 'category: face or body')
    """
    return contrast.removesuffix(": 1")


def localiser_words(item: Localised) -> str:
    """Say what a localiser selected, and whether the choice held on other stimuli.

    Examples
    --------
    >>> row = LocaliserResult("brain", "brain", "s1", "IT", "face: 1", 100, 5, 6.0, 4.0, .001,
    ...                       "unit")
    >>> localiser_words(localised([row])[0])
    'IT, face: 5 of 100 units; held-out t 4.0 (p ≤ .05 in 1 of 1 subject)'
    """
    selected = f"{item.n_selected:g} of {counted(item.n_units, item.unit_kind)}"
    who = member_noun(item.kind, item.n_members)
    held = number(item.t_heldout, digits=1) or "undefined"
    return (
        f"{item.region}, {contrast_words(item.contrast)}: {selected}; held-out t {held} "
        f"(p ≤ .05 in {item.n_small_p} of {who})"
    )
