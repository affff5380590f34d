"""Tuning: what single units of a brain or a network prefer, and how choosy they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.cards import AnalysisCard
from neuroai.checks import known_name, listing, one_of
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable, part_of
from neuroai.format.audit import usable_units
from neuroai.format.schema import PRESENTATION, STIMULUS_ID, UNIT_ID
from neuroai.format.splits import halves
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.mutual_information import CORRECTIONS, mutual_information
from neuroai.numerics.selectivity import sparseness
from neuroai.numerics.tuning import (
    HeldOutTuning,
    explained_variance,
    held_out_tuning,
    tuning_curves,
)
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="tuning",
    level="implementation",
    question="What do single units prefer, on data that did not choose it, and how choosily?",
    form="table",
    defined_on="recordings and activations of stimuli with a label",
    citation="Vinje & Gallant 2000, doi:10.1126/science.287.5456.1273; Panzeri & Treves 1996, "
    "doi:10.1088/0954-898X_7_1_006",
)
PART = ("subject", "region")


@dataclass(frozen=True)
class Tuned:
    """The tuning of every element of one subject and region.

    Attributes
    ----------
    subject, region : str
        Whose.
    elements : tuple of str
        Feature maps of a convolution layer, else units, by label.
    labels : tuple of str
        What they may prefer.
    curves : array, shape (n_labels, n_elements)
        Mean responses over all showings.
    held_out : HeldOutTuning
        Preferences of half A, tested on half B.
    information : array, shape (n_elements,)
        Bits about the label, corrected.
    omega : array, shape (n_elements,)
        Variance explained by the label, corrected.
    lifetime, population : array
        Sparseness (Vinje & Gallant) of every element over stimuli, and of every stimulus over
        elements; responses below 0 count as 0, and NaN where nothing is left.
    driving : array of str, shape (n_elements, n_best)
        Stimuli that drive each element most, strongest first.
    n_negative : int
        Mean responses below 0 that count as 0 for sparseness.
    n_nan : int
        Units left out since they hold NaN.
    split : str
        ``stimuli`` or ``showings``: what the halves are made of.
    """

    subject: str
    region: str
    elements: tuple[str, ...]
    labels: tuple[str, ...]
    curves: np.ndarray
    held_out: HeldOutTuning
    information: np.ndarray
    omega: np.ndarray
    lifetime: np.ndarray
    population: np.ndarray
    driving: np.ndarray
    n_negative: int
    n_nan: int
    split: str


def tuning(
    system: System,
    *,
    label: str,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    n_best: int = 5,
    n_bins: int = 4,
    correction: str = "panzeri-treves",
    seed: int = 0,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Summarise what units prefer; the preference is chosen on one half and tested on the other.

    .. math:: d'_B = \frac{\bar x_{k} - \bar x_{others}}{\sqrt{(s_k^2 + s_{others}^2) / 2}},
              \qquad k = \arg\max_k c_k^A

    Halves are stimuli, stratified by the label; where a label has a single stimulus (as
    ``stimulus_id`` has) they are its showings. Several times of one showing are averaged.

    Parameters
    ----------
    system : System
        A brain or a model.
    label : str
        Column of the stimuli.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    n_best : int
        Elements named, chosen by d' on half A.
    n_bins : int
        Bins of the response for the information.
    correction : {"none", "miller-madow", "panzeri-treves"}
        How the sampling bias of the information is taken away.
    seed : int
        Seed of the halves.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table`` by subject and region, means over elements: ``value`` (d' on half B),
        ``d_prime_chosen`` (on half A: inflated), ``reliability`` of curves (with three labels or
        more), ``information`` (bits), ``explained_variance``, ``lifetime_sparseness`` and
        ``population_sparseness`` in [0, 1], ``n_elements``; ``preferred_share`` by label; and
        ``best``, ``best_label``, ``best_stimulus`` and ``best_d_prime`` (half B) by rank.
        Elements that never vary are left out of the means and counted.

    Raises
    ------
    UsageError
        The stimuli have no such column, or an unknown correction.

    References
    ----------
    Vinje & Gallant 2000, doi:10.1126/science.287.5456.1273

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, contrast = contrast_brain()
    >>> answer = tuning(brain, label="face", n_best=3)
    >>> answer.data["best_label"].values.tolist()
    [[['1', '1', '1']]]
    """
    _at_least_one(n_best)
    found = tune(
        system, label=label, stimuli=stimuli, regions=regions, n_best=1, n_bins=n_bins,
        correction=correction, seed=seed, undefined=undefined,
    )  # fmt: skip
    if isinstance(found, NotMeasurable):
        return found
    rows: list[Tuned] = []
    for row in found:
        if isinstance(row, NotMeasurable):
            return row
        rows.append(row)
    if not rows:
        return NotMeasurable(f"'{system.name}' has no recording of these regions and stimuli")
    parameters = {
        "label": label, "n_bins": n_bins, "correction": correction, "seed": seed,
        "split": rows[0].split,
    }  # fmt: skip
    known = system.stimuli if stimuli is None else stimuli
    return Answer(
        form="table",
        data=_table(rows, n_best),
        question=CARD.name,
        parameters=parameters,
        system=system.name,
        kind=system.kind,
        stimulus_set=known.name if known is not None else "",
        undefined=_counts(rows),
    )


