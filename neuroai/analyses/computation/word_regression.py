"""Word regressions: do reading times and word potentials follow surprisal, given covariates?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import AnalysisCard
from neuroai.checks import known_name, listing
from neuroai.errors import DataError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.regression import LinearFit, least_squares
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded
from neuroai.systems.surprisal import surprisal

SURPRISAL = "surprisal"
COVARIATES = ("length", "Subtlex_log10", "position")

CARD = AnalysisCard(
    name="word_regression",
    level="computation",
    question="Do reading times and word potentials follow surprisal, beside what else is known?",
    form="table",
    defined_on="word-by-word means of persons, and language models by their own surprisal",
    citation="de Varda, Marelli & Amenta 2023, doi:10.3758/s13428-023-02261-8",
)


def word_regression(
    system: System,
    *,
    predictors: Sequence[str],
    measures: Sequence[str] = (),
    covariates: Sequence[str] = COVARIATES,
    interactions: bool = True,
    where: tuple[str, str] | tuple[()] = ("category", "analysed"),
    stimuli: StimulusSet | None = None,
) -> Answer | NotMeasurable:
    r"""Regress every measure of a word on each predictor, with covariates.

    .. math:: y = b\, x + \sum_j c_j z_j + \sum_{j < k} c_{jk} z_j z_k + c_0 + \epsilon

    The same words enter the model with and without the predictor, so that their likelihoods can be
    compared. Published means have no single trials: a mixed model over persons and words is not
    defined on them.

    Parameters
    ----------
    system : System
        Persons with a published number for each word, or a language model, whose measure is its own
        surprisal.
    predictors : sequence of str
        Columns of the stimuli, such as the surprisal of language models; use
        :func:`neuroai.systems.surprisal.with_surprisal` to add a network's.
    measures : sequence of str
        Quantities that were measured, such as ``N400``; all of them by default.
    covariates : sequence of str
        Columns of the stimuli that every model holds.
    interactions : bool
        Whether the products of all pairs of covariates are among them.
    where : (column, value)
        Which words are analysed; () for all.
    stimuli : StimulusSet, optional
        Words with their columns; those that were shown by default.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table`` over ``measure`` and ``predictor``: ``value``, the slope b in the unit of the
        measure over that of the predictor; ``error``, ``t`` and two-sided ``p``;
        ``gain_of_log_likelihood`` and ``gain_of_aic`` (negative where the predictor is worth its
        parameter); ``n`` words. Words with a missing number are left out of all models of a measure
        and counted.

    Raises
    ------
    UnknownName
        A column of the stimuli or a measure does not exist.
    DataError
        A predictor follows from the covariates.

    References
    ----------
    de Varda, Marelli & Amenta 2023, doi:10.3758/s13428-023-02261-8; Frank et al. 2015,
    doi:10.1016/j.bandl.2014.10.006

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> word_regression(toy_brain(), predictors=["surprisal"]).reason
    "no number of each word was published for 'toy'"
    """
    shown = system.stimuli if stimuli is None else stimuli
    wide = _measured(system, shown)
    if isinstance(wide, NotMeasurable):
        return wide
    names = tuple(measures) or tuple(wide.columns)
    for name in names:
        known_name(name, list(wide.columns), kind="measure of a word")
    table = shown.where(*where).table if where else shown.table
    for name in (*predictors, *covariates):
        known_name(name, list(table.columns), kind="column of the stimuli")
    words = table.join(wide[list(names)].rename(columns=lambda name: ("measured", name)))
    fits, n_left = _fits(words, names, tuple(predictors), tuple(covariates), interactions)
    return _answer(
        system, shown, fits, names, tuple(predictors), n_left,
        {"covariates": tuple(covariates), "interactions": interactions, "where": where},
    )  # fmt: skip


def _measured(system: System, shown: StimulusSet | None) -> pd.DataFrame | NotMeasurable:
    """One row a word and one column a measure."""
    if isinstance(system, Recorded):
        tables = [m for m in system.data.measures if STIMULUS_ID in m and "quantity" in m]
        if not tables:
            return NotMeasurable(f"no number of each word was published for '{system.name}'")
        long = pd.concat([m.to_dataframe() for m in tables])
        return long.pivot_table(index=STIMULUS_ID, columns="quantity", values="value", sort=False)
    if shown is None:
        return NotMeasurable(f"'{system.name}' needs words to read; none were given")
    found = surprisal(system, shown)
    if isinstance(found, NotMeasurable):
        return found
    return found.groupby(STIMULUS_ID)[[SURPRISAL]].mean()


def _fits(
    words: pd.DataFrame,
    measures: tuple[str, ...],
    predictors: tuple[str, ...],
    covariates: tuple[str, ...],
    interactions: bool,
) -> tuple[dict[tuple[str, str], tuple[LinearFit, LinearFit]], int]:
    found, left = {}, 0
    for measure in measures:
        target = pd.to_numeric(words[("measured", measure)]).to_numpy(float)
        columns = [pd.to_numeric(words[name]).to_numpy(float) for name in covariates]
        pairs = [a * b for a, b in itertools.combinations(columns, 2)] if interactions else []
        base = np.column_stack([np.ones(len(words)), *columns, *pairs])
        candidates = {p: pd.to_numeric(words[p]).to_numpy(float) for p in predictors}
        known = np.isfinite(np.column_stack([target, base, *candidates.values()])).all(axis=1)
        left = max(left, int((~known).sum()))
        without = least_squares(base[known], target[known])
        for name, values in candidates.items():
            try:
                with_it = least_squares(np.column_stack([base, values])[known], target[known])
            except DataError as error:
                raise DataError(f"The predictor '{name}': {error}") from error
            found[measure, name] = with_it, without
    return found, left


def _answer(
    system: System,
    shown: StimulusSet,
    fits: dict[tuple[str, str], tuple[LinearFit, LinearFit]],
    measures: tuple[str, ...],
    predictors: tuple[str, ...],
    n_left: int,
    parameters: dict[str, object],
) -> Answer:
    def grid(number: object) -> tuple[tuple[str, ...], np.ndarray]:
        rows = [[number(*fits[m, p]) for p in predictors] for m in measures]
        return ("subject", "region", "measure", "predictor"), np.array([[rows]], dtype=float)

    gain = "gain_of_log_likelihood"
    data = xr.Dataset(
        {
            "value": grid(lambda fit, _: fit.coefficients[-1]),
            "error": grid(lambda fit, _: fit.errors[-1]),
            "t": grid(lambda fit, _: fit.t[-1]),
            "p": grid(lambda fit, _: fit.p[-1]),
            "n": grid(lambda fit, _: fit.n_rows),
            gain: grid(lambda fit, base: fit.log_likelihood - base.log_likelihood),
            "gain_of_aic": grid(
                lambda fit, base: 2 - 2 * (fit.log_likelihood - base.log_likelihood)
            ),
        },
        coords={
            "subject": np.array(["group"], dtype=object),
            "region": np.array(["behaviour"], dtype=object),
            "measure": np.array(measures, dtype=object),
            "predictor": np.array(predictors, dtype=object),
        },
    )
    notes = (f"{n_left} words lack a number of {listing(measures)} or a column",) if n_left else ()
    return Answer(
        form=CARD.form,
        data=data,
        question=CARD.name,
        parameters=parameters,
        system=system.name,
        kind=system.kind,
        stimulus_set=shown.name,
        notes=notes,
        undefined={"words with a missing number": n_left},
    )
