"""Inputs that drive a feature of a network, found by climbing its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.checks import in_range
from neuroai.errors import UsageError
from neuroai.systems.hooks import replaced, tensor_of
from neuroai.systems.layers import choose_layers
from neuroai.systems.layout import layout_of, rows_first
from neuroai.systems.model import Model
from neuroai.systems.single_precision import full_single_precision


@dataclass(frozen=True)
class DrivingInput:
    """What drives a feature most among inputs of one norm.

    Attributes
    ----------
    values : array
        The input, as the network takes it (after preprocessing), without an axis of stimuli.
    response : float
        The feature's mean activity for it.
    course : array, shape (n_steps + 1,)
        The response at every step, from the start.
    region, feature : str, int
        Which feature.
    """

    values: np.ndarray
    response: float
    course: np.ndarray
    region: str
    feature: int


def driving_input(
    model: Model,
    region: str,
    feature: int,
    *,
    shape: tuple[int, ...],
    norm: float,
    n_steps: int = 200,
    step: float = 0.1,
    smoothness: float = 0.0,
    subject: str | None = None,
    seed: int = 0,
) -> DrivingInput:
    r"""Climb the gradient of a feature's mean activity over inputs of one Euclidean norm.

    .. math:: x^* = \arg\max_{\|x\| = c} \; \bar a(x) - \lambda \, \mathrm{TV}(x)

    Each step moves along the normalised gradient and returns to the sphere. What comes out hangs
    on the norm, the smoothness and the seed; compare its response with that of natural stimuli
    scaled to the same norm. A brain has no gradient: of recordings only the stimuli of the set can
    be ranked (``tuning``).

    Parameters
    ----------
    model : Model
        A network.
    region : str
        Layer.
    feature : int
        Feature map of a convolution, else unit, from 0.
    shape : tuple of int
        Shape of one input, such as (3, 224, 224).
    norm : float
        Euclidean norm of the input, above 0, in the network's input unit; that of a typical
        preprocessed stimulus is a good choice.
    n_steps : int
        Steps, at least 1.
    step : float
        Length of a step, as a share of the norm, in (0, 1].
    smoothness : float
        Weight of the mean absolute difference of neighbours along the last two axes.
    subject : str, optional
        Which of the model's seeds.
    seed : int
        Seed of the random start.

    Returns
    -------
    DrivingInput

    Raises
    ------
    UsageError
        An option out of range, a feature beyond the layer, or no gradient reaches the input.

    References
    ----------
    Olah, Mordvintsev & Schubert 2017, doi:10.23915/distill.00007

    Examples
    --------
    A linear unit is driven most by its own weights.

    >>> from neuroai.systems.load import load_model
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> net[0].weight.data = torch.tensor([[3.0, 4.0]])
    >>> model = load_model(net, name="line", layers=["0"], preprocess=torch.as_tensor)
    >>> found = driving_input(model, "0", 0, shape=(2,), norm=1.0)
    >>> found.values.round(2).tolist(), round(found.response, 2)
    ([0.6, 0.8], 5.0)
    """
    in_range(step, option="step", low=0, high=1, low_open=True)
    if n_steps < 1 or norm <= 0 or smoothness < 0:
        raise UsageError(
            "n_steps must be 1 or more, norm above 0 and smoothness 0 or more; got "
            f"{n_steps}, {norm:g} and {smoothness:g}."
        )
    module = model.module(subject)
    choose_layers(module, [region])
    was_training = module.training
    wanted = [(p, p.requires_grad) for p in module.parameters()]
    try:
        module.eval()
        for parameter, _ in wanted:
            parameter.requires_grad_(requires_grad=False)
        start = _start(shape, norm, seed, model.device)
        with full_single_precision():
            return _climb(module, region, feature, start, norm, n_steps, step, smoothness)
    finally:
        module.train(was_training)
        for parameter, needed in wanted:
            parameter.requires_grad_(requires_grad=needed)


def _start(shape: tuple[int, ...], norm: float, seed: int, device: str) -> Tensor:
    drawn = np.random.default_rng(seed).standard_normal(shape)
    return torch.as_tensor(norm * drawn / np.linalg.norm(drawn), dtype=torch.float32).to(device)


def _climb(
    module: nn.Module,
    region: str,
    feature: int,
    x: Tensor,
    norm: float,
    n_steps: int,
    step: float,
    smoothness: float,
) -> DrivingInput:
    best, course = x, []
    for number in range(n_steps + 1):
        x = x.detach().requires_grad_()
        response = _response(module, region, feature, x)
        course.append(float(response.detach()))
        if course[-1] >= max(course):
            best = x.detach()
        if number == n_steps:
            break
        goal = response - smoothness * _roughness(x) if smoothness else response
        (gradient,) = torch.autograd.grad(goal, x)
        length = gradient.norm()
        if length == 0:
            # A silent feature has no slope here: start from another point of the sphere.
            x = _start(tuple(x.shape), norm, number + 1, str(x.device))
            continue
        # Ever shorter steps let the climb settle.
        stride = step * norm * (1 - number / n_steps)
        x = x.detach() + stride * gradient / length
        x = x * (norm / x.norm())
    return DrivingInput(best.cpu().numpy(), max(course), np.array(course), region, feature)


def _response(module: nn.Module, region: str, feature: int, x: Tensor) -> Tensor:
    calls: list[Tensor] = []

    def keep(part: nn.Module, output: Any, call: int) -> Any:
        tensor = tensor_of(output, layer=region)
        layout = layout_of(part, tensor.ndim, tuple(tensor.shape))
        rows = rows_first(tensor, layout, layer=region, n_stimuli=1)
        # A copy, since the next layer may write into the output.
        calls.append(rows.clone().movedim(layout.feature_axis, 0))
        return output

    with torch.enable_grad(), replaced(module, [(region, keep)]):
        module(x[None])
    activity = torch.cat([call.flatten(1) for call in calls], dim=1)
    if not 0 <= feature < activity.shape[0]:
        raise UsageError(
            f"Layer '{region}' has {activity.shape[0]} features, counted from 0; got {feature}."
        )
    if not activity.requires_grad:
        raise UsageError(f"No gradient leads from '{region}' to the input of this network.")
    return activity[feature].mean()


def _roughness(x: Tensor) -> Tensor:
    axes = range(max(0, x.ndim - 2), x.ndim)
    return sum((x.diff(dim=axis).abs().mean() for axis in axes), torch.zeros((), device=x.device))
