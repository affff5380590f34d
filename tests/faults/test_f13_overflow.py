"""F13: half precision does not overflow in silence, and reductions are summed in float32."""

from __future__ import annotations

import numpy as np
import torch
from fault_cases import Fault, Outcome, assert_held
from torch import nn

from neuroai.errors import DataError
from neuroai.numerics.gram import centred_gram
from neuroai.systems.hooks import activities, capture
from neuroai.systems.layout import Activity
from neuroai.systems.passes import one_pass
from neuroai.systems.reduction import as_reducer

LARGEST = 65_504.0
SINGLE = 1e-4  # float32 sums against float64, relative


def run(cases, rng):
    """Average and compare float16 arrays up to the largest; overflow in a network is told."""
    found = Outcome()
    for case in range(cases):
        values = rng.uniform(0.2, 1, (4, 64, 4, 4)) * LARGEST
        half = torch.from_numpy(values.astype(np.float16))
        exact = half.double().mean(dim=(2, 3)).numpy()
        net = nn.Sequential(nn.Identity())
        reducer = as_reducer("mean")
        with capture(net, ["0"], n_stimuli=4, reduce=reducer) as read:
            net(half)
        mean = _values(activities(net, read, reduce=reducer)["0"])
        found.check(_near(mean, exact), f"case {case}: the mean of float16 maps is off")
        flat = half.reshape(4, -1)
        gram = np.asarray(centred_gram(flat.numpy()))
        wide = flat.double().numpy()
        wide = wide - wide.mean(axis=0)
        found.check(_near(gram, wide @ wide.T), f"case {case}: the Gram matrix overflowed")
        found.check(_told(values), f"case {case}: infinite activity went through")
    return found


def _values(activity: Activity) -> np.ndarray:
    return torch.as_tensor(activity.values).double().numpy()


def _near(a, b):
    return bool(np.isfinite(a).all() and np.abs(a - b).max() <= SINGLE * np.abs(b).max())


class _Half(nn.Module):
    def forward(self, x):
        return (x * 4).to(torch.float16)


def _told(values):
    net = nn.Sequential(_Half())
    try:
        one_pass(net, torch.from_numpy(values), list("abcd"), ["0"], (), "mean")
    except DataError as error:
        return "overflows" in str(error) and "float32" in str(error)
    return False


FAULT = Fault("F13", "float16: sums in float32, overflow raises and names the layer", 100, run)


def test_f13():
    """Nothing is infinite unnoticed."""
    assert_held(FAULT)
