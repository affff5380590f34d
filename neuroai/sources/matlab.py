"""MATLAB files of every version since 5: plain arrays, cells and structs; nothing is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neuroai.sources.damaged import damage_told
from neuroai.sources.matlab73 import is_matlab73, read_matlab73


def read_matlab(path: Path) -> dict[str, Any]:
    """Read the variables of a MATLAB file, singleton dimensions squeezed away.

    Returns
    -------
    dict
        From a variable's name to its value; structs are arrays with named fields.

    Raises
    ------
    DataError
        The file is no MATLAB file, or holds objects of a MATLAB class.
    """
    if is_matlab73(path):
        return read_matlab73(path)
    from scipy.io import loadmat

    what = f"{path} cannot be read as a MATLAB file of version 5 to 7"
    with damage_told(what, do="Save it in MATLAB with save(..., '-v7')."):
        content = loadmat(path, squeeze_me=True)
    return {name: value for name, value in content.items() if not name.startswith("__")}


def struct_field(struct: np.ndarray, field: str) -> np.ndarray:
    """Stack one numeric field of a struct array.

    Parameters
    ----------
    struct : structured array, any shape
        As `read_matlab` gives it.
    field : str
        Name of the field; its content has the same shape in every element.

    Returns
    -------
    array, shape (*struct.shape, *content.shape), float64
    """
    values = struct[field]
    stacked = np.stack([np.asarray(value, dtype=np.float64) for value in values.ravel()])
    return stacked.reshape(values.shape + stacked.shape[1:])
