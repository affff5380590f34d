"""References: another subject, or the mean RDM, beside the scores of networks."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neuroai.cards import MetricCard
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.paired import Context
from neuroai.comparison.pairing import paired_rdms
from neuroai.comparison.statistics.evaluators import RdmEvaluator, without_each
from neuroai.comparison.statistics.inference import Inference, summarise
from neuroai.errors import UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.format.scores import Score
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.resample import bootstrap_counts

MEAN_RDM = "score_of_mean_rdm"


def subject_reference(
    brain: Answer, *, metric: str, context: Context, inference: Inference | None = None
) -> tuple[Score, ...]:
    """Put every subject in the network's place: the mean score of all pairs of subjects.

    Parameters
    ----------
    brain : Answer
        RDMs of at least two subjects; regions with fewer give no score.
    metric : str
        An RDM metric.
    context : Context
        Level and data set.
    inference : Inference, optional
        How intervals are made.

    Returns
    -------
    tuple of Score
        One a region, with ``candidate_kind`` subject. There is no p-value: the question is how
        far one brain predicts another, not whether.

    Raises
    ------
    UsageError
        The metric does not compare RDMs.

    Examples
    --------
    >>> from neuroai.analyses.algorithm.rdm import rdm
    >>> from neuroai.testing import toy_brain
    >>> context = Context(level="algorithm", dataset="toy")
    >>> subject_reference(rdm(toy_brain()), metric="rdm-pearson", context=context)
    ()
    """
    card = METRICS.get(metric).card
    if card.compares != "rdm":
        raise UsageError(f"A subject reference needs an RDM metric; '{metric}' is none.")
    inference = Inference() if inference is None else inference
    scores = (
        _region_reference(brain, region, card=card, context=context, inference=inference)
        for region in brain.regions
    )
    return tuple(score for score in scores if score is not None)


def _region_reference(
    brain: Answer, region: str, *, card: MetricCard, context: Context, inference: Inference
) -> Score | None:
    """Score one region; None where fewer than two subjects were measured."""
    here = brain.restrict(regions=[region])
    paired = paired_rdms(brain, here, region=region, method=card.comparator)
    evaluator = paired.evaluator
    if len(paired.subjects) < 2 or paired.undefined:
        return None
    rng = np.random.default_rng([inference.seed, 2])
    counts = bootstrap_counts(inference.n_bootstrap, evaluator.n_stimuli, rng=rng)
    others = ~np.eye(len(paired.subjects), dtype=bool)
    # The mean over the other subjects, for every subject: one column.
    rest = _mean_of_others(evaluator.observed()[None], others)[0][:, None]
    without = without_each(evaluator)
    summary = summarise(
        rest,
        samples=_mean_of_others(evaluator.resampled(counts), others)[:, :, None],
        left_out=None if without is None else _mean_of_others(without, others)[:, :, None],
        null=None,
        chance=None,
        n_stimuli=evaluator.n_stimuli,
        inference=inference,
    )
    low, high = evaluator.ceiling()
    return Score(
        level=context.level,
        analysis=brain.question,
        metric=card.name,
        dataset=context.dataset,
        stimulus_set=brain.stimulus_set,
        brain_region=f"{brain.system} {region}",
        model=f"another {brain.system} subject",
        model_region=region,
        candidate_kind="subject",
        benchmark_version=context.benchmark_version,
        value=summary.value,
        ci_low=max(summary.ci_low, paired.bounds[0]),
        ci_high=min(summary.ci_high, paired.bounds[1]),
        ceiling_low=low,
        ceiling_high=high,
        resampled=summary.resampled,
        n_stimuli=evaluator.n_stimuli,
        n_brain_subjects=len(paired.subjects),
        n_model_subjects=len(paired.subjects) - 1,
        note="; ".join(("mean over the other subjects", *summary.notes)),
        pairs=xr.DataArray(
            rest,
            dims=("subject", "model_subject"),
            coords={"subject": list(paired.subjects), "model_subject": ["the others"]},
        ),
    )


def _mean_of_others(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.where(others, scores, 0.0).sum(axis=-1) / others.sum(axis=1)


def mean_rdm_scores(
    brain: Answer, model: Answer, *, metric: str, context: Context, stimuli: str = "same"
) -> tuple[Score, ...]:
    """Score candidates against the RDM averaged over subjects, seeds averaged likewise.

    Averaging removes the subjects' noise, so the value is not of the same kind as the score and
    has neither ceiling nor interval; it is what many papers print.

    Parameters
    ----------
    brain, model : Answer
        RDM answers with the same parameters.
    metric : str
        An RDM metric.
    context : Context
        Level, data set and kind of candidate.
    stimuli : {"same", "shared"}
        See `neuroai.format.align.common_stimuli`.

    Returns
    -------
    tuple of Score
        One a brain region and candidate region, with analysis ``score_of_mean_rdm``.
    """
    method = METRICS.get(metric).card.comparator
    left, right, _ = align(brain, model, stimuli=stimuli)
    found = []
    for region in left.regions:
        paired = paired_rdms(left, right, region=region, method=method)
        evaluator = paired.evaluator
        if not isinstance(evaluator, RdmEvaluator):
            continue
        for name in dict.fromkeys(paired.regions):
            mine = [i for i, other in enumerate(paired.regions) if other == name]
            averaged = evaluator.models[mine].mean(axis=0, keepdims=True)
            value = compare_rdms(
                evaluator.data.mean(axis=0, keepdims=True), averaged, method=method
            )
            defined = bool(np.isfinite(value[0, 0]))
            found.append(
                Score(
                    level=context.level,
                    analysis=MEAN_RDM,
                    metric=metric,
                    dataset=context.dataset,
                    stimulus_set=left.stimulus_set,
                    brain_region=f"{left.system} {region}",
                    model=right.system,
                    model_region=name,
                    candidate_kind=context.candidate_kind,
                    benchmark_version=context.benchmark_version,
                    value=float(value[0, 0]),
                    n_stimuli=evaluator.n_stimuli,
                    n_brain_subjects=len(paired.subjects),
                    n_model_subjects=len(mine),
                    status="ok" if defined else "undefined",
                    note="RDMs averaged over subjects before comparing: no ceiling applies"
                    if defined
                    else "an averaged RDM is constant",
                )
            )
    return tuple(found)
