"""How a layer is made smaller while it is read: one spelling, and the maps of one sweep."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from neuroai.checks import listing, near_miss, one_of
from neuroai.errors import UsageError
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.reductions import count_sketch, sparse_projection
from neuroai.systems.layout import Layout, reduced

MEAN, SKETCH, PROJECTION, PCA = "mean", "count-sketch", "sparse-projection", "pca"
KINDS = (MEAN, SKETCH, PROJECTION, PCA)
ALL = "all"
FORMS = "mean, count-sketch:N[:seed=S], sparse-projection:N[:seed=S] or pca:N:fit=COLUMN=VALUE"

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Reduction:
    """What is kept of every layer.

    A layer with no more units than `n_features` is kept whole by the random maps, since nothing
    would be saved.

    Attributes
    ----------
    kind : {"mean", "count-sketch", "sparse-projection", "pca"}
        Average of each feature over rows and columns (tokens); or a map from all units of the
        layer to `n_features`.
    n_features : int
        Features of every layer; 0 for ``mean``, which keeps one a feature map.
    seed : int
        Seed of the random maps.
    fit : str or tuple of str
        For ``pca`` the stimuli that the components are fitted on: ``COLUMN=VALUE`` of the
        stimulus table, ``all``, or ids.

    Raises
    ------
    UsageError
        An unknown kind, or an option that is missing or that the kind does not take.

    Examples
    --------
    >>> str(Reduction("count-sketch", 4096))
    'count-sketch:4096:seed=0'
    >>> str(read_reduction("pca:8:fit=half=A"))
    'pca:8:fit=half=A'
    """

    kind: str
    n_features: int = 0
    seed: int = 0
    fit: str | tuple[str, ...] = ""

    def __post_init__(self) -> None:
        one_of(self.kind, KINDS, option="The kind of reduce")
        if (self.n_features < 1) != (self.kind == MEAN) or self.n_features < 0:
            raise UsageError(
                f"reduce='{self.kind}' takes {'no' if self.kind == MEAN else 'a'} number of "
                f"features; got {self.n_features or 'none'}. The forms are: {FORMS}."
            )
        if self.seed < 0 or (self.seed and self.kind not in (SKETCH, PROJECTION)):
            raise UsageError(
                f"seed is a whole number from 0, of count-sketch and sparse-projection alone; "
                f"got {self.seed} for '{self.kind}'."
            )
        if bool(self.fit) != (self.kind == PCA):
            raise UsageError(
                "pca, and nothing else, needs fit=...: the stimuli that the components are fitted "
                f"on, as in pca:50:fit=half=A or pca:50:fit=all; got {self.kind!r} with "
                f"fit={self.fit!r}."
            )

    def __str__(self) -> str:
        if self.kind == MEAN:
            return MEAN
        start = f"{self.kind}:{self.n_features}"
        if self.kind != PCA:
            return f"{start}:seed={self.seed}"
        if isinstance(self.fit, str):
            return f"{start}:fit={self.fit}"
        digest = hashlib.sha256("\n".join(sorted(self.fit)).encode()).hexdigest()[:12]
        return f"{start}:fit={len(self.fit)} ids of sha256 {digest}"

    def fit_ids(self, stimuli: StimulusSet) -> tuple[str, ...]:
        """Give the ids of the stimuli that the components are fitted on, sorted.

        Raises
        ------
        UsageError
            No stimulus at hand is among them.
        """
        if isinstance(self.fit, tuple):
            chosen = stimuli.restrict(self.fit)
        elif self.fit == ALL:
            chosen = stimuli
        else:
            column, equals, value = self.fit.partition("=")
            if not equals:
                raise UsageError(f"fit must be COLUMN=VALUE or all; got '{self.fit}'.")
            chosen = stimuli.where(column, value)
        if not chosen.available:
            raise UsageError(
                f"No stimulus of '{stimuli.name}' that is at hand has {self.fit}, so there is "
                "nothing to fit the components on. Give another fit=..."
            )
        return chosen.available


def read_reduction(reduce: str | Reduction | None) -> Reduction | None:
    """Read the spelling of a reduction.

    Parameters
    ----------
    reduce : str, Reduction or None
        ``mean``, ``count-sketch:N``, ``sparse-projection:N``, both with ``:seed=S`` if wanted,
        or ``pca:N:fit=COLUMN=VALUE``.

    Raises
    ------
    UsageError
        It cannot be read; the forms are listed.

    Examples
    --------
    >>> read_reduction("count-sketch:64:seed=3")
    Reduction(kind='count-sketch', n_features=64, seed=3, fit='')
    """
    if reduce is None or isinstance(reduce, Reduction):
        return reduce
    kind, *parts = reduce.split(":", 3)
    if kind not in KINDS:
        raise UsageError(
            f"reduce='{reduce}' is not known. {near_miss(kind, KINDS)} The forms are: {FORMS}."
        )
    options: dict[str, Any] = {}
    if parts and "=" not in parts[0]:
        options["n_features"] = _whole(parts.pop(0), reduce)
    for part in parts:
        key, _, value = part.partition("=")
        if key not in ("seed", "fit") or not value or key in options:
            raise UsageError(f"reduce='{reduce}' cannot be read. The forms are: {FORMS}.")
        options[key] = _whole(value, reduce) if key == "seed" else value
    return Reduction(kind, **options)


def _whole(value: str, sentence: str) -> int:
    if not value.isdecimal():
        raise UsageError(f"reduce='{sentence}': '{value}' is no whole number. Forms: {FORMS}.")
    return int(value)


@dataclass(eq=False)
class Reducer:
    """A reduction with the maps that one sweep over the stimuli has needed so far.

    Attributes
    ----------
    reduction : Reduction or None
        None keeps every unit.
    fitted : mapping of str to callable
        For ``pca`` the map of every layer.
    layouts : dict of str to Layout
        What the axes of each layer mean after it was reduced.
    """

    reduction: Reduction | None = None
    fitted: Mapping[str, Map] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    _drawn: dict[int, Map] = field(default_factory=dict, repr=False)

    def __call__(self, rows: Tensor, layout: Layout, *, layer: str) -> Tensor:
        """Reduce one call's output, stimuli first; times of a recurrent layer are kept."""
        # Sums stay in float32 also where the network itself runs in bfloat16.
        with torch.autocast(rows.device.type, enabled=False):
            return self._reduced(rows, layout, layer)

    def _reduced(self, rows: Tensor, layout: Layout, layer: str) -> Tensor:
        kind = None if self.reduction is None else self.reduction.kind
        if kind in (None, MEAN):
            small = reduced(rows, layout, reduce=kind)
            gone = len(layout.axes) + 1 - small.ndim
            kept = ("time", "feature_map") if layout.recurrent else ("feature_map",)
            self.layouts[layer] = Layout(0, kept) if kind == MEAN and gone > 0 else layout
            return small
        steps = rows.shape[1] if layout.recurrent else 1
        units = rows.reshape(len(rows) * steps, -1)
        project = self._map(layer, units.shape[1])
        if project is None:
            self.layouts[layer] = layout
            return rows
        small = project(units)
        if kind == PROJECTION and not finite(units):
            # A projection that draws few units would miss what overflowed in another.
            small[~torch.isfinite(units).all(dim=1)] = float("nan")
        if layout.recurrent:
            self.layouts[layer] = Layout(0, ("time", "other"))
            return small.reshape(len(rows), steps, -1)
        self.layouts[layer] = Layout(0, ("other",))
        return small

    @property
    def n_bytes(self) -> int:
        """Bytes of the maps."""
        maps = [*self._drawn.values(), *self.fitted.values()]
        parts = [part for each in maps for part in vars(each).values()]
        return sum(part.nbytes for part in parts if isinstance(part, Tensor))

    def _map(self, layer: str, n_units: int) -> Map | None:
        asked = self.reduction
        if asked is None or asked.kind == PCA:
            return self._fitted(layer)
        if n_units <= asked.n_features:
            return None
        if n_units not in self._drawn:
            draw = count_sketch if asked.kind == SKETCH else sparse_projection
            self._drawn[n_units] = draw(n_units, asked.n_features, seed=asked.seed)
        return self._drawn[n_units]

    def _fitted(self, layer: str) -> Map:
        if layer not in self.fitted:
            raise UsageError(
                f"No components were fitted for layer '{layer}'; there are those of "
                f"{listing(self.fitted) or 'none'}."
            )
        return self.fitted[layer]


def as_reducer(reduce: str | Reduction | Reducer | None) -> Reducer:
    """Give a reducer, made anew unless one is given."""
    return reduce if isinstance(reduce, Reducer) else Reducer(read_reduction(reduce))


def finite(tensor: Tensor) -> bool:
    """Say whether every entry is finite, in one pass and without a temporary array.

    Examples
    --------
    >>> finite(torch.tensor([1.0, float("inf")])), finite(torch.tensor([1.0]))
    (False, True)
    """
    if not tensor.numel() or not tensor.is_floating_point():
        return True
    low, high = torch.aminmax(tensor.detach())
    return bool(torch.isfinite(low) & torch.isfinite(high))
