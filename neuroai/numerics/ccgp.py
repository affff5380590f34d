"""Abstract geometry: generalisation across conditions, and parallel coding directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError
from neuroai.numerics.arrays import require_finite
from neuroai.numerics.readout import fit_readout, predict

PAIRINGS = ("matched", "all")

# Of the length of a mean, the share below which a difference of means is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class CrossCondition:
    """How well classes are told apart in conditions that were never learnt from.

    Attributes
    ----------
    score : float
        Mean balanced accuracy over pairings.
    pairing_scores : array, shape (n_pairings,)
        Balanced accuracy of each choice of held-out conditions, one a class.
    n_rows : int
        Rows of every condition: as many as the rarest has.
    chance : float
        1 / n_classes.
    """

    score: float
    pairing_scores: np.ndarray
    n_rows: int
    chance: float


def cross_condition(
    patterns: np.ndarray,
    labels: Sequence[str],
    contexts: Sequence[str],
    *,
    pairings: str = "matched",
    shrinkage: float | str = "auto",
    n_pairings: int = 100,
    seed: int = 0,
) -> CrossCondition:
    r"""Learn classes in some contexts and test them in others: cross-condition generalisation.

    One condition (a class in a context) of every class is held out; linear discriminant analysis
    learns from all others and is tested on these. The score is the mean over the ways P to hold
    conditions out:

    .. math:: CCGP = \frac{1}{|P|} \sum_{(c_1, \dots, c_k) \in P} \text{accuracy on }
              \{(1, c_1), \dots, (k, c_k)\}

    "matched" holds out one context of all classes at a time. "all" takes every choice of one
    context a class, as is due where contexts are not shared (dogs and cats, saws and hammers);
    with two shared contexts it also learns where class and context go together, so that the score
    of a perfect square is 0.75. Conditions are cut to one number of rows.

    Parameters
    ----------
    patterns : array, shape (n_rows, n_units)
        Activity, any unit, finite.
    labels, contexts : sequence of str, length n_rows
        Class and context of each row.
    pairings : {"matched", "all"}
        Which conditions are held out together.
    shrinkage : float in (0, 1] or "auto"
        Of the covariance.
    n_pairings : int
        Most pairings; where there are more, as many are drawn.
    seed : int
        Seed of the rows that are kept and the pairings that are drawn.

    Returns
    -------
    CrossCondition

    Raises
    ------
    DataError
        A class has fewer than two contexts, there is one class, or "matched" finds fewer than two
        contexts that all classes share.

    References
    ----------
    Bernardi et al. 2020, doi:10.1016/j.cell.2020.09.031

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [0.0, 0.1], [1.0, 0.0], [1.0, 0.1],
    ...               [0.0, 5.0], [0.0, 5.1], [1.0, 5.0], [1.0, 5.1]])
    >>> cross_condition(x, "aabbaabb", "ccccdddd").score
    1.0
    """
    one_of(pairings, PAIRINGS, option="pairings")
    rows, cells = _cells(patterns, labels, contexts)
    classes = sorted({label for label, _ in cells})
    by_class = [[cell for cell in sorted(cells) if cell[0] == label] for label in classes]
    short = [own[0][0] for own in by_class if len(own) < 2]
    if len(classes) < 2 or short:
        raise DataError(
            "Generalising across conditions needs at least two classes, each in at least two "
            f"contexts; got {len(classes)} classes, and one context for: {', '.join(short)}."
        )
    rng = np.random.default_rng(seed)
    n_rows = min(len(own) for own in cells.values())
    kept = {cell: np.sort(rng.permutation(own)[:n_rows]) for cell, own in sorted(cells.items())}
    choose = _matched if pairings == "matched" else _all
    ways = choose(by_class, n_pairings, rng)
    scores = np.array([_tested(rows, kept, set(held), shrinkage) for held in ways])
    return CrossCondition(float(scores.mean()), scores, n_rows, 1 / len(classes))


def parallelism(
    patterns: np.ndarray, labels: Sequence[str], contexts: Sequence[str]
) -> tuple[float, int]:
    r"""Give the mean cosine between the directions that code one difference in each context.

    .. math:: d_c = \bar x_{(k, c)} - \bar x_{(l, c)}, \qquad
              PS = \overline{\cos(d_c, d_{c'})}_{c < c',\; k < l}

    Parameters
    ----------
    patterns : array, shape (n_rows, n_units)
        Activity, any unit, finite.
    labels, contexts : sequence of str, length n_rows
        Class and context of each row.

    Returns
    -------
    tuple
        The score, 1 for parallel and 0 for orthogonal directions, and how many cosines are
        undefined since a difference is 0; NaN where none is defined. Noise in the means pulls the
        score towards 0, the more the fewer rows there are.

    Raises
    ------
    DataError
        No two classes meet in two contexts.

    References
    ----------
    Bernardi et al. 2020, doi:10.1016/j.cell.2020.09.031

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 5.0], [1.0, 5.0]])
    >>> parallelism(x, "abab", "ccdd")
    (1.0, 0)
    """
    rows, cells = _cells(patterns, labels, contexts)
    means = {cell: rows[own].mean(0) for cell, own in cells.items()}
    floor = _ROUNDING * max(np.linalg.norm(mean) for mean in means.values())
    cosines = []
    for one, other in combinations(sorted({label for label, _ in cells}), 2):
        both = sorted({c for k, c in cells if k == one} & {c for k, c in cells if k == other})
        steps = [means[other, context] - means[one, context] for context in both]
        lengths = [np.linalg.norm(step) for step in steps]
        for i, j in combinations(range(len(both)), 2):
            defined = min(lengths[i], lengths[j]) > floor
            cosines.append(steps[i] @ steps[j] / lengths[i] / lengths[j] if defined else np.nan)
    if not cosines:
        raise DataError("Parallelism needs two classes that both occur in at least two contexts.")
    known = np.array(cosines)[np.isfinite(cosines)]
    value = float(np.clip(known, -1, 1).mean()) if len(known) else np.nan
    return value, len(cosines) - len(known)


def turned_clouds(
    patterns: np.ndarray,
    labels: Sequence[str],
    contexts: Sequence[str],
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Turn the cloud of every condition about the grand mean, each by a rotation of its own.

    What is left is the null of geometry: every condition keeps its distance from the grand mean
    and the shape of its noise, and stays as decodable as it was, but nothing is arranged. (Labels
    that are shuffled would take decodability away as well.)

    Parameters
    ----------
    patterns : array, shape (n_rows, n_units)
        Activity, any unit, finite.
    labels, contexts : sequence of str, length n_rows
        Class and context of each row.
    rng : numpy.random.Generator
        Source of the rotations, uniform over all.

    Returns
    -------
    array, shape (n_rows, n_units)

    References
    ----------
    Bernardi et al. 2020, doi:10.1016/j.cell.2020.09.031

    Examples
    --------
    >>> x = np.array([[3.0, 0.0], [-3.0, 0.0]])
    >>> turned = turned_clouds(x, "ab", "cc", rng=np.random.default_rng(0))
    >>> np.linalg.norm(turned, axis=1).round(6).tolist()
    [3.0, 3.0]
    """
    rows, cells = _cells(patterns, labels, contexts)
    centre = rows.mean(0)
    turned = np.empty_like(rows)
    for _, own in sorted(cells.items()):
        left, sizes, right = np.linalg.svd(rows[own] - centre, full_matrices=False)
        basis, signs = np.linalg.qr(rng.standard_normal(right.T.shape))
        # Signs of the diagonal make the draw uniform over rotations.
        basis = basis * np.sign(np.diag(signs))
        turned[own] = centre + (left * sizes) @ basis.T
    return turned


