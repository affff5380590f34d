"""Pickles in every wrapping: told to be pickles by their content, and never opened."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from neuroai.sources.recognise import recognise
from neuroai.sources.sniff import sniff


class _Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.path), "w"))


def payloads(folder: Path, marker: Path) -> list[Path]:
    """The same payload in every wrapping that a lab's files come in."""
    packers = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "z": zlib.compress}
    paths = []

    def keep(name: str, content: bytes) -> None:
        (folder / name).write_bytes(content)
        paths.append(folder / name)

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps(_Payload(marker), protocol=protocol)
        for suffix in ("pkl", "csv", "tsv", "npy", "mat", "dat", "nii"):
            keep(f"p{protocol}.{suffix}", content)
    content = pickle.dumps(_Payload(marker))
    for suffix, pack in packers.items():
        keep(f"packed.pkl.{suffix}", pack(content))
        keep(f"packed-{suffix}.dat", pack(content))
    for name in ("w.pt", "w.pth", "w.joblib"):
        keep(name, content)
    objects = np.array([_Payload(marker), 1], dtype=object)
    np.save(folder / "objects.npy", objects, allow_pickle=True)
    np.savez(folder / "objects.npz", stimulus_id=np.array(["a"]), layer=objects)
    with zipfile.ZipFile(folder / "torch.dat", "w") as archive:
        archive.writestr("archive/data.pkl", content)
    return [*paths, *(folder / n for n in ("objects.npy", "objects.npz", "torch.dat"))]


def test_no_pickle_is_opened(tmp_path: Path) -> None:
    """More than fifty payloads: each is told to be a pickle, none runs."""
    marker = tmp_path / "ran"
    paths = payloads(tmp_path, marker)
    found = [recognise(path) for path in paths]
    assert len(paths) >= 50
    assert [one.path.name for one in found if one.kind != "pickle"] == []
    assert not any(one.usable for one in found) and not marker.exists()
    assert "not opened" in found[0].wrong[0] and "Save plain arrays" in found[0].do


def test_a_pickle_in_a_zarr_store_does_not_run(tmp_path: Path) -> None:
    """A store that names pickle as its codec is unreadable."""
    marker, store = tmp_path / "ran", tmp_path / "evil.zarr"
    (store / "stimulus_id").mkdir(parents=True)
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    array = {
        "zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "|O", "compressor": None,
        "fill_value": None, "order": "C", "filters": [{"id": "pickle"}],
    }  # fmt: skip
    (store / "stimulus_id" / ".zarray").write_text(json.dumps(array))
    (store / "stimulus_id" / "0").write_bytes(pickle.dumps(_Payload(marker)))
    found = recognise(store)
    assert found.wrong and not marker.exists()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"(x,y\n1,2\n", "table"),
        ("a.csv", b"cat,dog\n1,2\n", "table"),
        ("a.tsv", b"Image\tRT\n1\t2\n", "table"),
        ("a.csv", b"", "empty"),
        ("a.bin", b"\x78 not packed", "unknown"),
        ("a.dat", b"\x89PNG\r\n", "image"),
        ("a.nii", b"short", "nifti"),
        ("a.gz", b"\x1f\x8bbroken", "unknown"),
    ],
)
def test_what_is_no_pickle_is_not_taken_for_one(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    """Tables that begin with a letter of the oldest pickles stay tables."""
    path = tmp_path / name
    path.write_bytes(content)
    assert sniff(path) == kind
