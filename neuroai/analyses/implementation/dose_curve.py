"""Dose curves: what lesions of a target do, beside random lesions of the same size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from neuroai.cards import AnalysisCard
from neuroai.checks import in_range, listing, no_duplicates
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable

MIN_CONTROLS = 100
# Levels of activity that controls are matched in, the finest first.
LEVELS = (10, 5, 2, 1)

CARD = AnalysisCard(
    name="dose_curve",
    level="implementation",
    question="How do behaviour and representation change as more of the target is lesioned?",
    form="profile",
    defined_on="any system whose parts can be lesioned, masked or were silenced",
    citation="Shallice 1988, From Neuropsychology to Mental Structure",
)


def dose_curve(
    question: Callable[[tuple[int, ...]], Mapping[str, float]],
    *,
    targets: Sequence[int],
    elements: Sequence[int],
    doses: Sequence[float] = (0.1, 0.3, 1.0),
    n_controls: int = MIN_CONTROLS,
    strata: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[str, dict[str, np.ndarray]] | NotMeasurable:
    """Ask a question of a system under growing lesions and under random lesions.

    For dose d the first round(d n) targets are lesioned (at least one, best first). Controls are
    random sets of the same size from the whole region, the target's elements among them; with
    `strata` each holds as many elements of every stratum as the lesioned targets do.

    .. math:: p = (1 + \\#\\{drop_{control} \\ge drop_{target}\\}) / (1 + n_{controls})

    Under the null the target is itself such a random set, so that p holds its level (.050 of 20,000
    simulations). It would not with sets that avoid the target: a random target that holds part of a
    module meets controls that lack it.

    Parameters
    ----------
    question : callable
        Takes the positions of the lesioned elements (empty for the intact system) and gives named
        measures; the larger, the better.
    targets : sequence of int
        Positions of the target's elements, strongest first.
    elements : sequence of int
        Positions of every element of the region that may be drawn as a control.
    doses : sequence of float
        Fractions of the target, each in (0, 1].
    n_controls : int
        Random sets a dose; at least 100.
    strata : sequence of int, optional
        Stratum of each of `elements`, such as the decile of its mean activity.
    seed : int
        Seed of the draw.

    Returns
    -------
    dict or NotMeasurable
        For every measure: ``baseline`` (), ``targeted`` (n_doses,), ``controls`` (n_doses,
        n_controls), ``p`` (n_doses,) and ``n_targets`` (n_doses,).

    Raises
    ------
    UsageError
        A dose is out of range, none is given, or too few controls were asked for.
    AlignmentError
        An element is named twice in the target.

    Examples
    --------
    >>> weights = np.array([5.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    >>> intact = lambda hit: {"accuracy": 8.0 - weights[list(hit)].sum()}
    >>> curve = dose_curve(intact, targets=[0, 1], elements=range(7), doses=(0.5, 1.0))
    >>> curve["accuracy"]["targeted"].tolist()
    [3.0, 0.0]
    """
    if not len(doses):
        raise UsageError("A dose curve needs at least one dose in (0, 1].")
    for dose in doses:
        in_range(dose, option="dose", low=0, high=1, low_open=True)
    if n_controls < MIN_CONTROLS:
        raise UsageError(f"A lesion needs at least {MIN_CONTROLS} controls; got {n_controls}.")
    if not len(targets):
        return NotMeasurable("the localiser selected nothing to lesion")
    no_duplicates(targets, where="the target")
    sizes = np.array([max(1, round(dose * len(targets))) for dose in doses])
    pool = _Pool(elements, targets, strata)
    reason = pool.why_not(int(sizes.max()))
    if reason:
        return NotMeasurable(reason)
    rng = np.random.default_rng(seed)
    intact = dict(question(()))
    hits = [question(tuple(int(t) for t in targets[:size])) for size in sizes]
    controls = [
        [question(pool.draw(targets[:size], rng)) for _ in range(n_controls)] for size in sizes
    ]
    return {name: _measure(name, intact, hits, controls, sizes) for name in intact}


def matched_controls(
    targets: Sequence[int],
    *,
    activity: Sequence[float],
    n_controls: int = MIN_CONTROLS,
    seed: int = 0,
) -> tuple[tuple[int, ...], ...] | NotMeasurable:
    """Draw random sets of a region, of the target's size and activity.

    They are drawn from every element, those of the target too; see `dose_curve` for why.

    Parameters
    ----------
    targets : sequence of int
        Positions of the target's elements.
    activity : sequence of float, length n_elements
        Mean absolute activity of every element of the region, by whose decile sets are matched.
    n_controls : int
        Sets.
    seed : int
        Seed of the draw.

    Returns
    -------
    tuple of tuple of int, or NotMeasurable
        The sets; NotMeasurable where too few elements lie outside the target.

    Examples
    --------
    >>> matched_controls([0], activity=[1.0, 1.0, 1.0], n_controls=2, seed=1)
    ((1,), (1,))
    """
    no_duplicates(targets, where="the target")
    elements = range(len(activity))
    strata = activity_strata(np.asarray(activity, dtype=float), elements, targets)
    pool = _Pool(elements, targets, strata)
    reason = pool.why_not(len(targets))
    if reason:
        return NotMeasurable(reason)
    rng = np.random.default_rng(seed)
    return tuple(pool.draw(targets, rng) for _ in range(n_controls))


class _Pool:
    """The elements that controls are drawn from, by stratum."""

    def __init__(
        self, elements: Sequence[int], targets: Sequence[int], strata: Sequence[int] | None
    ) -> None:
        everyone = np.asarray(elements, dtype=int)
        given = np.zeros(len(everyone), dtype=int) if strata is None else np.asarray(strata)
        if len(given) != len(everyone):
            raise UsageError(
                f"strata need one number for each of {len(everyone)} elements; got {len(given)}."
            )
        self.stratum = dict(zip(everyone.tolist(), given.tolist(), strict=True))
        missing = sorted({int(t) for t in targets} - set(self.stratum))
        if strata is not None and missing:
            raise UsageError(f"The targets {listing(missing)} are in no stratum.")
        self.members = {int(level): everyone[given == level] for level in np.unique(given)}
        self.targets = [int(t) for t in targets]

    def needed(self, targets: Sequence[int]) -> dict[int, int]:
        """Count the targets of each stratum."""
        levels = [self.stratum.get(int(t), 0) for t in targets]
        return {level: levels.count(level) for level in sorted(set(levels))}

    def why_not(self, most: int) -> str:
        """Say why there are no random sets beside the largest target; '' if there are."""
        for level, count in self.needed(self.targets[:most]).items():
            # A set of which most is the target's own would hardly differ from it.
            found = len(np.setdiff1d(self.members.get(level, ()), self.targets))
            if found < count + 1:
                alike = "" if len(self.members) < 2 else " that are as active"
                return (
                    f"{found} elements{alike} outside the target of {len(self.targets)} are too "
                    "few for random controls of the same size"
                )
        return ""

    def draw(self, targets: Sequence[int], rng: np.random.Generator) -> tuple[int, ...]:
        """Draw as many elements of every stratum as the targets have."""
        chosen = [
            rng.choice(self.members[level], count, replace=False)
            for level, count in self.needed(targets).items()
        ]
        return tuple(int(element) for part in chosen for element in part)


def activity_strata(
    activity: np.ndarray, elements: Sequence[int], targets: Sequence[int]
) -> np.ndarray:
    """Give the decile of each element's activity, or coarser levels where targets crowd one.

    Parameters
    ----------
    activity : array, shape (n_elements,)
        Mean absolute activity of each of `elements`, finite.
    elements, targets : sequence of int
        As for `dose_curve`.

    Returns
    -------
    array of int, shape (n_elements,)
        From 0, the least active; 10, 5, 2 levels or 1, the most that leave each level of the
        target more spared elements than it has targets.

    Examples
    --------
    >>> activity_strata(np.arange(8.0), range(8), [7]).tolist()
    [0, 0, 0, 0, 1, 1, 1, 1]
    """
    n = len(activity)
    ranks = np.argsort(np.argsort(activity, kind="stable"), kind="stable")
    for bins in LEVELS:
        strata = ranks * bins // max(1, n)
        if not _Pool(elements, targets, strata).why_not(len(targets)):
            return strata
    return np.zeros(n, dtype=int)


def _measure(
    name: str,
    intact: Mapping[str, float],
    hits: Sequence[Mapping[str, float]],
    controls: Sequence[Sequence[Mapping[str, float]]],
    sizes: np.ndarray,
) -> dict[str, np.ndarray]:
    targeted = np.array([hit[name] for hit in hits], dtype=float)
    random = np.array([[one[name] for one in row] for row in controls], dtype=float)
    as_large = (random <= targeted[:, None]).sum(axis=1)
    undefined = np.isnan(targeted) | np.isnan(random).any(axis=1)
    p = (1 + as_large) / (1 + random.shape[1])
    return {
        "baseline": np.asarray(intact[name], dtype=float),
        "targeted": targeted,
        "controls": random,
        "p": np.where(undefined, np.nan, p),
        "n_targets": sizes,
    }
