"""What the small networks share: how a stimulus becomes a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neuroai.errors import DataError

SIZE = 8
LABELS = tuple(str(digit) for digit in range(10))


def grey(stimulus: Any) -> torch.Tensor:
    """Turn an image into a tensor (1, 8, 8) of grey values in [0, 1].

    Takes a Pillow image, an array of uint8, or an array of floats in [0, 1], with shape (rows,
    columns) or (rows, columns, 3); another size is resized by bilinear interpolation.

    Raises
    ------
    DataError
        The stimulus is no image.
    """
    pixels = np.asarray(stimulus)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "uf":
        raise DataError(
            "A small network takes images: Pillow images, or arrays of uint8 or of floats in "
            f"[0, 1]; got {type(stimulus).__name__} {pixels.dtype} {pixels.shape}."
        )
    values = pixels.astype(np.float32) / (255.0 if pixels.dtype.kind == "u" else 1.0)
    plane = torch.from_numpy(values if values.ndim == 2 else values[..., :3].mean(axis=2))
    if plane.shape == (SIZE, SIZE):
        return plane[None]
    return torch.nn.functional.interpolate(
        plane[None, None], size=(SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True
    )[0]
