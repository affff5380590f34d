"""A system that remembers, for one comparison, the small recordings it has given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.experiment.wrapped import Wrapped
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import STIMULUS_ID, TRIAL
from neuroai.format.stimuli import StimulusSet

LARGEST_BYTES = 64 * 2**20
NO_STIMULI = ("", ())


@dataclass(frozen=True, eq=False)
class Remembered(Wrapped):
    """A network whose readout layer is computed once, however many questions are put to it.

    Only recordings of named regions are kept, and only up to 64 MiB each; a sweep over all layers
    streams as before. It lives as long as one comparison, so that weights changed afterwards are
    never hidden.

    Attributes
    ----------
    system : System
        The network.
    """

    _memo: dict[Any, Any] = field(default_factory=dict, repr=False)

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give activity as the network does, from memory where it was asked before."""
        if regions is None or any(mark in name for name in regions for mark in "*?["):
            return self.system.recordings(stimuli, regions=regions)
        shown = NO_STIMULI if stimuli is None else (stimuli.name, stimuli.ids)
        key = (shown, tuple(regions))
        if key in self._memo:
            return iter(self._memo[key])
        given = self.system.recordings(stimuli, regions=regions)
        return given if isinstance(given, NotMeasurable) else self._remember(key, given)

    def _remember(self, key: Any, given: Iterator[xr.DataArray]) -> Iterator[xr.DataArray]:
        kept, n_bytes = [], 0
        for recording in given:
            n_bytes += recording.nbytes
            if n_bytes <= LARGEST_BYTES:
                kept.append(recording)
            yield recording
        if n_bytes <= LARGEST_BYTES:
            self._memo[key] = tuple(kept)

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give the network's own choices, from memory where it was asked about them before."""
        asked = None if stimuli is None else set(stimuli.ids)
        if asked is not None and ("choices", task) in self._memo:
            ids, table = self._memo["choices", task]
            if asked <= ids:
                shown = np.isin(table[STIMULUS_ID].values.astype(str), sorted(asked))
                return table.isel({TRIAL: shown})
        table = self.system.choices(task, stimuli)
        if asked is not None and not isinstance(table, NotMeasurable):
            self._memo["choices", task] = (asked, table)
        return table
