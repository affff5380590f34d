"""Demixing: which factors of the stimuli move a region, and along which axes?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._conditions import SEPARATOR, Conditions, conditions_of
from neuroai.analyses.algorithm._parts import NOTES, UNDEFINED, asked_of_parts
from neuroai.cards import AnalysisCard
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import TIME
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.dpca import dpca, marginal_parts
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="demixing",
    level="algorithm",
    question="How much of the variance belongs to each factor, and can each be read out alone?",
    form="profile",
    defined_on="recordings and activations in a complete design of two factors, or one and time",
    citation="Kobak et al. 2016, doi:10.7554/eLife.10989",
)


def demixing(
    system: System,
    *,
    label: str,
    context: str | None = None,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    n_components: int = 3,
    penalty: float = 1e-3,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Split variance by factor, and find the axes of each: demixed principal components.

    .. math:: X = \bar X + \sum_\phi X_\phi, \qquad
              \min_{F, D} \lVert X_\phi - F D X \rVert^2 + \mu \lVert F D \rVert^2

    A factor's interaction with time belongs to the factor. Rows of every cell are halved: shares
    that repeat are products of both halves, and components learnt on one are shown the other.

    Parameters
    ----------
    system : System
        A brain or a model.
    label : str
        Column of the stimuli, or coordinate of the showings: the first factor.
    context : str, optional
        The second factor; needed where there is no time.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    n_components : int
        Components of each part.
    penalty : float
        Of the regression, as a share of the size of the means; above 0.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile`` by subject and region, for each ``part`` (factors, their interaction, and
        time): ``value``, its share of the variance of the means, noise included; ``repeating``,
        the product of the part in both halves by the size of both, which is 0 on average for
        noise and adds up to the correlation of halves; ``demixed``, the share of a first
        component's held-out variance that belongs to its own part, from 0 to 1; ``explained(part,
        component)`` of the variance of the means.

    Raises
    ------
    UsageError
        An option is out of range, or both factors are one.

    References
    ----------
    Kobak et al. 2016, doi:10.7554/eLife.10989

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, _ = contrast_brain()
    >>> demixing(brain, label="face").reason
    'IT has no time and one factor only: nothing could be demixed; name context=...'
    """
    if context == label:
        raise UsageError(f"Both factors are '{label}'; name two.")
    stimuli = system.stimuli if stimuli is None else stimuli
    labels = (label,) if context is None else (label, context)

    def work(recording: xr.DataArray) -> xr.Dataset | NotMeasurable:
        timed = TIME in recording.dims
        if not timed and len(labels) < 2:
            return NotMeasurable(
                f"{recording.attrs['region']} has no time and one factor only: nothing could be "
                "demixed; name context=..."
            )
        found = conditions_of(recording, stimuli, *labels)
        if isinstance(found, NotMeasurable):
            return found
        levels = _levels(found)
        if isinstance(levels, NotMeasurable):
            return levels
        factors = (*labels, TIME) if timed else labels
        halves = [_means(found, levels, half, timed) for half in (0, 1)]
        whole = _means(found, levels, None, timed)
        if not np.ptp(whole.reshape(len(whole), -1), axis=1).any():
            return NotMeasurable(f"no unit of {recording.attrs['region']} varies over conditions")
        return _demixed(whole, halves, factors, n_components, penalty, found)

    return asked_of_parts(
        system, work, card=CARD, stimuli=stimuli, regions=regions, undefined=undefined,
        parameters={
            "label": label, "context": context, "n_components": n_components, "penalty": penalty,
        },
    )  # fmt: skip


def _levels(found: Conditions) -> tuple[tuple[str, ...], ...] | NotMeasurable:
    """Give the values of every factor, if all their combinations were shown."""
    levels = tuple(tuple(sorted(set(values))) for values in zip(*found.keys, strict=True))
    wanted = int(np.prod([len(values) for values in levels]))
    if len(found.keys) < wanted:
        return NotMeasurable(
            f"{wanted - len(found.keys)} of {wanted} combinations of the factors were not shown: "
            "the design is not complete"
        )
    if min(map(len, levels)) < 2:
        return NotMeasurable("a factor has one value only: it moves nothing")
    return levels


def _means(
    found: Conditions, levels: tuple[tuple[str, ...], ...], half: int | None, timed: bool
) -> np.ndarray:
    """Give mean activity, units x levels of each factor [x times], of all rows or every other."""
    keep = slice(None) if half is None or not found.noisy else slice(half, None, 2)
    # Conditions are sorted by their factors in turn, as the axes are.
    means = np.stack([rows[keep].mean(0) for rows in found.rows], axis=1)
    cube = means.reshape(len(means), *map(len, levels), means.shape[-1])
    return cube if timed else cube[..., 0]


def _merged(means: np.ndarray, factors: Sequence[str]) -> dict[str, np.ndarray]:
    """Give the parts of the means, each factor with its interaction with time."""
    merged: dict[str, np.ndarray] = {}
    for names, part in marginal_parts(means, factors).items():
        own = [factor for factor in factors if factor in names and factor != TIME] or [TIME]
        key = SEPARATOR.join(own)
        merged[key] = merged.get(key, 0) + part
    return merged


def _demixed(
    whole: np.ndarray,
    halves: Sequence[np.ndarray],
    factors: Sequence[str],
    n_components: int,
    penalty: float,
    found: Conditions,
) -> xr.Dataset:
    options = {"n_components": n_components, "penalty": penalty}
    parts = _merged(whole, factors)
    shown = dpca(whole, parts, **options)
    first, second = (_merged(half, factors) for half in halves)
    learnt = dpca(halves[0], first, **options)
    common = {name: float(np.sum(first[name] * second[name])) for name in parts}
    size = float(
        np.prod([np.sqrt(sum(np.sum(p**2) for p in half.values())) for half in (first, second)])
    )
    repeating = [value / size if size > 0 else np.nan for value in common.values()]
    demixed = [_own_share(learnt[name].decoders[0], second, name) for name in parts]
    n_shown = min(n_components, *(len(one.explained) for one in shown.values()))
    explained = np.stack([shown[name].explained[:n_shown] for name in parts])
    lost = int(np.isnan(repeating).sum() + np.isnan(demixed).sum())
    return xr.Dataset(
        {
            "value": ("part", [shown[name].share for name in parts]),
            "repeating": ("part", repeating),
            "demixed": ("part", demixed),
            "explained": (("part", "component"), explained),
        },
        coords={
            "part": np.array(list(parts), dtype=object),
            "component": np.arange(1, n_shown + 1),
        },
        attrs={
            NOTES: (f"cells are means of {found.made_of}",),
            UNDEFINED: {"shares of what does not repeat": lost},
        },
    )


def _own_share(decoder: np.ndarray, parts: Mapping[str, np.ndarray], name: str) -> float:
    """Give the share of a component's variance that lies in one part of other means."""
    sizes = {k: float(np.sum(np.tensordot(decoder, part, 1) ** 2)) for k, part in parts.items()}
    total = sum(sizes.values())
    return sizes[name] / total if total > 0 else np.nan
