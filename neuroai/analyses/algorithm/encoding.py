"""Encoding: how much of every unit can be predicted from a named feature space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._encoding_features import Space, named_spaces
from neuroai.analyses.algorithm._encoding_fit import Method
from neuroai.analyses.algorithm._encoding_maps import encoding_maps
from neuroai.analyses.algorithm._encoding_null import NULL, Chance
from neuroai.analyses.algorithm._encoding_rows import Rows
from neuroai.cards import AnalysisCard
from neuroai.checks import in_range
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS_ID, TIME, UNIT
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.intervals import permutation_p
from neuroai.numerics.ridge_penalty import PENALTIES
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="encoding",
    level="algorithm",
    question="How much of every unit can be predicted from a named feature space?",
    form="profile",
    defined_on="recordings, activations, continuous recordings and published means of stimuli",
    citation="Naselaris et al. 2011, doi:10.1016/j.neuroimage.2010.07.073; Schoppe et al. 2016, "
    "doi:10.3389/fncom.2016.00010",
)
# Seconds: as long as a blood-flow response lasts.
GAP = 15.0
# Units whose rescaled intervals are this unlikely are counted.
LEVEL = 0.05
# What counts are scored by, with their own past and by it alone.
COUNTS = (
    "pseudo_r2",
    "bits_per_count",
    "history_pseudo_r2",
    "history_bits_per_count",
    "rescaling_distance",
)
Features = Space | Mapping[str, Space]


def encoding(
    system: System,
    *,
    features: Features,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    method: str = "ridge",
    groups: str = STIMULUS_ID,
    n_folds: int = 5,
    penalties: Sequence[float] = PENALTIES,
    n_components: int | None = None,
    n_iter: int = 100,
    seed: int = 0,
    delays: Sequence[float] = (0.0,),
    gap: float = GAP,
    shuffled: bool = False,
    history: Sequence[float] = (),
    coupled: bool = False,
    ceiling: str = "ncsnr",
    least_ceiling: float = 0.3,
    n_null: int = 0,
    undefined: str = "raise",
    progress: bool = False,
) -> Answer | NotMeasurable:
    r"""Predict the responses of every unit from features, on stimuli that were never learnt from.

    .. math:: r = \frac{1}{K} \sum_k \mathrm{corr}(y_{B_k}, \hat y_{B_k}), \qquad
              r_{norm} = \frac{r}{c}, \quad
              c = \sqrt{\frac{\sigma_s^2}{\sigma_s^2 + \sigma_n^2 / n}}

    with the folds' tested rows :math:`B_k`, and c the highest r of a perfect model with the mean
    of n showings. Showings of a stimulus are averaged first, so that none straddles a fold; scores
    are averaged over folds and never pooled; penalties are chosen, for every unit, within what a
    fold learns from.

    Parameters
    ----------
    system : System
        A brain or a model.
    features : str, sequence of str, DataArray, or mapping from name to any of these
        Columns of the stimuli (numbers are z-scored over the stimuli, text becomes one column a
        value), or a labelled array with ``presentation`` or ``stimulus``; or a continuous
        recording of features, to predict a continuous recording. Each name is one space.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    method : {"ridge", "banded", "partition", "pls", "poisson"}
        One penalty a unit; one a unit and space (himalaya); ridge with R² split into unique and
        shared parts; partial least squares; Poisson regression of counts.
    groups : str
        Column of the stimuli whose values no fold splits; each stimulus is its own by default.
    n_folds : int
        Folds.
    penalties : sequence of float
        What is tried.
    n_components : int, optional
        Of ``pls`` alone.
    n_iter, seed : int
        Draws of the weights of spaces of ``banded``, and the seed of these, of chance and, under
        ``poisson``, of the places of spikes within bins.
    delays : sequence of float
        Seconds by which continuous features come before the response; built run by run.
    gap : float
        Seconds on either side of a tested block of a continuous recording that are not learnt
        from, as long as its series remember: 15 for blood flow. Whole runs need none.
    shuffled : bool
        Deal samples one by one in place of blocks; slow series then seem to predict each other,
        and the answer says so.
    history : sequence of float
        Seconds before each sample at which a unit's own counts are predictors too, for
        ``poisson`` on continuous recordings: spikes follow spikes. What features add is the
        difference between ``pseudo_r2`` and ``history_pseudo_r2``; blocks keep a gap as long.
    coupled : bool
        Whether the history of all units of the region predicts each, where they were recorded
        together.
    ceiling : {"ncsnr", "split-half", "signal-power"}
        From the variance over repeats, halves of them (Spearman and Brown), or the signal power,
        by which normalised r is CC_norm; it needs as many repeats of every stimulus.
    least_ceiling : float in (0, 1]
        Units below it enter no mean of normalised scores and are counted.
    n_null : int
        How often everything is learnt anew from responses that belong to other stimuli (whole
        groups change places), or that are moved in time within their runs; 0 for no p-values.
        What is tested is r, or under ``poisson`` pseudo-R².
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.
    progress : bool
        Show a bar while chance is drawn.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile`` by subject and region (and time), means over units: ``value`` (r in
        [-1, 1]), ``r2`` (at most 1), ``n_units``, and where the method or the repeats give them
        ``pseudo_r2`` and ``bits_per_count`` (beyond a constant rate), both with ``history_`` of
        the past alone, ``rescaling_distance`` (of whole counts over time: of the intervals between
        spikes, in units of the expected count, from chance) and ``rescaling_rejected`` (share of
        units whose distance has p ≤ .05), ``ceiling_r``, ``normalised_r`` and ``r2_part`` by part;
        with `n_null` also ``p`` of the mean and ``p_max``, by the largest mean of all times.
        Units without a score are left out of the means and counted. Values of single units:
        `neuroai.analyses.algorithm.encoding.unit_encoding`.

    Raises
    ------
    UsageError
        An option that the method or the form of the features does not take.
    UnknownName
        The stimuli have no such column.
    AlignmentError
        Features lack a stimulus or a sample.
    DataError
        Units or features hold NaN, or fewer stimuli than twice the folds.

    References
    ----------
    Naselaris et al., 2011, NeuroImage 56, 400, doi:10.1016/j.neuroimage.2010.07.073

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, _ = contrast_brain(n_stimuli=60, n_units=20, n_planted=20)
    >>> answer = encoding(brain, features="face")
    >>> bool(answer.data["value"].item() > 0.7)
    True
    """
    in_range(least_ceiling, option="least_ceiling", low=0, high=1, low_open=True)
    how = Method(method, tuple(penalties), n_components, n_iter, seed)
    rows = Rows(
        groups, n_folds, _floats(delays), float(gap), shuffled, _floats(history), coupled,
        Chance(n_null, seed, progress),
    )  # fmt: skip
    stimuli = system.stimuli if stimuli is None else stimuli
    maps = encoding_maps(
        system, features=features, stimuli=stimuli, regions=regions, method=how, rows=rows,
        undefined=undefined, ceiling=ceiling,
    )  # fmt: skip
    if isinstance(maps, NotMeasurable):
        return maps
    found = {(m.attrs["subject"], m.attrs["region"]): _summary(m, least_ceiling) for m in maps}
    if not found:
        return NotMeasurable(f"'{system.name}' has no recording of these regions and stimuli")
    parameters = {
        **how.parameters(),
        "features": {n: _said(s) for n, s in named_spaces(features).items()},
        "groups": groups,
        "n_folds": n_folds,
        "folds": next(iter(found.values())).attrs["folds"],
        "ceiling": ceiling,
        "least_ceiling": least_ceiling,
        "delays": list(rows.delays),
        "history": list(rows.history),
        "coupled": coupled,
        "shuffled": shuffled,
        "n_null": n_null,
    }
    if n_null:
        parameters |= {"seed": seed, "null": next(iter(found.values())).attrs["null"]}
    return _answer(system, stimuli, found, parameters)


def unit_encoding(
    system: System,
    *,
    features: Features,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    method: str = "ridge",
    groups: str = STIMULUS_ID,
    n_folds: int = 5,
    penalties: Sequence[float] = PENALTIES,
    n_components: int | None = None,
    n_iter: int = 100,
    seed: int = 0,
    delays: Sequence[float] = (0.0,),
    gap: float = GAP,
    shuffled: bool = False,
    history: Sequence[float] = (),
    coupled: bool = False,
    ceiling: str = "ncsnr",
    n_null: int = 0,
    undefined: str = "raise",
    progress: bool = False,
) -> tuple[xr.Dataset, ...] | NotMeasurable:
    """Give the scores of every single unit, with its labels, for maps.

    Parameters
    ----------
    system, features, stimuli, regions, method, groups, n_folds, penalties, n_components, n_iter, \
