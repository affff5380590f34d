"""An example of every kind of intervention in activity, for tests over all kinds."""

from __future__ import annotations

from collections.abc import Sequence

from neuroai.systems.catalogue import LESIONS
from neuroai.systems.intervention import Intervention

ON_ACTIVITY = tuple(e.card.name for e in LESIONS.entries() if "activity" in e.card.acts_on)
ON_WEIGHTS = tuple(e.card.name for e in LESIONS.entries() if "weights" in e.card.acts_on)
AMOUNT = {"scale": -2.0, "clamp": 3.0, "quantise": 2}


def example(
    kind: str,
    region: str,
    targets: tuple,
    *,
    ids: Sequence[str] = (),
    sources: Sequence[str] = (),
    n_features: int = 0,
    of: str = "features",
    strength: float = 1.0,
    seed: int = 0,
) -> Intervention:
    """Make an intervention of a kind; `ids` are the stimuli, `sources` those of the reference."""
    needs = LESIONS.get(kind).card.needs
    others = list(sources or ids)
    pairs = tuple((key, others[(i + 1) % len(others)]) for i, key in enumerate(ids))
    return Intervention(
        region,
        targets,
        kind,
        strength=strength,
        seed=seed,
        of=of,
        amount=AMOUNT.get(kind) if "amount" in needs else None,
        vector=tuple(1.0 + i for i in range(n_features)) if "vector" in needs else (),
        pairs=pairs if "source" in needs and of not in ("weights", "connections") else (),
    )
