"""Films: a network of images runs over every frame, and its layers become courses in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.errors import DataError, UsageError
from neuroai.systems.hooks import tensor_of
from neuroai.systems.model import Model, Source
from neuroai.systems.sequences import SEQUENCE, Films, sequence_of
from neuroai.systems.texts import Tokenised

SHOWN = "each frame by itself; the output is the mean over frames"


@dataclass(frozen=True)
class Film:
    """Turns a film into the tensor of its frames.

    Attributes
    ----------
    preprocess : callable
        Turns one frame into the tensor that a network of images takes.
    """

    preprocess: Callable[[Any], Tensor]

    def __call__(self, film: Any) -> Tensor:
        """Give (n_frames, ...) for an array (n_frames, rows, columns[, 3]) or a list of images."""
        frames = list(film) if isinstance(film, (list, tuple)) else film
        if isinstance(frames, np.ndarray) and frames.ndim < 3:
            raise DataError(
                f"A film is an array (frames, rows, columns[, 3]) or a list of images; got the "
                f"shape {frames.shape}."
            )
        if not isinstance(frames, (list, np.ndarray)) or not len(frames):
            raise DataError(
                "A film is an array (frames, rows, columns[, 3]) or a list of images, not empty; "
                f"got {type(film).__name__}."
            )
        return torch.stack([self.preprocess(frame) for frame in frames])


def as_film_network(module: nn.Module) -> nn.Module:
    """Let a network of images take films (n_stimuli, n_frames, ...), one frame after the other.

    Layers keep their names; each is called once a frame, so that its frames become times. A
    recurrent state inside the network is not carried from frame to frame. The output is the mean
    over frames.

    Raises
    ------
    UsageError
        The network reads sequences of its own.
    """
    if sequence_of(module) is not None:
        raise UsageError(
            f"{type(module).__name__} reads sequences of its own and cannot be shown frames."
        )
    setattr(module, SEQUENCE, Films())
    # On the module itself, so that its layers keep the names that their author gave them.
    module.forward = partial(_frame_by_frame, module.forward)  # type: ignore[method-assign]
    return module


def _frame_by_frame(forward: Callable[[Tensor], Any], films: Tensor) -> Tensor:
    outputs = [tensor_of(forward(frames), layer="(output)") for frames in films.unbind(dim=1)]
    return torch.stack(outputs).mean(dim=0)


def film_model(model: Model) -> Model:
    """Let a model of images be shown films.

    Parameters
    ----------
    model : Model
        A network of images; its modules are copied and stay as they are.

    Returns
    -------
    Model
        Takes arrays (frames, rows, columns[, 3]); recordings have a time axis in frames.

    Raises
    ------
    UsageError
        The network reads texts or sounds.

    Examples
    --------
    >>> from neuroai.systems.load import load_model
    >>> model = film_model(load_model("builtin:small_convnet"))
    >>> model.preprocess(np.ones((5, 8, 8))).shape
    torch.Size([5, 1, 8, 8])
    """
    if isinstance(model.preprocess, (Film, Tokenised)):
        raise UsageError(f"'{model.name}' takes films or texts already; give a network of images.")
    if model.lesions:
        raise UsageError("Make the film model first, then lesion it.")
    modules = tuple((name, partial(_made, source)) for name, source in model.modules)
    facts = {**model.facts, "frames_shown": SHOWN}
    return replace(model, modules=modules, preprocess=Film(model.preprocess), facts=facts)


def _made(source: Source) -> nn.Module:
    import copy

    module = copy.deepcopy(source) if isinstance(source, nn.Module) else source()
    return as_film_network(module)
