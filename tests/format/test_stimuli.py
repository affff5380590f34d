"""Stimulus sets: unique ids, hashed content, and new sets instead of changed ones."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neuroai.errors import AlignmentError, FormatError, IntegrityError, UnknownName
from neuroai.format.stimuli import StimulusSet, content_sha256, stimulus_set

TEXTS = {"b": "beta", "a": "alpha", "d": "delta", "c": "gamma"}


def words(**columns: object) -> StimulusSet:
    """Make a set of four words, of which the file of `d` is absent."""

    def load(key: str) -> str:
        if key == "d":
            raise FileNotFoundError(key)
        return TEXTS[key]

    table = pd.DataFrame({"stimulus_id": list(TEXTS), "kind": list("xyxy"), **columns})
    return stimulus_set(table, name="words", load=load)


def test_ids_are_sorted_and_those_at_hand_are_known() -> None:
    """Ids come sorted; available are those whose content could be hashed."""
    assert words().ids == ("a", "b", "c", "d")
    assert words().available == ("a", "b", "c")
    assert words().table.loc["d", "sha256"] == ""


def test_undistributed_stimuli_are_not_available() -> None:
    """Without a way to load, nothing is at hand and asking for content is an error."""
    bare = stimulus_set(pd.DataFrame({"stimulus_id": ["a"]}), name="bare")
    assert bare.available == () and bare.ids == ("a",)
    with pytest.raises(FormatError, match="stimuli of 'bare' are not distributed"):
        bare.content("a")


def test_duplicates_are_refused_by_name() -> None:
    """Two stimuli of one id are refused, and so is asking for one twice."""
    table = pd.DataFrame({"stimulus_id": ["a", "b", "a"]})
    with pytest.raises(AlignmentError, match="more than once in stimulus set 'toy': a"):
        stimulus_set(table, name="toy")
    with pytest.raises(AlignmentError, match="more than once in stimulus set 'words': b"):
        words().restrict(["a", "b", "b"])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"id": ["a"]}), "must be indexed by 'stimulus_id'; its index is called None"),
        (pd.DataFrame({"stimulus_id": [1, 2]}), "must be non-empty strings; got 1, 2"),
        (pd.DataFrame({"stimulus_id": ["a", ""]}), "must be non-empty strings; got ''"),
    ],
)
def test_ids_must_be_text(table: pd.DataFrame, message: str) -> None:
    """Numbers, empty ids and tables without ids are refused."""
    with pytest.raises(FormatError, match=message):
        stimulus_set(table, name="toy")


def test_a_table_without_hashes_is_refused() -> None:
    """The column of hashes is part of the form."""
    table = pd.DataFrame(index=pd.Index(["a"], name="stimulus_id"))
    with pytest.raises(FormatError, match="'toy' needs a column 'sha256'"):
        StimulusSet(name="toy", table=table)


def test_content_is_given_when_it_is_what_was_hashed() -> None:
    """An unchanged stimulus comes as it is; an unknown one gets the near miss."""
    assert words().content("c") == "gamma"
    with pytest.raises(UnknownName, match="No stimulus of 'words' is called 'e'"):
        words().content("e")


def test_changed_content_is_an_integrity_error() -> None:
    """A stimulus whose content is not what the table says is named with both hashes."""
    content = {"a": np.zeros((2, 2), dtype=np.uint8)}
    made = stimulus_set(pd.DataFrame({"stimulus_id": ["a"]}), name="toy", load=content.__getitem__)
    wanted = made.table.loc["a", "sha256"]
    content["a"] = np.ones((2, 2), dtype=np.uint8)
    with pytest.raises(IntegrityError) as caught:
        made.content("a")
    got = content_sha256(content["a"])
    assert f"'a' of 'toy' has sha256 {got}, the table says {wanted}" in str(caught.value)


def test_hash_is_of_the_content() -> None:
    """Pixels, shape, type and mode count; the object that holds them does not."""
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    same = [pixels, pixels.copy(order="F"), np.asfortranarray(pixels)]
    assert len({content_sha256(array) for array in same}) == 1
    image = Image.fromarray(pixels)
    assert content_sha256(image) == content_sha256(image.copy())
    others = [pixels, pixels.T, pixels.astype(np.int16), pixels + 1, image, "text", "texT"]
    assert len({content_sha256(item) for item in others}) == len(others)


def test_restrict_keeps_the_named_and_names_the_missing() -> None:
    """A restriction is a new sorted set that still loads; unknown ids are named."""
    part = words().restrict(["c", "a"])
    assert part.ids == ("a", "c") and part.content("a") == "alpha"
    with pytest.raises(AlignmentError, match="'words' lacks 2 of the ids asked for: y, z"):
        words().restrict(["a", "y", "z"])
    assert words().restrict([]).ids == ()


def test_where_compares_as_text() -> None:
    """Stimuli are selected by the value of a column, numbers by how they are written."""
    assert words().where("kind", "x").ids == ("b", "d")
    assert words(size=[1, 2, 1, 3]).where("size", "1").ids == ("b", "d")
    assert words().where("kind", "none").ids == ()
    with pytest.raises(UnknownName, match="No column of stimulus set 'words' is called 'kinds'"):
        words().where("kinds", "x")


def test_columns_come_in_the_order_asked_for() -> None:
    """A column is sorted by id unless ids say otherwise; text is object, numbers are float."""
    assert words().column("kind").tolist() == ["y", "x", "y", "x"]
    assert words().column("kind", ["d", "a", "d"]).tolist() == ["x", "y", "x"]
    sizes = words(size=[1, 2, 3, 4]).column("size")
    assert sizes.dtype == float and sizes.tolist() == [2, 1, 4, 3]


def test_sets_are_frozen_and_the_given_table_is_left_alone() -> None:
    """Making a set changes neither the caller's table nor, later, the set."""
    table = pd.DataFrame({"stimulus_id": ["b", "a"]})
    made = stimulus_set(table, name="toy")
    assert table.columns.tolist() == ["stimulus_id"] and made.ids == ("a", "b")
    with pytest.raises(FrozenInstanceError):
        made.name = "other"
