"""Activations on disk as a system: read-only, found by the ids of their stimuli."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.checks import listing, no_duplicates, one_of
from neuroai.errors import AlignmentError, DataError, UnknownName, UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.sources.damaged import damage_told
from neuroai.systems.labelled import layer_recording
from neuroai.systems.layers import matches
from neuroai.systems.layout import Activity
from neuroai.systems.sequences import LAYERS_TIME_UNIT

SUBJECT = "recorded"
SUFFIXES = (".npz", ".safetensors", ".zarr")
_AXES = {
    1: ("feature_map",),
    2: ("row", "feature_map"),
    3: ("feature_map", "row", "col"),
}


@dataclass(frozen=True, eq=False)
class Activations:
    """Activations of a network that is not at hand.

    Attributes
    ----------
    name : str
        Name in tables.
    ids : tuple of str
        Stimuli, one a row of every array.
    layers : mapping of str to array or StoredLayer, shape (n_stimuli, ...)
        (n, units), (n, tokens, features) or (n, feature maps, rows, columns); of the first
        subject.
    seeds : mapping of str to mapping
        The layers of every subject; one subject, ``recorded``, by default.
    facts : mapping of str to str
        What recordings say about themselves, such as ``reduce`` and ``revision``.
    settings : mapping
        What the values hang on, where a store names it.
    """

    name: str
    ids: tuple[str, ...]
    layers: Mapping[str, Any]
    seeds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    _labels: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.layers:
            raise DataError(f"'{self.name}' holds no array of activations.")
        no_duplicates(self.ids, where=f"the activations '{self.name}'")
        for layer, values in self.layers.items():
            if len(values.shape) < 2 or values.shape[0] != len(self.ids):
                raise DataError(
                    f"Layer '{layer}' of '{self.name}' must have one row for each of the "
                    f"{len(self.ids)} stimuli; its shape is {values.shape}."
                )

    @property
    def kind(self) -> str:
        """Always ``model``."""
        return "model"

    @property
    def candidate_kind(self) -> str:
        """``untrained`` where a store says so, else ``model``."""
        return self.facts.get("candidate_kind", "model")

    @property
    def untrained(self) -> bool:
        """Whether the weights were random."""
        return self.candidate_kind == "untrained"

    @property
    def stimuli(self) -> StimulusSet | None:
        """None: the file names its stimuli and does not hold them."""
        return None

    @property
    def subjects(self) -> tuple[str, ...]:
        """The seeds of a store; else one subject, ``recorded``."""
        return tuple(self.seeds) or (SUBJECT,)

    @property
    def regions(self) -> tuple[str, ...]:
        """Layers, in the order of the file."""
        return tuple(self.layers)

    def restrict(self, layers: Sequence[str]) -> Activations:
        """Keep only the layers of these names or globs."""
        chosen = self._chosen(layers)
        seeds = {key: {name: held[name] for name in chosen} for key, held in self.seeds.items()}
        return replace(self, layers={name: self.layers[name] for name in chosen}, seeds=seeds)

    def _chosen(self, patterns: Sequence[str]) -> tuple[str, ...]:
        chosen: set[str] = set()
        for pattern in patterns:
            found = [name for name in self.layers if matches(name, pattern)]
            if not found:
                raise UnknownName(
                    f"No layer of '{self.name}' is called '{pattern}'. It holds: "
                    f"{listing(self.layers, shown=12)}."
                )
            chosen.update(found)
        return tuple(name for name in self.layers if name in chosen)

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give the activity of each layer, rows sorted by id and found by id.

        Raises
        ------
        AlignmentError
            The file lacks stimuli that are asked for; they are named.
        """
        ids = tuple(sorted(self.ids)) if stimuli is None else stimuli.ids
        lacking = sorted(set(ids) - set(self.ids))
        if lacking:
            raise AlignmentError(
                f"The activations '{self.name}' lack {len(lacking)} of {len(ids)} stimuli: "
                f"{listing(lacking)}."
            )
        chosen = self.regions if regions is None else self._chosen(regions)
        return self._recordings(ids, chosen, "activations" if stimuli is None else stimuli.name)

    def _recordings(
        self, ids: Sequence[str], layers: Sequence[str], stimulus_set: str
    ) -> Iterator[xr.DataArray]:
        place = {key: row for row, key in enumerate(self.ids)}
        rows = [place[key] for key in ids]
        facts = {"candidate_kind": self.candidate_kind, "reduce": "none", **self.facts}
        for subject in self.subjects:
            held = self.seeds.get(subject, self.layers)
            for layer in layers:
                yield layer_recording(
                    _activity(held[layer], rows),
                    layer=layer,
                    subject=subject,
                    system=self.name,
                    stimulus_id=ids,
                    stimulus_set=stimulus_set,
                    attrs=facts,
                    labels=self._labels,
                    time_unit=self.facts.get(LAYERS_TIME_UNIT, "step"),
                )

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Answer that a file of activations makes no choices."""
        return NotMeasurable("activations on disk make no choices; give the network itself")

    def published(self, question: str) -> tuple[Answer, ...]:
        """Give nothing."""
        return ()

    def with_lesion(self, lesion: object, reference: StimulusSet | None = None) -> NotMeasurable:
        """Answer that a file of activations cannot be lesioned."""
        return NotMeasurable("activations on disk cannot be lesioned; give the network itself")


def _activity(values: Any, rows: Sequence[int]) -> Activity:
    if hasattr(values, "activity"):
        return values.activity(rows)
    some = np.asarray(values)[rows]
    shape = some.shape[1:]
    axes = _AXES.get(len(shape), ("feature_map",) + ("other",) * (len(shape) - 1))
    return Activity(some.reshape(len(rows), -1), shape, axes)


def load_activations(path: str | Path) -> Activations:
    """Read activations and the ids of their stimuli; nothing is unpickled.

    Parameters
    ----------
    path : str or Path
        ``.npz`` with one array a layer and the array ``stimulus_id``; ``.safetensors`` with the
        ids as a JSON list in the metadata under ``stimulus_id``; a ``.zarr`` store that
        `neuroai.systems.extract.extract` made; or any ``.zarr`` group with one array a layer and
        the array (or attribute) ``stimulus_id``.

    Raises
    ------
    UsageError
        No such file, or another suffix.
    DataError
        Ids are missing, or an array holds pickled objects or no numbers.
    FormatError, IntegrityError
        A store of ``extract`` is not sealed, or was changed afterwards.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise UsageError(f"There is no file '{path}' with activations.")
    one_of(path.suffix, SUFFIXES, option="The suffix of a file with activations")
    if path.suffix == ".zarr":
        from neuroai.systems.store_read import is_activation_store, open_store

        if is_activation_store(path):
            return open_store(path)
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors, ".zarr": _read_zarr}
    layers, ids = readers[path.suffix](path)
    if ids is None:
        raise DataError(f"'{path}' says nothing about its stimuli; it needs '{STIMULUS_ID}'.")
    strange = [name for name, values in layers.items() if values.dtype.kind not in "fiub"]
    if strange:
        raise DataError(f"'{path}': the arrays {listing(strange)} do not hold numbers.")
    return Activations(name=path.stem, ids=tuple(str(key) for key in np.ravel(ids)), layers=layers)


