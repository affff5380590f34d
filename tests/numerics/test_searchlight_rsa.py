"""Searchlight RSA against RDMs made centre by centre, and against rsatoolbox."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rsatoolbox.rdm import RDMs, compare
from rsatoolbox.util.searchlight import get_searchlight_RDMs, get_volume_searchlight

from neuroai.errors import DataError, UsageError
from neuroai.numerics import searchlight_rsa as module
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.neighbourhoods import within_radius
from neuroai.numerics.rdm_batch import ModelRdms
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.searchlight_rsa import searchlight_rsa
from neuroai.testing import EQUAL, EXACT, SINGLE, readonly

SHAPE = (5, 4, 4)
# Scores of the same ranks, summed in float32; one pair of ranks that change places gives 1e-5.
REORDERED = 2e-6
DISTANCES = {"correlation": correlation_distance, "squared-euclidean": squared_euclidean}


def _problem(seed=0, n_stimuli=8, dtype="float64"):
    rng = np.random.default_rng(seed)
    position = np.argwhere(np.ones(SHAPE)).astype(float)
    x = rng.standard_normal((n_stimuli, len(position))) + rng.standard_normal(len(position))
    models = rng.random((3, n_stimuli * (n_stimuli - 1) // 2))
    return readonly(x, dtype=dtype), readonly(models), within_radius(position, radius=1.5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("distance", list(DISTANCES))
def test_every_centre_is_the_comparison_of_its_own_rdm(distance, method):
    """The batched engine gives what one RDM at a time gives, for every comparator."""
    x, models, near = _problem()
    found = searchlight_rsa(x, models, neighbourhoods=near, method=method, distance=distance)
    rdms = [to_vector(DISTANCES[distance](x[:, near.of(c)])) for c in range(len(near))]
    expected = compare_rdms(np.array(rdms), models, method=method)
    np.testing.assert_allclose(found, expected, atol=EXACT)


@pytest.mark.parametrize(("method", "theirs"), [("pearson", "corr"), ("spearman", "spearman")])
@pytest.mark.parametrize("seed", range(3))
def test_equal_to_rsatoolbox(seed, method, theirs):
    """The 80 centres of each of three volumes are those of rsatoolbox, cut at the mask."""
    x, models, near = _problem(seed)
    centres, members = get_volume_searchlight(
        np.ones(SHAPE), radius=1.6, threshold=0.0, truncate_at_boundary=True
    )
    assert [sorted(m) for m in members] == [near.of(c).tolist() for c in range(len(near))]
    peer = get_searchlight_RDMs(
        np.array(x), centres, members, np.arange(len(x)), method="correlation", verbose=False
    )
    expected = compare(peer, RDMs(np.array(models)), method=theirs)
    found = searchlight_rsa(x, models, neighbourhoods=near, method=method)
    np.testing.assert_allclose(found, expected, atol=EQUAL)


@pytest.mark.parametrize("method", ["pearson", "spearman", "cosine"])
def test_single_precision_tensors_and_batches(method, monkeypatch):
    """float32 lies near float64, tensors and small batches give the same."""
    x, models, near = _problem()
    options = {"neighbourhoods": near, "method": method}
    exact = searchlight_rsa(x, models, **options)
    np.testing.assert_array_equal(searchlight_rsa(torch.tensor(x), models, **options), exact)
    single = searchlight_rsa(x.astype(np.float32), models, **options)
    np.testing.assert_allclose(single, exact, atol=SINGLE)
    monkeypatch.setattr(module, "_BATCH_BYTES", 1)
    np.testing.assert_allclose(searchlight_rsa(x, models, **options), exact, atol=EXACT)


@pytest.mark.parametrize("distance", list(DISTANCES))
@pytest.mark.parametrize("method", ["spearman", "rho-a", "tau-a"])
def test_ranks_do_not_hang_on_the_order_of_sums(method, distance):
    """float32: distances that all but tie have one order, whatever device sums them and how."""
    rng = np.random.default_rng(8)
    x = (rng.standard_normal((30, 300)) + 30).astype(np.float32)
    models = rng.random((3, 30 * 29 // 2))
    place = rng.uniform(0, 5, (300, 3))
    order = rng.permutation(300)
    straight, mixed = (
        searchlight_rsa(
            x[:, units],
            models,
            neighbourhoods=within_radius(place[units], radius=1.5, centres=place),
            method=method,
            distance=distance,
        )
        for units in (np.arange(300), order)
    )
    np.testing.assert_allclose(mixed, straight, atol=REORDERED)


@pytest.mark.parametrize("method", ["tau-a", "whitened-cosine", "whitened-pearson"])
def test_comparators_of_the_processor_are_refused_elsewhere(method):
    """Before any work, and never by moving RDMs in silence; the meta device stands for a card."""
    there = torch.empty(0, device="meta")
    with pytest.raises(UsageError, match=rf"{method} is computed on the processor alone.*on meta"):
        ModelRdms.of(np.ones((1, 3)), method=method, n_stimuli=3, like=there)


def test_a_planted_geometry_is_found_where_it_lies():
    """Planted: eight voxels follow the model; the map is highest there."""
    rng = np.random.default_rng(1)
    position = np.argwhere(np.ones((8, 6, 4))).astype(float)
    planted = (position < 2).all(axis=1)
    hidden = rng.standard_normal((20, 4))
    x = rng.standard_normal((20, len(position)))
    x[:, planted] += 2 * hidden @ rng.standard_normal((4, planted.sum()))
    model = to_vector(squared_euclidean(hidden))[None]
    near = within_radius(position, radius=1.0)
    found = searchlight_rsa(
        x, model, neighbourhoods=near, method="pearson", distance="squared-euclidean"
    )[:, 0]
    holds = np.array([planted[near.of(c)].any() for c in range(len(near))])
    assert found[planted].min() > found[~holds].max()


def test_one_unit_and_no_unit_are_undefined():
    """A single voxel has no correlation over voxels; a centre far from all has no RDM at all."""
    x, models, _ = _problem()
    position = np.argwhere(np.ones(SHAPE)).astype(float)
    alone = within_radius(position, radius=0.5)
    assert np.isnan(searchlight_rsa(x, models, neighbourhoods=alone)).all()
    options = {"distance": "squared-euclidean", "neighbourhoods": alone}
    assert np.isfinite(searchlight_rsa(x, models, **options)).all()
    centres = np.array([[0.0, 0.0, 0.0], [99.0, 0.0, 0.0]])
    far = within_radius(position, radius=1.5, centres=centres)
    found = searchlight_rsa(x, models, neighbourhoods=far)
    assert np.isfinite(found[0]).all() and np.isnan(found[1]).all()


def test_wrong_calls_say_what_to_do():
    """Neighbourhoods of other units, models of other stimuli, NaN and misspelt options."""
    x, models, near = _problem()
    with pytest.raises(UsageError, match="hold 80 units or more, and the patterns 70"):
        searchlight_rsa(x[:, :70], models, neighbourhoods=near)
    with pytest.raises(UsageError, match="models have 3 pairs, and 8 stimuli have 28"):
        searchlight_rsa(x, models[:, :3], neighbourhoods=near)
    with pytest.raises(UsageError, match="Did you mean 'spearman'"):
        searchlight_rsa(x, models, neighbourhoods=near, method="spearmann")
    with pytest.raises(UsageError, match="distance must be one of"):
        searchlight_rsa(x, models, neighbourhoods=near, distance="euclid")
    with pytest.raises(DataError, match="640 of 640 entries of patterns are not finite"):
        searchlight_rsa(x * np.nan, models, neighbourhoods=near)