def tune(
    system: System,
    *,
    label: str,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    n_best: int = 5,
    n_bins: int = 4,
    correction: str = "panzeri-treves",
    seed: int = 0,
    undefined: str = "raise",
) -> Iterator[Tuned | NotMeasurable] | NotMeasurable:
    """Give the tuning of every single element, region by region; see `tuning`."""
    one_of(correction, CORRECTIONS, option="correction")
    _at_least_one(n_best)
    stimuli = system.stimuli if stimuli is None else stimuli
    if stimuli is None:
        return NotMeasurable("no stimuli with labels were given")
    if label != STIMULUS_ID and label not in stimuli.table.columns:
        known_name(label, [STIMULUS_ID, *map(str, stimuli.table.columns)], kind="label of stimuli")
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    return (
        _tuned(r, stimuli, label, n_best, n_bins, correction, seed, undefined) for r in recordings
    )


def _at_least_one(n_best: int) -> None:
    if n_best < 1:
        raise UsageError(f"n_best must be 1 or more; got {n_best}.")


def _tuned(
    recording: xr.DataArray,
    stimuli: StimulusSet,
    label: str,
    n_best: int,
    n_bins: int,
    correction: str,
    seed: int,
    undefined: str,
) -> Tuned | NotMeasurable:
    usable, found = usable_units(recording, undefined=undefined)
    usable = _in_order(usable)
    ids = usable[STIMULUS_ID].values.astype(str)
    named = ids if label == STIMULUS_ID else stimuli.column(label, ids).astype(str)
    values, elements = _element_values(usable)
    labels, codes = np.unique(named, return_inverse=True)
    split = _halves(ids, codes, labels, seed)
    if isinstance(split, NotMeasurable):
        return split
    chooses, made_of = split
    shown, which = np.unique(ids, return_inverse=True)
    means = tuning_curves(values, which, n_labels=len(shown))
    rates = np.maximum(means, 0)
    subject, region = part_of(recording)
    return Tuned(
        subject=subject,
        region=region,
        elements=elements,
        labels=tuple(labels.tolist()),
        curves=tuning_curves(values, codes, n_labels=len(labels)),
        held_out=held_out_tuning(values, codes, chooses, n_labels=len(labels)),
        information=mutual_information(codes, values, n_bins=n_bins, correction=correction),
        omega=explained_variance(values, codes, n_labels=len(labels)),
        lifetime=sparseness(rates.T),
        population=sparseness(rates) if len(elements) > 1 else np.full(len(shown), np.nan),
        driving=shown.astype(object)[np.argsort(-means, axis=0, kind="stable")[:n_best].T],
        n_negative=int((means < 0).sum()),
        n_nan=len(found.nan_units),
        split=made_of,
    )


def _in_order(recording: xr.DataArray) -> xr.DataArray:
    """Sort showings by stimulus and repeat, so that results hang on no order of rows."""
    keys = [recording[STIMULUS_ID].values.astype(str)]
    keys += [recording[n].values for n in ("run", "repeat") if n in recording.coords]
    return recording.isel({PRESENTATION: np.lexsort(keys[::-1])})


