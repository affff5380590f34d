"""Published tables of aggregates: one number of a cell from the rows that a case names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from neuroai.checks import known_name, listing
from neuroai.errors import UsageError
from neuroai.experiment.case_numbers import t_numbers
from neuroai.experiment.case_side import Numbers, Reply, Side
from neuroai.format.cases import Curve
from neuroai.systems.brain import Recorded

FEWEST_ITEMS = 4


def published(
    side: Side,
    *,
    select: Mapping[str, str] | None = None,
    between: Sequence[str] = (),
    leave_out: Mapping[str, str] | None = None,
    neutral: float = math.nan,
) -> Reply:
    """Give the mean of published numbers, or the difference of two groups of them.

    Parameters
    ----------
    side : Side
        Whose measure tables are read; the first that has every column named.
    select : mapping
        Values of columns.
    between : (str, str, str)
        A column, and its value before and after: the difference after less before is given, with
        Welch's t over rows.
    leave_out : mapping
        Values of columns whose rows are not used.
    neutral : float
        What no effect would give, where no groups are compared.

    Raises
    ------
    UnknownName
        No table has such a column, or the column no such value.
    """
    select = dict(select or {})
    if not isinstance(side.system, Recorded) or not side.system.data.measures:
        return side.unmeasured("no table of published numbers belongs to this system")
    table = _table(side, [*select, *between[:1], *(leave_out or {})])
    table = _chosen(table, select)
    for column, value in (leave_out or {}).items():
        table = table[table[column].astype(str) != str(value)]
    origin = "published" if side.kind == "model" else "measured"
    where = ", ".join(map(str, select.values()))
    quantity = " and ".join(sorted(set(table["quantity"]))) if "quantity" in table else "value"
    if not between:
        numbers = t_numbers(table["value"].to_numpy(), neutral=neutral, unit=_unit(table))
        return Reply(side.cell(numbers, measure=quantity, where=where, origin=origin))
    if len(between) != 3:
        raise UsageError(f"between names a column and two values; got {listing(between)}.")
    numbers, note = _difference(table, *between)
    cell = side.cell(
        numbers, measure=f"difference of {quantity}", where=where, origin=origin, note=note
    )
    return Reply(cell, curves=(_bars(side, table, *between, quantity=quantity, where=where),))


def published_match(
    side: Side,
    *,
    select: Mapping[str, str],
    of_system: str,
    of_select: Mapping[str, str],
    by: str = "stimulus_id",
) -> Reply:
    """Correlate published numbers of one system with those of another, item by item.

    Parameters
    ----------
    side : Side
        Whose measure tables are read.
    select : mapping
        Values of columns.
    of_system, of_select : str, mapping
        The other system of the same data set, and values of its columns.
    by : str
        Column that names the items; numbers of one item are averaged.

    Returns
    -------
    Reply
        Pearson's correlation over the shared items, with Fisher's interval.
    """
    systems = {data.name: data for data in side.holdings.systems}
    known_name(of_system, systems, kind=f"system of '{side.holdings.card.name}'")
    if not isinstance(side.system, Recorded) or not side.system.data.measures:
        return side.unmeasured("no table of published numbers belongs to this system")
    both = []
    for data, wanted in ((side.system.data, select), (systems[of_system], of_select)):
        other = replace(side, system=Recorded(data=data, stimuli=side.holdings.stimuli))
        rows = _chosen(_table(other, [*wanted, by]), wanted)
        both.append(rows.groupby(by)["value"].mean())
    shared = sorted(set(both[0].index) & set(both[1].index))
    a, b = (part.loc[shared].to_numpy(dtype=float) for part in both)
    if len(shared) < FEWEST_ITEMS or not np.ptp(a) or not np.ptp(b):
        return side.unmeasured(f"{len(shared)} shared items are too few, or do not vary")
    found = stats.pearsonr(a, b)
    interval = found.confidence_interval()
    numbers = Numbers(
        float(found.statistic), float(interval.low), float(interval.high), 0.0, len(shared),
        "stimuli", float(found.pvalue), "no correlation (t, two-sided)",
    )  # fmt: skip
    origin = "published" if side.kind == "model" else "measured"
    where = ", ".join(map(str, select.values()))
    return Reply(side.cell(
        numbers, measure=f"correlation with {of_system}, item by item", where=where, origin=origin
    ))  # fmt: skip


def _chosen(table: pd.DataFrame, select: Mapping[str, str]) -> pd.DataFrame:
    for column, value in select.items():
        known_name(str(value), sorted(set(table[column].astype(str))), kind=f"value of '{column}'")
        table = table[table[column].astype(str) == str(value)]
    return table


def _table(side: Side, wanted: Sequence[str]) -> pd.DataFrame:
    tables = [m.to_dataframe().reset_index(drop=True) for m in side.system.data.measures]
    fitting = [table for table in tables if set(wanted) <= set(table.columns)]
    if fitting:
        return fitting[0]
    every = sorted({column for table in tables for column in table.columns})
    for column in wanted:
        known_name(column, every, kind="column of published tables")
    raise UsageError(f"No single table of '{side.system.name}' has the columns {listing(wanted)}.")


def _unit(table: pd.DataFrame) -> str:
    if "subject" in table and table["subject"].nunique() == len(table):
        return "persons" if len(table) > 1 else "person"
    named = "stimulus_id" in table and table["stimulus_id"].nunique() == len(table)
    return "stimuli" if named else "rows"


def _difference(table: pd.DataFrame, column: str, first: str, second: str) -> tuple[Numbers, str]:
    groups = []
    for value in (first, second):
        known_name(value, sorted(set(table[column].astype(str))), kind=f"value of '{column}'")
        groups.append(table[table[column].astype(str) == value]["value"].to_numpy(dtype=float))
    before, after = (group[np.isfinite(group)] for group in groups)
    note = f"{first} {before.mean():.3f} (n {len(before)}), {second} {after.mean():.3f} "
    note += f"(n {len(after)})"
    value = float(after.mean() - before.mean())
    if min(len(before), len(after)) < 2:
        return Numbers(value, neutral=0.0, n=len(before) + len(after), unit=_unit(table)), note
    test = stats.ttest_ind(after, before, equal_var=False)
    interval = test.confidence_interval()
    return Numbers(
        value, float(interval.low), float(interval.high), 0.0, len(before) + len(after),
        _unit(table), float(test.pvalue), "no difference of the groups (Welch, two-sided)",
    ), note  # fmt: skip


def _bars(
    side: Side, table: pd.DataFrame, column: str, first: str, second: str, *,
    quantity: str, where: str,
) -> Curve:  # fmt: skip
    """Give the mean of either group with its t-interval, for a figure."""
    means = [
        t_numbers(table[table[column].astype(str) == one]["value"].to_numpy(), unit="rows")
        for one in (first, second)
    ]
    columns = [[getattr(m, name) for m in means] for name in ("value", "ci_low", "ci_high", "n")]
    y, low, high, n = (np.array(one, dtype=float) for one in columns)
    if quantity == "accuracy":
        low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    return Curve(
        name=f"{side.system.name}: {where}", side=side.name, line=quantity, x=np.arange(2.0), y=y,
        low=low, high=high, n=n, x_label=column, y_label=quantity,
        note="mean of each group, t-intervals", ticks=(first, second),
    )  # fmt: skip
