"""Cells from a score: what another subject reaches, and what the network reaches."""

from __future__ import annotations

import math

from neuroai.experiment.case_side import Numbers, Side
from neuroai.format.cases import Cell
from neuroai.format.scores import Score


def score_cell(side: Side, score: Score) -> Cell:
    """Give the network's cell: its score against the brain."""
    if score.status != "ok":
        return side.unmeasured(score.note, measure=score.metric).cell
    numbers = Numbers(
        score.value, score.ci_low, score.ci_high, 0.0, score.n_stimuli, "stimuli", score.p,
        score.null,
    )  # fmt: skip
    note = "uncalibrated interval" if "uncalibrated" in score.note else ""
    return side.cell(numbers, measure=score.metric, where=score.model_region, note=note)


def ceiling_cell(side: Side, score: Score) -> Cell:
    """Give the brain's cell: what one subject reaches with the others, the lower noise ceiling."""
    where = score.brain_region.removeprefix(side.system.name).strip()
    if not math.isfinite(score.ceiling_low):
        reason = f"{score.n_brain_subjects} subject(s) give no noise ceiling"
        return side.unmeasured(reason, measure="noise ceiling").cell
    numbers = Numbers(score.ceiling_low, n=score.n_brain_subjects, unit="subjects")
    note = f"upper noise ceiling {score.ceiling_high:.3f}"
    return side.cell(
        numbers, measure="agreement of one subject with the others", where=where, note=note
    )
