"""Cross-validated decoding at every time, and from every time to every other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import require_finite
from neuroai.numerics.discriminant import (
    AUTO,
    LinearRule,
    Moments,
    chosen,
    class_sums,
    decisions,
    fit_rule,
    fourth_powers,
    moments_without,
)

SCORINGS = ("accuracy", "balanced-accuracy", "auc")
BLOCK_BYTES = 16 * 2**20

# Rows of the times that are worked on together; a few MiB stay near the processor.
CACHE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Decoded:
    """How well classes were told apart.

    Attributes
    ----------
    scores : array, shape (n_times,) or (n_times, n_times_tested)
        Mean over folds of each fold's score; NaN where undefined.
    fold_scores : array, shape (n_folds, ...)
        Score of each fold; folds are never pooled.
    n_undefined : int array, shape of `scores`
        Folds without a score: training rows that did not vary, or, for "auc", one class alone
        among the tested rows.
    n_tested : int array, shape (n_folds,)
        Rows tested in each fold.
    chance : float
        Expected score of a guess: 1 / n_classes, the share of the largest class for "accuracy"
        where classes differ in size, or 0.5 for "auc".
    """

    scores: np.ndarray
    fold_scores: np.ndarray
    n_undefined: np.ndarray
    n_tested: np.ndarray
    chance: float


def decode(
    patterns: np.ndarray,
    labels: Sequence[object],
    folds: Sequence[int],
    *,
    classifier: str = "lda",
    shrinkage: float | str = AUTO,
    penalty: float = 1.0,
    scoring: str = "accuracy",
) -> Decoded:
    """Decode classes at every time, each fold tested by what was learnt from the others.

    Parameters
    ----------
    patterns : array, shape (n_rows, n_units[, n_times])
        Activity, any unit, finite.
    labels : sequence, length n_rows
        Class of each row; at least two classes.
    folds : sequence of int, length n_rows
        Fold of each row. Rows of one stimulus or run belong into one fold
        (`neuroai.numerics.group_folds.stratified_group_folds`).
    classifier : {"lda", "ridge", "correlation"}
        See `neuroai.numerics.discriminant.fit_rule`.
    shrinkage : float in [0, 1] or "auto"
        Of ``lda``.
    penalty : float
        Of ``ridge``.
    scoring : {"accuracy", "balanced-accuracy", "auc"}
        Scored within each fold and then averaged; "auc" takes two classes.

    Returns
    -------
    Decoded
        With one score a time.

    Raises
    ------
    DataError
        Entries are not finite, or a fold holds every row of a class.
    UsageError
        Shapes differ, or there is one class or one fold.

    Examples
    --------
    >>> patterns = np.array([[0.0], [1.0], [4.0], [5.0]])
    >>> decode(patterns, ["a", "a", "b", "b"], [0, 1, 0, 1], classifier="ridge").scores.item()
    1.0
    """
    problem = _Problem.of(patterns, labels, folds, scoring, classifier)
    options = {"classifier": classifier, "shrinkage": shrinkage, "penalty": penalty}
    scores = np.empty((len(problem.cells), len(problem.patterns)))
    for times in _blocks(len(problem.patterns), problem.patterns[0].nbytes, CACHE_BYTES):
        rows = problem.block(times)
        for fold, (rule, tested) in enumerate(problem.rules(rows, options)):
            decision, codes = decisions(rule, rows[:, tested]), problem.codes[tested]
            scores[fold, times] = _score(decision, codes, problem.n_classes, scoring)
    return problem.summary(scores, scoring)


def temporal_generalisation(
    patterns: np.ndarray,
    labels: Sequence[object],
    folds: Sequence[int],
    *,
    classifier: str = "lda",
    shrinkage: float | str = AUTO,
    penalty: float = 1.0,
    scoring: str = "accuracy",
    block_bytes: int = BLOCK_BYTES,
) -> Decoded:
    """Decode classes at every time with what was learnt at every other time.

    The folds are the same for all pairs of times, so that off the diagonal, too, no row is tested
    by a rule that was learnt from it.

    Parameters
    ----------
    patterns : array, shape (n_rows, n_units, n_times)
        Activity, any unit, finite.
    labels, folds, classifier, shrinkage, penalty, scoring
        As in `decode`.
    block_bytes : int
        Memory for the decision values of one block of training times.

    Returns
    -------
    Decoded
        Scores of shape (n_times, n_times): time learnt from, time tested.

    References
    ----------
    King & Dehaene 2014, doi:10.1016/j.tics.2014.01.002

    Examples
    --------
    >>> patterns = np.array([[[0.0, 5.0]], [[1.0, 4.0]], [[4.0, 1.0]], [[5.0, 0.0]]])
    >>> decode_at = temporal_generalisation(patterns, "aabb", [0, 1, 0, 1], classifier="ridge")
    >>> decode_at.scores.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if np.ndim(patterns) != 3:
        raise UsageError(
            "patterns must be rows x units x times for temporal generalisation; got an array of "
            f"shape {np.shape(patterns)}."
        )
    problem = _Problem.of(patterns, labels, folds, scoring, classifier)
    options = {"classifier": classifier, "shrinkage": shrinkage, "penalty": penalty}
    n_times, everything = len(problem.patterns), problem.block(slice(None))
    scores = np.empty((len(problem.cells), n_times, n_times))
    values_bytes = 8 * n_times * len(problem.codes) * problem.n_classes
    for times in _blocks(n_times, values_bytes, block_bytes):
        for fold, (rule, tested) in enumerate(problem.rules(everything[times], options)):
            rows, codes = everything[:, tested], problem.codes[tested]
            scores[fold, times] = problem.across_times(rule, rows, codes, scoring)
    return problem.summary(scores, scoring)


