"""Every registered lesion keeps what its card claims."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from interventions import AMOUNT

from neuroai.systems.catalogue import LESIONS

EXACT = 1e-10  # float64 algebra
SINGLE = 1e-4  # float32 against float64
ROWS, ELEMENT = 5, (3, 4)


def _apply(name, activity, *, strength, seeds=range(ROWS)):
    """Apply a kind to features 0 and 2 of four, which run along the last axis."""
    rng = np.random.default_rng(0)
    mask = np.array([True, False, True, False])
    known = {
        "mean": rng.normal(size=ELEMENT),
        "sd": rng.uniform(0.5, 1, size=ELEMENT),
        "bank": rng.normal(size=(6, *ELEMENT)),
        "source": rng.normal(size=(ROWS, *ELEMENT))[list(seeds)],
        "vector": rng.normal(size=ELEMENT[-1]),
        "rng": [np.random.default_rng(seed) for seed in seeds],
        "seed": 3,
        "amount": AMOUNT.get(name),
    }
    entry = LESIONS.get(name)
    given = {option: known[option] for option in entry.card.needs}
    return mask, entry.function(activity, mask, strength=strength, **given)


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
def test_what_erases_leaves_nothing_and_nothing_else_does(name, activity):
    """At full strength the masked units hang on the activity exactly where the card says so."""
    card = LESIONS.get(name).card
    mask, got = _apply(name, activity, strength=card.full_strength)
    other = _apply(name, activity[:, ::-1] * 2 + 1, strength=card.full_strength)[1]
    hit = np.broadcast_to(mask, ELEMENT)
    left = np.abs(got - other)[:, hit].max()
    assert left <= EXACT if card.erases else left > 0.1
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
    if LESIONS.get(name).card.acts_on == ("weights",):
        # The weights of a layer are one row.
        return
    together = _apply(name, activity, strength=1.0)[1]
    alone = _apply(name, activity[2:3], strength=1.0, seeds=[2])[1]
    assert np.abs(together[2] - alone[0]).max() <= EXACT


@pytest.mark.parametrize("name", LESIONS.names())
def test_cards_name_what_the_function_takes(name):
    """The function takes activity, mask, strength and what its card needs, and no more."""
    entry = LESIONS.get(name)
    names = list(inspect.signature(entry.function).parameters)
    assert names[:2] == ["activity", "mask"]
    assert sorted(names[2:]) == sorted((*entry.card.needs, "strength"))
    assert set(entry.card.acts_on) <= {"activity", "weights"}
