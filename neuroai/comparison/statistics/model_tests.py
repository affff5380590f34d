"""Tests of model RDMs against 0, the noise ceiling and each other, over stimuli and subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.checks import one_of
from neuroai.comparison.statistics.evaluators import RdmEvaluator
from neuroai.comparison.statistics.inference import Inference, calibration_notes
from neuroai.errors import UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.numerics.comparators import METHODS
from neuroai.numerics.equivalence import equivalence_p
from neuroai.numerics.first_order import variance_dof
from neuroai.numerics.intervals import (
    t_interval,
    t_test_p,
    two_factor_dof,
    two_factor_variance,
)
from neuroai.numerics.multiplicity import false_discovery
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.resample import bootstrap_counts

MODEL, OTHER = "model_region", "model_region_to"
# Fewer samples give no variance.
FEWEST_SAMPLES = 50


def rdm_model_tests(
    brain: Answer,
    models: Answer,
    *,
    comparator: str = "pearson",
    margin: float | None = None,
    stimuli: str = "same",
    inference: Inference | None = None,
) -> xr.Dataset:
    r"""Test every model RDM against 0, against the noise ceiling and against every other.

    .. math:: t = \frac{c^\top v}{\sqrt{s^2(c)}}

    with contrasts c of scores and ceilings, their two-factor variance over subjects and stimuli,
    and its degrees of freedom (`two_factor_dof`). Scores and differences vary to first order in
    the stimuli (`neuroai.numerics.first_order`); the ceilings are computed in every bootstrap
    sample. Tests against 0 are one-sided, all others two-sided.

    Parameters
    ----------
    brain, models : Answer
        Of ``rdm``: regions of a brain, and regions (layers) of a candidate, whose subjects (seeds)
        are averaged and held fixed.
    comparator : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        Of the RDMs.
    margin : float, optional
        The largest difference of scores that does not matter; asks whether models are equivalent.
    stimuli : {"same", "shared"}
        ``same`` demands the same stimuli of both; ``shared`` keeps what is common.
    inference : Inference, optional
        Samples, seed and level of intervals.

    Returns
    -------
    xarray.Dataset
        Over (region, model_region): ``value, ci_low, ci_high, p_zero, q_zero, p_ceiling``; over
        (region, model_region, model_region_to): ``difference, difference_low, difference_high,
        p_difference, q_difference`` and, with a margin, ``p_equivalent``; over region:
        ``ceiling_low, ceiling_high`` with ``ceiling_low_p``, whether any model could do better
        than chance. q are false discovery rates over all regions and models. There is no test
        against 0 of cosines, which are above 0 without any relation. With one subject stimuli
        alone are resampled and there is no ceiling; attrs say so.

    Raises
    ------
    UsageError
        An answer holds no RDMs, undefined ones, or a margin is not above 0.
    AlignmentError
        The stimuli differ; it names them.

    References
    ----------
    Schütt, Kipnis, Diedrichsen & Kriegeskorte 2023, doi:10.7554/eLife.82566; Schuirmann 1987,
    doi:10.1007/BF01068419

    Examples
    --------
    >>> from neuroai.format.answers import rdm_answer
    >>> d = np.random.default_rng(0).random((3, 1, 8, 8))
    >>> facts = {"system": "s", "kind": "brain", "stimulus_set": "t", "parameters": {}}
    >>> brain = rdm_answer(d + d.swapaxes(2, 3), subjects=["1", "2", "3"], regions=["IT"],
    ...                    stimuli=list("abcdefgh"), **facts)
    >>> found = rdm_model_tests(brain, brain, inference=Inference(n_bootstrap=60))
    >>> found["value"].dims, found["difference"].dims
    (('region', 'model_region'), ('region', 'model_region', 'model_region_to'))
    >>> found.attrs["resampled"]
    'stimuli+subjects'
    """
    one_of(comparator, METHODS, option="comparator")
    inference = Inference() if inference is None else inference
    for answer, name in ((brain, "brain"), (models, "models")):
        if answer.form != "rdm":
            raise UsageError(f"{name} must be an answer of form 'rdm'; got '{answer.form}'.")
    brain, models, dropped = align(brain, models, stimuli=stimuli)
    theirs = _vectors(models, list(models.regions))
    parts = [
        _tests(_Problem.of(brain, region, theirs, comparator, inference), comparator, margin,
               inference.level)
        for region in brain.regions
    ]  # fmt: skip
    found = xr.concat(parts, dim="region", combine_attrs="drop")
    names = np.array(models.regions, dtype=object)
    found = found.assign_coords(
        {"region": np.array(brain.regions, dtype=object), MODEL: names, OTHER: names}
    )
    found["q_zero"] = (found["p_zero"].dims, false_discovery(found["p_zero"].values))
    found["q_difference"] = (found["p_difference"].dims, _q_of_pairs(found["p_difference"].values))
    n_subjects, n_stimuli = len(brain.subjects), len(brain.stimuli)
    return found.assign_attrs(
        comparator=comparator,
        resampled="stimuli+subjects" if n_subjects > 1 else "stimuli",
        margin="none" if margin is None else margin,
        n_bootstrap=inference.n_bootstrap,
        seed=inference.seed,
        n_subjects=n_subjects,
        n_stimuli=n_stimuli,
        n_dropped_stimuli=dropped,
        n_undefined_samples=int(sum(part.attrs["n_undefined"] for part in parts)),
        notes="; ".join(calibration_notes(n_subjects, n_stimuli)),
    )


def _vectors(answer: Answer, regions: list[str]) -> np.ndarray:
    """Return RDM vectors (n_subjects, n_regions, n_pairs), complete."""
    rdms = answer.data["rdm"].sel(region=regions)
    found = to_vector(rdms.transpose("subject", "region", "stimulus", "stimulus_to").values)
    bad = [r for r, own in zip(regions, np.isnan(found).any(axis=(0, 2)), strict=True) if own]
    if bad:
        raise UsageError(
            f"RDMs of {', '.join(bad)} have undefined pairs. Leave these regions or stimuli out "
            "with restrict before calling."
        )
    return found


@dataclass(frozen=True, eq=False)
class _Problem:
    """Scores of models and both ceilings, as they are and in three bootstraps."""

    observed: np.ndarray  # models, then lower and upper ceiling
    scores: dict[str, np.ndarray]  # of models, to first order in the stimuli
    samples: dict[str, np.ndarray]  # of models and ceilings
    left_out: np.ndarray | None  # models without each stimulus
    n_subjects: int
    n_stimuli: int
    n_undefined: int

    @classmethod
    def of(
        cls, brain: Answer, region: str, models: np.ndarray, comparator: str, how: Inference
    ) -> _Problem:
        data = _vectors(brain, [region])[:, 0]
        n_subjects, n_stimuli = len(data), len(brain.stimuli)
        rng = np.random.default_rng(how.seed)
        stimuli = bootstrap_counts(how.n_bootstrap, n_stimuli, rng=rng)
        subjects = bootstrap_counts(how.n_bootstrap, n_subjects, rng=rng)
        draws = {"stimuli": (stimuli, None)}
        if n_subjects > 1:
            draws |= {"subjects": (None, subjects), "both": (stimuli, subjects)}
        samples, undefined = {}, 0
        for name, counts in draws.items():
            rows = _scored(data, models, comparator, *counts)
            fine = np.isfinite(rows[:, : models.shape[1]]).all(axis=1)
            undefined += int((~fine).sum())
            samples[name] = rows[fine]
        whole = _scored(data, models, comparator, np.ones((1, n_stimuli), dtype=int), None)[0]
        evaluator = RdmEvaluator(data, models.reshape(-1, models.shape[-1]), comparator, n_stimuli)
        scores = _crossed(evaluator, stimuli, subjects, models.shape[:2])
        left_out = evaluator.left_out()
        if left_out is not None:
            left_out = _over_seeds(left_out, models.shape[:2]).mean(axis=1)
        return cls(whole, scores, samples, left_out, n_subjects, n_stimuli, undefined)

    def variance(self, contrast: np.ndarray) -> tuple[float, float]:
        """Give a contrast's variance over what was resampled, and its degrees of freedom."""
        used = np.flatnonzero(contrast)
        n_models = len(self.observed) - 2
        among_models = used.max() < n_models
        v = {}
        for name, rows in (self.scores if among_models else self.samples).items():
            values = rows[:, used] @ contrast[used]
            values = values[np.isfinite(values)]
            v[name] = values.var(ddof=1) if len(values) >= FEWEST_SAMPLES else np.nan
        of_stimuli = float(self.n_stimuli - 1)
        if among_models and self.left_out is not None:
            of_stimuli = float(variance_dof(self.left_out[:, used] @ contrast[used]))
        if self.n_subjects == 1:
            return float(v["stimuli"] * self.n_stimuli / (self.n_stimuli - 1)), of_stimuli
        parts = v["both"], v["subjects"], v["stimuli"]
        sizes = {"n_subjects": self.n_subjects, "n_stimuli": self.n_stimuli}
        dof = two_factor_dof(*parts, **sizes, stimulus_dof=of_stimuli)
        return float(two_factor_variance(*parts, **sizes)), float(dof)


