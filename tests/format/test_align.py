"""Alignment goes by id: order changes nothing, and ids that do not match are named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.format import build
from neuroai.format.align import align, common_stimuli, stimulus_means, stimulus_patterns
from neuroai.format.answers import Answer, rdm_answer
from neuroai.testing import EXACT, random_recording, readonly

N_CASES = 40
WHO = {"system": "s", "kind": "brain", "stimulus_set": "toy", "subject": "s1"}


def recording(values: object, ids: Sequence[str], **options: object) -> xr.DataArray:
    """Make a recording of these showings in one region."""
    values = np.asarray(values)
    units = [f"u{i}" for i in range(values.shape[1])]
    return build.recording(values, stimulus_id=ids, unit_id=units, region="V1", **options, **WHO)


def answer(ids: Sequence[str], *, system: str = "s", kind: str = "brain") -> Answer:
    """Make an answer whose dissimilarity of two ids is a function of the ids alone."""
    number = np.array([sum(map(ord, key)) for key in ids], dtype=float)
    rdm = np.abs(number[:, None] - number[None])[None, None]
    return rdm_answer(
        rdm, subjects=["p"], regions=["IT"], stimuli=list(ids), parameters={}, system=system,
        kind=kind, stimulus_set="toy",
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(N_CASES))
def test_differing_ids_are_named(seed: int) -> None:
    """Whatever ids one side lacks, the error names each of them and its side."""
    rng = np.random.default_rng(seed)
    ids = [f"i{i:02d}" for i in range(12)]
    lost_a, lost_b = np.split(rng.permutation(ids)[: 1 + seed % 5], [seed % 3])
    a, b = sorted(set(ids) - set(lost_a)), sorted(set(ids) - set(lost_b))
    with pytest.raises(AlignmentError) as caught:
        align(answer(rng.permutation(a)), answer(rng.permutation(b), system="net", kind="model"))
    text = str(caught.value)
    assert all(key in text for key in (*lost_a, *lost_b))
    assert ("only in brain 's'" in text) == bool(len(lost_b))
    assert ("only in model 'net'" in text) == bool(len(lost_a))
    assert 'stimuli="shared"' in text


@pytest.mark.parametrize("seed", range(N_CASES))
def test_duplicated_ids_are_named(seed: int) -> None:
    """An id that comes twice is named, wherever it comes from: sides, answers, requests."""
    rng = np.random.default_rng(seed)
    ids = [f"i{i:02d}" for i in range(8)]
    copies = list(rng.choice(ids, 1 + seed % 3, replace=False))
    doubled = list(rng.permutation([*ids, *copies]))
    for act in (
        lambda: common_stimuli(ids, doubled),
        lambda: common_stimuli(doubled, ids, stimuli="shared"),
        lambda: answer(doubled),
        lambda: answer(ids).restrict(stimuli=doubled),
        lambda: stimulus_patterns(recording(np.ones((8, 1)), ids), stimuli=doubled),
    ):
        with pytest.raises(AlignmentError, match="occur more than once") as caught:
            act()
        assert all(key in str(caught.value) for key in copies)


@pytest.mark.parametrize("seed", range(N_CASES))
def test_missing_ids_are_named(seed: int) -> None:
    """A stimulus that was never shown is named when it is asked for."""
    rng = np.random.default_rng(seed)
    ids = [f"i{i:02d}" for i in range(8)]
    absent = [f"x{i}" for i in range(1 + seed % 4)]
    asked = list(rng.permutation([*ids, *absent]))
    shown = recording(rng.normal(size=(8, 2)), ids)
    for act in (lambda: stimulus_means(shown, stimuli=asked), lambda: answer(ids).restrict(asked)):
        with pytest.raises(AlignmentError) as caught:
            act()
        assert all(key in str(caught.value) for key in absent)


def test_nothing_in_common_is_an_error() -> None:
    """Even with dropping allowed, two sides need one common stimulus."""
    with pytest.raises(AlignmentError, match="left and right have no stimulus in common"):
        common_stimuli(["a"], ["b"], stimuli="shared", names=("left", "right"))
    with pytest.raises(UsageError, match="stimuli must be one of 'same', 'shared'"):
        common_stimuli(["a"], ["a"], stimuli="some")


def test_shared_stimuli_are_kept_and_the_rest_counted() -> None:
    """Both sides come back on the common ids, sorted, with the number of those dropped."""
    left, right, dropped = align(answer("dbca"), answer("cxbd"), stimuli="shared")
    assert left.stimuli == right.stimuli == ("b", "c", "d") and dropped == 2
    xr.testing.assert_equal(left.data["rdm"], right.data["rdm"])


@settings(max_examples=50, deadline=None)
@given(st.permutations(list("abcdef")), st.permutations(list("abcdef")))
def test_order_does_not_matter(first: list[str], second: list[str]) -> None:
    """Two orders of the same stimuli are aligned to the same numbers."""
    left, right, dropped = align(answer(first), answer(second))
    xr.testing.assert_identical(left.data, right.data)
    assert dropped == 0


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "uint8"])
def test_unequal_repeats_have_the_closed_form(dtype: str) -> None:
    """Means are sums over showings by their number, whole numbers included."""
    shown = recording(readonly([[1, 10], [2, 20], [4, 40], [5, 50]], dtype=dtype), list("abba"))
    means = stimulus_means(shown)
    np.testing.assert_allclose(means.values, [[3, 30], [3, 30]], atol=EXACT)
    means = stimulus_means(recording(np.array([[1], [2], [4]], dtype=dtype), list("abb")))
    np.testing.assert_allclose(means.values, [[1], [3]], atol=EXACT)
    assert means["n_repeats"].values.tolist() == [1, 2]


def test_averages_count_as_often_as_their_showings() -> None:
    """Means of 3 and 1 showings weigh 3 to 1, as if every showing were a row."""
    rng = np.random.default_rng(1)
    single = rng.normal(size=(4, 5))
    raw = stimulus_means(recording(single, ["a"] * 4))
    rows = np.stack([single[:3].mean(0), single[3]])
    pooled = stimulus_means(recording(rows, ["a"] * 2, presentation={"n_repeats": [3, 1]}))
    np.testing.assert_allclose(pooled.values, raw.values, atol=EXACT)
    assert raw["n_repeats"].item() == pooled["n_repeats"].item() == 4


@pytest.mark.parametrize("count", [0, -1, np.nan])
def test_counts_of_showings_must_be_positive(count: float) -> None:
    """A presentation of no or unknown showings is refused."""
    shown = recording(np.ones((2, 1)), ["a", "b"], presentation={"n_repeats": [1, count]})
    with pytest.raises(DataError, match="n_repeats must be positive"):
        stimulus_means(shown)


def test_missing_value_stays_with_its_stimulus() -> None:
    """A NaN showing leaves its unit NaN for that stimulus, and no other number changes."""
    values = np.arange(12.0).reshape(6, 2)
    values[4, 0] = np.nan
    means = stimulus_means(recording(values, list("abcabc")))
    assert np.isnan(means.sel(stimulus="b").values).tolist() == [True, False]
    others = means.sel(stimulus=["a", "c"]).values
    np.testing.assert_allclose(others, [[3, 4], [7, 8]], atol=EXACT)


def test_constant_units_stay_exactly_constant() -> None:
    """Averaging unequal repeats makes no variance out of rounding."""
    ids = ["a"] * 3 + ["b"] * 7 + ["c"]
    means = stimulus_means(recording(np.full((11, 1), 0.1), ids))
    assert set(means.values.ravel().tolist()) == {0.1}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shuffled_showings_give_the_same_means(dtype: str) -> None:
    """The order of the presentations changes no mean beyond 1e-12, single precision included."""
    shown = random_recording(n_stimuli=9, n_units=7, n_repeats=3).astype(dtype)
    wanted = stimulus_means(shown)
    rng = np.random.default_rng(3)
    for _ in range(100):
        got = stimulus_means(shown.isel(presentation=rng.permutation(27)))
        assert got.stimulus.values.tolist() == wanted.stimulus.values.tolist()
        np.testing.assert_allclose(got.values, wanted.values, rtol=0, atol=1e-12)


def test_labels_and_times_are_kept() -> None:
    """Units keep their labels, times stay an axis, and ids come out sorted."""
    values = np.arange(24.0).reshape(3, 2, 4)
    shown = recording(values, list("cab"), time=np.arange(4) / 10, time_unit="s")
    means = stimulus_means(shown, stimuli=["c", "b"])
    assert means.dims == ("stimulus", "unit", "time")
    assert means.stimulus.values.tolist() == ["b", "c"]
    np.testing.assert_array_equal(means.values, values[[2, 0]])
    assert means.unit_id.values.tolist() == ["u0", "u1"] and means.attrs == shown.attrs
