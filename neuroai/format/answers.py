"""Answers: what a system replied to a question, restricted and aligned by labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from neuroai.checks import known_name, listing, no_duplicates, one_of
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
        for dim in (STIMULUS, STIMULUS_TO):
            if dim in self.data.coords:
                no_duplicates(self.data[dim].values, where=f"the answer of '{self.system}'")

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
        """Keep only the named stimuli, subjects and regions.

        Sums over what is left out would be stale: variables of a table or confusion that run over
        no stimulus are dropped where stimuli are left out, and those that pool subjects where
        subjects are. `undefined` and `notes` stay those of the whole answer.

        Raises
        ------
        UnknownName
            A subject or region is unknown.
        AlignmentError
            A stimulus is unknown, was not met by every subject that is kept, or comes twice.
        """
        data = _selected(self.data, subjects=subjects, regions=regions)
        parts = {(s, r) for s in _names(data, "subject") for r in _names(data, "region")}
        responses = tuple(r for r in self.responses if part_of(r) in parts)
        if stimuli is None:
            return replace(self, data=data, responses=responses)
        no_duplicates(stimuli, where="the stimuli asked for")
        wanted = sorted(stimuli)
        self._refuse_unmet(wanted, self.stimuli, who=f"The answer of '{self.system}'")
        for response in responses:
            who = f"The recording of '{self.system}', subject '{response.attrs['subject']}',"
            self._refuse_unmet(wanted, response[STIMULUS_ID].values, who=who)
        if STIMULUS in data.dims and len(wanted) < len(self.stimuli):
            data = data.drop_vars([k for k, v in data.data_vars.items() if STIMULUS not in v.dims])
        data = data.sel({dim: wanted for dim in (STIMULUS, STIMULUS_TO) if dim in data.dims})
        responses = tuple(
            r.isel({PRESENTATION: np.isin(r[STIMULUS_ID].values, wanted)}) for r in responses
        )
        return replace(self, data=data, responses=responses)

    @staticmethod
    def _refuse_unmet(wanted: Sequence[str], met: Iterable[str], *, who: str) -> None:
        unmet = sorted(set(wanted) - set(met))
        if unmet:
            raise AlignmentError(
                f"{who} lacks {len(unmet)} of the stimuli asked for: {listing(unmet)}."
            )

    def describe(self) -> str:
        """Give the parameters as JSON, for tables and provenance."""
        return json.dumps(dict(self.parameters), sort_keys=True, default=str)


def _names(data: xr.Dataset, dim: str) -> list[str]:
    return [str(name) for name in data[dim].values]


def _selected(
    data: xr.Dataset, *, subjects: Sequence[str] | None, regions: Sequence[str] | None
) -> xr.Dataset:
    """Select subjects and regions; pools over subjects go where one is left out."""
    for dim, wanted in (("subject", subjects), ("region", regions)):
        if wanted is None:
            continue
        for name in wanted:
            known_name(name, _names(data, dim), kind=dim)
        if len(set(wanted)) < data.sizes[dim] and dim == "subject":
            known_by = {"subject", STIMULUS}
            data = data.drop_vars(
                [k for k, v in data.data_vars.items() if not known_by & {*v.dims}]
            )
        data = data.sel({dim: list(wanted)})
    return data


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
