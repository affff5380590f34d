"""Oddity accuracies as they were published: by trial, or of every person by experiment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.format.answers import Answer
from neuroai.format.schema import INTERVENTION, NO_INTERVENTION, STIMULUS, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.brain import Recorded

TASK, QUANTITY, BEHAVIOUR, EXPERIMENT = "oddity", "accuracy", "behaviour", "experiment"


def published_oddity(system: Recorded, *, by: str, stimuli: StimulusSet | None) -> Answer | None:
    """Give the first table of measures of the task with rows of this kind; None without one."""
    column = STIMULUS_ID if by == "trial" else EXPERIMENT
    for table in system.data.measures:
        if table.attrs.get("task") == TASK and column in table and "quantity" in table:
            rows = table.to_dataframe().reset_index(drop=True)
            rows = rows[rows["quantity"] == QUANTITY]
            rows = rows.assign(region=_regions(rows), name=rows[column])
            if by == "trial":
                rows = _intact(rows)
                if stimuli is not None:
                    rows = rows[rows["name"].isin(stimuli.ids)]
            if len(rows):
                return _answer(system, table, rows, by=by)
    return None


def _regions(rows: pd.DataFrame) -> pd.Series:
    """Name the region of each number: a layer or area, or behaviour where none is named."""
    if "region" not in rows:
        return pd.Series(BEHAVIOUR, index=rows.index)
    return rows["region"].where(rows["region"] != "", BEHAVIOUR)


def _intact(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows[INTERVENTION] == NO_INTERVENTION] if INTERVENTION in rows else rows


def _answer(system: Recorded, table: xr.Dataset, rows: pd.DataFrame, *, by: str) -> Answer:
    subjects, regions = (list(dict.fromkeys(rows[k])) for k in ("subject", "region"))
    names = sorted(set(rows["name"]))
    cells = rows.groupby(["subject", "region", "name"], sort=False)["value"].mean()
    grid = pd.MultiIndex.from_product([subjects, regions, names])
    values = cells.reindex(grid).to_numpy().reshape(len(subjects), len(regions), len(names))
    known = (~np.isnan(values)).sum(axis=2)
    mean = np.where(known > 0, np.nan_to_num(values).sum(axis=2) / np.maximum(known, 1), np.nan)
    dims, along = ("subject", "region"), STIMULUS if by == "trial" else EXPERIMENT
    inner = "per_stimulus" if by == "trial" else "value_by_experiment"
    data = xr.Dataset(
        {
            "value": (dims, mean),
            "n": (dims, known.astype(np.int64)),
            inner: ((*dims, along), values),
        },
        coords={
            "subject": np.array(subjects, dtype=object),
            "region": np.array(regions, dtype=object),
            along: np.array(names, dtype=object),
            **_facts(rows, subjects, by=by),
        },
    )
    note = str(table.attrs.get("note", ""))
    return Answer(
        form="table",
        data=data,
        question="oddity",
        parameters={"choice_by": "published", "by": by},
        system=system.name,
        kind=system.kind,
        stimulus_set=system.stimuli.name,
        origin="published",
        notes=(note,) if note else (),
        undefined={
            "cells without a published number": int(np.isnan(values).sum()),
            "subjects without a number": int(np.isnan(mean).sum()),
        },
    )


def _facts(
    rows: pd.DataFrame, subjects: list[str], *, by: str
) -> Mapping[str, tuple[str, np.ndarray]]:
    """Who each person is, and what was lesioned."""
    if by == "trial":
        return {}
    first = rows.drop_duplicates("subject").set_index("subject").loc[subjects]
    return {
        name: ("subject", first[name].to_numpy(dtype=object))
        for name in (INTERVENTION, "group", "study")
        if name in rows and len(subjects) > 1
    }
