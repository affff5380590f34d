"""Data sets by name, and the user's own by path."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.errors import FormatError, UsageError
from neuroai.format.answers import Answer
from neuroai.format.files import open_form
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.schema import OPTION_STIMULUS_ID, PRESENTATION, STIMULUS_ID, TRIAL
from neuroai.format.stimuli import StimulusSet
from neuroai.registry import Entry, Registry, entry_of, module_from
from neuroai.sources.manifest import datasets_folder

DATASETS = Registry(
    kind="data set",
    card_type=DatasetCard,
    group="neuroai.datasets",
    folder=datasets_folder(),
    prefix="neuroai._datasets",
    function="load",
    by_path=True,
)

FORM_SUFFIXES = (".nc", ".zarr")
DESCRIPTION = ".toml"
NOT_IN_FILE = "the file does not hold it"
NOT_STATED = "not stated in the file"


def load_dataset(name_or_path: str | Path, *, offline: bool = False) -> Holdings:
    """Load a registered data set, a data set file, or a file in the common form.

    Parameters
    ----------
    name_or_path : str or pathlib.Path
        A registered name; a ``.py`` file with ``CARD`` and ``load()``; a ``.toml`` description,
        as ``neuroai check --write`` drafts it; or a ``.nc`` or ``.zarr`` that
        `neuroai.format.files.save` wrote.
    offline : bool
        Forbid the network.

    Returns
    -------
    Holdings

    Raises
    ------
    UnknownName
        No registered data set has this name.
    UsageError
        There is no such file.
    FormatError
        The file does not hold something that a system can be made of.
    """
    path = Path(name_or_path).expanduser()
    if path.suffix not in (*FORM_SUFFIXES, ".py", DESCRIPTION):
        return _load(DATASETS.get(str(name_or_path)), offline=offline)
    if not path.exists():
        raise UsageError(f"There is no file {path}. Give a path that exists, or a registered name.")
    if path.suffix == ".py":
        module = module_from(path, name=f"neuroai_user_dataset_{path.stem}")
        return _load(entry_of(module, registry=DATASETS, stem=path.stem), offline=offline)
    if path.suffix == DESCRIPTION:
        # Imported here: a description is put together with this file's tables of stimuli.
        from neuroai.sources.description import load_description

        return load_description(path)
    return from_form(open_form(path), name=path.stem, source=str(path))


def _load(entry: Entry, *, offline: bool) -> Holdings:
    # A user's own load() need not know about the network.
    if entry.function is None:
        raise UsageError(f"The data set '{entry.card.name}' has no function load().")
    takes_offline = "offline" in inspect.signature(entry.function).parameters
    holdings = entry.function(offline=offline) if takes_offline else entry.function()
    if not isinstance(holdings, Holdings):
        raise FormatError(
            f"load() of {entry.path} must return Holdings; it returned {type(holdings).__name__}."
        )
    return holdings


def from_form(data: xr.DataArray | xr.Dataset | Answer, *, name: str, source: str = "") -> Holdings:
    """Make holdings of one recording, behaviour table or answer.

    Parameters
    ----------
    data : xarray.DataArray, xarray.Dataset or Answer
        A recording becomes a system with recordings, a behaviour table one with behaviour, an
        answer one with a published answer.
    name : str
        Name of the data set.
    source : str
        Where it comes from, for the card.

    Raises
    ------
    FormatError
        No system can be made of this form, or it names no stimuli.
    """
    form = "answer" if isinstance(data, Answer) else str(data.attrs["format"])
    holders = {"recording": "recordings", "behaviour": "behaviour", "answer": "published"}
    if form not in holders:
        raise FormatError(
            f"{source or name} holds a {form}; a data set is made of a {', '.join(holders)}. "
            "Write a data set file (.py) that puts it together with one."
        )
    attrs = _facts(data)
    columns = pd.DataFrame(stimulus_columns(data), dtype=object)
    stimuli = StimulusSet(name=attrs["stimulus_set"], table=stimulus_table(columns))
    missing = {
        key: NOT_IN_FILE for key in ("recordings", "behaviour", "lesions") if key != holders[form]
    }
    parts: dict[str, tuple] = {holders[form]: (data,)}
    system = SystemData(
        name=attrs["system"], kind=attrs["kind"], species=NOT_STATED, missing=missing, **parts
    )
    card = _card(name=name, source=source or name, form=form, attrs=attrs, n=len(stimuli.ids))
    return Holdings(card=card, stimuli=stimuli, systems=(system,))


def _facts(data: xr.DataArray | xr.Dataset | Answer) -> dict[str, str]:
    names = ("system", "kind", "stimulus_set", "modality")
    if isinstance(data, Answer):
        return {name: str(getattr(data, name, "")) for name in names}
    return {name: str(data.attrs.get(name, "")) for name in names}


def stimulus_table(table: pd.DataFrame) -> pd.DataFrame:
    """Gather the ids, with those text columns that are constant within every stimulus."""
    grouped = table.groupby(STIMULUS_ID, sort=True)
    constant = [name for name in table.columns[1:] if (grouped[name].nunique() <= 1).all()]
    result = grouped[constant].first() if constant else pd.DataFrame(index=grouped.size().index)
    result.index = pd.Index(result.index.astype(object), name=STIMULUS_ID, dtype=object)
    return result.assign(sha256="")


def stimulus_columns(data: xr.DataArray | xr.Dataset | Answer) -> dict[str, np.ndarray]:
    """Give what was shown in every presentation or trial, with the text columns beside it."""
    if isinstance(data, Answer):
        return {STIMULUS_ID: np.asarray(data.stimuli, dtype=object)}
    along = PRESENTATION if PRESENTATION in data.dims else TRIAL
    variables = data.coords if isinstance(data, xr.DataArray) else data.variables
    if STIMULUS_ID not in variables:
        ids = np.unique(data[OPTION_STIMULUS_ID].values.astype(str)).astype(object)
        return {STIMULUS_ID: ids[ids != ""]}
    own = {"subject", "session", "run", "choice", "intervention"}
    columns = {STIMULUS_ID: data[STIMULUS_ID].values}
    for name in variables:
        values = data[name]
        if name not in own | {STIMULUS_ID} and values.dims == (along,) and values.dtype.kind == "O":
            columns[str(name)] = values.values
    return columns


def _card(*, name: str, source: str, form: str, attrs: dict[str, str], n: int) -> DatasetCard:
    nothing = f"nothing: the file holds a {form} only"
    answers = {
        "computation": "choices and response times" if form == "behaviour" else nothing,
        "algorithm": "representations" if form != "behaviour" else nothing,
        "implementation": "localiser and virtual lesions" if form == "recording" else nothing,
    }
    return DatasetCard(
        name=name,
        title=f"{form} in {source}",
        folder=name,
        url=source,
        licence=NOT_STATED,
        citation=NOT_STATED,
        doi="",
        modality=(attrs["modality"] or NOT_STATED,),
        systems=(attrs["system"],),
        n_stimuli=n,
        size_mib=0.0,
        answers=answers,
    )
