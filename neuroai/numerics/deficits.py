"""Deficit profiles: what a lesion takes from each of several tasks, and whose profile it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import UsageError

# Fewer tasks carry no correlation that could be told from another.
FEWEST_TASKS = 6


def deficit_profile(change: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """Express the change on each task in units of what matched random lesions scatter by.

    z_t = change_t / SD_t(controls), the SD with n - 1.

    Parameters
    ----------
    change : array, shape (n_tasks,)
        Lesioned minus intact, of d′ (or of the logit of accuracy).
    controls : array, shape (n_controls, n_tasks)
        The same of random lesions of the same size and place; at least two.

    Returns
    -------
    numpy.ndarray, shape (n_tasks,)
        NaN where the controls of a task do not scatter.

    Examples
    --------
    >>> deficit_profile(np.array([-2.0, 0.5]), np.array([[0.0, 1.0], [2.0, 1.0]]))
    array([-1.41421356,         nan])
    """
    change, controls = np.asarray(change, float), np.asarray(controls, float)
    if controls.ndim != 2 or len(controls) < 2 or change.shape != controls.shape[1:]:
        raise UsageError(
            "A change (n_tasks,) and at least two controls (n_controls, n_tasks) are wanted; got "
            f"{change.shape} and {controls.shape}."
        )
    spread = controls.std(axis=0, ddof=1)
    defined = spread > 0
    return np.divide(change, spread, out=np.full(change.shape, np.nan), where=defined)


@dataclass(frozen=True)
class ProfileMatch:
    """How like two deficit profiles are.

    Attributes
    ----------
    measure : {"correlation", "cosine"}
        A correlation with six tasks or more, else the cosine.
    value : float
        In [-1, 1]; NaN where it is not defined.
    signs : float
        Share of the tasks on which both go in one direction, in [0, 1].
    n_tasks : int
        Tasks on which both profiles are defined.
    p : float
        Share of the lesions, the asked one among them, that match at least as well; NaN without
        controls.
    n_controls : int
        Random lesions behind `p`.
    """

    measure: str
    value: float
    signs: float
    n_tasks: int
    p: float
    n_controls: int


def match_profiles(
    brain: np.ndarray, network: np.ndarray, *, controls: np.ndarray | None = None
) -> ProfileMatch:
    """Compare the deficit profile of a network's lesion with a brain's.

    Parameters
    ----------
    brain, network : array, shape (n_tasks,)
        Profiles, as `deficit_profile` gives them; NaN where undefined.
    controls : array, shape (n_controls, n_tasks), optional
        Profiles of the random lesions that are matched with the network's. Under the null the
        lesion is one of them, so that p = (1 + number of controls at least as like) / (1 + n) is
        exact.

    Returns
    -------
    ProfileMatch

    Examples
    --------
    >>> match = match_profiles(
    ...     np.array([-2.0, -1.0, 0.0]),
    ...     np.array([-4.0, -2.0, 0.0]),
    ...     controls=np.array([[1.0, -1.0, 0.5], [-1.0, 2.0, 0.0], [0.0, 0.0, 1.0]]),
    ... )
    >>> match.measure, match.value, match.p
    ('cosine', 1.0, 0.25)
    """
    brain, network = np.asarray(brain, float), np.asarray(network, float)
    if brain.ndim != 1 or brain.shape != network.shape:
        raise UsageError(
            f"Two profiles of the same tasks are wanted; got {brain.shape} and {network.shape}."
        )
    known = np.isfinite(brain) & np.isfinite(network)
    centred = int(known.sum()) >= FEWEST_TASKS
    value = float(_likeness(brain[known], network[known][None], centred=centred)[0])
    signs = np.sign(brain[known]) == np.sign(network[known])
    p, n_controls = float("nan"), 0
    if controls is not None and np.isfinite(value):
        others = np.asarray(controls, float)[:, known]
        others = others[np.isfinite(others).all(axis=1)]
        null = _likeness(brain[known], others, centred=centred)
        n_controls = len(null)
        # An undefined control is at least as like: it must not make the lesion look special.
        p = (1 + int((~(null < value)).sum())) / (1 + n_controls)
    return ProfileMatch(
        "correlation" if centred else "cosine",
        value,
        float(signs.mean()) if known.any() else float("nan"),
        int(known.sum()),
        p,
        n_controls,
    )


def _likeness(one: np.ndarray, others: np.ndarray, *, centred: bool) -> np.ndarray:
    if centred:
        one, others = one - one.mean(), others - others.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(one) * np.linalg.norm(others, axis=1)
    found = others @ one
    return np.divide(found, scale, out=np.full(len(others), np.nan), where=scale > 0)


def profile_ceiling(repeats: np.ndarray) -> float:
    """Give the highest correlation that a perfect profile could reach with a measured one.

    The square root of the reliability: the mean correlation r of halves of the repeats, corrected
    by Spearman and Brown, 2 r / (1 + r), averaged over all splits into two equal halves.

    Parameters
    ----------
    repeats : array, shape (n_repeats, n_tasks)
        Profiles of single subjects or sessions, at least two, over at least six tasks.

    Returns
    -------
    float
        In [0, 1]; NaN where halves do not correlate above 0.

    References
    ----------
    Spearman, 1910, Br J Psychol 3, 271, doi:10.1111/j.2044-8295.1910.tb00206.x

    Examples
    --------
    >>> profile_ceiling(np.array([[1.0, 2, 3, 4, 5, 6], [1.0, 2, 3, 4, 5, 6]]))
    1.0
    """
    repeats = np.asarray(repeats, float)
    if repeats.ndim != 2 or len(repeats) < 2 or repeats.shape[1] < FEWEST_TASKS:
        raise UsageError(
            f"Two or more profiles over at least {FEWEST_TASKS} tasks are wanted; got "
            f"{repeats.shape}."
        )
    found = []
    for first in _halves(len(repeats)):
        second = np.setdiff1d(np.arange(len(repeats)), first)
        a, b = repeats[first].mean(axis=0), repeats[second].mean(axis=0)
        found.append(float(_likeness(a, b[None], centred=True)[0]))
    r = float(np.mean(found))
    return float(np.sqrt(2 * r / (1 + r))) if r > 0 else float("nan")


def _halves(n: int, *, most: int = 200) -> list[np.ndarray]:
    """Give every split of n things into two halves, or 200 of them drawn with a fixed seed."""
    from itertools import combinations
    from math import comb

    if comb(n, n // 2) <= most:
        return [np.array(chosen) for chosen in combinations(range(n), n // 2)]
    rng = np.random.default_rng(0)
    return [np.sort(rng.permutation(n)[: n // 2]) for _ in range(most)]
