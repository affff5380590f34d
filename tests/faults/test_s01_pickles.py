"""S1: no pickle that comes with a user's file is ever executed, whichever door it comes by."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import pickle
import shutil
import tempfile
import zipfile
from pathlib import Path

import h5py
import joblib
import nibabel
import numpy as np
import torch
import zarr
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.format.files import open_form
from neuroai.format.seal import seal
from neuroai.sources.brainscore import read_assembly
from neuroai.sources.description import load_description
from neuroai.sources.download import sha256_of
from neuroai.sources.eeg import read_eeg
from neuroai.sources.fmri_runs import load_run
from neuroai.sources.matlab import read_matlab
from neuroai.sources.recognise import recognise
from neuroai.sources.restricted_pickle import read_pinned_pickle
from neuroai.sources.stimulus_folder import read_array
from neuroai.sources.tables import read_table
from neuroai.systems.load import load_model

SIZE = 2**14  # bytes of numbers that a compressed payload is hidden behind


class Payload:
    """Calls something as soon as it is unpickled."""

    def __init__(self, function, *given):
        self.call = (function, given)

    def __reduce__(self):
        return self.call


def _payloads(marker):
    """Ways to run code from a pickle; each leaves the marker."""
    code = f"open({str(marker)!r}, 'w').close()"
    return (
        Payload(os.mkdir, str(marker)),
        Payload(exec, code),
        Payload(eval, f"__import__('os').mkdir({str(marker)!r})"),
        Payload(os.system, f"touch '{marker}'"),
        Payload(shutil.copyfile, "/dev/null", str(marker)),
    )


def _pinned(path):
    return read_pinned_pickle(path, sha256=sha256_of(path))


def _acts(path):
    return load_model(f"acts:{path}")


def _network(path):
    """The file as the weights of a folder in the form of Hugging Face."""
    folder = path.parent / "network"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = {"model_type": "vit", "architectures": ["ViTForImageClassification"], "hidden_size": 8}
    config |= {"num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(
        '{"image_processor_type": "ViTImageProcessor"}'
    )
    for name in ("pytorch_model.bin", "model.safetensors", "model.safetensors.index.json"):
        shutil.copy(path, folder / name)
    return load_model(f"hf:{folder}")


def _described(path):
    """A description that names the file as events, mask and table of stimuli."""
    image = nibabel.Nifti1Image(np.ones((2, 2, 2, 5), dtype=np.float32), np.eye(4))
    nibabel.save(image, path.parent / "run.nii")
    text = f'name = "x"\n[stimuli]\ntable = "{path.name}"\n[[recordings]]\nreader = "fmri"\n'
    text += f'subject = "1"\nfiles = ["run.nii"]\nevents = ["{path.name}"]\nmask = "{path.name}"\n'
    (path.parent / "mydata.toml").write_text(text)
    return load_description(path.parent / "mydata.toml")


def _plain(protocol):
    return lambda path, payload: path.write_bytes(pickle.dumps(payload, protocol=protocol))


def _packed(pack):
    return lambda path, payload: path.write_bytes(pack(pickle.dumps(payload)))


def _objects(payload):
    cells = np.empty(2, dtype=object)
    cells[:] = [payload, 1.0]
    return cells


def _npz(path, payload):
    np.savez(path, stimulus_id=_objects(payload), layer=np.zeros((2, 3)))


def _npz_layer(path, payload):
    np.savez(path, stimulus_id=np.array(["a", "b"]), layer=_objects(payload))


def _zip(path, payload):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(payload))


def _joblib(compress):
    return lambda path, payload: joblib.dump([np.zeros(SIZE), payload], path, compress=compress)


def _torch(*, zipped):
    return lambda path, payload: torch.save(
        {"weight": payload}, path, _use_new_zipfile_serialization=zipped
    )


def _hdf5(path, payload):
    """Pickles as opaque bytes in a data set and in attributes, as PyTables keeps objects."""
    content = np.void(pickle.dumps(payload))
    with h5py.File(path, "w") as file:
        data = file.create_dataset("stimulus_id", data=content)
        for where in (file, data):
            where.attrs["object"] = content
            where.attrs["format"] = np.bytes_(pickle.dumps(payload, protocol=0))


def _zarr(path, payload, *, name="stimulus_id"):
    """A store of version 2 whose codec unpickles what it reads."""
    shutil.rmtree(path, ignore_errors=True)
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("layer", data=np.zeros((2, 3), dtype=np.float32))
    array = path / name
    array.mkdir(exist_ok=True)
    facts = {
        "zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "|O", "order": "C",
        "fill_value": None, "compressor": None, "filters": [{"id": "pickle", "protocol": 5}],
    }  # fmt: skip
    (array / ".zarray").write_text(json.dumps(facts))
    (array / "0").write_bytes(pickle.dumps([[payload, "b"], "|O", (2,)]))
    seal(path)


def _zarr_numbers(**changed):
    """The same codec, in other places, on an array that says it holds numbers."""

    def write(path, payload):
        _zarr(path, payload, name="numbers")
        facts = json.loads((path / "numbers" / ".zarray").read_text())
        facts |= {"dtype": "<f4", "fill_value": 0.0, **changed}
        (path / "numbers" / ".zarray").write_text(json.dumps(facts))
        (path / "neuroai-seal.json").unlink()
        seal(path)

    return write


PICKLE, DELTA = {"id": "pickle", "protocol": 5}, {"id": "delta", "dtype": "<f4"}


def _npy(path, payload):
    buffer = io.BytesIO()
    np.save(buffer, _objects(payload), allow_pickle=True)
    path.write_bytes(buffer.getvalue())


def _mat(path):
    return read_matlab(path)


def _eeg(path):
    about = {"system": "human", "subject": "1", "stimulus_set": "s"}
    return read_eeg(path, **about)


def _assembly(path):
    return read_assembly(path, system="monkey", subject="1")


# What is written, under which name, and the doors by which a user's file of it comes in.
FILES = (
    *((f"p{n}.pkl", _plain(n), (recognise, _pinned)) for n in range(6)),
    ("a.pickle.gz", _packed(gzip.compress), (recognise,)),
    ("a.pkl.bz2", _packed(bz2.compress), (recognise,)),
    ("noname", _plain(4), (recognise, _pinned)),
    ("events.tsv", _plain(0), (recognise, _described)),
    ("a.csv", _plain(5), (recognise, read_table)),
    ("a.joblib", _joblib(0), (recognise, _pinned)),
    ("b.joblib", _joblib(3), (recognise, _pinned)),
    ("net.pt", _torch(zipped=True), (recognise, _network)),
    ("net.pth", _torch(zipped=False), (recognise, _network, _pinned)),
    ("weights.bin", _plain(2), (recognise, _network)),
    ("a.npy", _npy, (recognise, read_array, _pinned)),
    ("a.npz", _npz, (recognise, _acts)),
    ("b.npz", _npz_layer, (recognise, _acts)),
    ("c.npz", _zip, (recognise, _acts)),
    ("a.safetensors", _plain(4), (recognise, _acts)),
    ("a.h5", _hdf5, (recognise,)),
    ("a.nc", _hdf5, (recognise, open_form, _assembly)),
    ("b.nc", _plain(4), (recognise, open_form, _assembly)),
    ("a.mat", _plain(4), (recognise, _mat)),
    ("a.zarr", _zarr, (recognise, _acts, open_form)),
    ("b.zarr", _zarr_numbers(), (recognise, _acts, open_form)),
    ("c.zarr", _zarr_numbers(filters=[DELTA, PICKLE]), (recognise, _acts, open_form)),
    ("d.zarr", _zarr_numbers(filters=None, compressor=PICKLE), (recognise, _acts, open_form)),
    ("run.nii.gz", _packed(gzip.compress), (recognise, load_run)),
    ("run.fif", _plain(3), (recognise, _eeg)),
    ("run.edf", _plain(3), (recognise, _eeg)),
)


def run(cases, _rng):
    """Bring pickles that would leave a marker through every door; none may leave it."""
    found = Outcome()
    attempts = [(name, write, door) for name, write, doors in FILES for door in doors]
    # A tenth takes attempts from all over the list.
    step = max(1, len(attempts) // cases)
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "executed"
        payloads = _payloads(marker)
        for number, (name, write, door) in enumerate(attempts[::step]):
            path = Path(folder) / name
            write(path, payloads[number % len(payloads)])
            said = _through(door, path)
            found.check(not marker.exists(), f"{name} was executed by {door.__name__}")
            found.check(said == "refused", f"{name} through {door.__name__}: {said}")
            found.count("payloads")
            if marker.is_dir():
                marker.rmdir()
            marker.unlink(missing_ok=True)
    return found


def _through(door, path):
    try:
        taken = door(path)
    except NeuroaiError:
        return "refused"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:200]
    if door is recognise:
        # A file of an unknown kind is named, and not opened.
        return "refused" if not taken.usable or taken.kind in ("unknown", "hdf5") else taken.title
    return f"it was read as {type(taken).__name__}"


FAULT = Fault("S1", "a pickle in a user's file is never executed, and is refused", 50, run)


def test_s1():
    """Fifty payloads by every door."""
    assert_held(FAULT)


def test_the_payloads_work(tmp_path):
    """Each payload leaves its marker when it is unpickled by the ordinary reader."""
    for number in range(5):
        marker = tmp_path / f"m{number}"
        pickle.loads(pickle.dumps(_payloads(marker)[number]))
        assert marker.exists()
