"""Several model RDMs at once: what each adds to the others, and how well a mixture does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from neuroai.checks import one_of
from neuroai.comparison.statistics.relabelling import p_from_null
from neuroai.errors import UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.numerics.group_folds import stratified_group_folds
from neuroai.numerics.intervals import permutation_p, t_interval
from neuroai.numerics.multiplicity import max_t
from neuroai.numerics.rdm_flexible import FlexibleScores, flexible_model
from neuroai.numerics.rdm_flexible_bootstrap import flexible_variance
from neuroai.numerics.rdm_permutation import relabelled
from neuroai.numerics.rdm_regression import partial_similarity, regression_weights
from neuroai.numerics.rdm_vectors import n_stimuli_of, to_vector
from neuroai.numerics.resample import stimulus_permutations

MEASURES = ("partial", "regression", "nonnegative")
FEWEST_SUBJECTS = 5


def models_together(
    brain: Answer,
    models: Answer,
    *,
    measure: str = "partial",
    comparator: str = "spearman",
    stimuli: str = "same",
    n_permutations: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    r"""Give each model's own part in every region's RDM, the other models held fixed.

    .. math:: r_{d m \cdot rest} = \frac{-P_{dm}}{\sqrt{P_{dd} P_{mm}}}, \qquad P =
              \mathrm{corr}([d, M])^{-1}

    or the weights of a regression of d on all M.

    Parameters
    ----------
    brain, models : Answer
        Of ``rdm``: regions of a brain, and regions (layers, confounds) of a candidate, whose
        subjects are averaged.
    measure : {"partial", "regression", "nonnegative"}
        Partial correlation; weights; or weights that may not be negative.
    comparator : {"pearson", "spearman"}
        Of the vectors, or of their average ranks.
    stimuli : {"same", "shared"}
        ``same`` demands the same stimuli of both; ``shared`` keeps what is common.
    n_permutations : int
        Of signs of subjects (five or more), or else of labels of stimuli.
    seed : int
        Seed of every draw.

    Returns
    -------
    xarray.Dataset
        ``value(subject, region, model_region)``, ``mean`` and ``p_max(region, model_region)``,
        two-sided and corrected for all of them; one-sided for non-negative weights. Attrs say
        what was permuted.

    Raises
    ------
    UsageError
        An answer holds no RDMs or undefined ones.
    AlignmentError
        The stimuli differ; it names them.

    References
    ----------
    Khaligh-Razavi & Kriegeskorte 2014, doi:10.1371/journal.pcbi.1003915

    Examples
    --------
    >>> from neuroai.format.answers import rdm_answer
    >>> d = np.random.default_rng(0).random((1, 2, 8, 8))
    >>> facts = {"system": "s", "kind": "brain", "stimulus_set": "t", "parameters": {}}
    >>> both = rdm_answer(d + d.swapaxes(2, 3), subjects=["1"], regions=["V1", "IT"],
    ...                   stimuli=list("abcdefgh"), **facts)
    >>> found = models_together(both.restrict(regions=["IT"]), both, n_permutations=19)
    >>> found["value"].round(6).values.ravel().tolist()
    [nan, 1.0]
    """
    one_of(measure, MEASURES, option="measure")
    brain, models, dropped = align(brain, models, stimuli=stimuli)
    data, theirs = vectors_of(brain, "brain"), vectors_of(models, "models").mean(axis=0)
    n_subjects, n_regions, n_pairs = data.shape
    flat = _measured(data.reshape(-1, n_pairs), theirs, measure, comparator)
    values = flat.reshape(n_subjects, n_regions, -1)
    side = "greater" if measure == "nonnegative" else "two-sided"
    # A weight that cannot be negative is not symmetric about 0.
    by_signs = n_subjects >= FEWEST_SUBJECTS and measure != "nonnegative"
    if by_signs:
        p = max_t(values, n_permutations=n_permutations, side=side, seed=seed)
    else:
        null = _relabelled(data, theirs, measure, comparator, n_permutations, seed)
        p, _ = p_from_null(null, side=side)
    dims = ("region", "model_region")
    coords = {"subject": np.array(brain.subjects, dtype=object),
              "region": np.array(brain.regions, dtype=object),
              "model_region": np.array(models.regions, dtype=object)}  # fmt: skip
    data_vars = {
        "value": (("subject", *dims), values),
        "mean": (dims, values.mean(axis=0)),
        "p_max": (dims, p),
    }
    return xr.Dataset(data_vars, coords=coords).assign_attrs(
        measure=measure,
        comparator=comparator,
        null="signs of subjects changed" if by_signs else "stimulus labels permuted",
        side=side,
        n_permutations=n_permutations,
        seed=seed,
        n_subjects=n_subjects,
        n_stimuli=len(brain.stimuli),
        n_dropped_stimuli=dropped,
        n_undefined=int(np.isnan(values).sum()),
    )


def fitted_model(
    brain: Answer,
    models: Answer,
    *,
    kind: str = "weighted",
    comparator: str = "cosine",
    stimuli: str = "same",
    condition: Sequence[str] | None = None,
    n_stimulus_folds: int = 2,
    n_subject_folds: int = 2,
    n_null: int = 100,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    r"""Fit a mixture, or a choice, of models and score it on other stimuli and other subjects.

    .. math:: s = \frac{1}{FG} \sum_{fg} \frac{1}{|f|} \sum_{s \in f} \mathrm{sim}(D_s^{gg},
              M^{gg} \hat\theta(D_{-f}, -g))

    Parameters
    ----------
    brain, models : Answer
        Of ``rdm``; the brain has two subjects or more, and the candidate's are averaged.
    kind : {"weighted", "selected"}
        A non-negative mixture of all models, or the one that fits best.
    comparator : {"cosine", "pearson"}, and any other for ``selected``
        Of the RDMs.
    stimuli : {"same", "shared"}
        ``same`` demands the same stimuli of both; ``shared`` keeps what is common.
    condition : sequence of str, optional
        A label for each stimulus in the order of ``brain.stimuli``, spread over the folds alike.
    n_stimulus_folds, n_subject_folds : int
        Folds, two or more; a fold of stimuli holds three or more.
    n_null : int
        Relabellings of the models' stimuli, under each of which everything is fitted anew; 0 for
        no p-value.
    n_bootstrap : int
        Samples of subjects, of stimuli and of both, in each of which everything is dealt into
        folds and fitted anew; 50 or more, or 0 for no interval. A second or so a region.
    seed : int
        Of the folds, relabellings and samples.

    Returns
    -------
    xarray.Dataset
        ``value(region)``, mean over folds, with ``p``, ``ci_low`` and ``ci_high`` (95 %, over
        stimuli and subjects); ``per_fold``, ``ceiling_low`` and ``ceiling_high`` over (region,
        subject_fold, stimulus_fold); ``weight`` over these and model_region. Whitened comparators
        have no interval, since they need every pair once; attrs count samples left undefined.

    Raises
    ------
    UsageError
        An answer holds no RDMs, or folds leave nothing to fit or to test.
    AlignmentError
        The stimuli differ; it names them.

    References
    ----------
    Khaligh-Razavi & Kriegeskorte 2014, doi:10.1371/journal.pcbi.1003915; Schütt et al. 2023,
    doi:10.7554/eLife.82566

    Examples
    --------
    >>> from neuroai.format.answers import rdm_answer
    >>> d = np.tile(np.random.default_rng(0).random((1, 1, 8, 8)), (4, 1, 1, 1))
    >>> facts = {"system": "s", "kind": "brain", "stimulus_set": "t", "parameters": {}}
    >>> brain = rdm_answer(d + d.swapaxes(2, 3), subjects=list("1234"), regions=["IT"],
    ...                    stimuli=list("abcdefgh"), **facts)
    >>> fitted_model(brain, brain, n_bootstrap=0)["value"].round(6).values.tolist()
    [1.0]
    """
    if condition is not None and len(condition) != len(brain.stimuli):
        raise UsageError(
            f"condition must label each of the {len(brain.stimuli)} stimuli; got {len(condition)}."
        )
    label = dict(zip(brain.stimuli, condition or [""] * len(brain.stimuli), strict=True))
    brain, models, dropped = align(brain, models, stimuli=stimuli)
    data, theirs = vectors_of(brain, "brain"), vectors_of(models, "models").mean(axis=0)
    ids = list(brain.stimuli)
    folds = {
        "stimulus_folds": stratified_group_folds(
            [label[key] for key in ids], ids, n_folds=n_stimulus_folds, seed=seed
        ),
        "subject_folds": np.random.default_rng(seed).permutation(len(data)) % n_subject_folds,
    }

    def fit(region: int, candidates: np.ndarray) -> FlexibleScores:
        return flexible_model(data[:, region], candidates, kind=kind, method=comparator, **folds)

    regions = range(data.shape[1])
    found = [fit(r, theirs) for r in regions]
    per_fold = np.array([one.scores for one in found])
    value = per_fold.mean(axis=(1, 2))
    low, high, n_lost = _ends(
        data, theirs, value, n_bootstrap=n_bootstrap, seed=seed, kind=kind, method=comparator,
        n_subject_folds=n_subject_folds, n_stimulus_folds=n_stimulus_folds,
        strata=[label[key] for key in ids],
    )  # fmt: skip
    p = _p_of_fit(fit, per_fold, theirs, n_stimuli=len(ids), n_null=n_null, seed=seed)
    summary = {"value": value, "p": p, "ci_low": low, "ci_high": high}
    return _fitted(found, summary, brain.regions, models.regions).assign_attrs(
        kind=kind,
        comparator=comparator,
        seed=seed,
        n_null=n_null,
        n_bootstrap=n_bootstrap,
        resampled="stimuli+subjects",
        n_subjects=len(data),
        n_stimuli=len(ids),
        n_dropped_stimuli=dropped,
        n_undefined=int(np.isnan(per_fold).sum()),
        n_undefined_samples=n_lost,
    )


def _fitted(
    found: Sequence[FlexibleScores],
    summary: Mapping[str, np.ndarray],
    regions: Sequence[str],
    model_regions: Sequence[str],
) -> xr.Dataset:
    """Label what was found in every region, with one value of each name of the summary."""
    dims = ("region", "subject_fold", "stimulus_fold")
    return xr.Dataset(
        {name: ("region", values) for name, values in summary.items()}
        | {
            "per_fold": (dims, np.array([one.scores for one in found])),
            "ceiling_low": (dims, np.array([one.lower for one in found])),
            "ceiling_high": (dims, np.array([one.upper for one in found])),
            "weight": ((*dims, "model_region"), np.array([one.parameters for one in found])),
        },
        coords={
            "region": np.array(regions, dtype=object),
            "model_region": np.array(model_regions, dtype=object),
        },
    )


def _ends(
    data: np.ndarray,
    models: np.ndarray,
    value: np.ndarray,
    *,
    n_bootstrap: int,
    seed: int,
    **deals: Any,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Give the ends of each region's interval, and how many samples left it undefined."""
    if not n_bootstrap or deals["method"].startswith("whitened"):
        return np.full(len(value), np.nan), np.full(len(value), np.nan), 0
    found = [
        flexible_variance(
            data[:, region], models, n_samples=n_bootstrap,
            rng=np.random.default_rng([seed, 2, region]), **deals,
        )
        for region in range(len(value))
    ]  # fmt: skip
    ends = [
        t_interval(own, one.variance, dof=one.dof) if np.isfinite(one.dof) else (np.nan, np.nan)
        for own, one in zip(value, found, strict=True)
    ]
    return *np.array(ends).T, sum(one.n_undefined for one in found)


