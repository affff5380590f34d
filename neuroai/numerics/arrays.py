"""Ask an array which library it belongs to, and check what functions here ask of one."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from neuroai.errors import DataError, UsageError

Array = Any


def is_torch(array: object) -> bool:
    """Say whether `array` is a torch tensor, without importing torch.

    Examples
    --------
    >>> import numpy as np
    >>> is_torch(np.zeros(2))
    False
    """
    return any(base.__module__.partition(".")[0] == "torch" for base in type(array).__mro__)


def namespace_of(*arrays: object) -> ModuleType:
    """Return the library of all the arrays: the module ``numpy`` or the module ``torch``.

    Anything that is no torch tensor (a list, an ndarray) belongs to NumPy.

    Raises
    ------
    UsageError
        Some arrays are torch tensors and others are not.

    Examples
    --------
    >>> import numpy as np
    >>> namespace_of(np.zeros(2), [1, 2]).__name__
    'numpy'
    """
    torch_like = [is_torch(array) for array in arrays]
    if not any(torch_like):
        return np
    if not all(torch_like):
        raise UsageError(
            "Arrays must come from one library; got torch tensors and NumPy arrays together. "
            "Convert one side, for example with torch.from_numpy or tensor.cpu().numpy()."
        )
    return sys.modules["torch"]


def as_float(array: Array) -> Array:
    """Return `array` as float32 or float64 of its own library.

    float32 and float64 stay as they are, shorter floats become float32 and all else float64.
    A torch tensor leaves its graph and keeps its device.

    Examples
    --------
    >>> as_float([1, 2]).dtype
    dtype('float64')
    """
    xp = namespace_of(array)
    array = array.detach() if xp is not np else np.asarray(array)
    if array.dtype in (xp.float32, xp.float64):
        return array
    short = array.dtype == xp.float16 or array.dtype == getattr(xp, "bfloat16", None)
    target = xp.float32 if short else xp.float64
    return array.astype(target) if xp is np else array.to(target)


def as_float64(array: Array) -> Array:
    """Return `array` in float64, in its own library.

    Examples
    --------
    >>> as_float64([1, 2]).dtype
    dtype('float64')
    """
    xp = namespace_of(array)
    return np.asarray(array, dtype=np.float64) if xp is np else array.detach().to(xp.float64)


def not_finite_error(array: Array, *, name: str) -> DataError:
    """Return the error that counts the entries of `array` that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> print(not_finite_error(np.array([1.0, np.nan]), name="patterns"))
    1 of 2 entries of patterns are not finite. Drop or fill the units or stimuli concerned...
    """
    xp = namespace_of(array)
    count = int((~xp.isfinite(array)).sum())
    if count == 0:
        return DataError(
            f"The squares of the entries of {name} are too large for float64; rescale them first."
        )
    total = int(np.prod(tuple(array.shape)))
    return DataError(
        f"{count} of {total} entries of {name} are not finite. "
        "Drop or fill the units or stimuli concerned before calling."
    )


def require_finite(array: Array, *, name: str) -> None:
    """Raise a DataError that counts the entries that are not finite, if there are any.

    Examples
    --------
    >>> require_finite([0.0, 1.0], name="patterns")
    """
    xp = namespace_of(array)
    if not bool(xp.isfinite(array).all()):
        raise not_finite_error(array if xp is not np else np.asarray(array), name=name)


def as_patterns(patterns: Array, *, least: int = 2) -> Array:
    """Return activity patterns as a float matrix (n_stimuli, n_units), or say what is wrong.

    Raises
    ------
    UsageError
        The array is not a matrix, has no units or has fewer than `least` stimuli.

    Examples
    --------
    >>> as_patterns([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    patterns = as_float(patterns)
    if patterns.ndim != 2:
        raise UsageError(
            "patterns must be a matrix of stimuli x units; "
            f"got an array of shape {tuple(patterns.shape)}."
        )
    if patterns.shape[0] < least or patterns.shape[1] < 1:
        raise UsageError(
            f"patterns must have at least {least} stimuli and 1 unit; "
            f"got {patterns.shape[0]} stimuli and {patterns.shape[1]} units."
        )
    return patterns
