"""Trials and aggregates from a lab's own tables: by hand, and every wrong number refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.sources.behaviour import read_behaviour, read_measures

EXACT = 1e-10  # float64 algebra in another order
COLUMNS = {"subject": "who", "stimulus_id": "image", "choice": "said", "truth": "was"}
TRIALS = "who,image,said,was,rt\np1,a.png,dog,dog,500\np1,b.png,na,cat,n/a\np2,a.png,cat,dog,700\n"


def write(path: Path, text: str) -> Path:
    """Write a small file."""
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Any, **options: Any) -> xr.Dataset:
    """Read as the trials of people."""
    given = {"columns": COLUMNS, "system": "human", "kind": "brain", "stimulus_set": "toy"}
    return read_behaviour(path, **{**given, **options})


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    """Three trials of two people."""
    return write(tmp_path / "trials.csv", TRIALS)


def test_trials_by_hand(trials: Path) -> None:
    """Choices keep their rows; no choice is '' and an error; milliseconds become seconds."""
    table = read(
        trials,
        columns={**COLUMNS, "response_time": "rt"},
        options=("cat", "dog"),
        response_time_unit="ms",
        stimulus_id=lambda name: name.removesuffix(".png"),
    )
    assert table["subject"].values.tolist() == ["p1", "p1", "p2"]
    assert table["stimulus_id"].values.tolist() == ["a", "b", "a"]
    assert table["choice"].values.tolist() == ["dog", "", "cat"]
    assert table["correct"].values.tolist() == [1, 0, 0]
    np.testing.assert_allclose(table["response_time"].values, [0.5, np.nan, 0.7], atol=EXACT)
    assert table.attrs["options"] == "cat|dog"


def test_no_choice_can_be_undefined(trials: Path) -> None:
    """Where the user says so, a trial without a choice is neither right nor wrong."""
    np.testing.assert_array_equal(
        read(trials, no_choice="undefined")["correct"].values, [1, np.nan, 0]
    )


def test_milliseconds_do_not_pass_as_seconds(trials: Path) -> None:
    """A median of 600 s is refused with the remedy."""
    with pytest.raises(DataError, match=r"median response time is 600 s.*response_time_unit='ms'"):
        read(trials, columns={**COLUMNS, "response_time": "rt"})


def test_a_missing_column_names_the_nearest(trials: Path) -> None:
    """The mapping 'choice' -> 'sad' is answered with 'said'."""
    with pytest.raises(UnknownName, match=r"no column 'sad'. Did you mean 'said'"):
        read(trials, columns={**COLUMNS, "choice": "sad"})


def test_a_choice_that_is_no_option_is_refused(trials: Path) -> None:
    """An option the task does not have is named."""
    with pytest.raises(DataError, match=r"'choice' holds 'cat', which is none of the options: dog"):
        read(trials, options=("dog",))


def test_bids_names_say_who_and_when(tmp_path: Path) -> None:
    """Without a column, subject and session are those of the BIDS name; files follow each other."""
    text = "stimulus\tchoice\na\tdog\nb\tcat\n"
    names = [f"sub-0{i}_ses-2_task-oddity_beh.tsv" for i in (1, 2)]
    table = read(
        [write(tmp_path / name, text) for name in names],
        columns={"stimulus_id": "stimulus", "choice": "choice"},
    )
    assert table["subject"].values.tolist() == ["01", "01", "02", "02"]
    assert table["session"].values.tolist() == ["2"] * 4


def test_nobody_answered_is_refused(trials: Path) -> None:
    """No column, no BIDS name and no option: the three ways are named."""
    columns = {name: theirs for name, theirs in COLUMNS.items() if name != "subject"}
    with pytest.raises(UsageError, match=r"map the column 'subject', give subject='...'"):
        read(trials, columns=columns)
    assert set(read(trials, columns=columns, subject="p9")["subject"].values) == {"p9"}


def test_names_of_some_files_only_are_refused(tmp_path: Path) -> None:
    """A session that only one of two files states is not made up for the other."""
    text = "stimulus\tchoice\na\tdog\n"
    files = [write(tmp_path / f"sub-1{s}_beh.tsv", text) for s in ("", "_ses-1")]
    with pytest.raises(UsageError, match="session is known for some of the files only"):
        read(files, columns={"stimulus_id": "stimulus", "choice": "choice"})


def test_several_stimuli_a_trial(tmp_path: Path) -> None:
    """An odd one out of three: three ids a trial, in the order of the named columns."""
    path = write(tmp_path / "t.csv", "s,left,mid,right,odd,level\np1,a,a,b,right,3\n")
    table = read(
        path,
        columns={
            "subject": "s", "option_stimulus_id": ("left", "mid", "right"), "choice": "odd",
            "difficulty": "level",
        },
        numbers=("difficulty",),
    )  # fmt: skip
    assert table["option_stimulus_id"].dims == ("trial", "option")
    assert table["option_stimulus_id"].values.tolist() == [["a", "a", "b"]]
    assert table["difficulty"].values.tolist() == [3.0]


def test_several_names_for_one_column_are_refused(trials: Path) -> None:
    """Only the stimuli of a trial stand in several columns."""
    with pytest.raises(UsageError, match="Only option_stimulus_id takes several"):
        read(trials, columns={**COLUMNS, "choice": ("said", "was")})


def test_measures_by_hand(tmp_path: Path) -> None:
    """Aggregates keep their numbers; what was not published is missing, and its n too."""
    path = write(tmp_path / "m.csv", "site,dprime,trials\nin,2.02,40\nout,,35\n")
    columns = {"value": "dprime", "n": "trials", "condition": "site"}
    options: dict[str, Any] = {
        "system": "monkey", "kind": "brain", "stimulus_set": "toy", "provenance": "digitised",
    }  # fmt: skip
    table = read_measures(path, columns=columns, constants={"quantity": "d'"}, **options)
    np.testing.assert_array_equal(table["value"].values, [2.02, np.nan])
    assert table["n"].values.tolist() == [40, 35]
    assert set(table["subject"].values) == {"group"}
    assert set(table["quantity"].values) == {"d'"}
    without = read_measures(path, columns={"value": "dprime"}, **options)
    assert np.isnan(without["n"].values).all()
