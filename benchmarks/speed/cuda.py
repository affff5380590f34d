"""Time the jobs that take tensors on the processor and on a graphics card: ``python cuda.py``.

Both in one run; medians of five after one warm-up. The ratio says what a card is worth; that the
numbers agree is asserted in ``tests/numerics/test_cuda.py``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.folds import group_folds
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.neighbourhoods import within_radius
from neuroai.numerics.rdm_movie import movie_rsa
from neuroai.numerics.ridge_penalty import fit_ridge_cv
from neuroai.numerics.searchlight_lda import searchlight_lda
from neuroai.numerics.searchlight_rsa import searchlight_rsa

N_RUNS = 5
Job = tuple[Callable[..., object], tuple[torch.Tensor, ...]]


def jobs(device: str) -> dict[str, Job]:
    """Give the jobs with their tensors on a device."""
    draw = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw).to(device)

    rng = np.random.default_rng(0)
    models = rng.random((20, 100 * 99 // 2))
    few = rng.random((5, 60 * 59 // 2))
    folds = group_folds([str(i) for i in range(2000)], n_folds=5)
    space = np.stack(np.meshgrid(*(np.arange(n) for n in (20, 24, 20))), -1).reshape(-1, 3) * 1.0
    near = within_radius(space, radius=3.0)
    labels = [f"c{i % 2}" for i in range(60)]
    runs = [i // 12 for i in range(60)]
    return {
        "Gram 10,000 x 2,048": (centred_gram, (normal(10_000, 2048),)),
        "correlation RDM 10,000 x 2,048": (correlation_distance, (normal(10_000, 2048),)),
        "correlation RDM 1,000 x 25,000": (correlation_distance, (normal(1000, 25_000),)),
        "squared Euclidean RDM 10,000 x 2,048": (squared_euclidean, (normal(10_000, 2048),)),
        "RSA in time, 20 subjects x 100 x 64 x 300, 20 models": (
            lambda x: movie_rsa(x, models, method="pearson"), (normal(20, 100, 64, 300),)),
        "ridge 2,000 x 4,096, 20,000 targets, 5 folds": (
            lambda x, y: fit_ridge_cv(x, y, folds=folds), (normal(2000, 4096),
                                                           normal(2000, 20_000))),
        "searchlight RSA, 9,600 centres, 60 conditions": (
            lambda x: searchlight_rsa(x, few, neighbourhoods=near, method="pearson"),
            (normal(60, 9600),)),
        "searchlight LDA, 9,600 centres, 60 rows": (
            lambda x: searchlight_lda(x, labels, runs, neighbourhoods=near), (normal(60, 9600),)),
    }  # fmt: skip


def median_seconds(job: Job, device: str) -> float:
    """Time a job, the card's queue emptied before and after."""
    call, tensors = job
    took = []
    for _ in range(N_RUNS + 1):
        _wait(device)
        start = time.perf_counter()
        call(*tensors)
        _wait(device)
        took.append(time.perf_counter() - start)
    return float(np.median(took[1:]))


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> int:
    """Print a row a job."""
    if not torch.cuda.is_available():
        print("torch sees no cuda device here; nothing was timed.")
        return 5
    print(f"{torch.cuda.get_device_name(0)} beside {torch.get_num_threads()} threads")
    here, there = jobs("cpu"), jobs("cuda")
    for name, job in here.items():
        slow, fast = median_seconds(job, "cpu"), median_seconds(there[name], "cuda")
        print(f"{name:55} {slow:8.3f} s {fast:8.4f} s {slow / fast:7.1f} x", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
