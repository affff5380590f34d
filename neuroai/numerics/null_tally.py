"""Where scores of many targets lie among those that chance gives, kept as counts alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

# Scores that are the same but for the order of sums.
SAME = 1e-10


@dataclass(frozen=True, eq=False)
class NullTally:
    """What remains of a null distribution.

    Attributes
    ----------
    p : array, shape (n_targets,)
        Of each target by itself; NaN where its score is undefined.
    p_max : array, shape (n_targets,)
        By the largest null score of all targets, which holds the level for the family.
    means : array, shape (n_null, n_groups)
        Means of the null scores over the targets of each group; infinite where one is undefined.
    n_undefined : int
        Null scores that are undefined, of targets whose observed score is not.
    """

    p: np.ndarray
    p_max: np.ndarray
    means: np.ndarray
    n_undefined: int


def null_tally(
    observed: np.ndarray, drawn: Iterable[np.ndarray], *, groups: np.ndarray | None = None
) -> NullTally:
    r"""Count how often scores under the null reach those observed, block by block.

    .. math:: p_u = \frac{1 + \#\{b : s_{bu} \ge s_u\}}{1 + N}, \qquad
              p^{max}_u = \frac{1 + \#\{b : \max_v s_{bv} \ge s_u\}}{1 + N}

    Null scores that are undefined count as reaching what was observed: p can only grow by them.
    Targets whose observed score is undefined take no part.

    Parameters
    ----------
    observed : array, shape (n_targets,)
        Scores; the larger the better.
    drawn : iterable of arrays, shape (n_block, n_targets)
        Null scores; only one block is held at a time.
    groups : array of int, shape (n_targets,), optional
        Which mean each target belongs to, such as its time; all to one by default.

    Returns
    -------
    NullTally

    References
    ----------
    Nichols & Holmes 2002, Human Brain Mapping 15, 1, doi:10.1002/hbm.1058

    Examples
    --------
    >>> found = null_tally([0.5, 0.2], [np.array([[0.1, 0.3]]), np.array([[0.4, 0.1]])])
    >>> found.p.round(2).tolist(), found.p_max.round(2).tolist(), found.means.ravel().tolist()
    ([0.33, 0.67], [0.33, 1.0], [0.2, 0.25])
    """
    observed = np.asarray(observed, dtype=np.float64)
    known = np.isfinite(observed)
    level = np.where(known, observed - SAME * np.maximum(1.0, np.abs(observed)), np.inf)
    group = np.zeros(len(observed), dtype=int) if groups is None else np.asarray(groups)
    members = np.zeros((int(group.max()) + 1, len(observed)))
    members[group[known], np.flatnonzero(known)] = 1.0
    reached, largest, means, n_undefined = np.zeros(len(observed)), [], [], 0
    for block in drawn:
        n_undefined += int(np.isnan(block[:, known]).sum())
        reaching = np.where(np.isnan(block), np.inf, block)
        reached += (reaching >= level).sum(axis=0)
        largest.append(np.where(known, reaching, -np.inf).max(axis=1))
        means.append(_means(np.where(known, reaching, 0.0), members))
    top = np.sort(np.concatenate(largest))
    above = len(top) - np.searchsorted(top, level)
    p, p_max = ((1 + count) / (1 + len(top)) for count in (reached, above))
    p[~known] = p_max[~known] = np.nan
    return NullTally(p, p_max, np.concatenate(means), n_undefined)


def _means(scores: np.ndarray, members: np.ndarray) -> np.ndarray:
    sizes = members.sum(axis=1)
    # Infinite scores times 0 would be undefined.
    sums = np.stack([scores[:, row > 0].sum(axis=1) for row in members], axis=1)
    return np.divide(sums, sizes, out=np.full_like(sums, np.nan), where=sizes > 0)
