"""The evaluator of the Bures similarity of RDMs: that of the shapes they are the distances of."""

from __future__ import annotations

import numpy as np

from neuroai.comparison.statistics.pattern_evaluator import PatternEvaluator
from neuroai.numerics.procrustes import procrustes_grid
from neuroai.numerics.rdm_bures import rdm_factors


class BuresEvaluator(PatternEvaluator):
    """Shapes of subjects and candidates; stimuli are left out of them, or permuted."""

    @classmethod
    def of(cls, data: np.ndarray, models: np.ndarray) -> BuresEvaluator:
        """Take RDM vectors (n_subjects, n_pairs) and (n_candidates, n_pairs)."""
        return cls(tuple(rdm_factors(data)), tuple(rdm_factors(models)), similarity)

    def ceiling(self) -> tuple[float, float]:
        """Compare each subject with the mean RDM of the others, in units of their mean distance.

        The RDM that is nearest to all by this measure is not their mean, so that the mean of all
        bounds nothing from above.
        """
        if len(self.data) < 2:
            return np.nan, np.nan
        units = [shape / np.sqrt(np.square(shape).sum()) for shape in self.data]
        # Side by side, patterns have the sum of their squared distances.
        lower = [
            similarity(unit, np.hstack(units[:place] + units[place + 1 :]))
            for place, unit in enumerate(units)
        ]
        return float(np.mean(lower)), np.nan


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Compare two shapes over whatever stimuli they hold.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [2.0]])
    >>> round(similarity(line, 3 * line + 1), 6)
    1.0
    """
    return float(procrustes_grid([a - a.mean(axis=0)], [b - b.mean(axis=0)])[0, 0])
