"""What names of BIDS files say, and which files of a folder belong together."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neuroai.errors import DataError

ENTITY = re.compile(r"(?:^|_)([a-z]+)-([A-Za-z0-9]+)")
# What a derived file adds to the name of the run it was made from.
DERIVED = frozenset({"space", "desc", "hemi", "res", "den", "label"})
COORDS = {"ses": "session", "task": "task", "run": "run"}
DESCRIPTION = "dataset_description.json"
FOLDERS_UP = 5  # the file's own, ses-*, sub-*, the data set, and one more
LARGEST_SIDECAR = 2**24  # bytes; a page of text


def entities(path: Path) -> dict[str, str]:
    """Give the BIDS entities of a file's name.

    Examples
    --------
    >>> entities(Path("sub-01_task-look_run-2_bold.nii.gz"))
    {'sub': '01', 'task': 'look', 'run': '2'}
    """
    return dict(ENTITY.findall(path.name))


def entity(value: str | None, key: str) -> str | None:
    """Give the value of an entity that may be written with its key.

    Examples
    --------
    >>> entity("sub-01", "sub"), entity("01", "sub"), entity(None, "ses")
    ('01', '01', None)
    """
    return None if value is None else value.removeprefix(f"{key}-")


def belongs(other: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """Say whether a table, mask or sidecar belongs to a run: its entities contradict none.

    Examples
    --------
    >>> belongs({"task": "look"}, {"sub": "01", "task": "look", "space": "T1w"})
    True
    >>> belongs({"sub": "02", "task": "look"}, {"sub": "01", "task": "look"})
    False
    """
    return all(own.get(key) == value for key, value in other.items() if key not in DERIVED)


def run_coords(paths: Sequence[Any]) -> list[dict[str, str]]:
    """Give session, task and run of files by their names, runs told apart over sessions and tasks.

    Parameters
    ----------
    paths : sequence
        Files of one subject, one a run; what is no path has no name.

    Returns
    -------
    list of dict
        ``run`` always; ``session`` and ``task`` where every name states them. Runs are numbered
        from 1 where the names do not tell them apart.

    Examples
    --------
    >>> names = [f"sub-1_ses-{s}_task-look_run-1_bold.nii.gz" for s in "ab"]
    >>> [found["run"] for found in run_coords([Path(name) for name in names])]
    ['a-1', 'b-1']
    """
    named = [entities(Path(one)) if isinstance(one, (str, Path)) else {} for one in paths]
    shared = [key for key in COORDS if named and all(key in own for own in named)]
    found = [{COORDS[key]: own[key] for key in shared} for own in named]
    for keys in (("run",), ("session", "run"), ("session", "task", "run"), ("session",)):
        labels = ["-".join(own[key] for key in keys if key in own) for own in found]
        if all(labels) and len(set(labels)) == len(labels):
            break
    else:
        labels = [f"{number:02d}" for number in range(1, len(found) + 1)]
    return [{**own, "run": label} for own, label in zip(found, labels, strict=True)]


def sidecar(path: Path) -> dict[str, Any]:
    """Read what the JSON files of a BIDS image say of it, the nearest last.

    Files further up belong to it if their names contradict none of its entities.

    Raises
    ------
    DataError
        A file is not JSON, or holds no mapping.
    """
    own, suffix = entities(path), path.name.split(".")[0].rpartition("_")[2]
    if not own:
        return {}
    found: dict[str, Any] = {}
    for folder in _folders(path):
        some = [
            one
            for one in folder.glob(f"*{suffix}.json")
            if one.name.split(".")[0].rpartition("_")[2] == suffix and _of(one, own)
        ]
        for one in sorted(some, key=lambda one: len(entities(one))):
            found |= _mapping(one)
    return found


def _folders(path: Path) -> list[Path]:
    """Give the folders from the data set's own to the file's; the file's alone without a root."""
    up = list(path.absolute().parents)[:FOLDERS_UP]
    roots = [n for n, folder in enumerate(up) if (folder / DESCRIPTION).is_file()]
    return up[: (roots[0] if roots else 0) + 1][::-1]


def _of(one: Path, own: Mapping[str, str]) -> bool:
    # Of a derived image the sidecar is derived alike; one of the raw image may say other things.
    stated = entities(one)
    return belongs(stated, own) and all(own.get(k) == v for k, v in stated.items())


def _mapping(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST_SIDECAR:
        raise DataError(f"{path} is too large for a sidecar.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({error}). Correct it, or remove it.") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold a mapping; it holds {type(content).__name__}.")
    return content


def seconds_of(path: Path, key: str) -> float | None:
    """Give a number of seconds that the sidecar of an image states, such as ``RepetitionTime``.

    Raises
    ------
    DataError
        It states something else.
    """
    value = sidecar(path).get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e6:
        raise DataError(f"The sidecar of {path} states {key}={value!r}, which is no time in s.")
    return float(value)
