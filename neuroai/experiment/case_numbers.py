"""From an answer to the one number of a cell, with its interval, p and unit of inference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from neuroai.checks import known_name, listing
from neuroai.errors import UsageError
from neuroai.experiment.case_side import Numbers
from neuroai.format.answers import Answer

FEWEST_SUBJECTS = 3
OWN = ("subject", "region")


def answer_numbers(
    answer: Answer, *, measure: str = "value", select: Mapping[str, str] | None = None,
    neutral: float = math.nan,
) -> Numbers:  # fmt: skip
    """Reduce an answer to one number.

    Regions (sessions) are averaged within each subject. Three subjects or more give a t-interval
    and a two-sided t against `neutral` over subjects; fewer give what the answer itself knows: its
    own p and statistic, or a t over stimuli.

    Parameters
    ----------
    answer : Answer
        With a variable of the name `measure`.
    measure : str
        Variable of the answer.
    select : mapping, optional
        Values of coordinates that leave subjects and regions alone.
    neutral : float
        What no effect would give.

    Raises
    ------
    UnknownName
        No such variable or coordinate.
    UsageError
        The selection leaves nothing, or several values of one subject and region.

    Examples
    --------
    >>> from neuroai.analyses.algorithm.responses import responses
    >>> data = xr.Dataset({"value": (("subject", "region"), [[1.0], [2.0], [3.0]])},
    ...                   coords={"subject": list("abc"), "region": ["V1"]})
    >>> answer = Answer("table", data, "q", {}, "toy", "brain", "toy")
    >>> found = answer_numbers(answer, neutral=0.0)
    >>> found.value, found.n, round(found.p, 4)
    (2.0, 3, 0.0742)
    """
    known_name(measure, [str(v) for v in answer.data], kind=f"variable of '{answer.question}'")
    data = selected(answer.data, select or {}, measure=measure)
    over = [dim for dim in data[measure].dims if dim not in OWN]
    if over:
        raise UsageError(
            f"'{measure}' of '{answer.question}' runs over {listing(over)} as well: choose one "
            "value with select = {...}, by the coordinates "
            f"{listing(sorted(map(str, data.coords)))}."
        )
    values = data[measure].transpose(*[d for d in OWN if d in data[measure].dims])
    numbers = np.atleast_2d(np.asarray(values.values, dtype=float))
    if "undetermined" in data:
        # A fit that the levels do not determine has a number, but none that means something.
        loose = data["undetermined"].transpose(*values.dims).values
        numbers = np.where(np.atleast_2d(loose) > 0, np.nan, numbers)
    by_subject = _means(numbers)
    unit = "subjects" if answer.kind == "brain" else "seeds"
    if len(by_subject) >= FEWEST_SUBJECTS:
        return t_numbers(by_subject, neutral=neutral, unit=unit)
    if not len(by_subject):
        return Numbers(math.nan)
    return _few(data, measure, by_subject, neutral, unit)


def selected(data: xr.Dataset, select: Mapping[str, Any], *, measure: str) -> xr.Dataset:
    """Keep what the values of coordinates choose, for one variable of an answer."""
    for name, wanted in select.items():
        known_name(name, [str(c) for c in data.coords], kind="coordinate of the answer")
        dims = data[name].dims
        if len(dims) != 1:
            raise UsageError(f"select by a coordinate of one dimension; '{name}' has {dims}.")
        labels = data[name].values.astype(str)
        rows = np.flatnonzero(labels == str(wanted))
        if not len(rows):
            known_name(str(wanted), sorted(set(labels)), kind=f"value of '{name}'")
        data = data.isel({dims[0]: rows})
    for dim in [d for d in data[measure].dims if d not in OWN and data.sizes[d] == 1]:
        data = data.isel({dim: 0})
    return data


def _means(values: np.ndarray) -> np.ndarray:
    """Average over regions within subjects; subjects without any value are left out."""
    known = np.isfinite(values)
    n = known.sum(axis=1)
    return np.where(known, values, 0).sum(axis=1)[n > 0] / n[n > 0]


def t_numbers(values: Sequence[float], *, neutral: float = math.nan, unit: str) -> Numbers:
    """Give the mean of independent values, its t-interval and the t-test against `neutral`.

    Examples
    --------
    >>> found = t_numbers([1.0, 2.0, 3.0], neutral=2.0, unit="mice")
    >>> found.value, found.p
    (2.0, 1.0)
    """
    kept = np.asarray(values, dtype=float)
    kept = kept[np.isfinite(kept)]
    n = len(kept)
    if n < 2:
        value = float(kept[0]) if n else math.nan
        return Numbers(value, neutral=neutral, n=n, unit=unit)
    mean, error = float(kept.mean()), float(stats.sem(kept))
    wide = float(stats.t.ppf(0.975, n - 1)) * error
    p, null = math.nan, ""
    if math.isfinite(neutral):
        null = f"mean {neutral:g} over {unit} (t, two-sided)"
        if error > 0:
            p = float(2 * stats.t.sf(abs(mean - neutral) / error, n - 1))
        else:
            p = 1.0 if mean == neutral else math.nan
    return Numbers(mean, mean - wide, mean + wide, neutral, n, unit, p, null)


def _few(data: xr.Dataset, measure: str, values: np.ndarray, neutral: float, unit: str) -> Numbers:
    """Give what is known of one or two subjects: the answer's own test, or a t over stimuli."""
    value = float(values.mean())
    if "statistic" in data and "test" in data.coords:
        return _tested(data, measure, value)
    if measure == "value" and "per_stimulus" in data:
        return _over_stimuli(data, value, neutral)
    p, null = math.nan, ""
    low, high = _own_interval(data, measure)
    if "p" in data and data["p"].size == 1:
        p, null = float(data["p"].values.item()), "labels permuted"
    elif "heldout_p" in data and data["heldout_p"].size == 1:
        p, null = float(data["heldout_p"].values.item()), "random sets of units of this size"
    return Numbers(value, low, high, neutral, len(values), unit, p, null)


