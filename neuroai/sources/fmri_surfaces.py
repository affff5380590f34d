"""fMRI on surfaces: the hemispheres of one run, vertices instead of voxels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuroai.checks import listing
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.sources.bids import entities

SIDE = re.compile(r"(?:^|[_.-])(?:hemi-)?(lh|rh|[LR])(?=[_.-])")
SIDES = {"lh": "L", "rh": "R", "L": "L", "R": "R"}


def side_of(path: Any) -> str:
    """Give the hemisphere that a file's name states, ``L`` or ``R``; empty where it states none.

    Examples
    --------
    >>> side_of("sub-1_hemi-R_bold.func.gii"), side_of("lh.aparc.label.gii"), side_of("a.gii")
    ('R', 'L', '')
    """
    found = SIDE.search(Path(str(path)).name)
    return SIDES[found[1]] if found else ""


def is_surface(path: Any) -> bool:
    """Say whether a file's name, or an image, is a GIFTI."""
    name = str(path).lower() if isinstance(path, (str, Path)) else ""
    return name.endswith((".gii", ".gii.gz")) or hasattr(path, "darrays")


def by_run(files: Sequence[Any]) -> list[Any]:
    """Put the hemispheres of one run together, the left first.

    Parameters
    ----------
    files : sequence
        Images, one a run; GIFTI files of two hemispheres are one run where their names differ in
        ``hemi-`` alone.

    Returns
    -------
    list
        One item a run: the file, or a tuple of two.

    Examples
    --------
    >>> by_run(["s_run-1_hemi-R_bold.func.gii", "s_run-1_hemi-L_bold.func.gii"])
    [('s_run-1_hemi-L_bold.func.gii', 's_run-1_hemi-R_bold.func.gii')]
    """
    found: dict[Any, list[Any]] = {}
    for number, one in enumerate(files):
        if isinstance(one, (list, tuple)):
            found[number] = list(one)
            continue
        side = side_of(one) if is_surface(one) and isinstance(one, (str, Path)) else ""
        key = (Path(one).parent, _without_side(Path(one).name)) if side else number
        found.setdefault(key, []).append(one)
    runs = []
    for some in found.values():
        sides = [side_of(one) for one in some]
        if len(some) > 1 and (len(some) > 2 or set(sides) != {"L", "R"}):
            raise UsageError(
                f"A run has a left and a right hemisphere; got {listing(map(str, some))}. Name "
                "them hemi-L and hemi-R."
            )
        runs.append(tuple(sorted(some, key=side_of)) if len(some) > 1 else some[0])
    return runs


def _without_side(name: str) -> str:
    return SIDE.sub("_", name, count=1)


def for_side(given: Any, side: str, *, name: str) -> Any:
    """Choose the mask or atlas of one hemisphere.

    Raises
    ------
    UsageError
        Several were given and none, or more than one, is of this hemisphere.
    """
    if not isinstance(given, (list, tuple)):
        return given
    mine = [one for one in given if side_of(one) == side]
    if len(mine) != 1:
        raise UsageError(
            f"The {name} of hemisphere {side} must be one file whose name says hemi-{side}; got "
            f"{listing(map(str, given))}."
        )
    return mine[0]


def surface_values(image: Any, where: str) -> np.ndarray:
    """Give samples (scan, vertex), float64, of a functional GIFTI."""
    if not image.darrays:
        raise DataError(f"{where} holds no array.")
    return np.stack([np.asarray(a.data, dtype=np.float64).ravel() for a in image.darrays])


def chosen_vertices(
    n_vertices: int, laid: Sequence[tuple[str, Any]], where: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Give which vertices a mask and an atlas leave, and the atlas's numbers.

    Parameters
    ----------
    laid : sequence of (str, GiftiImage)
        ``mask`` or ``atlas``, and its image.

    Raises
    ------
    AlignmentError
        Another number of vertices, or no vertex is left.
    """
    chosen, numbers = np.ones(n_vertices, dtype=bool), None
    for name, image in laid:
        content = np.asarray(image.darrays[0].data).ravel()
        if content.size != n_vertices:
            raise AlignmentError(
                f"The {name} has {content.size} vertices, {where} has {n_vertices}. Use one mesh."
            )
        chosen &= np.nan_to_num(content) != 0
        numbers = content if name == "atlas" else numbers
    if not chosen.any():
        raise AlignmentError(f"The mask leaves no vertex of {where}. Give the mask of this mesh.")
    return chosen, numbers


def surface_space(where: str) -> str:
    """Give the mesh that a BIDS name states, such as ``fsaverage5``; else ``surface``.

    Examples
    --------
    >>> surface_space("sub-1_hemi-L_space-fsaverage5_bold.func.gii"), surface_space("x.gii")
    ('fsaverage5', 'surface')
    """
    return entities(Path(where)).get("space", "surface")
