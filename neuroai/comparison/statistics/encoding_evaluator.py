"""The evaluator of encoding models: held-out predictions, resampled; relabelled, learnt anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What one candidate predicts of one subject's units, on stimuli it never learnt from.

    Attributes
    ----------
    truth, predicted : array, shape (n_stimuli, n_units)
        Mean responses and their predictions; only units that are defined in every fold.
    fold : array of int, shape (n_stimuli,)
        The fold that tests each stimulus.
    relabel : callable
        ``relabel(orders)`` learns and scores every unit anew under each order of the stimuli,
        shape (n_orders, n_units). To permute what was predicted would give too narrow a null:
        each stimulus is learnt from in the other folds.
    """

    truth: np.ndarray
    predicted: np.ndarray
    fold: np.ndarray
    relabel: Callable[[np.ndarray], np.ndarray]

    def rows(self) -> list[np.ndarray]:
        """Give the rows of each fold."""
        return [np.flatnonzero(self.fold == f) for f in range(int(self.fold.max()) + 1)]

    def score(self) -> float:
        """Average r over folds, then over units; NaN without a unit."""
        if not self.truth.shape[1]:
            return float("nan")
        ones = np.ones((1, len(self.truth)))
        return float(self.weighted(ones)[0])

    def weighted(self, counts: np.ndarray) -> np.ndarray:
        """Score resamples of the stimuli, shape (n_samples,); predictions stay as they are."""
        found = [self._fold(rows, counts[:, rows]) for rows in self.rows()]
        r = np.mean(found, axis=0)
        defined = np.isfinite(r)
        # A unit that does not vary in a resample is left out of it.
        total = np.where(defined, r, 0).sum(axis=1)
        n = defined.sum(axis=1)
        return np.divide(total, n, out=np.full(len(r), np.nan), where=n > 0)

    def _fold(self, rows: np.ndarray, w: np.ndarray) -> np.ndarray:
        y, p = (a[rows] - a[rows].mean(axis=0) for a in (self.truth, self.predicted))
        n = np.maximum(w.sum(axis=1, keepdims=True), 1)
        mean_y, mean_p = w @ y / n, w @ p / n
        spread_y, spread_p = w @ y**2 / n - mean_y**2, w @ p**2 / n - mean_p**2
        least = 1e-12 * (y**2).mean(axis=0), 1e-12 * (p**2).mean(axis=0)
        good = (spread_y > least[0]) & (spread_p > least[1])
        scale = np.sqrt(np.where(good, spread_y * spread_p, 1))
        return np.where(good, (w @ (y * p) / n - mean_y * mean_p) / scale, np.nan)

    def permuted(self, orders: np.ndarray) -> np.ndarray:
        """Average the units' scores under every order of the stimuli, shape (n_orders,)."""
        if not self.truth.shape[1]:
            return np.full(len(orders), np.nan)
        scores = self.relabel(orders)
        defined = np.isfinite(scores)
        n = defined.sum(axis=1)
        total = np.where(defined, scores, 0).sum(axis=1)
        return np.divide(total, n, out=np.full(len(orders), np.nan), where=n > 0)


@dataclass(frozen=True, eq=False)
class EncodingEvaluator:
    """Held-out predictions of every pair: `pairs[i][j]` is subject i and candidate j.

    Attributes
    ----------
    pairs : tuple of tuple of HeldOut
        Subjects, then candidates.
    ceilings : tuple of float
        Mean ceiling of r over each subject's units; NaN without repeats.
    """

    pairs: tuple[tuple[HeldOut, ...], ...]
    ceilings: tuple[float, ...]

    @cached_property
    def n_stimuli(self) -> int:
        """How many stimuli."""
        return len(self.pairs[0][0].fold)

    def _each(self, function: str, *arguments: np.ndarray) -> np.ndarray:
        found = [[getattr(pair, function)(*arguments) for pair in row] for row in self.pairs]
        return np.moveaxis(np.asarray(found, dtype=float), (0, 1), (-2, -1))

    def observed(self) -> np.ndarray:
        """Average r over folds and units, shape (n_subjects, n_candidates)."""
        return self._each("score")

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Weigh the stimuli of each fold; what was learnt stays."""
        return self._each("weighted", counts)

    def permuted(self, permutations: np.ndarray) -> np.ndarray:
        """Permute the stimuli of the predicted side, and learn anew."""
        return self._each("permuted", permutations)

    def ceiling(self) -> tuple[float, float]:
        """Give the mean score of a perfect model, as both bounds; NaN if a subject has none."""
        mean = float(np.mean(self.ceilings)) if self.ceilings else float("nan")
        return mean, mean
