"""Brains: recordings, behaviour and published answers of one or more subjects."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.checks import known_name, listing
from neuroai.errors import UnknownName
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.schema import (
    INTERVENTION,
    NO_INTERVENTION,
    PRESENTATION,
    REGION,
    STIMULUS_ID,
    SUBJECT,
    TRIAL,
    UNIT,
)
from neuroai.format.stimuli import StimulusSet


@dataclass(frozen=True)
class Recorded:
    """A system known by what was recorded of it: a brain, or a network's published answers.

    Attributes
    ----------
    data : SystemData
        Recordings, behaviour and published answers.
    stimuli : StimulusSet
        What was shown.
    under : str
        The intervention under which it is asked; ``none`` for the intact system.
    dose : float or None
        Dose of that intervention, where several were given.
    """

    data: SystemData
    stimuli: StimulusSet
    under: str = NO_INTERVENTION
    dose: float | None = None

    @property
    def name(self) -> str:
        """Name in tables."""
        return self.data.name

    @property
    def kind(self) -> str:
        """``brain``, or ``model`` for published networks."""
        return self.data.kind

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects with recordings; without recordings those with behaviour or answers."""
        found = [str(r.attrs["subject"]) for r in self.data.recordings]
        if not found:
            found = [
                s for b in self.data.behaviour for s in np.unique(b[SUBJECT].values.astype(str))
            ]
            found += [s for answer in self.data.published for s in answer.subjects]
        return tuple(dict.fromkeys(found))

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions with recordings or published RDMs."""
        found = [str(v) for r in self.data.recordings for v in dict.fromkeys(r[REGION].values)]
        found += [v for answer in self.published("rdm") for v in answer.regions]
        return tuple(dict.fromkeys(found))

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give the recorded activity, one recording a subject and region."""
        if not self.data.recordings:
            return NotMeasurable(self._missing("recordings", "no activity was recorded"))
        named = dict.fromkeys(str(v) for r in self.data.recordings for v in r[REGION].values)
        wanted = chosen_names(tuple(named), regions, kind=f"region of '{self.name}'")
        return self._parts(wanted, stimuli)

    def _parts(self, regions: Sequence[str], stimuli: StimulusSet | None) -> Iterator[xr.DataArray]:
        for recording in self.data.recordings:
            part = recording.isel({PRESENTATION: self._rows(recording, stimuli)})
            if part.sizes[PRESENTATION] == 0:
                continue
            for region in regions:
                mine = part[REGION].values.astype(str) == region
                if mine.any():
                    here = part.isel({UNIT: mine})
                    yield here.assign_attrs(region=region, subject=str(recording.attrs["subject"]))

    def _rows(self, recording: xr.DataArray, stimuli: StimulusSet | None) -> np.ndarray:
        rows = np.ones(recording.sizes[PRESENTATION], dtype=bool)
        if INTERVENTION in recording.coords:
            rows &= recording[INTERVENTION].values.astype(str) == self.under
        elif self.under != NO_INTERVENTION:
            rows &= False
        if stimuli is not None:
            rows &= np.isin(recording[STIMULUS_ID].values.astype(str), stimuli.ids)
        return rows

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give the recorded choices on a task, under the intervention that is asked for."""
        tables = [
            b for b in self.data.behaviour if b.attrs.get("task") == task.name and "choice" in b
        ]
        if not tables:
            reason = f"no choices were recorded on the task '{task.name}'"
            return NotMeasurable(self._missing("behaviour", reason))
        rows = self._trials(tables[0])
        if stimuli is not None:
            rows &= np.isin(tables[0][STIMULUS_ID].values.astype(str), stimuli.ids)
        table = tables[0].isel({TRIAL: rows})
        if table.sizes[TRIAL] == 0:
            return NotMeasurable(f"no trial of the task '{task.name}' was run under '{self.under}'")
        return table.assign_attrs(choice_by="recorded")

    def _trials(self, table: xr.Dataset) -> np.ndarray:
        if INTERVENTION not in table:
            return np.full(table.sizes[TRIAL], self.under == NO_INTERVENTION)
        rows = table[INTERVENTION].values.astype(str) == self.under
        if self.dose is not None and "dose" in table:
            rows &= np.isclose(table["dose"].values, self.dose)
        return rows

    def published(self, question: str) -> tuple[Answer, ...]:
        """Give the published answers to a question (of the intact system only)."""
        if self.under != NO_INTERVENTION:
            return ()
        return tuple(answer for answer in self.data.published if answer.question == question)

    def interventions(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """Give the interventions that were measured in behaviour, each with its doses."""
        found: dict[str, set[float]] = {}
        for table in self.data.behaviour:
            if INTERVENTION in table:
                doses = table["dose"].values if "dose" in table else np.ones(table.sizes[TRIAL])
                for name, dose in zip(table[INTERVENTION].values, doses, strict=True):
                    found.setdefault(str(name), set()).add(float(dose))
        found.pop(NO_INTERVENTION, None)
        return tuple((name, tuple(sorted(doses))) for name, doses in sorted(found.items()))

    def under_intervention(self, name: str, *, dose: float | None = None) -> Recorded:
        """Give the same system as it was under a measured intervention.

        Raises
        ------
        UnknownName
            No such intervention was measured.
        """
        known_name(name, [key for key, _ in self.interventions()], kind="measured intervention")
        return replace(self, under=name, dose=dose)

    def _missing(self, what: str, reason: str) -> str:
        return self.data.missing.get(what, reason)


def chosen_names(
    known: Sequence[str], wanted: Sequence[str] | None, *, kind: str
) -> tuple[str, ...]:
    """Choose names by name or glob; a pattern that matches nothing lists the nearest.

    Raises
    ------
    UnknownName
        A name or glob matches nothing.

    Examples
    --------
    >>> chosen_names(["V1", "V2", "IT"], ["V*"], kind="region")
    ('V1', 'V2')
    """
    if wanted is None:
        return tuple(known)
    for pattern in wanted:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in known):
            if any(mark in pattern for mark in "*?["):
                raise UnknownName(
                    f"No {kind} matches '{pattern}'. There is: {listing(known, shown=12)}."
                )
            known_name(pattern, known, kind=kind)
    return tuple(n for n in known if any(fnmatch.fnmatchcase(n, pattern) for pattern in wanted))


def brains_of(holdings: Holdings) -> tuple[Recorded, ...]:
    """Give every brain of a data set, the one to compare by default first."""
    return tuple(
        Recorded(data=data, stimuli=holdings.stimuli)
        for data in holdings.systems
        if data.kind == "brain"
    )


def published_networks(holdings: Holdings) -> tuple[Recorded, ...]:
    """Give the networks whose answers the data set publishes."""
    return tuple(
        Recorded(data=data, stimuli=holdings.stimuli)
        for data in holdings.systems
        if data.kind == "model"
    )
