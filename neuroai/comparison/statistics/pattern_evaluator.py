"""The evaluator of any metric of responses: scored pair by pair, stimuli left out or permuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Metric = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True, eq=False)
class PatternEvaluator:
    """Mean responses of subjects and candidates, stimuli in one order, and the metric.

    Attributes
    ----------
    data, models : tuple of array, shape (n_stimuli, n_units)
        One a subject, and one a candidate.
    metric : callable
        ``metric(a, b)`` of two of them.
    """

    data: tuple[np.ndarray, ...]
    models: tuple[np.ndarray, ...]
    metric: Metric

    @property
    def n_stimuli(self) -> int:
        """How many stimuli."""
        return len(self.data[0])

    def observed(self) -> np.ndarray:
        """Score every pair, shape (n_subjects, n_candidates)."""
        return self._grid(self.data, self.models)

    def _grid(self, a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> np.ndarray:
        found = [[self.metric(one, other) for other in b] for one in a]
        return np.asarray(found, dtype=float).reshape(len(a), len(b))

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Draw pseudo-samples whose variance is that of the jackknife over stimuli.

        A copied stimulus would be matched with itself, so stimuli are left out, one at a time.
        """
        n = self.n_stimuli
        left_out = np.array(
            [
                self._grid(*(tuple(np.delete(x, i, axis=0) for x in side) for side in self._sides))
                for i in range(n)
            ]
        )
        deviations = (left_out - left_out.mean(axis=0)) * np.sqrt((n - 1) / n)
        # sum_i (c_i - 1) d_i over multinomial counts c has the jackknife variance.
        steps = np.einsum("bi,isk->bsk", counts - 1.0, deviations) * np.sqrt((n - 1) / n)
        return self.observed() + steps

    @property
    def _sides(self) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        return self.data, self.models

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Permute the stimuli of the candidates."""
        return np.array(
            [self._grid(self.data, tuple(m[order] for m in self.models)) for order in permutations]
        )

    def ceiling(self) -> tuple[float, float]:
        """Score the subjects with each other; there is no upper bound."""
        if len(self.data) < 2:
            return np.nan, np.nan
        among = self._grid(self.data, self.data)
        return float(among[~np.eye(len(among), dtype=bool)].mean()), np.nan
