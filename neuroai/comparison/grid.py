"""Grids: every region of one system against every region of another, from cached factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from neuroai.comparison.catalogue import METRICS
from neuroai.errors import UsageError
from neuroai.format.align import align, stimulus_patterns
from neuroai.format.answers import Answer, part_of
from neuroai.numerics.canonical import SVCCA_VARIANCE, canonical_basis, canonical_grid
from neuroai.numerics.cka import cka
from neuroai.numerics.cka_rbf import rbf_gram
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid
from neuroai.numerics.shapes import distance_of_factors, shape_factor

Factors = Sequence[np.ndarray]
Grid = Callable[[Sequence, Sequence], np.ndarray]


def similarity_grid(
    a: Answer, b: Answer, *, metric: str = "cka-debiased", stimuli: str = "same"
) -> xr.Dataset:
    """Compare every region (layer) of one answer with every region of another.

    What a metric needs of a region (its centred Gram matrix, a root of it, or its whitened
    directions) is made once and serves all of its pairs.

    Parameters
    ----------
    a, b : Answer
        Form ``responses``; the same answer twice compares a system with itself.
    metric : str
        Name of a registered metric of responses.
    stimuli : {"same", "shared"}
        Whether the stimuli must be the same, or the common ones are kept and the rest counted.

    Returns
    -------
    xarray.Dataset
        ``value(subject, region, subject_to, region_to)`` in the range of the metric, the first
        two of `a`; ``n_units(subject, region)`` and ``n_units_to(subject_to, region_to)``. Pairs
        without a value are NaN and counted in the attrs ``n_undefined`` and ``n_unmeasured``.

    Raises
    ------
    UsageError
        The metric, or an answer, is of another form.
    AlignmentError
        The stimuli differ.

    References
    ----------
    Kornblith et al. 2019, doi:10.48550/arXiv.1905.00414

    Examples
    --------
    >>> from neuroai.analyses.algorithm.responses import responses
    >>> from neuroai.testing import toy_brain
    >>> answer = responses(toy_brain())
    >>> similarity_grid(answer, answer, metric="procrustes")["value"].round(6).values.ravel()
    array([1.])
    """
    entry = METRICS.get(metric)
    if entry.card.compares != "responses":
        raise UsageError(
            f"A grid compares responses; the metric '{metric}' compares {entry.card.compares}."
        )
    for answer in (a, b):
        if answer.form != "responses":
            raise UsageError(
                f"A grid compares responses; '{answer.system}' answered '{answer.question}' in "
                f"the form '{answer.form}'."
            )
    left, right, dropped = align(a, b, stimuli=stimuli)
    prepare, grid = _RECIPES.get(metric, (_flat, _pairwise(entry.function)))
    made = [prepare(_patterns(r)) for r in left.responses]
    other = made if right is left or a is b else [prepare(_patterns(r)) for r in right.responses]
    return _labelled(left, right, grid(made, other), metric=metric, dropped=dropped)


def _patterns(recording: xr.DataArray) -> np.ndarray:
    """Average showings; times are further elements of the pattern."""
    _, means, _ = stimulus_patterns(recording)
    return means.reshape(len(means), -1)


def _flat(patterns: np.ndarray) -> np.ndarray:
    return patterns.astype(np.float64)


def _pairwise(function: Callable[[np.ndarray, np.ndarray], float]) -> Grid:
    """Give the grid of a metric that has nothing to cache."""

    def grid(a: Factors, b: Factors) -> np.ndarray:
        return np.array([[function(x, y) for y in b] for x in a], dtype=float)

    return grid


def _cka(estimator: str) -> Grid:
    def grid(a: Factors, b: Factors) -> np.ndarray:
        return cka(np.stack(a), np.stack(b), estimator=estimator)

    return grid


def _svcca_basis(patterns: np.ndarray) -> object:
    return canonical_basis(patterns, variance=SVCCA_VARIANCE)


def _projection_grid(a: Sequence, b: Sequence) -> np.ndarray:
    return canonical_grid(a, b, summary="projection")


def _shape_grid(measure: str) -> Grid:
    def distance(x: np.ndarray, y: np.ndarray) -> float:
        return distance_of_factors(x, y, measure=measure)

    return _pairwise(distance)


def _rbf(patterns: np.ndarray) -> np.ndarray:
    return rbf_gram(centred_gram(patterns))


# For each metric: what is made once a region, and how all pairs follow from it.
_RECIPES: dict[str, tuple[Callable, Grid]] = {
    "cka-debiased": (centred_gram, _cka("debiased")),
    "cka-biased": (centred_gram, _cka("biased")),
    "cka-rbf": (_rbf, _cka("debiased")),
    "cca": (canonical_basis, canonical_grid),
    "svcca": (_svcca_basis, canonical_grid),
    "pwcca": (canonical_basis, _projection_grid),
    "procrustes": (procrustes_factor, procrustes_grid),
    "nbs": (procrustes_factor, procrustes_grid),
    "shape-angular": (shape_factor, _shape_grid("angular")),
    "shape-euclidean": (shape_factor, _shape_grid("euclidean")),
}


def _labelled(a: Answer, b: Answer, values: np.ndarray, *, metric: str, dropped: int) -> xr.Dataset:
    shape = len(a.subjects), len(a.regions), len(b.subjects), len(b.regions)
    cube, units, units_to = np.full(shape, np.nan), np.zeros(shape[:2]), np.zeros(shape[2:])
    places, places_to = _places(a), _places(b)
    for at, recording in zip(places, a.responses, strict=True):
        units[at] = recording.sizes["unit"]
    for at, recording in zip(places_to, b.responses, strict=True):
        units_to[at] = recording.sizes["unit"]
    for row, at in enumerate(places):
        for column, to in enumerate(places_to):
            cube[(*at, *to)] = values[row, column]
    variables = {
        "value": (("subject", "region", "subject_to", "region_to"), cube),
        "n_units": (("subject", "region"), units),
        "n_units_to": (("subject_to", "region_to"), units_to),
    }
    names = {
        "subject": a.subjects, "region": a.regions,
        "subject_to": b.subjects, "region_to": b.regions,
    }  # fmt: skip
    return xr.Dataset(
        variables,
        coords={dim: np.array(list(own), dtype=object) for dim, own in names.items()},
        attrs={
            "metric": metric,
            "system": a.system,
            "system_to": b.system,
            "stimulus_set": a.stimulus_set,
            "n_stimuli": len(a.stimuli),
            "n_stimuli_dropped": dropped,
            "n_undefined": int(np.isnan(values).sum()),
            "n_unmeasured": int(cube.size - values.size),
        },
    )


def _places(answer: Answer) -> list[tuple[int, int]]:
    parts = [part_of(recording) for recording in answer.responses]
    return [(answer.subjects.index(s), answer.regions.index(r)) for s, r in parts]
