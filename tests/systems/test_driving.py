"""Inputs found by gradient: closed forms, better than natural ones, and nothing left behind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neuroai.errors import UnknownName, UsageError
from neuroai.systems.driving import driving_input
from neuroai.systems.load import load_model

# 200 steps of a tenth and less leave exp(-10) of the first distance; float32 adds to it.
SETTLED = 1e-3


@pytest.fixture
def linear():
    """Make a network of two linear units before a ReLU that writes in place."""
    net = nn.Sequential(nn.Linear(6, 3), nn.ReLU(inplace=True), nn.Linear(3, 2))
    torch.manual_seed(0)
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return load_model(net, name="line", layers=["0", "2"], preprocess=torch.as_tensor)


@pytest.mark.parametrize("feature", [0, 1, 2])
def test_a_linear_unit_is_driven_by_its_weights(linear, feature):
    """The best input of norm c is c w / |w|, and the response c |w| + b."""
    first = linear.module()[0]
    w, b = first.weight[feature].detach().numpy(), float(first.bias[feature].detach())
    found = driving_input(linear, "0", feature, shape=(6,), norm=2.0)
    np.testing.assert_allclose(found.values, 2 * w / np.linalg.norm(w), atol=2 * SETTLED)
    assert found.response == pytest.approx(2 * np.linalg.norm(w) + b, rel=SETTLED)
    assert np.linalg.norm(found.values) == pytest.approx(2, rel=1e-5)
    assert found.course.max() == found.response and len(found.course) == 201


def test_a_feature_map_is_driven_more_than_by_any_natural_image():
    """Every map of a convolution: above 50 random images of the same norm."""
    model = load_model("builtin:small_convnet", layers=["conv1", "fc2"])
    rng = np.random.default_rng(0)
    images = rng.random((50, 1, 8, 8)).astype(np.float32)
    images *= 4 / np.linalg.norm(images.reshape(50, -1), axis=1)[:, None, None, None]
    with torch.no_grad():
        natural = model.module().conv2(model.module().relu1(model.module().conv1(
            torch.from_numpy(images)))).mean(dim=(2, 3)).numpy()  # fmt: skip
    for feature in (0, 7, 31):
        found = driving_input(model, "conv2", feature, shape=(1, 8, 8), norm=4.0, n_steps=60)
        assert found.response > natural[:, feature].max()
        with torch.no_grad():
            net, x = model.module(), torch.from_numpy(found.values)[None]
            again = net.conv2(net.relu1(net.conv1(x)))[0, feature].mean()
        assert found.response == pytest.approx(float(again), rel=1e-4)


def test_smoothness_costs_response_and_smooths():
    """A heavy weight on neighbours' differences gives a smoother, weaker image."""
    model = load_model("builtin:small_convnet", layers=["conv2"])
    rough, smooth = (
        driving_input(model, "conv2", 3, shape=(1, 8, 8), norm=4.0, n_steps=80, smoothness=weight)
        for weight in (0.0, 5.0)
    )
    assert np.abs(np.diff(smooth.values)).mean() < np.abs(np.diff(rough.values)).mean()
    assert smooth.course[-1] < rough.course[-1]


def test_the_network_is_left_as_it_was(linear):
    """Modes, gradients and hooks, also after an error; the same seed gives the same input."""
    net = linear.module()
    net.train()
    net[0].bias.requires_grad_(requires_grad=False)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    one, other = (driving_input(linear, "2", 1, shape=(6,), norm=1.0, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.values, other.values)
    with pytest.raises(UsageError, match="has 2 features, counted from 0; got 2"):
        driving_input(linear, "2", 2, shape=(6,), norm=1.0)
    assert net.training and net[0].weight.requires_grad and not net[0].bias.requires_grad
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())
    assert not any(part._forward_hooks for part in net.modules())


def test_wrong_options_are_told(linear):
    """Layers, steps and norms that cannot be."""
    with pytest.raises(UnknownName):
        driving_input(linear, "9", 0, shape=(6,), norm=1.0)
    with pytest.raises(UsageError, match="step must lie in"):
        driving_input(linear, "0", 0, shape=(6,), norm=1.0, step=0)
    with pytest.raises(UsageError, match="norm above 0"):
        driving_input(linear, "0", 0, shape=(6,), norm=0)
