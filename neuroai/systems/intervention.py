"""Interventions: what is changed in which part of a system, how much of it, and how far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from neuroai.cards import LesionCard
from neuroai.checks import in_range, known_name, listing, no_duplicates, one_of
from neuroai.errors import UsageError
from neuroai.systems.catalogue import LESIONS

FEATURES, UNITS, LAYER, HEADS = "features", "units", "layer", "heads"
DIRECTION, WEIGHTS, CONNECTIONS = "direction", "weights", "connections"
# What the targets of an intervention count.
OF = (FEATURES, UNITS, LAYER, HEADS, DIRECTION, WEIGHTS, CONNECTIONS)
WITHOUT_TARGETS = (LAYER, DIRECTION)
ON_WEIGHTS = (WEIGHTS, CONNECTIONS)
SIMULATED, VIRTUAL, MEASURED = "simulated", "virtual", "measured"
ORIGINS = (SIMULATED, VIRTUAL, MEASURED)
REFERENCE = ("mean", "sd", "bank", "source")


@dataclass(frozen=True)
class Intervention:
    r"""A lesion, a stimulation or a patch, to be applied to a system, which gives a new system.

    What is changed, a, becomes

    .. math:: a \leftarrow (1 - s) \, a + s \, r(a)

    with s the strength and r what the kind puts in its place: 0, a mean, noise, g a, a rotated a.

    Attributes
    ----------
    region : str
        Layer, as in ``named_modules()``; region of a recording; '' for a measured intervention.
    targets : tuple of int, str or pairs of int
        What is changed. Numbers from 0 count what `of` says; units of a recording are named by
        their ids; connections are pairs (input feature, output feature). Empty for ``layer`` and
        ``direction``. Given strongest first where the dose is below 1.
    kind : str
        Registered kind (``neuroai ls lesions``); of a measured intervention its name in the data.
    strength : float
        s in [0, 1]: how far towards what the kind does in full.
    seed : int
        Seed of everything drawn.
    of : str
        ``features`` (feature maps; features of every token or step; units of a flat layer),
        ``units`` (single places, numbered as in the layer's recording, or ids), ``layer``, whole,
        ``heads`` (of a layer that `neuroai.systems.heads.with_heads` shows), ``direction`` (the
        part of the activity along `vector`), ``weights`` (those that lead into features of a
        linear or convolution layer), ``connections`` (single such weights or kernels).
    dose : float
        Share of the target that is changed, in (0, 1]: the first round(dose n) targets, at least
        one; of a whole layer so many random features.
    amount : float, optional
        Gain of ``scale``, value of ``clamp``, bits of ``quantise``; of a measured intervention the
        dose that the data state.
    vector : tuple of float
        Of ``direction``, ``add`` and ``project_out``: one number a feature of the layer.
    pairs : tuple of (str, str)
        Of ``swap``: a stimulus, and the stimulus whose activity it gets.
    origin : str
        ``simulated`` (a network's pass is changed), ``virtual`` (a recording is masked before
        anything reads it) or ``measured`` (it was done to the brain).

    Raises
    ------
    UsageError
        No target, one that is named twice or is no number, a strength or dose out of range, or
        something that the kind needs is not given, or that it does not take.
    UnknownName
        An unknown kind.

    Examples
    --------
    >>> Intervention("conv", (3, 1), "zero").describe()
    'zero lesion of 2 feature(s) of conv, strength 1'
    >>> Intervention("conv", (), "scale", of="layer", amount=2.0).describe()
    'scale lesion of layer conv, amount 2, strength 1'
    """

    region: str
    targets: tuple[int, ...] | tuple[str, ...] | tuple[tuple[int, int], ...]
    kind: str
    strength: float = 1.0
    seed: int = 0
    of: str = FEATURES
    dose: float = 1.0
    amount: float | None = None
    vector: tuple[float, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    origin: str = SIMULATED

    def __post_init__(self) -> None:
        one_of(self.origin, ORIGINS, option="origin")
        if self.origin == MEASURED:
            return
        known_name(self.kind, LESIONS.names(), kind="lesion")
        one_of(self.of, OF, option="of")
        in_range(self.strength, option="strength", low=0, high=1)
        in_range(self.dose, option="dose", low=0, high=1, low_open=True)
        targets = self._checked()
        object.__setattr__(self, "targets", tuple(sorted(targets)) if self.dose == 1 else targets)
        object.__setattr__(self, "vector", tuple(float(v) for v in self.vector))
        _refuse_what_does_not_fit(self)

    def _checked(self) -> tuple:
        if self.of in WITHOUT_TARGETS:
            if self.targets:
                raise UsageError(f"of='{self.of}' takes no targets; got {listing(self.targets)}.")
            return ()
        if self.of == CONNECTIONS:
            given = [pair if isinstance(pair, tuple) else (pair,) for pair in self.targets]
            pairs = tuple(tuple(int(end) for end in pair) for pair in given)
            if not pairs or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
                raise UsageError(
                    "targets of connections are pairs (input feature, output feature), from 0; "
                    f"got {listing(self.targets) or 'none'}."
                )
            return tuple(dict.fromkeys(pairs))
        if self.origin == VIRTUAL and self.targets and isinstance(self.targets[0], str):
            no_duplicates(self.targets, where="the target")
            return tuple(self.targets)
        targets = [int(target) for target in self.targets]  # type: ignore[arg-type]
        if targets != list(self.targets) or min(targets, default=-1) < 0:
            raise UsageError(
                f"targets of a lesion are one or more whole numbers from 0; "
                f"got {listing(self.targets) or 'none'}."
            )
        return tuple(dict.fromkeys(targets))

    @property
    def card(self) -> LesionCard:
        """What the kind states about itself."""
        return LESIONS.get(self.kind).card

    @property
    def struck(self) -> tuple:
        """The targets that the dose reaches; strongest first."""
        return self.targets[: dosed(len(self.targets), self.dose)]

    @property
    def on_weights(self) -> bool:
        """Whether weights are changed, and not activity."""
        return self.of in ON_WEIGHTS

    def emptied(self) -> Intervention:
        """Give the same target silenced, which needs no reference: a trial of the target alone."""
        vector = self.vector if self.of == DIRECTION else ()
        return replace(self, kind="zero", amount=None, vector=vector, pairs=())

    def describe(self) -> str:
        """Say in a few words what is changed; unlike interventions have unlike descriptions."""
        if self.origin == MEASURED:
            return f"measured: {self.kind}" + (
                "" if self.amount is None else f", dose {self.amount:g}"
            )
        what = f"{self.of.removesuffix('s')}(s) of {self.region}"
        if self.of in WITHOUT_TARGETS:
            what = f"{self.of} {self.region}"
        n = len(self.targets)
        facts = [
            f"{self.kind} lesion of " + (what if self.of in WITHOUT_TARGETS else f"{n} {what}"),
            *([f"dose {self.dose:g}"] if self.dose < 1 else []),
            *([f"amount {self.amount:g}"] if self.amount is not None else []),
            *([f"vector {_digest(self.vector)}"] if self.vector else []),
            *([f"{len(self.pairs)} pairs {_digest(self.pairs)}"] if self.pairs else []),
            f"strength {self.strength:g}",
        ]
        return ", ".join(facts)


def measured(kind: str, *, dose: float | None = None) -> Intervention:
    """Name an intervention that was done to a brain, as its data call it.

    Examples
    --------
    >>> measured("laser", dose=67).describe()
    'measured: laser, dose 67'
    """
    return Intervention("", (), kind, amount=dose, origin=MEASURED)


def dosed(n: int, dose: float) -> int:
    """Count the targets that a dose reaches: round(dose n), at least one of any.

    Examples
    --------
    >>> dosed(10, 0.25), dosed(3, 0.1), dosed(0, 1.0)
    (2, 1, 0)
    """
    return min(n, max(1, round(dose * n)))


def needs_reference(kind: str) -> bool:
    """Say whether a kind needs reference stimuli, over which it takes means or draws activity.

    Examples
    --------
    >>> needs_reference("zero"), needs_reference("mean")
    (False, True)
    """
    card = LESIONS.get(kind).card
    return "activity" in card.acts_on and not set(REFERENCE).isdisjoint(card.needs)


def _refuse_what_does_not_fit(one: Intervention) -> None:
    card, name = one.card, one.kind
    acted = "weights" if one.on_weights else "activity"
    if acted not in card.acts_on:
        on = " or ".join(card.acts_on)
        raise UsageError(f"The kind '{name}' acts on {on}; of='{one.of}' is {acted}.")
    wanted = {
        "amount": ("amount" in card.needs, one.amount is not None),
        "vector": ("vector" in card.needs or one.of == DIRECTION, bool(one.vector)),
        "pairs": ("source" in card.needs and not one.on_weights, bool(one.pairs)),
    }
    for option, (needed, given) in wanted.items():
        if needed and not given:
            raise UsageError(f"The kind '{name}' of '{one.of}' needs {option}=...")
        if given and not needed:
            raise UsageError(f"The kind '{name}' of '{one.of}' takes no {option}.")
    if one.vector and not np.isfinite(one.vector).all():
        raise UsageError("vector must hold finite numbers alone.")
    if one.of == DIRECTION and (not any(one.vector) or {"vector", "seed"} & set(card.needs)):
        raise UsageError(
            f"A direction needs a vector that is not 0, and a kind that serves single numbers; "
            f"got '{name}'."
        )
    if one.amount is not None and not np.isfinite(one.amount):
        raise UsageError(f"amount must be a finite number; got {one.amount}.")


def _digest(values: tuple) -> str:
    return hashlib.sha256(repr(values).encode("utf-8")).hexdigest()[:8]
