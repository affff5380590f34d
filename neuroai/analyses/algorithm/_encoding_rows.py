"""How rows are dealt into folds, and the labelled numbers of one subject and region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._encoding_fit import Fit
from neuroai.analyses.algorithm._encoding_null import Chance
from neuroai.errors import UsageError
from neuroai.numerics.folds import Folds


@dataclass(frozen=True)
class Rows:
    """How rows are dealt, and how features are delayed.

    Attributes
    ----------
    groups : str
        Column of the stimuli whose values no fold splits.
    n_folds : int
        Folds.
    delays : tuple of float
        In seconds, of continuous features.
    gap : float
        In seconds, on either side of a tested block.
    shuffled : bool
        Deal the samples of continuous recordings one by one.
    history : tuple of float
        In seconds, how long before each sample counts are taken from; of ``poisson`` alone.
    coupled : bool
        Whether every unit is predicted from the history of all units of its region.
    chance : Chance
        How scores without any relation are drawn.
    """

    groups: str
    n_folds: int
    delays: tuple[float, ...]
    gap: float
    shuffled: bool
    history: tuple[float, ...] = ()
    coupled: bool = False
    chance: Chance = Chance()

    def __post_init__(self) -> None:
        if self.coupled and not self.history:
            raise UsageError("coupled=True needs history=..., the delays of the counts in seconds.")


def unit_dataset(
    found: Fit, labels: xr.DataArray, folds: Folds, *, rows: Mapping[str, object]
) -> xr.Dataset:
    """Label what was fitted by the units, and its predictions by `rows`."""
    dims, shape = labels.dims, labels.shape
    data = {name: (dims, values.reshape(shape)) for name, values in found.columns.items()}
    coords = dict(labels.coords)
    if found.parts:
        parts = np.stack([part.reshape(shape) for part in found.parts.values()])
        data["r2_part"] = (("part", *dims), parts)
        coords["part"] = ("part", np.array(list(found.parts), dtype=object))
    if found.predictions is not None:
        along = next(iter(rows.values()))[0]
        predicted = found.predictions.reshape(-1, *shape)
        data["predicted"] = ((along, *dims), predicted)
        coords |= rows
    attrs = {key: value for key, value in labels.attrs.items() if key not in ("format", "history")}
    return xr.Dataset(data, coords=coords).assign_attrs(
        attrs | {"folds": folds.how, "penalties_at_edge": found.at_edge}
    )
