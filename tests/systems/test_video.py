"""Films: frames become times of every layer, in networks of images and of films alike."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from neuroai.errors import DataError, UsageError
from neuroai.format.stimuli import stimulus_set
from neuroai.format.validate import validate
from neuroai.systems.extract import extract
from neuroai.systems.hooks import inference
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model
from neuroai.systems.video import Film, as_film_network, film_model

SINGLE = 1e-5  # float32 algebra of networks with a few hundred weights
N_FRAMES = 5


@pytest.fixture(scope="module")
def films():
    """Six films of five grey frames of 8 by 8."""
    rng = np.random.default_rng(0)
    held = {f"f{i}": rng.random((N_FRAMES, 8, 8)) for i in range(6)}
    table = pd.DataFrame({"stimulus_id": list(held)})
    return stimulus_set(table, name="films", load=held.get)


class Space(nn.Module):
    """Two convolutions over frames, rows and columns, and a readout."""

    labels = ("a", "b")

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 3, (3, 3, 3), padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool3d((1, 2, 2))
        self.fc = nn.Linear(3, 2)

    def forward(self, shown: torch.Tensor) -> torch.Tensor:
        """Give logits (n, 2) for films (n, 1, frames, rows, columns)."""
        return self.fc(self.pool(self.relu(self.conv(shown))).mean(dim=(2, 3, 4)))


def to_tensor(film: np.ndarray) -> torch.Tensor:
    """Give (1, frames, rows, columns)."""
    return torch.from_numpy(film.astype(np.float32))[None]


@pytest.fixture(scope="module")
def space():
    """A network of films as a model."""
    torch.manual_seed(1)
    return load_model(Space().eval(), preprocess=to_tensor, name="space")


def direct(space, films, layer: str) -> np.ndarray:
    """What torch itself gives for a layer, (n, maps, frames, rows, columns)."""
    module, seen = space.module(), {}
    handle = module.get_submodule(layer).register_forward_hook(
        lambda *given: seen.setdefault("h", given[-1])
    )
    with inference(module):
        module(torch.stack([to_tensor(films.content(key)) for key in films.ids]))
    handle.remove()
    return seen["h"].numpy()


def test_frames_of_a_network_of_films_are_times(space, films):
    """Units are maps, rows and columns; the time axis is in frames; values are torch's own."""
    [found] = space.recordings(films, regions=["pool"])
    validate(found)
    assert found.shape == (6, 3 * 4 * 4, N_FRAMES) and found.attrs["time_unit"] == "frame"
    expected = direct(space, films, "pool")
    unit = found.sel(unit=found["unit_id"].values == "pool/2.1.3")
    assert [float(unit[n].item()) for n in ("feature_map", "row", "col")] == [2.0, 1.0, 3.0]
    assert np.abs(unit.values[:, 0] - expected[:, 2, :, 1, 3]).max() < SINGLE


def test_reductions_keep_the_frames(space, films):
    """The spatial mean leaves maps by frames; a sketch has as many frames too."""
    mean = load_model(space.module(), preprocess=to_tensor, reduce="mean")
    [found] = mean.recordings(films, regions=["conv"])
    assert found.shape == (6, 3, N_FRAMES)
    assert np.abs(found.values - direct(space, films, "conv").mean(axis=(3, 4))).max() < SINGLE
    sketch = load_model(space.module(), preprocess=to_tensor, reduce="count-sketch:16")
    [small] = sketch.recordings(films, regions=["conv"])
    assert small.shape == (6, 16, N_FRAMES)


def test_a_store_of_films_gives_the_same(space, films, tmp_path):
    """Written batch by batch and read again."""
    stored = extract(space, films, tmp_path / "a.zarr", layers=["pool"], batch_size=4)
    [found], [expected] = stored.recordings(films), space.recordings(films, regions=["pool"])
    assert np.abs(found.values - expected.values).max() < SINGLE
    assert found.attrs["time_unit"] == "frame"


