"""Extraction to disk: what is written, taken up again, refused and read back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import zarr

from neuroai.errors import DataError, FormatError, IntegrityError, ResourceError, UsageError
from neuroai.systems import extract as module
from neuroai.systems import store
from neuroai.systems.activations import load_activations
from neuroai.systems.extract import extract
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model
from neuroai.systems.store_run import estimate, make_job

LAYERS = ["conv1", "relu3", "fc2"]
SINGLE = 1e-5  # float32, another number of stimuli in a pass
BF16 = 0.02  # eight bits of mantissa through four layers, relative to the largest


class Killed(BaseException):
    """Stands for a kill between two parts."""


@pytest.fixture
def model():
    """The small network, four stimuli a pass."""
    return load_model("builtin:small_convnet?seeds=0,1", layers=LAYERS, batch_size=4)


def _files(path):
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def _kill_after(monkeypatch, parts):
    """Make the writer stop with a kill after so many parts."""
    done = []
    plain = store.mark_finished

    def marking(path, part):
        plain(path, part)
        done.append(part)
        if len(done) == parts:
            raise Killed

    monkeypatch.setattr(store, "mark_finished", marking)
    return done


@pytest.mark.parametrize("reduce", [None, "mean", "count-sketch:8", "pca:3:fit=half=A"])
def test_a_store_gives_what_the_network_gives(model, stimuli, tmp_path, reduce):
    """Values bit for bit, labels and facts, of every seed and layer."""
    model = replace(model, reduce=reduce)
    stored = extract(model, stimuli, tmp_path / "a.zarr")
    again = load_activations(tmp_path / "a.zarr")
    for system in (stored, again):
        assert system.subjects == ("seed0", "seed1") and system.untrained
        for found, expected in zip(
            system.recordings(stimuli), model.recordings(stimuli), strict=True
        ):
            assert np.array_equal(found.values, expected.values)
            assert found.coords.to_dataset().identical(expected.coords.to_dataset())
            assert {k: found.attrs[k] for k in expected.attrs} == expected.attrs


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_killed_extraction_goes_on_where_it_stopped(model, stimuli, tmp_path, monkeypatch, after):
    """Finished parts are not computed anew, and every file is that of an unbroken run."""
    extract(model, stimuli, tmp_path / "whole.zarr")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        _kill_after(patched, after)
        extract(model, stimuli, tmp_path / "a.zarr")
    shown = []
    hooked = model.module("seed0"), model.module("seed1")
    for net in hooked:
        net.register_forward_hook(lambda _m, given, _o: shown.append(len(given[0])))
    extract(model, stimuli, tmp_path / "a.zarr")
    # Twelve stimuli and two seeds, six parts; sizing the store runs three more stimuli.
    assert sum(shown) == 4 * (6 - after) + 3
    assert _files(tmp_path / "a.zarr") == _files(tmp_path / "whole.zarr")


def test_a_finished_store_is_opened_without_the_network(model, stimuli, tmp_path):
    """The second call runs nothing beyond looking at one input."""
    extract(model, stimuli, tmp_path / "a.zarr")
    net = model.module("seed0")
    handle = net.register_forward_hook(lambda *_: pytest.fail("the network was run"))
    stored = extract(model, stimuli, tmp_path / "a.zarr")
    handle.remove()
    assert stored.regions == tuple(LAYERS)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"layers": ["conv1"]}, "layers"),
        ({"reduce": "mean"}, "reduce"),
        ({"dtype": "bfloat16"}, "dtype"),
        ({"batch_size": 3}, "batch_size"),
    ],
)
def test_other_settings_are_refused_by_name(model, stimuli, tmp_path, change, field):
    """A store is never continued, or passed off, as another."""
    extract(model, stimuli, tmp_path / "a.zarr")
    with pytest.raises(UsageError, match=rf"was begun with {field}=.*now {field} is"):
        extract(model, stimuli, tmp_path / "a.zarr", **change)


def test_other_weights_stimuli_and_lesions_are_refused(model, stimuli, tmp_path):
    """So are settings that no option names."""
    extract(model, stimuli, tmp_path / "a.zarr")
    others = {
        "weights_sha256": (load_model("builtin:small_convnet?seeds=0,2", layers=LAYERS), stimuli),
        "n_stimuli": (model, stimuli.restrict(stimuli.ids[:8])),
        "lesions": (model.with_lesion(Lesion("conv1", (0,), "zero")), stimuli),
    }
    for field, (system, shown) in others.items():
        with pytest.raises(UsageError, match=field):
            extract(system, shown, tmp_path / "a.zarr", batch_size=4)


def test_a_lesioned_network_is_stored_as_such(model, stimuli, tmp_path):
    """The recordings say what was done to the network."""
    lesioned = model.with_lesion(Lesion("conv1", (0, 2), "zero"))
    stored = extract(lesioned, stimuli, tmp_path / "a.zarr")
    for found, expected in zip(
        stored.recordings(stimuli), lesioned.recordings(stimuli), strict=True
    ):
        assert np.array_equal(found.values, expected.values)
        assert "zero lesion" in found.attrs["intervention"]


def test_half_precision_is_by_choice_and_says_so(model, stimuli, tmp_path):
    """bfloat16 values come back as float32, near the exact ones, in half the bytes."""
    exact = extract(model, stimuli, tmp_path / "a.zarr", layers=["conv1"])
    small = extract(model, stimuli, tmp_path / "b.zarr", layers=["conv1"], dtype="bfloat16")
    for a, b in zip(exact.recordings(stimuli), small.recordings(stimuli), strict=True):
        assert b.dtype == np.float32 and b.attrs["dtype"] == "bfloat16"
        assert np.abs(a.values - b.values).max() < BF16 * np.abs(a.values).max()
        assert not np.array_equal(a.values, b.values)
    sizes = [
        sum(p.stat().st_size for p in (tmp_path / name).rglob("c/*/*"))
        for name in "a.zarr b.zarr".split()
    ]
    assert sizes[1] < 0.55 * sizes[0]


def test_overflow_names_layer_and_stimulus(model, stimuli, tmp_path):
    """Nothing infinite is written; the store stays unfinished and is not opened."""
    net = model.module("seed0")
    handle = net.conv1.register_forward_hook(lambda _m, _g, out: out * 1e38 * 1e3)
    with pytest.raises(DataError, match=r"Layer 'conv1' overflows.*s00"):
        extract(model, stimuli, tmp_path / "a.zarr")
    handle.remove()
    if (tmp_path / "a.zarr").exists():
        with pytest.raises(FormatError, match="not sealed"):
            load_activations(tmp_path / "a.zarr")


def test_a_missing_chunk_is_never_read_as_nan(model, stimuli, tmp_path):
    """A store opened before a chunk went says so when it is read; opened after, by its seal."""
    stored = extract(model, stimuli, tmp_path / "a.zarr")
    next((tmp_path / "a.zarr" / "seed0" / "conv1").rglob("c/0/*")).unlink()
    with pytest.raises(DataError, match="lacks chunks"):
        list(stored.recordings(stimuli))
    with pytest.raises(IntegrityError, match="missing"):
        load_activations(tmp_path / "a.zarr")


def test_a_flipped_bit_is_seen_when_it_is_read(model, stimuli, tmp_path):
    """Each chunk carries its own checksum."""
    stored = extract(model, stimuli, tmp_path / "a.zarr")
    chunk = next((tmp_path / "a.zarr" / "seed0" / "conv1").rglob("c/0/*"))
    raw = bytearray(chunk.read_bytes())
    raw[10] ^= 1
    chunk.write_bytes(raw)
    with pytest.raises(DataError, match="cannot be read"):
        list(stored.recordings(stimuli))


def test_the_store_is_plain_zarr(model, stimuli, tmp_path):
    """Any reader of Zarr v3 sees the arrays, their names and their checksums."""
    extract(model, stimuli, tmp_path / "a.zarr")
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    assert [str(key) for key in group["stimulus_id"][:]] == list(stimuli.ids)
    array = group["seed1/fc2"]
    assert array.shape == (12, 10) and array.metadata.zarr_format == 3
    meta = json.loads((tmp_path / "a.zarr/seed1/fc2/zarr.json").read_text())
    assert [codec["name"] for codec in meta["codecs"]] == ["bytes", "crc32c"]
    assert meta["fill_value"] == "NaN"


def test_memory_and_disk_that_do_not_suffice_name_the_remedy(model, stimuli, tmp_path, monkeypatch):
    """Before any work: a batch that does not fit, one stimulus that does not, and the disk."""
    with pytest.raises(ResourceError, match="One stimulus takes"):
        extract(model, stimuli, tmp_path / "a.zarr", max_memory=1000)
    with pytest.raises(ResourceError, match=r"Batches of \d fit: say batch_size="):
        job = make_job(model, stimuli, layers=None, reduction=None, dtype="float32", device=None)
        enough = estimate(job, tmp_path / "a.zarr").need.memory(5)
        extract(model, stimuli, tmp_path / "a.zarr", max_memory=enough, batch_size=12)
    from neuroai.systems import preflight

    monkeypatch.setattr(preflight, "free_disk", lambda path: 1000)
    with pytest.raises(ResourceError, match="largest layer is 'conv1'.*reduce='count-sketch"):
        extract(model, stimuli, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_what_cannot_be_extracted_is_told(model, stimuli, tmp_path):
    """Paths, foreign folders, devices, options, and stimuli that are not at hand."""
    with pytest.raises(UsageError, match=r"must end in '.zarr'"):
        extract(model, stimuli, tmp_path / "a.npz")
    (tmp_path / "other.zarr").mkdir()
    with pytest.raises(UsageError, match="is not a store of activations"):
        extract(model, stimuli, tmp_path / "other.zarr")
    with pytest.raises(UsageError, match="dtype must be one of"):
        extract(model, stimuli, tmp_path / "a.zarr", dtype="float16")
    with pytest.raises(UsageError, match="batch_size must be 1 or more"):
        extract(model, stimuli, tmp_path / "a.zarr", batch_size=0)
    with pytest.raises(UsageError, match="max_memory must be a number of bytes"):
        extract(model, stimuli, tmp_path / "a.zarr", max_memory="much")
    with pytest.raises(UsageError, match="device must be"):
        extract(model, stimuli, tmp_path / "a.zarr", device="gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ResourceError, match="torch sees no such device"):
            extract(model, stimuli, tmp_path / "a.zarr", device="cuda")
    stored = extract(model, stimuli, tmp_path / "b.zarr")
    with pytest.raises(UsageError, match="is no network that can be run"):
        extract(stored, stimuli, tmp_path / "c.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_the_batch_changes_nothing_beyond_single_precision(model, stimuli, tmp_path):
    """Batches of 1, 5 and 12."""
    base = extract(model, stimuli, tmp_path / "a.zarr")
    for size in (1, 5, 12):
        other = extract(model, stimuli, tmp_path / f"b{size}.zarr", batch_size=size)
        for a, b in zip(base.recordings(stimuli), other.recordings(stimuli), strict=True):
            assert np.abs(a.values - b.values).max() <= SINGLE * np.abs(a.values).max()


def test_subjects_and_layers_can_be_chosen_from_a_store(model, stimuli, tmp_path):
    """Globs as for a network; rows by id."""
    stored = extract(model, stimuli, tmp_path / "a.zarr").restrict(["fc*"])
    some = stimuli.restrict(["s07", "s02"])
    for recording in stored.recordings(some):
        assert recording.shape == (2, 10) and recording["stimulus_id"].values[0] == "s02"


def test_chunks_are_whole_parts():
    """A chunk never crosses a batch, and padding stays small."""
    for n, batch, row in ((200, 32, 2**20), (7, 4, 100), (1, 1, 8), (1000, 64, 2**24)):
        rows = store.chunk_rows(n, batch, row)
        assert batch % rows == 0 and (rows == 1 or rows * row <= store.LARGEST_CHUNK)
        assert -n % rows <= max(store.MOST_PADDING * n, rows - 1)


def test_the_default_of_extract_is_the_model_s_own(model, stimuli, tmp_path):
    """Layers, reduction and batch are those of the model where none are given."""
    stored = module.extract(replace(model, reduce="mean"), stimuli, tmp_path / "a.zarr")
    assert stored.settings["reduce"] == "mean" and stored.settings["batch_size"] == 4
    assert stored.regions == tuple(LAYERS)


def test_the_compiler_of_torch_is_not_imported(tmp_path):
    """Counting memory beforehand costs no seconds of imports (told by a process of its own)."""
    script = f"""
import sys
import numpy as np, pandas as pd
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.extract import extract
from neuroai.systems.load import load_model
table = pd.DataFrame({{"stimulus_id": ["a"]}})
shown = stimulus_set(table, name="n", load=lambda key: np.ones((8, 8)))
extract(load_model("builtin:small_convnet"), shown, {str(tmp_path / "a.zarr")!r})
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
