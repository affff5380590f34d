"""Evaluators of choices: by stimulus, by confusions, and by triplets of stimuli."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from neuroai.numerics.confusion import off_diagonal_correlation, pooled_confusions

Metric = Callable[..., np.ndarray]

BLOCK_BYTES = 32 * 2**20


def blocks_of(permutations: np.ndarray, *, row_bytes: int) -> Iterator[np.ndarray]:
    """Cut permutations into blocks whose permuted candidates stay under the byte budget."""
    step = max(1, BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, len(permutations), step):
        yield permutations[start : start + step]


def permuted_rows(b: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Stack the candidates under every order: (n_orders * n_candidates, n_stimuli, ...)."""
    stacked = np.swapaxes(b[:, orders], 0, 1)
    return stacked.reshape(-1, *b.shape[1:])


def unpermuted(blocks: list[np.ndarray], *, n_candidates: int) -> np.ndarray:
    """Split scores (n_subjects, n_orders * n_candidates) by order: (n_orders, n_subjects, ...)."""
    scores = np.concatenate(blocks, axis=1)
    return scores.reshape(len(scores), -1, n_candidates).swapaxes(0, 1)


@dataclass(frozen=True)
class MatrixEvaluator:
    """One number a subject and stimulus: `a` (n_subjects, n) and `b` (n_candidates, n).

    `metric(a, b, weights=None)` gives (n_subjects, n_candidates), or (n_samples, ...) for weights.
    """

    a: np.ndarray
    b: np.ndarray
    metric: Metric
    symmetric: bool = True

    @property
    def n_stimuli(self) -> int:
        """How many stimuli both sides answered."""
        return self.a.shape[1]

    def observed(self) -> np.ndarray:
        """Compare every pair of subjects."""
        return np.asarray(self.metric(self.a, self.b))

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Weigh the stimuli by their multiplicities."""
        return np.asarray(self.metric(self.a, self.b, weights=counts.astype(float)))

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Permute the stimuli of the candidates, many orders in one call of the metric."""
        blocks = [
            np.asarray(self.metric(self.a, permuted_rows(self.b, orders)))
            for orders in blocks_of(permutations, row_bytes=self.b.nbytes)
        ]
        return unpermuted(blocks, n_candidates=len(self.b))

    def ceiling(self) -> tuple[float, float]:
        """Compare the subjects with each other: another subject in the candidate's place.

        Signed differences cancel among subjects, so they have no such reference.
        """
        if not self.symmetric:
            return np.nan, np.nan
        return mean_of_pairs(np.asarray(self.metric(self.a, self.a))), np.nan


@dataclass(frozen=True)
class ConfusionEvaluator:
    """Choices as counts (n_subjects, n_stimuli, n_options), and each stimulus's right option."""

    a: np.ndarray
    b: np.ndarray
    truth: np.ndarray

    @property
    def n_stimuli(self) -> int:
        """How many stimuli both sides answered."""
        return self.a.shape[1]

    def observed(self) -> np.ndarray:
        """Correlate the mistakes of every pair of subjects."""
        return off_diagonal_correlation(
            pooled_confusions(self.a, self.truth), pooled_confusions(self.b, self.truth)
        )

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Add the confusions up anew, every stimulus with its multiplicity."""
        weights = counts.astype(float)
        return off_diagonal_correlation(
            pooled_confusions(self.a, self.truth, weights=weights),
            pooled_confusions(self.b, self.truth, weights=weights),
        )

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Permute the candidates' choices among all stimuli."""
        mine = pooled_confusions(self.a, self.truth)
        blocks = [
            off_diagonal_correlation(
                mine, pooled_confusions(permuted_rows(self.b, orders), self.truth)
            )
            for orders in blocks_of(permutations, row_bytes=self.b.nbytes)
        ]
        return unpermuted(blocks, n_candidates=len(self.b))

    def ceiling(self) -> tuple[float, float]:
        """Correlate the mistakes of the subjects with each other."""
        mine = pooled_confusions(self.a, self.truth)
        return mean_of_pairs(off_diagonal_correlation(mine, mine)), np.nan


@dataclass(frozen=True)
class TripletEvaluator:
    """Choices from triplets: codes (n_subjects, n_triplets); triplets share stimuli.

    `members` (n_triplets, 3) are the positions of each triplet's stimuli.
    """

    a: np.ndarray
    b: np.ndarray
    members: np.ndarray
    n_stimuli: int
    metric: Metric

    def observed(self) -> np.ndarray:
        """Compare every pair of subjects."""
        return np.asarray(self.metric(self.a, self.b))

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Weigh each triplet by the product of its stimuli's multiplicities."""
        weights = counts[:, self.members].prod(axis=2).astype(float)
        return np.asarray(self.metric(self.a, self.b, weights=weights))

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Refuse: permuted triplets would need the judgements themselves."""
        raise AttributeError("triplets are tested against chance, not by permutation")

    def ceiling(self) -> tuple[float, float]:
        """Compare the subjects with each other."""
        return mean_of_pairs(np.asarray(self.metric(self.a, self.a))), np.nan


def mean_of_pairs(among: np.ndarray) -> float:
    """Average a square matrix off its diagonal; NaN for one subject or without a defined pair."""
    off_diagonal = among[~np.eye(len(among), dtype=bool)]
    defined = off_diagonal[np.isfinite(off_diagonal)]
    return float(defined.mean()) if defined.size else float("nan")
