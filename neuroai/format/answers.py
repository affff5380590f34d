"""Answers: what a system replied to a question, restricted and aligned by labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from neuroai.checks import known_name, listing, one_of
from neuroai.errors import AlignmentError, FormatError
from neuroai.format.schema import KINDS, PRESENTATION, STIMULUS, STIMULUS_ID, STIMULUS_TO

ORIGINS = ("computed", "published")
ANSWER_FORMS = ("rdm", "responses", "choices", "confusion", "table", "profile")


@dataclass(frozen=True)
class NotMeasurable:
    """The answer of a system on which the question is not defined or was not measured."""

    reason: str


@dataclass(frozen=True)
class Answer:
    """What one system replied.

    Attributes
    ----------
    form : str
        One of ``rdm, responses, choices, confusion, table, profile``.
    data : xarray.Dataset
        Dims ``subject, region`` and those of the form: ``rdm(subject, region, stimulus,
        stimulus_to)``; ``correct`` and ``choice(subject, region, stimulus)``;
        ``confusion(subject, region, truth, choice)``; ``value(subject, region, ...)``.
        What was not measured in a subject and region is NaN there and is counted as such.
    question : str
        Name of the analysis.
    parameters : mapping
        Options of the analysis that the number depends on (such as ``distance``).
    system, kind, stimulus_set : str
        Who answered (``kind`` is brain or model), about which stimuli.
    origin : str
        ``computed`` from data, or ``published`` as it stands.
    responses : tuple of xarray.DataArray
        The checked recordings themselves, repeats kept; only of the form ``responses``.
    notes : tuple of str
        What a reader must know (dropped stimuli, excluded units).
    undefined : mapping
        Counts of what is undefined, by name.
    """

    form: str
    data: xr.Dataset
    question: str
    parameters: Mapping[str, object]
    system: str
    kind: str
    stimulus_set: str
    origin: str = "computed"
    responses: tuple[xr.DataArray, ...] = ()
    notes: tuple[str, ...] = ()
    undefined: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one_of(self.form, ANSWER_FORMS, option="form")
        one_of(self.kind, KINDS, option="kind")
        one_of(self.origin, ORIGINS, option="origin")
        for dim in ("subject", "region"):
            if dim not in self.data.dims or dim not in self.data.coords:
                raise FormatError(f"An answer needs the labelled dim '{dim}'.")
            values = [str(v) for v in self.data[dim].values]
            if len(set(values)) != len(values):
                raise AlignmentError(f"An answer's {dim}s must be unique; got {listing(values)}.")

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects (seeds, for a model)."""
        return tuple(str(name) for name in self.data["subject"].values)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions (layers, for a model)."""
        return tuple(str(name) for name in self.data["region"].values)

    @property
    def stimuli(self) -> tuple[str, ...]:
        """Ids of the stimuli, sorted; empty for forms without stimuli."""
        if self.form == "responses":
            return tuple(sorted({s for r in self.responses for s in r[STIMULUS_ID].values}))
        return tuple(self.data[STIMULUS].values) if STIMULUS in self.data.dims else ()

    def restrict(
        self,
        stimuli: Sequence[str] | None = None,
        subjects: Sequence[str] | None = None,
        regions: Sequence[str] | None = None,
    ) -> Answer:
        """Keep only the named stimuli, subjects and regions; unknown names are an error."""
        data, responses = self.data, self.responses
        for dim, names in (("subject", subjects), ("region", regions)):
            if names is not None:
                for name in names:
                    known_name(name, [str(v) for v in data[dim].values], kind=dim)
                data = data.sel({dim: list(names)})
        if responses:
            kept = {(s, r) for s in map(str, data["subject"].values) for r in map(str, data["region"].values)}
            responses = tuple(r for r in responses if part_of(r) in kept)
        if stimuli is not None:
            unknown = sorted(set(stimuli) - set(self.stimuli))
            if unknown:
                raise AlignmentError(
                    f"The answer of '{self.system}' lacks {len(unknown)} of the stimuli asked for: "
                    f"{listing(unknown)}."
                )
            wanted = sorted(stimuli)
            for dim in (STIMULUS, STIMULUS_TO):
                if dim in data.dims:
                    data = data.sel({dim: wanted})
            responses = tuple(
                r.isel({PRESENTATION: np.isin(r[STIMULUS_ID].values, wanted)}) for r in responses
            )
        return replace(self, data=data, responses=responses)

    def describe(self) -> str:
        """Give the parameters as JSON, for tables and provenance."""
        return json.dumps(dict(self.parameters), sort_keys=True, default=str)


def part_of(recording: xr.DataArray) -> tuple[str, str]:
    """Give (subject, region) of a recording that holds one subject and one region."""
    return str(recording.attrs["subject"]), str(recording.attrs["region"])


def rdm_answer(
    rdms: np.ndarray,
    *,
    subjects: Sequence[str],
    regions: Sequence[str],
    stimuli: Sequence[str],
    question: str = "rdm",
    parameters: Mapping[str, object],
    system: str,
    kind: str,
    stimulus_set: str,
    origin: str = "computed",
    notes: tuple[str, ...] = (),
    undefined: Mapping[str, int] | None = None,
) -> Answer:
    """Label an array of RDMs (subject, region, stimulus, stimulus) as an answer.

    Stimuli are sorted by id on the way.
    """
    order = np.argsort(np.asarray(stimuli, dtype=object))
    ids = np.asarray(stimuli, dtype=object)[order]
    values = np.asarray(rdms)[:, :, order][:, :, :, order]
    data = xr.Dataset(
        {"rdm": (("subject", "region", STIMULUS, STIMULUS_TO), values)},
        coords={
            "subject": np.asarray(subjects, dtype=object),
            "region": np.asarray(regions, dtype=object),
            STIMULUS: ids,
            STIMULUS_TO: ids,
        },
    )
    return Answer(
        form="rdm",
        data=data,
        question=question,
        parameters=dict(parameters),
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        origin=origin,
        notes=notes,
        undefined=dict(undefined or {}),
    )
