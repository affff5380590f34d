"""Which scores a reader sees first: one row a candidate, chosen by rule and said how."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neuroai.format.scores import CANDIDATE_KINDS, Score

NO_LESION = ("none", "")


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


def panels(scores: Iterable[Score], *, level: str | None = None) -> dict[Panel, list[Score]]:
    """Group the scores of intact systems by panel, in order of appearance."""
    groups: dict[Panel, list[Score]] = {}
    for score in scores:
        if score.intervention in NO_LESION and level in (None, score.level):
            groups.setdefault(panel_of(score), []).append(score)
    return groups


def candidates(scores: Sequence[Score]) -> dict[tuple[str, str, str], list[Score]]:
    """Group the scores of one panel by candidate (model, kind, seed).

    Scores of single seeds are left to the files where the same candidate also has a score over
    all seeds (whose seed is ``""``).
    """
    pooled = {(s.model, s.candidate_kind) for s in scores if not s.seed}
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for score in scores:
        if score.seed and (score.model, score.candidate_kind) in pooled:
            continue
        groups.setdefault((score.model, score.candidate_kind, score.seed), []).append(score)
    return groups


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
