"""One labelled value a unit: encoding maps, which go back to voxels, sensors or cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._encoding_features import (
    continuous_spaces,
    feature_rows,
    named_spaces,
    text_labels,
)
from neuroai.analyses.algorithm._encoding_fit import Method, fit
from neuroai.analyses.algorithm._encoding_null import with_chance
from neuroai.analyses.algorithm._encoding_over_time import over_time
from neuroai.analyses.algorithm._encoding_rows import Rows, unit_dataset
from neuroai.analyses.algorithm._encoding_targets import Targets, targets_of
from neuroai.errors import DataError, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import STIMULUS, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.folds import Folds, group_folds
from neuroai.numerics.group_folds import stratified_group_folds
from neuroai.numerics.resample import group_permutations, stimulus_permutations
from neuroai.systems.base import System


def encoding_maps(
    system: System,
    *,
    features: object,
    stimuli: StimulusSet | None,
    regions: Sequence[str] | None,
    method: Method,
    rows: Rows,
    undefined: str,
    ceiling: str,
) -> Iterator[xr.Dataset] | NotMeasurable:
    """Fit every subject and region in turn."""
    spaces = named_spaces(features)
    method.check(spaces)
    if rows.history and method.name != "poisson":
        raise UsageError(f"history is for method='poisson', which counts; got '{method.name}'.")
    if continuous_spaces(spaces):
        return over_time(system, spaces, stimuli, regions, method, rows)
    if rows.delays != (0.0,) or rows.shuffled or rows.history:
        raise UsageError(
            "delays, history and shuffled are for continuous features; these have one row a "
            "stimulus."
        )
    targets = targets_of(system, stimuli, regions=regions, undefined=undefined, ceiling=ceiling)
    if isinstance(targets, NotMeasurable):
        return targets
    return (_by_stimulus(part, spaces, stimuli, method, rows) for part in targets)


def _by_stimulus(
    part: Targets,
    spaces: Mapping[str, object],
    stimuli: StimulusSet | None,
    method: Method,
    rows: Rows,
) -> xr.Dataset:
    groups = _groups(part.ids, stimuli, rows)
    folds = _deal(part.ids, spaces, stimuli, rows, groups)
    features = feature_rows(spaces, stimuli, part.ids)
    found = fit(method, features, part.values, folds)
    ids = np.array(part.ids, dtype=object)
    made = unit_dataset(found, part.labels, folds, rows={STIMULUS: (STIMULUS, ids)})
    if rows.chance.n_null:
        made = _with_relabelled(made, part.values, groups, method, features, folds, rows)
    if part.ceiling_r is not None:
        shape, dims = part.labels.shape, part.labels.dims
        made["ceiling_r"] = (dims, part.ceiling_r.reshape(shape))
        made["normalised_r"] = made["r"] / made["ceiling_r"]
    return made.assign_attrs(
        subject=part.subject, region=part.region, notes="\n".join(part.notes), n_nan=part.n_nan
    )


def _with_relabelled(
    made: xr.Dataset,
    values: np.ndarray,
    groups: Sequence[str] | None,
    method: Method,
    features: Mapping[str, np.ndarray],
    folds: Folds,
    rows: Rows,
) -> xr.Dataset:
    chance = rows.chance
    orders = stimulus_permutations(chance.n_null, len(values), rng=chance.rng())
    what = "stimuli"
    if groups is not None:
        orders, what = group_permutations(orders, groups), f"whole groups of '{rows.groups}'"
    made = with_chance(
        made, lambda order: (values[order], None), orders=orders, method=method, spaces=features,
        folds=folds, progress=chance.progress,
    )  # fmt: skip
    return made.assign_attrs(null=f"{what} relabelled")


def _groups(ids: Sequence[str], stimuli: StimulusSet | None, rows: Rows) -> tuple[str, ...] | None:
    """Give the group of every stimulus; None where each is its own."""
    if rows.groups == STIMULUS_ID:
        return None
    if stimuli is None:
        raise UsageError(f"groups='{rows.groups}' needs the table of the stimuli.")
    return tuple(str(value) for value in stimuli.column(rows.groups, ids))


def _deal(
    ids: Sequence[str],
    spaces: Mapping[str, object],
    stimuli: StimulusSet | None,
    rows: Rows,
    groups: Sequence[str] | None,
) -> Folds:
    """Deal stimuli or their groups, evenly over the values of a single feature of text."""
    if len(ids) < 2 * rows.n_folds:
        raise DataError(
            f"{len(ids)} stimuli in {rows.n_folds} folds leave fewer than two to test in a fold. "
            "Take fewer folds or more stimuli."
        )
    if groups is not None:
        return group_folds(groups, n_folds=rows.n_folds)
    name, labels = text_labels(spaces, stimuli, ids)
    # A fold of one value alone would leave every prediction constant and every score undefined.
    if labels is None or min(labels.count(label) for label in set(labels)) < rows.n_folds:
        return group_folds(ids, n_folds=rows.n_folds)
    fold_of = stratified_group_folds(labels, ids, n_folds=rows.n_folds)
    test = fold_of == np.arange(rows.n_folds)[:, None]
    return Folds(~test, test, f"{rows.n_folds} folds stratified by {name}, seed 0")
