"""Which scores a reader sees first: one row a candidate, chosen by rule and said how."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from neuroai.format.results import Results
from neuroai.format.scores import CANDIDATE_KINDS, Score

NO_LESION = ("none", "")
OWN_VALUE = "value"
MEAN_RDM = "score_of_mean_rdm"
BEHAVIOUR = "behaviour"
FEW = 3


@dataclass(frozen=True)
class Panel:
    """What scores must share to stand on one axis: the question, the comparison and the brain."""

    level: str
    analysis: str
    metric: str
    dataset: str
    stimulus_set: str
    brain_region: str


@dataclass(frozen=True)
class Row:
    """One candidate in a panel: its score, and how its region was come by.

    `choice` is ``held-out`` (chosen on other stimuli), ``highest`` (the best of several on the
    same stimuli, hence too good) or ``only``; `n_regions` counts the regions there were.
    """

    score: Score
    choice: str
    n_regions: int


def panel_of(score: Score) -> Panel:
    """Give the panel that a score belongs to."""
    return Panel(
        score.level,
        score.analysis,
        score.metric,
        score.dataset,
        score.stimulus_set,
        score.brain_region,
    )


def is_comparison(score: Score) -> bool:
    """Say whether a score holds a candidate against a brain, intact and under a metric.

    What one system does by itself (metric ``value``) has a table of its own, and a question that
    one side could not answer stands among what was not measured.
    """
    return (
        score.intervention in NO_LESION
        and score.metric not in ("", OWN_VALUE)
        and bool(score.model and score.brain_region)
    )


def panels(scores: Iterable[Score], *, level: str | None = None) -> dict[Panel, list[Score]]:
    """Group the comparisons of intact systems by panel, in order of appearance."""
    groups: dict[Panel, list[Score]] = {}
    for score in scores:
        if is_comparison(score) and level in (None, score.level):
            groups.setdefault(panel_of(score), []).append(score)
    return groups


def main_panels(scores: Iterable[Score], *, level: str) -> dict[Panel, list[Score]]:
    """Give the panels that are told first: the level's first question, by its first metric.

    Further questions, further metrics and scores of averaged RDMs are secondary. Panels without
    a defined score of a network count only where there are no others.
    """
    every = panels(scores, level=level)
    defined = {panel: group for panel, group in every.items() if _has_network(group)}
    found: dict[Panel, list[Score]] = {}
    metrics: dict[str, str] = {}
    for panel, group in (defined or every).items():
        question = panel.analysis.partition(":")[0]
        if panel.analysis != MEAN_RDM and (not metrics or question in metrics):
            if metrics.setdefault(question, panel.metric) == panel.metric:
                found[panel] = group
    return found


def _has_network(scores: Sequence[Score]) -> bool:
    return any(s.candidate_kind == "model" and s.status == "ok" for s in scores)


def own_values(scores: Iterable[Score], *, level: str) -> dict[str, list[Score]]:
    """Give what systems do by themselves, question by question, brains before networks."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        if score.metric == OWN_VALUE and score.level == level and score.intervention in NO_LESION:
            groups.setdefault(score.analysis, []).append(score)
    return {
        question: sorted(group, key=lambda s: (bool(s.model), s.candidate_kind == "untrained"))
        for question, group in groups.items()
    }


def candidates(scores: Sequence[Score]) -> dict[tuple[str, str, str], list[Score]]:
    """Group the scores of one panel by candidate (model, kind, seed).

    Scores of single seeds are left to the files where the same region also has a score over
    all seeds (whose seed is ``""``); a candidate with one seed alone goes without naming it.
    """
    pooled = {(s.model, s.candidate_kind, s.model_region) for s in scores if not _single(s)}
    seeds: dict[tuple[str, str], set[str]] = {}
    for score in scores:
        seeds.setdefault((score.model, score.candidate_kind), set()).update({score.seed} - {""})
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for score in scores:
        key = (score.model, score.candidate_kind)
        if len(seeds[key]) <= 1:
            groups.setdefault((*key, ""), []).append(score)
        elif not score.seed or (*key, score.model_region) not in pooled:
            groups.setdefault((*key, score.seed), []).append(score)
    return groups


