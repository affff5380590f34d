"""Searchlight decoding: where can classes of stimuli be told apart?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import (
    asked_of_parts,
    column_of,
    pseudo_note,
    rows_of,
    separate,
)
from neuroai.analyses.algorithm._places import places_of
from neuroai.analyses.algorithm.searchlight import NOTES, unit_map
from neuroai.cards import AnalysisCard
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS_ID, TIME
from neuroai.format.splits import group_folds
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.group_folds import stratified_group_folds
from neuroai.numerics.searchlight_lda import searchlight_lda
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="searchlight_decoding",
    level="algorithm",
    question="Around which places can a linear readout tell classes of stimuli apart?",
    form="profile",
    defined_on="recordings with positions in mm; feature maps with rows and columns; with a label",
    citation="Kriegeskorte, Goebel & Bandettini 2006, doi:10.1073/pnas.0600244103",
)


def searchlight_decoding(
    system: System,
    *,
    label: str,
    radius: float = 6.0,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    groups: str = STIMULUS_ID,
    n_folds: int = 5,
    shrinkage: float | str = "auto",
    seed: int = 0,
    mesh: np.ndarray | None = None,
    undefined: str = "raise",
    pseudo: bool = False,
) -> Answer | NotMeasurable:
    r"""Decode a label of the stimuli around every place by shrinkage LDA, cross-validated.

    .. math:: a(c) = \frac{1}{F} \sum_f \mathrm{balanced\ accuracy}_f(X_{N(c)}), \qquad
              N(c) = \{u : \|x_u - x_c\| \le r\}

    All places share their folds, and no group stands on both sides of one.

    Parameters
    ----------
    system : System
        A brain or a model.
    label : str
        Column of the stimuli, or coordinate of the showings, that names the classes.
    radius : float
        In mm, along the surface where a mesh is given, or in rows and columns of feature maps.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    groups : str
        What no fold may split: ``stimulus_id``, or a coordinate of the showings such as ``run``.
    n_folds : int
        Folds; at most the number of groups.
    shrinkage : float in (0, 1] or "auto"
        Of the covariance; "auto" takes the share of Ledoit and Wolf.
    seed : int
        Seed of the folds.
    mesh : array of shape (n_triangles, 3), optional
        Unit ids of every triangle of a surface, along which distances are then measured.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.
    pseudo : bool
        Decode single showings of units that were not recorded together, as if they had been.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile``: ``per_unit(subject, region, unit)`` from 0 to 1, the accuracy of the
        neighbourhood of each unit; ``value(subject, region)``, its mean; ``n_units_near``;
        ``chance(subject, region)``.

    Raises
    ------
    UsageError
        The label, the groups or an option are unknown.
    DataError
        Units hold NaN and `undefined` is ``raise``.

    References
    ----------
    Kriegeskorte, Goebel & Bandettini 2006, doi:10.1073/pnas.0600244103

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> searchlight_decoding(toy_brain(), label="stimulus_id").reason
    'every stimulus is a class of its own, so that none could be learnt from others; group by...'
    """
    if label == groups == STIMULUS_ID:
        return NotMeasurable(
            "every stimulus is a class of its own, so that none could be learnt from others; "
            "group by run or session, or name a column of the stimuli"
        )
    stimuli = system.stimuli if stimuli is None else stimuli
    options = {"label": label, "groups": groups, "n_folds": n_folds, "shrinkage": shrinkage,
               "radius": radius, "seed": seed, "pseudo": pseudo}  # fmt: skip
    return asked_of_parts(
        system,
        partial(_mapped, stimuli=stimuli, mesh=mesh, **options),
        card=CARD,
        stimuli=stimuli,
        regions=regions,
        undefined=undefined,
        parameters={
            **options,
            "scoring": "balanced-accuracy",
            "along": "space" if mesh is None else "surface",
        },
    )


def _mapped(
    recording: xr.DataArray,
    *,
    stimuli: StimulusSet | None,
    mesh: np.ndarray | None,
    label: str,
    groups: str,
    n_folds: int,
    shrinkage: float | str,
    radius: float,
    seed: int,
    pseudo: bool,
) -> xr.Dataset | NotMeasurable:
    refused = separate(recording, pseudo=pseudo)
    places = refused or places_of(recording, radius=radius, mesh=mesh)
    if isinstance(places, NotMeasurable):
        return places
    if TIME in recording.dims:
        return NotMeasurable(
            f"{recording.attrs['region']} has times: average them or take one first, since a "
            "neighbourhood is one in space"
        )
    labels, parts = (column_of(recording, stimuli, name) for name in (label, groups))
    classes = sorted(set(labels))
    if len(classes) < 2:
        return NotMeasurable(f"the label '{label}' has one class only: {labels[0]!r}")
    folds = _folds(labels, parts, groups, n_folds=n_folds, seed=seed)
    accuracy = searchlight_lda(
        rows_of(recording), labels, folds, neighbourhoods=places.near, shrinkage=shrinkage
    )
    found = unit_map(recording, accuracy[places.centre_of], places.near.sizes, of=None)
    found["chance"] = 1 / len(classes)
    return found.assign_attrs({NOTES: (*found.attrs[NOTES], *pseudo_note(recording))})


def _folds(
    labels: list[str], parts: list[str], groups: str, *, n_folds: int, seed: int
) -> np.ndarray:
    """Spread classes over folds where a group has one class; else deal the groups out."""
    n_groups = len(set(parts))
    if n_groups < 2:
        raise UsageError(f"Folds need at least two values of '{groups}'; got {parts[0]!r}.")
    if len(set(zip(labels, parts, strict=True))) == n_groups:
        return stratified_group_folds(labels, parts, n_folds=n_folds, seed=seed)
    return group_folds(parts, n_folds=min(n_folds, n_groups), seed=seed)
