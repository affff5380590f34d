"""The best region (layer) of a candidate, chosen on some stimuli and scored on others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.ceilings import rdm_ceiling
from neuroai.comparison.paired import Context, Paired
from neuroai.comparison.pairing import paired_rdms
from neuroai.comparison.statistics.evaluators import RdmEvaluator
from neuroai.comparison.statistics.inference import (
    MIN_SAMPLES,
    RESAMPLED_SEEDS,
    Inference,
    calibration_notes,
    null_p,
    seed_notes,
)
from neuroai.errors import UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.format.scores import Score
from neuroai.format.splits import halves
from neuroai.numerics.intervals import (
    added_dof,
    t_interval,
    two_factor_dof,
    two_factor_variance,
)
from neuroai.numerics.layer_choice import choose_and_score
from neuroai.numerics.rdm_vectors import to_square, to_vector
from neuroai.numerics.resample import bootstrap_counts, stimulus_permutations

N_SPLITS = 10
MAX_SAMPLES = 200
FEWEST_STIMULI = 6


def best_region_scores(
    brain: Answer,
    model: Answer,
    *,
    metric: str,
    context: Context,
    condition: Sequence[str] | None = None,
    stimuli: str = "same",
    inference: Inference | None = None,
) -> tuple[Score, ...]:
    """Score the best region of a candidate without letting the choice inflate the score.

    For each of ten splits of the stimuli into halves: choose the region with the best mean score
    on half A, score it on half B, swap, and average. The null and the bootstrap repeat the choice.

    Parameters
    ----------
    brain, model : Answer
        RDM answers with the same parameters.
    metric : str
        An RDM metric.
    context : Context
        Level, data set and kind of candidate.
    condition : sequence of str, optional
        Condition of each common stimulus in sorted order, by which the halves are stratified.
    stimuli : {"same", "shared"}
        See `neuroai.format.align.common_stimuli`.
    inference : Inference, optional
        Bootstrap samples and permutations; at most 200 of each, since each repeats the choice.

    Returns
    -------
    tuple of Score
        One a brain region, ``selected``, whose ``model_region`` is the one chosen most often. The
        ceiling is that of half the stimuli, as the score is. None where there is no choice: fewer
        than two regions, or fewer than six stimuli (three a half).

    Raises
    ------
    UsageError
        The metric does not compare RDMs.
    """
    card = METRICS.get(metric).card
    if card.compares != "rdm":
        raise UsageError(f"Choosing a layer needs an RDM metric; '{metric}' is none.")
    inference = Inference() if inference is None else inference
    left, right, _ = align(brain, model, stimuli=stimuli)
    if len(left.stimuli) < FEWEST_STIMULI:
        return ()
    splits = halves(left.stimuli, condition=condition, n_splits=N_SPLITS, seed=inference.seed)
    found = []
    for region in left.regions:
        paired = paired_rdms(left, right, region=region, method=card.comparator)
        if len(_grid(paired)[0]) < 2:
            continue
        found.append(
            _best(
                paired,
                left,
                right,
                splits=splits,
                metric=metric,
                context=context,
                inference=inference,
            )
        )
    return tuple(found)


def _grid(paired: Paired) -> tuple[tuple[str, ...], np.ndarray]:
    """Arrange the candidates as (n_regions, n_seeds, n_pairs); regions need every seed."""
    evaluator = paired.evaluator
    assert_rdm(evaluator)
    names = tuple(dict.fromkeys(paired.regions))
    n_seeds = len(set(paired.seeds))
    rows = {n: [i for i, other in enumerate(paired.regions) if other == n] for n in names}
    complete = tuple(name for name in names if len(rows[name]) == n_seeds)
    return complete, np.array([evaluator.models[rows[name]] for name in complete])


def assert_rdm(evaluator: object) -> None:
    """Refuse an evaluator of another form."""
    if not isinstance(evaluator, RdmEvaluator):
        raise UsageError(
            "Choosing a layer needs a comparator of pairs of stimuli; Bures similarity is one of "
            "whole RDMs. Choose rdm-pearson, rdm-spearman or another."
        )


def _best(
    paired: Paired,
    brain: Answer,
    model: Answer,
    *,
    splits: np.ndarray,
    metric: str,
    context: Context,
    inference: Inference,
) -> Score:
    names, models = _grid(paired)
    data, method = paired.evaluator.data, paired.evaluator.method
    base = {
        "level": context.level,
        "analysis": brain.question,
        "metric": metric,
        "dataset": context.dataset,
        "stimulus_set": brain.stimulus_set,
        "brain_region": f"{brain.system} {paired.brain_region}",
        "model": model.system,
        "candidate_kind": context.candidate_kind,
        "benchmark_version": context.benchmark_version,
        "n_stimuli": paired.evaluator.n_stimuli,
        "n_brain_subjects": len(data),
        "n_model_subjects": models.shape[1],
        "selected": True,
    }
    observed = choose_and_score(data, models, halves=splits, method=method)
    if not math.isfinite(observed.value):
        reason = "some half of the stimuli leaves no region with a defined score"
        return Score(**base, model_region="", status="undefined", note=reason)
    chosen = Counter(names[i] for i in np.ravel(observed.chosen))
    name, votes = chosen.most_common(1)[0]
    low, high, resampled = _interval(observed.value, data, models, splits, method, inference)
    p, n_null, more = _p(observed.value, data, models, splits, method, inference)
    ceiling = _half_ceiling(data, splits, method, paired.evaluator.pooling)
    chose = (
        f"best of {len(names)} regions, chosen on one half and scored on the other "
        f"({votes} of {2 * len(splits)} choices: {name}; others: {len(chosen) - 1})"
    )
    cautions = calibration_notes(len(data), paired.evaluator.n_stimuli)
    return Score(
        **base,
        model_region=name,
        value=float(observed.value),
        ci_low=max(low, paired.bounds[0]),
        ci_high=min(high, paired.bounds[1]),
        ceiling_low=ceiling[0],
        ceiling_high=ceiling[1],
        p=p,
        null="stimulus labels permuted, choice repeated" if n_null else "",
        n_null=n_null,
        resampled=resampled,
        note="; ".join((chose, *cautions, *seed_notes(models.shape[1]), *more)),
        history={"chosen": dict(chosen), "n_splits": len(splits), "comparator": method},
    )


def _p(
    value: float,
    data: np.ndarray,
    models: np.ndarray,
    splits: np.ndarray,
    method: str,
    inference: Inference,
) -> tuple[float, int, tuple[str, ...]]:
    """Repeat choice and score under permuted stimulus labels."""
    n_null = min(inference.n_null, MAX_SAMPLES)
    if not n_null:
        return math.nan, 0, ()
    rng = np.random.default_rng([inference.seed, 4])
    orders = stimulus_permutations(n_null, splits.shape[1], rng=rng)
    null = choose_and_score(data, models, halves=splits, method=method, permutations=orders)
    p, notes = null_p(value, null.samples)
    return p, n_null, notes


def _interval(
    value: float,
    data: np.ndarray,
    models: np.ndarray,
    splits: np.ndarray,
    method: str,
    inference: Inference,
) -> tuple[float, float, str]:
    variance, dof, resampled = _variance(data, models, splits, method, splits.shape[1], inference)
    n_seeds = models.shape[1]
    if n_seeds >= RESAMPLED_SEEDS:
        # Seeds are crossed with both other factors; their own variance adds to first order.
        alone = [
            choose_and_score(data, models[:, [seed]], halves=splits, method=method).value
            for seed in range(n_seeds)
        ]
        of_seeds = float(np.var(alone, ddof=1)) / n_seeds
        dof = float(added_dof(variance, dof, of_seeds, n_seeds - 1))
        variance, resampled = variance + of_seeds, f"{resampled}+seeds"
    low, high = map(float, t_interval(value, variance, dof=dof, level=inference.level))
    return low, high, resampled


def _variance(
    data: np.ndarray,
    models: np.ndarray,
    splits: np.ndarray,
    method: str,
    n_stimuli: int,
    inference: Inference,
) -> tuple[float, float, str]:
    """Bootstrap the whole procedure, choice included, over stimuli, subjects and both."""
    n_subjects = len(data)
    rng = np.random.default_rng([inference.seed, 3])
    n = min(inference.n_bootstrap, MAX_SAMPLES)
    stimuli = bootstrap_counts(n, n_stimuli, rng=rng)
    how = {"halves": splits, "method": method}
    over_stimuli = choose_and_score(data, models, stimulus_counts=stimuli, **how).samples
    v_stimuli = _spread(over_stimuli)
    if n_subjects < 2:
        return float(v_stimuli * n_stimuli / (n_stimuli - 1)), n_stimuli - 1, "stimuli"
    subjects = bootstrap_counts(n, n_subjects, rng=rng)
    over_subjects = choose_and_score(data, models, subject_counts=subjects, **how).samples
    over_both = choose_and_score(
        data, models, stimulus_counts=stimuli, subject_counts=subjects, **how
    ).samples
    parts = _spread(over_both), _spread(over_subjects), v_stimuli
    sizes = {"n_subjects": n_subjects, "n_stimuli": n_stimuli}
    variance, dof = two_factor_variance(*parts, **sizes), two_factor_dof(*parts, **sizes)
    return float(variance), float(dof), "stimuli+subjects"


def _spread(samples: np.ndarray) -> float:
    """Give the variance of the defined samples; NaN where they are too few."""
    defined = samples[np.isfinite(samples)]
    return float(defined.var(ddof=1)) if len(defined) >= MIN_SAMPLES else math.nan


def _half_ceiling(
    data: np.ndarray, splits: np.ndarray, method: str, pooling: str
) -> tuple[float, float]:
    """Average the noise ceilings of the halves on which the score is made."""
    if len(data) < 2:
        return np.nan, np.nan
    square = to_square(data)
    both = [half for split in splits for half in (split, ~split)]
    bounds = [
        rdm_ceiling(to_vector(square[:, h][:, :, h]), method=method, pooling=pooling) for h in both
    ]
    low, high = np.mean(bounds, axis=0)
    return float(low), float(high)
