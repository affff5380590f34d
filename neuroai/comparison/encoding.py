"""Encoding models between two systems: one side's responses predicted from the other's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
import xarray as xr

from neuroai.checks import one_of
from neuroai.comparison.compare import scores_of
from neuroai.comparison.paired import Context, Paired
from neuroai.comparison.statistics.encoding_evaluator import EncodingEvaluator, HeldOut
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import DataError, UsageError
from neuroai.format.align import align, stimulus_patterns
from neuroai.format.answers import Answer, part_of
from neuroai.format.repeats import repeat_table
from neuroai.format.scores import Score
from neuroai.numerics.encoding import Encoded, encode
from neuroai.numerics.encoding_null import encoding_null
from neuroai.numerics.folds import Folds, group_folds
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.matching_units import encode_matched
from neuroai.numerics.pls import encode_pls
from neuroai.numerics.reliability import signal_and_noise
from neuroai.numerics.resample import group_permutations
from neuroai.numerics.ridge import as_kernel
from neuroai.numerics.ridge_penalty import PENALTIES

DIRECTIONS = ("brain-from-model", "model-from-brain")
METHODS = MappingProxyType(
    {"ridge": "encoding-r", "pls": "encoding-pls-r", "one-to-one": "unit-matching-r"}
)
# Each relabelling learns everything anew; more would take minutes a region.
MOST_RELABELLED = 200
# Fewer stimuli with repeats carry no estimate of a unit's noise.
FEWEST_REPEATED = 10


@dataclass(frozen=True, eq=False)
class Encodings:
    """What encoding models between two systems gave.

    Attributes
    ----------
    scores : tuple of Score
        One for every brain region and model region: r averaged over folds, then units, then
        subjects.
    units : tuple of xarray.Dataset
        For every pair of regions and subjects one value a unit that is predicted: ``r``, ``r2``,
        ``ceiling_r``, ``normalised_r`` (r over its ceiling) and ``penalty``, with the unit's own
        labels, so that they go back to a map of voxels, sensors or cells.
    """

    scores: tuple[Score, ...]
    units: tuple[xr.Dataset, ...]


def encodings(
    brain: Answer,
    model: Answer,
    *,
    context: Context,
    direction: str = "brain-from-model",
    method: str = "ridge",
    n_components: int | None = None,
    groups: Sequence[str] | None = None,
    n_folds: int = 5,
    penalties: Sequence[float] = PENALTIES,
    stimuli: str = "same",
    inference: Inference | None = None,
) -> Encodings:
    """Predict the responses of one system, unit by unit, from those of another.

    Ridge regression from all units of a region, with a penalty for each predicted unit chosen
    among what is learnt from (by generalised cross-validation), scored on stimuli that were never
    learnt from. Showings of a stimulus are averaged first, so that none straddles a fold.

    Parameters
    ----------
    brain, model : Answer
        Form ``responses``.
    context : Context
        Level, data set and kind of candidate.
    direction : {"brain-from-model", "model-from-brain"}
        Which side is predicted.
    method : {"ridge", "pls", "one-to-one"}
        Partial least squares, or the one unit that correlates most where it is learnt from (no
        unit serves twice), in place of ridge regression.
    n_components : int, optional
        Dimensions of ``pls``; for it alone.
    groups : sequence of str, optional
        Group of each common stimulus, sorted by id: stimuli of one group stay in one fold. Each
        stimulus is its own by default.
    n_folds : int
        Folds of stimuli.
    penalties : sequence of float
        What is tried.
    stimuli : {"same", "shared"}
        As in `neuroai.comparison.compare.compare`.
    inference : Inference, optional
        How intervals and p-values are made. Stimuli are resampled within folds, without learning
        anew; under the null, at most 200 relabellings, everything is learnt anew.

    Returns
    -------
    Encodings

    Raises
    ------
    UsageError
        An answer is of another form.
    DataError
        Fewer stimuli than twice the folds.
    """
    one_of(direction, DIRECTIONS, option="direction")
    one_of(method, tuple(METHODS), option="method")
    if (n_components is None) == (method == "pls"):
        raise UsageError("n_components is needed for method='pls', and for no other.")
    for answer in (brain, model):
        if answer.form != "responses":
            raise UsageError(
                f"Encoding models take answers of form 'responses'; '{answer.system}' answered "
                f"'{answer.question}' in the form '{answer.form}'."
            )
    left, right, dropped = align(brain, model, stimuli=stimuli)
    ids = left.stimuli
    if len(ids) < 2 * n_folds:
        raise DataError(
            f"{len(ids)} stimuli in {n_folds} folds leave fewer than two to test in a fold. Take "
            "fewer folds or more stimuli."
        )
    folds = group_folds(ids if groups is None else groups, n_folds=n_folds)
    inference = Inference() if inference is None else inference
    inference = replace(inference, n_null=min(inference.n_null, MOST_RELABELLED))
    grouped = tuple(groups) if groups is not None and len(set(groups)) < len(ids) else None
    plan = _Plan(folds, tuple(penalties), direction, grouped, method, n_components)
    found = Encodings((), ())
    for region in left.regions:
        paired, units = _region(left, right, region, plan, dropped)
        scores = scores_of(
            paired,
            brain=left,
            model=right,
            metric=plan.metric,
            context=context,
            inference=inference,
        )
        found = Encodings((*found.scores, *scores), (*found.units, *units))
    return found


@dataclass(frozen=True)
class _Plan:
    folds: Folds
    penalties: tuple[float, ...]
    direction: str
    groups: tuple[str, ...] | None
    method: str
    n_components: int | None

    def source(self, recording: xr.DataArray) -> np.ndarray:
        """Give what is predicted from: inner products for ridge regression, else the units."""
        if self.method == "ridge":
            return _gram(recording)
        _, means, _ = stimulus_patterns(recording)
        return means.reshape(len(means), -1).astype(float)

    def encode(self, source: np.ndarray, y: np.ndarray) -> Encoded:
        """Choose penalties from one fit; with groups, by leaving out one outer fold."""
        options = {"folds": self.folds, "keep_predictions": True}
        if self.method == "pls":
            return encode_pls(source, y, n_components=int(self.n_components or 0), **options)
        if self.method == "one-to-one":
            return encode_matched(source, y, **options)
        return encode(as_kernel(source), y, penalties=self.penalties, rule=self.rule, **options)

    def relabel(self, source: np.ndarray, y: np.ndarray, orders: np.ndarray) -> np.ndarray:
        """Learn anew under every order of the stimuli; single precision does for a null."""
        if self.groups is not None:
            orders = group_permutations(orders, self.groups)
        if self.method != "ridge":
            return np.stack([self.encode(source, y[order]).mean_r() for order in orders])
        return encoding_null(
            as_kernel(source.astype(np.float32)),
            y.astype(np.float32),
            folds=self.folds,
            permutations=orders,
            penalties=self.penalties,
            rule=self.rule,
        )

    @property
    def metric(self) -> str:
        """Name of the score."""
        return METHODS[self.method] + ("-of-model" if self.direction == DIRECTIONS[1] else "")

    @property
    def rule(self) -> str:
        """How penalties are chosen: one fit takes every stimulus for independent."""
        return "generalised" if self.groups is None else "folds"

    @property
    def history(self) -> dict[str, object]:
        """What the numbers hang on."""
        return {
            "direction": self.direction,
            "method": self.method,
            "folds": self.folds.how,
            **self._how_chosen,
            "null": ("stimulus labels" if self.groups is None else "groups of stimuli")
            + " permuted, everything learnt anew",
        }

    @property
    def _how_chosen(self) -> dict[str, object]:
        if self.method == "pls":
            return {"n_components": self.n_components}
        if self.method == "one-to-one":
            return {"matching": "highest sum of correlations where it is learnt from, one-to-one"}
        return {
            "penalties": f"{len(self.penalties)} from {self.penalties[0]:g} to "
            f"{self.penalties[-1]:g}, chosen by "
            + ("generalised cross-validation" if self.groups is None else "the other folds"),
        }


def _region(
    brain: Answer, model: Answer, region: str, plan: _Plan, dropped: int
) -> tuple[Paired, tuple[xr.Dataset, ...]]:
    mine = [r for r in brain.responses if part_of(r)[1] == region]
    theirs = list(model.responses)
    from_model = plan.direction == "brain-from-model"
    sources = [plan.source(r) for r in (theirs if from_model else mine)]
    targets = [target_of(r) for r in (mine if from_model else theirs)]
    units, undefined = [], 0
    pairs: list[list[HeldOut]] = [[] for _ in mine]
    for i in range(len(mine)):
        for j in range(len(theirs)):
            target = targets[i if from_model else j]
            source = sources[j if from_model else i]
            fitted = plan.encode(source, target.values)
            held, bad = _held_out(fitted, target, plan, source)
            pairs[i].append(held)
            undefined += bad
            units.append(_table(fitted, target, mine[i], theirs[j], plan))
    ceilings = [t.mean_ceiling for t in targets] if from_model else [1.0]
    notes = (f"{dropped} stimuli without an answer on both sides dropped",) if dropped else ()
    paired = Paired(
        brain_region=region,
        subjects=tuple(part_of(r)[0] for r in mine),
        regions=tuple(part_of(r)[1] for r in theirs),
        seeds=tuple(part_of(r)[0] for r in theirs),
        evaluator=EncodingEvaluator(tuple(map(tuple, pairs)), tuple(ceilings)),
        n_undefined=undefined + brain.undefined.get("units", 0) + model.undefined.get("units", 0),
        notes=(*notes, *_ceiling_notes(targets, from_model)),
        history=plan.history,
    )
    return paired, tuple(units)


@dataclass(frozen=True, eq=False)
class Target:
    """Mean responses (n_stimuli, n_units) and each unit's ceiling of r (NaN if none)."""

    values: np.ndarray
    labels: xr.DataArray
    ceiling: np.ndarray
    n_repeated: int

    @property
    def mean_ceiling(self) -> float:
        """Mean over the units that have one."""
        known = self.ceiling[np.isfinite(self.ceiling)]
        return float(known.mean()) if len(known) else float("nan")


