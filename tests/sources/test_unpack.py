"""Archives: what is plain comes out whole; what is not leaves nothing behind."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from neuroai.errors import DataError
from neuroai.sources.unpack import unpack

FILES = {"a.txt": b"one", "deep/er/b.txt": b"two"}


def write(path: Path, files: dict[str, bytes], *, mode: str = "w") -> Path:
    """Write an archive by the ending of its name."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in files.items():
                packed.writestr(name, content)
        return path
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.zip", ""), ("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tar.bz2", "w:bz2"),
     ("a.tar.xz", "w:xz")],
)  # fmt: skip
def test_plain_files_come_out(name: str, mode: str, tmp_path: Path) -> None:
    """Every kind of archive gives its files, with their folders and content."""
    found = unpack(write(tmp_path / name, FILES, mode=mode), tmp_path / "out")
    got = {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in found}
    assert got == FILES


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"ok": b"1", "../out2": b"2"}, {}, "leaves the folder"),
        ({"ok": b"12345", "b": b"67890"}, {"max_bytes": 9}, "more bytes than is allowed"),
        ({"a": b"1", "b": b"2", "c": b"3"}, {"max_files": 2}, "more than 2 files"),
    ],
)
def test_what_is_refused_leaves_nothing(files, options, message, tmp_path: Path) -> None:
    """The reason is said, and neither the folder nor a part of it is there."""
    path = write(tmp_path / "a.tar", files)
    with pytest.raises(DataError, match=message):
        unpack(path, tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Nothing is unpacked over what a user has."""
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="is there already"):
        unpack(write(tmp_path / "a.zip", FILES), tmp_path / "out")


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    """Text is no archive."""
    (tmp_path / "a.tar").write_text("a sentence")
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
