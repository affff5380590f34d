"""Stimulus sets: a frozen table of unique ids, and a way to load each stimulus."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from neuroai.checks import known_name, listing, no_duplicates
from neuroai.errors import AlignmentError, FormatError, IntegrityError
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.sounds import Sound


@dataclass(frozen=True)
class StimulusSet:
    """The stimuli of a study.

    Attributes
    ----------
    name : str
        Name of the set.
    table : pandas.DataFrame
        One row a stimulus, indexed by unique strings ``stimulus_id``; the column ``sha256`` holds
        the hash of each stimulus's content (``''`` where the content is not at hand). Read only
        by convention: every method returns a new set.
    load : callable or None
        ``load(stimulus_id)`` gives the stimulus: a ``PIL.Image``, an array or a string. None if
        the stimuli are not distributed.
    """

    name: str
    table: pd.DataFrame
    load: Callable[[str], Any] | None = None

    def __post_init__(self) -> None:
        if self.table.index.name != STIMULUS_ID:
            raise FormatError(
                f"The table of stimulus set '{self.name}' must be indexed by '{STIMULUS_ID}'; "
                f"its index is called {self.table.index.name!r}. Use table.set_index(...)."
            )
        strange = [key for key in self.table.index if not isinstance(key, str) or not key]
        if strange:
            raise FormatError(
                f"Ids of stimulus set '{self.name}' must be non-empty strings; "
                f"got {listing([repr(key) for key in strange])}."
            )
        no_duplicates(self.table.index, where=f"stimulus set '{self.name}'")
        if "sha256" not in self.table.columns:
            raise FormatError(f"Stimulus set '{self.name}' needs a column 'sha256'.")

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, sorted."""
        return tuple(sorted(self.table.index))

    @property
    def available(self) -> tuple[str, ...]:
        """Ids of the stimuli that `load` can give (those with a content hash), sorted."""
        if self.load is None:
            return ()
        return tuple(sorted(self.table.index[self.table["sha256"] != ""]))

    def restrict(self, ids: Sequence[str]) -> StimulusSet:
        """Keep only the named stimuli; an unknown id is an error that names it."""
        missing = [key for key in ids if key not in self.table.index]
        if missing:
            raise AlignmentError(
                f"Stimulus set '{self.name}' lacks {len(missing)} of the ids asked for: "
                f"{listing(missing)}."
            )
        return replace(self, table=self.table.loc[sorted(ids)])

    def column(self, name: str, ids: Sequence[str] | None = None) -> np.ndarray:
        """Give one column as an object array of strings or a float array, in the order of `ids`."""
        known_name(name, list(self.table.columns), kind=f"column of stimulus set '{self.name}'")
        values = self.table.loc[list(self.ids if ids is None else ids), name]
        return values.to_numpy(dtype=object if values.dtype.kind not in "fiub" else float)

    def where(self, column: str, value: str) -> StimulusSet:
        """Keep the stimuli whose column has this value (compared as text)."""
        known_name(column, list(self.table.columns), kind=f"column of stimulus set '{self.name}'")
        return replace(self, table=self.table[self.table[column].astype(str) == value])

    def content(self, stimulus_id: str) -> Any:
        """Load one stimulus and check it against its hash.

        Raises
        ------
        UnknownName
            The set has no such stimulus.
        IntegrityError
            The content is not what the table's sha256 says.
        """
        if self.load is None:
            raise FormatError(f"The stimuli of '{self.name}' are not distributed.")
        known_name(stimulus_id, self.ids, kind=f"stimulus of '{self.name}'")
        stimulus = self.load(stimulus_id)
        wanted, got = self.table.loc[stimulus_id, "sha256"], content_sha256(stimulus)
        if wanted and wanted != got:
            raise IntegrityError(
                f"Stimulus '{stimulus_id}' of '{self.name}' has sha256 {got}, "
                f"the table says {wanted}. Load the set anew."
            )
        return stimulus


def content_sha256(stimulus: Any) -> str:
    """Hash the content of a stimulus: pixels, frames, a sound or text, with shape and type.

    Two files that decode to the same pixels have the same hash.

    Examples
    --------
    >>> content_sha256("ab") == content_sha256("ab"), content_sha256("a") == content_sha256("b")
    (True, False)
    """
    digest = hashlib.sha256()
    if isinstance(stimulus, str):
        digest.update(b"text:" + stimulus.encode("utf-8"))
        return digest.hexdigest()
    if isinstance(stimulus, Sound):
        digest.update(f"sound:{stimulus.rate!r}:".encode())
        stimulus = stimulus.samples
    mode = getattr(stimulus, "mode", "")
    array = np.ascontiguousarray(np.asarray(stimulus))
    digest.update(f"{mode}:{array.dtype.str}:{array.shape}:".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()


def stimulus_set(
    table: pd.DataFrame, *, name: str, load: Callable[[str], Any] | None = None
) -> StimulusSet:
    """Make a stimulus set, hashing the content of every stimulus that `load` can give.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a stimulus, with a column or index ``stimulus_id``.
    name : str
        Name of the set.
    load : callable, optional
        ``load(stimulus_id)``; a stimulus it raises FileNotFoundError for counts as not at hand.

    Returns
    -------
    StimulusSet
    """
    table = table.copy()
    if STIMULUS_ID in table.columns:
        table = table.set_index(STIMULUS_ID)
    table["sha256"] = [_hash_of(key, load) for key in table.index]
    return StimulusSet(name=name, table=table.sort_index(), load=load)


def _hash_of(key: str, load: Callable[[str], Any] | None) -> str:
    if load is None:
        return ""
    try:
        return content_sha256(load(key))
    except FileNotFoundError:
        return ""
