"""Behaviour and published aggregates from delimited files, by a mapping of columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neuroai.checks import known_name, listing, one_of
from neuroai.errors import DataError, UsageError
from neuroai.format.build import behaviour, measure
from neuroai.format.schema import (
    FORMS,
    LOGICAL,
    NUMBER,
    OPTION_STIMULUS_ID,
    STIMULUS_ID,
    SUBJECT,
)
from neuroai.sources.tables import MISSING, TextTable, read_table

PER_SECOND = {"s": 1.0, "ms": 1e3}
LONGEST_RESPONSE = 100.0  # s; a median beyond it is a column in milliseconds
BIDS_COLUMNS = {"sub": "subject", "ses": "session", "run": "run"}

Columns = Mapping[str, str | Sequence[str]]


def read_behaviour(
    paths: str | Path | Sequence[str | Path],
    *,
    columns: Columns,
    system: str,
    kind: str,
    stimulus_set: str,
    task: str = "",
    options: Sequence[str] = (),
    subject: str = "",
    missing: Sequence[str] = MISSING,
    numbers: Sequence[str] = (),
    stimulus_id: Callable[[str], str] | None = None,
    response_time_unit: str = "s",
    no_choice: str = "error",
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Read trials from CSV, TSV or BIDS ``_beh.tsv`` files, one row a trial.

    Parameters
    ----------
    paths : path or sequence of paths
        Tables with one header each; they are put one below the other in this order.
    columns : mapping
        From the name in the common form (``subject``, ``stimulus_id``, ``choice``, ``truth``,
        ``response_time``, ``condition``, ``intervention`` ..., or any further name) to the name
        in the files. ``option_stimulus_id`` takes several names: the stimuli of one trial.
    system, kind, stimulus_set, task, options
        As in `neuroai.format.build.behaviour`.
    subject : str
        Who answered, where no column says so. Without both it is the ``sub-`` of a BIDS name.
    missing : sequence of str
        What stands for a missing entry.
    numbers : sequence of str
        Those of the further names that hold numbers; the others hold text.
    stimulus_id : callable, optional
        Turns an entry of the stimulus columns into the id of the stimulus.
    response_time_unit : str
        ``s`` or ``ms``; response times are kept in seconds.
    no_choice : str
        Where ``correct`` is computed from choice and truth, a trial without a choice is an
        ``error`` or ``undefined``.
    attrs : mapping, optional
        Further attrs.

    Returns
    -------
    xarray.Dataset
        A behaviour table; ``correct`` is added where choice and truth are there and it is not.

    Raises
    ------
    UnknownName
        A file lacks a column; the nearest are named.
    UsageError
        Nothing says who answered, or an option is not known.
    DataError
        An entry is not of its type, a choice is not an option, or response times look like
        milliseconds.
    """
    one_of(response_time_unit, tuple(PER_SECOND), option="response_time_unit")
    one_of(no_choice, ("error", "undefined"), option="no_choice")
    known = {**FORMS["behaviour"].known, **FORMS["behaviour"].required}
    kinds = {name: known[name].type for name in columns if name in known}
    kinds |= {known_name(n, list(columns), kind="column given in numbers"): NUMBER for n in numbers}
    parts = [
        _with_subject(_part(read_table(path), columns, kinds, missing), Path(path), subject)
        for path in _paths(paths)
    ]
    found = _joined(parts)
    for name in (STIMULUS_ID, OPTION_STIMULUS_ID):
        if name in found and stimulus_id is not None:
            found[name] = _renamed(found[name], stimulus_id)
    if "response_time" in found:
        found["response_time"] = _seconds(found["response_time"], response_time_unit)
    _check_choices(found, options)
    if {"choice", "truth"} <= set(found) and "correct" not in found:
        found["correct"] = _correct(found["choice"], found["truth"], no_choice)
    return behaviour(
        found,
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        task=task,
        options=options,
        attrs={"modality": "behaviour", **(attrs or {})},
    )