def _over_seeds(scores: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Average scores (..., n_seeds * n_models) over seeds."""
    return scores.reshape(*scores.shape[:-1], *shape).mean(axis=-2)


def _crossed(
    evaluator: RdmEvaluator, stimuli: np.ndarray, subjects: np.ndarray, shape: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Score models on samples of stimuli, of subjects and of both, (n_samples, n_models) each."""
    over_stimuli = _over_seeds(evaluator.resampled(stimuli), shape)
    found = {"stimuli": over_stimuli.mean(axis=1)}
    if len(evaluator.data) > 1:
        weights = subjects / subjects.sum(axis=1, keepdims=True)
        found["subjects"] = weights @ _over_seeds(evaluator.observed(), shape)
        found["both"] = np.einsum("bs,bsk->bk", weights, over_stimuli)
    return found


def _scored(
    data: np.ndarray,
    models: np.ndarray,
    comparator: str,
    stimuli: np.ndarray | None,
    subjects: np.ndarray | None,
) -> np.ndarray:
    """Score models, averaged over their subjects, and ceilings in every sample."""
    n_seeds, n_models, n_pairs = models.shape
    found = bootstrap_rdms(
        data,
        models.reshape(-1, n_pairs),
        method=comparator,
        stimulus_counts=stimuli,
        subject_counts=subjects,
    )
    scores = found.scores.reshape(-1, n_seeds, n_models).mean(axis=1)
    return np.column_stack([scores, found.lower, found.upper])


def _tests(problem: _Problem, comparator: str, margin: float | None, level: float) -> xr.Dataset:
    n = len(problem.observed) - 2
    unit = np.eye(n + 2)
    zero = np.array([_test(problem, unit[k], "greater", level) for k in range(n)]).T
    against = np.array([_test(problem, unit[k] - unit[n], "two-sided", level) for k in range(n)]).T
    pairs = np.full((5, n, n), np.nan)
    for a in range(n):
        for b in range(a + 1, n):
            contrast = unit[a] - unit[b]
            value, low, high, p = _test(problem, contrast, "two-sided", level)
            variance, dof = problem.variance(contrast)
            alike = np.nan if margin is None else equivalence_p(
                value, variance, margin=margin, dof=dof
            )  # fmt: skip
            pairs[:, a, b] = value, low, high, p, alike
            pairs[:, b, a] = -value, -high, -low, p, alike
    chance_known = not comparator.endswith("cosine")
    ceiling = _test(problem, unit[n], "greater", level)
    data = {
        "value": (MODEL, zero[0]), "ci_low": (MODEL, zero[1]), "ci_high": (MODEL, zero[2]),
        "p_zero": (MODEL, zero[3] if chance_known else zero[3] * np.nan),
        "p_ceiling": (MODEL, against[3]),
        "difference": ((MODEL, OTHER), pairs[0]), "difference_low": ((MODEL, OTHER), pairs[1]),
        "difference_high": ((MODEL, OTHER), pairs[2]), "p_difference": ((MODEL, OTHER), pairs[3]),
        "ceiling_low": ((), problem.observed[n]), "ceiling_high": ((), problem.observed[n + 1]),
        "ceiling_low_p": ((), ceiling[3] if chance_known else np.nan),
    }  # fmt: skip
    if margin is not None:
        data["p_equivalent"] = ((MODEL, OTHER), pairs[4])
    return xr.Dataset(data, attrs={"n_undefined": problem.n_undefined})


def _test(
    problem: _Problem, contrast: np.ndarray, side: str, level: float
) -> tuple[float, float, float, float]:
    """Return value, interval and p of a contrast; NaN where a part is undefined."""
    used = np.flatnonzero(contrast)
    value = float(problem.observed[used] @ contrast[used])
    variance, dof = problem.variance(contrast)
    low, high = t_interval(value, variance, dof=dof, level=level)
    p = t_test_p(value, variance, dof=dof, side=side)
    return value, float(low), float(high), float(p)


def _q_of_pairs(p: np.ndarray) -> np.ndarray:
    """Adjust the p value of every pair once, though it stands in the table twice."""
    upper = np.triu(np.ones(p.shape[-2:], dtype=bool), k=1)
    out = np.full(p.shape, np.nan)
    out[:, upper] = false_discovery(p[:, upper])
    mirrored = np.swapaxes(out, 1, 2)
    return np.where(upper, out, mirrored)
