"""Localisers: which units of a region prefer one side of a contrast?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.cards import AnalysisCard, Contrast
from neuroai.checks import in_range, one_of
from neuroai.errors import DataError
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.audit import usable_units
from neuroai.format.schema import UNIT_ID
from neuroai.format.splits import halves
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.welch import welch_t
from neuroai.systems.base import System

SIGNS = ("positive", "negative", "absolute")

CARD = AnalysisCard(
    name="localiser",
    level="implementation",
    question="Which units prefer one side of the contrast, on stimuli that did not choose them?",
    form="table",
    defined_on="recordings and activations of stimuli on both sides of a contrast",
    citation="Fedorenko et al. 2010, doi:10.1152/jn.00032.2010",
)


@dataclass(frozen=True)
class Localised:
    """The units of one subject and region, ranked by a contrast on half A.

    Attributes
    ----------
    subject, region : str
        Whose units.
    elements : tuple of str
        What can be selected: feature maps of a convolution layer, else units, by label.
    t_chosen, t_heldout : array, shape (n_elements,)
        Welch t on half A and on half B; NaN where an element never varies on that half.
    selected : array of int
        Positions of the selected elements, strongest first.
    mean_activity : array, shape (n_elements,)
        Mean absolute response over the stimuli of half A.
    element_kind : str
        ``feature map`` or ``unit``.
    n_nan : int
        Units that were left out since they hold NaN or infinite values.
    notes : tuple of str
        What a reader must know about the recording.
    """

    subject: str
    region: str
    elements: tuple[str, ...]
    t_chosen: np.ndarray
    t_heldout: np.ndarray
    selected: np.ndarray
    mean_activity: np.ndarray
    element_kind: str
    n_nan: int = 0
    notes: tuple[str, ...] = ()

    @property
    def n_constant(self) -> int:
        """How many elements have no t on one of the halves, and so cannot be selected."""
        return int((~np.isfinite(self.t_chosen) | ~np.isfinite(self.t_heldout)).sum())

    @property
    def heldout_p(self) -> float:
        """Share of 1,000 random sets of this size whose mean |t| on half B is as large."""
        return _random_set_p(self.t_heldout, self.selected)


def localiser(
    system: System,
    *,
    contrast: Contrast,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    fraction: float = 0.05,
    sign: str = "positive",
    seed: int = 0,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    """Select units by a contrast on half A of the stimuli and test them on half B.

    .. math:: t = (\\bar a_+ - \\bar a_-) / \\sqrt{s_+^2/n_+ + s_-^2/n_-}

    Parameters
    ----------
    system : System
        A brain or a model.
    contrast : Contrast
        Two groups of stimuli.
    stimuli : StimulusSet, optional
        The stimuli with the contrast's column.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    fraction : float
        Share of the region's units (feature maps) to select, in (0, 1].
    sign : {"positive", "negative", "absolute"}
        Which units count as strongest.
    seed : int
        Seed of the split into halves.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN; dropped ones are counted.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value`` (mean held-out t of the selected), ``t_selected``, ``n_selected``,
        ``n_units``, ``heldout_p`` by subject and region; NaN where nothing was recorded. Elements
        that never vary on a half are not selected and are counted in ``undefined``.

    Raises
    ------
    DataError
        The contrast has fewer than four stimuli on a side, or units hold NaN and `undefined` is
        ``raise``.

    References
    ----------
    Fedorenko et al. 2010, doi:10.1152/jn.00032.2010

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, contrast = contrast_brain()
    >>> answer = localiser(brain, contrast=contrast, fraction=0.25)
    >>> bool(answer.data.value.item() > 3)
    True
    """
    found = localise(
        system,
        contrast=contrast,
        stimuli=stimuli,
        regions=regions,
        fraction=fraction,
        sign=sign,
        seed=seed,
        undefined=undefined,
    )
    if isinstance(found, NotMeasurable):
        return found
    rows = list(found)
    if not rows:
        return NotMeasurable(f"'{system.name}' has no recording of these regions and stimuli")
    subjects = list(dict.fromkeys(row.subject for row in rows))
    names = list(dict.fromkeys(row.region for row in rows))
    table = {
        key: (("subject", "region"), np.full((len(subjects), len(names)), np.nan))
        for key in ("value", "t_selected", "n_selected", "n_units", "heldout_p")
    }
    for row in rows:
        at = subjects.index(row.subject), names.index(row.region)
        if len(row.selected):
            table["value"][1][at] = row.t_heldout[row.selected].mean()
            table["t_selected"][1][at] = row.t_chosen[row.selected].mean()
        table["n_selected"][1][at] = len(row.selected)
        table["n_units"][1][at] = len(row.elements)
        table["heldout_p"][1][at] = row.heldout_p
    coords = {"subject": np.array(subjects, object), "region": np.array(names, object)}
    return Answer(
        form="table",
        data=xr.Dataset(table, coords=coords),
        question=CARD.name,
        parameters={"contrast": contrast.column, "fraction": fraction, "sign": sign, "seed": seed},
        system=system.name,
        kind=system.kind,
        stimulus_set=_set_name(system, stimuli),
        notes=tuple(dict.fromkeys(note for row in rows for note in row.notes)),
        undefined={
            "units": sum(row.n_nan for row in rows),
            "elements that never vary": sum(row.n_constant for row in rows),
            "subject-region pairs not recorded": len(subjects) * len(names) - len(rows),
        },
    )


def _set_name(system: System, stimuli: StimulusSet | None) -> str:
    known = system.stimuli if stimuli is None else stimuli
    return known.name if known is not None else ""


def localise(
    system: System,
    *,
    contrast: Contrast,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    fraction: float = 0.05,
    sign: str = "positive",
    seed: int = 0,
    undefined: str = "drop",
) -> Iterator[Localised] | NotMeasurable:
    """Rank the units of every subject and region by a contrast; see `localiser`.

    Units that hold NaN are dropped by default, as a comparison does throughout; every result
    counts them.
    """
    one_of(sign, SIGNS, option="sign")
    in_range(fraction, option="fraction", low=0, high=1, low_open=True)
    stimuli = system.stimuli if stimuli is None else stimuli
    if stimuli is None:
        return NotMeasurable("no stimuli to contrast were given")
    if contrast.column not in stimuli.table.columns:
        return NotMeasurable(f"the stimuli have no column '{contrast.column}' to contrast")
    groups = contrast_groups(stimuli, contrast)
    recordings = system.recordings(stimuli.restrict(sorted(groups)), regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    half = contrast_half(groups, seed=seed)
    return (
        _rank(r, groups, half, fraction=fraction, sign=sign, undefined=undefined)
        for r in recordings
    )


def contrast_groups(stimuli: StimulusSet, contrast: Contrast) -> dict[str, bool]:
    """Say for every stimulus of a contrast whether it is on the positive side.

    Raises
    ------
    DataError
        A side has fewer than four stimuli.
    """
    values = dict(zip(stimuli.ids, stimuli.column(contrast.column), strict=True))
    groups = {
        key: str(value) in contrast.positive
        for key, value in values.items()
        if str(value) in contrast.positive
        or not contrast.negative
        or str(value) in contrast.negative
    }
    n_positive = sum(groups.values())
    if min(n_positive, len(groups) - n_positive) < 4:
        raise DataError(
            f"The contrast on '{contrast.column}' has {n_positive} stimuli on one side and "
            f"{len(groups) - n_positive} on the other; each half of each side needs two."
        )
    return groups


def contrast_half(groups: dict[str, bool], *, seed: int) -> dict[str, bool]:
    """Assign every stimulus to half A (True) or B, stratified by the sides of the contrast."""
    ids = sorted(groups)
    split = halves(ids, condition=[str(groups[key]) for key in ids], n_splits=1, seed=seed)[0]
    return dict(zip(ids, (bool(side) for side in split), strict=True))


def _rank(
    recording: xr.DataArray,
    groups: dict[str, bool],
    half: dict[str, bool],
    *,
    fraction: float,
    sign: str,
    undefined: str,
) -> Localised:
    usable, found = usable_units(recording, undefined=undefined)
    ids, values, elements, kind = element_means(usable)
    side = np.array([groups[key] for key in ids])
    in_a = np.array([half[key] for key in ids])
    t_chosen = welch_t(values[in_a], side[in_a])
    t_heldout = welch_t(values[~in_a], side[~in_a])
    strength = {"positive": t_chosen, "negative": -t_chosen, "absolute": np.abs(t_chosen)}[sign]
    defined = np.flatnonzero(np.isfinite(strength) & np.isfinite(t_heldout))
    count = min(max(1, round(fraction * len(elements))), len(defined))
    order = defined[np.argsort(-strength[defined], kind="stable")]
    return Localised(
        subject=str(recording.attrs["subject"]),
        region=str(recording.attrs["region"]),
        elements=elements,
        t_chosen=t_chosen,
        t_heldout=t_heldout,
        selected=order[:count],
        mean_activity=np.abs(values[in_a]).mean(axis=0),
        element_kind=kind,
        n_nan=len(found.nan_units),
        notes=tuple(f"{recording.attrs['region']}: {note}" for note in found.sentences()),
    )


def element_means(
    recording: xr.DataArray,
) -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...], str]:
    """Average a recording to stimulus by element: feature maps where there are some, else units.

    Returns
    -------
    tuple
        Ids of the stimuli, array (n_stimuli, n_elements), the elements' labels, and their kind.
    """
    names, means, _ = stimulus_patterns(recording)
    ids = tuple(str(name) for name in names)
    means = means.astype(np.float64)
    if means.ndim == 3:
        means = means.mean(axis=2)
    if "feature_map" not in recording.coords:
        labels = tuple(str(name).rpartition("/")[2] for name in recording[UNIT_ID].values)
        return ids, means, labels, "unit"
    maps = recording["feature_map"].values.astype(int)
    numbers, inverse, counts = np.unique(maps, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    edges = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(means[:, order], edges, axis=1)
    kind = "unit" if (counts == 1).all() else "feature map"
    return ids, sums / counts, tuple(str(number) for number in numbers), kind


def _random_set_p(t_heldout: np.ndarray, selected: np.ndarray, *, n_sets: int = 1000) -> float:
    if not len(selected):
        return float("nan")
    defined = np.flatnonzero(np.isfinite(t_heldout))
    rng = np.random.default_rng(len(defined))
    draws = np.array(
        [t_heldout[rng.choice(defined, len(selected), replace=False)].mean() for _ in range(n_sets)]
    )
    observed = abs(t_heldout[selected].mean())
    return float((1 + (np.abs(draws) >= observed).sum()) / (1 + n_sets))
