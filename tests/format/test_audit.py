"""The audit counts what is odd and says so; the policy refuses or leaves out, never fills in."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neuroai.errors import DataError, UsageError
from neuroai.format import build
from neuroai.format.audit import audit, usable_units

NAN, INF = float("nan"), float("inf")


def recording(values: object, ids: str = "abc", **options: object) -> xr.DataArray:
    """Make a recording with units u0, u1, ..."""
    values = np.asarray(values, dtype=float)
    return build.recording(
        values, stimulus_id=list(ids), unit_id=[f"u{i}" for i in range(values.shape[1])],
        region="V1", system="mouse", kind="brain", stimulus_set="toy", subject="m", **options,
    )  # fmt: skip


ODD = recording([[1, NAN, 5, INF, NAN], [2, 1, 5, 0, NAN], [3, 2, 5, 1, NAN]])


def test_odd_units_are_counted_and_named() -> None:
    """NaN and infinite units are told from constant ones, by id."""
    found = audit(ODD)
    assert (found.n_units, found.n_presentations, found.n_stimuli) == (5, 3, 3)
    assert found.nan_units == ("u1", "u3", "u4") and found.constant_units == ("u2",)
    assert found.n_undefined == 4
    assert (found.repeats_min, found.repeats_max) == (1, 1)


def test_sentences_say_what_is_odd() -> None:
    """Each kind of oddness has its sentence with counts and names."""
    assert audit(ODD).sentences() == (
        "3 of 5 units hold NaN or infinite values: u1, u3, u4",
        "1 of 5 units never vary: u2",
    )
    assert audit(recording([[0], [1], [2], [3]], "abbb")).sentences() == (
        "stimuli were shown 1 to 3 times: means are weighted by showings",
    )


def test_clean_data_need_no_sentence() -> None:
    """Where nothing is odd, nothing is said."""
    assert audit(recording([[0, 1], [1, 0], [2, 2]])).sentences() == ()


def test_a_unit_is_constant_over_presentations_and_times() -> None:
    """A unit that varies over time alone is not constant; one that never varies is."""
    values = np.zeros((3, 2, 4))
    values[:, 0] = [0, 1, 2, 3]
    found = audit(recording(values, time=[0, 1, 2, 3], time_unit="step"))
    assert found.constant_units == ("u1",) and found.nan_units == ()


def test_nan_raises_by_default_and_names_the_units() -> None:
    """Without a stated policy NaN is refused, with what to do."""
    with pytest.raises(DataError) as caught:
        usable_units(ODD)
    assert str(caught.value) == (
        "3 of 5 units of 'mouse' hold NaN or infinite values: u1, u3, u4. Mend the data, or use "
        'undefined="drop" to leave these units out (they are counted in the result).'
    )


@pytest.mark.parametrize(("constant", "kept"), [("keep", ["u0", "u2"]), ("drop", ["u0"])])
def test_dropping_leaves_units_out_and_values_alone(constant: str, kept: list[str]) -> None:
    """Dropped units are gone, kept values are untouched, and the audit is of the whole."""
    usable, found = usable_units(ODD, undefined="drop", constant=constant)
    assert usable.unit_id.values.tolist() == kept
    np.testing.assert_array_equal(usable.values, ODD.isel(unit=[int(u[1]) for u in kept]).values)
    assert found == audit(ODD)


def test_nothing_odd_gives_the_very_recording() -> None:
    """Nothing is copied where nothing is left out."""
    clean = recording([[0, 1], [1, 0], [2, 2]])
    assert usable_units(clean)[0] is clean


def test_no_unit_left_is_an_error() -> None:
    """A recording without any usable unit cannot be compared."""
    with pytest.raises(DataError, match="No unit of 'mouse' can be compared: all are undefined"):
        usable_units(recording([[NAN], [1], [2]]), undefined="drop")
    with pytest.raises(DataError, match="No unit of 'mouse'"):
        usable_units(recording([[1], [1], [1]]), constant="drop")


def test_there_is_no_policy_that_fills_in() -> None:
    """Zero or mean in place of NaN is not offered."""
    for option in ("undefined", "constant"):
        with pytest.raises(UsageError, match=f"{option} must be one of"):
            usable_units(ODD, **{option: "zero"})


def test_whole_numbers_are_audited() -> None:
    """Spike counts have no NaN; silent neurons are constant."""
    counts = recording([[0, 3], [0, 1], [0, 2]]).astype(np.int16)
    assert audit(counts).constant_units == ("u0",)
