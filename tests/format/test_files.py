"""Saving and opening: what comes back is identical, and damage is noticed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neuroai.errors import DataError, FormatError, UsageError
from neuroai.format import build
from neuroai.format.answers import Answer, rdm_answer
from neuroai.format.files import open_form, save
from neuroai.format.scores import Score, score_dataset

SUFFIXES = (".nc", ".zarr")
WHO = {"system": "s", "kind": "brain", "stimulus_set": "toy"}
NAN = float("nan")


def recording(*, time: bool = False, dtype: str = "float32", n: int = 3) -> xr.DataArray:
    """Make a recording whose every optional column has a missing value."""
    shape = (n, 2, 4) if time else (n, 2)
    values = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    if n and np.issubdtype(values.dtype, np.floating):
        values[0, 0] = np.nan
    return build.recording(
        values,
        stimulus_id=["a", "b", "a"][:n],
        unit_id=["u0", "u1"],
        region=["V1", ""],
        subject="s1",
        time=[0.0, 0.1, 0.2, 0.3] if time else None,
        time_unit="s" if time else "",
        physical_unit="V",
        presentation={
            "run": ["1", None, "2"][:n],
            "repeat": [1, NAN, 2][:n],
            "my note": ["", "x y", "é"][:n],
        },
        unit={"x": [NAN, 1.5], "hemisphere": ["", "L"]},
        attrs={"history": json.dumps([{"step": "made"}]), "gain": 2.5, "count": 3, "note": "ü"},
        **WHO,
    )


def behaviour(n: int = 3) -> xr.Dataset:
    """Make a behaviour table with a missing value in every column."""
    columns = {
        "subject": ["p1", "p1", ""],
        "stimulus_id": ["a", "", "b"],
        "option_stimulus_id": [["a", "b"], ["", "c"], ["d", ""]],
        "choice": ["dog", "", "cat"],
        "truth": ["", "cat", "cat"],
        "condition": ["", "x", "y"],
        "session": ["", "1", "2"],
        "intervention": ["none", "", "none"],
        "dose": [NAN, 0.1, 0.2],
        "response_time": [NAN, 1.0, 2.0],
        "rating": [1.0, NAN, 2.0],
        "intensity": [1.0, NAN, 2.0],
        "confidence": [1.0, NAN, 2.0],
        "correct": [1, None, 0],
        "mood": ["", "good", "bad"],
    }
    columns = {name: values[:n] for name, values in columns.items()}
    if not n:
        columns["option_stimulus_id"] = np.zeros((0, 2), dtype=object)
    return build.behaviour(columns, task="t", options=("dog", "cat"), **WHO)


def continuous() -> xr.DataArray:
    """Make two runs of unequal length with missing values."""
    return build.continuous(
        np.array([[1.0], [np.nan], [3.0]]),
        run=["1", "1", "2"],
        time=[0.0, NAN, 0.0],
        stimulus_id=["a", "", "b"],
        unit_id=["u"],
        region="",
        subject="s1",
        **WHO,
    )


def measure() -> xr.Dataset:
    """Make a table of published aggregates with missing values."""
    return build.measure(
        {
            "value": [1.0, NAN],
            "n": [NAN, 3],
            "subject": ["group", ""],
            "provenance": ["digitised", "raw"],
            "condition": ["", "c"],
        },
        **WHO,
    )


def lesions() -> xr.DataArray:
    """Make lesion masks with a missing score and a missing place."""
    return build.lesions(
        np.array([[True, False], [False, True]]),
        subject=["p1", "p2"],
        unit_id=["v1", "v2"],
        xyz=np.array([[1.0, 2.0, np.nan], [0.0, 0.0, 0.0]]),
        space="MNI",
        system="patients",
        scores={"fluency": [NAN, 3.0], "group": ["", "left"]},
    )


def connectome() -> xr.DataArray:
    """Make a directed connectome with an undefined weight."""
    return build.connectome(
        np.array([[0.0, np.nan], [2.0, 0.0]], dtype=np.float32),
        unit_id=["u", "v"],
        system="worm",
        kind="brain",
        directed=True,
        weight_meaning="synapses",
    )


def scores(n: int = 2) -> xr.Dataset:
    """Make a table of scores, one of them without a value."""
    named = {
        "level": "algorithm", "analysis": "rdm", "metric": "rdm-spearman", "dataset": "d",
        "stimulus_set": "d", "brain_region": "IT", "model": "m", "model_region": "l",
    }  # fmt: skip
    pairs = xr.DataArray(
        [[0.5, NAN]],
        dims=("subject", "model_subject"),
        coords={"subject": np.array(["p"], dtype=object), "model_subject": ["0", "1"]},
    )
    rows = [
        Score(**named, value=0.5, pairs=pairs, history={"seed": 1}),
        Score(**named, status="undefined", note="no variance"),
    ]
    return score_dataset(rows[:n])


FORMS = {
    "recording": recording(),
    "recording-time": recording(time=True),
    "recording-float64": recording(dtype="float64"),
    "recording-int16": recording(dtype="int16"),
    "recording-empty": recording(n=0),
    "behaviour": behaviour(),
    "behaviour-empty": behaviour(n=0),
    "continuous": continuous(),
    "measure": measure(),
    "lesions": lesions(),
    "connectome": connectome(),
    "scores": scores(),
    "scores-empty": scores(n=0),
    "unnamed": connectome().rename(None),
}


def variables(data: xr.DataArray | xr.Dataset) -> dict[str, xr.Variable]:
    """Give everything in an object by name, the values too."""
    data = data.to_dataset(name="values of it") if isinstance(data, xr.DataArray) else data
    return {str(name): variable for name, variable in data.variables.items()}


def assert_same(got: xr.DataArray | xr.Dataset, wanted: xr.DataArray | xr.Dataset) -> None:
    """Compare labels, values, names, types of values and types of attrs."""
    assert type(got) is type(wanted)
    xr.testing.assert_identical(got, wanted)
    mine, theirs = variables(got), variables(wanted)
    assert {k: v.dtype for k, v in mine.items()} == {k: v.dtype for k, v in theirs.items()}
    types = {name: type(value) for name, value in wanted.attrs.items()}
    assert {name: type(value) for name, value in got.attrs.items()} == types
    for name, variable in mine.items():
        if variable.dtype == object:
            assert all(type(value) is str for value in variable.values.ravel()), name


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", FORMS)
def test_round_trip_is_identical(name: str, suffix: str, tmp_path: Path) -> None:
    """Every form comes back as it went, missing values and types included."""
    path = save(FORMS[name], tmp_path / f"x{suffix}")
    assert_same(open_form(path), FORMS[name])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_leaves_the_object_alone(suffix: str, tmp_path: Path) -> None:
    """Writing changes neither attrs nor values of what is written."""
    data = recording()
    save(data, tmp_path / f"x{suffix}")
    assert_same(data, recording())


def answer(**changes: object) -> Answer:
    """Make an answer with an RDM that has an undefined pair."""
    rdm = np.array([[[[0.0, np.nan], [np.nan, 0.0]]]])
    facts = {
        "subjects": ["p"], "regions": ["IT"], "stimuli": ["b", "a"], "system": "s",
        "kind": "brain", "stimulus_set": "toy", "origin": "published", "notes": ("n1", "n2"),
        "parameters": {"distance": "correlation", "k": 3, "x": 0.5}, "undefined": {"pairs": 1},
    }  # fmt: skip
    return rdm_answer(rdm, **{**facts, **changes})


def assert_same_answer(got: Answer, wanted: Answer) -> None:
    """Compare two answers, fact by fact."""
    assert_same(got.data, wanted.data)
    assert len(got.responses) == len(wanted.responses)
    for mine, theirs in zip(got.responses, wanted.responses, strict=True):
        assert_same(mine, theirs)
    for fact in ("form", "question", "system", "kind", "stimulus_set", "origin", "notes"):
        assert getattr(got, fact) == getattr(wanted, fact)
    assert dict(got.parameters) == dict(wanted.parameters)
    assert dict(got.undefined) == dict(wanted.undefined)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_answer_round_trip(suffix: str, tmp_path: Path) -> None:
    """A published RDM comes back with its parameters, notes and counts."""
    assert_same_answer(open_form(save(answer(), tmp_path / f"x{suffix}")), answer())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_responses_come_back_with_their_recordings(suffix: str, tmp_path: Path) -> None:
    """An answer of the form responses keeps its recordings, repeats included."""
    parts = tuple(r.assign_attrs(region="V1") for r in (recording(), recording(time=True)))
    data = xr.Dataset(coords={"subject": np.array(["s1"], dtype=object), "region": ["V1"]})
    data["region"] = np.array(["V1"], dtype=object)
    wanted = Answer(
        form="responses", data=data, question="responses", parameters={}, system="s",
        kind="brain", stimulus_set="toy", responses=parts,
    )  # fmt: skip
    assert_same_answer(open_form(save(wanted, tmp_path / f"x{suffix}")), wanted)


def test_netcdf_is_plain_cf(tmp_path: Path) -> None:
    """Another reader finds the CF attrs: Conventions, and the unit of the activity."""
    path = save(recording(), tmp_path / "x.nc")
    with xr.open_dataset(path, engine="h5netcdf") as found:
        assert found.attrs["Conventions"].startswith("CF-")
        assert found["activity"].attrs["units"] == "V"
        assert "physical_unit" not in found.attrs
        assert "region" in found.coords


def test_netcdf_of_another_writer_is_opened(tmp_path: Path) -> None:
    """A file with the right attrs but without the note on layout is read by its form."""
    plain = connectome().to_dataset(name="weight").assign_attrs(connectome().attrs)
    plain["weight"].attrs = {}
    plain.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    assert_same(open_form(tmp_path / "x.nc"), connectome())


def test_zarr_guards_every_chunk(tmp_path: Path) -> None:
    """Stores are Zarr v3, not consolidated, with CRC32C and NaN for what was not written."""
    path = save(recording(), tmp_path / "x.zarr")
    facts = json.loads((path / "activity" / "zarr.json").read_text())
    assert facts["zarr_format"] == 3
    assert facts["codecs"][-1]["name"] == "crc32c"
    assert facts["fill_value"] == "NaN"
    assert "consolidated_metadata" not in json.loads((path / "zarr.json").read_text())


def test_large_arrays_are_split_and_come_back(tmp_path: Path) -> None:
    """An array above the size of a chunk has several, and stays on disk when asked to."""
    wide = build.recording(
        np.arange(3 * 2**19, dtype=np.float64).reshape(3, 4, -1), stimulus_id=["a", "b", "c"],
        unit_id=[f"u{i}" for i in range(4)], region="V1", subject="s",
        time=np.arange(2**17, dtype=float), time_unit="step", **WHO,
    )  # fmt: skip
    path = save(wide.isel(presentation=[0, 1, 2, 0, 1, 2]), tmp_path / "x.zarr")
    assert len(list((path / "activity" / "c").iterdir())) == 2
    lazy = open_form(path, in_memory=False)
    assert_same(lazy.isel(presentation=[1, 5]).load(), wide.isel(presentation=[1, 2]))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_again_replaces(suffix: str, tmp_path: Path) -> None:
    """The second version replaces the first, and nothing is left beside it."""
    save(behaviour(), tmp_path / f"x{suffix}")
    path = save(measure(), tmp_path / f"x{suffix}")
    assert_same(open_form(path), measure())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_failed_saving_keeps_the_old(suffix: str, tmp_path: Path) -> None:
    """An object that cannot be written leaves the old file and no debris."""
    path = save(measure(), tmp_path / f"x{suffix}")
    bad = recording().astype(np.complex64)
    with pytest.raises(FormatError, match="complex64"):
        save(bad, path)
    assert_same(open_form(path), measure())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_crash_while_writing_keeps_the_old(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk in the middle of writing leaves the old file and no debris."""
    path = save(measure(), tmp_path / f"x{suffix}")

    def full(*args: object, **kwargs: object) -> None:
        if suffix == ".zarr":
            Path(str(args[1])).mkdir()
        raise OSError("No space left on device")

    # netCDF is made in memory: what meets the full disk is the writing of its bytes.
    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(xr.Dataset, "to_zarr", full)
    with pytest.raises(OSError, match="No space left"):
        save(behaviour(), path)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert_same(open_form(path), measure())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.assign_coords(when=("unit", np.array(["2020"] * 2, dtype="M8[D]"))), "'when'"),
        (lambda d: d.assign_coords({"a/b": ("unit", [1.0, 2.0])}), "'a/b' holds a '/'"),
        (lambda d: d.assign_coords(t=("unit", np.array(["a\0b", ""], dtype=object))), "NUL"),
        (lambda d: d.assign_coords(t=("unit", np.array(["a", 1], dtype=object))), "'t' holds 1"),
        (lambda d: d.astype(np.float16), "float16"),
    ],
)
def test_what_files_cannot_keep_is_refused(change: object, message: str, tmp_path: Path) -> None:
    """Types and names that would come back changed are refused by name."""
    with pytest.raises(FormatError, match=message):
        save(change(recording()), tmp_path / "x.nc")


