"""Shattering of conditions in general position, on a line, and of noise."""

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.shattering import shattering
from neuroai.testing import STANDARD_ERRORS, readonly

N_EACH = 12


def rows(centres, *, noise=0.1, seed=0):
    """Draw rows around the centre of every condition, with a group of its own each."""
    rng = np.random.default_rng(seed)
    k, p = np.shape(centres)
    values = np.repeat(centres, N_EACH, axis=0) + noise * rng.standard_normal((k * N_EACH, p))
    conditions = np.repeat([f"c{i}" for i in range(k)], N_EACH).tolist()
    return readonly(values), conditions, [f"g{i:03d}" for i in range(len(values))]


def test_conditions_in_general_position_are_all_told_apart():
    """Six conditions on six axes: all ten splits into halves."""
    found = shattering(*rows(np.eye(6)))
    assert len(found.accuracies) == 10 and found.score > 0.99
    assert len(set(found.sides)) == 10 and all(side[0] == "c0" for side in found.sides)


def test_conditions_on_a_line_are_told_apart_in_order_alone():
    """Of three splits of four points in a row only the one in the middle is linear."""
    found = shattering(*rows(np.arange(4.0)[:, None]))
    by_side = dict(zip(found.sides, found.accuracies, strict=True))
    assert by_side["c0", "c1"] > 0.99
    assert max(by_side["c0", "c2"], by_side["c0", "c3"]) < 0.8


def test_a_square_cannot_do_exclusive_or():
    """Both factors are read out, and their exclusive or is at chance."""
    square = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    found = shattering(*rows(square))
    by_side = dict(zip(found.sides, found.accuracies, strict=True))
    assert by_side["c0", "c1"] > 0.99 and by_side["c0", "c2"] > 0.99
    assert by_side["c0", "c3"] < 0.75


def test_noise_is_at_chance():
    """Over 30 draws of eight conditions and five splits."""
    scores = [
        shattering(*rows(np.zeros((8, 5)), noise=1, seed=s), n_dichotomies=5).score
        for s in range(30)
    ]
    error = np.std(scores) / np.sqrt(len(scores))
    assert abs(np.mean(scores) - 0.5) < STANDARD_ERRORS * error


def test_splits_that_are_drawn_are_different():
    """Five of 35 for eight conditions, and of an odd number as even as can be."""
    found = shattering(*rows(np.eye(8)), n_dichotomies=5)
    assert len(set(found.sides)) == 5 and {len(side) for side in found.sides} == {4}
    odd = shattering(*rows(np.eye(5))).sides
    assert len(odd) == len(set(odd)) == 10 and {len(side) for side in odd} == {2}


def test_wrong_calls_say_what_to_do():
    """Three conditions, and no dichotomy."""
    with pytest.raises(DataError, match="at least four conditions; got 3"):
        shattering(*rows(np.eye(3)))
    with pytest.raises(UsageError, match="n_dichotomies must be at least 1; got 0"):
        shattering(*rows(np.eye(4)), n_dichotomies=0)
