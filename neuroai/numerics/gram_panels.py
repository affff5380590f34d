"""Products of centred patterns, panel by panel of the lower half of their Gram matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuroai.numerics.gram import squared_norms

# Rows of a panel: enough for a fast product, few enough that little beyond the lower half is made.
ROWS = 256
# Up to so many rows make one panel, by NumPy, whose product of a matrix with itself does the lower
# half alone. What follows must be NumPy's too: two pools of threads would wait for each other.
WHOLE = 1024
# Units are centred so many bytes at a time, into memory that stays warm.
_CHUNK_BYTES = 2**24
# Where the mean pattern has less than this share of the squares, to subtract it gains no digit.
_LITTLE = 0.1


@dataclass(frozen=True, eq=False)
class GramPanels:
    """The lower half of the Gram matrix of patterns about a common point, in panels of rows.

    Attributes
    ----------
    n_stimuli : int
        Rows of the matrix.
    squares : array, shape (n_stimuli,)
        float64, the diagonal; not finite where the patterns are not.
    """

    n_stimuli: int
    squares: np.ndarray
    _held: list[Tensor | np.ndarray] | np.ndarray

    @classmethod
    def of(cls, patterns: np.ndarray, *, block_bytes: int) -> GramPanels:
        """Centre patterns (n_stimuli, n_units) where that gains digits, and sum their squares.

        A matrix that is larger than its patterns is not held: each panel is multiplied when it is
        asked for. Of longer patterns the products of a chunk of units are added in float64.
        """
        n, p = patterns.shape
        # What is not finite is found in the squares.
        with np.errstate(invalid="ignore", over="ignore"):
            if patterns.nbytes <= block_bytes:
                squares, mean = squared_norms(patterns), patterns.mean(axis=0)
                if n * float(mean @ mean) <= _LITTLE * squares.sum():
                    return cls(n, squares, patterns)
            at_once = block_bytes if 2 * n > p else min(block_bytes, _CHUNK_BYTES)
            width = min(p, max(1, at_once // (n * patterns.itemsize)))
            return cls._centred(patterns, width)

    @classmethod
    def _centred(cls, patterns: np.ndarray, width: int) -> GramPanels:
        n, p = patterns.shape
        work, squares = np.empty((n, width), patterns.dtype), np.zeros(n)
        panels: list[Tensor | np.ndarray] = []
        for start in range(0, p, width):
            block = patterns[:, start : start + width]
            part = work[:, : block.shape[1]]
            np.subtract(block, block.mean(axis=0), out=part)
            squares += squared_norms(part)
            if width == p:
                return cls(n, squares, work)
            found = [_product(part, rows) for rows in _rows(n)]
            panels = [a + b for a, b in zip(panels, found, strict=True)] if panels else found
        return cls(n, squares, panels)

    def __iter__(self) -> Iterator[tuple[slice, Tensor | np.ndarray]]:
        """Yield the rows of every panel, and its products with the patterns up to its last row.

        They are float64: one array of all rows, or tensors of some.
        """
        for place, rows in enumerate(_rows(self.n_stimuli)):
            held = self._held
            yield rows, held[place] if isinstance(held, list) else _product(held, rows)


def _product(patterns: np.ndarray, rows: slice) -> Tensor | np.ndarray:
    if len(patterns) <= WHOLE:
        return (patterns @ patterns.T).astype(np.float64)
    held = _shared(patterns)
    return torch.mm(held[rows], held[: rows.stop].T).double()


def _rows(n: int) -> list[slice]:
    width = n if n <= WHOLE else ROWS
    return [slice(start, min(start + width, n)) for start in range(0, n, width)]


def _shared(array: np.ndarray) -> Tensor:
    """Give a tensor of an array's own memory, read-only or not; it is never written to."""
    if array.flags.writeable:
        return torch.from_numpy(array)
    facts = dict(array.__array_interface__)
    facts["data"] = (facts["data"][0], False)
    # The alias keeps the array, and with it the memory, alive; torch would warn of it as it is.
    return torch.from_numpy(
        np.asarray(type("Alias", (), {"__array_interface__": facts, "owner": array})())
    )
