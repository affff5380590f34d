"""Searchlights of volumes, surfaces and feature maps: planted places are found and laid back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.analyses.algorithm.searchlight import searchlight
from neuroai.analyses.algorithm.searchlight_decoding import searchlight_decoding
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import NotMeasurable, rdm_answer
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.distances import squared_euclidean
from neuroai.sources.fmri_maps import to_nifti
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.testing import EXACT, readonly, toy_stimuli

SHAPE, SIDE, N_RUNS = (6, 5, 4), 3.0, 4
IDS = [f"s{k:02d}" for k in range(12)]
CLASS = np.arange(12) % 2


def _stimuli():
    table = pd.DataFrame({"stimulus_id": IDS, "kind": CLASS.astype(str)})
    return stimulus_set(table, name="made")


def _volume(seed=0):
    """Plant a geometry, and classes, in the voxels of one corner."""
    rng = np.random.default_rng(seed)
    voxel = np.argwhere(np.ones(SHAPE))
    planted = (voxel < 2).all(axis=1)
    hidden = np.random.default_rng(99).standard_normal((12, 3)) + 2 * CLASS[:, None]
    means = np.zeros((12, len(voxel)))
    means[:, planted] = hidden @ rng.standard_normal((3, planted.sum()))
    values = np.tile(means, (N_RUNS, 1)) + rng.standard_normal((12 * N_RUNS, len(voxel)))
    affine = np.diag([SIDE, SIDE, SIDE, 1.0])
    activity = recording(
        readonly(values),
        stimulus_id=IDS * N_RUNS,
        unit_id=[f"v{i}-{j}-{k}" for i, j, k in voxel],
        region="brain",
        system="made",
        kind="brain",
        stimulus_set="made",
        subject="p1",
        presentation={"run": np.repeat(np.arange(N_RUNS), 12)},
        unit={axis: voxel[:, k] * SIDE for k, axis in enumerate("xyz")},
        attrs={"grid": json.dumps({"shape": SHAPE, "affine": affine.tolist()})},
    )
    model = rdm_answer(
        np.asarray(squared_euclidean(hidden))[None, None], subjects=["m"], regions=["truth"],
        stimuli=IDS, parameters={"distance": "squared-euclidean"}, system="truth", kind="model",
        stimulus_set="made",
    )  # fmt: skip
    data = SystemData(name="made", kind="brain", species="none", recordings=(activity,))
    return Recorded(data=data, stimuli=_stimuli()), model, planted, activity


def test_a_planted_geometry_is_found_and_laid_back_on_the_volume():
    """The map is highest in the planted corner, and each voxel of the image bears its score."""
    brain, model, planted, activity = _volume()
    found = searchlight(
        brain, against=model, radius=SIDE, distance="squared-euclidean", comparator="pearson"
    )
    scores = found.data["per_unit"].sel(subject="p1", region="brain", model_region="truth")
    # A sphere of one voxel's side reaches the voxel next to the corner, and no further.
    far = (np.argwhere(np.ones(SHAPE)) > 2).any(axis=1)
    ordered = scores.sel(unit=activity["unit_id"].values).values
    assert ordered[planted].min() > 0.5 > np.abs(ordered[far]).max()
    assert found.parameters["along"] == "space"
    image = to_nifti(scores.drop_vars(["subject", "region", "model_region"]), activity)
    # The image is float32.
    np.testing.assert_allclose(
        image.get_fdata()[0, 1, 1], scores.sel(unit="v0-1-1").item(), rtol=1e-6
    )


def test_planted_classes_are_decoded_where_they_lie():
    """Generalising to new runs, the corner is decoded and far voxels are at chance."""
    brain, _, planted, activity = _volume()
    found = searchlight_decoding(brain, label="kind", groups="run", n_folds=4, radius=SIDE)
    scores = found.data["per_unit"].sel(subject="p1", region="brain")
    ordered = scores.sel(unit=activity["unit_id"].values).values
    far = (np.argwhere(np.ones(SHAPE)) > 2).any(axis=1)
    assert ordered[planted].min() > 0.8
    assert abs(ordered[far].mean() - 0.5) < 0.1 and found.data["chance"].item() == 0.5


def test_radius_is_in_mm():
    """A radius below the side of a voxel holds it alone; of one side, its six neighbours too."""
    brain, model, _, _ = _volume()
    options = {"against": model, "distance": "squared-euclidean"}
    alone = searchlight(brain, radius=SIDE - 0.01, **options)
    assert alone.data["n_units_near"].item() == 1
    cross = searchlight(brain, radius=SIDE, **options)
    assert cross.notes == ("brain: neighbourhoods hold 4 to 7 units",)


def test_along_a_surface_the_mesh_says_what_is_near():
    """A strip of vertices folded back: with a mesh the facing wall is no neighbour."""
    rng = np.random.default_rng(0)
    position = [(float(k), 0.0, 0.0) for k in range(6)] + [(5.0 - k, 0.5, 0.0) for k in range(6)]
    ids = [f"L-{k}" for k in range(12)]
    activity = recording(
        rng.standard_normal((12, 12)), stimulus_id=IDS, unit_id=ids, region="cortex",
        system="made", kind="brain", stimulus_set="made", subject="p1",
        unit={axis: np.array(position)[:, k] for k, axis in enumerate("xyz")},
    )  # fmt: skip
    data = SystemData(name="made", kind="brain", species="none", recordings=(activity,))
    brain = Recorded(data=data, stimuli=_stimuli())
    model = rdm(brain, distance="squared-euclidean")
    mesh = [[ids[k], ids[k + 1], ids[k + 2]] for k in range(10)] + [["R-1", "R-2", "R-3"]]
    options = {"against": model, "radius": 1.0, "distance": "squared-euclidean"}
    space = searchlight(brain, **options)
    surface = searchlight(brain, mesh=np.array(mesh), **options)
    assert surface.parameters["along"] == "surface"
    assert surface.data["n_units_near"].item() < space.data["n_units_near"].item()
    with pytest.raises(UsageError, match="No triangle of the mesh names units of cortex"):
        searchlight(brain, mesh=np.array([["R-1", "R-2", "R-3"]]), **options)


def test_feature_maps_of_a_network_are_a_sheet():
    """All features of a row and column stand at one place; a radius of 0 takes them alone."""
    model = load_model("builtin:small_convnet")
    stimuli = toy_stimuli(6)
    against = rdm(model, stimuli=stimuli, regions=["fc1"])
    found = searchlight(
        model, stimuli=stimuli, regions=["conv1"], against=against, radius=0.0,
        distance="squared-euclidean", comparator="cosine",
    )  # fmt: skip
    activity = next(model.recordings(stimuli, regions=["conv1"])).sortby("stimulus_id")
    here = (activity["row"] == 2) & (activity["col"] == 3)
    assert found.data["n_units_near"].item() == int(here.sum())
    own = np.asarray(squared_euclidean(activity.values[:, here.values].astype(float)))
    theirs = against.data["rdm"].values[0, 0]
    upper = np.triu_indices(6, k=1)
    expected = own[upper] @ theirs[upper] / np.linalg.norm(own[upper])
    expected /= np.linalg.norm(theirs[upper])
    unit = activity["unit_id"].values[here.values][0]
    score = found.data["per_unit"].sel(unit=unit).item()
    np.testing.assert_allclose(score, expected, atol=1e-5)  # activations are float32


def test_units_without_a_place_are_not_measurable():
    """A fully connected layer, and a brain without coordinates, say so in words."""
    model, stimuli = load_model("builtin:small_convnet"), toy_stimuli(6)
    against = rdm(model, stimuli=stimuli, regions=["fc1"])
    found = searchlight(model, stimuli=stimuli, regions=["fc1"], against=against)
    assert isinstance(found, NotMeasurable)
    assert found.reason.startswith("the units of fc1 have no place")


def test_scores_are_the_same_whatever_the_order():
    """Showings and units in another order give every unit the same score."""
    brain, model, _, activity = _volume()
    rng = np.random.default_rng(4)
    moved = activity.isel(
        presentation=rng.permutation(activity.sizes["presentation"]),
        unit=rng.permutation(activity.sizes["unit"]),
    )
    data = SystemData(name="made", kind="brain", species="none", recordings=(moved,))
    other = Recorded(data=data, stimuli=_stimuli())
    for ask in (
        lambda system: searchlight(system, against=model, radius=SIDE),
        lambda system: searchlight_decoding(system, label="kind", groups="run", radius=SIDE),
    ):
        mine, theirs = (ask(system).data["per_unit"].sortby("unit") for system in (brain, other))
        np.testing.assert_allclose(mine.values, theirs.values, atol=EXACT)


def test_wrong_calls_say_what_to_do():
    """An answer that holds no RDMs, undefined pairs, and other stimuli."""
    brain, model, _, _ = _volume()
    with pytest.raises(UsageError, match="against must be an answer of form 'rdm'"):
        searchlight(brain, against=searchlight(brain, against=model))
    gap = model.data["rdm"].values.copy()
    gap[..., 0, 1] = np.nan
    broken = rdm_answer(
        gap, subjects=["m"], regions=["truth"], stimuli=IDS, parameters={}, system="truth",
        kind="model", stimulus_set="made",
    )  # fmt: skip
    with pytest.raises(UsageError, match="The RDMs of truth have undefined pairs"):
        searchlight(brain, against=broken)
    with pytest.raises(AlignmentError, match="1 only in brain of 'p1': s11"):
        searchlight(brain, against=model.restrict(stimuli=IDS[:-1]))
    with pytest.raises(UsageError, match="Did you mean 'spearman'"):
        searchlight(brain, against=model, comparator="spearmann")
