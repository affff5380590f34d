"""Tests of the command ``neuroai extract``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neuroai import cli
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.activations import load_activations


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Five images in a folder below the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(5):
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"p{i}.png")
    return folder


def test_a_folder_of_images_becomes_a_store(pictures, capsys):
    """What it takes comes first, then the layers, then how to use it; a second call reads it."""
    words = ["extract", "builtin:small_convnet", "pictures", "--layers", "conv1", "-q"]
    assert cli.main([*words, "--to", "a.zarr", "--reduce", "count-sketch:64"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["conv1  5 x 64"]
    assert "Will write 1 layers of 5 stimuli to a.zarr: about" in err
    assert "neuroai compare DATASET -m acts:a.zarr" in err
    stored = load_activations("a.zarr")
    assert stored.ids == ("p0", "p1", "p2", "p3", "p4")
    assert stored.settings["reduce"] == "count-sketch:64:seed=0"
    assert cli.main([*words, "--to", "a.zarr", "--reduce", "count-sketch:64"]) == 0


def test_the_store_is_named_after_network_and_stimuli(pictures):
    """Without --to the place is told and made."""
    assert cli.main(["extract", "builtin:small_convnet", "pictures", "--layers", "fc2", "-q"]) == 0
    assert load_activations(next(pictures.parent.glob("small_convnet*-pictures.zarr"))).regions == (
        "fc2",
    )


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--reduce", "maen"], 2, "Did you mean 'mean'"),
        (["--layers", "fc3"], 2, "Did you mean 'fc2'"),
        (["--dtype", "float16"], 2, "dtype must be one of"),
        (["--to", "a.npz"], 2, "must end in '.zarr'"),
        (["--max-memory", "1k"], 5, "One stimulus takes"),
        (["--device", "cuda"], 5, "no such device"),
    ],
)
def test_wrong_options_end_before_any_work(pictures, capsys, options, code, said):
    """Exit code and the way out; nothing is written."""
    if options[1] == "cuda" and __import__("torch").cuda.is_available():
        pytest.skip("cuda is here")
    assert cli.main(["extract", "builtin:small_convnet", "pictures", *options, "-q"]) == code
    assert said in capsys.readouterr().err
    assert not list(pictures.parent.glob("*.zarr"))


def test_stimuli_that_are_not_distributed_are_told(capsys, monkeypatch, tmp_path):
    """A data set whose images may not be given away cannot be shown."""
    from neuroai.sources import catalogue

    class Absent:
        """Holdings with names alone."""

        stimuli = stimulus_set(pd.DataFrame({"stimulus_id": ["a"]}), name="absent")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalogue, "load_dataset", lambda *_, **__: Absent)
    assert cli.main(["extract", "builtin:small_convnet", "toy"]) == 2
    assert "are not distributed" in capsys.readouterr().err
