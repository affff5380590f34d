"""What is registered beside the systems: small networks and kinds of lesion."""

from __future__ import annotations

from pathlib import Path

from neuroai.cards import LesionCard, ModelCard
from neuroai.registry import Registry

_HERE = Path(__file__).parent

MODELS = Registry(
    kind="model",
    card_type=ModelCard,
    group="neuroai.models",
    folder=_HERE / "models",
    prefix="neuroai.systems.models",
    function="build",
)

LESIONS = Registry(
    kind="lesion",
    card_type=LesionCard,
    group="neuroai.lesions",
    folder=_HERE / "lesions",
    prefix="neuroai.systems.lesions",
)
