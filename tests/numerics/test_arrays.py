"""Arrays say which library they belong to, and what is wrong with them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from neuroai.errors import DataError, UsageError
from neuroai.numerics import arrays


def test_numerics_imports_no_torch():
    """Importing the numeric modules leaves torch alone."""
    names = ["gram", "distances", "cka", "rdm_bootstrap", "layer_choice", "rdm_ceiling"]
    imports = "; ".join(f"import neuroai.numerics.{name}" for name in names)
    code = f"import sys; {imports}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_namespace_of_follows_the_array():
    """A tensor belongs to torch, a list and an ndarray to NumPy."""
    assert arrays.namespace_of(torch.zeros(2), torch.nn.Parameter(torch.zeros(2))) is torch
    assert arrays.namespace_of([1.0], np.zeros(2)) is np


def test_mixed_libraries_are_refused():
    """A tensor beside an ndarray is an error that says what to do."""
    with pytest.raises(UsageError, match="one library.*torch.from_numpy"):
        arrays.namespace_of(torch.zeros(2), np.zeros(2))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("int32", "float64"), ("float16", "float32"), ("float32", "float32"), ("float64", "float64")],
)
def test_as_float_keeps_or_widens(given, wanted):
    """Floats keep 32 or 64 bits, shorter ones widen, whole numbers become float64."""
    assert arrays.as_float(np.ones(2, dtype=given)).dtype == np.dtype(wanted)
    assert arrays.as_float(torch.ones(2, dtype=getattr(torch, given))).dtype == getattr(
        torch, wanted
    )


def test_as_float_widens_bfloat16_and_leaves_the_graph():
    """bfloat16 becomes float32, without a gradient."""
    tensor = arrays.as_float(torch.ones(2, dtype=torch.bfloat16, requires_grad=True))
    assert tensor.dtype == torch.float32
    assert not tensor.requires_grad


def test_require_finite_counts():
    """The error counts the entries that are not finite."""
    with pytest.raises(DataError, match="2 of 3 entries of weights are not finite"):
        arrays.require_finite([np.nan, np.inf, 1.0], name="weights")


@pytest.mark.parametrize("shape", [(3,), (1, 4), (3, 0)])
def test_as_patterns_refuses_wrong_shapes(shape):
    """Patterns need two axes, two stimuli and a unit."""
    with pytest.raises(UsageError, match="patterns must"):
        arrays.as_patterns(np.zeros(shape))
