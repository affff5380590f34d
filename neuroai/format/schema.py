"""Every name of the common labelled form, spelt once, with its dimensions and type."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

FORMAT_VERSION = 1

PRESENTATION = "presentation"
UNIT = "unit"
UNIT_TO = "unit_to"
TIME = "time"
SAMPLE = "sample"
TRIAL = "trial"
OPTION = "option"
ROW = "row"
SUBJECT = "subject"
REGION = "region"
STIMULUS = "stimulus"
STIMULUS_TO = "stimulus_to"

STIMULUS_ID = "stimulus_id"
OPTION_STIMULUS_ID = "option_stimulus_id"
UNIT_ID = "unit_id"
INTERVENTION = "intervention"
NO_INTERVENTION = "none"

TIME_UNITS = ("s", "step", "frame", "token")
KINDS = ("brain", "model")
STRING, NUMBER, LOGICAL = "string", "number", "logical"


@dataclass(frozen=True)
class Column:
    """A coordinate or variable: the dimensions it runs along and its type."""

    dims: tuple[str, ...]
    type: str


@dataclass(frozen=True)
class Form:
    """One of the forms: its dimensions, its required columns and those it knows.

    `dims` are required in this order; `optional_dims` may follow them.
    """

    name: str
    dims: tuple[str, ...]
    optional_dims: tuple[str, ...]
    required: MappingProxyType[str, Column]
    known: MappingProxyType[str, Column]
    array: bool


def _columns(**columns: tuple[str, str] | tuple[tuple[str, ...], str]) -> MappingProxyType:
    return MappingProxyType(
        {
            name: Column(dims=(dims,) if isinstance(dims, str) else dims, type=kind)
            for name, (dims, kind) in columns.items()
        }
    )


_UNIT_COLUMNS = _columns(
    subject=(UNIT, STRING),
    session=(UNIT, STRING),
    hemisphere=(UNIT, STRING),
    channel_type=(UNIT, STRING),
    x=(UNIT, NUMBER),
    y=(UNIT, NUMBER),
    z=(UNIT, NUMBER),
    feature_map=(UNIT, NUMBER),
    row=(UNIT, NUMBER),
    col=(UNIT, NUMBER),
)

FORMS = MappingProxyType(
    {
        "recording": Form(
            name="recording",
            dims=(PRESENTATION, UNIT),
            optional_dims=(TIME,),
            required=_columns(
                stimulus_id=(PRESENTATION, STRING),
                unit_id=(UNIT, STRING),
                region=(UNIT, STRING),
            ),
            known=MappingProxyType(
                {
                    **{k: v for k, v in _UNIT_COLUMNS.items() if k != "session"},
                    **_columns(
                        repeat=(PRESENTATION, NUMBER),
                        run=(PRESENTATION, STRING),
                        onset=(PRESENTATION, NUMBER),
                        condition=(PRESENTATION, STRING),
                        intervention=(PRESENTATION, STRING),
                        n_repeats=(PRESENTATION, NUMBER),
                    ),
                }
            ),
            array=True,
        ),
        "continuous": Form(
            name="continuous",
            dims=(SAMPLE, UNIT),
            optional_dims=(),
            required=_columns(
                run=(SAMPLE, STRING),
                time=(SAMPLE, NUMBER),
                stimulus_id=(SAMPLE, STRING),
                unit_id=(UNIT, STRING),
                region=(UNIT, STRING),
            ),
            known=_UNIT_COLUMNS,
            array=True,
        ),
        "behaviour": Form(
            name="behaviour",
            dims=(TRIAL,),
            optional_dims=(OPTION,),
            required=_columns(subject=(TRIAL, STRING)),
            known=_columns(
                stimulus_id=(TRIAL, STRING),
                option_stimulus_id=((TRIAL, OPTION), STRING),
                choice=(TRIAL, STRING),
                truth=(TRIAL, STRING),
                condition=(TRIAL, STRING),
                intervention=(TRIAL, STRING),
                session=(TRIAL, STRING),
                dose=(TRIAL, NUMBER),
                response_time=(TRIAL, NUMBER),
                rating=(TRIAL, NUMBER),
                intensity=(TRIAL, NUMBER),
                confidence=(TRIAL, NUMBER),
                correct=(TRIAL, LOGICAL),
            ),
            array=False,
        ),
        "measure": Form(
            name="measure",
            dims=(ROW,),
            optional_dims=(),
            required=_columns(
                value=(ROW, NUMBER),
                n=(ROW, NUMBER),
                subject=(ROW, STRING),
                provenance=(ROW, STRING),
            ),
            known=_columns(condition=(ROW, STRING), intervention=(ROW, STRING)),
            array=False,
        ),
        "lesions": Form(
            name="lesions",
            dims=(SUBJECT, UNIT),
            optional_dims=(),
            required=_columns(
                subject=(SUBJECT, STRING),
                unit_id=(UNIT, STRING),
                x=(UNIT, NUMBER),
                y=(UNIT, NUMBER),
                z=(UNIT, NUMBER),
            ),
            known=_columns(region=(UNIT, STRING)),
            array=True,
        ),
        "connectome": Form(
            name="connectome",
            dims=(UNIT, UNIT_TO),
            optional_dims=(),
            required=_columns(unit_id=(UNIT, STRING), unit_id_to=(UNIT_TO, STRING)),
            known=_columns(region=(UNIT, STRING)),
            array=True,
        ),
    }
)

PROVENANCES = ("raw", "derived", "digitised", "simulated")
BEHAVIOUR_NEEDS_ONE = ("choice", "response_time", "rating")

# Attrs on every form. `simultaneous` is 0 or 1, since netCDF has no logical attrs.
REQUIRED_ATTRS = ("format", "format_version", "system", "kind", "stimulus_set")
KNOWN_ATTRS = (
    *REQUIRED_ATTRS,
    "modality",
    "physical_unit",
    "simultaneous",
    "time_unit",
    "subject",
    "history",
    "origin",
    "directed",
    "weight_meaning",
    "space",
    "task",
    "options",
    "simulated",
    "note",
)

LEVELS = ("computation", "algorithm", "implementation")
STATUSES = ("ok", "undefined", "not_measurable")
