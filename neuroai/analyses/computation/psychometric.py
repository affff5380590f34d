"""Psychometric functions: how does the response rise with the level of the stimulus?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from neuroai.analyses.computation._columns import numbers_of, pooled
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import known_name, need, one_of
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.psychometric import MIN_LEVELS, PARAMETERS, fit_psychometric
from neuroai.numerics.psychometric_bootstrap import bootstrap_psychometric
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded

CORRECT = "correct"
INTERVALS = ("bootstrap", "psignifit")
UNDER = ("none", "each")
N_CURVE = 81
ENDS = ("low", "high")

CARD = AnalysisCard(
    name="psychometric",
    level="computation",
    question="How does the response rise with the level of the stimulus?",
    form="table",
    defined_on="choices on stimuli of at least three levels, recorded, computed or read out",
    citation="Wichmann & Hill 2001, doi:10.3758/BF03194544",
)


@dataclass(frozen=True)
class _Fitting:
    """How a function is fitted: everything the numbers depend on."""

    sigmoid: str
    guess: float | None
    lapse: float | None
    most_guess: float
    most_lapse: float
    decreasing: bool
    interval: str
    n_samples: int
    seed: int


def psychometric(
    system: System,
    *,
    task: ChoiceTask,
    level: str = "intensity",
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    response: str = CORRECT,
    under: str = "none",
    pool: bool = False,
    sigmoid: str = "norm",
    guess: float | str | None = "auto",
    lapse: float | None = None,
    most_guess: float = 0.5,
    most_lapse: float = 0.1,
    decreasing: bool = False,
    interval: str = "bootstrap",
    n_samples: int = 1000,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Fit a psychometric function to every subject.

    .. math:: \psi(x) = \gamma + (1 - \lambda - \gamma)\, S(x)

    by maximum likelihood, with a parametric bootstrap. The threshold is where the *unscaled*
    sigmoid S is 0.5, the width spans its 0.05 to 0.95. A network that always gives the same answer
    has no binomial noise: ask one that chooses by sampling where its interval matters.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`.
    level : str
        Column of numbers: of the trials, else of the stimuli.
    response : str
        ``correct``, or the option whose choice is counted.
    under : {"none", "each"}
        ``each`` takes the trials under every measured intervention together, so that the dose or
        latency of the intervention can be the level.
    pool : bool
        Whether all subjects are fitted as one.
    sigmoid : str
        As in :func:`neuroai.numerics.sigmoids.unscaled_sigmoid`.
    guess : float, None or "auto"
        Guess rate; None fits it. ``auto`` is 1 / n_options for right choices, else None.
    lapse : float or None
        Lapse rate; None fits it.
    most_guess, most_lapse : float
        Upper bounds of rates that are fitted: animals lapse more often than persons.
    decreasing : bool
        Whether the response falls with the level.
    interval : {"bootstrap", "psignifit"}
        95 % intervals: percentiles of simulated data sets, or the Bayesian ones of the package
        psignifit (extra ``psychometric``).
    n_samples : int
        Simulated data sets.
    seed : int
        Seed of the simulation.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)``, the threshold in the unit of the level;
        ``width, lapse, guess, deviance``; ``deviance_p`` (small where the function does not fit);
        ``interval(subject, region, parameter, end)``; what was measured, ``share_by_level`` and
        ``n_by_level``; and the fitted ``curve_by_place(subject, region, place)`` at
        ``level_of_place(place)``. Subjects that met fewer than three levels are NaN and counted.

    Raises
    ------
    UnknownName
        The response is neither ``correct`` nor an option.
    MissingExtra
        psignifit is asked for and not installed.

    References
    ----------
    Wichmann & Hill 2001, doi:10.3758/BF03194544; Schütt et al. 2016,
    doi:10.1016/j.visres.2016.02.002

    Examples
    --------
    >>> from neuroai.testing import chooser
    >>> right = [5, 6, 8, 10]  # of ten at the levels 1, 2, 3 and 4
    >>> trials = [("a" if i < n else "b", x) for x, n in enumerate(right, 1) for i in range(10)]
    >>> choice, intensity = zip(*trials)
    >>> person = chooser({"choice": choice, "truth": ["a"] * 40, "intensity": intensity})
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> found = psychometric(person, task=task, lapse=0.0, n_samples=50).data
    >>> found.share_by_level.values[0, 0], found.value.values.round(1)
    (array([0.5, 0.6, 0.8, 1. ]), array([[2.8]]))
    """
    one_of(under, UNDER, option="under")
    one_of(interval, INTERVALS, option="interval")
    if response != CORRECT:
        known_name(response, task.options, kind="response")
    ask = {"task": task, "stimuli": stimuli, "undefined": undefined}
    trials = _trials(system, under=under, readout_region=readout_region, **ask)
    if isinstance(trials, NotMeasurable):
        return trials
    levels = numbers_of(trials, level)
    if isinstance(levels, NotMeasurable):
        return levels
    yes = _responses(trials, response)
    if guess == "auto":
        guess = 1 / len(task.options) if response == CORRECT and task.options else None
    how = _Fitting(
        sigmoid, guess, lapse, most_guess, most_lapse, decreasing, interval, n_samples, seed
    )
    trials = pooled(trials) if pool else trials
    return _answer(trials, levels, yes, how, level=level, response=response, under=under)


