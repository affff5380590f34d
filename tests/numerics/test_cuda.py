"""On a graphics card: what takes tensors runs there and agrees with the processor, or raises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tensor_jobs import (
    AGREES,
    JOBS,
    LABELS,
    MODELS,
    MOVIE,
    N_STIMULI,
    RUNS,
    STAY,
    To,
    X,
    assert_agree,
    numbers,
)

from neuroai.errors import UsageError
from neuroai.numerics.canonical import canonical_basis
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.decoding import decode
from neuroai.numerics.procrustes import procrustes_factor
from neuroai.numerics.rdm_movie import movie_rsa
from neuroai.numerics.reductions import principal_components

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no cuda device is here")

# The same in float64.
AGREES_DOUBLE = 1e-10
# Principal components of float32 by two solvers; their signs are free.
SOLVERS = 1e-3


def _of(device: str, dtype: torch.dtype) -> To:
    return lambda array: torch.tensor(np.array(array), dtype=dtype, device=device)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("job", JOBS)
def test_the_card_agrees_with_the_processor(job, dtype):
    """The same job on both: what is undefined there is undefined here, and values agree."""
    here, there = (JOBS[job](_of(device, dtype)) for device in ("cpu", "cuda"))
    # A sketch of either precision sums in float32.
    sketched = job in ("count-sketch", "sparse projection")
    assert_agree(here, there, bound=AGREES if sketched or dtype == torch.float32 else AGREES_DOUBLE)


@pytest.mark.parametrize("job", STAY)
def test_tensors_stay_on_their_card(job):
    """What gives a tensor gives it where its input was."""
    found = STAY[job](_of("cuda", torch.float32))
    assert found.device.type == "cuda"


@pytest.mark.parametrize("job", JOBS)
def test_the_work_is_done_there(job):
    """The card's memory is used beyond the input's own: nothing falls back in silence."""
    to = _of("cuda", torch.float32)
    JOBS[job](to)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
        JOBS[job](to)
    kernels = [event.key for event in seen.key_averages() if not event.key.startswith("Mem")]
    assert kernels and torch.cuda.max_memory_allocated() > before


def test_principal_components_agree():
    """The components' span, signs aside."""
    here, there = (
        numbers(principal_components(to(X), 5)(to(X).float()))
        for to in (_of("cpu", torch.float32), _of("cuda", torch.float32))
    )
    assert np.abs(np.abs(here) - np.abs(there)).max() <= SOLVERS * np.abs(here).max()


NUMPY_ONLY = {
    "procrustes": lambda x: procrustes_factor(x),
    "canonical correlations": lambda x: canonical_basis(x),
    "crossnobis": lambda x: crossnobis(x, np.arange(N_STIMULI) % 5, np.arange(N_STIMULI) // 5),
    "decoding": lambda x: decode(x, LABELS, RUNS),
    "comparators": lambda x: compare_rdms(x, x, method="pearson"),
}


@pytest.mark.parametrize("job", NUMPY_ONLY)
def test_what_is_for_arrays_alone_raises(job):
    """A tensor on a card is refused, never copied away from it in silence."""
    with pytest.raises((TypeError, ValueError), match=r"cuda|NumPy|numpy"):
        NUMPY_ONLY[job](_of("cuda", torch.float64)(X))


def test_comparators_of_arrays_alone_raise_before_any_work():
    """Those without a product with the models are refused on a card, by name."""
    with pytest.raises(UsageError, match="tau-a is computed on the processor alone.*cpu"):
        movie_rsa(_of("cuda", torch.float32)(MOVIE), MODELS, method="tau-a")
