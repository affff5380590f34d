"""One door to every network: a module, or a sentence that names one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from neuroai.errors import UsageError
from neuroai.systems.activations import Activations, load_activations
from neuroai.systems.catalogue import MODELS
from neuroai.systems.factory import load_factory
from neuroai.systems.huggingface import load_huggingface
from neuroai.systems.model import Model
from neuroai.systems.spec import Spec, read_spec
from neuroai.systems.video import film_model
from neuroai.systems.vision import load_timm, load_torchvision
from neuroai.systems.weights import reinitialised

TRAINED = "trained"
VISION = {"timm": load_timm, "torchvision": load_torchvision}


def load_model(
    source: str | nn.Module | Mapping[str, nn.Module] | Model,
    *,
    preprocess: Callable[[Any], Tensor] | None = None,
    name: str | None = None,
    layers: Sequence[str] | None = None,
    output_map: Mapping[str, Sequence[int]] | None = None,
    labels: Sequence[str] | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    reduce: str | None = None,
    untrained: bool | None = None,
    progress: bool | None = None,
) -> Model | Activations:
    """Make a system out of a network.

    Parameters
    ----------
    source : str, torch.nn.Module, mapping or Model
        ``hf:FOLDER``, ``hf:ORG/NAME@REVISION``, ``timm:NAME``, ``torchvision:NAME``,
        ``py:MODULE:FACTORY``, ``builtin:NAME`` or ``acts:FILE``; ``?init=random&seeds=0,1,2`` asks
        for untrained controls, ``?layers=GLOB,GLOB`` and ``?reduce=mean`` set these options,
        ``?token=mean&context=64`` those of a language model, and ``?frames=each`` shows films to a
        network of images. Or any module, or a mapping of seed names to modules of one architecture.
    preprocess : callable, optional
        Turns one stimulus into the tensor the network takes, without an axis of stimuli. A
        module's own method ``preprocess`` serves where none is given.
    name, layers, output_map, labels, device, batch_size, reduce, untrained, progress : optional
        As in `neuroai.systems.model.Model`; what is not given stays as the source says.

    Returns
    -------
    Model or Activations

    Raises
    ------
    UsageError
        The source cannot be understood, or a module comes without preprocessing.
    UnknownName
        A registered network or a layer that does not exist.
    ResourceError
        The device is absent, or files cannot be fetched.

    Examples
    --------
    >>> model = load_model("builtin:small_convnet?seeds=0,1")
    >>> model.name, model.subjects
    ('small_convnet (untrained)', ('seed0', 'seed1'))
    """
    given = {
        "preprocess": preprocess,
        "name": name,
        "layers": None if layers is None else tuple(layers),
        "output_map": None if output_map is None else {k: tuple(v) for k, v in output_map.items()},
        "labels": None if labels is None else tuple(labels),
        "device": device,
        "batch_size": batch_size,
        "reduce": reduce,
        "untrained": untrained,
        "progress": progress,
    }
    options = {key: value for key, value in given.items() if value is not None}
    spec = read_spec(source) if isinstance(source, str) else None
    system = _opened(spec) if spec else _wrapped(source, options)
    if isinstance(system, Activations):
        return _activations(system, spec, options)
    if spec and spec.frames:
        system = film_model(system)
    asked = {} if spec is None else {"layers": spec.layers, "reduce": spec.reduce}
    options = {**{key: value for key, value in asked.items() if value}, **options}
    model = replace(system, **options)
    if model.layers:
        # A misspelt layer is told here, before any work.
        _ = model.regions
    return model


def _activations(system: Activations, spec: Spec | None, options: Mapping[str, Any]) -> Activations:
    if set(options) - {"name", "layers"} or (spec and (spec.random or spec.reduce or spec.frames)):
        raise UsageError(
            "Activations on disk take only the options name and layers: there is no network to run."
        )
    layers = options.get("layers") or (spec.layers if spec else ())
    return system.restrict(layers) if layers else system


def _opened(spec: Spec) -> Model | Activations:
    if spec.scheme == "hf":
        return load_huggingface(
            spec.target,
            random=spec.random,
            seeds=spec.seeds,
            token=spec.token,
            context=spec.context,
        )
    if spec.token is not None or spec.context is not None:
        raise UsageError("token and context are options of language models: hf:FOLDER?token=mean.")
    if spec.scheme in VISION:
        return VISION[spec.scheme](spec.target, random=spec.random, seeds=spec.seeds)
    if spec.scheme == "acts":
        return load_activations(spec.target)
    if spec.scheme == "builtin":
        return _builtin(spec)
    made = load_factory(spec.target)
    model = made if isinstance(made, Model) else _wrapped(made, {"name": _last(spec.target)})
    return untrained_twin(model, seeds=spec.seeds) if spec.random else model


def _last(target: str) -> str:
    return target.rpartition(":")[2]


def _builtin(spec: Spec) -> Model:
    entry = MODELS.get(spec.target)
    build: Any = entry.function
    networks = {f"seed{seed}": build(seed=seed) for seed in spec.seeds}
    model = _wrapped(networks, {"name": f"{spec.target} (untrained)"})
    return replace(model, untrained=True, revision=entry.card.revision)


def _wrapped(source: Any, options: Mapping[str, Any]) -> Model:
    if isinstance(source, Model):
        return source
    networks = {TRAINED: source} if isinstance(source, nn.Module) else source
    if not isinstance(networks, Mapping) or not all(
        isinstance(network, nn.Module) for network in networks.values()
    ):
        raise UsageError(
            "A network is a torch.nn.Module, a mapping of seed names to modules, a Model or a "
            f"sentence such as 'hf:FOLDER'; got {type(source).__name__}."
        )
    if not networks:
        raise UsageError("A mapping of seed names to modules needs at least one module.")
    first = next(iter(networks.values()))
    preprocess = options.get("preprocess") or getattr(first, "preprocess", None)
    if preprocess is None:
        raise UsageError(
            f"{type(first).__name__} says nothing about preprocessing. Give preprocess=..., a "
            "function that turns one stimulus into the tensor the network takes."
        )
    return Model(
        name=options.get("name", type(first).__name__),
        modules=tuple(networks.items()),
        preprocess=preprocess,
        output_map=getattr(first, "output_map", {}),
        labels=tuple(getattr(first, "labels", ())),
    )


def untrained_twin(model: Model, *, seeds: Sequence[int] = (0,)) -> Model:
    """Give the untrained control of a model: the same architecture with fresh random weights.

    Parameters
    ----------
    model : Model
        Its first subject's network is copied; the copy draws its weights anew.
    seeds : sequence of int
        One control a seed; they are called ``seed0``, ``seed1`` ...

    Raises
    ------
    UsageError
        A part of the network does not say how to draw its weights.
    """
    network = model.module(model.subjects[0])
    modules = tuple((f"seed{seed}", partial(reinitialised, network, seed=seed)) for seed in seeds)
    name = f"{model.name.removesuffix(' (untrained)')} (untrained)"
    return replace(model, modules=modules, name=name, untrained=True, revision="")
