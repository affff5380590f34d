"""Deficit profiles: what a lesion takes from each of several tasks, in a brain and in a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroai.checks import known_name, listing
from neuroai.errors import UsageError
from neuroai.numerics.deficits import (
    FEWEST_TASKS,
    ProfileMatch,
    deficit_profile,
    match_profiles,
    profile_ceiling,
)
from neuroai.numerics.detection import d_prime

D_PRIME, LOGIT = "d'", "logit accuracy"


@dataclass(frozen=True)
class Profile:
    """What one lesion changes on each task, beside its controls.

    Attributes
    ----------
    system, region, target : str
        Who was lesioned, where, and how the target was chosen.
    origin : str
        ``simulated`` or ``measured``.
    dose : float
        Share of the target, in (0, 1]; NaN where it is not known.
    tasks, measures : tuple of str
        Tasks, and for each what changed: ``d'`` of two options, else ``logit accuracy``.
    intact, lesioned : array, shape (n_tasks,)
        The measure before and after.
    controls : array, shape (n_controls, n_tasks)
        Changes under matched random lesions; of a measured intervention, changes under shuffled
        labels of the trials.
    accuracy : array, shape (2, n_tasks)
        Share of right choices before and after, in [0, 1].
    control_accuracy : array, shape (n_controls, n_tasks)
        Share of right choices under the controls.
    n_lesioned, n_trials : int, tuple of int
        Elements lesioned, and choices behind each task.
    note : str
        What a reader must know.
    repeats : array, shape (n_subjects, n_tasks), or None
        Changes of single subjects, for the reliability of a measured profile.
    """

    system: str
    region: str
    target: str
    origin: str
    dose: float
    tasks: tuple[str, ...]
    measures: tuple[str, ...]
    intact: np.ndarray
    lesioned: np.ndarray
    controls: np.ndarray
    accuracy: np.ndarray
    control_accuracy: np.ndarray
    n_lesioned: int
    n_trials: tuple[int, ...]
    note: str = ""
    repeats: np.ndarray | None = None

    def restrict(self, tasks: Sequence[str]) -> Profile:
        """Keep these tasks, in this order."""
        for name in tasks:
            known_name(name, self.tasks, kind="task of this profile")
        at = [self.tasks.index(name) for name in tasks]
        return replace(
            self, tasks=tuple(tasks), measures=tuple(self.measures[i] for i in at),
            intact=self.intact[at], lesioned=self.lesioned[at], controls=self.controls[:, at],
            accuracy=self.accuracy[:, at], control_accuracy=self.control_accuracy[:, at],
            n_trials=tuple(self.n_trials[i] for i in at),
            repeats=None if self.repeats is None else self.repeats[:, at],
        )  # fmt: skip

    @property
    def change(self) -> np.ndarray:
        """The measure after less before, shape (n_tasks,)."""
        return self.lesioned - self.intact

    @property
    def deficits(self) -> np.ndarray:
        """The change in standard deviations of the controls; NaN where these do not scatter."""
        return deficit_profile(self.change, self.controls)

    @property
    def p(self) -> np.ndarray:
        """Share of the lesions, this one among them, that take as much, shape (n_tasks,)."""
        as_large = (self.controls <= self.change).sum(axis=0)
        return (1 + as_large) / (1 + len(self.controls))


@dataclass(frozen=True)
class ProfileSearch:
    """Which of several lesions of a network has the brain's profile.

    Attributes
    ----------
    candidates : tuple of Profile
        Every unit set, layer and dose, most alike first.
    matches : tuple of ProfileMatch
        How alike each is, in the same order.
    p_best : float
        p of the best match times the number of candidates that were searched, at most 1.
    ceiling : float
        Highest correlation that a perfect profile could reach, by the reliability of the brain's
        over its subjects; NaN for fewer than six tasks or two subjects.
    """

    candidates: tuple[Profile, ...]
    matches: tuple[ProfileMatch, ...]
    p_best: float
    ceiling: float


def find_profile(brain: Profile, candidates: Sequence[Profile]) -> ProfileSearch:
    """Order lesions of a network by how like their deficit profiles are to a brain's.

    Six tasks or more are compared by correlation, fewer by the cosine and the agreement of signs.
    The p of each is exact over its own matched random lesions; that of the best is corrected for
    the search (Bonferroni).

    Parameters
    ----------
    brain : Profile
        Of the brain.
    candidates : sequence of Profile
        Of the network, over tasks of the same names.

    Raises
    ------
    UsageError
        No candidate, or one with other tasks.

    References
    ----------
    Shallice 1988, From Neuropsychology to Mental Structure.
    """
    if not candidates:
        raise UsageError("A profile is looked for among one lesion or more; got none.")
    for one in candidates:
        if one.tasks != brain.tasks:
            raise UsageError(
                f"The brain's profile is over {listing(brain.tasks)}, that of {one.region} over "
                f"{listing(one.tasks)}. Ask both for the same tasks in one order."
            )
    matches = [
        match_profiles(brain.deficits, one.deficits, controls=_as_deficits(one))
        for one in candidates
    ]
    order = sorted(range(len(matches)), key=lambda i: _rank(matches[i]))
    known = [m.p for m in matches if np.isfinite(m.p)]
    best = matches[order[0]].p
    return ProfileSearch(
        tuple(candidates[i] for i in order),
        tuple(matches[i] for i in order),
        min(1.0, best * len(known)) if np.isfinite(best) else float("nan"),
        _ceiling(brain),
    )


def _ceiling(brain: Profile) -> float:
    """Give the ceiling of a correlation with the brain's profile, in units of its controls."""
    few = brain.repeats is None or len(brain.repeats) < 2 or len(brain.tasks) < FEWEST_TASKS
    if few:
        return float("nan")
    return profile_ceiling(brain.repeats / brain.controls.std(axis=0, ddof=1))


def _rank(match: ProfileMatch) -> float:
    return -match.value if np.isfinite(match.value) else float("inf")


def _as_deficits(profile: Profile) -> np.ndarray:
    spread = profile.controls.std(axis=0, ddof=1)
    known = spread > 0
    out = np.full(profile.controls.shape, np.nan)
    return np.divide(profile.controls, spread, out=out, where=known[None])


def share(counts: tuple[np.ndarray, ...]) -> np.ndarray:
    """Give the share of right choices, from hits, misses, false alarms and rejections.

    Examples
    --------
    >>> float(share((3.0, 1.0, 2.0, 2.0)))
    0.625
    """
    hits, misses, alarms, rejected = counts
    return np.asarray((hits + rejected) / (hits + misses + alarms + rejected))


def sensitivity(counts: tuple[np.ndarray, ...], *, measure: str) -> np.ndarray:
    """Give d' of two options, or the logit of accuracy, both finite at floor and ceiling.

    Examples
    --------
    >>> float(sensitivity((4.0, 4.0, 4.0, 4.0), measure="logit accuracy"))
    0.0
    """
    if measure == D_PRIME:
        return np.asarray(d_prime(*counts))
    hits, misses, alarms, rejected = counts
    return np.asarray(np.log((hits + rejected + 0.5) / (misses + alarms + 0.5)))
