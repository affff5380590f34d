"""Fusion: when a modality's geometry is that of a region, and what a layer has in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.checks import listing, one_of
from neuroai.errors import UsageError
from neuroai.format.align import align, common_stimuli
from neuroai.format.answers import Answer
from neuroai.format.schema import STIMULUS, STIMULUS_TO, TIME
from neuroai.numerics.fusion import (
    FUSION_METHODS,
    FusionProducts,
    commonality,
    fusion_products,
    stacked,
)
from neuroai.numerics.intervals import percentile_interval
from neuroai.numerics.rdm_permutation import relabelled
from neuroai.numerics.rdm_vectors import n_stimuli_of, to_vector
from neuroai.numerics.resample import bootstrap_counts, stimulus_permutations

# A relabelling that leaves the RDM as it is must count as equal, whatever its rounding.
_EQUAL = 1e-9
_BLOCK_BYTES = 2**26


def fusion(
    when: Answer,
    where: Answer,
    what: Answer | None = None,
    *,
    comparator: str = "spearman",
    stimuli: str = "same",
    n_permutations: int = 1000,
    n_bootstrap: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    r"""Relate RDMs over time to RDMs of regions, and to what a network's layers share with both.

    .. math:: s(t, r) = \mathrm{corr}(\bar D_t, \bar D_r), \qquad
              C(t, r, l) = R^2_{t \cdot r} + R^2_{t \cdot l} - R^2_{t \cdot r l}

    The two modalities may come from different persons, never from different stimuli. The RDM of a
    group is the mean of its subjects' standardised RDMs.

    Parameters
    ----------
    when : Answer
        Of ``rdm_over_time`` with one region: EEG, MEG.
    where : Answer
        Of ``rdm``: regions in fMRI, or of any other recording.
    what : Answer, optional
        Of ``rdm``: layers of a network, whose subjects (seeds) are averaged.
    comparator : {"pearson", "spearman"}
        Of the RDMs; commonality is of variance, and so of a correlation.
    stimuli : {"same", "shared"}
        ``same`` demands the same stimuli of all; ``shared`` keeps what is common.
    n_permutations : int
        Permutations of the labels of the stimuli.
    n_bootstrap : int
        Bootstrap samples of the subjects of either modality, for intervals.
    level : float
        Coverage of the intervals, which are percentiles.
    seed : int
        Seed of every draw.

    Returns
    -------
    xarray.Dataset
        ``similarity(time, region)`` and, with `what`, ``commonality(time, region, layer)``; each
        with ``_low, _high``, its interval over subjects (NaN with one subject a side), and
        ``_p``, corrected for all cells by the largest value under permuted labels.

    Raises
    ------
    UsageError
        An answer is of another question, or holds undefined RDMs.
    AlignmentError
        The stimuli differ; it names them.

    References
    ----------
    Cichy, Pantazis & Oliva 2014, doi:10.1038/nn.3635; Hebart et al. 2018, doi:10.7554/eLife.32816

    Examples
    --------
    >>> from neuroai.format.answers import Answer, rdm_answer
    >>> d = np.random.default_rng(0).random((3, 1, 8, 8))
    >>> facts = {"system": "s", "kind": "brain", "stimulus_set": "t", "parameters": {}}
    >>> brain = rdm_answer(d + d.swapaxes(2, 3), subjects=["1", "2", "3"], regions=["IT"],
    ...                    stimuli=list("abcdefgh"), **facts)
    >>> over_time = Answer(form="profile", data=brain.data.expand_dims(time=[0.0]),
    ...                    question="rdm_over_time", **facts)
    >>> found = fusion(over_time, brain, n_permutations=9, n_bootstrap=9)
    >>> found["similarity"].round(6).item()
    1.0
    """
    one_of(comparator, FUSION_METHODS, option="comparator")
    when, where, what, dropped = _aligned(when, where, what, stimuli)
    t, f, m, coords = _arrays(when, where, what)
    made = fusion_products(t, f, m, method=comparator)
    ones = np.ones(len(t)), np.ones(len(f))
    observed = made.fused(*ones)
    intervals = _intervals(made, n_bootstrap, level, seed)
    p = _p(t, f, m, observed, comparator, n_permutations, seed)
    dims = (TIME, "region", "layer")
    data = {}
    for k, name in enumerate(("similarity", "commonality")):
        own = dims[: 2 + k]
        data[name] = (own, observed[k])
        data[f"{name}_low"], data[f"{name}_high"] = ((own, bound) for bound in intervals[k])
        data[f"{name}_p"] = (own, p[k])
    found = xr.Dataset(data, coords=coords)
    if what is None:
        found = found[[n for n in found.data_vars if n.startswith("similarity")]].drop_vars(
            "layer", errors="ignore"
        )
    return found.assign_attrs(
        comparator=comparator,
        time_unit=str(when.parameters.get("time_unit", "")),
        null="stimulus labels permuted",
        resampled="subjects of " + " and ".join(
            name for name, n in (("when", len(t)), ("where", len(f))) if n > 1
        ) if max(len(t), len(f)) > 1 else "nothing: one subject on either side",
        n_permutations=n_permutations,
        n_bootstrap=n_bootstrap,
        seed=seed,
        n_subjects_when=len(t),
        n_subjects_where=len(f),
        n_stimuli=len(when.stimuli),
        n_dropped_stimuli=dropped,
    )  # fmt: skip


def _aligned(
    when: Answer, where: Answer, what: Answer | None, stimuli: str
) -> tuple[Answer, Answer, Answer | None, int]:
    if "rdm" not in when.data or TIME not in when.data["rdm"].dims or len(when.regions) != 1:
        raise UsageError(
            "when must be an answer of rdm_over_time with one region; got "
            f"'{when.question}' of {listing(when.regions)}. Take one with restrict(regions=[...])."
        )
    for answer, name in ((where, "where"), (what, "what")):
        if answer is not None and answer.form != "rdm":
            raise UsageError(f"{name} must be an answer of form 'rdm'; got '{answer.form}'.")
    everyone = set(when.stimuli) | set(where.stimuli) | set(what.stimuli if what else ())
    if what is not None:
        names = ("what", "when and where")
        both = common_stimuli(when.stimuli, where.stimuli, stimuli=stimuli, names=("when", "where"))
        kept = common_stimuli(what.stimuli, both, stimuli=stimuli, names=names)
        what = what.restrict(stimuli=kept)
        if stimuli == "shared":
            when, where = when.restrict(stimuli=kept), where.restrict(stimuli=kept)
    when, where, _ = align(when, where, stimuli=stimuli)
    return when, where, what, len(everyone) - len(when.stimuli)


def _arrays(
    when: Answer, where: Answer, what: Answer | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    pair = (STIMULUS, STIMULUS_TO)
    over_time = when.data["rdm"].isel(region=0).transpose("subject", TIME, *pair)
    regions = where.data["rdm"].transpose("subject", "region", *pair)
    t, f = to_vector(over_time.values), to_vector(regions.values)
    coords = {TIME: over_time[TIME].values, "region": regions["region"].values,
              "layer": np.array([], dtype=object)}  # fmt: skip
    m = np.empty((0, t.shape[-1]))
    if what is not None:
        layers = what.data["rdm"].mean("subject", skipna=False).transpose("region", *pair)
        m, coords["layer"] = to_vector(layers.values), layers["region"].values
    for values, name in ((t, "when"), (f, "where"), (m, "what")):
        bad = int(np.isnan(values).any(axis=-1).sum())
        if bad:
            raise UsageError(
                f"{bad} RDMs of {name} have undefined pairs. Leave out the times, regions or "
                "stimuli concerned before calling."
            )
    return t, f, m, coords


Bounds = tuple[np.ndarray, np.ndarray]


def _intervals(
    made: FusionProducts, n_bootstrap: int, level: float, seed: int
) -> tuple[Bounds, Bounds]:
    """Give percentiles over resampled subjects of both sides, each side by itself."""
    n_t, n_f = len(made.time_layer), len(made.region_layer)
    if max(n_t, n_f) == 1:
        nothing = tuple(np.full_like(x, np.nan) for x in made.fused(np.ones(1), np.ones(1)))
        return (nothing[0], nothing[0]), (nothing[1], nothing[1])
    rng = np.random.default_rng(seed)
    draws = zip(
        bootstrap_counts(n_bootstrap, n_t, rng=rng),
        bootstrap_counts(n_bootstrap, n_f, rng=rng),
        strict=True,
    )
    samples = [made.fused(k, g) for k, g in draws]
    of_time, of_layers = (
        percentile_interval(np.array([s[k] for s in samples]), level=level) for k in range(2)
    )
    return of_time, of_layers


@dataclass(frozen=True, eq=False)
class _Group:
    """Group RDMs of unit length, which relabelling does not change."""

    t: np.ndarray
    f: np.ndarray
    m: np.ndarray


def _p(
    t: np.ndarray,
    f: np.ndarray,
    m: np.ndarray,
    observed: tuple[np.ndarray, np.ndarray],
    comparator: str,
    n_permutations: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Compare every cell with the largest one under permuted labels of regions and layers."""
    z = stacked(t, f, m, method=comparator)
    group = _Group(_unit(z[0].mean(axis=0)), _unit(z[1].mean(axis=0)), z[2])
    rng = np.random.default_rng(seed)
    orders = stimulus_permutations(n_permutations, n_stimuli_of(t.shape[-1]), rng=rng)
    # Regions and layers move together: what they share with each other stays.
    fm = group.f @ group.m.T
    reached = [np.ones_like(x) for x in observed]
    width = max(1, _BLOCK_BYTES // (8 * t.shape[-1]))
    for start in range(0, n_permutations, width):
        part = orders[start : start + width]
        tf = np.stack([relabelled(row, part) @ group.t.T for row in group.f], axis=2)
        reached[0] += _counted(tf, observed[0])
        if len(m):
            tm = np.stack([relabelled(row, part) @ group.t.T for row in group.m], axis=2)
            shared = commonality(tf[..., None], tm[:, :, None, :], fm)
            reached[1] += _counted(shared, observed[1])
    return tuple(
        np.where(np.isnan(x), np.nan, count / (1 + n_permutations))
        for x, count in zip(observed, reached, strict=True)
    )


def _counted(null: np.ndarray, observed: np.ndarray) -> np.ndarray:
    largest = np.nanmax(null.reshape(len(null), -1), axis=1)
    return (largest[:, None] >= observed.ravel() - _EQUAL).sum(axis=0).reshape(observed.shape)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
