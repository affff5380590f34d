"""Searchlight RSA: where does the local geometry follow a model?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import NOTES, UNDEFINED, asked_of_parts
from neuroai.analyses.algorithm._places import places_of
from neuroai.cards import AnalysisCard
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.format.align import common_stimuli, stimulus_patterns
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS, STIMULUS_TO, UNIT, UNIT_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.comparators import METHODS
from neuroai.numerics.rdm_batch import DISTANCES
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.searchlight_rsa import searchlight_rsa
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="searchlight",
    level="algorithm",
    question="How well does the geometry around each place follow that of a model?",
    form="profile",
    defined_on="recordings with positions in mm; feature maps with rows and columns",
    citation="Kriegeskorte, Goebel & Bandettini 2006, doi:10.1073/pnas.0600244103",
)


def searchlight(
    system: System,
    *,
    against: Answer,
    radius: float = 6.0,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    distance: str = "correlation",
    comparator: str = "spearman",
    mesh: np.ndarray | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Compare the RDM of the units around every place with RDMs that were found elsewhere.

    .. math:: s(c) = \mathrm{sim}(D(X_{N(c)}), M), \qquad N(c) = \{u : \|x_u - x_c\| \le r\}

    No neighbourhood crosses the border of a region: a map of a whole brain takes a recording whose
    units are one region.

    Parameters
    ----------
    system : System
        A brain or a model.
    against : Answer
        Of form ``rdm``, about the same stimuli: layers of a network, regions of another brain, or
        a hypothesis. Subjects are averaged.
    radius : float
        In mm, along the surface where a mesh is given, or in rows and columns of feature maps.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    distance : {"correlation", "squared-euclidean"}
        Of the patterns.
    comparator : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        Of the RDMs.
    mesh : array of shape (n_triangles, 3), optional
        Unit ids of every triangle of a surface, along which distances are then measured.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile``: ``per_unit(subject, region, unit, model_region)``, the score of the
        neighbourhood of each unit, which `neuroai.sources.fmri_maps.to_nifti` lays back on the
        volume; ``value(subject, region, model_region)``, its mean; ``n_units_near(subject,
        region)``, the mean size of a neighbourhood. Undefined scores are counted.

    Raises
    ------
    UsageError
        `against` holds no RDMs or undefined ones, or an option is unknown.
    AlignmentError
        The stimuli differ; it names them.

    References
    ----------
    Kriegeskorte, Goebel & Bandettini 2006, doi:10.1073/pnas.0600244103

    Examples
    --------
    >>> from neuroai.analyses.algorithm.rdm import rdm
    >>> from neuroai.testing import toy_brain
    >>> searchlight(toy_brain(), against=rdm(toy_brain(), distance="squared-euclidean")).reason
    'the units of V1 have no place, neither x, y and z nor the rows and columns of feature maps...'
    """
    one_of(distance, DISTANCES, option="distance")
    one_of(comparator, METHODS, option="comparator")
    models = _model_rdms(against)
    return asked_of_parts(
        system,
        partial(
            _mapped,
            models=models,
            radius=radius,
            distance=distance,
            comparator=comparator,
            mesh=mesh,
        ),
        card=CARD,
        stimuli=system.stimuli if stimuli is None else stimuli,
        regions=regions,
        undefined=undefined,
        parameters={
            "radius": radius,
            "distance": distance,
            "comparator": comparator,
            "along": "space" if mesh is None else "surface",
            "against": f"{against.system}: {against.question} {against.describe()}",
        },
    )


def _model_rdms(against: Answer) -> xr.DataArray:
    """Average the subjects' RDMs of every region that the map is compared with."""
    if against.form != "rdm":
        raise UsageError(
            f"against must be an answer of form 'rdm' (the question rdm); got '{against.form}'."
        )
    found = against.data["rdm"].mean("subject", skipna=False)
    bad = [str(r) for r in found["region"].values if bool(found.sel(region=r).isnull().any())]
    if bad:
        raise UsageError(
            f"The RDMs of {', '.join(bad)} have undefined pairs. Leave them out with "
            "against.restrict(regions=...), or their stimuli."
        )
    return found


def _mapped(
    recording: xr.DataArray,
    *,
    models: xr.DataArray,
    radius: float,
    distance: str,
    comparator: str,
    mesh: np.ndarray | None,
) -> xr.Dataset | NotMeasurable:
    places = places_of(recording, radius=radius, mesh=mesh)
    if isinstance(places, NotMeasurable):
        return places
    names, means, _ = stimulus_patterns(recording)
    if means.ndim == 3:
        return NotMeasurable(
            f"{recording.attrs['region']} has times: average them or take one first, since a "
            "neighbourhood is one in space"
        )
    who = f"{recording.attrs['region']} of '{recording.attrs['subject']}'"
    ids = common_stimuli(names, models[STIMULUS].values, names=(who, "the RDMs compared with"))
    square = models.sel({STIMULUS: list(ids), STIMULUS_TO: list(ids)})
    vectors = to_vector(square.transpose("region", STIMULUS, STIMULUS_TO).values)
    scores = searchlight_rsa(
        means, vectors, neighbourhoods=places.near, method=comparator, distance=distance
    )
    return unit_map(
        recording, scores[places.centre_of], places.near.sizes, of=models["region"].values
    )


def unit_map(
    recording: xr.DataArray, scores: np.ndarray, sizes: np.ndarray, *, of: np.ndarray | None
) -> xr.Dataset:
    """Label the score of every unit's neighbourhood, and their mean."""
    ids = recording[UNIT_ID].values
    extra = () if of is None else ("model_region",)
    bad = np.isnan(scores)
    counts = np.maximum((~bad).sum(axis=0), 1)
    mean = np.where(bad.all(axis=0), np.nan, np.where(bad, 0.0, scores).sum(axis=0) / counts)
    data = {
        "per_unit": ((UNIT, *extra), scores),
        "value": (extra, mean),
        "n_units_near": ((), float(sizes.mean())),
    }
    coords = {UNIT: ids} if of is None else {UNIT: ids, "model_region": of}
    found = xr.Dataset(data, coords=coords).assign_coords({UNIT_ID: (UNIT, ids)})
    smallest, largest = int(sizes.min()), int(sizes.max())
    notes = (f"neighbourhoods hold {smallest} to {largest} units",)
    return found.assign_attrs({NOTES: notes, UNDEFINED: {"scores of places": int(bad.sum())}})
