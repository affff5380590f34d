"""F15: reading and lesioning leave mode, hooks, weights and inputs as they were, errors or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held
from torch import nn

from neuroai.format.stimuli import stimulus_set
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model
from neuroai.systems.models.small_convnet import SmallConvnet
from neuroai.systems.weights import built, weights_sha256


class Injected(RuntimeError):
    """An error in the middle of a pass."""


class InPlace(nn.Module):
    """Writes into its input, as careless networks do."""

    def forward(self, x):
        """Add one in place."""
        return x.add_(1)


def _network(seed):
    net = built(SmallConvnet, seed=seed)
    net.relu1 = nn.Sequential(nn.ReLU(inplace=True), InPlace())
    return net


def run(cases, rng):
    """Read or lesion; in every other case an error is raised at a random layer."""
    found = Outcome()
    images = {f"s{i}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(6)}
    shown = stimulus_set(pd.DataFrame({"stimulus_id": list(images)}), name="s", load=images.get)
    for case in range(cases):
        net = _network(case)
        net.train(bool(case % 3))
        net.fc1.train(bool(case % 5))
        model = load_model(net, layers=["conv1", "relu1", "fc2"])
        [clean] = load_model(_network(case), layers=["conv1"]).recordings(shown)
        before = _state(net)
        injected = case % 2 == 1
        handle = _break(net, rng) if injected else None
        raised = _use(model, shown, case, rng)
        if handle is not None:
            handle.remove()
            found.count("errors injected")
        found.check(raised == injected, f"case {case}: raised {raised}, injected {injected}")
        found.check(_state(net) == before, f"case {case}: the network was left changed")
        [after] = model.recordings(shown, regions=["conv1"])
        same = np.array_equal(after.values, clean.values)
        found.check(same, f"case {case}: a layer that is written into was read too late")
    return found


def _state(net):
    modes = [part.training for part in net.modules()]
    hooks = sum(len(p._forward_hooks) + len(p._forward_pre_hooks) for p in net.modules())
    return weights_sha256(net), modes, hooks


def _break(net, rng):
    def fail(*_):
        raise Injected

    layer = str(rng.choice(["conv1", "relu1", "fc1", "fc2"]))
    return net.get_submodule(layer).register_forward_hook(fail)


def _use(model, shown, case, rng):
    try:
        if case % 4 < 2:
            list(model.recordings(shown))
        else:
            kind = ("zero", "mean", "noise")[case % 3]
            lesion = Lesion("conv1", (int(rng.integers(16)),), kind)
            model.with_lesion(lesion, shown).outputs(shown)
            model.lesion_bench("conv1", shown, reference=shown).run(lesion)
    except Injected:
        return True
    return False


FAULT = Fault(
    "F15", "mode, hooks and weights are restored, errors or not; reads are copies", 100, run
)


def test_f15():
    """Half of the cases break in the middle of a pass."""
    assert_held(FAULT)
