"""Images in archives: read in memory, and refused where they are not what they claim."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neuroai.errors import DataError
from neuroai.sources import zipped_images
from neuroai.sources.zipped_images import EncodedImages, read_zipped_images


def png(value: int) -> bytes:
    """A grey image of 4 by 4 pixels."""
    target = io.BytesIO()
    Image.fromarray(np.full((4, 4), value, dtype=np.uint8)).save(target, format="PNG")
    return target.getvalue()


def archive(path: Path, files: dict[str, bytes]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return path


def test_images_are_found_by_name(tmp_path: Path) -> None:
    """Folders, other files and those of macOS are passed over; the decoded image is RGB."""
    path = archive(
        tmp_path / "a.zip",
        {"set/b.png": png(9), "set/a.png": png(7), "set/read.me": b"x", "set/._a.png": b"y"},
    )
    found = read_zipped_images(path)
    assert list(found) == ["a", "b"]
    image = EncodedImages(found)("a")
    assert (image.mode, np.unique(np.asarray(image)).tolist()) == ("RGB", [7])
    with pytest.raises(FileNotFoundError, match="'c' is not at hand"):
        EncodedImages(found)("c")


def test_nothing_is_written_by_evil_names(tmp_path: Path) -> None:
    """A name that leads out of the folder is a name like any other."""
    inner = tmp_path / "inner"
    inner.mkdir()
    path = archive(inner / "a.zip", {"../../evil.png": png(1), "/root.png": png(2)})
    assert list(read_zipped_images(path)) == ["evil", "root"]
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.zip"]


def test_bombs_doubles_and_damage_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with a message that names the file."""
    with pytest.raises(DataError, match="several images of one name: a"):
        read_zipped_images(archive(tmp_path / "d.zip", {"x/a.png": png(1), "y/a.png": png(2)}))
    whole = archive(tmp_path / "w.zip", {"a.png": png(1) * 50})
    damaged = bytearray(whole.read_bytes())
    damaged[60] ^= 255
    (tmp_path / "b.zip").write_bytes(bytes(damaged))
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        read_zipped_images(tmp_path / "b.zip")
    (tmp_path / "t.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        read_zipped_images(tmp_path / "t.zip")
    monkeypatch.setattr(zipped_images, "LARGEST_IMAGE", 100)
    with pytest.raises(DataError, match="unpacks to more than is allowed.*a.png"):
        read_zipped_images(whole)
