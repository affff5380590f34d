"""Networks of timm and torchvision, with the preprocessing that their authors state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from neuroai.checks import near_miss, need
from neuroai.errors import MissingExtra, ResourceError, UnknownName, UsageError
from neuroai.systems.huggingface import as_rgb
from neuroai.systems.model import Model
from neuroai.systems.weights import built

EXTRA = "vision"


@dataclass(frozen=True)
class Shown:
    """Turns an image into what a network takes.

    Attributes
    ----------
    transform : callable
        Takes a Pillow image in RGB and gives a tensor (3, rows, columns).
    """

    transform: Callable[[Any], Tensor]

    def __call__(self, stimulus: Any) -> Tensor:
        """Give the tensor of one image, or of an array of 8-bit pixels."""
        return self.transform(as_rgb(stimulus))


def load_timm(name: str, *, random: bool = False, seeds: Sequence[int] = (0,)) -> Model:
    """Load a network of timm by its name, such as ``resnet18.a1_in1k``.

    Parameters
    ----------
    name : str
        As ``timm.list_models(pretrained=True)`` lists it.
    random : bool
        Untrained controls instead of the trained weights.
    seeds : sequence of int
        Seeds of the controls.

    Raises
    ------
    MissingExtra
        timm does not import here.
    UnknownName
        timm knows no such network; the nearest is named.
    ResourceError
        The weights cannot be fetched.
    """
    timm = _imported("timm", f"The network 'timm:{name}'")
    known = timm.list_models(pretrained=not random)
    if name not in known and name.partition(".")[0] not in timm.list_models():
        raise UnknownName(f"timm has no network '{name}'. {near_miss(name, known)}")
    with _explained(f"timm:{name}"):
        module = timm.create_model(name, pretrained=not random)
    config = timm.data.resolve_model_data_config(module)
    shown = Shown(timm.data.create_transform(**config, is_training=False))
    facts = dict(getattr(module, "pretrained_cfg", None) or {})
    revision = str(facts.get("hf_hub_id") or facts.get("tag") or name)
    return Model(
        name=f"{name} (untrained)" if random else name,
        modules=_modules(module, partial(timm.create_model, name, pretrained=False), random, seeds),
        preprocess=shown,
        untrained=random,
        revision="" if random else f"timm {timm.__version__}, {revision}",
    )


def load_torchvision(name: str, *, random: bool = False, seeds: Sequence[int] = (0,)) -> Model:
    """Load a network of torchvision, such as ``resnet18`` or ``resnet18.IMAGENET1K_V1``.

    Without named weights those that torchvision calls ``DEFAULT`` are taken. Weights are checked
    against the hash in their name and never unpickled.

    Raises
    ------
    MissingExtra
        torchvision does not import here.
    UnknownName
        torchvision knows no such network or weights; the nearest is named.
    ResourceError
        The weights cannot be fetched.
    """
    vision = _imported("torchvision", f"The network 'torchvision:{name}'")
    models = vision.models
    kind, _, tag = name.partition(".")
    known = models.list_models()
    if kind not in known:
        raise UnknownName(f"torchvision has no network '{kind}'. {near_miss(kind, known)}")
    choices = {one.name: one for one in models.get_model_weights(kind)}
    if tag and tag not in choices:
        raise UnknownName(f"'{kind}' has no weights '{tag}'. {near_miss(tag, choices)}")
    weights = choices[tag] if tag else models.get_model_weights(kind).DEFAULT
    fresh = partial(models.get_model, kind, weights=None)
    module = fresh()
    if not random:
        with _explained(f"torchvision:{name}"):
            state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
        module.load_state_dict(state)
    return Model(
        name=f"{name} (untrained)" if random else name,
        modules=_modules(module, fresh, random, seeds),
        preprocess=Shown(weights.transforms()),
        labels=tuple(str(one) for one in weights.meta.get("categories", ())),
        untrained=random,
        revision="" if random else f"torchvision {vision.__version__}, {weights.name}",
    )


def _modules(
    trained: nn.Module, fresh: Callable[[], nn.Module], random: bool, seeds: Sequence[int]
) -> tuple[tuple[str, Any], ...]:
    if random:
        return tuple((f"seed{seed}", partial(built, fresh, seed=seed)) for seed in seeds)
    return (("trained", trained),)


def _imported(package: str, purpose: str) -> ModuleType:
    """Import a package; builds of torchvision for another torch fail while they import."""
    try:
        return need(package, extra=EXTRA, purpose=purpose)
    except (RuntimeError, OSError, AttributeError) as error:
        raise MissingExtra(
            f"{purpose} needs the package '{package}', which is installed and does not import "
            f"here ({error}). Install a torchvision that was built for this torch, or give the "
            "network as hf:ORG/NAME@REVISION."
        ) from error


@contextmanager
def _explained(sentence: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"The weights of '{sentence}' cannot be fetched ({error}). Fetch them where there is a "
            "network, or ask for untrained controls with ?init=random."
        ) from error
    except RuntimeError as error:
        raise UsageError(f"'{sentence}' cannot be loaded ({error}).") from error
