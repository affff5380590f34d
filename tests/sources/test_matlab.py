"""MATLAB files: what comes in, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from neuroai.errors import DataError
from neuroai.sources.matlab import read_matlab, struct_field


def test_structs_are_stacked(tmp_path: Path) -> None:
    """A 2 by 1 struct array of 2 by 3 matrices becomes (2, 2, 3) of float64."""
    matrices = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    structs = np.zeros((2, 1), dtype=[("RDM", object), ("name", object)])
    for i in range(2):
        structs[i, 0] = (matrices[i], f"subject {i}")
    savemat(tmp_path / "x.mat", {"RDMs": structs})
    found = read_matlab(tmp_path / "x.mat")
    assert list(found) == ["RDMs"]
    assert found["RDMs"]["name"].tolist() == ["subject 0", "subject 1"]
    stacked = struct_field(found["RDMs"], "RDM")
    assert stacked.dtype == np.float64
    np.testing.assert_array_equal(stacked, matrices)


@pytest.mark.parametrize(
    "content", [b"", b"MATLAB 7.3 MAT-file".ljust(128, b"\0") + b"\x89HDF", b"a,b\n1,2\n" * 40]
)
def test_other_files_are_explained(content: bytes, tmp_path: Path) -> None:
    """A file of another kind is a data error that names it and the remedy."""
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.mat cannot be read as a MATLAB file .*-v7"):
        read_matlab(tmp_path / "x.mat")
