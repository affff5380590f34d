"""Scores: one number that compares two answers, with everything needed to trust it."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.checks import one_of
from neuroai.errors import FormatError
from neuroai.format.schema import LEVELS, STATUSES

PAIR_DIMS = ("subject", "model_subject")
CANDIDATE_KINDS = ("model", "untrained", "subject", "species", "confound")


@dataclass(frozen=True)
class Score:
    """One row of the table of scores.

    Attributes
    ----------
    level, analysis, metric : str
        The question and how its answers were compared.
    dataset, stimulus_set, brain_region : str
        The brain's side.
    model, model_region, candidate_kind : str
        What stands in the network's place: a model, its untrained twin, another subject or
        species, or a confound.
    intervention : str
        ``none``, or what was done to the candidate.
    dose, seed : float, str
        Fraction of the target lesioned (NaN without lesion); ``""`` for all seeds together.
    value, ci_low, ci_high : float
        The score and its 95 % interval; NaN unless `status` is ok (empty in the table).
    ceiling_low, ceiling_high : float
        Lower and upper noise ceiling, of the same kind as `value`; NaN if there is none.
    p, null, n_null : float, str, int
        The p-value, what its null hypothesis shuffles, and how often.
    resampled : str
        What the interval generalises over, such as ``stimuli+subjects``.
    n_stimuli, n_brain_subjects, n_model_subjects, n_undefined : int
        Counts; `n_undefined` are units, pairs or trials that were left out as undefined.
    selected : bool
        Whether the region was chosen among several (and the choice cross-validated).
    status : str
        ``ok``, ``undefined`` or ``not_measurable``; `note` says why.
    pairs : xarray.DataArray or None
        The value of every brain subject and model subject (dims ``subject, model_subject``).
    history : mapping
        Options and versions that the number depends on.
    """

    level: str
    analysis: str
    metric: str
    dataset: str
    stimulus_set: str
    brain_region: str
    model: str
    model_region: str
    candidate_kind: str = "model"
    intervention: str = "none"
    dose: float = math.nan
    seed: str = ""
    value: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    ceiling_low: float = math.nan
    ceiling_high: float = math.nan
    p: float = math.nan
    null: str = ""
    n_null: int = 0
    resampled: str = ""
    n_stimuli: int = 0
    n_brain_subjects: int = 0
    n_model_subjects: int = 0
    n_undefined: int = 0
    selected: bool = False
    status: str = "ok"
    benchmark_version: str = ""
    note: str = ""
    pairs: xr.DataArray | None = None
    history: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one_of(self.level, LEVELS, option="level")
        one_of(self.status, STATUSES, option="status")
        one_of(self.candidate_kind, CANDIDATE_KINDS, option="candidate_kind")
        if (self.status == "ok") != math.isfinite(self.value):
            raise FormatError(
                f"A score with status '{self.status}' has value {self.value}: a value is finite "
                "exactly when the status is ok."
            )
        if self.status != "ok" and not self.note:
            raise FormatError(f"A score with status '{self.status}' needs a note that says why.")


SCORE_COLUMNS = tuple(
    item.name for item in dataclasses.fields(Score) if item.name not in ("pairs", "history")
)


def score_table(scores: Iterable[Score]) -> pd.DataFrame:
    """Put scores into a table, one row a score, with the columns of ``scores.csv``."""
    rows = [[getattr(score, name) for name in SCORE_COLUMNS] for score in scores]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def score_dataset(scores: Iterable[Score]) -> xr.Dataset:
    """Put scores into a Dataset for netCDF: one entry a score, and every pair of subjects.

    Returns
    -------
    xarray.Dataset
        Dims ``score`` (columns of the table) and ``pair`` (``pair_value`` with ``pair_score``,
        ``pair_subject``, ``pair_model_subject``: value of one brain subject and model subject).
    """
    # Held with its dims in one order, so that no value is given to another pair of subjects.
    scores = [
        s if s.pairs is None else dataclasses.replace(s, pairs=s.pairs.transpose(*PAIR_DIMS))
        for s in scores
    ]
    table = score_table(scores)
    variables = {name: ("score", _column(table[name])) for name in table.columns}
    variables["history"] = (
        "score",
        np.array([json.dumps(dict(s.history), default=str) for s in scores], dtype=object),
    )
    pairs = [
        (index, str(row), str(col), float(value))
        for index, score in enumerate(scores)
        if score.pairs is not None
        for row, values in zip(score.pairs["subject"].values, score.pairs.values, strict=True)
        for col, value in zip(score.pairs["model_subject"].values, values, strict=True)
    ]
    columns = list(zip(*pairs, strict=True)) or [(), (), (), ()]
    variables["pair_score"] = ("pair", np.asarray(columns[0], dtype=np.int64))
    variables["pair_subject"] = ("pair", np.asarray(columns[1], dtype=object))
    variables["pair_model_subject"] = ("pair", np.asarray(columns[2], dtype=object))
    variables["pair_value"] = ("pair", np.asarray(columns[3], dtype=np.float64))
    return xr.Dataset(variables, attrs={"format": "scores", "format_version": 1})


def _column(values: pd.Series) -> np.ndarray:
    if values.dtype.kind in "f":
        return values.to_numpy(dtype=np.float64)
    if values.dtype.kind in "iub":
        return values.to_numpy(dtype=np.int64)
    return values.to_numpy(dtype=object)
