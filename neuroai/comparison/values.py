"""What one system does by itself, such as its accuracy: a row beside the comparisons."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference, summarise
from neuroai.errors import UsageError
from neuroai.format.answers import Answer
from neuroai.format.schema import STIMULUS
from neuroai.format.scores import Score
from neuroai.numerics.resample import bootstrap_counts

VALUE = "value"


def value_scores(
    answer: Answer, *, context: Context, inference: Inference | None = None
) -> tuple[Score, ...]:
    """Describe one system by the mean of a table over stimuli and subjects, with its interval.

    Parameters
    ----------
    answer : Answer
        Form ``table`` with ``per_stimulus(subject, region, stimulus)``.
    context : Context
        Level, data set and kind.
    inference : Inference, optional
        How intervals are made.

    Returns
    -------
    tuple of Score
        One a region, with metric ``value``; a brain stands in ``brain_region``, a network in
        ``model``. There is no p-value: nothing is compared. A pooled value, where the answer has
        one, is in the note.

    Raises
    ------
    UsageError
        The answer holds nothing stimulus by stimulus.
    """
    if "per_stimulus" not in answer.data:
        raise UsageError(f"The answer to '{answer.question}' holds nothing stimulus by stimulus.")
    inference = Inference() if inference is None else inference
    return tuple(_score(answer, region, context, inference) for region in answer.regions)


def _score(answer: Answer, region: str, context: Context, inference: Inference) -> Score:
    values = answer.data["per_stimulus"].sel(region=region).transpose("subject", STIMULUS).values
    kept = ~np.isnan(values).all(axis=1)
    undefined = int(np.isnan(values[kept]).sum())
    names = [n for n, ok in zip(answer.subjects, kept, strict=True) if ok]
    values = values[kept]
    # Stimuli without any defined value are no sample of anything.
    values = values[:, (~np.isnan(values)).any(axis=0)]
    is_brain = answer.kind == "brain"
    base = {
        "level": context.level,
        "analysis": f"{answer.question}: {context.task}" if context.task else answer.question,
        "metric": VALUE,
        "dataset": context.dataset,
        "stimulus_set": answer.stimulus_set,
        "brain_region": answer.system if is_brain else "",
        "model": "" if is_brain else answer.system,
        "model_region": "" if is_brain else region,
        "candidate_kind": context.candidate_kind,
        "n_stimuli": values.shape[1],
        "n_brain_subjects": len(names) if is_brain else 0,
        "n_model_subjects": 0 if is_brain else len(names),
        "n_undefined": undefined,
        "history": dict(answer.parameters),
    }
    if not len(values):
        return Score(**base, status="undefined", note="no answer is defined")
    rng = np.random.default_rng([inference.seed, 5])
    counts = bootstrap_counts(inference.n_bootstrap, values.shape[1], rng=rng)
    observed = np.nanmean(values, axis=1)[:, None]
    summary = summarise(
        observed,
        samples=_weighted_means(values, counts)[:, :, None],
        null=None,
        chance=None,
        n_stimuli=values.shape[1],
        inference=inference,
    )
    note = "; ".join((*_pooled(answer, region), *answer.notes, *summary.notes))
    return Score(
        **base,
        value=summary.value,
        # The values are shares: no interval reaches beyond 0 and 1.
        ci_low=max(summary.ci_low, 0.0),
        ci_high=min(summary.ci_high, 1.0),
        resampled=summary.resampled,
        note=note,
        pairs=xr.DataArray(
            observed,
            dims=("subject", "model_subject"),
            coords={"subject": names, "model_subject": ["itself"]},
        ),
    )


def _weighted_means(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    top = counts @ np.where(defined, values, 0.0).T
    bottom = counts @ defined.T.astype(float)
    return np.where(bottom > 0, top / np.maximum(bottom, 1), np.nan)


def _pooled(answer: Answer, region: str) -> tuple[str, ...]:
    if "pooled" not in answer.data:
        return ()
    return (f"pooled over subjects {float(answer.data['pooled'].sel(region=region)):.4f}",)
