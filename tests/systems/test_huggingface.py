"""The small ImageNet network in the form of Hugging Face."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from neuroai.cards import ChoiceTask
from neuroai.errors import DataError, ResourceError, UsageError
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.huggingface import as_rgb, read_output_map
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model

SINGLE = 1e-4  # float32 algebra
N_IMAGES = 3


@pytest.fixture(scope="module")
def pictures():
    """Three random pictures of unlike size."""
    rng = np.random.default_rng(0)
    made = {f"p{i}": rng.integers(0, 256, (60 + i, 50, 3), dtype=np.uint8) for i in range(N_IMAGES)}
    return stimulus_set(pd.DataFrame({"stimulus_id": list(made)}), name="toy", load=made.get)


def test_layers_labels_and_categories_of_the_folder(mobilenet):
    """Blocks by their names, a label for each output, and the sixteen categories."""
    model = load_model(f"hf:{mobilenet}")
    assert model.regions == (
        "mobilenet_v1.conv_stem",
        *(f"mobilenet_v1.layer.{i}" for i in range(26)),
        "mobilenet_v1.pooler",
        "classifier",
    )
    assert (model.name, model.subjects) == ("mobilenet_v1_0.25_224", ("trained",))
    assert len(model.labels) == 1000 and len(model.output_map) == 16
    assert model.output_map["airplane"] == (404,)


def test_pixels_are_resized_by_pillow_and_scaled(mobilenet, pictures):
    """The tensor equals a bicubic resize by Pillow, scaled to [-1, 1]."""
    from PIL import Image

    picture = pictures.content("p1")
    got = load_model(f"hf:{mobilenet}").preprocess(picture)
    resized = Image.fromarray(picture).resize((224, 224), Image.Resampling.BICUBIC)
    wanted = np.asarray(resized, dtype=np.float64).transpose(2, 0, 1) / 127.5 - 1
    assert got.dtype == torch.float32 and np.abs(got.numpy() - wanted).max() <= SINGLE


def test_outputs_equal_the_plain_network(mobilenet, pictures):
    """Logits are those of a plain forward pass, and choices name a category."""
    model = load_model(f"hf:{mobilenet}", batch_size=2)
    inputs = torch.stack([model.preprocess(pictures.content(key)) for key in pictures.ids])
    with torch.no_grad():
        wanted = model.module().eval()(inputs).logits.numpy()
    assert np.abs(model.outputs(pictures) - wanted).max() <= SINGLE * np.abs(wanted).max()
    labelled = stimulus_set(
        pd.DataFrame({"stimulus_id": list(pictures.ids), "shape": ["cat"] * N_IMAGES}),
        name="toy",
        load=pictures.load,
    )
    task = ChoiceTask(name="shape", options=tuple(model.output_map), truth="shape")
    assert set(model.choices(task, labelled)["choice"].values) <= set(model.output_map)


def test_untrained_controls_hang_on_their_seeds(mobilenet):
    """Seeds are the subjects; same seed same weights; torch's generator stays."""
    state = torch.random.get_rng_state()
    first, again = (load_model(f"hf:{mobilenet}?init=random&seeds=0,1") for _ in range(2))
    assert first.weights_sha256() == again.weights_sha256()
    assert len(set(first.weights_sha256().values())) == 2
    assert (first.subjects, first.candidate_kind) == (("seed0", "seed1"), "untrained")
    assert torch.equal(torch.random.get_rng_state(), state)


def test_bench_caches_every_earlier_block(mobilenet, pictures):
    """A lesion of a late block equals a full pass and runs only what follows."""
    model = load_model(f"hf:{mobilenet}")
    region = "mobilenet_v1.layer.20"
    bench = model.lesion_bench(region, pictures, reference=pictures)
    lesion = Lesion(region, tuple(range(0, 128, 3)), "mean")
    wanted = model.with_lesion(lesion, pictures).sweep(pictures, layers=["mobilenet_v1.layer.25"])
    outputs, read = bench.run(lesion, layers=["mobilenet_v1.layer.25"])
    assert bench.cached and np.array_equal(outputs, wanted.outputs)
    assert np.array_equal(
        read["mobilenet_v1.layer.25"], wanted.layers["mobilenet_v1.layer.25"].values
    )


def test_stimuli_that_are_no_images_are_refused():
    """What came is said."""
    with pytest.raises(DataError, match="A vision network takes images"):
        as_rgb("a sentence")


def test_a_category_file_that_is_none_is_refused(tmp_path):
    """Categories map to lists of class indices and nothing else."""
    (tmp_path / "imagenet_to_2_categories.json").write_text('{"cat": "tabby"}')
    with pytest.raises(DataError, match="must map each category to a list of class indices"):
        read_output_map(tmp_path)


def test_code_of_a_repository_is_never_run(mobilenet, tmp_path):
    """A network that needs code of its own is refused, and its code is not run."""
    config = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('own code ran')")
    with pytest.raises(UsageError, match="no code of a repository is run"):
        load_model(f"hf:{tmp_path}")


def test_pickled_weights_are_never_read(mobilenet, tmp_path):
    """A folder without safetensors is refused, though it holds a pickle of weights."""
    for name in ("config.json", "preprocessor_config.json"):
        shutil.copy(mobilenet / name, tmp_path / name)
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ResourceError, match="no file named model.safetensors"):
        load_model(f"hf:{tmp_path}")


def test_a_folder_without_config_is_refused(tmp_path):
    """What the folder lacks is said."""
    with pytest.raises(UsageError, match="holds no config.json"):
        load_model(f"hf:{tmp_path}")
