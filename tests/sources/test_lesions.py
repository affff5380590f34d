"""Lesion masks by hand, and every mask that does not belong refused."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from neuroai.errors import AlignmentError, DataError, ResourceError, UsageError
from neuroai.sources.lesions import read_lesion_masks

AFFINE = np.diag([-2.0, 2.0, 2.0, 1.0])


def mask(path: Path, voxels: list[tuple[int, int, int]], **how: float) -> Path:
    """Write a mask of 4 x 4 x 3 voxels in MNI space."""
    values = np.zeros((4, 4, 3), dtype=np.uint8)
    for voxel in voxels:
        values[voxel] = how.get("value", 1)
    affine = AFFINE.copy()
    affine[0, 3] = how.get("shift", 0)
    image = nibabel.Nifti1Image(values, affine)
    image.set_sform(affine, code=int(how.get("code", 4)))
    nibabel.save(image, path)
    return path


def test_masks_by_hand(tmp_path: Path) -> None:
    """Only voxels lesioned in someone are kept, with their places and the persons' scores."""
    paths = {
        "p1": mask(tmp_path / "1.nii", [(0, 0, 0), (1, 2, 1)]),
        "p2": mask(tmp_path / "2.nii", [(1, 2, 1)]),
        "p3": mask(tmp_path / "3.nii", []),
    }
    scores = pd.DataFrame({"nihss": [3.0, 5.0], "sex": ["F", "M"]}, index=["p2", "p1"])
    found = read_lesion_masks(paths, scores=scores)
    assert found.values.tolist() == [[True, True], [False, True], [False, False]]
    assert found["unit_id"].values.tolist() == ["v000-000-000", "v001-002-001"]
    assert [float(found[axis][1]) for axis in "xyz"] == [-2, 4, 2]
    np.testing.assert_array_equal(found["nihss"], [5, 3, np.nan])
    assert found["sex"].values.tolist() == ["M", "F", ""]
    assert found.attrs["note"].endswith("empty mask: p3")


def test_voxels_of_few_persons_are_left_out_and_counted(tmp_path: Path) -> None:
    """From two persons on: one voxel of three is kept; sizes count all of them."""
    paths = {
        "p1": mask(tmp_path / "1.nii", [(0, 0, 0), (1, 2, 1)]),
        "p2": mask(tmp_path / "2.nii", [(1, 2, 1), (3, 3, 2)]),
    }
    found = read_lesion_masks(paths, least=2)
    assert found.values.tolist() == [[True], [True]]
    assert found["unit_id"].values.tolist() == ["v001-002-001"]
    assert found["lesion_size"].values.tolist() == [2, 2]
    assert found.attrs["note"] == "2 units lesioned in fewer than 2 persons were left out"
    with pytest.raises(DataError, match="lesioned in 3 or more of 2 persons"):
        read_lesion_masks(paths, least=3)
    with pytest.raises(UsageError, match="least must be 1"):
        read_lesion_masks(paths, least=0)


def test_cubes_by_hand(tmp_path: Path) -> None:
    """Two voxels a side: lesioned from 4 of 8 on; the cube's middle is its place."""
    half = [(i, j, 0) for i in (2, 3) for j in (0, 1)]
    paths = {"a": mask(tmp_path / "a.nii", [*half, (0, 0, 0)]), "b": mask(tmp_path / "b.nii", half)}
    found = read_lesion_masks(paths, block=2)
    assert found["unit_id"].values.tolist() == ["v001-000-000"]
    assert [float(found[axis][0]) for axis in "xyz"] == [-5, 1, 1]


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"shift": 1.0}, AlignmentError, "lies up to 1.0 mm away"),
        ({"code": 1}, AlignmentError, "in the space 'scanner', not 'MNI152'"),
        ({"value": 2}, DataError, "1 voxels that are neither 0 nor 1: 2"),
    ],
)
def test_masks_that_do_not_belong(
    how: dict[str, float], error: type[Exception], message: str, tmp_path: Path
) -> None:
    """Another place, another space and other values are refused."""
    good = mask(tmp_path / "good.nii", [(0, 0, 0)])
    with pytest.raises(error, match=message):
        read_lesion_masks({"a": good, "b": mask(tmp_path / "bad.nii", [(0, 0, 0)], **how)})


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """No files, no lesion, scores of others, and too little memory."""
    one = mask(tmp_path / "a.nii", [(0, 0, 0)])
    with pytest.raises(UsageError, match="No lesion mask was given"):
        read_lesion_masks({})
    with pytest.raises(DataError, match="No voxel is lesioned in any of 1 persons"):
        read_lesion_masks({"a": mask(tmp_path / "b.nii", [])})
    with pytest.raises(UsageError, match=r"persons without a mask \(z\)"):
        read_lesion_masks({"a": one}, scores=pd.DataFrame({"s": [1.0]}, index=["z"]))
    with pytest.raises(ResourceError, match="Say block=2"):
        read_lesion_masks({"a": one}, max_memory=1e-12)
