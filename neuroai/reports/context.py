"""What stands in a page, in words: the three levels at a glance, what is missing, the audit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from neuroai.format.answers import Answer
from neuroai.format.results import NotMeasured, Results
from neuroai.format.schema import LEVELS
from neuroai.format.scores import Score
from neuroai.reports.lesions import best_localised, dose_groups, fall, localiser_words
from neuroai.reports.numbers import counted, number, outcome, span
from neuroai.reports.selection import (
    asked_and_published,
    asked_names,
    best_rows,
    main_panels,
    own_values,
)
from neuroai.reports.style import short
from neuroai.reports.words import candidate_words, joined, metric_words, question_words

ALARMING = re.compile(
    r"dropp|exclud|uncalibrat|undefin|constant|missing|\bnan\b|left out|lack|partial|not used",
    re.IGNORECASE,
)
CONSTANT = re.compile(
    r"(?P<who>.+): (?P<where>[^ ]+): (?P<n>\d+) of (?P<of>\d+) units never vary\b.*", re.DOTALL
)
FORM_LEVELS = {"rdm": "algorithm", "responses": "algorithm"}
PARTS_QUESTIONS = ("localiser", "lesion", "dose_curve", "dose-curve")


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
    """Give what one side could not answer at one level; equal reasons are told once."""
    named = sides(results)
    mine = [
        item
        for item in results.not_measured
        if item.level == level and named.get(item.system, "brain") == side
    ]
    return merged(mine)


def merged(items: Iterable[NotMeasured]) -> list[NotMeasured]:
    """Tell what lacks for one reason together, with all its systems and questions.

    Examples
    --------
    >>> merged([NotMeasured("algorithm", q, s, "no recordings") for q in "ab" for s in "xy"])
    [NotMeasured(level='algorithm', question='a and b', system='x and y', reason='no recordings')]
    """
    groups: dict[tuple[str, str], list[NotMeasured]] = {}
    for item in items:
        groups.setdefault((item.level, item.reason), []).append(item)
    return [
        replace(
            group[0],
            question=joined(list(dict.fromkeys(question_words(i.question) for i in group))),
            system=joined(list(dict.fromkeys(i.system for i in group))),
        )
        for group in groups.values()
    ]


def glance(results: Results) -> list[dict[str, object]]:
    """Give for each level what the brain, the network and their comparison say, in lines."""
    rows = []
    for level in LEVELS:
        cells: dict[str, object] = {"level": level}
        for side in ("brain", "network"):
            cells[side] = _said(results, level, side)
            cells[f"{side}_not"] = unmeasured(results, level, side)
        cells["agreement"] = _agreement(results, level)
        rows.append(cells)
    return rows


def _agreement(results: Results, level: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Give for every main panel its heading, and candidates with what they reach."""
    found, asked = [], asked_names(results)
    for panel, scores in main_panels(results.scores, level=level).items():
        rows, published = asked_and_published(best_rows(scores), asked)
        lines = [
            (candidate_words(row.score.model, row.score.candidate_kind), outcome(row.score))
            for row in rows
            if row.score.candidate_kind != "confound"
        ]
        lines += _together([row.score for row in published])
        _, _, task = panel.analysis.partition(": ")
        on = f", {task}" if task else ""
        found.append((f"{metric_words(panel.metric)} with {panel.brain_region}{on}", lines))
    return found


def _together(published: Sequence[Score]) -> list[tuple[str, str]]:
    """Tell many published networks as one line, from the lowest to the highest."""
    values = [score.value for score in published if score.status == "ok"]
    if not values:
        return []
    return [(counted(len(values), "published network"), span(min(values), max(values)))]


