"""Results: everything that one comparison found, as the reports read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from neuroai.format.answers import Answer
from neuroai.format.scores import Score, score_dataset

INTERVENTION_ORIGINS = ("simulated", "virtual", "measured")


@dataclass(frozen=True)
class DoseCurve:
    """What lesions of one target do to one measure, dose by dose, beside random controls.

    Attributes
    ----------
    system, kind, region : str
        Who was lesioned, and where.
    level, measure : str
        The level and name of what is measured, such as ``accuracy`` or ``rdm match``.
    lesion : str
        What was done: ``mean``, ``zero``, ``noise``, or a name such as ``silenced``.
    origin : str
        ``simulated`` (forward pass changed), ``virtual`` (recorded units masked) or ``measured``.
    baseline : float
        The measure of the intact system.
    doses : array, shape (n_doses,)
        Fraction of the target lesioned, in (0, 1].
    targeted, ci_low, ci_high : array, shape (n_doses,)
        The measure under the targeted lesion and its 95 % interval (NaN where there is none).
    controls : array, shape (n_doses, n_controls)
        The measure under random (or sham) lesions of the same size in the same region.
    p : array, shape (n_doses,)
        (1 + #{control drops at least as large}) / (1 + n_controls); NaN without controls.
    n_targets : array of int, shape (n_doses,)
        Units or feature maps lesioned.
    note : str
        What a reader must know.
    """

    system: str
    kind: str
    region: str
    level: str
    measure: str
    lesion: str
    origin: str
    baseline: float
    doses: np.ndarray
    targeted: np.ndarray
    controls: np.ndarray
    p: np.ndarray
    n_targets: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    note: str = ""


@dataclass(frozen=True)
class LocaliserResult:
    """Which units of one region and subject prefer one side of a contrast.

    `t_selected` and `t_heldout` are the mean Welch t of the selected units on the half that chose
    them and on the other half; `heldout_p` is the share of random sets of the same size that do
    as well on the held-out half. `elements` names every unit (feature map) of the region;
    `unit_t_selected`, `unit_t_heldout` and `unit_is_selected` say of each its Welch t on either
    half (NaN where it never varies) and whether it was selected.
    """

    system: str
    kind: str
    subject: str
    region: str
    contrast: str
    n_units: int
    n_selected: int
    t_selected: float
    t_heldout: float
    heldout_p: float
    unit_kind: str
    elements: tuple[str, ...] = ()
    unit_t_selected: tuple[float, ...] = ()
    unit_t_heldout: tuple[float, ...] = ()
    unit_is_selected: tuple[bool, ...] = ()


@dataclass(frozen=True)
class TruthLine:
    """One planted fact of a simulation beside what was recovered."""

    name: str
    planted: str
    recovered: str
    found: bool


@dataclass(frozen=True)
class NotMeasured:
    """A question that one side could not answer, and why."""

    level: str
    question: str
    system: str
    reason: str


@dataclass(frozen=True)
class Results:
    """Everything that one comparison found.

    `answers` are those that figures show (RDMs, confusions, similarity); `audit` are sentences
    about the data and what was left out; `provenance` says what the numbers came from.
    """

    title: str
    dataset: str
    simulated: bool
    scores: tuple[Score, ...]
    answers: tuple[Answer, ...] = ()
    dose_curves: tuple[DoseCurve, ...] = ()
    localisers: tuple[LocaliserResult, ...] = ()
    truth: tuple[TruthLine, ...] = ()
    not_measured: tuple[NotMeasured, ...] = ()
    audit: tuple[str, ...] = ()
    stimulus_labels: Mapping[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)


def results_dataset(results: Results) -> xr.Dataset:
    """Put every score, and every unit of every localiser, into a Dataset for netCDF.

    Parameters
    ----------
    results : Results
        What a comparison found.

    Returns
    -------
    xarray.Dataset
        That of `neuroai.format.scores.score_dataset`, with the dim ``unit``: ``unit_system,
        unit_subject, unit_region, unit_contrast, unit_name, unit_kind``, Welch t on the half that
        chose (``unit_t_selected``) and on the other (``unit_t_heldout``; NaN where the unit never
        varies), and ``unit_is_selected`` (0 or 1).

    Examples
    --------
    >>> nothing = Results(title="none", dataset="none", simulated=False, scores=())
    >>> dict(results_dataset(nothing).sizes)
    {'score': 0, 'pair': 0, 'unit': 0}
    """
    rows = [row for row in results.localisers for _ in row.elements]
    texts = {
        f"unit_{name}": [getattr(row, name) for row in rows]
        for name in ("system", "subject", "region", "contrast")
    }
    texts["unit_name"] = [name for row in results.localisers for name in row.elements]
    texts["unit_kind"] = [row.unit_kind for row in rows]
    numbers = {
        name: [value for row in results.localisers for value in getattr(row, name)]
        for name in ("unit_t_selected", "unit_t_heldout", "unit_is_selected")
    }
    return score_dataset(results.scores).assign(
        {name: ("unit", np.array(values, dtype=object)) for name, values in texts.items()}
        | {name: ("unit", np.array(values, dtype=np.float64)) for name, values in numbers.items()}
    )
