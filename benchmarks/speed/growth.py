"""Time against size for each job, with the slope of its operations: python growth.py PICTURE."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from neuroai.numerics.canonical import canonical_basis, canonical_grid  # noqa: E402
from neuroai.numerics.cka import cka  # noqa: E402
from neuroai.numerics.crossnobis import crossnobis  # noqa: E402
from neuroai.numerics.decoding import decode, temporal_generalisation  # noqa: E402
from neuroai.numerics.distances import correlation_distance, squared_euclidean  # noqa: E402
from neuroai.numerics.encoding import encode  # noqa: E402
from neuroai.numerics.folds import group_folds  # noqa: E402
from neuroai.numerics.gram import centred_gram  # noqa: E402
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid  # noqa: E402
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms  # noqa: E402
from neuroai.numerics.rdm_movie import movie_rsa  # noqa: E402
from neuroai.numerics.resample import bootstrap_counts  # noqa: E402

ROUNDS = 3
Task = Callable[[], object]


@dataclass(frozen=True)
class Job:
    """A job at several sizes.

    Attributes
    ----------
    name, unit : str
        What is done, and what the size counts.
    slope : float
        Exponent with which the number of operations grows with the size.
    sizes : tuple of int
        Sizes.
    make : callable
        ``make(size, rng)`` gives the task.
    """

    name: str
    unit: str
    slope: float
    sizes: tuple[int, ...]
    make: Callable[[int, np.random.Generator], Task]


def _rdm(function: Callable) -> Callable[[int, np.random.Generator], Task]:
    def make(n: int, rng: np.random.Generator) -> Task:
        x = rng.standard_normal((n, 4000), dtype=np.float32)
        return lambda: function(x)

    return make


def _crossnobis(n: int, rng: np.random.Generator) -> Task:
    x = rng.standard_normal((n * 8, 1000))
    stimuli, runs = np.tile(np.arange(n), 8), np.repeat(np.arange(8), n)
    return lambda: crossnobis(x, stimuli, runs)


def _bootstrap(method: str, *, both: bool) -> Callable[[int, np.random.Generator], Task]:
    def make(n: int, rng: np.random.Generator) -> Task:
        data, models = rng.random((10, 1770)), rng.random((10, 1770))
        counts = {"subject_counts": bootstrap_counts(n, 10, rng=rng)}
        if both:
            counts["stimulus_counts"] = bootstrap_counts(n, 60, rng=rng)
        return lambda: bootstrap_rdms(data, models, method=method, **counts)

    return make


def _movie(n: int, rng: np.random.Generator) -> Task:
    x = rng.standard_normal((80, 64, n), dtype=np.float32)
    models = rng.random((10, 80 * 79 // 2))
    return lambda: movie_rsa(x, models, method="spearman")


def _ridge(n: int, rng: np.random.Generator) -> Task:
    x = rng.standard_normal((400, 300), dtype=np.float32)
    y = rng.standard_normal((400, n), dtype=np.float32)
    folds = group_folds([str(i) for i in range(400)], n_folds=5)
    return lambda: encode(x, y, folds=folds)


def _lda(n: int, rng: np.random.Generator) -> Task:
    x, trial = rng.standard_normal((200, 32, n)), np.arange(200)
    return lambda: decode(x, trial % 2, trial // 2 % 5)


def _generalisation(n: int, rng: np.random.Generator) -> Task:
    x, trial = rng.standard_normal((200, 32, n)), np.arange(200)
    return lambda: temporal_generalisation(x, trial % 2, trial // 2 % 5)


def _layers(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.standard_normal((300, 600), dtype=np.float32) for _ in range(n)]


def _cka_grid(n: int, rng: np.random.Generator) -> Task:
    layers = _layers(n, rng)

    def run() -> object:
        grams = np.stack([centred_gram(layer) for layer in layers])
        return cka(grams, grams)

    return run


def _svcca_grid(n: int, rng: np.random.Generator) -> Task:
    layers = _layers(n, rng)

    def run() -> object:
        bases = [canonical_basis(layer, variance=0.99) for layer in layers]
        return canonical_grid(bases, bases)

    return run


def _procrustes_grid(n: int, rng: np.random.Generator) -> Task:
    layers = _layers(n, rng)

    def run() -> object:
        factors = [procrustes_factor(layer) for layer in layers]
        return procrustes_grid(factors, factors)

    return run


SIZES = (200, 400, 800, 1600, 3200)
JOBS = (
    Job("correlation RDM", "stimuli", 2, SIZES, _rdm(correlation_distance)),
    Job("squared Euclidean RDM", "stimuli", 2, SIZES, _rdm(squared_euclidean)),
    Job("crossnobis", "stimuli", 2, (100, 200, 400, 800), _crossnobis),
    Job(
        "bootstrap, subjects, spearman",
        "samples",
        1,
        (500, 1000, 2000, 4000),
        _bootstrap("spearman", both=False),
    ),
    Job(
        "bootstrap, both, pearson",
        "samples",
        1,
        (500, 1000, 2000, 4000),
        _bootstrap("pearson", both=True),
    ),
    Job("RSA at every time", "times", 1, (50, 100, 200, 400), _movie),
    Job("ridge, nested folds", "targets", 1, (2000, 4000, 8000, 16_000), _ridge),
    Job("LDA at every time", "times", 1, (50, 100, 200, 400), _lda),
    Job("temporal generalisation", "times", 2, (100, 200, 400, 800), _generalisation),
    Job("CKA grid", "layers", 1, (5, 10, 20, 40), _cka_grid),
    Job("SVCCA grid", "layers", 2, (4, 8, 16), _svcca_grid),
    Job("Procrustes grid", "layers", 2, (4, 8, 16), _procrustes_grid),
)


def measure(job: Job) -> list[float]:
    """Give the shortest time of some rounds at every size."""
    times = []
    for size in job.sizes:
        task = job.make(size, np.random.default_rng(0))
        task()
        rounds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            task()
            rounds.append(time.perf_counter() - start)
        times.append(min(rounds))
    return times


def main(picture: str) -> None:
    """Measure every job and draw it beside the slope of its operations."""
    figure, axes = plt.subplots(3, 4, figsize=(13, 8.5), layout="constrained")
    for job, axis in zip(JOBS, axes.ravel(), strict=True):
        times = measure(job)
        sizes = np.array(job.sizes, dtype=float)
        found = np.polyfit(np.log(sizes), np.log(times), 1)[0]
        axis.loglog(sizes, times, "o-", color="#1f5fa8", label=f"measured, slope {found:.2f}")
        # Through the largest size, where fixed costs weigh least.
        bound = times[-1] * (sizes / sizes[-1]) ** job.slope
        axis.loglog(sizes, bound, "--", color="#777777", label=f"operations, slope {job.slope:g}")
        axis.set(title=job.name, xlabel=job.unit, ylabel="seconds")
        axis.set_xticks(sizes, [f"{size:,}" for size in job.sizes])
        axis.minorticks_off()
        axis.legend(fontsize=8, frameon=False)
        print(f"{job.name}: slope {found:.2f}, operations {job.slope:g}, times "
              + ", ".join(f"{t:.3g}" for t in times), flush=True)  # fmt: skip
    figure.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
