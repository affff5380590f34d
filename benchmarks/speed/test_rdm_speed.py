"""RDMs of float32 patterns here and in rsatoolbox. Run: pytest benchmarks/speed -s.

Memory is the peak above the patterns, each side in a process of its own.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
import rsatoolbox
from peak_memory import peak_above, peak_of_script

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


@pytest.mark.parametrize("size", ["1000x25k", "10000x2k"])
def test_memory_of_euclidean_distances(size):
    """Peak above the patterns, MiB, no more than the peer's."""
    ours, theirs = (peak_of_script(__file__, size, who) for who in ("ours", "theirs"))
    print(f"\neuclidean RDM {SHAPES[size]}: ours {ours:.0f} MiB, rsatoolbox {theirs:.0f} MiB")
    assert ours <= theirs


def _peak_here(size: str, who: str) -> float:
    x = np.random.default_rng(0).standard_normal(SHAPES[size], dtype=np.float32)
    data = rsatoolbox.data.Dataset(x)
    # Both load what they need on a few patterns first.
    squared_euclidean(x[:9])
    rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(x[:9]), method="euclidean")
    if who == "ours":
        return peak_above(lambda: squared_euclidean(x))
    return peak_above(lambda: rsatoolbox.rdm.calc_rdm(data, method="euclidean"))


if __name__ == "__main__":
    print(_peak_here(*sys.argv[1:]))
