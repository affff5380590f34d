"""Variance partitioning: what each feature space explains alone, and what several share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import Folds
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.ridge import as_kernel
from neuroai.numerics.ridge_penalty import PENALTIES

MOST_SPACES = 4


@dataclass(frozen=True)
class Partition:
    """Explained variance by subsets of feature spaces.

    Attributes
    ----------
    r2 : mapping from tuple of str to array, shape (n_targets,)
        R² of the model of each subset, mean over folds; NaN where undefined.
    parts : mapping from tuple of str to array, shape (n_targets,)
        What exactly the spaces of the subset share and no other space has; of a single space its
        unique part. The parts sum to R² of all spaces together. A part may lie below 0.
    how : str
        How rows were dealt.
    """

    r2: Mapping[tuple[str, ...], np.ndarray]
    parts: Mapping[tuple[str, ...], np.ndarray]
    how: str


def partition_variance(
    spaces: Mapping[str, Any],
    y: Any,
    *,
    folds: Folds,
    penalties: Any = PENALTIES,
) -> Partition:
    r"""Split cross-validated R² into unique and shared parts of two to four feature spaces.

    .. math:: part(S) = \sum_{T \subseteq S} (-1)^{|T| + 1} R^2(\overline{S} \cup T)

    with :math:`\overline{S}` the spaces outside S (commonality analysis). Each of the
    :math:`2^k - 1` models chooses its own penalties, for every target, on the same folds.

    Parameters
    ----------
    spaces : mapping from str to array, shape (n_rows, n_features of the space)
        Two to four feature spaces by name. Spaces of unlike scale should be scaled before.
    y : array, shape (n_rows, n_targets)
        Targets.
    folds : Folds
        Outer folds; the others choose penalties inside.
    penalties : sequence of float
        What is tried.

    Returns
    -------
    Partition

    Raises
    ------
    UsageError
        Fewer than two spaces or more than four.

    References
    ----------
    Lescroart et al., 2015, Front Comput Neurosci 9, 135, doi:10.3389/fncom.2015.00135; de Heer et
    al., 2017, J Neurosci 37, 6539, doi:10.1523/JNEUROSCI.3267-16.2017

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.standard_normal((2, 200, 1))
    >>> folds = group_folds([str(i) for i in range(200)], n_folds=4)
    >>> found = partition_variance({"a": a, "b": b}, a + b, folds=folds)
    >>> list(found.parts), float(sum(found.parts.values())[0].round(2))
    ([('a',), ('b',), ('a', 'b')], 1.0)
    """
    names = tuple(spaces)
    if not 2 <= len(names) <= MOST_SPACES:
        raise UsageError(
            f"Variance is split among 2 to {MOST_SPACES} feature spaces; got {len(names)}."
        )
    arrays = {name: np.asarray(x, dtype=float) for name, x in spaces.items()}
    wide = sum(x.shape[1] for x in arrays.values()) > len(next(iter(arrays.values())))
    grams = {name: np.asarray(centred_gram(x)) for name, x in arrays.items()} if wide else {}
    r2 = {}
    for subset in _subsets(names):
        # Features side by side have the sum of the inner products of their spaces.
        if wide:
            features = as_kernel(sum(grams[name] for name in subset))
        else:
            features = np.hstack([arrays[name] for name in subset])
        r2[subset] = encode(features, y, folds=folds, penalties=penalties).mean_r2()
    return Partition(r2, commonality(r2), folds.how)


def commonality(r2: Mapping[tuple[str, ...], np.ndarray]) -> dict[tuple[str, ...], np.ndarray]:
    """Turn the R² of all subsets into parts that sum to the R² of all.

    Examples
    --------
    >>> commonality({("a",): 0.5, ("b",): 0.4, ("a", "b"): 0.6})[("a", "b")].round(6)
    np.float64(0.3)
    """
    names = max(r2, key=len)
    parts = {}
    for subset in _subsets(names):
        outside = [name for name in names if name not in subset]
        total = np.zeros_like(np.asarray(r2[names], dtype=float))
        for some in ((), *_subsets(subset)):
            model = tuple(name for name in names if name in outside or name in some)
            explained = np.asarray(r2[model], dtype=float) if model else 0.0
            total = total + (-1) ** (len(some) + 1) * explained
        parts[subset] = total
    return parts


def _subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    return [some for size in range(1, len(names) + 1) for some in combinations(names, size)]
