"""What a CSV or TSV file holds: events, trials of behaviour, or a list of stimuli."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroai.checks import listing
from neuroai.sources.columns import (
    folded,
    grouping_columns,
    present,
    roles,
    stimulus_candidates,
)
from neuroai.sources.finding import Finding
from neuroai.sources.recognise_fmri import entities
from neuroai.sources.tables import TextTable, read_table

FILE_COLUMNS = ("stim_file", "file", "filename", "file_name", "path", "image_path")
MILLISECONDS = 20.0  # a median response beyond it is in ms
MOST_OPTIONS = 20
CONFOUNDS = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
REPLIES = ("choice", "response_time", "rating", "correct")


def recognise_table(path: Path) -> Finding:
    """Say what the rows of a table are, and which column holds what."""
    separator = "\t" if path.name.lower().endswith(".txt") else ""
    table = read_table(path, separator=separator)
    columns = table.columns
    if not table.n_rows:
        return Finding(path, "unreadable", "table", wrong=("it has a header and no row",))
    names = {folded(name) for name in columns}
    if "onset" in names:
        return _events(path, table)
    if set(CONFOUNDS) <= names or "confounds" in path.name:
        return _confounds(path, table)
    reply = [role for role in REPLIES if role in roles(columns)]
    if reply:
        return _behaviour(path, table)
    if names & {*FILE_COLUMNS, "stimulus_id"} and stimulus_candidates(columns):
        return _stimuli(path, table)
    return Finding(
        path,
        "table",
        "table",
        found=(_columns(table),),
        odd=(
            "it holds neither onsets (events) nor replies (choice, response_time, rating) nor "
            "stimuli with their files",
        ),
        do="Rename its columns if it is one of these; otherwise it is left out.",
    )


def _columns(table: TextTable) -> str:
    shown = [f"{n} ({len(set(present(v)))} values)" for n, v in table.columns.items()]
    return f"{table.n_rows} rows with the columns {listing(shown, shown=16)}"


def _events(path: Path, table: TextTable) -> Finding:
    columns = table.columns
    candidates = stimulus_candidates(columns)
    wrong = list(_event_faults(table))
    if not candidates:
        wrong.append(
            "no column says what was shown: add stimulus_id, stim_file or trial_type with at "
            "least two values"
        )
    odd, missing = [], 0
    if candidates:
        missing = table.n_rows - len(present(columns[candidates[0][0]]))
        if missing:
            odd.append(f"{missing} rows have no '{candidates[0][0]}': they are left out")
    onsets = pd.to_numeric(pd.Series(table.text("onset")), errors="coerce").to_numpy(float)
    return Finding(
        path,
        "events",
        "events",
        found=(_columns(table), f"what was shown: {_listed(candidates)}"),
        wrong=tuple(wrong),
        odd=tuple(odd),
        facts={
            "columns": list(columns),
            "candidates": [list(pair) for pair in candidates],
            "groups": grouping_columns(columns, candidates[0][0]) if candidates else {},
            "n_missing": missing,
            "last_onset": float(np.nanmax(onsets)) if np.isfinite(onsets).any() else None,
            "first_onset": float(np.nanmin(onsets)) if np.isfinite(onsets).any() else None,
            "onsets": [float(onset) for onset in onsets if np.isfinite(onset)],
            "entities": entities(path),
        },
    )


def _listed(candidates: list[tuple[str, int]]) -> str:
    return listing([f"{name} ({n} values)" for name, n in candidates]) or "no column"


def _event_faults(table: TextTable) -> Iterator[str]:
    for name in ("onset", "duration"):
        if name not in {folded(key) for key in table.columns}:
            yield f"it lacks the column '{name}' (seconds)"
            continue
        numbers = pd.to_numeric(pd.Series(table.text(name)), errors="coerce").to_numpy(float)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            yield f"{len(bad)} entries of '{name}' are no number, the first on line {bad[0] + 2}"
        if name == "duration" and (numbers < 0).any():
            yield f"{(numbers < 0).sum()} durations are negative"


def _confounds(path: Path, table: TextTable) -> Finding:
    used = [name for name in CONFOUNDS if name in table.columns]
    return Finding(
        path,
        "confounds",
        "confounds of an fMRI run",
        found=(f"{table.n_rows} rows of {len(table.columns)} series",),
        facts={"columns": used, "n_rows": table.n_rows, "entities": entities(path)},
    )


def _behaviour(path: Path, table: TextTable) -> Finding:
    columns = table.columns
    mapping = roles(columns)
    candidates = [c for c in stimulus_candidates(columns) if c[0] not in mapping.values()]
    wrong, odd = [], []
    if candidates:
        mapping["stimulus_id"] = candidates[0][0]
    else:
        wrong.append("no column says what was shown: add one, such as stimulus_id")
    if "subject" not in mapping and "sub" not in entities(path):
        odd.append("no column says who answered: set subject in the description")
    options = _options(columns, mapping)
    if "choice" in mapping and not options:
        odd.append(
            f"'{mapping['choice']}' has more than {MOST_OPTIONS} values: set the options of the "
            "task in the description"
        )
    unit = _time_unit(columns, mapping)
    mapped = listing([f"{theirs} → {ours}" for ours, theirs in mapping.items()], shown=12)
    return Finding(
        path,
        "behaviour",
        "trials of behaviour",
        found=(_columns(table), f"columns taken as: {mapped}"),
        wrong=tuple(wrong),
        odd=tuple(odd),
        facts={
            "columns": list(columns),
            "mapping": mapping,
            "candidates": [list(pair) for pair in candidates],
            "groups": grouping_columns(columns, candidates[0][0]) if candidates else {},
            "options": options,
            "response_time_unit": unit,
            "entities": entities(path),
        },
    )


def _options(columns: Mapping[str, Any], mapping: Mapping[str, str]) -> list[str]:
    found: set[str] = set()
    for role in ("choice", "truth"):
        if role in mapping:
            found |= set(present(columns[mapping[role]]))
    return sorted(found) if "choice" in mapping and len(found) <= MOST_OPTIONS else []


def _time_unit(columns: Mapping[str, Any], mapping: Mapping[str, str]) -> str:
    if "response_time" not in mapping:
        return "s"
    times = pd.to_numeric(pd.Series(present(columns[mapping["response_time"]]))).to_numpy(float)
    return "ms" if len(times) and np.median(times) > MILLISECONDS else "s"


def _stimuli(path: Path, table: TextTable) -> Finding:
    names = {folded(name): name for name in table.columns}
    file = next((names[name] for name in FILE_COLUMNS if name in names), "")
    key = next((c for c, _ in stimulus_candidates(table.columns)), file)
    key = names.get("stimulus_id", key)
    ids = present(table.columns[key])
    wrong = []
    if len(ids) < table.n_rows:
        wrong.append(f"{table.n_rows - len(ids)} rows have no '{key}'")
    if len(set(ids)) < len(ids):
        wrong.append(f"{len(ids) - len(set(ids))} values of '{key}' occur more than once")
    return Finding(
        path,
        "stimuli",
        "list of stimuli",
        found=(_columns(table),),
        wrong=tuple(wrong),
        facts={
            "columns": list(table.columns),
            "id": key,
            "file": file,
            "groups": grouping_columns(table.columns, key),
        },
    )
