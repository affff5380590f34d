"""The step that every lesion shares: part of the activity gives way to its replacement."""

from __future__ import annotations

from typing import Any

import numpy as np


def blend(activity: Any, mask: Any, replacement: Any, *, strength: float) -> Any:
    """Compute (1 - s) * a + s * replacement where the mask holds; a new array of a's type."""
    if strength == 0:
        return activity.copy() if isinstance(activity, np.ndarray) else activity.clone()
    if isinstance(activity, np.ndarray):
        mixed = replacement if strength == 1 else (1 - strength) * activity + strength * replacement
        return np.where(mask, mixed, activity).astype(activity.dtype, copy=False)
    import torch

    mask = np.asarray(mask)
    axis = _only_axis(mask, activity.ndim - 1)
    if axis is not None:
        return _along(activity, mask, replacement, strength, axis)
    hit = torch.as_tensor(mask, device=activity.device)
    new = torch.as_tensor(replacement, dtype=activity.dtype, device=activity.device)
    mixed = new if strength == 1 else (1 - strength) * activity + strength * new
    return torch.where(hit, mixed, activity)


def _only_axis(mask: np.ndarray, n_axes: int) -> int | None:
    """Give the axis of the activity along which alone the mask varies, or None."""
    long = [axis for axis, size in enumerate(mask.shape) if size > 1]
    return 1 + long[0] if len(long) == 1 and mask.ndim == n_axes else None


def _along(activity: Any, mask: np.ndarray, replacement: Any, strength: float, axis: int) -> Any:
    """Blend the masked slices alone, which are few of a layer's features."""
    import torch

    hit = torch.as_tensor(np.flatnonzero(mask), device=activity.device)
    if isinstance(replacement, (int, float)) and strength == 1:
        return activity.clone().index_fill_(axis, hit, replacement)
    new = torch.as_tensor(replacement, dtype=activity.dtype, device=activity.device)
    # A view of the activity's shape, which takes no memory.
    old, new = activity.index_select(axis, hit), new.expand(activity.shape).index_select(axis, hit)
    mixed = new if strength == 1 else (1 - strength) * old + strength * new
    return activity.clone().index_copy_(axis, hit, mixed)


def like(values: Any, activity: Any) -> Any:
    """Give numbers as an array of the activity's kind, on its device and in its precision."""
    if isinstance(activity, np.ndarray):
        return np.asarray(values, dtype=activity.dtype)
    import torch

    return torch.as_tensor(np.array(values), dtype=activity.dtype, device=activity.device)
