"""Brains: recordings, behaviour and published answers of one or more subjects."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.checks import known_name, listing
from neuroai.errors import AlignmentError, UnknownName
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.schema import (
    INTERVENTION,
    NO_INTERVENTION,
    OPTION,
    OPTION_STIMULUS_ID,
    PRESENTATION,
    REGION,
    SAMPLE,
    STIMULUS_ID,
    SUBJECT,
    TRIAL,
    UNIT,
)
from neuroai.format.stimuli import StimulusSet

DOSE = "dose"
# What a trial may hold that answers a task; response times alone answer none.
REPLIES = ("choice", "rating")


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
    holdings : Holdings or None
        The data set it comes from, for comparisons; None for a system made by hand.
    """

    data: SystemData
    stimuli: StimulusSet
    under: str = NO_INTERVENTION
    dose: float | None = None
    holdings: Holdings | None = field(default=None, repr=False, compare=False)

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
        """Give the recorded activity, one recording a subject and region.

        Raises
        ------
        AlignmentError
            Two recordings hold the same region of the same subject, or recordings of one region
            are in different units.
        UnknownName
            A region matches nothing.
        """
        if not self._shown:
            return NotMeasurable(self._missing("recordings", "no activity was recorded"))
        held = [
            (str(r.attrs["subject"]), region)
            for r in self._shown
            for region in dict.fromkeys(r[REGION].values.astype(str))
        ]
        twice = [part for part in dict.fromkeys(held) if held.count(part) > 1]
        if twice:
            raise AlignmentError(
                f"'{self.name}' has several recordings of the same subject and region: "
                f"{listing(' '.join(part) for part in twice)}. Join their showings into one "
                "recording, or give the regions different names."
            )
        refuse_mixed_units(self.data.recordings, where=self.name)
        named = tuple(dict.fromkeys(region for _, region in held))
        wanted = chosen_names(named, regions, kind=f"region of '{self.name}'")
        return self._parts(wanted, stimuli)

    @property
    def _shown(self) -> tuple[xr.DataArray, ...]:
        """Recordings with one row a showing."""
        return tuple(r for r in self.data.recordings if PRESENTATION in r.dims)

    def continuous(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give the continuous recordings, one a subject and region.

        Samples of other stimuli are left out; samples between stimuli stay.
        """
        held = tuple(r for r in self.data.recordings if SAMPLE in r.dims)
        if not held:
            return NotMeasurable(f"'{self.name}' has no continuous recording, only showings")
        named = tuple(v for r in held for v in dict.fromkeys(r[REGION].values.astype(str)))
        known = tuple(dict.fromkeys(named))
        wanted = chosen_names(known, regions, kind=f"continuous region of '{self.name}'")
        return (
            _samples(recording, stimuli)
            .isel({UNIT: recording[REGION].values.astype(str) == region})
            .assign_attrs(region=region, subject=str(recording.attrs["subject"]))
            for recording in held
            for region in wanted
            if region in recording[REGION].values
        )

    def _parts(self, regions: Sequence[str], stimuli: StimulusSet | None) -> Iterator[xr.DataArray]:
        for recording in self._shown:
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
            rows &= self._dosed(recording)
        elif self.under != NO_INTERVENTION:
            rows &= False
        if stimuli is not None:
            rows &= np.isin(recording[STIMULUS_ID].values.astype(str), stimuli.ids)
        return rows

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give the recorded choices or ratings on a task, under the intervention asked for.

        Of several tables on the task one with choices comes before one with ratings alone.
        """
        tables = [
            table
            for reply in REPLIES
            for table in self.data.behaviour
            if table.attrs.get("task") == task.name and reply in table
        ]
        if not tables:
            reason = f"no choices were recorded on the task '{task.name}'"
            return NotMeasurable(self._missing("behaviour", reason))
        rows = self._trials(tables[0])
        if stimuli is not None:
            rows &= _met(tables[0], stimuli)
        table = tables[0].isel({TRIAL: rows})
        if table.sizes[TRIAL] == 0:
            return NotMeasurable(f"no trial of the task '{task.name}' was run under '{self.under}'")
        return table.assign_attrs(choice_by="recorded")

    def _trials(self, table: xr.Dataset) -> np.ndarray:
        if INTERVENTION not in table:
            return np.full(table.sizes[TRIAL], self.under == NO_INTERVENTION)
        return (table[INTERVENTION].values.astype(str) == self.under) & self._dosed(table)

    def _dosed(self, data: xr.Dataset | xr.DataArray) -> np.ndarray:
        doses = _doses(data)
        return (
            np.ones(len(doses), dtype=bool) if self.dose is None else np.isclose(doses, self.dose)
        )

    def published(self, question: str) -> tuple[Answer, ...]:
        """Give the published answers to a question (of the intact system only)."""
        if self.under != NO_INTERVENTION:
            return ()
        return tuple(answer for answer in self.data.published if answer.question == question)

    def interventions(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """Give the interventions that were measured in behaviour, each with its doses.

        An intervention whose dose is not stated counts as given in full: dose 1.
        """
        found: dict[str, set[float]] = {}
        for table in self.data.behaviour:
            if INTERVENTION in table:
                for name, dose in zip(table[INTERVENTION].values, _doses(table), strict=True):
                    found.setdefault(str(name), set()).add(float(dose))
        for name in (NO_INTERVENTION, ""):
            found.pop(name, None)
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


def refuse_mixed_units(recordings: Sequence[xr.DataArray], *, where: str) -> None:
    """Raise if two recordings of one region state different units, such as V and uV.

    Raises
    ------
    AlignmentError
        It names the region, the units and who was recorded in each.
    """
    stated: dict[str, dict[str, str]] = {}
    for recording in recordings:
        unit = str(recording.attrs.get("physical_unit", ""))
        for region in dict.fromkeys(recording[REGION].values.astype(str)) if unit else ():
            stated.setdefault(region, {}).setdefault(unit, str(recording.attrs["subject"]))
    for region, units in stated.items():
        if len(units) > 1:
            told = listing([f"'{unit}' ({subject})" for unit, subject in units.items()])
            raise AlignmentError(
                f"The recordings of {region} in '{where}' are in different units: {told}. Bring "
                "them to one unit and say so in the attr physical_unit."
            )


def _samples(recording: xr.DataArray, stimuli: StimulusSet | None) -> xr.DataArray:
    shown = recording[STIMULUS_ID].values.astype(str)
    kept = np.ones(len(shown), dtype=bool)
    if stimuli is not None:
        kept = np.isin(shown, [*stimuli.ids, ""])
    return recording.isel({SAMPLE: kept})


def _doses(data: xr.Dataset | xr.DataArray) -> np.ndarray:
    """Give the dose of every trial or presentation, 1 where it is not stated."""
    if DOSE not in data.coords and not (isinstance(data, xr.Dataset) and DOSE in data):
        return np.ones(data[INTERVENTION].size)
    return np.nan_to_num(np.asarray(data[DOSE].values, dtype=float), nan=1.0)


def _met(table: xr.Dataset, stimuli: StimulusSet) -> np.ndarray:
    """Say for every trial whether all of its stimuli belong to the set."""
    met = np.ones(table.sizes[TRIAL], dtype=bool)
    if STIMULUS_ID in table:
        met &= np.isin(table[STIMULUS_ID].values.astype(str), stimuli.ids)
    elif OPTION_STIMULUS_ID in table:
        options = table[OPTION_STIMULUS_ID].transpose(TRIAL, OPTION).values.astype(str)
        # An empty option is one that the trial did not have.
        met &= (np.isin(options, stimuli.ids) | (options == "")).all(axis=1)
    return met


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
        if not any(_matches(name, pattern) for name in known):
            if any(mark in pattern for mark in "*?["):
                raise UnknownName(
                    f"No {kind} matches '{pattern}'. There is: {listing(known, shown=12)}."
                )
            known_name(pattern, known, kind=kind)
    return tuple(name for name in known if any(_matches(name, pattern) for pattern in wanted))


def _matches(name: str, pattern: str) -> bool:
    # A name that holds a bracket is no pattern for itself.
    return name == pattern or fnmatch.fnmatchcase(name, pattern)


def brains_of(holdings: Holdings) -> tuple[Recorded, ...]:
    """Give every brain of a data set, the one to compare by default first."""
    return tuple(
        Recorded(data=data, stimuli=holdings.stimuli, holdings=holdings)
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
