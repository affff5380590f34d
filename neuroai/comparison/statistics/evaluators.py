"""Evaluators: the score of every pair of subjects, on resampled or permuted stimuli."""

from __future__ import annotations

from dataclasses import dataclass
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
    """Give the scores of RDMs without each stimulus; None for other evaluators."""
    return evaluator.left_out() if isinstance(evaluator, RdmEvaluator) else None


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

    def jackknifed(self) -> np.ndarray:
        """Leave out one stimulus at a time: (n_stimuli, n_subjects, n_candidates)."""
        everyone = np.arange(self.n_stimuli)
        return np.array([self._without(np.delete(everyone, left_out)) for left_out in everyone])

    def _without(self, kept: np.ndarray) -> np.ndarray:
        at = np.ix_(kept, kept)
        data = np.array([gram[at] for gram in self.data])
        models = np.array([gram[at] for gram in self.models])
        return cka(data, models, estimator="debiased")

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Draw pseudo-samples whose variance is that of the jackknife.

        A copied stimulus has similarity one with itself, which no debiasing removes, so stimuli
        are left out rather than drawn twice.
        """
        left_out = self.jackknifed()
        n = self.n_stimuli
        deviations = (left_out - left_out.mean(axis=0)) * np.sqrt((n - 1) / n)
        # sum_i (c_i - 1) d_i over multinomial counts c has the jackknife variance.
        steps = np.einsum("bi,isk->bsk", counts - 1.0, deviations) * np.sqrt((n - 1) / n)
        return self.observed() + steps

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