def _trials(
    system: System, *, under: str, readout_region: str | None, **ask: Any
) -> Trials | NotMeasurable:
    """Gather trials without intervention, or with those under every measured one."""
    intact = gather(system, readout_region=readout_region, **ask)
    if under == "none" or isinstance(intact, NotMeasurable):
        return intact
    names = [name for name, _ in system.interventions()] if isinstance(system, Recorded) else []
    if not names:
        return NotMeasurable(f"no intervention was measured in the behaviour of '{system.name}'")
    found = [
        gather(system.under_intervention(name), readout_region=readout_region, **ask)
        for name in names
    ]
    tables = [part.table for part in (intact, *found) if not isinstance(part, NotMeasurable)]
    return replace(intact, table=pd.concat(tables, ignore_index=True))


def _responses(trials: Trials, response: str) -> np.ndarray:
    """1, 0, or NaN where nothing was chosen or nothing is right."""
    if response == CORRECT:
        return trials.table["correct"].to_numpy(dtype=float)
    choice = trials.table["choice"].to_numpy(dtype=object)
    return np.where(choice == "", np.nan, (choice == response).astype(float))


def _answer(
    trials: Trials, levels: np.ndarray, yes: np.ndarray, how: _Fitting, **names: str
) -> Answer | NotMeasurable:
    known = ~np.isnan(levels) & ~np.isnan(yes)
    grid = np.unique(levels[known])
    if len(grid) < MIN_LEVELS:
        return NotMeasurable(
            f"the {names['level']} takes {len(grid)} levels; a psychometric function needs "
            f"{MIN_LEVELS} or more"
        )
    shape = (len(trials.subjects), len(trials.regions))
    k, n = (np.zeros((*shape, len(grid))) for _ in range(2))
    for row, column, part in trials.parts():
        mine = part.index[known[part.index]]
        places = np.searchsorted(grid, levels[mine])
        np.add.at(k[row, column], places, yes[mine])
        np.add.at(n[row, column], places, 1)
    fine = np.linspace(grid[0], grid[-1], N_CURVE)
    if how.sigmoid == "weibull" and grid[0] > 0:
        fine = np.geomspace(grid[0], grid[-1], N_CURVE)
    found = _fits(k, n, grid, fine, how)
    variables = {
        "share_by_level": (np.where(n > 0, k / np.maximum(n, 1), np.nan), ("level",)),
        "n_by_level": (n.astype(np.int64), ("level",)),
        "n": (n.sum(axis=2).astype(np.int64), ()),
        **found,
    }
    data = {k: (("subject", "region", *dims), v) for k, (v, dims) in variables.items()}
    data["level_of_place"] = (("place",), fine)
    few = int(np.isnan(found["value"][0]).sum())
    notes = int(found["undetermined"][0].sum())
    answer = answer_of(
        trials,
        data,
        form=CARD.form,
        question=CARD.name,
        coords={
            "level": grid,
            "parameter": PARAMETERS,
            "end": ENDS,
            "place": [str(i) for i in range(N_CURVE)],
        },
        parameters={**names, **vars(how)},
        notes=[f"{notes} functions are not determined by the levels that were met"] * bool(notes),
        undefined={
            "trials without a level or a response": int((~known).sum()),
            "subjects with too few levels": few,
            "levels that a subject did not meet": int((n == 0).sum()),
        },
    )
    return replace(answer, data=answer.data.assign_coords(level=grid))