def read_measures(
    paths: str | Path | Sequence[str | Path],
    *,
    columns: Columns,
    system: str,
    kind: str,
    stimulus_set: str,
    provenance: str,
    subject: str = "group",
    n: float | None = None,
    missing: Sequence[str] = MISSING,
    numbers: Sequence[str] = (),
    constants: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Read published aggregates, one row a number; they are never made into trials.

    Parameters
    ----------
    paths : path or sequence of paths
        CSV or TSV files.
    columns : mapping
        From the name in the common form (``value``, ``n``, ``subject``, ``condition`` or any
        further name) to the name in the files.
    provenance : str
        ``raw``, ``derived``, ``digitised`` or ``simulated``.
    subject : str
        Whom a number describes, where no column says so.
    n : float, optional
        How many observations stand behind a number; NaN where it was not published.
    constants : mapping, optional
        Further columns with one value in all rows, such as ``quantity``.

    Returns
    -------
    xarray.Dataset
        A measure table.

    Raises
    ------
    UnknownName
        A file lacks a column; the nearest are named.
    """
    kinds = {name: NUMBER for name in ("value", "n", *numbers)}
    found = _joined([_part(read_table(path), columns, kinds, missing) for path in _paths(paths)])
    size = len(next(iter(found.values())))
    fixed = {"subject": subject, "n": np.nan if n is None else n, "provenance": provenance}
    for name, value in {**fixed, **(constants or {})}.items():
        found.setdefault(name, np.full(size, value, dtype=object))
    return measure(found, system=system, kind=kind, stimulus_set=stimulus_set)


def _paths(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    several = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not several:
        raise UsageError("No file was given. Give at least one path.")
    return [Path(path) for path in several]


def _part(
    table: TextTable, columns: Columns, kinds: Mapping[str, str], missing: Sequence[str]
) -> dict[str, np.ndarray]:
    """Take the mapped columns of one file, each of its type."""
    found = {}
    for ours, theirs in columns.items():
        if ours == OPTION_STIMULUS_ID:
            found[ours] = np.stack([_text(table, name, missing) for name in theirs], axis=1)
        elif not isinstance(theirs, str):
            raise UsageError(
                f"'{ours}' is one column, given as a name; got {theirs!r}. Only "
                f"{OPTION_STIMULUS_ID} takes several."
            )
        elif kinds.get(ours) == NUMBER:
            found[ours] = table.numbers(theirs, missing=missing)
        elif kinds.get(ours) == LOGICAL:
            found[ours] = table.truths(theirs, missing=missing)
        else:
            found[ours] = _text(table, theirs, missing)
    return found


def _text(table: TextTable, name: str, missing: Sequence[str]) -> np.ndarray:
    stripped = (str(value).strip() for value in table.text(name))
    return np.array(["" if value in missing else value for value in stripped], dtype=object)


def _with_subject(found: dict[str, np.ndarray], path: Path, subject: str) -> dict[str, np.ndarray]:
    entities = dict(re.findall(r"(?:^|_)(sub|ses|run)-([A-Za-z0-9]+)", path.name))
    size = len(next(iter(found.values())))
    named = {BIDS_COLUMNS[key]: value for key, value in entities.items()}
    if subject:
        named[SUBJECT] = subject
    for name, value in named.items():
        found.setdefault(name, np.full(size, value, dtype=object))
    if SUBJECT not in found:
        raise UsageError(
            f"Nothing says who answered in {path}: map the column 'subject', give subject='...', "
            "or use a BIDS name with 'sub-'."
        )
    return found


def _joined(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    names = set().union(*parts)
    partly = sorted(name for name in names if any(name not in part for part in parts))
    if partly:
        raise UsageError(
            f"{listing(partly)} is known for some of the files only (from their BIDS names). "
            "Read these files apart, or map a column."
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _renamed(values: np.ndarray, stimulus_id: Callable[[str], str]) -> np.ndarray:
    ids = {value: stimulus_id(value) if value else "" for value in set(values.ravel())}
    flat = [ids[value] for value in values.ravel()]
    return np.array(flat, dtype=object).reshape(values.shape)


def _seconds(times: np.ndarray, unit: str) -> np.ndarray:
    seconds = times / PER_SECOND[unit]
    measured = seconds[np.isfinite(seconds)]
    if measured.size and np.median(measured) > LONGEST_RESPONSE:
        raise DataError(
            f"The median response time is {np.median(measured):.0f} s, taking the column as {unit}."
            " If it holds milliseconds, say response_time_unit='ms'."
        )
    return seconds


def _check_choices(found: Mapping[str, np.ndarray], options: Sequence[str]) -> None:
    for name in ("choice", "truth"):
        if options and name in found:
            strange = sorted(set(found[name]) - {*options, ""})
            if strange:
                raise DataError(
                    f"The column '{name}' holds {listing([repr(s) for s in strange])}, which is "
                    f"none of the options: {listing(options, shown=20)}. Add it to the options or "
                    "to the missing values."
                )


def _correct(choice: np.ndarray, truth: np.ndarray, no_choice: str) -> np.ndarray:
    right = np.asarray(choice == truth, dtype=np.float64)
    right[truth == ""] = np.nan
    if no_choice == "undefined":
        right[choice == ""] = np.nan
    return right
