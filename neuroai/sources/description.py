"""A lab's own data from a description in TOML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.checks import known_name, listing, no_duplicates
from neuroai.errors import UsageError
from neuroai.format.holdings import Holdings, SystemData
from neuroai.sources.catalogue import NOT_STATED, stimulus_columns, stimulus_table
from neuroai.sources.description_parts import Place, build_behaviour, build_recording
from neuroai.sources.description_schema import (
    BehaviourPart,
    ContrastPart,
    Description,
    Stimuli,
    TaskPart,
    checked,
    read_toml,
    recording_part,
)
from neuroai.sources.description_stimuli import described_stimuli

NOT_DESCRIBED = "the description names none"
MIB = 2**20


def load_description(path: str | Path) -> Holdings:
    """Load the data that a description names.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``.toml`` file, as ``neuroai check FILES --write mydata.toml`` drafts it. Its paths are
        relative to its own folder and stay inside it, or absolute.

    Returns
    -------
    Holdings
        One brain a system that the description names, with its recordings and behaviour.

    Raises
    ------
    UsageError
        The file is not TOML, a key is not known (the nearest is named), a file is not there, or
        a relative path leaves the folder.
    DataError
        The data cannot be used; see the readers.
    """
    path = Path(path).expanduser()
    about = checked(Description, read_toml(path), where=str(path))
    if not about.recordings and not about.behaviour:
        raise UsageError(
            f"{path} names no data: add [[recordings]] or [[behaviour]]. Draft them: neuroai check "
            f"FILES --write {path.name}"
        )
    root = path.resolve().parent
    recordings, frames = _recordings(about, root)
    tables = _behaviours(about, root)
    stimuli = described_stimuli(
        checked(Stimuli, about.stimuli, where="[stimuli]"),
        root=root,
        name=about.name,
        shown=_shown([*recordings, *tables], frames),
    )
    contrasts = _contrasts(about, stimuli.table)
    tasks = _tasks(about, stimuli.table)
    systems = _systems(about, recordings, tables)
    card = _card(about, path, systems, len(stimuli.ids), contrasts, tasks)
    return Holdings(card=card, stimuli=stimuli, systems=systems)


def _recordings(about: Description, root: Path) -> tuple[list[xr.DataArray], list[pd.DataFrame]]:
    found, frames = [], []
    for number, values in enumerate(about.recordings, start=1):
        where = f"[[recordings]] number {number}"
        part = recording_part(values, where=where)
        place = Place(root, where, part.system or about.system, about.name)
        recording, events = build_recording(part, place)
        found.append(recording)
        frames += [] if events is None else [events]
    # Two recordings of one name would count as two subjects, or overwrite one another.
    keys = [
        f"subject {r.attrs['subject']} of {r.attrs['system']} ({r.attrs.get('modality', '')})"
        for r in found
    ]
    no_duplicates(keys, where="[[recordings]]: name sessions as subjects of their own")
    return found, frames


def _behaviours(about: Description, root: Path) -> list[xr.Dataset]:
    found = []
    for number, values in enumerate(about.behaviour, start=1):
        where = f"[[behaviour]] number {number}"
        part = checked(BehaviourPart, values, where=where)
        place = Place(root, where, part.system or about.system, about.name)
        found.append(build_behaviour(part, place))
    return found


def _shown(
    data: Sequence[xr.DataArray | xr.Dataset], frames: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Gather what was shown, with the text columns that are one value within every stimulus."""
    columns = [pd.DataFrame(stimulus_columns(one), dtype=object) for one in data]
    texts = [frame.drop(columns=["onset", "duration"]) for frame in frames]
    return stimulus_table(pd.concat([*columns, *texts], ignore_index=True))


def _contrasts(about: Description, table: pd.DataFrame) -> dict[str, Contrast]:
    found = {}
    for name, values in about.contrasts.items():
        where = f"[contrasts.{name}]"
        part = checked(ContrastPart, values, where=where)
        known_name(part.column, list(table.columns), kind=f"column of the stimuli ({where})")
        there = set(table[part.column].dropna().astype(str))
        for value in (*part.positive, *part.negative):
            known_name(value, there, kind=f"value of '{part.column}' ({where})")
        found[name] = Contrast(part.column, tuple(part.positive), tuple(part.negative))
    return found


def _tasks(about: Description, table: pd.DataFrame) -> tuple[ChoiceTask, ...]:
    found = []
    for number, values in enumerate(about.tasks, start=1):
        where = f"[[tasks]] number {number}"
        part = checked(TaskPart, values, where=where)
        known_name(part.truth, list(table.columns), kind=f"column of the stimuli ({where})")
        if len(part.where) not in (0, 2):
            raise UsageError(f"{where}: where is [column, value], or nothing.")
        chosen = (part.where[0], part.where[1]) if part.where else ()
        found.append(ChoiceTask(part.name, tuple(part.options), part.truth, chosen, part.readout))
    return tuple(found)


def _systems(
    about: Description, recordings: Sequence[xr.DataArray], tables: Sequence[xr.Dataset]
) -> tuple[SystemData, ...]:
    names = dict.fromkeys(str(one.attrs["system"]) for one in (*recordings, *tables))
    found = []
    for name in names:
        parts: Mapping[str, tuple[Any, ...]] = {
            "recordings": tuple(r for r in recordings if r.attrs["system"] == name),
            "behaviour": tuple(t for t in tables if t.attrs["system"] == name),
        }
        missing = {key: NOT_DESCRIBED for key, content in parts.items() if not content}
        missing["lesions"] = NOT_DESCRIBED
        species = about.species or NOT_STATED
        found.append(SystemData(name, "brain", species, missing=missing, **parts))
    return tuple(found)


def _card(
    about: Description,
    path: Path,
    systems: Sequence[SystemData],
    n_stimuli: int,
    contrasts: Mapping[str, Contrast],
    tasks: Sequence[ChoiceTask],
) -> DatasetCard:
    data = [one for s in systems for one in (*s.recordings, *s.behaviour)]
    modalities = dict.fromkeys(str(one.attrs.get("modality", NOT_STATED)) for one in data)
    recorded, behaved = any(s.recordings for s in systems), any(s.behaviour for s in systems)
    nothing = f"nothing: {NOT_DESCRIBED}"
    tasked = f", tasks: {listing([task.name for task in tasks])}" if tasks else ""
    return DatasetCard(
        name=about.name,
        title=about.title or about.name,
        folder=about.name,
        url=about.url or path.name,
        licence=about.licence or NOT_STATED,
        citation=about.citation or NOT_STATED,
        doi=about.doi,
        modality=tuple(modalities),
        systems=tuple(system.name for system in systems),
        n_stimuli=n_stimuli,
        size_mib=round(sum(one.nbytes for one in data) / MIB, 3),
        answers={
            "computation": f"behaviour{tasked}" if behaved else nothing,
            "algorithm": "representations" if recorded else nothing,
            "implementation": "localiser and virtual lesions" if recorded else nothing,
        },
        contrasts=dict(contrasts),
        tasks=tuple(tasks),
        simulated=about.simulated,
    )