def _cells(
    patterns: np.ndarray, labels: Sequence[str], contexts: Sequence[str]
) -> tuple[np.ndarray, dict[tuple[str, str], np.ndarray]]:
    rows = np.asarray(patterns, dtype=np.float64)
    if rows.ndim != 2 or not len(rows) == len(labels) == len(contexts):
        raise UsageError(
            "patterns must be rows x units, with one label and one context a row; got shape "
            f"{rows.shape}, {len(labels)} labels and {len(contexts)} contexts."
        )
    require_finite(rows, name="patterns")
    found: dict[tuple[str, str], list[int]] = {}
    for row, cell in enumerate(zip(labels, contexts, strict=True)):
        found.setdefault((str(cell[0]), str(cell[1])), []).append(row)
    return rows, {cell: np.array(own) for cell, own in found.items()}


Cell = tuple[str, str]


def _matched(
    by_class: list[list[Cell]], n_pairings: int, rng: np.random.Generator
) -> list[tuple[Cell, ...]]:
    shared = sorted(set.intersection(*({context for _, context in own} for own in by_class)))
    if len(shared) < 2:
        raise DataError(
            f"{len(shared)} contexts are shared by all classes, where two are needed to learn in "
            'one and test in another. pairings="all" holds out a context of its own for each.'
        )
    if len(shared) > n_pairings:
        shared = sorted(rng.choice(shared, n_pairings, replace=False).tolist())
    return [tuple((own[0][0], context) for own in by_class) for context in shared]


def _all(
    by_class: list[list[Cell]], n_pairings: int, rng: np.random.Generator
) -> list[tuple[Cell, ...]]:
    total = int(np.prod([len(own) for own in by_class], dtype=float))
    if total <= n_pairings:
        return list(product(*by_class))
    return [tuple(own[rng.integers(len(own))] for own in by_class) for _ in range(n_pairings)]


def _tested(
    rows: np.ndarray,
    kept: dict[tuple[str, str], np.ndarray],
    held: set[tuple[str, str]],
    shrinkage: float | str,
) -> float:
    learnt = [(cell[0], own) for cell, own in kept.items() if cell not in held]
    names = [label for label, own in learnt for _ in own]
    readout = fit_readout(rows[np.concatenate([o for _, o in learnt])], names, shrinkage=shrinkage)
    right = [(predict(readout, rows[kept[cell]]).labels == cell[0]).mean() for cell in held]
    return float(np.mean(right))