@dataclass(frozen=True)
class _Problem:
    """Rows sorted by fold and class, so that each cell is a slice and nothing is copied."""

    patterns: np.ndarray  # times x rows x units, rows as they came
    order: np.ndarray
    codes: np.ndarray  # in that order, as the cells
    cells: tuple[tuple[slice, ...], ...]  # of each fold, of each class
    n_classes: int
    flat: bool
    centred: bool

    @classmethod
    def of(
        cls,
        patterns: np.ndarray,
        labels: Sequence[object],
        folds: Sequence[int],
        scoring: str,
        classifier: str,
    ) -> _Problem:
        one_of(scoring, SCORINGS, option="scoring")
        # float64: sums over rows are subtracted fold by fold.
        given = np.asarray(patterns, dtype=np.float64)
        if given.ndim not in (2, 3) or not len(given) == len(labels) == len(folds):
            raise UsageError(
                "patterns must be rows x units [x times], with one label and one fold a row; got "
                f"shape {given.shape}, {len(labels)} labels and {len(folds)} folds."
            )
        require_finite(given, name="patterns")
        classes, codes = np.unique(np.asarray(list(labels)), return_inverse=True)
        names, places = np.unique(np.asarray(folds), return_inverse=True)
        _check_sizes(len(classes), len(names), scoring)
        order = np.lexsort((codes, places))
        n_cells = len(names) * len(classes)
        cells = _cells(np.bincount(places * len(classes) + codes, minlength=n_cells), names)
        cube = (given[..., None] if given.ndim == 2 else given).transpose(2, 0, 1)
        flat, centred = given.ndim == 2, classifier != "correlation"
        return cls(cube, order, codes[order], cells, len(classes), flat, centred)

    def block(self, times: slice) -> np.ndarray:
        """Give rows of some times, contiguous, about one mean for all times.

        Subtracting the sums of a fold then loses little precision. Only the correlation of
        patterns would change with it, and has its rows as they are.
        """
        rows = np.ascontiguousarray(self.patterns[times])[:, self.order]
        if self.centred:
            rows -= self._centre
        return rows

    @cached_property
    def _centre(self) -> np.ndarray:
        return self.patterns.mean((0, 1))

    def rules(
        self, rows: np.ndarray, options: Mapping[str, object]
    ) -> Iterator[tuple[LinearRule, slice]]:
        """Give for each fold the rules learnt without it, and the rows that it tests."""
        sums = [class_sums([rows[:, cell] for cell in fold]) for fold in self.cells]
        everything = Moments(
            sum(own.counts for own in sums),
            sum(own.means for own in sums),
            sum(own.scatter for own in sums),
        )
        # Each fold's sums are let go once the others' are known, so that memory holds one set.
        learnt = [moments_without(everything, sums.pop(0)) for _ in self.cells]
        fourth: Sequence[np.ndarray | None] = [None] * len(learnt)
        if options["classifier"] == "lda" and options["shrinkage"] == AUTO:
            cells = [[rows[:, cell] for cell in fold] for fold in self.cells]
            fourth = list(fourth_powers(learnt, cells, held_out=range(len(cells))))
        for fold, moments, powers in zip(self.cells, learnt, fourth, strict=True):
            rule = fit_rule(moments, (), fourth=powers, **options)
            yield rule, slice(fold[0].start, fold[-1].stop)

    def across_times(
        self, rule: LinearRule, tested: np.ndarray, codes: np.ndarray, scoring: str
    ) -> np.ndarray:
        """Score rules of some times at every time: shape (n_times_learnt, n_times)."""
        n_times, n_rows, n_units = tested.shape
        columns = rule.coef.shape[-1]
        at_once = tested.reshape(-1, n_units) @ rule.coef.transpose(1, 0, 2).reshape(n_units, -1)
        at_once += rule.intercept.reshape(-1)
        values = at_once.reshape(n_times, n_rows, -1, columns).transpose(2, 0, 1, 3)
        return _score(values, codes, self.n_classes, scoring)

    def summary(self, fold_scores: np.ndarray, scoring: str) -> Decoded:
        fold_scores = fold_scores[:, 0] if self.flat else fold_scores
        undefined = np.isnan(fold_scores)
        defined = (~undefined).sum(0)
        total = np.where(undefined, 0.0, fold_scores).sum(0)
        scores = np.divide(total, defined, out=np.full(total.shape, np.nan), where=defined > 0)
        tested = np.array([fold[-1].stop - fold[0].start for fold in self.cells])
        return Decoded(scores, fold_scores, undefined.sum(0), tested, self._chance(scoring))

    def _chance(self, scoring: str) -> float:
        if scoring == "auc":
            return 0.5
        if scoring == "balanced-accuracy":
            return 1.0 / self.n_classes
        return float(np.bincount(self.codes).max() / len(self.codes))


