"""Demixed components recover planted factors; parts are those of an analysis of variance."""

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.dpca import dpca, marginal_parts
from neuroai.testing import EQUAL, EXACT, readonly

N_UNITS, N_LABELS, N_TIMES = 20, 4, 15


def planted(seed=0, noise=0.0, angle=None):
    """One axis moves with the label, and one with time; they may lie at an angle."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((N_UNITS, 2)))[0].T
    if angle is not None:
        axes[1] = np.cos(angle) * axes[0] + np.sin(angle) * axes[1]
    label = rng.standard_normal(N_LABELS)
    time = 3 * np.sin(np.arange(N_TIMES) / 3)
    means = axes[0][:, None, None] * label[:, None] + axes[1][:, None, None] * time
    return readonly(means + noise * rng.standard_normal(means.shape)), axes


def merged(means):
    """Parts of the label (with its interaction with time), and of time."""
    parts = marginal_parts(means, ["label", "time"])
    both = parts[frozenset({"label"})] + parts[frozenset({"label", "time"})]
    return {"label": both, "time": parts[frozenset({"time"})]}


def test_parts_add_up_and_are_orthogonal():
    """For three factors: the sum is the means, sums over a factor vanish, products are 0."""
    means = np.random.default_rng(0).standard_normal((5, 3, 4, 6))
    parts = marginal_parts(means, ["a", "b", "c"])
    assert len(parts) == 7
    grand = means.mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(grand + sum(parts.values()), means, atol=EXACT)
    for name, part in parts.items():
        for axis, factor in enumerate("abc", start=1):
            if factor in name:
                np.testing.assert_allclose(part.sum(axis), 0, atol=EXACT)
        for other, second in parts.items():
            if other != name:
                assert np.sum(part * second) == pytest.approx(0, abs=EXACT * 100)


@pytest.mark.parametrize("angle", [None, 1.0])
def test_planted_axes_are_recovered_even_where_they_lean(angle):
    """Encoders are the planted axes, and what is read out does not hang on the other factor."""
    means, axes = planted(angle=angle)
    found = dpca(means, merged(means), n_components=1, penalty=1e-5)
    for k, name in enumerate(("label", "time")):
        assert abs(found[name].encoders[:, 0] @ axes[k]) > 0.999
    read = np.einsum("u,ult->lt", found["label"].decoders[0], means)
    assert read.var(axis=1).max() < 1e-4 * read.var(axis=0).max()


def test_noise_leaves_the_planted_axis():
    """A tenth of the signal in every mean: the cosine stays above .95."""
    means, axes = planted(noise=0.1)
    found = dpca(means, merged(means), n_components=2)
    assert abs(found["label"].encoders[:, 0] @ axes[0]) > 0.95
    assert found["label"].explained[0] > 5 * abs(found["label"].explained[1])


def test_shares_are_those_of_the_planted_variance():
    """Label and time, by hand."""
    means, _ = planted()
    found = dpca(means, merged(means))
    centred = means - means.mean((1, 2), keepdims=True)
    by_label = N_TIMES * np.sum(centred.mean(2) ** 2) / np.sum(centred**2)
    assert found["label"].share == pytest.approx(by_label, abs=EQUAL)
    assert found["label"].share + found["time"].share == pytest.approx(1, abs=EQUAL)


def test_the_weights_are_the_penalised_regression_of_reduced_rank():
    """Ridge by its normal equations, cut to rank one by the components of what it fits."""
    means = np.random.default_rng(3).standard_normal((6, 5, 4))
    part = merged(means)["label"].reshape(6, -1)
    flat = means.reshape(6, -1) - means.reshape(6, -1).mean(1, keepdims=True)
    weight = (0.1 * np.linalg.norm(flat)) ** 2 * np.eye(6)
    ridge = part @ flat.T @ np.linalg.inv(flat @ flat.T + weight)
    axis = np.linalg.svd(ridge @ flat)[0][:, :1]
    found = dpca(means, merged(means), n_components=1, penalty=0.1)["label"]
    np.testing.assert_allclose(found.encoders @ found.decoders, axis @ axis.T @ ridge, atol=EQUAL)


def test_more_units_than_cells_are_no_hindrance():
    """500 units in 12 cells."""
    means = np.random.default_rng(4).standard_normal((500, 3, 4))
    found = dpca(means, merged(means), n_components=2)
    assert np.isfinite(found["label"].decoders).all()


def test_wrong_calls_say_what_to_do():
    """Names, shapes, options, and means that do not vary or are not finite."""
    means, _ = planted()
    with pytest.raises(UsageError, match="need 2 different names of factors"):
        marginal_parts(means, ["label"])
    with pytest.raises(UsageError, match="n_components must be at least 1 and penalty above 0"):
        dpca(means, merged(means), penalty=0)
    with pytest.raises(UsageError, match="Parts must have the shape"):
        dpca(means, {"a": means[:3]})
    with pytest.raises(UsageError, match="do not vary"):
        dpca(np.ones((3, 2, 2)), {})
    with pytest.raises(DataError, match="not finite"):
        marginal_parts(np.full((3, 2, 2), np.nan), ["a", "b"])
