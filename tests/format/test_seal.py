"""Seals: an unfinished store is refused, and damage to a finished one is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import xarray as xr

from neuroai.errors import FormatError, IntegrityError
from neuroai.format import build
from neuroai.format.files import open_form, save
from neuroai.format.seal import (
    SEAL,
    check_seal,
    finished_parts,
    is_sealed,
    mark_finished,
    seal,
)

NAN = float("nan")


def measure() -> xr.Dataset:
    """Make a table of published aggregates with missing values."""
    columns = {
        "value": [1.0, NAN],
        "n": [NAN, 3],
        "subject": ["group", ""],
        "provenance": ["digitised", "raw"],
        "condition": ["", "c"],
    }
    return build.measure(columns, system="s", kind="brain", stimulus_set="toy")


def test_unsealed_store_opens_only_to_resume(tmp_path: Path) -> None:
    """Without its seal a store is refused, unless writing it is to go on."""
    path = save(measure(), tmp_path / "x.zarr")
    (path / SEAL).unlink()
    with pytest.raises(FormatError, match="is not sealed: writing it did not finish"):
        open_form(path)
    xr.testing.assert_identical(open_form(path, resume=True), measure())


def flip(path: Path) -> None:
    """Change one bit of a file, leaving its size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: flip(p / "value" / "c" / "0"), "are changed: value/c/0"),
        (lambda p: flip(p / "zarr.json"), "are changed: zarr.json"),
        (lambda p: (p / "value" / "c" / "0").unlink(), "are missing: value/c/0"),
        (lambda p: (p / "value" / "c" / "9").touch(), "are not in the seal: value/c/9"),
        (lambda p: (p / SEAL).write_text("{}"), "cannot be read"),
    ],
)
def test_damage_to_a_sealed_store_is_named(
    damage: object, message: str, resume: bool, tmp_path: Path
) -> None:
    """A changed, missing or added file is an integrity error that names it."""
    path = save(measure(), tmp_path / "x.zarr")
    damage(path)
    with pytest.raises(IntegrityError, match=message):
        open_form(path, resume=resume)


def test_sealed_store_survives_moving(tmp_path: Path) -> None:
    """The seal holds relative paths, so a copy is as good as the original."""
    path = save(measure(), tmp_path / "x.zarr")
    shutil.copytree(path, tmp_path / "elsewhere" / "y.zarr")
    xr.testing.assert_identical(open_form(tmp_path / "elsewhere" / "y.zarr"), measure())


def test_seal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A seal that this version cannot judge is not trusted."""
    (tmp_path / SEAL).write_text(json.dumps({"version": 99, "files": {}}))
    with pytest.raises(FormatError, match="seal of version 99"):
        check_seal(tmp_path)


def test_finished_parts_are_listed_until_the_seal(tmp_path: Path) -> None:
    """Parts are trusted once named; half a line is not a name; sealing ends the list."""
    assert finished_parts(tmp_path) == ()
    mark_finished(tmp_path, "layer 1")
    mark_finished(tmp_path, "layer 2")
    mark_finished(tmp_path, "layer 1")
    with (tmp_path / "neuroai-finished.txt").open("a") as handle:
        handle.write("layer 3 without its e")
    assert finished_parts(tmp_path) == ("layer 1", "layer 2")
    with pytest.raises(FormatError, match="one line of text"):
        mark_finished(tmp_path, "a\nb")
    assert not is_sealed(tmp_path)
    seal(tmp_path)
    check_seal(tmp_path)
    assert finished_parts(tmp_path) == ()


def test_every_bit_of_the_seal_counts(tmp_path: Path) -> None:
    """Whatever bit of the seal flips, in names, hashes, spaces or version: it is refused."""
    (tmp_path / "data").write_bytes(b"content")
    seal(tmp_path)
    path = tmp_path / SEAL
    written = path.read_bytes()
    for at in range(len(written)):
        for bit in range(8):
            changed = bytes([written[at] ^ (1 << bit)])
            path.write_bytes(written[:at] + changed + written[at + 1 :])
            with pytest.raises((IntegrityError, FormatError)):
                check_seal(tmp_path)
    path.write_bytes(written)
    check_seal(tmp_path)
