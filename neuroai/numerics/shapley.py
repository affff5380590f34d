"""Shapley values: the fair share of each part in what all parts do together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np

from neuroai.errors import UsageError

MOST_EXACT = 12
Value = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Contributions:
    """Shapley values of parts.

    Attributes
    ----------
    values : array, shape (n_elements,)
        In the unit of the value; they add up to `whole` less `nothing`.
    errors : array, shape (n_elements,)
        Standard errors; 0 where the values are exact.
    course : array, shape (n_samples, n_elements)
        Standard errors after every sample, NaN after the first alone; empty where exact.
    whole, nothing : float
        Value of all parts together, and of none.
    n_evaluations : int
        How often the value was asked for.
    exact : bool
        Whether every coalition was asked.
    """

    values: np.ndarray
    errors: np.ndarray
    course: np.ndarray
    whole: float
    nothing: float
    n_evaluations: int
    exact: bool


def shapley_values(
    value: Value,
    n_elements: int,
    *,
    n_permutations: int = 200,
    antithetic: bool = True,
    exact: bool | None = None,
    seed: int = 0,
) -> Contributions:
    r"""Share the value of a whole among its parts by what each adds, over all orders of adding.

    .. math:: \phi_i = \frac{1}{n!} \sum_\pi \left[ v(S^\pi_i \cup \{i\}) - v(S^\pi_i) \right]

    with S the parts that come before i in the order π. Up to 12 parts every coalition is asked;
    beyond, orders are drawn at random. Each order asks for n values, since what one part leaves
    the next begins with.

    Parameters
    ----------
    value : callable
        Takes which parts are intact, array of bool, shape (n_elements,), and gives a number. The
        others are lesioned. It is asked once for each coalition.
    n_elements : int
        Parts, at least 1.
    n_permutations : int
        Orders, at least 4 and even where antithetic.
    antithetic : bool
        Follow each order by its reverse and count both as one sample, which varies less.
    exact : bool, optional
        Ask every coalition; by default up to 12 parts.
    seed : int
        Seed of the orders.

    Returns
    -------
    Contributions

    Raises
    ------
    UsageError
        No part, too few permutations, or exact values of more than 12 parts.

    References
    ----------
    Shapley 1953, doi:10.1515/9781400881970-018; Keinan et al. 2004,
    doi:10.1162/0899766041941961; Castro et al. 2009, doi:10.1016/j.cor.2008.04.004

    Examples
    --------
    Parts 0 and 1 are worth 1 together and nothing alone; part 2 is worth 2.

    >>> game = lambda intact: float(intact[0] and intact[1]) + 2.0 * float(intact[2])
    >>> shapley_values(game, 3).values.round(12).tolist()
    [0.5, 0.5, 2.0]
    """
    if n_elements < 1:
        raise UsageError(f"There must be one part or more; got {n_elements}.")
    small = n_elements <= MOST_EXACT
    if exact and not small:
        raise UsageError(
            f"Exact values ask for 2^{n_elements} coalitions; at most {MOST_EXACT} parts are "
            "allowed. Group parts, or draw permutations with exact=False."
        )
    game = _Remembered(value, n_elements)
    if small if exact is None else exact:
        return _all_coalitions(game, n_elements)
    step = 2 if antithetic else 1
    if n_permutations < 2 * step or n_permutations % step:
        raise UsageError(
            f"n_permutations must be {2 * step} or more{', and even' if antithetic else ''}; "
            f"got {n_permutations}."
        )
    return _sampled(game, n_elements, n_permutations // step, antithetic, seed)


class _Remembered:
    """A value that is asked once for each coalition."""

    def __init__(self, value: Value, n_elements: int) -> None:
        self.value, self.known = value, {}
        self.whole, self.nothing = (self(np.full(n_elements, full)) for full in (True, False))

    def __call__(self, intact: np.ndarray) -> float:
        key = intact.tobytes()
        if key not in self.known:
            given = intact.copy()
            given.setflags(write=False)
            self.known[key] = float(self.value(given))
            if not np.isfinite(self.known[key]):
                raise UsageError(
                    f"The value of parts {np.flatnonzero(intact).tolist()} is not finite; "
                    "contributions are defined only where every coalition has a value."
                )
        return self.known[key]


def _all_coalitions(game: _Remembered, n: int) -> Contributions:
    masks = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
    worth = np.array([game(mask) for mask in masks])
    size = masks.sum(axis=1)
    weight = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    values = np.empty(n)
    for i in range(n):
        without = np.flatnonzero(~masks[:, i])
        values[i] = (weight[size[without]] * (worth[without + 2**i] - worth[without])).sum()
    return Contributions(
        values, np.zeros(n), np.zeros((0, n)), game.whole, game.nothing, len(game.known), exact=True
    )


def _sampled(
    game: _Remembered, n: int, n_samples: int, antithetic: bool, seed: int
) -> Contributions:
    rng = np.random.default_rng(seed)
    samples = np.empty((n_samples, n))
    for row in range(n_samples):
        order = rng.permutation(n)
        gains = _gains(game, order)
        samples[row] = (gains + _gains(game, order[::-1])) / 2 if antithetic else gains
    count = np.arange(1, n_samples + 1)[:, None]
    mean = samples.cumsum(axis=0) / count
    squares = np.maximum((samples**2).cumsum(axis=0) / count - mean**2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        course = np.sqrt(squares / (count - 1))
    return Contributions(
        mean[-1], course[-1], course, game.whole, game.nothing, len(game.known), exact=False
    )


def _gains(game: _Remembered, order: np.ndarray) -> np.ndarray:
    """Give what each part adds to those before it."""
    intact, gains = np.zeros(len(order), dtype=bool), np.empty(len(order))
    before = game.nothing
    for element in order:
        intact[element] = True
        after = game(intact)
        gains[element], before = after - before, after
    return gains


def shapley_interactions(value: Value, n_elements: int) -> np.ndarray:
    r"""Say for every two parts how much more, or less, they are worth together than apart.

    .. math:: I_{ij} = \sum_{S \subseteq N \setminus ij} \frac{|S|! \, (n - |S| - 2)!}{(n - 1)!}
              \left[ v(S \cup ij) - v(S \cup i) - v(S \cup j) + v(S) \right]

    Parameters
    ----------
    value : callable
        As for `shapley_values`.
    n_elements : int
        Parts, from 2 to 12: every coalition is asked.

    Returns
    -------
    array, shape (n_elements, n_elements)
        Symmetric, in the unit of the value; NaN on the diagonal.

    Raises
    ------
    UsageError
        Fewer than 2 or more than 12 parts.

    References
    ----------
    Grabisch & Roubens 1999, doi:10.1007/s001820050125

    Examples
    --------
    >>> game = lambda intact: float(intact[0] and intact[1]) + 2.0 * float(intact[2])
    >>> found = shapley_interactions(game, 3)
    >>> found[0, 1].round(12).item(), abs(found[0, 2].round(12)).item()
    (1.0, 0.0)
    """
    n = n_elements
    if not 2 <= n <= MOST_EXACT:
        raise UsageError(f"Interactions need 2 to {MOST_EXACT} parts; got {n}. Group parts.")
    game = _Remembered(value, n)
    masks = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
    worth = np.array([game(mask) for mask in masks])
    size = masks.sum(axis=1)
    weight = np.array(
        [factorial(s) * factorial(n - s - 2) / factorial(n - 1) for s in range(n - 1)]
    )
    found = np.full((n, n), np.nan)
    for i, j in combinations(range(n), 2):
        rest = np.flatnonzero(~masks[:, i] & ~masks[:, j])
        extra = worth[rest + 2**i + 2**j] - worth[rest + 2**i] - worth[rest + 2**j] + worth[rest]
        found[i, j] = found[j, i] = (weight[size[rest]] * extra).sum()
    return found
