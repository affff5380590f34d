"""Two answers, one metric: a score for every brain region and model region."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from neuroai.checks import known_name
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.paired import Context, Paired
from neuroai.comparison.pairing import paired_evaluators
from neuroai.comparison.statistics.evaluators import without_each
from neuroai.comparison.statistics.inference import Inference, summarise
from neuroai.errors import UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.format.scores import Score
from neuroai.numerics.resample import bootstrap_counts, stimulus_permutations


def compare(
    brain: Answer,
    model: Answer,
    *,
    metric: str,
    context: Context,
    stimuli: str = "same",
    inference: Inference | None = None,
    regions: Sequence[str] | None = None,
) -> tuple[Score, ...]:
    """Score every region of a candidate against every region of a brain.

    Parameters
    ----------
    brain, model : Answer
        Answers to the same question with the same parameters; `model` may be any candidate.
    metric : str
        Name of a registered metric.
    context : Context
        Level, data set and kind of candidate.
    stimuli : {"same", "shared"}
        Whether the stimuli must be the same, or the common ones are kept and the rest counted.
    inference : Inference, optional
        How intervals and p-values are made.
    regions : sequence of str, optional
        Regions of the candidate to score.

    Returns
    -------
    tuple of Score
        One for every brain region and candidate region, in the order of the answers.

    Raises
    ------
    UnknownName
        No such metric.
    UsageError
        The metric compares another form, or the answers were made with other parameters.
    AlignmentError
        The stimuli differ.

    Examples
    --------
    >>> from neuroai.analyses.algorithm.rdm import rdm
    >>> from neuroai.testing import toy_brain
    >>> answer = rdm(toy_brain(), distance="squared-euclidean")
    >>> context = Context(level="algorithm", dataset="toy", candidate_kind="subject")
    >>> scores = compare(answer, answer, metric="rdm-cosine", context=context)
    >>> round(scores[0].value, 6)
    1.0
    """
    card = METRICS.get(metric).card
    inference = Inference() if inference is None else inference
    _check_question(brain, model, metric=metric, form=card.compares)
    if regions is not None:
        model = model.restrict(regions=regions)
    left, right, dropped = align(brain, model, stimuli=stimuli)
    notes = (f"{dropped} stimuli without an answer on both sides dropped",) if dropped else ()
    return tuple(
        score
        for paired in paired_evaluators(left, right, metric=metric)
        for score in scores_of(
            dataclasses.replace(paired, notes=(*notes, *paired.notes)),
            brain=left,
            model=right,
            metric=metric,
            context=context,
            inference=inference,
        )
    )


def _check_question(brain: Answer, model: Answer, *, metric: str, form: str) -> None:
    # Confusions are added up anew for every resample, so they are scored from the choices.
    wanted = "choices" if form == "confusion" else form
    for answer in (brain, model):
        if answer.form != wanted:
            raise UsageError(
                f"The metric '{metric}' compares answers of form '{wanted}'; '{answer.system}' "
                f"answered '{answer.question}' in the form '{answer.form}'."
            )
    distances = {a.parameters.get("distance") for a in (brain, model)} - {None}
    if form == "rdm" and len(distances) > 1:
        raise UsageError(
            f"The RDMs use different distances ({', '.join(sorted(map(str, distances)))}). "
            "Ask both systems with the same distance=..."
        )


def scores_of(
    paired: Paired,
    *,
    brain: Answer,
    model: Answer,
    metric: str,
    context: Context,
    inference: Inference,
) -> Iterator[Score]:
    """Score every candidate region of a pair made ready; all columns go in one pass.

    Parameters
    ----------
    paired : Paired
        One brain region and every candidate region.
    brain, model : Answer
        The two answers, for what a score says of them.
    metric : str
        Name in the table.
    context : Context
        Level, data set and kind of candidate.
    inference : Inference
        How intervals and p-values are made.
    """
    evaluator = paired.evaluator
    base = _base(paired, brain=brain, model=model, metric=metric, context=context)
    for region, reason in paired.undefined:
        yield Score(**base, model_region=region, status="undefined", note=reason)
    if not paired.regions:
        return
    observed = evaluator.observed()
    rng = np.random.default_rng([inference.seed, 0])
    counts = bootstrap_counts(inference.n_bootstrap, evaluator.n_stimuli, rng=rng)
    samples, without = evaluator.resampled(counts), without_each(evaluator)
    null = None
    if inference.n_null and paired.null:
        orders = stimulus_permutations(inference.n_null, evaluator.n_stimuli, rng=rng)
        null = evaluator.permuted(orders)
    ceiling = evaluator.ceiling()
    for region in dict.fromkeys(paired.regions):
        columns = [i for i, name in enumerate(paired.regions) if name == region]
        yield _score(
            paired,
            region=region,
            columns=columns,
            observed=observed[:, columns],
            samples=samples[:, :, columns],
            left_out=None if without is None else without[:, :, columns],
            null=None if null is None else null[:, :, columns],
            ceiling=ceiling,
            base=base,
            inference=inference,
        )


def _base(
    paired: Paired, *, brain: Answer, model: Answer, metric: str, context: Context
) -> dict[str, object]:
    return {
        "level": context.level,
        "analysis": f"{brain.question}: {context.task}" if context.task else brain.question,
        "metric": metric,
        "dataset": context.dataset,
        "stimulus_set": brain.stimulus_set,
        "brain_region": f"{brain.system} {paired.brain_region}".strip(),
        "model": model.system,
        "candidate_kind": context.candidate_kind,
        "intervention": context.intervention,
        "dose": context.dose,
        "benchmark_version": context.benchmark_version,
        "n_stimuli": paired.evaluator.n_stimuli,
        "n_brain_subjects": len(paired.subjects),
        "history": {
            **paired.history,
            "brain": dict(brain.parameters),
            "model": dict(model.parameters),
            "brain_origin": brain.origin,
            "model_origin": model.origin,
        },
    }


def _score(
    paired: Paired,
    *,
    region: str,
    columns: list[int],
    observed: np.ndarray,
    samples: np.ndarray,
    left_out: np.ndarray | None,
    null: np.ndarray | None,
    ceiling: tuple[float, float],
    base: dict[str, object],
    inference: Inference,
) -> Score:
    seeds = [paired.seeds[i] for i in columns]
    undefined = int((~np.isfinite(observed)).sum())
    common = {
        **base,
        "model_region": region,
        "n_model_subjects": len(seeds),
        "n_undefined": paired.n_undefined + undefined,
        "ceiling_low": ceiling[0],
        "ceiling_high": ceiling[1],
    }
    if undefined:
        reason = f"{undefined} of {observed.size} pairs of subjects have no defined score"
        return Score(**common, status="undefined", note="; ".join((reason, *paired.notes)))
    summary = summarise(
        observed,
        samples=samples,
        left_out=left_out,
        null=null,
        n_stimuli=paired.evaluator.n_stimuli,
        inference=inference,
        chance=paired.chance,
        side=paired.side,
    )
    return Score(
        **common,
        value=summary.value,
        ci_low=max(summary.ci_low, paired.bounds[0]),
        ci_high=min(summary.ci_high, paired.bounds[1]),
        p=summary.p,
        null=summary.null,
        n_null=summary.n_null,
        resampled=summary.resampled,
        seed=seeds[0] if len(seeds) == 1 else "",
        note="; ".join((*paired.notes, *summary.notes)),
        pairs=xr.DataArray(
            observed,
            dims=("subject", "model_subject"),
            coords={"subject": list(paired.subjects), "model_subject": seeds},
        ),
    )


def metric_card(name: str) -> object:
    """Give the card of a metric, or raise with the near miss."""
    return METRICS.get(known_name(name, METRICS.names(), kind="metric")).card
