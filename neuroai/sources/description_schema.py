"""What a description of a lab's own data may say, and how a wrong key is told."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from neuroai.checks import near_miss, one_of
from neuroai.errors import UsageError

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Files = Annotated[list[Text], Field(min_length=1)]
SHOWN_INPUT = 60
LONGEST = 2**24  # bytes; a description is a page of text


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Stimuli(_Table):
    """Where the stimuli lie, and a table of them; or the column that is a text itself."""

    folder: str = ""
    table: str = ""
    id: Text = "stimulus_id"
    file: str = ""
    text: str = ""


class ContrastPart(_Table):
    """Two groups of stimuli, for a localiser."""

    column: Text
    positive: Annotated[list[Text], Field(min_length=1)]
    negative: list[Text] = []


class TaskPart(_Table):
    """A forced choice among options."""

    name: Text
    options: Annotated[list[Text], Field(min_length=2)]
    truth: Text
    where: list[Text] = []
    readout: bool = False


class BehaviourPart(_Table):
    """Trials, by a mapping from the common form's names to those of the files."""

    files: Files
    columns: dict[str, Text | list[Text]]
    task: str = ""
    options: list[Text] = []
    subject: str = ""
    system: str = ""
    missing: list[str] = ["", "na", "NA", "n/a", "N/A", "nan", "NaN"]
    numbers: list[Text] = []
    response_time_unit: Text = "s"
    no_choice: Text = "error"


class _Recording(_Table):
    reader: Text
    files: Files
    system: str = ""
    region: str = ""
    regions: dict[str, list[Text]] = {}


class FormPart(_Recording):
    """A recording in the common form."""


class FmriPart(_Recording):
    """Runs of one subject, as `neuroai.sources.fmri.read_bold`."""

    subject: Text
    events: Files
    stimulus_id: Text = "stimulus_id"
    without_stimulus: Text = "raise"
    mask: str | list[Text] = ""
    masks: dict[str, Text] = {}
    labels: str | list[Text] = ""
    label_names: dict[str, Text] = {}
    confounds: list[Text] = []
    confound_columns: list[Text] = []
    tr: Finite | None = None
    model: Text = "lss"
    hrf: Text = "glover"
    noise: Text = "ols"
    high_pass: Finite = 0.01
    slice_time_ref: Finite = 0.0
    scale: Text = "percent"
    undefined: Text = "raise"


class EegPart(_Recording):
    """EEG, MEG or intracranial recordings of one subject, as `neuroai.sources.eeg.read_eeg`."""

    subject: Text
    stimulus_id: str = ""
    events: list[Text] = []
    without_stimulus: Text = "raise"
    conditions: list[Text] = []
    tmin: Finite | None = None
    tmax: Finite | None = None
    baseline: list[Finite] = []
    decimate: int = 1
    picks: Text | list[Text] = "data"
    channel_types: dict[str, Text] = {}
    incomplete: Text = "raise"
    bids: bool = False


class _NwbPart(_Recording):
    stimulus_id: Text = "stimulus_id"
    subject: str = ""
    interval_table: Text = "trials"
    align: Text = "start_time"
    window: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    intervention: str = ""
    undefined: Text = "raise"


class UnitsPart(_NwbPart):
    """Units of one NWB file, as `neuroai.sources.spikes_nwb.read_nwb_units`."""

    bin_width: Finite | None = None
    measure: Text = "counts"


class RoisPart(_NwbPart):
    """Calcium of one NWB file, as `neuroai.sources.rois_nwb.read_nwb_rois`."""

    region: Text
    series: str = ""
    incomplete: Text = "raise"


class RastersPart(_Recording):
    """Rasters of several units, a file each, as `neuroai.sources.rasters.read_rasters`."""

    subject: Text
    region: Text
    stimulus_id: Text
    window: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    bin_width: Finite | None = None
    measure: Text = "counts"
    session: Text = "session_ID"
    zero: Text = "alignment_event_time"
    raster: Text = "raster_data"
    labels: Text = "raster_labels"
    site: Text = "raster_site_info"
    sample: Finite = 0.001


class Description(_Table):
    """The whole file; its parts are checked one by one, each by its own reader."""

    name: Text
    title: str = ""
    system: Text = "human"
    species: str = ""
    licence: str = ""
    citation: str = ""
    url: str = ""
    doi: str = ""
    simulated: bool = False
    stimuli: dict[str, Any] = {}
    recordings: list[dict[str, Any]] = []
    behaviour: list[dict[str, Any]] = []
    contrasts: dict[str, dict[str, Any]] = {}
    tasks: list[dict[str, Any]] = []


READERS: Mapping[str, type[_Recording]] = {
    "fmri": FmriPart,
    "eeg": EegPart,
    "nwb-units": UnitsPart,
    "nwb-rois": RoisPart,
    "rasters": RastersPart,
    "form": FormPart,
}
Part = TypeVar("Part", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    UsageError
        There is no such file, or it is not TOML; the line is named.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}. Draft one: neuroai check FILES --write {path}")
    if path.stat().st_size > LONGEST:
        raise UsageError(f"{path} is too large for a description ({path.stat().st_size} bytes).")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}. Correct the line that is named.") from error


def checked(model: type[Part], values: Mapping[str, Any], *, where: str) -> Part:
    """Check one table of a description.

    Parameters
    ----------
    model : type
        What the table may hold.
    values : mapping
        The table as read.
    where : str
        Its place, for the message.

    Raises
    ------
    UsageError
        A key is not known (the nearest is named), is missing, or has a value of another type.

    Examples
    --------
    >>> checked(Stimuli, {"foldr": "images"}, where="[stimuli]")
    Traceback (most recent call last):
    neuroai.errors.UsageError: [stimuli]: there is no key 'foldr'. Did you mean 'folder'?
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        said = [_sentence(one, list(model.model_fields)) for one in error.errors()]
        raise UsageError(f"{where}: {' '.join(said)}") from error


def _sentence(error: Any, known: list[str]) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "the table"
    if error["type"] == "extra_forbidden":
        return f"there is no key '{key}'. {near_miss(str(error['loc'][0]), known)}"
    if error["type"] == "missing":
        return f"the key '{key}' is missing."
    got = repr(error.get("input"))[:SHOWN_INPUT]
    return f"'{key}': {str(error['msg'])[:1].lower()}{str(error['msg'])[1:]}; got {got}."


def recording_part(values: Mapping[str, Any], *, where: str) -> _Recording:
    """Check one ``[[recordings]]`` table by the reader it names."""
    reader = values.get("reader")
    if not isinstance(reader, str):
        raise UsageError(f"{where}: say reader = one of {', '.join(READERS)}.")
    one_of(reader, tuple(READERS), option=f"{where}: reader")
    return checked(READERS[reader], values, where=where)
