"""Evaluators: the score of every pair of subjects, on resampled or permuted stimuli."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from neuroai.comparison.ceilings import rdm_ceiling
from neuroai.numerics.cka import cka
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.first_order import first_order
from neuroai.numerics.rdm_pairs import resampled_pairs
from neuroai.numerics.rdm_permutation import permute_rdms

# Where distances are compared as they are, a few far stimuli carry the score: of 20, the part that
# is linear in them is a fifth too small, and half of the rest makes up for it.
KEPT = {"cosine": 0.5, "pearson": 0.5}
# t is the normal distribution from here on, however few of the stimuli carry a score.
MANY_STIMULI = 200
# Distinct stimuli of every product in debiased CKA.
SET = 4


class Evaluator(Protocol):
    """Scores n_subjects brain subjects against n_candidates (model regions × seeds)."""

    n_stimuli: int

    def observed(self) -> np.ndarray:
        """Give the scores, shape (n_subjects, n_candidates)."""

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Give the scores for multiplicities of the stimuli (n_samples, n_stimuli)."""

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Give the scores with the candidates' stimuli permuted (n_null, n_stimuli)."""

    def ceiling(self) -> tuple[float, float]:
        """Give the lower and upper noise ceiling; NaN where there is none."""


def without_each(evaluator: Evaluator) -> np.ndarray | None:
    """Give the scores of RDMs and Gram matrices without each stimulus; None for others."""
    known = isinstance(evaluator, (RdmEvaluator, GramEvaluator))
    return evaluator.left_out() if known else None


@dataclass(frozen=True)
class RdmEvaluator:
    """RDMs as vectors: `data` (n_subjects, n_pairs) and `models` (n_candidates, n_pairs)."""

    data: np.ndarray
    models: np.ndarray
    method: str
    n_stimuli: int
    pooling: str = "comparator"

    def observed(self) -> np.ndarray:
        """Compare every pair of RDMs."""
        return compare_rdms(self.data, self.models, method=self.method)

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Weigh the pairs of stimuli, to first order in the stimuli.

        Pairs of one stimulus with itself are left out; see `neuroai.numerics.first_order`.
        """
        return self.of_stimuli(self.weighed(counts), counts)

    def weighed(self, counts: np.ndarray) -> np.ndarray:
        """Weigh the pairs of stimuli by the product of their multiplicities, and no more."""
        return resampled_pairs(self.data, self.models, method=self.method, stimulus_counts=counts)

    def of_stimuli(self, samples: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Keep of weighed samples what suits the comparator: single stimuli, and some of pairs."""
        return first_order(samples, counts, kept=KEPT.get(self.method, 0.0))

    def left_out(self) -> np.ndarray | None:
        """Give the scores without each stimulus, (n_stimuli, n_subjects, n_candidates).

        None where stimuli are so many that it would change nothing.
        """
        if self.n_stimuli > MANY_STIMULI:
            return None
        return self.weighed(1 - np.eye(self.n_stimuli, dtype=int))

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Permute the rows and columns of the candidates' RDMs together."""
        null = permute_rdms(self.data, self.models, method=self.method, permutations=permutations)
        return null[:, None, :]

    def ceiling(self) -> tuple[float, float]:
        """Compare each subject with the pooled RDM of the others, and of all."""
        return rdm_ceiling(self.data, method=self.method, pooling=self.pooling)


@dataclass(frozen=True)
class GramEvaluator:
    """Centred Gram matrices: `data` (n_subjects, n, n) and `models` (n_candidates, n, n)."""

    data: np.ndarray
    models: np.ndarray

    @property
    def n_stimuli(self) -> int:
        """How many stimuli."""
        return self.data.shape[-1]

    def observed(self) -> np.ndarray:
        """Align every pair of Gram matrices."""
        return cka(self.data, self.models, estimator="debiased")

    def left_out(self) -> np.ndarray:
        """Leave out one stimulus at a time: (n_stimuli, n_subjects, n_candidates)."""
        return self._left_out

    @cached_property
    def _left_out(self) -> np.ndarray:
        everyone = np.arange(self.n_stimuli)
        return np.array([self._without(np.delete(everyone, one)) for one in everyone])

    def _without(self, kept: np.ndarray) -> np.ndarray:
        at = np.ix_(kept, kept)
        data = np.array([gram[at] for gram in self.data])
        models = np.array([gram[at] for gram in self.models])
        return cka(data, models, estimator="debiased")

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Draw pseudo-samples that follow the weight of every stimulus to first order.

        A copied stimulus has similarity one with itself, which no debiasing removes; so the effect
        of a weight is read off the score without the stimulus, times (n - 4) / n. A mean over all
        sets of four distinct stimuli moves by 4 / (n - 4) of what the sets of one stimulus are off
        when that is left out, and by 4 / n for its weight.
        """
        n = self.n_stimuli
        effect = (self.left_out().mean(axis=0) - self.left_out()) * (n - SET) / n
        return self.observed() + np.einsum("bi,isk->bsk", counts - 1.0, effect)

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Permute the stimuli of the candidates."""
        return np.array(
            [
                cka(self.data, self.models[:, order][:, :, order], estimator="debiased")
                for order in permutations
            ]
        )

    def ceiling(self) -> tuple[float, float]:
        """Align the subjects with each other."""
        if len(self.data) < 2:
            return np.nan, np.nan
        among = cka(self.data, self.data, estimator="debiased")
        return float(among[~np.eye(len(among), dtype=bool)].mean()), np.nan
