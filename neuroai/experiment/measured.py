"""Measured interventions: what silencing, stimulation or a lesion did to recorded behaviour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.format.answers import NotMeasurable
from neuroai.format.results import DoseCurve
from neuroai.format.schema import SUBJECT
from neuroai.numerics.intervals import percentile_interval
from neuroai.systems.brain import Recorded

SHAM = "sham"
N_BOOTSTRAP = 1000
ROUNDING = 1e-12


def measured_curves(
    brain: Recorded, tasks: Sequence[ChoiceTask], *, seed: int = 0
) -> tuple[DoseCurve, ...]:
    """Give accuracy under every measured intervention, dose by dose, beside its sham.

    Parameters
    ----------
    brain : Recorded
        A brain whose behaviour carries ``intervention`` (and ``dose``); an intervention called
        ``sham`` or ``sham ...`` serves as control of the others.
    tasks : sequence of ChoiceTask
        The tasks to look at.
    seed : int
        Seed of the bootstrap over trials within subjects, and over subjects.

    Returns
    -------
    tuple of DoseCurve
        Origin ``measured``; controls are bootstrap samples of the sham trials (those of the same
        dose, else of all). ``p`` is one-sided, from 1,000 permutations of treated and sham trials
        within each subject: (1 + #{drops at least as large}) / 1,001. Subjects without a scored
        trial are left out.
    """
    interventions = dict(brain.interventions())
    shams = {name: doses for name, doses in interventions.items() if name.startswith(SHAM)}
    curves = []
    for task in tasks:
        intact = brain.choices(task)
        if isinstance(intact, NotMeasurable) or "correct" not in intact or not _trials(intact):
            continue
        for name, doses in interventions.items():
            if name not in shams:
                curve = _curve(brain, task, intact, name, doses, sorted(shams), seed=seed)
                curves += [curve] if curve is not None else []
    return tuple(curves)


def _curve(
    brain: Recorded,
    task: ChoiceTask,
    intact: xr.Dataset,
    name: str,
    doses: Sequence[float],
    shams: Sequence[str],
    *,
    seed: int,
) -> DoseCurve | None:
    rng = np.random.default_rng([seed, 7])
    rows = []
    for dose in doses:
        table = brain.under_intervention(name, dose=dose).choices(task)
        if isinstance(table, NotMeasurable) or not _trials(table):
            continue
        samples = _bootstrap(table, rng)
        sham = _sham(brain, task, shams, dose)
        p = np.nan if sham is None else _permutation_p(table, sham, rng)
        controls = None if sham is None else _bootstrap(sham, rng)
        rows.append((dose, _accuracy(table), *percentile_interval(samples), p, controls))
    if not rows:
        return None
    found, targeted, low, high, p, controls = zip(*rows, strict=True)
    have = all(sham is not None for sham in controls)
    return DoseCurve(
        system=brain.name,
        kind=brain.kind,
        region=name,
        level="computation",
        measure="accuracy",
        lesion=name,
        origin="measured",
        baseline=_accuracy(intact),
        doses=np.array(found),
        targeted=np.array(targeted),
        controls=np.array(controls) if have else np.empty((len(found), 0)),
        p=np.array(p),
        n_targets=np.zeros(len(found), dtype=int),
        ci_low=np.array(low),
        ci_high=np.array(high),
        note="mean over subjects; interval from a bootstrap over subjects and trials"
        + ("; controls are bootstrap samples of sham trials" if have else "; no sham was run"),
    )


def _trials(table: xr.Dataset) -> dict[str, np.ndarray]:
    """Give the scored trials of every subject that has some."""
    subjects = table[SUBJECT].values.astype(str)
    correct = table["correct"].values.astype(float)
    rows = {s: correct[(subjects == s) & ~np.isnan(correct)] for s in np.unique(subjects)}
    return {s: row for s, row in rows.items() if len(row)}


def _accuracy(table: xr.Dataset) -> float:
    return float(np.mean([row.mean() for row in _trials(table).values()]))


def _permutation_p(treated: xr.Dataset, sham: xr.Dataset, rng: np.random.Generator) -> float:
    """Shuffle treated and sham trials within the subjects that have both."""
    a, b = _trials(treated), _trials(sham)
    shared = [s for s in a if s in b]
    if not shared:
        return float("nan")
    observed = float(np.mean([a[s].mean() - b[s].mean() for s in shared]))
    null = np.mean([_shuffled_drops(a[s], b[s], rng) for s in shared], axis=0)
    return float((1 + (null <= observed + ROUNDING).sum()) / (1 + len(null)))


def _shuffled_drops(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give differences of means under shuffling: the treated trials' hits are hypergeometric."""
    hits = int(a.sum() + b.sum())
    drawn = rng.hypergeometric(hits, len(a) + len(b) - hits, len(a), N_BOOTSTRAP)
    return drawn / len(a) - (hits - drawn) / len(b)


def _bootstrap(table: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Resample subjects, and trials within each."""
    rows = list(_trials(table).values())
    means = np.array(
        [row[rng.integers(0, len(row), (N_BOOTSTRAP, len(row)))].mean(axis=1) for row in rows]
    )
    chosen = rng.integers(0, len(rows), (N_BOOTSTRAP, len(rows)))
    return means[chosen, np.arange(N_BOOTSTRAP)[:, None]].mean(axis=1)


def _sham(
    brain: Recorded, task: ChoiceTask, shams: Sequence[str], dose: float
) -> xr.Dataset | None:
    """Give the sham trials of a dose; those of all doses where sham has doses of its own."""
    for chosen in (dose, None):
        for name in shams:
            table = brain.under_intervention(name, dose=chosen).choices(task)
            if not isinstance(table, NotMeasurable) and _trials(table):
                return table
    return None
