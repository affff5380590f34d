"""Questions without an answer, as rows of the table."""

from __future__ import annotations

from neuroai.experiment.options import Part
from neuroai.format.answers import NotMeasurable
from neuroai.format.results import NotMeasured
from neuroai.format.scores import Score


def unmeasured(
    answer: NotMeasurable,
    *,
    level: str,
    question: str,
    system: str,
    dataset: str,
    metric: str = "",
    brain: str = "",
    model: str = "",
    kind: str = "model",
) -> Part:
    """Turn a NotMeasurable into a row of the table and a line of the page."""
    row = Score(
        level=level,
        analysis=question,
        metric=metric,
        dataset=dataset,
        stimulus_set="",
        brain_region=brain,
        model=model,
        model_region="",
        candidate_kind=kind,
        status="not_measurable",
        note=answer.reason,
    )
    line = NotMeasured(level=level, question=question, system=system, reason=answer.reason)
    return Part(scores=(row,), not_measured=(line,))