def _single(score: Score) -> bool:
    return bool(score.seed) or score.selected


def best_rows(scores: Sequence[Score]) -> list[Row]:
    """Give one row a candidate of one panel: models first, then controls, each by falling score."""
    rows = [_best(group) for group in candidates(scores).values()]
    return sorted(rows, key=_rank)


def _rank(row: Row) -> tuple[int, int, float]:
    value = row.score.value if row.score.status == "ok" else 0.0
    kind = CANDIDATE_KINDS.index(row.score.candidate_kind)
    return kind, int(row.score.status != "ok"), -value


def _best(group: Sequence[Score]) -> Row:
    grid = [s for s in group if not s.selected]
    n_regions = len({s.model_region for s in grid})
    chosen = [s for s in group if s.selected]
    if chosen:
        return Row(chosen[0], "held-out", n_regions)
    fine = [s for s in grid if s.status == "ok"]
    best = max(fine, key=lambda s: s.value) if fine else grid[0]
    return Row(best, "highest" if fine and n_regions > 1 else "only", n_regions)


def asked_names(results: Results) -> frozenset[str]:
    """Give the names of the networks that were asked, beside those whose answers were published.

    They are those of the provenance; without one, all count as asked.
    """
    models = results.provenance.get("models", ())
    named = {str(model["name"]) for model in models if isinstance(model, Mapping)}
    networks = {s.model for s in results.scores if s.candidate_kind in ("model", "untrained")}
    return frozenset(named & networks or networks)


def asked_and_published(rows: Sequence[Row], asked: frozenset[str]) -> tuple[list[Row], list[Row]]:
    """Part the rows of published networks from all others; a few stay among the others."""
    published = [
        r for r in rows if r.score.candidate_kind == "model" and r.score.model not in asked
    ]
    if len(published) <= FEW:
        return list(rows), []
    names = {row.score.model for row in published}
    return [r for r in rows if r.score.model not in names], published


def layer_grid(scores: Sequence[Score]) -> dict[tuple[str, str, str], list[Score]]:
    """Give for every candidate of one panel the scores of its several regions, in their order."""
    grids = {key: [s for s in group if not s.selected] for key, group in candidates(scores).items()}
    return {key: grid for key, grid in grids.items() if len({s.model_region for s in grid}) > 1}


def lesion_rows(scores: Iterable[Score]) -> list[Score]:
    """Give the scores of lesioned candidates, over all seeds where there is such a row."""
    lesioned = [s for s in scores if s.intervention not in NO_LESION]
    pooled = {(panel_of(s), s.model, s.intervention, s.dose) for s in lesioned if not s.seed}
    return [
        s
        for s in lesioned
        if not s.seed or (panel_of(s), s.model, s.intervention, s.dose) not in pooled
    ]


def ceiling_of(scores: Sequence[Score]) -> tuple[float, float] | None:
    """Give the ceiling that networks are held against: the first that a model's score states."""
    ordered = sorted(scores, key=lambda s: s.candidate_kind not in ("model", "untrained"))
    for score in ordered:
        if math.isfinite(score.ceiling_low) and math.isfinite(score.ceiling_high):
            return score.ceiling_low, score.ceiling_high
    return None


def reference_of(scores: Sequence[Score]) -> float | None:
    """Give what another subject reaches, where only that lower bound of a ceiling is known."""
    for score in scores:
        if math.isfinite(score.ceiling_low) and not math.isfinite(score.ceiling_high):
            return score.ceiling_low
    return None


def layer_of(score: Score) -> str:
    """Give the layer of a score, and nothing where behaviour is all there is."""
    is_network = score.candidate_kind in ("model", "untrained")
    return score.model_region if is_network and score.model_region != BEHAVIOUR else ""


def kind_words(kind: str) -> str:
    """Give the kind of a candidate in words.

    Examples
    --------
    >>> kind_words("subject"), kind_words("model")
    ('another subject', 'network')
    """
    words = {
        "model": "network",
        "untrained": "untrained control",
        "subject": "another subject",
        "species": "another species",
        "confound": "simple explanation",
    }
    return words[kind]
