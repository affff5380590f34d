"""Tests of model RDMs against 0, the noise ceiling and each other, over stimuli and subjects."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neuroai.checks import one_of
from neuroai.comparison.statistics.contrasts import RdmContrasts
from neuroai.comparison.statistics.inference import Inference, calibration_notes
from neuroai.errors import UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.numerics.comparators import METHODS
from neuroai.numerics.equivalence import equivalence_p
from neuroai.numerics.intervals import (
    t_interval,
    t_test_p,
)
from neuroai.numerics.multiplicity import false_discovery
from neuroai.numerics.rdm_vectors import to_vector

MODEL, OTHER = "model_region", "model_region_to"


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
    and its degrees of freedom (`two_factor_dof`). The ceilings are computed in every bootstrap
    sample. Scores and differences vary to first order in the stimuli, ceilings to first order in
    the subjects (`neuroai.numerics.first_order`). Tests against 0 are one-sided, all others
    two-sided.

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
        ``ceiling_low, ceiling_high`` with the interval of the lower one, ``ceiling_low_ci_low`` and
        ``ceiling_low_ci_high``, and ``ceiling_low_p``, whether any model could do better than
        chance. q are false discovery rates over all regions and models. There is no test
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
    made = (
        RdmContrasts.of(_vectors(brain, [region])[:, 0], theirs, comparator, inference)
        for region in brain.regions
    )
    parts = [_tests(one, comparator, margin, inference.level) for one in made]
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


def _tests(
    problem: RdmContrasts, comparator: str, margin: float | None, level: float
) -> xr.Dataset:
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
        "ceiling_low_ci_low": ((), ceiling[1]), "ceiling_low_ci_high": ((), ceiling[2]),
        "ceiling_low_p": ((), ceiling[3] if chance_known else np.nan),
    }  # fmt: skip
    if margin is not None:
        data["p_equivalent"] = ((MODEL, OTHER), pairs[4])
    return xr.Dataset(data, attrs={"n_undefined": problem.n_undefined})


def _test(
    problem: RdmContrasts, contrast: np.ndarray, side: str, level: float
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