def _gram(recording: xr.DataArray) -> np.ndarray:
    _, means, _ = stimulus_patterns(recording)
    return np.asarray(centred_gram(means.reshape(len(means), -1)), dtype=float)


def target_of(recording: xr.DataArray) -> Target:
    """Give the mean responses of a recording with the ceiling of each unit."""
    _, means, _ = stimulus_patterns(recording)
    flat = recording.isel(presentation=0, drop=True)
    if "time" in flat.dims:
        flat = flat.transpose("unit", "time")
    ceiling, repeated = _ceiling(recording)
    return Target(means.reshape(len(means), -1).astype(float), flat, ceiling, repeated)


def _ceiling(recording: xr.DataArray) -> tuple[np.ndarray, int]:
    """Estimate each unit's ceiling from the stimuli that were shown twice or more."""
    table = repeat_table(recording)
    if table is None or len(table) < FEWEST_REPEATED:
        n_columns = int(np.prod(recording.shape[1:]))
        return np.full(n_columns, np.nan), 0 if table is None else len(table)
    return signal_and_noise(table).ceiling_r, len(table)


def _held_out(
    fitted: Encoded, target: Target, plan: _Plan, source: np.ndarray
) -> tuple[HeldOut, int]:
    defined = np.isfinite(fitted.r).all(axis=0)
    fold = plan.folds.test.argmax(axis=0)
    predictions = fitted.predictions
    if predictions is None:
        raise UsageError("The predictions were not kept.")
    truth = target.values[:, defined]
    held = HeldOut(
        truth, predictions[:, defined].astype(float), fold, partial(plan.relabel, source, truth)
    )
    return held, int((~defined).sum())


