"""Odd-one-out agreement against counting by hand."""

from __future__ import annotations

import numpy as np

from neuroai.comparison.metrics.odd_one_out_agreement import odd_one_out_agreement
from neuroai.testing import EXACT, readonly


def test_counts_by_hand():
    """Of the triplets that both answered, the share with the same odd one."""
    a = readonly([[0, 1, 2, np.nan, 2], [0, 0, 0, 0, 0]], dtype=float)
    b = readonly([[0, 1, 0, 1, np.nan]], dtype=float)
    np.testing.assert_allclose(odd_one_out_agreement(a, b), [[2 / 3], [2 / 4]], atol=EXACT)


def test_negative_codes_are_undefined_too():
    """The code -1 of a tie agrees with nothing, not even another tie."""
    tied = readonly([[-1, -1, 2]])
    np.testing.assert_allclose(odd_one_out_agreement(tied, tied), [[1]], atol=EXACT)
    assert np.isnan(odd_one_out_agreement(tied[:, :2], tied[:, :2])).all()
