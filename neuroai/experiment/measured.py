"""Measured interventions: what silencing, stimulation or a lesion did to recorded behaviour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.format.answers import NotMeasurable
from neuroai.format.results import DoseCurve
from neuroai.format.schema import SUBJECT
from neuroai.systems.brain import Recorded

SHAM = "sham"
N_BOOTSTRAP = 1000


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
        Origin ``measured``; controls are bootstrap samples of the sham trials, and
        ``p`` = (1 + #{sham accuracy <= accuracy}) / (1 + n), over trials.
    """
    interventions = dict(brain.interventions())
    shams = {name: doses for name, doses in interventions.items() if name.startswith(SHAM)}
    curves = []
    for task in tasks:
        intact = brain.choices(task)
        if isinstance(intact, NotMeasurable) or "correct" not in intact:
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
        if isinstance(table, NotMeasurable):
            continue
        samples = _bootstrap(table, rng)
        sham = _sham(brain, task, shams, dose, rng)
        p = np.nan if sham is None else (1 + (sham <= _accuracy(table)).sum()) / (1 + len(sham))
        rows.append((dose, _accuracy(table), *np.percentile(samples, [2.5, 97.5]), p, sham))
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


def _accuracy(table: xr.Dataset) -> float:
    subjects = table[SUBJECT].values.astype(str)
    correct = table["correct"].values
    return float(np.mean([np.nanmean(correct[subjects == s]) for s in np.unique(subjects)]))


def _bootstrap(table: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Resample subjects, and trials within each."""
    subjects = table[SUBJECT].values.astype(str)
    correct = table["correct"].values
    rows = [correct[(subjects == s) & ~np.isnan(correct)] for s in np.unique(subjects)]
    means = np.array([row[rng.integers(0, len(row), (N_BOOTSTRAP, len(row)))].mean(axis=1) for row in rows])
    chosen = rng.integers(0, len(rows), (N_BOOTSTRAP, len(rows)))
    return means[chosen, np.arange(N_BOOTSTRAP)[:, None]].mean(axis=1)


def _sham(
    brain: Recorded,
    task: ChoiceTask,
    shams: Sequence[str],
    dose: float,
    rng: np.random.Generator,
) -> np.ndarray | None:
    for name in shams:
        table = brain.under_intervention(name, dose=dose).choices(task)
        if not isinstance(table, NotMeasurable):
            return _bootstrap(table, rng)
    return None
