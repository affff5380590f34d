"""Capacity: how well could a linear readout sort the classes of a region?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import NOTES, asked_of_parts, column_of
from neuroai.cards import AnalysisCard
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.capacity import Capacity, manifold_capacity
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="capacity",
    level="algorithm",
    question="How many classes a dimension could a linear readout of each region sort?",
    form="table",
    defined_on="recordings and activations of stimuli with a label, several a class",
    citation="Chung, Lee & Sompolinsky 2018, doi:10.1103/PhysRevX.8.031003",
)


@dataclass(frozen=True)
class _How:
    label: str
    margin: float
    n_samples: int
    n_null: int
    seed: int


def capacity(
    system: System,
    *,
    label: str,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    margin: float = 0.0,
    n_samples: int = 200,
    n_null: int = 0,
    seed: int = 0,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Measure the mean-field capacity, radius and dimension of the clouds of classes.

    .. math:: \alpha^{-1} = \left\langle \min_{V \cdot S \ge \kappa} \lVert V - T \rVert^2
              \right\rangle_T

    A class is the cloud of the mean responses to its stimuli: noise of single showings would make
    the clouds of a brain wider than those of a network. Shuffled classes show what clouds without
    meaning would have.

    Parameters
    ----------
    system : System
        A brain or a model.
    label : str
        Column of the stimuli, or coordinate of the showings, that names the classes.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    margin : float
        Kappa of the readout, at least 0.
    n_samples : int
        Directions drawn for each class.
    n_null : int
        Times that stimuli are dealt to classes at random; none by default.
    seed : int
        Seed of directions and deals.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table`` by subject and region: ``value`` (capacity, up to 2), ``radius`` (relative
        to the length of the centre), ``dimension``, ``centre_correlation``, and, where asked for,
        ``shuffled`` (mean capacity) and ``p``. Times are further elements of the pattern.

    Raises
    ------
    UnknownName
        There is no such column.

    References
    ----------
    Chung, Lee & Sompolinsky 2018, doi:10.1103/PhysRevX.8.031003; Cohen et al. 2020,
    doi:10.1038/s41467-020-14578-5

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, _ = contrast_brain()
    >>> answer = capacity(brain, label="face", n_samples=50)
    >>> bool(0 < answer.data["value"].item() < 2)
    True
    """
    stimuli = system.stimuli if stimuli is None else stimuli

    how = _How(label, margin, n_samples, n_null, seed)

    def work(recording: xr.DataArray) -> xr.Dataset | NotMeasurable:
        return _asked(recording, stimuli, how)

    return asked_of_parts(
        system, work, card=CARD, stimuli=stimuli, regions=regions, undefined=undefined,
        parameters=asdict(how),
    )  # fmt: skip


def _asked(
    recording: xr.DataArray, stimuli: StimulusSet | None, how: _How
) -> xr.Dataset | NotMeasurable:
    labels = column_of(recording, stimuli, how.label)
    ids, means, _ = stimulus_patterns(recording)
    own = dict(zip(recording[STIMULUS_ID].values.astype(str), labels, strict=True))
    names = np.array([own[str(key)] for key in ids])
    reason = _why_not(names, labels, recording, how.label)
    if reason:
        return NotMeasurable(reason)
    rows = means.reshape(len(means), -1).astype(np.float64)
    found = _measured(rows, names, how)
    table = {
        "value": found.capacity,
        "radius": found.radii.mean(),
        "dimension": found.dimensions.mean(),
        "centre_correlation": found.centre_correlation,
    }
    if how.n_null:
        rng = np.random.default_rng([how.seed, 1])
        deals = (rng.permutation(names) for _ in range(how.n_null))
        null = np.array([_measured(rows, deal, how).capacity for deal in deals])
        table |= {"shuffled": null.mean()}
        table |= {"p": (1 + np.sum(null >= found.capacity)) / (1 + how.n_null)}
    sizes = np.unique(names, return_counts=True)[1]
    note = f"clouds of {sizes.min()} to {sizes.max()} stimuli; capacity falls with their number"
    return xr.Dataset(
        {name: ((), float(value)) for name, value in table.items()}, attrs={NOTES: (note,)}
    )


def _measured(rows: np.ndarray, groups: np.ndarray, how: _How) -> Capacity:
    clouds = [rows[groups == one] for one in np.unique(groups)]
    return manifold_capacity(clouds, margin=how.margin, n_samples=how.n_samples, seed=how.seed)


def _why_not(names: np.ndarray, labels: list[str], recording: xr.DataArray, label: str) -> str:
    classes, counts = np.unique(names, return_counts=True)
    if len(classes) < 2:
        return f"the label '{label}' has one class only: {labels[0]!r}"
    shown = set(zip(recording[STIMULUS_ID].values.astype(str), labels, strict=True))
    if len(shown) > len(names):
        return f"stimuli have several values of '{label}': it names showings, not stimuli"
    if counts.min() < 2:
        return f"the class {str(classes[counts.argmin()])!r} has one stimulus: that is no cloud"
    return ""