def _own_interval(data: xr.Dataset, measure: str) -> tuple[float, float]:
    """Give the interval that the answer holds for one subject and region, where it holds one."""
    if {"ci_low", "ci_high"} <= set(data) and data["ci_low"].size == 1:
        return float(data["ci_low"].item()), float(data["ci_high"].item())
    if "interval" in data and {"parameter", "end"} <= set(data["interval"].dims):
        name = "threshold" if measure == "value" else measure
        if name in data["parameter"].values and data["interval"].sel(parameter=name).size == 2:
            ends = data["interval"].sel(parameter=name)
            low, high = (float(ends.sel(end=end).item()) for end in ("low", "high"))
            return low, high
    return math.nan, math.nan


def _tested(data: xr.Dataset, measure: str, value: float) -> Numbers:
    """Take over a test that the answer made, and the interval that its statistic implies."""
    test, n = str(data["test"].values), int(data["n"].values.item())
    statistic, p = float(data["statistic"].values.item()), float(data["p"].values.item())
    paired = test.startswith("paired t")
    unit = test.rpartition(" ")[2] if paired else "trials"
    if measure != "difference":
        # The test was of the difference: it says nothing of either side of it.
        return Numbers(value, n=n, unit=unit)
    low = high = math.nan
    if statistic and math.isfinite(statistic):
        size = abs(statistic) if paired else math.sqrt(statistic)
        reach = float(stats.t.ppf(0.975, n - 1)) if paired and n > 1 else 1.96
        low, high = value - reach * abs(value) / size, value + reach * abs(value) / size
    return Numbers(value, low, high, 0.0, n, unit, p, f"no difference ({test})")


def _over_stimuli(data: xr.Dataset, value: float, neutral: float) -> Numbers:
    each = data["per_stimulus"]
    each = each.mean([dim for dim in OWN if dim in each.dims], skipna=True).values
    each = np.asarray(each, dtype=float)
    each = each[np.isfinite(each)]
    found = t_numbers(each, neutral=neutral, unit="stimuli")
    ones = np.isin(each, (0.0, 1.0)).all() and math.isfinite(neutral)
    p, null = found.p, found.null
    low, high = found.ci_low, found.ci_high
    if ones:
        test = stats.binomtest(int(each.sum()), len(each), neutral)
        interval = test.proportion_ci(method="wilson")
        p, null = float(test.pvalue), f"chance {neutral:.3g} (binomial over stimuli)"
        low, high = float(interval.low), float(interval.high)
    return Numbers(value, low, high, neutral, len(each), "stimuli", p, null)