def _said(results: Results, level: str, side: str) -> list[tuple[str, list[str]]]:
    kind = "brain" if side == "brain" else "model"
    lines: dict[str, dict[str, None]] = {}
    asked = asked_names(results)
    for question, scores in own_values(results.scores, level=level).items():
        told = lines.setdefault(question_words(question), {})
        mine = [score for score in scores if bool(score.model) == (side == "network")]
        told |= {_own(s): None for s in mine if not s.model or s.model in asked}
        others = [s for s in mine if s.model and s.model not in asked]
        told |= {f"{name}: {reach}": None for name, reach in _together(others)}
    for answer in results.answers:
        if answer.kind == kind and level_of(answer, results.scores) == level:
            if answer.form == "rdm":
                lines.setdefault(question_words(answer.question), {})[_size(answer)] = None
    if level == "implementation":
        for item in best_localised(r for r in results.localisers if r.kind == kind):
            words = f"{short(item.system, length=30)}, {localiser_words(item)}"
            lines.setdefault("localiser, best region", {})[words] = None
        for group in dose_groups(results):
            if group.average.kind == kind and len(group.average.doses):
                words = f"{short(group.system, length=30)}, {group.average.region}: {fall(group)}"
                lines.setdefault("lesion, largest dose", {})[words] = None
    return [(question, list(words)) for question, words in lines.items() if words]


def _own(score: Score) -> str:
    name = score.model or score.brain_region
    if score.status != "ok":
        return f"{name}: {outcome(score)}"
    interval = span(score.ci_low, score.ci_high)
    return f"{name}: {number(score.value)}" + (f" [{interval}]" if interval else "")


def _size(answer: Answer) -> str:
    member = "subject" if answer.kind == "brain" else "seed"
    area = "region" if answer.kind == "brain" else "layer"
    counts = counted(len(answer.subjects), member)
    if len(answer.regions) > 1:
        counts += f", {counted(len(answer.regions), area)}"
    return f"{short(answer.system, length=40)}: {counts}"


@dataclass(frozen=True)
class Audit:
    """Sentences about the data: those told first, all of them, and whether to beware."""

    told: tuple[str, ...]
    every: tuple[str, ...]
    beware: bool


def audit(results: Results) -> Audit:
    """Give the audit's sentences; many of one kind are told as one, and all are kept."""
    every = list(results.audit)
    for answer in results.answers:
        told = [f"{answer.system}: {note}" for note in answer.notes]
        every += [sentence for sentence in told if sentence not in every]
    counts = _counts(results)
    every = list(dict.fromkeys([*counts, *every]))
    told = _condensed(every)
    return Audit(tuple(told), tuple(every), any(ALARMING.search(s) for s in every))


def _counts(results: Results) -> list[str]:
    n, sentences = len(results.scores), []
    marked = [s for s in results.scores if "uncalibrated" in f"{s.note} {s.resampled}".lower()]
    if marked:
        sentences.append(
            f"{len(marked)} of {n} scores have an uncalibrated interval "
            "(fewer than 8 subjects or 20 stimuli)."
        )
    holed = [s for s in results.scores if s.n_undefined]
    if holed:
        sentences.append(
            f"In {len(holed)} of {n} scores some units, pairs or trials were "
            f"undefined and left out, at most {max(s.n_undefined for s in holed)} in one score."
        )
    n_without = sum(s.status == "undefined" for s in results.scores)
    if n_without:
        sentences.append(f"{counted(n_without, 'score')} of {n} undefined.")
    return sentences


def _condensed(sentences: Sequence[str]) -> list[str]:
    """Tell units that never vary once a system, with the worst layer, and others alike once."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    rest: list[str] = []
    for sentence in sentences:
        match = CONSTANT.fullmatch(sentence)
        if match is None:
            rest.append(sentence)
        else:
            n, of = int(match["n"]), int(match["of"])
            found.setdefault(match["who"], []).append((n, of, match["where"]))
    for who, cases in found.items():
        n, of, where = max(cases, key=lambda case: case[0] / max(case[1], 1))
        n_layers = len({layer for _, _, layer in cases})
        rest.append(
            f"{who}: some units never vary in {counted(n_layers, 'layer')}, "
            f"at most {n} of {of} ({where})."
        )
    return _alike(rest)


def _alike(sentences: Sequence[str]) -> list[str]:
    """Tell sentences that differ in numbers alone once, from three on.

    Examples
    --------
    >>> _alike(["a1: 3 missed", "a2: 4 missed", "b: all well", "a3: 5 missed"])
    ['a1: 3 missed (and 2 more like it)', 'b: all well']
    """
    groups: dict[str, list[str]] = {}
    for sentence in sentences:
        groups.setdefault(re.sub(r"[0-9][0-9.,]*", "#", sentence), []).append(sentence)
    told = []
    for group in groups.values():
        more = len(group) - 1
        told += group if more < 2 else [f"{group[0]} (and {more} more like it)"]
    return told


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
