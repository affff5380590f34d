"""Control labels hang on items alone and keep classes; items are spread over folds."""

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.control_task import control_labels, spread_folds


def test_items_keep_one_label_and_classes_their_numbers():
    """Permuted among items that have one label each."""
    items = [f"w{i:02d}" for i in range(12)] * 3
    labels = [["a", "b", "c"][i % 3] for i in range(12)] * 3
    drawn = {tuple(control_labels(labels, items, rng=np.random.default_rng(s))) for s in range(20)}
    assert len(drawn) > 15
    for made in drawn:
        assert made[:12] == made[12:24] == made[24:] and sorted(made) == sorted(labels)


def test_items_of_many_labels_draw_from_all_rows():
    """Shares of labels over 2,000 items are those of the rows, within four standard errors."""
    items = [f"w{i:04d}" for i in range(2000)] * 2
    labels = (["a"] * 3 + ["b"]) * 1000
    made = control_labels(labels, items, rng=np.random.default_rng(0))
    assert made[:2000] == made[2000:]
    assert abs(np.mean(np.array(made) == "a") - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 2000)


def test_the_draw_does_not_hang_on_the_order_of_rows():
    """Rows in another order get the same labels, item by item."""
    items, labels = list("wwxxyyzz"), list("aabbaabb")
    order = np.random.default_rng(1).permutation(8)
    made = control_labels(labels, items, rng=np.random.default_rng(2))
    again = control_labels(
        [labels[i] for i in order], [items[i] for i in order], rng=np.random.default_rng(2)
    )
    assert again == [made[i] for i in order]


def test_rows_of_an_item_go_to_different_folds():
    """Three rows of an item take three of five folds; single rows go anywhere."""
    items = [f"w{i}" for i in range(30)] * 3
    folds = spread_folds(items, n_folds=5, seed=0)
    assert folds.max() == 2
    for item in set(items):
        assert len(set(folds[np.array(items) == item])) == 3


def test_wrong_calls_say_what_to_do():
    """One item has no control task; one fold is none."""
    with pytest.raises(DataError, match="1 items give no control task"):
        control_labels("ab", "ww", rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="n_folds must be at least 2; got 1"):
        spread_folds("ww", n_folds=1)