def test_parameters_must_be_json(tmp_path: Path) -> None:
    """A parameter that JSON cannot hold is refused."""
    with pytest.raises(FormatError, match="Parameters are text, numbers"):
        save(answer(parameters={"f": object()}), tmp_path / "x.nc")


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    """Only .nc and .zarr are written and opened."""
    for act in (lambda p: save(measure(), p), open_form):
        with pytest.raises(UsageError, match=r"must end in '\.nc' \(netCDF\) or '\.zarr'"):
            act(tmp_path / "x.csv")


def test_absent_file_gets_the_near_miss(tmp_path: Path) -> None:
    """A misspelt file name is answered by the nearest one."""
    save(measure(), tmp_path / "table.nc")
    with pytest.raises(UsageError, match=r"There is no .*tabel.nc. Did you mean 'table.nc'"):
        open_form(tmp_path / "tabel.nc")


def test_broken_netcdf_is_explained(tmp_path: Path) -> None:
    """A truncated file is a data error that names it."""
    path = save(measure(), tmp_path / "x.nc")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match=r"x\.nc cannot be read"):
        open_form(path)


def test_file_of_another_program_is_explained(tmp_path: Path) -> None:
    """A netCDF file without the attr format is a format error."""
    xr.Dataset({"v": ("x", [1.0])}).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with pytest.raises(FormatError, match="does not say which form it holds"):
        open_form(tmp_path / "x.nc")


def test_folder_that_is_no_store_is_not_replaced(tmp_path: Path) -> None:
    """A user's folder whose name ends in .zarr is not deleted."""
    (tmp_path / "x.zarr").mkdir()
    (tmp_path / "x.zarr" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not a Zarr store"):
        save(measure(), tmp_path / "x.zarr")
    assert (tmp_path / "x.zarr" / "thesis.txt").read_text() == "mine"