Read = tuple[dict[str, np.ndarray], Any]


def _read_npz(path: Path) -> Read:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, OSError) as error:
        raise DataError(
            f"'{path}' cannot be read: {error}. Arrays of objects are pickled and are refused; "
            "save numbers, and ids as strings."
        ) from error
    return arrays, arrays.pop(STIMULUS_ID, None)


def _read_safetensors(path: Path) -> Read:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            ids = (file.metadata() or {}).get(STIMULUS_ID)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return arrays, None if ids is None else json.loads(ids)
    except (SafetensorError, json.JSONDecodeError) as error:
        raise DataError(f"'{path}' cannot be read: {error}.") from error


def _read_zarr(path: Path) -> Read:
    import zarr

    from neuroai.format.zarr_store import SealedStore

    arrays: dict[str, np.ndarray] = {}
    # Arrays that are pickled are refused by zarr, before anything is read.
    with damage_told(f"'{path}' cannot be read", do="Save numbers, and ids as strings."):
        group = zarr.open_group(SealedStore(path, read_only=True), mode="r")
        for name, array in group.arrays():
            if array.dtype.kind == "O" and name != STIMULUS_ID:
                raise DataError(f"'{path}': the array '{name}' holds objects, which are refused.")
            arrays[name] = np.asarray(array[:])
        ids = arrays.pop(STIMULUS_ID, group.attrs.get(STIMULUS_ID))
    return arrays, ids
