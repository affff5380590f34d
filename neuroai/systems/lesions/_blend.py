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

    mask = torch.as_tensor(np.asarray(mask), device=activity.device)
    new = torch.as_tensor(replacement, dtype=activity.dtype, device=activity.device)
    mixed = new if strength == 1 else (1 - strength) * activity + strength * new
    return torch.where(mask, mixed, activity)


def like(values: Any, activity: Any) -> Any:
    """Give numbers as an array of the activity's kind, on its device and in its precision."""
    if isinstance(activity, np.ndarray):
        return np.asarray(values, dtype=activity.dtype)
    import torch

    return torch.as_tensor(np.array(values), dtype=activity.dtype, device=activity.device)
