"""Oddity trials: several stimuli of which one is of another kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.checks import listing
from neuroai.errors import DataError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import text
from neuroai.format.schema import OPTION_STIMULUS_ID, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet


@dataclass(frozen=True)
class OddityTrials:
    """Trials by id, sorted: their stimuli and which of them is the odd one.

    Attributes
    ----------
    ids : tuple of str
        Unique names of the trials.
    members : array of str, shape (n_trials, n_options)
        Stimuli of each trial.
    odd : array of str, shape (n_trials,)
        The right one.
    """

    ids: tuple[str, ...]
    members: np.ndarray
    odd: np.ndarray


def trials_of_table(table: xr.Dataset) -> OddityTrials:
    """Read the trials of a behaviour table, each once, however often it was run.

    Raises
    ------
    DataError
        The table holds no stimuli by option or no truth, or a truth is not among its stimuli.
    """
    missing = [name for name in (OPTION_STIMULUS_ID, "truth") if name not in table]
    if missing:
        raise DataError(
            f"Oddity trials need the column '{missing[0]}': the stimuli of each trial by option, "
            "and the id of the odd one as truth."
        )
    members = table[OPTION_STIMULUS_ID].transpose("trial", "option").values.astype(str)
    odd = table["truth"].values.astype(str)
    strange = [o for o, row in zip(odd, members, strict=True) if o not in row]
    if strange:
        raise DataError(
            f"The truth of {len(strange)} trials is none of their stimuli: {listing(strange)}. "
            "State the id of the odd stimulus."
        )
    names = trial_names(table)
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    ids = sorted(first)
    rows = [first[name] for name in ids]
    return OddityTrials(tuple(ids), members[rows], odd[rows])


def trial_names(table: xr.Dataset) -> list[str]:
    """Name trials by their own ids, else by their stimuli with the odd one last."""
    if STIMULUS_ID in table:
        return [str(name) for name in table[STIMULUS_ID].values]
    members = table[OPTION_STIMULUS_ID].transpose("trial", "option").values.astype(str)
    odd = table["truth"].values.astype(str)
    return [_name(row, o) for row, o in zip(members, odd, strict=True)]


def _name(members: np.ndarray, odd: str) -> str:
    return "|".join((*sorted(str(m) for m in members if m != odd), str(odd)))


def drawn_trials(
    stimuli: StimulusSet, *, label: str, n_options: int, limit: int, seed: int
) -> OddityTrials | NotMeasurable:
    """Draw trials of one kind's stimuli and one of another, each kind the odd one in turn.

    The same stimuli, label, limit and seed give the same trials.
    """
    if label not in stimuli.table.columns:
        return NotMeasurable(f"the stimuli have no column '{label}' to make oddity trials of")
    kinds = text(stimuli.column(label))
    ids = np.array(stimuli.ids, dtype=object)
    members = {kind: ids[kinds == kind] for kind in sorted(set(kinds)) if kind}
    common = [kind for kind, own in members.items() if len(own) >= n_options - 1]
    if len(members) < 2 or not common:
        return NotMeasurable(
            f"an oddity trial needs {n_options - 1} stimuli of one {label} and one of another; "
            f"there is {listing(f'{k} ({len(v)})' for k, v in members.items()) or 'none'}"
        )
    rng, found = np.random.default_rng(seed), {}
    for draw in range(4 * limit):
        kind = common[draw % len(common)]
        others = [k for k in members if k != kind]
        odd = str(rng.choice(members[others[rng.integers(len(others))]]))
        same = rng.choice(members[kind], n_options - 1, replace=False)
        row = np.array([*same, odd], dtype=object)
        found.setdefault(_name(row, odd), (row.astype(str), odd))
        if len(found) == limit:
            break
    names = sorted(found)
    return OddityTrials(
        tuple(names),
        np.stack([found[name][0] for name in names]),
        np.array([found[name][1] for name in names]),
    )
