"""Scores of models and noise ceilings in three bootstraps, and the variance of any contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.comparison.statistics.evaluators import RdmEvaluator
from neuroai.comparison.statistics.inference import Inference
from neuroai.numerics.first_order import first_order, variance_dof
from neuroai.numerics.intervals import two_factor_dof, two_factor_variance
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.rdm_vectors import n_stimuli_of
from neuroai.numerics.resample import bootstrap_counts

# Fewer samples give no variance.
FEWEST_SAMPLES = 50


@dataclass(frozen=True, eq=False)
class RdmContrasts:
    """Scores of models and both noise ceilings: of the data, and in three bootstraps.

    Attributes
    ----------
    observed : array, shape (n_models + 2,)
        Scores of the models, then the lower and the upper ceiling; NaN ceilings of one subject.
    scores : dict of array, shape (n_samples, n_models)
        Scores on samples of ``stimuli``, ``subjects`` and ``both``, to first order in the stimuli.
    samples : dict of array, shape (n_samples, n_models + 2)
        Scores as they are, and ceilings to first order in the subjects, on the same samples.
    left_out : array, shape (n_stimuli, n_models + 2), or None
        Without each stimulus; None where stimuli are very many.
    n_subjects, n_stimuli, n_undefined : int
        Numbers in the data, and samples in which a score is undefined.
    """

    observed: np.ndarray
    scores: dict[str, np.ndarray]
    samples: dict[str, np.ndarray]
    left_out: np.ndarray | None
    n_subjects: int
    n_stimuli: int
    n_undefined: int

    @classmethod
    def of(
        cls, data: np.ndarray, models: np.ndarray, comparator: str, how: Inference
    ) -> RdmContrasts:
        """Score models (n_seeds, n_models, n_pairs) against data (n_subjects, n_pairs)."""
        n_subjects, n_stimuli = len(data), n_stimuli_of(data.shape[1])
        rng = np.random.default_rng(how.seed)
        stimuli = bootstrap_counts(how.n_bootstrap, n_stimuli, rng=rng)
        subjects = bootstrap_counts(how.n_bootstrap, n_subjects, rng=rng)
        shape = models.shape[:2]
        evaluator = RdmEvaluator(data, models.reshape(-1, models.shape[-1]), comparator, n_stimuli)
        pairs, weighed = evaluator.observed(), evaluator.weighed(stimuli)
        plain, scores = (
            _crossed(_over_seeds(pairs, shape), _over_seeds(many, shape), subjects)
            for many in (weighed, evaluator.of_stimuli(weighed, stimuli))
        )
        ceilings = _ceilings(evaluator, stimuli, subjects)
        samples, undefined = {}, 0
        for name, rows in plain.items():
            fine = np.isfinite(rows).all(axis=1)
            undefined += int((~fine).sum())
            samples[name] = np.column_stack([rows, ceilings[name]])[fine]
        once = np.ones((1, n_stimuli), dtype=int)
        whole = np.r_[_over_seeds(pairs, shape).mean(axis=0), _bounds(evaluator, once)[0]]
        left_out = evaluator.left_out()
        if left_out is not None:
            without = _bounds(evaluator, 1 - np.eye(n_stimuli, dtype=int))
            left_out = np.column_stack([_over_seeds(left_out, shape).mean(axis=1), without])
        return cls(whole, scores, samples, left_out, n_subjects, n_stimuli, undefined)

    def variance(self, contrast: np.ndarray) -> tuple[float, float]:
        """Give a contrast's variance over what was resampled, and its degrees of freedom."""
        used = np.flatnonzero(contrast)
        among_models = used.max() < len(self.observed) - 2
        v = {}
        for name, rows in (self.scores if among_models else self.samples).items():
            values = rows[:, used] @ contrast[used]
            values = values[np.isfinite(values)]
            v[name] = values.var(ddof=1) if len(values) >= FEWEST_SAMPLES else np.nan
        of_stimuli = float(self.n_stimuli - 1)
        if self.left_out is not None:
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
    pairs: np.ndarray, over_stimuli: np.ndarray, subjects: np.ndarray
) -> dict[str, np.ndarray]:
    """Average scores of subjects (n_samples, n_subjects, n_models) on samples of each kind."""
    found = {"stimuli": over_stimuli.mean(axis=1)}
    if len(pairs) > 1:
        weights = subjects / subjects.sum(axis=1, keepdims=True)
        found["subjects"] = weights @ pairs
        found["both"] = np.einsum("bs,bsk->bk", weights, over_stimuli)
    return found


def _ceilings(
    evaluator: RdmEvaluator, stimuli: np.ndarray, subjects: np.ndarray
) -> dict[str, np.ndarray]:
    """Give both ceilings, (n_samples, 2), on samples of each kind.

    A subject is compared with the others, so that drawing subjects multiplies what is proper to
    pairs of them: it is taken out, of the samples of both with the same draws of subjects too.
    """
    whole = _bounds(evaluator, None, subjects)
    single = first_order(whole, subjects)
    both = _bounds(evaluator, stimuli, subjects) - (whole - single)
    return {"stimuli": _bounds(evaluator, stimuli), "subjects": single, "both": both}


def _bounds(
    evaluator: RdmEvaluator, stimuli: np.ndarray | None, subjects: np.ndarray | None = None
) -> np.ndarray:
    """Give both ceilings of every sample, (n_samples, 2); one subject has none."""
    if len(evaluator.data) == 1:
        return np.full((len(subjects if stimuli is None else stimuli), 2), np.nan)
    found = bootstrap_rdms(
        evaluator.data,
        evaluator.models[:1],
        method=evaluator.method,
        stimulus_counts=stimuli,
        subject_counts=subjects,
    )
    return np.column_stack([found.lower, found.upper])
