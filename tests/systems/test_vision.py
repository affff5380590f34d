"""Networks of timm and torchvision: what is asked of them, shown by packages that stand in."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from neuroai.errors import MissingExtra, ResourceError, UnknownName
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model

SINGLE = 1e-6


def network() -> nn.Module:
    """A network whose random weights hang on torch's state."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    net.pretrained_cfg = {"hf_hub_id": "timm/tiny.a1"}
    return net


def pixels(image) -> torch.Tensor:
    """What the stand-ins state as preprocessing: pixels in [0, 1], channels first."""
    assert image.mode == "RGB"
    return torch.from_numpy(np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255)


@pytest.fixture
def timm(monkeypatch):
    """A package of timm's form, whose calls are kept."""
    calls = []

    def create_model(name, *, pretrained):
        calls.append((name, pretrained))
        if pretrained and name == "gone":
            raise OSError("no route to host")
        net = network()
        if pretrained:
            torch.nn.init.ones_(net[2].weight)
        return net

    data = SimpleNamespace(
        resolve_model_data_config=lambda module: {"input_size": (3, 8, 8)},
        create_transform=lambda input_size, is_training: pixels if not is_training else None,
    )
    made = SimpleNamespace(
        create_model=create_model, data=data, __version__="9.9", calls=calls,
        list_models=lambda pretrained=False: ["tiny.a1" if pretrained else "tiny", "gone"],
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "timm", made)
    return made


class Weights:
    """One set of weights as torchvision has them."""

    def __init__(self, name: str, value: float) -> None:
        self.name, self.value, self.asked = name, value, {}
        self.meta = {"categories": ["cat", "dog"]}

    def transforms(self):
        """Give the preprocessing."""
        return pixels

    def get_state_dict(self, **options):
        """Give the weights, and keep how they were asked for."""
        self.asked.update(options)
        return {key: torch.full_like(v, self.value) for key, v in network().state_dict().items()}


@pytest.fixture
def torchvision(monkeypatch):
    """A package of torchvision's form with two sets of weights."""
    first, second = Weights("IMAGENET1K_V1", 0.5), Weights("IMAGENET1K_V2", 2.0)

    class Enum:
        DEFAULT = second

        def __iter__(self):
            return iter((first, second))

    models = SimpleNamespace(
        list_models=lambda: ["tiny18", "tiny34"],
        get_model_weights=lambda name: Enum(),
        get_model=lambda name, weights: network(),
    )
    made = SimpleNamespace(models=models, __version__="8.8", sets=(first, second))
    monkeypatch.setitem(sys.modules, "torchvision", made)
    return made


@pytest.fixture
def shown():
    """Two images of 8 by 8."""
    rng = np.random.default_rng(0)
    held = {f"i{n}": rng.integers(0, 255, (8, 8, 3), dtype=np.uint8) for n in range(2)}
    return stimulus_set(pd.DataFrame({"stimulus_id": list(held)}), name="images", load=held.get)


def test_a_network_of_timm_sees_as_its_authors_state(timm, shown):
    """Trained weights, the stated preprocessing, and where the weights come from."""
    model = load_model("timm:tiny.a1", layers=["0"])
    assert timm.calls == [("tiny.a1", True)] and model.revision == "timm 9.9, timm/tiny.a1"
    [found] = model.recordings(shown)
    batch = torch.stack([torch.from_numpy(shown.content(key)) for key in shown.ids])
    with torch.no_grad():
        expected = model.module()[0](batch.movedim(3, 1).float() / 255)
    assert np.abs(found.values - expected.reshape(2, -1).numpy()).max() < SINGLE


def test_untrained_controls_fetch_nothing(timm):
    """Seeds are subjects with weights of their own; no weights are asked for."""
    model = load_model("timm:tiny?init=random&seeds=1,2")
    assert model.untrained and model.subjects == ("seed1", "seed2") and model.revision == ""
    one, two = (model.module(seed)[0].weight for seed in model.subjects)
    assert not torch.equal(one, two) and {pretrained for _, pretrained in timm.calls} == {False}


@pytest.mark.parametrize(("tag", "value"), [("", 2.0), (".IMAGENET1K_V1", 0.5)])
def test_weights_of_torchvision_are_checked_and_never_unpickled(torchvision, tag, value):
    """The named weights or the default; hash checked, tensors alone; labels come with them."""
    model = load_model(f"torchvision:tiny18{tag}")
    assert float(model.module()[0].weight.detach().mean()) == value
    [used] = [one for one in torchvision.sets if one.asked]
    assert used.asked["check_hash"] is True and used.asked["weights_only"] is True
    assert model.labels == ("cat", "dog") and used.name in model.revision
    fresh = load_model(f"torchvision:tiny18{tag}?init=random")
    assert fresh.untrained and float(fresh.module().state_dict()["0.weight"].mean()) != value


def test_unknown_names_get_the_nearest(timm, torchvision):
    """A network, and a set of weights."""
    with pytest.raises(UnknownName, match="timm has no network 'tiny.a2'. Did you mean 'tiny.a1'"):
        timm.list_models = lambda pretrained=False: ["tiny.a1"]
        load_model("timm:tiny.a2")
    with pytest.raises(UnknownName, match="no network 'tiny81'. Did you mean 'tiny18'"):
        load_model("torchvision:tiny81")
    with pytest.raises(UnknownName, match="no weights 'IMAGENET1K_V9'. Did you mean"):
        load_model("torchvision:tiny18.IMAGENET1K_V9")


def test_without_a_network_the_way_out_is_named(timm):
    """Weights that cannot be fetched are a matter of resources."""
    with pytest.raises(ResourceError, match=r"'timm:gone' cannot be fetched .*init=random"):
        load_model("timm:gone")


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_packages_that_do_not_import_are_told(monkeypatch, package):
    """Not installed, or built for another torch: what to install, and never a traceback."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"neuroai-compare\[vision\]"):
        load_model(f"{package}:resnet18")

    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr("neuroai.checks.importlib.import_module", broken)
    with pytest.raises(MissingExtra, match="built for this torch"):
        load_model(f"{package}:resnet18")
