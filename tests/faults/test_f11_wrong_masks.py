"""F11: a mask that belongs to another image, or lies elsewhere, is refused."""

from __future__ import annotations

import nibabel
import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.sources.fmri import read_bold

SHAPE, N_SCANS, TR = (6, 7, 5), 30, 2.0
BRAIN = np.zeros(SHAPE, dtype=bool)
BRAIN[:3] = True
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def _image():
    rng = np.random.default_rng(0)
    values = np.zeros((*SHAPE, N_SCANS), dtype=np.float32)
    values[BRAIN] = 100 + rng.standard_normal((int(BRAIN.sum()), N_SCANS))
    image = nibabel.Nifti1Image(values, AFFINE)
    image.header.set_zooms((3, 3, 3, TR))
    image.header.set_xyzt_units("mm", "sec")
    return image


def _read(image, mask):
    events = pd.DataFrame({"onset": [4.0, 20.0], "duration": 1.0, "trial_type": ["a", "b"]})
    return read_bold(
        image, events=events, subject="1", stimulus_set="s", mask=mask, model="condition"
    )


def _mask(content=BRAIN, affine=AFFINE):
    return nibabel.Nifti1Image(np.asarray(content).astype(np.int16), affine)


def _cropped(rng):
    """Another shape."""
    axis = int(rng.integers(3))
    return _mask(np.delete(BRAIN, -1, axis=axis))


def _moved(rng):
    """The same shape, a tenth of a voxel to forty voxels away."""
    affine = AFFINE.copy()
    affine[int(rng.integers(3)), 3] += rng.choice([-1, 1]) * rng.uniform(0.3, 120)
    return _mask(affine=affine)


def _other_voxels(rng):
    """The same shape, voxels of another size."""
    return _mask(affine=AFFINE @ np.diag([*(1 + rng.uniform(0.01, 1, 3)), 1]))


def _mirrored(rng):
    """The same shape, left and right changed."""
    affine = AFFINE.copy()
    axis = int(rng.integers(3))
    affine[axis, axis] *= -1
    return _mask(affine=affine)


def _beside_the_brain(rng):
    """The right grid, but most of the mask lies where nothing was measured."""
    content = np.zeros(SHAPE, dtype=bool)
    content[3:] = rng.random((3, *SHAPE[1:])) < 0.9
    content[2, 0, 0] = True
    return _mask(content)


def _nothing(rng):
    """A mask without a voxel."""
    return _mask(np.zeros(SHAPE))


KINDS = (_cropped, _moved, _other_voxels, _mirrored, _beside_the_brain, _nothing)


def run(cases, rng):
    """Lay wrong masks of six kinds on a run; the right one is taken."""
    found, image = Outcome(), _image()
    found.check(
        _read(image, _mask()).sizes["unit"] == int(BRAIN.sum()), "the right mask is refused"
    )
    for case in range(cases):
        kind = KINDS[case % len(KINDS)]
        try:
            _read(image, kind(rng))
        except NeuroaiError:
            told = True
        else:
            told = False
        found.check(told, f"case {case}: {kind.__doc__} Nothing was said.")
    return found


FAULT = Fault("F11", "a mask of another grid, place or image is refused", 50, run)


def test_f11():
    """Every wrong mask is noticed."""
    assert_held(FAULT)