def _p_of_fit(
    fit: Callable[[int, np.ndarray], FlexibleScores],
    per_fold: np.ndarray,
    models: np.ndarray,
    *,
    n_stimuli: int,
    n_null: int,
    seed: int,
) -> np.ndarray:
    """Fit anew under every relabelling of the models' stimuli: p of each region."""
    if not n_null:
        return np.full(len(per_fold), np.nan)
    orders = stimulus_permutations(n_null, n_stimuli, rng=np.random.default_rng([seed, 1]))
    # All models move together, and so keep what they share with each other.
    moved = np.stack([relabelled(one, orders) for one in models], axis=1)
    null = np.array([[fit(r, one).scores for r in range(len(per_fold))] for one in moved])
    # A mixture without any weight predicts nothing: in the test, observed or not, it has 0.
    return permutation_p(*(np.nan_to_num(part).mean(axis=(-2, -1)) for part in (per_fold, null)))


def vectors_of(answer: Answer, name: str) -> np.ndarray:
    """Return an answer's RDM vectors, (n_subjects, n_regions, n_pairs), complete.

    Raises
    ------
    UsageError
        The answer holds no RDMs, or some of them have undefined pairs.
    """
    if answer.form != "rdm":
        raise UsageError(f"{name} must be an answer of form 'rdm'; got '{answer.form}'.")
    rdms = answer.data["rdm"].transpose("subject", "region", "stimulus", "stimulus_to")
    found = to_vector(rdms.values)
    bad = np.isnan(found).any(axis=(0, 2))
    if bad.any():
        names = ", ".join(r for r, own in zip(answer.regions, bad, strict=True) if own)
        raise UsageError(
            f"RDMs of {names} have undefined pairs. Leave these regions or stimuli out with "
            "restrict before calling."
        )
    return found


def _measured(data: np.ndarray, models: np.ndarray, measure: str, comparator: str) -> np.ndarray:
    if measure == "partial":
        return partial_similarity(data, models, method=comparator)
    return regression_weights(data, models, method=comparator, nonnegative=measure == "nonnegative")


def _relabelled(
    data: np.ndarray,
    models: np.ndarray,
    measure: str,
    comparator: str,
    n_permutations: int,
    seed: int,
) -> np.ndarray:
    """Measure every relabelling of the brain, mean over subjects: (n_orders, regions, models)."""
    n_stimuli = n_stimuli_of(data.shape[-1])
    rng = np.random.default_rng(seed)
    orders = stimulus_permutations(n_permutations, n_stimuli, rng=rng)
    orders = np.concatenate([np.arange(n_stimuli)[None], orders])
    out = np.zeros((len(orders), data.shape[1], len(models)))
    # Models keep their labels, and so what they share with each other.
    for s, r in np.ndindex(data.shape[:2]):
        moved = relabelled(data[s, r], orders)
        out[:, r] += _measured(moved, models, measure, comparator) / len(data)
    return out
