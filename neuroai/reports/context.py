"""What stands in a page, in words: verdicts, the three levels at a glance, the audit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuroai.format.answers import Answer
from neuroai.format.results import DoseCurve, NotMeasured, Results
from neuroai.format.schema import LEVELS
from neuroai.format.scores import Score
from neuroai.reports.numbers import counted, number, outcome, probability, span
from neuroai.reports.selection import Panel, Row, best_rows, kind_words, panels
from neuroai.reports.style import short

ALARMING = re.compile(
    r"dropp|exclud|uncalibrat|undefin|constant|missing|\bnan\b|left out|lack|partial|not used",
    re.IGNORECASE,
)
FORM_LEVELS = {"rdm": "algorithm", "responses": "algorithm"}
PARTS_QUESTIONS = ("localiser", "lesion", "dose_curve", "dose-curve")


@dataclass(frozen=True)
class Verdict:
    """One headline: a candidate against a region of the brain.

    `against` are the other candidates of the same panel, as (name, kind, printed score).
    """

    level: str
    metric: str
    region: str
    model: str
    layer: str
    value: str
    reason: str
    facts: tuple[str, str]
    against: tuple[tuple[str, str, str], ...]


def verdict_blocks(results: Results) -> list[list[Verdict]]:
    """Group the headlines by question and region; those without a number come last."""
    blocks: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts(results):
        blocks.setdefault((verdict.level, verdict.metric, verdict.region), []).append(verdict)
    return sorted(blocks.values(), key=lambda block: not any(v.value for v in block))


def verdicts(results: Results) -> list[Verdict]:
    """Give a headline for every model and region, for the first metric of every analysis."""
    seen: set[tuple[str, ...]] = set()
    found: list[Verdict] = []
    for level in LEVELS:
        for panel, scores in panels(results.scores, level=level).items():
            key = (panel.level, panel.analysis, panel.dataset, panel.stimulus_set)
            key = (*key, panel.brain_region)
            if key not in seen:
                seen.add(key)
                rows = best_rows(scores)
                models = [row for row in rows if row.score.candidate_kind == "model"]
                found += [_verdict(panel, row, rows) for row in models]
    return found


def _verdict(panel: Panel, row: Row, rows: Sequence[Row]) -> Verdict:
    score = row.score
    others = [r.score for r in rows if r.score.candidate_kind != "model" and r.score.status == "ok"]
    return Verdict(
        level=panel.level,
        metric=panel.metric,
        region=panel.brain_region,
        model=score.model + (f" (seed {score.seed})" if score.seed else ""),
        layer=score.model_region,
        value=number(score.value),
        reason="" if score.status == "ok" else outcome(score),
        facts=(_numbers(score), _inference(row)),
        against=tuple((s.model, kind_words(s.candidate_kind), number(s.value)) for s in others),
    )


def _numbers(score: Score) -> str:
    """Say interval, ceiling and p in one sentence."""
    interval = span(score.ci_low, score.ci_high)
    ceiling = span(score.ceiling_low, score.ceiling_high)
    parts = (
        f"95 % interval {interval}" if interval else "No interval",
        f"noise ceiling {ceiling}" if ceiling else "no noise ceiling",
        _p_words(score),
    )
    return "; ".join(parts) + "."


def _p_words(score: Score) -> str:
    p = probability(score.p)
    if not p:
        return "no p-value"
    draws = f", {score.n_null:,} draws" if score.n_null else ""
    null = f" (null: {score.null}{draws})" if score.null else ""
    return f"p {p}{null}" if p.startswith("<") else f"p = {p}{null}"


def _inference(row: Row) -> str:
    """Say counts, what the interval generalises over, and how the layer was chosen."""
    parts = [part for part in (*_counts(row.score), _generalises(row.score)) if part]
    words = "; ".join(
        part for part in (", ".join(parts[:-1]), parts[-1], _choice_words(row)) if part
    )
    return f"{words[0].upper()}{words[1:]}."


def _counts(score: Score) -> list[str]:
    return [
        counted(n, noun)
        for n, noun in (
            (score.n_stimuli, "stimulus"),
            (score.n_brain_subjects, "brain subject"),
            (score.n_model_subjects, "network seed"),
        )
        if n
    ]


def _generalises(score: Score) -> str:
    if not score.resampled:
        return "nothing is said to have been resampled"
    units = score.resampled.replace("+", " and ")
    return f"the interval generalises over {units}"


def _choice_words(row: Row) -> str:
    if row.choice == "held-out":
        return "layer chosen on other stimuli than those it is scored on"
    if row.choice == "highest":
        return f"the highest of {row.n_regions} layers on the same stimuli, which flatters it"
    return ""


def sides(results: Results) -> dict[str, str]:
    """Give for every named system its side, ``brain`` or ``network``."""
    named = {
        s.model: "network" for s in results.scores if s.candidate_kind in ("model", "untrained")
    }
    for item in (*results.answers, *results.dose_curves, *results.localisers):
        named[item.system] = "brain" if item.kind == "brain" else "network"
    return named


def kinds_of_systems(results: Results) -> dict[str, str]:
    """Give for every system that answered its kind: ``brain`` or a kind of candidate."""
    kinds = {s.model: s.candidate_kind for s in results.scores}
    for answer in results.answers:
        if answer.kind == "brain":
            kinds[answer.system] = "brain"
        else:
            kinds.setdefault(answer.system, "model")
    return kinds


def level_of(answer: Answer, scores: Sequence[Score]) -> str:
    """Give the level of an answer: that of the scores made of it, else that of its form."""
    for score in scores:
        if score.analysis == answer.question:
            return score.level
    if answer.question == "similarity":
        return "computation"
    if answer.question in PARTS_QUESTIONS:
        return "implementation"
    return FORM_LEVELS.get(answer.form, "computation")


def unmeasured(results: Results, level: str, side: str) -> list[NotMeasured]:
    """Give what one side could not answer at one level."""
    named = sides(results)
    return [
        item
        for item in results.not_measured
        if item.level == level and named.get(item.system, "brain") == side
    ]


def glance(results: Results) -> list[dict[str, object]]:
    """Give for each level what the brain, the network and their comparison say, in lines."""
    rows = []
    for level in LEVELS:
        cells: dict[str, object] = {"level": level}
        for side in ("brain", "network"):
            cells[side] = _said(results, level, side)
            cells[f"{side}_not"] = unmeasured(results, level, side)
        cells["agreement"] = [
            (v.metric, v.region, v.model, v.value or v.reason)
            for v in verdicts(results)
            if v.level == level
        ]
        rows.append(cells)
    return rows


def _said(results: Results, level: str, side: str) -> list[tuple[str, list[str]]]:
    kind = "brain" if side == "brain" else "model"
    lines: dict[str, dict[str, None]] = {}
    for answer in results.answers:
        if answer.kind == kind and level_of(answer, results.scores) == level:
            lines.setdefault(answer.question, {})[_size(answer)] = None
    for found in results.localisers:
        if level == "implementation" and found.kind == kind:
            words = f"{short(found.system, length=24)}: {found.contrast}"
            lines.setdefault("localiser", {})[words] = None
    for curve in results.dose_curves:
        if level == "implementation" and curve.kind == kind:
            lines.setdefault("lesion", {})[_fall(curve)] = None
    return [(question, list(words)) for question, words in lines.items()]


def _size(answer: Answer) -> str:
    member = "subject" if answer.kind == "brain" else "seed"
    area = "region" if answer.kind == "brain" else "layer"
    counts = counted(len(answer.subjects), member)
    if len(answer.regions) > 1:
        counts += f", {counted(len(answer.regions), area)}"
    return f"{short(answer.system, length=24)}: {counts}"


def _fall(curve: DoseCurve) -> str:
    if not len(curve.doses):
        return f"{curve.system}, {curve.region}: {curve.measure}"
    p = probability(float(curve.p[-1]))
    sign = f", p {p}" if p.startswith("<") else (f", p = {p}" if p else "")
    return (
        f"{short(curve.system, length=24)}, {curve.region}: {curve.measure} "
        f"{number(curve.baseline)} → {number(float(curve.targeted[-1])) or 'undefined'} "
        f"at dose {float(curve.doses[-1]):g}{sign}"
    )


def audit(results: Results) -> tuple[list[str], bool]:
    """Give the audit's sentences, and whether a reader must beware."""
    sentences = list(results.audit)
    marked = [s for s in results.scores if "uncalibrated" in f"{s.note} {s.resampled}".lower()]
    if marked:
        sentences.append(
            f"{len(marked)} of {len(results.scores)} scores have an uncalibrated interval "
            "(fewer than 8 subjects or 20 stimuli)."
        )
    holed = [s for s in results.scores if s.n_undefined]
    if holed:
        sentences.append(
            f"In {len(holed)} of {len(results.scores)} scores some units, pairs or trials were "
            f"undefined and left out, at most {max(s.n_undefined for s in holed)} in one score."
        )
    n_without = sum(s.status == "undefined" for s in results.scores)
    if n_without:
        sentences.append(f"{counted(n_without, 'score')} of {len(results.scores)} undefined.")
    for answer in results.answers:
        sentences += [f"{answer.system}, {answer.question}: {note}" for note in answer.notes]
    sentences = list(dict.fromkeys(sentences))
    return sentences, any(ALARMING.search(sentence) for sentence in sentences)


def flat(mapping: Mapping[str, object], *, above: str = "") -> list[tuple[str, str]]:
    """Turn nested provenance into (dotted name, text) lines.

    Examples
    --------
    >>> flat({"versions": {"numpy": "2"}, "argv": ["a", "b"]})
    [('versions.numpy', '2'), ('argv', 'a b')]
    """
    lines: list[tuple[str, str]] = []
    for key, value in mapping.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            lines += flat(value, above=f"{name}.")
        elif isinstance(value, (list, tuple)):
            lines.append((name, " ".join(str(item) for item in value)))
        else:
            lines.append((name, str(value)))
    return lines
