"""RDMs of float32 patterns here and in rsatoolbox. Run: pytest benchmarks/speed -s."""

from __future__ import annotations

import numpy as np
import pytest
import rsatoolbox

from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.rdm_vectors import to_vector

TASKS = {"euclidean": squared_euclidean, "correlation": correlation_distance}
SHAPES = {"100x2k": (100, 2_000), "1000x25k": (1_000, 25_000), "10000x2k": (10_000, 2_048)}
# Single precision, of distances near 1.
SAME = 1e-4
# The largest takes 3 GB and, in rsatoolbox, minutes: fewer runs of it.
ROUNDS = {"100x2k": 5, "1000x25k": 5, "10000x2k": 3}


@pytest.mark.parametrize("size", list(SHAPES))
@pytest.mark.parametrize("method", list(TASKS))
def test_rdm_speed(duel, method, size):
    """Ours and theirs on the same patterns give the same RDM; the ratio is printed."""
    ours = TASKS[method]
    x = np.random.default_rng(0).standard_normal(SHAPES[size]).astype(np.float32)
    few = x[:50]
    peer = rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(few), method=method)
    np.testing.assert_allclose(to_vector(ours(few)), peer.dissimilarities[0], atol=SAME)
    data = rsatoolbox.data.Dataset(x)
    duel(
        f"{method} RDM {SHAPES[size]}",
        lambda: ours(x),
        lambda: rsatoolbox.rdm.calc_rdm(data, method=method),
        peer="rsatoolbox",
        rounds=ROUNDS[size],
    )
