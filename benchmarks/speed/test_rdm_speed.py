"""RDMs of float32 patterns here and in rsatoolbox. Run: pytest benchmarks/speed -s."""

from __future__ import annotations

import numpy as np
import pytest
import rsatoolbox

from neuroai.numerics.distances import correlation_distance, squared_euclidean

TASKS = {"euclidean": squared_euclidean, "correlation": correlation_distance}


@pytest.mark.parametrize("shape", [(100, 2_000), (1_000, 25_000)], ids=["100x2k", "1000x25k"])
@pytest.mark.parametrize("method", list(TASKS))
def test_rdm_speed(benchmark, beside_peer, method, shape):
    """Ours and theirs on the same patterns; the ratio is printed and never asserted."""
    patterns = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    dataset = rsatoolbox.data.Dataset(patterns)
    benchmark.pedantic(TASKS[method], args=(patterns,), rounds=5, warmup_rounds=1)
    # rsatoolbox's correlation takes a minute at the larger size.
    rounds = 1 if method == "correlation" and shape[0] == 1_000 else 5
    beside_peer(
        f"{method} RDM {shape}",
        benchmark.stats.stats.min,
        lambda: rsatoolbox.rdm.calc_rdm(dataset, method=method),
        rounds=rounds,
    )