seed, delays, gap, shuffled, history, coupled, ceiling, n_null, undefined, progress
        As in `encoding`.

    Returns
    -------
    tuple of xarray.Dataset, or NotMeasurable
        One a subject and region, dims ``unit[, time]``: ``r``, ``r2``, ``penalty``, ``ceiling_r``,
        ``normalised_r``, ``r2_part`` and ``predicted`` (the held-out prediction of every row);
        with `n_null` also ``p``, ``p_max`` by the largest score of all units and times, and
        ``null_mean``, the means over units that chance gives. NaN where a score is undefined. A
        Dataset of voxels serves as the recording of `neuroai.sources.fmri_maps.to_nifti`.

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, _ = contrast_brain(n_units=3, n_planted=1)
    >>> (units,) = unit_encoding(brain, features="face")
    >>> int(units["r"].values.argmax()), units["unit_id"].values.tolist()
    (0, ['IT/0', 'IT/1', 'IT/2'])
    """
    maps = encoding_maps(
        system,
        features=features,
        stimuli=system.stimuli if stimuli is None else stimuli,
        regions=regions,
        method=Method(method, tuple(penalties), n_components, n_iter, seed),
        rows=Rows(
            groups,
            n_folds,
            _floats(delays),
            float(gap),
            shuffled,
            _floats(history),
            coupled,
            Chance(n_null, seed, progress),
        ),
        undefined=undefined,
        ceiling=ceiling,
    )
    return maps if isinstance(maps, NotMeasurable) else tuple(maps)


def _floats(seconds: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(second) for second in seconds)


def _said(space: list[str] | xr.DataArray) -> str:
    if isinstance(space, xr.DataArray):
        return f"array of {space.dims} {space.shape}"
    return ", ".join(space)


def _summary(units: xr.Dataset, least: float) -> xr.Dataset:
    """Average over units; a unit that is undefined at a time is left out there and counted."""
    r = units["r"]
    found = {
        "value": r.mean(UNIT),
        "r2": units["r2"].mean(UNIT),
        "n_units": xr.DataArray(float(units.sizes[UNIT])),
    }
    counts = {"scores": int(np.isnan(r.values).sum()), "units": int(units.attrs["n_nan"])}
    for name in (*COUNTS, "r2_part"):
        if name in units:
            found[name] = units[name].mean(UNIT)
    if "rescaling_p" in units:
        p = units["rescaling_p"]
        found["rescaling_rejected"] = (p <= LEVEL).where(p.notnull()).mean(UNIT)
        counts["rescaling distances"] = int(p.isnull().sum())
    if "null_mean" in units:
        found |= _chance(units)
        counts["scores of chance, counted as reaching"] = units["null_mean"].attrs["n_undefined"]
    if "ceiling_r" in units:
        good = units["ceiling_r"] >= least
        found["ceiling_r"] = units["ceiling_r"].mean(UNIT)
        found["normalised_r"] = units["normalised_r"].where(good).mean(UNIT)
        counts["ceilings"] = int(np.isnan(units["ceiling_r"].values).sum())
        counts["ceilings below the least"] = int((units["ceiling_r"] < least).values.sum())
    data = xr.Dataset({name: part.drop_vars(_foreign(part)) for name, part in found.items()})
    return data.assign_attrs(
        folds=units.attrs["folds"], notes=units.attrs["notes"], counts=counts,
        at_edge=int(units.attrs["penalties_at_edge"]), null=units.attrs.get("null", ""),
    )  # fmt: skip


def _chance(units: xr.Dataset) -> dict[str, xr.DataArray]:
    """Set the mean over units beside the means that chance gives, and the largest over times."""
    mean, null = units[units["null_mean"].attrs["score"]].mean(UNIT), units["null_mean"]
    largest = null.max([dim for dim in null.dims if dim != NULL])
    return {
        "p": mean.copy(data=permutation_p(mean.values, null.transpose(NULL, ...).values)),
        "p_max": mean.copy(
            data=permutation_p(
                mean.values, largest.broadcast_like(null).transpose(NULL, ...).values
            )
        ),
    }


def _foreign(part: xr.DataArray) -> list[str]:
    """Name the coordinates that say nothing of a mean over units."""
    return [str(name) for name in part.coords if name not in (TIME, "part")]


def _answer(
    system: System,
    stimuli: StimulusSet | None,
    found: Mapping[tuple[str, str], xr.Dataset],
    parameters: Mapping[str, object],
) -> Answer:
    labelled = [
        part.drop_attrs().expand_dims(subject=[subject], region=[region])
        for (subject, region), part in found.items()
    ]
    data = xr.combine_by_coords(labelled, combine_attrs="drop", join="outer")
    # Combining sorts by name; subjects and regions stay as they came.
    order = {
        "subject": list(dict.fromkeys(subject for subject, _ in found)),
        "region": list(dict.fromkeys(region for _, region in found)),
    }
    data = data.sel({dim: np.array(names, dtype=object) for dim, names in order.items()})
    parts = list(found.values())
    undefined: dict[str, int] = {}
    for part in parts:
        for name, count in part.attrs["counts"].items():
            undefined[name] = undefined.get(name, 0) + count
    pairs = data.sizes["subject"] * data.sizes["region"]
    undefined["subject-region pairs not recorded"] = pairs - len(parts)
    notes = [note for part in parts for note in part.attrs["notes"].split("\n") if note]
    edge = sum(part.attrs["at_edge"] for part in parts)
    if edge:
        notes.append(f"{edge} penalties chosen at the edge of those tried")
    return Answer(
        form="profile",
        data=data,
        question=CARD.name,
        parameters=parameters,
        system=system.name,
        kind=system.kind,
        stimulus_set=stimuli.name if stimuli is not None else "",
        notes=tuple(dict.fromkeys(notes)),
        undefined=undefined,
    )
