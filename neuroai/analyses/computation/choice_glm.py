"""Choice GLM: is the choice swayed by the stimulus, a bias, or what went before?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._columns import (
    has_order,
    sequences,
    signed_evidence,
    two_options,
)
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.choice_glm import fit_logistic, held_out_bits, history_columns
from neuroai.systems.base import System

MIN_TRIALS_A_COLUMN = 10

CARD = AnalysisCard(
    name="choice_glm",
    level="computation",
    question="Is the choice swayed by the stimulus, a bias, or what went before?",
    form="table",
    defined_on="choices between two options; history where trials came one after another",
    citation="Ashwood et al. 2022, doi:10.1038/s41593-021-01007-z",
)


def choice_glm(
    system: System,
    *,
    task: ChoiceTask,
    level: str | None = None,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    n_back: int | None = None,
    penalty: float = 1.0,
    n_folds: int = 5,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Fit a logistic regression of the choice to every subject.

    .. math:: \ln\frac{P(\mathrm{second})}{P(\mathrm{first})} = b_0 + b_s s_t +
              \sum_{l} (b_l^{+}\, y_{t-l}\, r_{t-l} + b_l^{-}\, y_{t-l} (1 - r_{t-l}))

    with the signed stimulus s, earlier choices y = ±1 and whether they were right, r.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`; the task has two options.
    level : str, optional
        Column with the strength of the stimulus; its sign is that of the truth, unless levels are
        negative already. By default every stimulus has strength 1. It is divided by its SD.
    n_back : int, optional
        Trials of history. By default 1 where trials came one after another, and 0 for a network,
        whose answers to single stimuli have no order.
    penalty : float
        Ridge penalty on every weight; it keeps weights finite where choices have no noise.
    n_folds : int
        Folds of trials for the gain that is held out.
    seed : int
        Seed of the folds.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region, regressor)`` in log odds, with ``error`` and ``p``;
        ``gain(subject, region)`` in bits a trial over the bias alone, on trials held out; ``n``.
        Subjects without both choices, or with fewer than ten trials a weight, are NaN and counted.

    Raises
    ------
    UsageError
        `n_back` is negative.

    References
    ----------
    Ashwood et al. 2022, doi:10.1038/s41593-021-01007-z

    Examples
    --------
    A person who chooses by the stimulus alone, with a mistake now and then.

    >>> from neuroai.testing import chooser
    >>> truth = ["a", "b"] * 40
    >>> choice = ["b" if i % 9 == 0 else t for i, t in enumerate(truth)]
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> found = choice_glm(chooser({"truth": truth, "choice": choice}), task=task, n_back=0).data
    >>> bool(found.value.sel(regressor="stimulus") > 1.0)
    True
    """
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    evidence = signed_evidence(trials, level)
    if isinstance(evidence, NotMeasurable):
        return evidence
    ordered = has_order(trials)
    if n_back is None:
        n_back = 1 if ordered else 0
    if n_back < 0:
        raise UsageError(f"n_back must be 0 or more; got {n_back}.")
    if n_back and not ordered:
        return NotMeasurable(
            f"'{system.name}' answers stimuli one by one, so that nothing went before; ask with "
            "n_back=0"
        )
    return _fitted(trials, evidence, n_back, penalty=penalty, n_folds=n_folds, seed=seed,
                   level=level)  # fmt: skip


def _regressors(n_back: int) -> tuple[str, ...]:
    lags = range(1, n_back + 1)
    history = [f"{what} choice {lag} back" for lag in lags for what in ("right", "wrong")]
    return ("bias", "stimulus", *history)


def _fitted(
    trials: Trials,
    evidence: np.ndarray,
    n_back: int,
    *,
    penalty: float,
    n_folds: int,
    seed: int,
    level: str | None,
) -> Answer:
    names, options = _regressors(n_back), two_options(trials)
    shape = (len(trials.subjects), len(trials.regions))
    found = {k: np.full((*shape, len(names)), np.nan) for k in ("value", "error", "p")}
    gain, n = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    order = sequences(trials)
    scale = np.nanstd(evidence) or 1.0
    for row, column, part in trials.parts():
        rows = part.index.to_numpy()
        x, y = _design(trials, rows, evidence / scale, order, n_back, str(options[1]))
        n[row, column] = len(y)
        # A stimulus that never varies would be the bias once more.
        enough = len(y) >= MIN_TRIALS_A_COLUMN * len(names) and len(np.unique(y)) == 2
        if not enough or np.linalg.matrix_rank(x) < len(names):
            continue
        fit = fit_logistic(x, y, penalty=penalty)
        for name, values in (("value", fit.coefficients), ("error", fit.errors), ("p", fit.p)):
            found[name][row, column] = values
        gain[row, column] = held_out_bits(x, y, n_folds=n_folds, seed=seed, penalty=penalty)
    dims = ("subject", "region")
    return answer_of(
        trials,
        {
            **{k: ((*dims, "regressor"), v) for k, v in found.items()},
            "gain": (dims, gain),
            "n": (dims, n),
        },
        form=CARD.form,
        question=CARD.name,
        coords={"regressor": names},
        parameters={
            "level": level or "truth", "n_back": n_back, "penalty": penalty, "n_folds": n_folds,
            "seed": seed, "first": options[0], "second": options[1],
        },
        undefined={"subjects without enough trials": int(np.isnan(gain).sum())},
    )  # fmt: skip


def _design(
    trials: Trials,
    rows: np.ndarray,
    evidence: np.ndarray,
    order: np.ndarray,
    n_back: int,
    second: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and choices of the trials of one subject that have all they need."""
    table = trials.table.loc[rows]
    choice = (table["choice"] == second).to_numpy(dtype=float)
    correct = table["correct"].to_numpy(dtype=float)
    usable = (table["choice"] != "").to_numpy() & ~np.isnan(evidence[rows])
    columns = [np.ones(len(rows)), evidence[rows]]
    if n_back:
        # A trial without a choice is a gap: history does not reach across it.
        gap = ~usable | np.isnan(correct)
        parts = zip(order[rows], np.cumsum(gap), gap, strict=True)
        names = [f"{sequence}/{n}/{broken}" for sequence, n, broken in parts]
        history, known = history_columns(choice, correct, np.array(names), n_back=n_back)
        columns.append(history)
        usable &= known
    return np.column_stack(columns)[usable], choice[usable]