@pytest.mark.parametrize(("of", "target", "n_silent"), [("features", 1, 16), ("units", 5, 1)])
def test_lesions_last_the_whole_film(space, films, of, target, n_silent):
    """A map is silent everywhere, a unit at its own place, both in every frame."""
    lesioned = space.with_lesion(Lesion("pool", (target,), "zero", of=of))
    [found], [whole] = (m.recordings(films, regions=["pool"]) for m in (lesioned, space))
    changed = (found.values != whole.values).any(axis=(0, 2))
    assert changed.sum() == n_silent
    silent = found.isel(unit=changed)
    assert (silent.values == 0).all()
    column = "feature_map" if of == "features" else "col"
    assert set(silent[column].values) == {1.0}


def test_a_network_of_images_is_shown_every_frame(films):
    """Each frame's activity is that of the frame as an image; the output is their mean."""
    images = load_model("builtin:small_convnet?seeds=0")
    model = load_model("builtin:small_convnet?seeds=0&frames=each")
    assert model.regions == images.regions
    [found] = model.recordings(films, regions=["conv2"])
    validate(found)
    assert found.shape == (6, 32 * 8 * 8, N_FRAMES) and found.attrs["time_unit"] == "frame"
    frames = {f"{k}-{n}": films.content(k)[n] for k in films.ids for n in range(N_FRAMES)}
    apart = stimulus_set(
        pd.DataFrame({"stimulus_id": list(frames)}), name="frames", load=frames.get
    )
    [each] = images.recordings(apart, regions=["conv2"])
    expected = each.values.reshape(6, N_FRAMES, -1).transpose(0, 2, 1)
    assert np.abs(found.values - expected).max() < SINGLE
    outputs = images.outputs(apart).reshape(6, N_FRAMES, -1).mean(axis=1)
    assert np.abs(model.outputs(films) - outputs).max() < SINGLE
    assert "mean over frames" in found.attrs["frames_shown"]


def test_the_network_that_was_given_stays_as_it_is(films):
    """The copy is shown films, the caller's network images; copies of the copy work alike."""
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 2)).eval()
    images = load_model(net, preprocess=lambda frame: torch.from_numpy(frame).float()[None])
    model = film_model(images)
    [found] = model.recordings(films, regions=["0"])
    assert found.shape == (6, 72, N_FRAMES) and net(torch.zeros(1, 1, 8, 8)).shape == (1, 2)
    twin = copy.deepcopy(model.module())
    with torch.no_grad():
        nn.init.zeros_(twin[2].weight)
        shown = torch.zeros(1, N_FRAMES, 1, 8, 8)
        assert torch.equal(twin(shown)[0], twin[2].bias)
        assert not torch.equal(model.module()(shown), twin(shown))


def test_lesions_of_a_film_network_act_in_every_frame(films):
    """A silenced map is silent in all frames; the bench agrees with the full pass."""
    model = load_model("builtin:small_convnet?frames=each")
    lesion = Lesion("conv1", (3,), "zero", of="features")
    [found] = model.with_lesion(lesion).recordings(films, regions=["conv1"])
    mine = found.values[:, found["feature_map"].values == 3]
    assert (mine == 0).all() and np.abs(found.values).max() > 0
    outputs, _ = model.lesion_bench("conv1", films).run(lesion)
    assert np.abs(outputs - model.with_lesion(lesion).outputs(films)).max() < SINGLE


def test_what_is_no_film_is_refused():
    """One image, a text, nothing; networks that read sequences; a second wrapping."""
    film = Film(lambda frame: torch.zeros(1))
    for wrong in (np.zeros((8, 8)), "a film", [], np.zeros((0, 8, 8))):
        with pytest.raises(DataError, match="A film is an array"):
            film(wrong)
    model = film_model(load_model("builtin:small_convnet"))
    with pytest.raises(UsageError, match="takes films or texts already"):
        film_model(model)
    with pytest.raises(UsageError, match="reads sequences of its own"):
        as_film_network(model.module())
    with pytest.raises(UsageError, match="frames must be one of 'each'"):
        load_model("builtin:small_convnet?frames=all")
