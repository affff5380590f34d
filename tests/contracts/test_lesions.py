"""Every registered lesion keeps what its card claims."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neuroai.systems.catalogue import LESIONS

EXACT = 1e-10  # float64 algebra
SINGLE = 1e-4  # float32 against float64
ROWS, ELEMENT = 5, (4, 3)


def _apply(name, activity, *, strength, seeds=range(ROWS)):
    rng = np.random.default_rng(0)
    mask = np.array([True, False, True, False])[:, None]
    return mask, LESIONS.get(name).function(
        activity,
        mask,
        strength=strength,
        mean=rng.normal(size=ELEMENT),
        sd=rng.uniform(0.5, 1, size=ELEMENT),
        rng=[np.random.default_rng(seed) for seed in seeds],
    )


@pytest.fixture
def activity():
    """Activity that cannot be written to."""
    values = np.random.default_rng(1).normal(size=(ROWS, *ELEMENT))
    values.setflags(write=False)
    return values


@pytest.mark.parametrize("name", LESIONS.names())
def test_null_strength_changes_nothing(name, activity):
    """At the card's null strength every value stays as it was."""
    _, got = _apply(name, activity, strength=LESIONS.get(name).card.null_strength)
    assert np.array_equal(got, activity)


@pytest.mark.parametrize("name", LESIONS.names())
def test_full_strength_leaves_nothing_of_the_stimulus(name, activity):
    """At the card's full strength the lesioned units no longer hang on the activity."""
    full = LESIONS.get(name).card.full_strength
    mask, got = _apply(name, activity, strength=full)
    other = _apply(name, activity + 7.0, strength=full)[1]
    hit = np.broadcast_to(mask, ELEMENT)
    assert np.abs(got - other)[:, hit].max() <= EXACT
    assert np.abs(got - activity)[:, hit].max() > 0.1


@pytest.mark.parametrize("name", LESIONS.names())
def test_shape_and_other_units_stay(name, activity):
    """The shape and type stay, and units outside the mask are untouched."""
    mask, got = _apply(name, activity, strength=0.5)
    away = ~np.broadcast_to(mask, ELEMENT)
    assert got.shape == activity.shape and got.dtype == activity.dtype
    assert np.array_equal(got[:, away], activity[:, away])


@pytest.mark.parametrize("name", LESIONS.names())
def test_strength_is_linear(name, activity):
    """Strength s gives (1 - s) a + s r, where r is what full strength gives."""
    full = _apply(name, activity, strength=1.0)[1]
    part = _apply(name, activity, strength=0.25)[1]
    assert np.abs(part - (0.75 * activity + 0.25 * full)).max() <= EXACT


@pytest.mark.parametrize("name", LESIONS.names())
def test_torch_gives_what_numpy_gives_and_leaves_its_input(name, activity):
    """A float32 tensor is lesioned alike and is not written to."""
    tensor = torch.tensor(activity, dtype=torch.float32)
    before = tensor.clone()
    got = _apply(name, tensor, strength=0.5)[1]
    wanted = _apply(name, activity, strength=0.5)[1]
    assert got.dtype == torch.float32 and torch.equal(tensor, before)
    assert np.abs(got.numpy() - wanted).max() <= SINGLE


@pytest.mark.parametrize("name", LESIONS.names())
def test_rows_hang_on_nothing_but_themselves(name, activity):
    """Each row with its own generator gives what it gives among the others."""
    together = _apply(name, activity, strength=1.0)[1]
    alone = _apply(name, activity[2:3], strength=1.0, seeds=[2])[1]
    assert np.abs(together[2] - alone[0]).max() <= EXACT
