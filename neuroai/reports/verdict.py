"""The verdict: for every level one sentence with a number, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuroai.format.results import Results
from neuroai.format.schema import LEVELS
from neuroai.format.scores import Score
from neuroai.reports.figures_scores import candidate_dots
from neuroai.reports.lesions import DoseGroup, dose_groups, evidence, member_noun
from neuroai.reports.numbers import counted, number, outcome, probability, span
from neuroai.reports.selection import (
    Panel,
    Row,
    asked_names,
    best_rows,
    ceiling_of,
    layer_of,
    main_panels,
    reference_of,
)
from neuroai.reports.svg import Drawing
from neuroai.reports.words import candidate_words, metric_words

CHANCE_P = 0.05
NONE = "none: too few subjects"
CLEAREST = "clearest of {} dose curves, p not corrected for that choice; all stand below"
LED_BY = ("algorithm", "computation", "implementation")


@dataclass(frozen=True)
class Verdict:
    """One sentence about the first network in one panel, and what it rests on.

    `value` is the printed number (empty where there is none), `badge` where it stands in a few
    words, `says` the sentence that goes on from the model's name, `beside` what others reach in
    its place; `facts` are (name, text) pairs.
    """

    level: str
    region: str
    value: str
    model: str
    layer: str
    says: str
    badge: str = ""
    beside: str = ""
    kind: str = "model"
    facts: tuple[tuple[str, str], ...] = ()
    figure: Drawing | None = None


def verdicts(results: Results, *, colours: Mapping[str, str] | None = None) -> list[Verdict]:
    """Give the verdicts of every level; figures are drawn where colours are given."""
    found = []
    asked = asked_names(results)
    for level in LEVELS:
        for panel, scores in main_panels(results.scores, level=level).items():
            rows = best_rows(scores)
            networks = [row for row in rows if row.score.candidate_kind == "model"]
            first = next((row for row in networks if row.score.model in asked), None)
            if first is not None:
                figure = None
                if colours is not None:
                    figure = candidate_dots(panel, scores, colours=colours, asked=asked)
                found.append(_verdict(panel, first, rows, figure))
    return found + _lesion_verdicts(results)


def headline(results: Results) -> Verdict | None:
    """Give the one verdict that is told alone: of representations before behaviour and lesions.

    Of several regions it is the last that has a noise ceiling, else the first.
    """
    every = [verdict for verdict in verdicts(results) if verdict.value]
    for level in LED_BY:
        mine = [verdict for verdict in every if verdict.level == level]
        bounded = [v for v in mine if dict(v.facts).get("noise ceiling", NONE) != NONE]
        if mine:
            return bounded[-1] if bounded else mine[0]
    return None


def _verdict(panel: Panel, row: Row, rows: Sequence[Row], figure: Drawing | None) -> Verdict:
    score = row.score
    common = {"level": panel.level, "region": panel.brain_region, "model": score.model}
    if score.status != "ok":
        says = f"against {panel.brain_region}: {outcome(score)}"
        return Verdict(**common, value="", layer=layer_of(score), says=says)
    return Verdict(
        **common,
        value=number(score.value),
        layer=layer_of(score),
        says=_says(panel, score),
        badge=_badge(score) if not panel.metric.endswith("-difference") else "",
        beside=_others(rows),
        facts=_facts(panel, row),
        figure=figure,
    )


def _says(panel: Panel, score: Score) -> str:
    """Go on from the name and number: against what, and where the score stands."""
    _, _, task = panel.analysis.partition(": ")
    where = f"against {panel.brain_region}{f' on {task}' if task else ''}"
    band, other = ceiling_of([score]), reference_of([score])
    if band is not None:
        return f"{where}; noise ceiling {span(*band)}."
    return f"{where}." if other is None else f"{where}; another subject reaches {number(other)}."


def _badge(score: Score) -> str:
    """Say in a few words where a score stands."""
    if math.isfinite(score.p) and score.p > CHANCE_P:
        return "not distinguishable from chance"
    band, other = ceiling_of([score]), reference_of([score])
    if band is not None:
        low, high = band
        if score.value < low:
            return "below the noise ceiling"
        return "within the noise ceiling" if score.value <= high else "above the noise ceiling"
    if other is not None:
        if score.ci_low <= other <= score.ci_high:
            return "about as high as another subject"
        return f"{'above' if score.value > other else 'below'} another subject"
    return "no noise ceiling known"


def _others(rows: Sequence[Row]) -> str:
    """Say what the untrained twin, another subject or species reach."""
    told = [
        f"{candidate_words(r.score.model, r.score.candidate_kind)} {number(r.score.value)}"
        for r in rows
        if r.score.candidate_kind in ("untrained", "subject", "species") and r.score.status == "ok"
    ]
    return f"In its place: {', '.join(told)}." if told else ""


def _facts(panel: Panel, row: Row) -> tuple[tuple[str, str], ...]:
    score = row.score
    ceiling = span(score.ceiling_low, score.ceiling_high)
    lower = reference_of([score])
    facts = [
        ("measure", metric_words(panel.metric)),
        ("95 % interval", span(score.ci_low, score.ci_high) or "none"),
        ("noise ceiling", ceiling) if lower is None else ("another subject", number(lower)),
        ("p", p_words(score)),
        ("n", n_words(score)),
        ("unit of inference", _generalises(score)),
    ]
    if choice_words(row):
        facts.append(("layer", choice_words(row)))
    return tuple((name, text or NONE) for name, text in facts)


def p_words(score: Score) -> str:
    """Print p with its null hypothesis."""
    p = probability(score.p)
    if not p:
        return "none"
    draws = f", {score.n_null:,} draws" if score.n_null else ""
    return f"{p} ({score.null}{draws})" if score.null else p


def n_words(score: Score) -> str:
    """Print the counts of a score, leaving out what does not apply.

    Examples
    --------
    >>> n_words(Score("computation", "accuracy", "value", "d", "s", "brain", "", "", value=.9,
    ...               n_stimuli=80, n_brain_subjects=4))
    '80 stimuli, 4 brain subjects'
    """
    parts = (
        (score.n_stimuli, "stimulus"),
        (score.n_brain_subjects, "brain subject"),
        (score.n_model_subjects, "network seed"),
    )
    is_network = score.candidate_kind in ("model", "untrained")
    return ", ".join(
        counted(n, noun) for n, noun in parts if n and (is_network or noun != "network seed")
    )


def _generalises(score: Score) -> str:
    if not score.resampled:
        return "nothing was resampled"
    words = score.resampled.replace("+", " and ")
    mark = "; uncalibrated with so few" if "uncalibrated" in score.note else ""
    return f"{words}{mark}"


def choice_words(row: Row) -> str:
    """Say how the layer was come by."""
    if row.choice == "held-out":
        return "chosen on other stimuli than those it is scored on"
    if row.choice == "highest":
        return f"highest of {row.n_regions} on the same stimuli, which flatters it"
    return ""


def _lesion_verdicts(results: Results) -> list[Verdict]:
    """Tell of every system the lesion at the largest dose whose effect stands out most."""
    found = []
    groups = [group for group in dose_groups(results) if len(group.average.doses)]
    for kind in ("model", "brain"):
        mine = [group for group in groups if group.average.kind == kind]
        if mine:
            found.append(_lesion_verdict(max(mine, key=_certainty), of=len(mine)))
    return found


def _certainty(group: DoseGroup) -> tuple[float, float]:
    p = [float(c.p[-1]) for c in group.curves if math.isfinite(c.p[-1])]
    small = sum(value <= CHANCE_P for value in p) / len(group.curves)
    return small, abs(group.average.targeted[-1] - group.average.baseline)


def _lesion_verdict(group: DoseGroup, *, of: int) -> Verdict:
    curve = group.average
    change = float(curve.targeted[-1]) - curve.baseline
    sure = evidence(group, -1)
    if sure and len(group.curves) > 1:
        sure += " " + member_noun(curve.kind, len(group.curves)).partition(" ")[2]
    done = {
        "measured": f"under “{curve.region}”",
        "virtual": f"with the selective units of {curve.region} masked",
        "simulated": f"after lesions of the selective units of {curve.region}",
    }
    after = number(float(curve.targeted[-1])) or "undefined"
    says = (
        f"{done.get(curve.origin, curve.region)}: {curve.measure} {number(curve.baseline)} → "
        f"{after} (dose {float(curve.doses[-1]):g})."
    )
    against = "sham" if curve.origin == "measured" else "random sets of the same size"
    who = (
        member_noun(curve.kind, len(group.members)) if group.members[0] else "average over subjects"
    )
    return Verdict(
        level="implementation",
        region=curve.region,
        value=("+" if change > 0 else "") + number(change),
        model=group.system,
        layer="",
        says=says,
        badge="change of " + curve.measure,
        beside=f"Against {against}: {sure}." if sure else "",
        kind=curve.kind,
        facts=(
            ("measure", f"change of {curve.measure}"),
            ("controls", f"{curve.controls.shape[1]:,} a dose"),
            ("n", who),
            *([("shown", CLEAREST.format(of))] if of > 1 else []),
        ),
    )