def _table(
    fitted: Encoded, target: Target, mine: xr.DataArray, theirs: xr.DataArray, plan: _Plan
) -> xr.Dataset:
    return unit_table(fitted, target).assign_attrs(
        brain_subject=part_of(mine)[0],
        brain_region=part_of(mine)[1],
        model_subject=part_of(theirs)[0],
        model_region=part_of(theirs)[1],
        direction=plan.direction,
        method=plan.method,
    )


def unit_table(fitted: Encoded, target: Target) -> xr.Dataset:
    """Label the scores of every unit."""
    dims, shape = target.labels.dims, target.labels.shape
    r = fitted.mean_r()
    # Normalised at a ceiling near 0 a unit's r means nothing; it stays as it is, with its ceiling.
    columns = {
        "r": r,
        "r2": fitted.mean_r2(),
        "ceiling_r": target.ceiling,
        "normalised_r": r / target.ceiling,
    }
    if fitted.penalties is not None:
        columns["penalty"] = np.exp(np.log(fitted.penalties).mean(axis=0))
    data = {name: (dims, values.reshape(shape)) for name, values in columns.items()}
    kept = {key: value for key, value in target.labels.attrs.items() if key in ("grid", "space")}
    return xr.Dataset(data, coords=dict(target.labels.coords)).assign_attrs(
        kept | {"penalties_at_edge": fitted.at_edge}
    )


def _ceiling_notes(targets: Sequence[Target], from_model: bool) -> tuple[str, ...]:
    if not from_model:
        return ("a network repeats itself: its ceiling is 1",)
    missing = sum(int(np.isnan(t.ceiling).sum()) for t in targets)
    if not any(np.isfinite(t.ceiling).any() for t in targets):
        return ("no ceiling: fewer than ten stimuli were shown twice or more one by one",)
    return (f"{missing} units without a ceiling (no signal above noise)",) if missing else ()
