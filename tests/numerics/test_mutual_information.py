"""Mutual information: channels of known capacity, and a bias that corrections take away."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.mutual_information import _possible_bins, mutual_information
from neuroai.testing import EXACT, STANDARD_ERRORS


@pytest.mark.parametrize("n", [2, 4, 8])
def test_a_perfect_channel_carries_the_entropy_of_the_label(n):
    """n labels, each its own response: log2 n bits."""
    codes = np.repeat(np.arange(n), 50)
    found = mutual_information(codes, codes[:, None] * 1.0, n_bins=n, correction="none")
    assert found[0] == pytest.approx(np.log2(n), abs=EXACT)


def test_a_binary_symmetric_channel():
    """Flipped in exactly a tenth of the rows: 1 - H(0.1) bits."""
    codes = np.repeat([0, 1], 100)
    flipped = np.tile(np.arange(100) < 10, 2)
    values = np.where(flipped, 1 - codes, codes)[:, None] * 1.0
    entropy = -0.1 * np.log2(0.1) - 0.9 * np.log2(0.9)
    plain = mutual_information(codes, values, n_bins=2, correction="none")[0]
    assert plain == pytest.approx(1 - entropy, abs=EXACT)
    # (2 labels - 1)(2 bins - 1) / (2 N ln 2) with both bins seen everywhere.
    for correction in ("miller-madow", "panzeri-treves"):
        found = mutual_information(codes, values, n_bins=2, correction=correction)[0]
        assert plain - found == pytest.approx(1 / (2 * 200 * np.log(2)), abs=EXACT)


def test_noise_carries_nothing_once_the_bias_is_taken_away(random_array):
    """12 rows for each of 8 labels, 3,000 units of noise."""
    codes = np.repeat(np.arange(8), 12)
    values = random_array(len(codes), 3000)
    means = {
        name: mutual_information(codes, values, n_bins=4, correction=name).mean()
        for name in ("none", "miller-madow", "panzeri-treves")
    }
    assert means["none"] > 0.12
    # The next order of the bias remains: a few hundredths of the first.
    assert abs(means["panzeri-treves"]) < 0.15 * means["none"]
    assert abs(means["panzeri-treves"]) < means["none"] and means["miller-madow"] < means["none"]


def test_few_rows_leave_panzeri_and_treves_nearer_to_zero(random_array):
    """5 rows a label: many bins are missed by chance, which counting those seen overlooks."""
    codes = np.repeat(np.arange(6), 5)
    values = random_array(len(codes), 3000)
    naive, bayes = (
        mutual_information(codes, values, n_bins=4, correction=name).mean()
        for name in ("miller-madow", "panzeri-treves")
    )
    assert abs(bayes) < abs(naive)


def test_the_number_of_possible_bins_grows_only_where_rows_are_few():
    """All seen, many rows in one bin, and few rows over many bins."""
    assert _possible_bins((5, 5, 5)) == 3
    assert _possible_bins((0, 0, 50)) == 1
    assert 3 < _possible_bins((0, 0, 0, 1, 1, 1)) <= 6


def test_order_and_scale_change_nothing(random_array):
    """Bins hang on ranks; labels on equality."""
    codes = np.repeat(np.arange(3), 20)
    values = random_array(60, 4)
    order = np.random.default_rng(0).permutation(60)
    found = mutual_information(codes, values)
    np.testing.assert_allclose(mutual_information(codes[order], values[order]), found, atol=EXACT)
    np.testing.assert_allclose(mutual_information(2 - codes, np.exp(values)), found, atol=EXACT)


def test_a_constant_unit_carries_nothing_and_wrong_input_is_told():
    """Zero bits exactly; NaN, bins and codes that cannot be used."""
    codes = np.array([0, 0, 1, 1])
    assert mutual_information(codes, np.ones((4, 1)))[0] == pytest.approx(0, abs=EXACT)
    with pytest.raises(DataError, match="not finite"):
        mutual_information(codes, np.full((4, 1), np.nan))
    with pytest.raises(UsageError, match="n_bins must be 2"):
        mutual_information(codes, np.ones((4, 1)), n_bins=1)
    with pytest.raises(UsageError, match="whole codes"):
        mutual_information(codes * 1.0, np.ones((4, 1)))
    with pytest.raises(UsageError, match="correction must be one of"):
        mutual_information(codes, np.ones((4, 1)), correction="panzeri")


def test_gaussian_channel(random_array):
    """A label of 1 SD either side of 0 in unit noise, many bins and rows: 0.486 bits."""
    codes = np.repeat([0, 1], 20_000)
    values = random_array(40_000, 1) + (2 * codes - 1)[:, None]
    x = np.linspace(-10, 10, 200_001)
    density = [np.exp(-((x - m) ** 2) / 2) / np.sqrt(2 * np.pi) for m in (-1, 1)]
    mean = (density[0] + density[1]) / 2
    bits = np.trapezoid(sum(d * np.log2(d / mean) for d in density) / 2, x)
    found = mutual_information(codes, values, n_bins=40)[0]
    assert found == pytest.approx(bits, abs=STANDARD_ERRORS * 0.004)