def _element_values(recording: xr.DataArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Average times, and the units of every feature map where there are some."""
    values = recording.values.astype(np.float64)
    values = values.mean(axis=2) if values.ndim == 3 else values
    if "feature_map" not in recording.coords:
        return values, tuple(str(u).rpartition("/")[2] for u in recording[UNIT_ID].values)
    numbers, place = np.unique(recording["feature_map"].values.astype(int), return_inverse=True)
    if len(numbers) == values.shape[1]:
        return values[:, np.argsort(place)], tuple(map(str, numbers))
    maps = [values[:, place == number].mean(axis=1) for number in range(len(numbers))]
    return np.stack(maps, axis=1), tuple(map(str, numbers))


def _halves(
    ids: np.ndarray, codes: np.ndarray, labels: np.ndarray, seed: int
) -> tuple[np.ndarray, str] | NotMeasurable:
    """Split stimuli, stratified by label; where each label is one stimulus, its showings."""
    if len(labels) < 2:
        return NotMeasurable(f"all stimuli bear one label, {listing(labels)}: nothing to prefer")
    shown, first = np.unique(ids, return_index=True)
    of_stimulus = codes[first]
    if np.bincount(of_stimulus).min() >= 4:
        split = halves(
            shown.tolist(), condition=labels[of_stimulus].tolist(), n_splits=1, seed=seed
        )
        return split[0][np.searchsorted(shown, ids)], "stimuli"
    if np.bincount(codes).min() >= 4:
        rows = [f"{number:08d}" for number in range(len(ids))]
        return halves(rows, condition=labels[codes].tolist(), n_splits=1, seed=seed)[0], "showings"
    rare = labels[np.bincount(codes) < 4]
    return NotMeasurable(
        f"{len(rare)} of {len(labels)} labels have fewer than four stimuli and showings "
        f"({listing(rare)}): two are needed to choose and two to test"
    )


def _table(rows: Sequence[Tuned], n_best: int) -> xr.Dataset:
    subjects = list(dict.fromkeys(row.subject for row in rows))
    regions = list(dict.fromkeys(row.region for row in rows))
    labels = list(dict.fromkeys(name for row in rows for name in row.labels))
    shape, n_best = (len(subjects), len(regions)), min(n_best, min(len(r.elements) for r in rows))
    table: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    for row in rows:
        at = subjects.index(row.subject), regions.index(row.region)
        for name, value in _means(row).items():
            table.setdefault(name, (PART, np.full(shape, np.nan)))[1][at] = value
        shares = table.setdefault(
            "preferred_share", ((*PART, "label"), np.full((*shape, len(labels)), np.nan))
        )[1]
        preferred = row.held_out.preferred[row.held_out.preferred >= 0]
        for place, name in enumerate(row.labels):
            share = (preferred == place).mean() if len(preferred) else np.nan
            shares[(*at, labels.index(name))] = share
        for name, values in _best(row, n_best).items():
            kind = object if name != "best_d_prime" else float
            empty = np.full((*shape, n_best), "" if kind is object else np.nan, dtype=kind)
            table.setdefault(name, ((*PART, "rank"), empty))[1][at] = values
    coords = {
        "subject": np.array(subjects, dtype=object),
        "region": np.array(regions, dtype=object),
        "label": np.array(labels, dtype=object),
        "rank": np.arange(1, n_best + 1),
    }
    return xr.Dataset(table, coords=coords)


def _means(row: Tuned) -> dict[str, float]:
    held = row.held_out
    found = {
        "value": held.d_prime,
        "d_prime_chosen": held.d_prime_chosen,
        "information": row.information,
        "explained_variance": row.omega,
        "lifetime_sparseness": row.lifetime,
        "population_sparseness": row.population,
    }
    if len(row.labels) > 2:
        found["reliability"] = held.reliability
    means = {k: v[np.isfinite(v)].mean() if np.isfinite(v).any() else np.nan for k, v in
             found.items()}  # fmt: skip
    return {**means, "n_elements": float(len(row.elements))}


def _best(row: Tuned, n_best: int) -> dict[str, np.ndarray]:
    held = row.held_out
    strength = np.where(np.isfinite(held.d_prime), held.d_prime_chosen, -np.inf)
    order = np.argsort(-np.nan_to_num(strength, nan=-np.inf), kind="stable")[:n_best]
    known = np.isfinite(held.d_prime[order])

    def text(values: Sequence[str]) -> np.ndarray:
        return np.where(known, np.array(values, dtype=object), "")

    return {
        "best": text([row.elements[i] for i in order]),
        "best_label": text([row.labels[held.preferred[i]] for i in order]),
        "best_stimulus": text([row.driving[i, 0] for i in order]),
        "best_d_prime": held.d_prime[order],
    }


def _counts(rows: Sequence[Tuned]) -> dict[str, int]:
    pairs = len({r.subject for r in rows}) * len({r.region for r in rows})
    return {
        "units": sum(row.n_nan for row in rows),
        "elements without a preference": sum(
            int((~np.isfinite(row.held_out.d_prime)).sum()) for row in rows
        ),
        "elements without any response above 0": sum(
            int(np.isnan(row.lifetime).sum()) for row in rows
        ),
        "responses below 0 that count as 0 for sparseness": sum(row.n_negative for row in rows),
        "subject-region pairs not recorded": pairs - len(rows),
    }
