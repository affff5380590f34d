"""Which column of a lab's table holds what: candidates by name and content, best first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from neuroai.sources.tables import MISSING

STIMULUS_NAMES = (
    "stimulus_id", "stim_id", "stim_file", "stimulus", "stim", "image_id", "image", "image_name",
    "img", "picture", "stimulus_name", "filename", "file_name", "word", "item", "object", "sound",
    "video", "cue", "trial_type", "condition", "label", "category", "value",
)  # fmt: skip
ROLES: Mapping[str, tuple[str, ...]] = {
    "subject": ("subject", "participant", "participant_id", "subject_id", "subj", "sub", "worker",
                "observer", "monkey", "animal", "mouse"),
    "choice": ("choice", "response", "object_response", "answer", "resp", "judgement", "chosen"),
    "truth": ("truth", "correct_response", "correct_answer", "correct_choice", "target", "category",
              "label", "class"),
    "response_time": ("response_time", "rt", "reaction_time", "latency", "responsetime"),
    "correct": ("correct", "accuracy", "acc", "is_correct", "hit"),
    "rating": ("rating", "score"),
    "confidence": ("confidence",),
    "condition": ("condition", "trial_type"),
    "intervention": ("intervention", "treatment", "stimulation"),
    "session": ("session", "session_id"),
}  # fmt: skip
NEVER_STIMULUS = {
    "onset", "duration", "sample", "run", "session", "trial", "trial_number", "index", "subject",
    "participant", "participant_id", "response_time", "rt", "start_time", "stop_time", "id",
    "event",
}  # fmt: skip
TOKENS = ("stim", "image", "word", "item", "picture")
UNLISTED_TOKEN, UNLISTED_TEXT, UNLISTED_NUMBER = 30, 60, 80
GROUP_NAMES = ("category", "condition", "trial_type", "label", "class", "type", "group")
MOST_GROUPS = 6
CODE_LENGTH = 24


def folded(name: str) -> str:
    """Write a name without case and with one kind of joint.

    Examples
    --------
    >>> folded("Stim File"), folded("reaction-time")
    ('stim_file', 'reaction_time')
    """
    return re.sub(r"[\s\-.]+", "_", name.strip().lower())


def present(values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Give the entries that are not missing, as text.

    Examples
    --------
    >>> present(["a", "n/a", None, 1.0]).tolist()
    ['a', '1.0']
    """
    kept = [str(v).strip() for v in values if not pd.isna(v)]
    return np.array([v for v in kept if v not in MISSING], dtype=object)


def stimulus_candidates(columns: Mapping[str, Any]) -> list[tuple[str, int]]:
    """List the columns that may say what was shown, best first, with their number of values.

    Parameters
    ----------
    columns : mapping of str to sequence
        Columns of events, metadata or trials.

    Examples
    --------
    >>> stimulus_candidates({"onset": [0.0, 1.0], "stim_file": ["a.png", "b.png"]})
    [('stim_file', 2)]
    """
    ranked = []
    for name, values in columns.items():
        entries = present(values)
        n_values = len(set(entries))
        rank = _rank(folded(str(name)), entries)
        if rank is not None and n_values >= 2:
            ranked.append((rank, -n_values, str(name), n_values))
    return [(name, n_values) for _, _, name, n_values in sorted(ranked)]


def _rank(name: str, entries: np.ndarray) -> int | None:
    if name in NEVER_STIMULUS or _has_fractions(entries):
        return None
    if name in STIMULUS_NAMES:
        return STIMULUS_NAMES.index(name)
    if any(token in name for token in TOKENS):
        return UNLISTED_TOKEN
    repeated = len(set(entries)) < len(entries)
    if not repeated:
        return None
    return UNLISTED_NUMBER if _are_numbers(entries) else UNLISTED_TEXT


def _are_numbers(entries: np.ndarray) -> bool:
    return bool(len(entries)) and bool(
        np.isfinite(pd.to_numeric(pd.Series(entries), errors="coerce").to_numpy(float)).all()
    )


def _has_fractions(entries: np.ndarray) -> bool:
    if not _are_numbers(entries):
        return False
    return bool((pd.to_numeric(pd.Series(entries)).to_numpy(float) % 1 != 0).any())


def roles(columns: Mapping[str, Any]) -> dict[str, str]:
    """Map the names of the common form to the columns of a table of trials.

    Examples
    --------
    >>> roles({"participant": ["p1"], "image": ["a"], "response": ["cat"], "RT": ["0.5"]})
    {'subject': 'participant', 'choice': 'response', 'response_time': 'RT'}
    """
    by_name = {folded(str(name)): str(name) for name in columns}
    found: dict[str, str] = {}
    for role, names in ROLES.items():
        match = next((by_name[name] for name in names if name in by_name), None)
        if match is not None and match not in found.values() and _fits(role, columns[match]):
            found[role] = match
    return found


def _fits(role: str, values: Any) -> bool:
    """Say whether a column holds what its name promises."""
    entries = present(values)
    if role in ("response_time", "rating", "confidence"):
        return _are_numbers(entries)
    if role == "correct":
        return {e.lower().removesuffix(".0") for e in entries} <= {"0", "1", "true", "false"}
    return bool(len(entries))


def grouping_columns(columns: Mapping[str, Any], stimulus: str) -> dict[str, list[str]]:
    """Find text columns that sort the stimuli into a few groups: what a contrast can be made of.

    Parameters
    ----------
    columns : mapping of str to sequence
        Columns, one row a showing.
    stimulus : str
        The column that says what was shown.

    Returns
    -------
    dict
        From a column, one value within every stimulus, to its two to six values.

    Examples
    --------
    >>> grouping_columns({"s": ["a", "b", "c", "d"], "kind": ["x", "x", "y", "y"]}, "s")
    {'kind': ['x', 'y']}
    """
    frame = pd.DataFrame({name: list(values) for name, values in columns.items()}, dtype=object)
    frame = frame[[str(v) not in MISSING and not pd.isna(v) for v in frame[stimulus]]]
    found = {}
    for name in frame.columns:
        entries = present(frame[name])
        values = sorted(set(entries))
        if name == stimulus or len(entries) < len(frame) or not 2 <= len(values) <= MOST_GROUPS:
            continue
        counts = frame.groupby(frame[stimulus].astype(str))[name].nunique()
        sizes = frame.astype(str).groupby(name)[stimulus].nunique()
        if (counts == 1).all() and (sizes >= 2).all() and not _are_numbers(entries):
            if all(len(value) <= CODE_LENGTH for value in values):
                found[str(name)] = values
    ordered = sorted(found, key=lambda name: (folded(name) not in GROUP_NAMES, name))
    return {name: found[name] for name in ordered}
