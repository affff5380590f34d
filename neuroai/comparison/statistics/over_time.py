"""RDMs over time compared with a network's layers: when does which layer fit which region?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import stats

from neuroai.checks import listing, one_of
from neuroai.comparison.ceilings import rdm_ceiling
from neuroai.comparison.pairing import pooling_of
from neuroai.comparison.statistics.relabelling import relabelled_p
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.format.schema import STIMULUS, STIMULUS_TO, TIME
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.intervals import SIDES
from neuroai.numerics.multiplicity import (
    clusters_in_time,
    false_discovery,
    max_t,
    t_over_subjects,
)
from neuroai.numerics.rdm_vectors import to_vector

SIGNS, LABELS = "signs of subjects changed", "stimulus labels permuted"
# A sign test of fewer subjects cannot reach 0.05.
FEWEST_SUBJECTS = 5


def compare_over_time(
    brain: Answer,
    candidate: Answer,
    *,
    comparator: str = "spearman",
    stimuli: str = "same",
    time_map: Mapping[float, float] | None = None,
    side: str = "greater",
    n_permutations: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    r"""Compare RDMs over time with those of every layer, with ceilings and p values for all cells.

    .. math:: v_s(t, r, l) = \frac{1}{K} \sum_k \mathrm{sim}(D_s(t, r), M_k(l))

    With five subjects or more p values come from changed signs of subjects, else, and for
    cosines, whose value without any relation is not 0, from permuted labels of stimuli.

    Parameters
    ----------
    brain : Answer
        Of ``rdm_over_time``.
    candidate : Answer
        Of ``rdm``: one RDM a layer, compared with every time; or of ``rdm_over_time``: compared
        time by time.
    comparator : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        Of the RDMs.
    stimuli : {"same", "shared"}
        ``same`` demands the same stimuli of both; ``shared`` keeps what is common.
    time_map : mapping of float to float, optional
        Which time of the candidate stands for which time of the brain; needed where they have
        unlike units (seconds and steps).
    side : {"greater", "two-sided"}
        What counts as extreme.
    n_permutations : int
        Of signs or labels.
    seed : int
        Seed of every draw.

    Returns
    -------
    xarray.Dataset
        ``value(subject, region, time, model_region)``, the mean over the candidate's subjects;
        ``mean``, ``p_max`` (all regions, times and layers together), ``q`` (false discoveries
        among them) over (region, time, model_region); ``p_cluster``, of the cluster in time, where
        signs were changed; and ``ceiling_low, ceiling_high(region, time)``. Attrs say what was
        permuted, and count what is undefined.

    Raises
    ------
    UsageError
        An answer is of another question, or times have unlike units and no map.
    AlignmentError
        Stimuli or times differ.

    References
    ----------
    Cichy, Pantazis & Oliva 2014, doi:10.1038/nn.3635; Nichols & Holmes 2002,
    doi:10.1002/hbm.1058; Maris & Oostenveld 2007, doi:10.1016/j.jneumeth.2007.03.024

    Examples
    --------
    >>> from neuroai.format.answers import Answer, rdm_answer
    >>> d = np.random.default_rng(0).random((3, 1, 8, 8))
    >>> facts = {"system": "s", "kind": "brain", "stimulus_set": "t", "parameters": {}}
    >>> brain = rdm_answer(d + d.swapaxes(2, 3), subjects=["1", "2", "3"], regions=["IT"],
    ...                    stimuli=list("abcdefgh"), **facts)
    >>> over_time = Answer(form="profile", data=brain.data.expand_dims(time=[0.0]),
    ...                    question="rdm_over_time", **facts)
    >>> own = brain.restrict(subjects=["1"])
    >>> found = compare_over_time(over_time, own, comparator="pearson", n_permutations=9)
    >>> found["value"].sel(subject="1").round(6).item(), found.attrs["null"]
    (1.0, 'stimulus labels permuted')
    """
    one_of(comparator, METHODS, option="comparator")
    one_of(side, SIDES, option="side")
    if "rdm" not in brain.data or TIME not in brain.data["rdm"].dims:
        raise UsageError(f"brain must be an answer of rdm_over_time; got '{brain.question}'.")
    brain, candidate, dropped = align(brain, candidate, stimuli=stimuli)
    sides = _sides(brain, candidate, time_map)
    value = _values(sides, comparator)
    found = xr.Dataset({"value": value, "mean": value.mean("subject", skipna=False)})
    for name, bound in zip(("ceiling_low", "ceiling_high"), _ceilings(sides, brain, comparator),
                           strict=True):  # fmt: skip
        found[name] = (("region", TIME), bound)
    by_signs = value.sizes["subject"] >= FEWEST_SUBJECTS and not comparator.endswith("cosine")
    if by_signs:
        _by_signs(found, side, n_permutations, seed)
    else:
        _by_labels(found, sides, comparator, side, n_permutations, seed)
    return found.assign_attrs(
        comparator=comparator,
        time_unit=str(brain.parameters.get("time_unit", "")),
        null=SIGNS if by_signs else LABELS,
        side=side,
        n_permutations=n_permutations,
        seed=seed,
        n_subjects=value.sizes["subject"],
        n_model_subjects=len(candidate.subjects),
        n_stimuli=len(brain.stimuli),
        n_dropped_stimuli=dropped,
        n_undefined=int(np.isnan(value.values).sum()),
    )


@dataclass(frozen=True, eq=False)
class _Sides:
    """Vectors of both sides, and how they are called."""

    data: np.ndarray  # subjects x regions x times x pairs
    models: np.ndarray  # candidate's subjects x layers [x times] x pairs
    subjects: np.ndarray
    regions: np.ndarray
    times: np.ndarray
    layers: np.ndarray

    @property
    def timed(self) -> bool:
        return self.models.ndim == 4


def _sides(brain: Answer, candidate: Answer, time_map: Mapping[float, float] | None) -> _Sides:
    mine, theirs = brain.data["rdm"], candidate.data.get("rdm")
    if theirs is None:
        raise UsageError(f"candidate must hold RDMs (rdm, rdm_over_time); got '{candidate.form}'.")
    over = (TIME,) if TIME in theirs.dims else ()
    if over:
        mine, theirs = _matched(brain, candidate, time_map)
    pair = (STIMULUS, STIMULUS_TO)
    return _Sides(
        data=to_vector(mine.transpose("subject", "region", TIME, *pair).values).astype(float),
        models=to_vector(theirs.transpose("subject", "region", *over, *pair).values).astype(float),
        subjects=mine["subject"].values,
        regions=mine["region"].values,
        times=mine[TIME].values,
        layers=theirs["region"].values,
    )


def _matched(
    brain: Answer, candidate: Answer, time_map: Mapping[float, float] | None
) -> tuple[xr.DataArray, xr.DataArray]:
    """Select the times of both sides that stand for each other."""
    mine, theirs = brain.data["rdm"], candidate.data["rdm"]
    units = [str(side.parameters.get("time_unit", "")) for side in (brain, candidate)]
    if time_map is None and units[0] != units[1]:
        raise UsageError(
            f"Times are in '{units[0]}' and in '{units[1]}', which are unlike: say which time of "
            "the candidate stands for which of the brain with time_map={brain: candidate, ...}."
        )
    pairs = dict(time_map or {t: t for t in mine[TIME].values.tolist()})
    for wanted, side, name in (
        (pairs.keys(), mine, "brain"),
        (pairs.values(), theirs, "candidate"),
    ):
        known = side[TIME].values.tolist()
        absent = [t for t in wanted if not np.isclose(known, t, rtol=0, atol=1e-9).any()]
        if absent:
            raise AlignmentError(
                f"The {name} has no times {listing(absent)}; it has {listing(known)}. Give "
                "time_map={brain: candidate, ...} of times that there are."
            )
    nearest = {"method": "nearest", "tolerance": 1e-9}
    return (
        mine.sel({TIME: list(pairs)}, **nearest),
        theirs.sel({TIME: list(pairs.values())}, **nearest),
    )


def _values(sides: _Sides, comparator: str) -> xr.DataArray:
    """Compare every subject, region and time with every layer, averaged over its subjects."""
    n_subjects, n_regions, n_times, _ = sides.data.shape
    seeds, n_layers = sides.models.shape[:2]
    out = np.full((n_subjects, n_regions, n_times, n_layers), np.nan)
    for s in range(n_subjects):
        for r in range(n_regions):
            if not sides.timed:
                flat = sides.models.reshape(seeds * n_layers, -1)
                found = _compared(sides.data[s, r], flat, comparator)
                out[s, r] = found.reshape(n_times, seeds, n_layers).mean(axis=1)
                continue
            for t in range(n_times):
                flat = sides.models[:, :, t].reshape(seeds * n_layers, -1)
                found = _compared(sides.data[s, r, t : t + 1], flat, comparator)
                out[s, r, t] = found.reshape(seeds, n_layers).mean(axis=0)
    coords = {"subject": sides.subjects, "region": sides.regions, TIME: sides.times,
              "model_region": sides.layers}  # fmt: skip
    return xr.DataArray(out, dims=tuple(coords), coords=coords)


def _compared(data: np.ndarray, models: np.ndarray, comparator: str) -> np.ndarray:
    """Compare RDMs that are complete; others have no value."""
    out = np.full((len(data), len(models)), np.nan)
    whole, fine = ~np.isnan(data).any(axis=1), ~np.isnan(models).any(axis=1)
    if whole.any() and fine.any():
        out[np.ix_(whole, fine)] = compare_rdms(data[whole], models[fine], method=comparator)
    return out


def _ceilings(sides: _Sides, brain: Answer, comparator: str) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full((2, *sides.data.shape[1:3]), np.nan)
    for r, t in np.ndindex(low.shape):
        rdms = sides.data[:, r, t]
        varies = np.ptp(rdms, axis=1) > 0
        if np.isfinite(rdms).all() and varies.all():
            low[r, t], high[r, t] = rdm_ceiling(rdms, method=comparator, pooling=pooling_of(brain))
    return low, high


def _by_signs(found: xr.Dataset, side: str, n_permutations: int, seed: int) -> None:
    cells = found["mean"].dims
    values = found["value"].transpose("subject", *cells).values
    p_max = max_t(values, n_permutations=n_permutations, side=side, seed=seed)
    t, dof = t_over_subjects(values), len(values) - 1
    single = stats.t.sf(t, dof) if side == "greater" else 2 * stats.t.sf(np.abs(t), dof)
    clusters = np.full(values.shape[1:], np.nan)
    for r, m in np.ndindex(values.shape[1], values.shape[3]):
        course = values[:, r, :, m]
        if np.isfinite(course).all():
            clusters[r, :, m] = clusters_in_time(
                course, n_permutations=n_permutations, side=side, seed=seed
            )
    found["p_max"], found["q"] = (cells, p_max), (cells, false_discovery(single))
    found["p_cluster"] = (cells, clusters)


def _by_labels(
    found: xr.Dataset, sides: _Sides, comparator: str, side: str, n_permutations: int, seed: int
) -> None:
    cells = found["mean"].dims
    p_max, single = relabelled_p(
        sides.data,
        sides.models,
        method=comparator,
        side=side,
        n_permutations=n_permutations,
        seed=seed,
    )
    found["p_max"], found["q"] = (cells, p_max), (cells, false_discovery(single))