def _fits(
    k: np.ndarray, n: np.ndarray, grid: np.ndarray, fine: np.ndarray, how: _Fitting
) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Fit every subject and region; NaN with fewer than three levels."""
    shape = k.shape[:2]
    single = {
        name: np.full(shape, np.nan)
        for name in ("value", "width", "lapse", "guess", "deviance", "deviance_p", "undetermined")
    }
    interval = np.full((*shape, len(PARAMETERS), len(ENDS)), np.nan)
    curve = np.full((*shape, len(fine)), np.nan)
    fixed = {"guess": how.guess, "lapse": how.lapse}
    most = {"most_guess": how.most_guess, "most_lapse": how.most_lapse}
    for place in np.ndindex(shape):
        met = n[place] > 0
        if met.sum() < MIN_LEVELS:
            single["undetermined"][place] = 0
            continue
        x, yes, total = grid[met], k[place][met], n[place][met]
        fit = fit_psychometric(
            x, yes, total, sigmoid=how.sigmoid, decreasing=how.decreasing, **fixed, **most
        )
        simulated = bootstrap_psychometric(
            fit, x, total, rng=np.random.default_rng([how.seed, *place]), n_samples=how.n_samples,
            fixed_guess=how.guess, fixed_lapse=how.lapse, **most,
        )  # fmt: skip
        low, high = simulated.low, simulated.high
        if how.interval == "psignifit":
            low, high = _bayesian(x, yes, total, how)
        for name in ("width", "lapse", "guess", "deviance", "undetermined"):
            single[name][place] = getattr(fit, name)[0]
        single["value"][place] = fit.threshold[0]
        single["deviance_p"][place] = simulated.deviance_p
        interval[place] = [[low[name], high[name]] for name in PARAMETERS]
        curve[place] = fit.at(fine)[0]
    return {
        **{name: (values, ()) for name, values in single.items()},
        "interval": (interval, ("parameter", "end")),
        "curve_by_place": (curve, ("place",)),
    }


def _bayesian(
    x: np.ndarray, yes: np.ndarray, total: np.ndarray, how: _Fitting
) -> tuple[dict[str, float], dict[str, float]]:
    """95 % credible intervals of psignifit, with overdispersion."""
    psignifit = need("psignifit", extra="psychometric", purpose="interval='psignifit'")
    fixed = {} if how.lapse is None else {"lambda": how.lapse}
    # Forced choice has a guess rate of 1 / n there; any other rate is that of a yes/no task.
    n_options = round(1 / how.guess) if how.guess else 0
    forced = n_options > 1 and bool(np.isclose(how.guess, 1 / n_options))
    if how.guess is not None and not forced:
        fixed["gamma"] = how.guess
    result = psignifit.psignifit(
        np.column_stack([x, yes, total]),
        experiment_type=f"{n_options}AFC" if forced else "yes/no",
        sigmoid=f"neg_{how.sigmoid}" if how.decreasing else how.sigmoid,
        fixed_parameters=fixed or None,
    )
    theirs = {"threshold": "threshold", "width": "width", "lapse": "lambda", "guess": "gamma"}
    ends = {}
    for ours, name in theirs.items():
        known = result.confidence_intervals.get(name)
        ends[ours] = known["0.95"] if known is not None else [result.parameter_estimate[name]] * 2
    return ({k: float(v[0]) for k, v in ends.items()}, {k: float(v[1]) for k, v in ends.items()})