def _blocks(total: int, item_bytes: int, block_bytes: int) -> Iterator[slice]:
    width = max(1, block_bytes // item_bytes)
    for start in range(0, total, width):
        yield slice(start, start + width)


def _cells(counts: np.ndarray, folds: np.ndarray) -> tuple[tuple[slice, ...], ...]:
    stops = counts.cumsum()
    slices = [slice(int(stop - n), int(stop)) for n, stop in zip(counts, stops, strict=True)]
    n_classes = len(counts) // len(folds)
    return tuple(tuple(slices[k * n_classes : (k + 1) * n_classes]) for k in range(len(folds)))


def _check_sizes(n_classes: int, n_folds: int, scoring: str) -> None:
    if n_classes < 2 or n_folds < 2:
        raise UsageError(
            f"Decoding needs at least two classes and two folds; got {n_classes} and {n_folds}."
        )
    if scoring == "auc" and n_classes != 2:
        raise UsageError(
            f"scoring='auc' takes two classes; got {n_classes}. Take 'balanced-accuracy'."
        )


def _score(decision: np.ndarray, codes: np.ndarray, n_classes: int, scoring: str) -> np.ndarray:
    """Score decision values of shape (..., n_rows, columns) against the classes of the rows."""
    undefined = np.isnan(decision).any((-2, -1))
    if scoring == "auc":
        scores = _auc(decision[..., 0], codes)
    else:
        right = chosen(decision) == codes
        scores = right.mean(-1) if scoring == "accuracy" else _balanced(right, codes, n_classes)
    return np.where(undefined, np.nan, scores)


def _balanced(right: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    present = [code for code in range(n_classes) if (codes == code).any()]
    return np.mean([right[..., codes == code].mean(-1) for code in present], axis=0)


def _auc(decision: np.ndarray, codes: np.ndarray) -> np.ndarray:
    n_second = int((codes == 1).sum())
    n_first = len(codes) - n_second
    if not n_first or not n_second:
        return np.full(decision.shape[:-1], np.nan)
    ranks = rankdata(decision, axis=-1, nan_policy="propagate")
    above = ranks[..., codes == 1].sum(-1) - n_second * (n_second + 1) / 2
    return above / (n_first * n_second)
