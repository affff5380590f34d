"""Products of float32 in float32, on graphics cards too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_single_precision() -> Iterator[None]:
    """Keep a graphics card from rounding float32 products to TF32 while the context lasts.

    torch lets convolutions use TF32, with 10 bits of mantissa, unless told otherwise: activations
    would differ from those of the processor by a thousandth. Who wants speed says
    ``dtype="bfloat16"``.

    Examples
    --------
    >>> with full_single_precision():
    ...     torch.backends.cudnn.conv.fp32_precision
    'ieee'
    """
    places, name, exact = _switches()
    before = [getattr(place, name) for place in places]
    try:
        for place in places:
            setattr(place, name, exact)
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            setattr(place, name, value)


def _switches() -> tuple[list[object], str, str | bool]:
    """Give what holds the setting, what it is called and its exact value: torch 2.9 renamed it."""
    backends = torch.backends
    if hasattr(backends.cudnn, "conv"):
        parts = [backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul]
        return parts, "fp32_precision", "ieee"
    return [backends.cudnn, backends.cuda.matmul], "allow_tf32", False
