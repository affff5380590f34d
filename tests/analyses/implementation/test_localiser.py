"""Localisers select on half A alone, so that half B tells a module from chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from neuroai.analyses.implementation.localiser import (
    contrast_groups,
    contrast_half,
    element_means,
    localise,
    localiser,
)
from neuroai.cards import Contrast
from neuroai.errors import DataError, UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.testing import EQUAL, STANDARD_ERRORS, contrast_brain

N_NULL = 60


def brain_of(values: np.ndarray, **unit: object) -> Recorded:
    """Make a brain of one region; every second stimulus is a face."""
    values = np.asarray(values, dtype=float)
    ids = [f"stim{i:03d}" for i in range(len(values))]
    shown = build.recording(
        values, stimulus_id=ids, unit_id=[f"IT/{i}" for i in range(values.shape[1])], region="IT",
        system="toy", kind="brain", stimulus_set="toy", subject="s1", unit=unit,
    )  # fmt: skip
    face = [str(i % 2) for i in range(len(ids))]
    table = pd.DataFrame({"stimulus_id": ids, "face": face})
    data = SystemData("toy", "brain", "none", recordings=(shown,))
    return Recorded(data=data, stimuli=stimulus_set(table, name="toy"))


FACES = Contrast(column="face", positive=("1",), negative=("0",))


def halves_of(brain: Recorded, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Give which stimuli are in half A, and which are faces."""
    groups = contrast_groups(brain.stimuli, FACES)
    half = contrast_half(groups, seed=seed)
    ids = brain.stimuli.ids
    return np.array([half[key] for key in ids]), np.array([groups[key] for key in ids])


def values_of(brain: Recorded) -> np.ndarray:
    """Give the activity of the only recording."""
    return brain.data.recordings[0].values


def with_values(brain: Recorded, values: np.ndarray) -> Recorded:
    """Give the same brain with other activity."""
    shown = brain.data.recordings[0].copy(data=values)
    return replace(brain, data=replace(brain.data, recordings=(shown,)))


@pytest.mark.parametrize("seed", range(3))
def test_t_is_that_of_scipy_on_both_halves(seed: int) -> None:
    """Half A and half B each have Welch's t, unit by unit."""
    brain, contrast = contrast_brain(n_stimuli=30, n_units=12, seed=seed)
    (found,) = localise(brain, contrast=contrast, seed=seed)
    in_a, face = halves_of(brain, seed=seed)
    for rows, ours in ((in_a, found.t_chosen), (~in_a, found.t_heldout)):
        wanted = stats.ttest_ind(
            values_of(brain)[rows & face], values_of(brain)[rows & ~face], equal_var=False
        )
        np.testing.assert_allclose(ours, wanted.statistic, rtol=EQUAL)


def test_halves_are_stratified_by_the_contrast() -> None:
    """Each half has half of the faces and half of the rest."""
    brain, _ = contrast_brain(n_stimuli=40)
    in_a, face = halves_of(brain)
    assert (in_a & face).sum() == (in_a & ~face).sum() == 10


def test_only_half_a_selects() -> None:
    """Another half B, whatever it holds, changes neither the selection nor its t."""
    brain, contrast = contrast_brain(seed=1)
    in_a, face = halves_of(brain)
    values = values_of(brain).copy()
    values[~in_a] = np.random.default_rng(9).normal(size=values[~in_a].shape) * 50
    values[(~in_a)[:, None] & face[:, None] & (np.arange(40) >= 30)] += 1000
    before, after = (
        next(localise(b, contrast=contrast)) for b in (brain, with_values(brain, values))
    )
    np.testing.assert_array_equal(before.selected, after.selected)
    np.testing.assert_array_equal(before.t_chosen, after.t_chosen)
    assert (before.t_heldout != after.t_heldout).all()


def test_planted_module_is_found_and_holds_up() -> None:
    """The ten planted units of two hundred are the ten that are selected, and half B agrees."""
    brain, contrast = contrast_brain(n_stimuli=80, n_units=200, n_planted=10, seed=2)
    (found,) = localise(brain, contrast=contrast)
    assert sorted(found.selected) == list(range(10))
    answer = localiser(brain, contrast=contrast)
    assert answer.data.n_selected.item() == 10 and answer.data.n_units.item() == 200
    assert answer.data.value.item() > 4 and answer.data.heldout_p.item() == 1 / 1001


def test_noise_is_inflated_where_it_selects_and_nowhere_else() -> None:
    """On pure noise the selecting half shows an effect, the other half none within 4 errors."""
    chosen, heldout, p = [], [], []
    for seed in range(N_NULL):
        brain, contrast = contrast_brain(n_units=300, n_planted=0, seed=1000 + seed)
        answer = localiser(brain, contrast=contrast, seed=seed)
        chosen.append(answer.data.t_selected.item())
        heldout.append(answer.data.value.item())
        p.append(answer.data.heldout_p.item())
    error = np.std(heldout, ddof=1) / np.sqrt(N_NULL)
    assert abs(np.mean(heldout)) < STANDARD_ERRORS * error
    # The mean of the top 5 % of a t distribution with about 18 degrees of freedom is 2.2.
    assert min(chosen) > 1.5 and np.mean(chosen) > 2
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize(("sign", "first"), [("positive", 0), ("negative", 1), ("absolute", 1)])
def test_sign_says_which_units_are_strongest(sign: str, first: int) -> None:
    """One unit prefers faces, one prefers the rest more strongly."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 20))
    face = np.arange(40) % 2
    values[:, 0] += 4 * face
    values[:, 1] -= 9 * face
    (found,) = localise(brain_of(values), contrast=FACES, sign=sign)
    assert found.selected.tolist() == [first]


@pytest.mark.parametrize(("fraction", "count"), [(0.01, 1), (0.05, 2), (0.3, 12), (1.0, 40)])
def test_fraction_is_of_the_region(fraction: float, count: int) -> None:
    """A share of the units is selected, at least one, strongest first."""
    brain, contrast = contrast_brain()
    (found,) = localise(brain, contrast=contrast, fraction=fraction)
    assert len(found.selected) == count
    assert (np.diff(found.t_chosen[found.selected]) <= 0).all()


def test_feature_maps_are_averaged_over_places() -> None:
    """Units of a convolution layer count by feature map, in whatever order they stand."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(24, 12))
    maps = rng.permutation(np.repeat([7, 2, 10], 4))
    brain = brain_of(values, feature_map=maps, row=np.zeros(12), col=np.arange(12))
    (found,) = localise(brain, contrast=FACES, fraction=0.34)
    assert found.elements == ("2", "7", "10") and found.element_kind == "feature map"
    means = np.stack([values[:, maps == number].mean(axis=1) for number in (2, 7, 10)], axis=1)
    in_a, face = halves_of(brain)
    wanted = stats.ttest_ind(means[in_a & face], means[in_a & ~face], equal_var=False).statistic
    np.testing.assert_allclose(found.t_chosen, wanted, rtol=EQUAL)
    assert found.selected.tolist() == [int(np.argmax(wanted))]


def test_maps_of_one_unit_are_units() -> None:
    """A linear layer, whose every feature has one place, is called by its units."""
    ids, means, labels, kind = element_means(
        brain_of(np.eye(3), feature_map=[2, 0, 1]).data.recordings[0]
    )
    assert kind == "unit" and labels == ("0", "1", "2") and len(ids) == 3
    assert means.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_repeats_and_times_are_averaged() -> None:
    """Elements are means over showings, weighted by their number, and over times."""
    shown = build.recording(
        np.arange(12.0).reshape(3, 2, 2), stimulus_id=["b", "a", "b"], unit_id=["IT/0", "IT/1"],
        region="IT", system="s", kind="brain", stimulus_set="t", subject="s1", time=[0, 1],
        time_unit="step",
    )  # fmt: skip
    ids, means, labels, kind = element_means(shown)
    assert (ids, labels, kind) == (("a", "b"), ("0", "1"), "unit")
    np.testing.assert_allclose(means, [[4.5, 6.5], [4.5, 6.5]])


def test_undefined_units_are_refused_or_counted_and_never_selected() -> None:
    """NaN raises by default; dropped and constant units are counted and cannot be selected."""
    brain, contrast = contrast_brain()
    values = values_of(brain).copy()
    values[3, 0] = np.nan
    values[:, 1] = 5.0
    odd = with_values(brain, values)
    with pytest.raises(DataError, match="1 of 40 units of 'planted' hold NaN .*: IT/0"):
        localiser(odd, contrast=contrast)
    answer = localiser(odd, contrast=contrast, fraction=1.0, undefined="drop")
    assert answer.data.n_units.item() == 39 and answer.data.n_selected.item() == 38
    assert answer.undefined["units"] == 1 and answer.undefined["elements that never vary"] == 1
    assert answer.notes == (
        "IT: 1 of 40 units hold NaN or infinite values: IT/0",
        "IT: 1 of 40 units never vary: IT/1",
    )


def test_a_region_that_never_varies_has_no_value() -> None:
    """Nothing can be selected: no value, no p, and the elements are counted."""
    answer = localiser(brain_of(np.ones((12, 4))), contrast=FACES)
    assert np.isnan(answer.data.value.item()) and np.isnan(answer.data.heldout_p.item())
    assert answer.data.n_selected.item() == 0
    assert answer.undefined["elements that never vary"] == 4


def test_contrast_without_negative_takes_every_other_stimulus() -> None:
    """With both sides named, other stimuli are left out."""
    table = pd.DataFrame({"stimulus_id": list("abcdefghijkl"), "kind": list("fffffhhhhttt")})
    stimuli = stimulus_set(table, name="toy")
    groups = contrast_groups(stimuli, Contrast("kind", ("f",)))
    assert sum(groups.values()) == 5 and len(groups) == 12
    groups = contrast_groups(stimuli, Contrast("kind", ("f",), ("h",)))
    assert sorted(groups) == list("abcdefghi") and not groups["f"]
    with pytest.raises(DataError, match="has 3 stimuli on one side and 9 on the other"):
        contrast_groups(stimuli, Contrast("kind", ("t",)))


def test_what_cannot_be_measured_has_a_reason() -> None:
    """No stimuli, no column, no recording, or no showing of the stimuli."""
    brain, contrast = contrast_brain()
    network = load_model("builtin:small_convnet")
    reasons = {
        localiser(network, contrast=contrast): "no stimuli to contrast were given",
        localiser(brain, contrast=Contrast("age", ("1",))): "the stimuli have no column 'age'",
        localiser(
            replace(brain, data=replace(brain.data, recordings=())), contrast=contrast
        ): "no activity was recorded",
    }
    for answer, reason in reasons.items():
        assert isinstance(answer, NotMeasurable) and reason in answer.reason
    unseen = brain.data.recordings[0].isel(presentation=slice(0, 0))
    empty = replace(brain, data=replace(brain.data, recordings=(unseen,)))
    answer = localiser(empty, contrast=contrast)
    assert answer == NotMeasurable("'planted' has no recording of these regions and stimuli")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sign": "both"}, "sign must be one of 'positive', 'negative', 'absolute'"),
        ({"fraction": 0}, r"fraction must lie in \(0, 1\]; got 0"),
        ({"fraction": 1.5}, r"fraction must lie in \(0, 1\]; got 1.5"),
    ],
)
def test_options_out_of_range_are_refused(options: dict, message: str) -> None:
    """The message gives what is allowed and what came."""
    brain, contrast = contrast_brain()
    with pytest.raises(UsageError, match=message):
        localiser(brain, contrast=contrast, **options)


def test_subjects_and_regions_keep_their_names() -> None:
    """What was not recorded of a subject is NaN there and counted."""
    brain, contrast = contrast_brain()
    one = brain.data.recordings[0]
    labels = np.array(["V1"] * 40, dtype=object)
    other: xr.DataArray = (one + 0).assign_coords(region=("unit", labels)).assign_attrs(one.attrs)
    other = other.assign_attrs(subject="s2")
    answer = localiser(
        replace(brain, data=replace(brain.data, recordings=(one, other))), contrast=contrast
    )
    assert answer.subjects == ("s1", "s2") and answer.regions == ("IT", "V1")
    assert np.isfinite(answer.data.value.values).tolist() == [[True, False], [False, True]]
    assert answer.undefined["subject-region pairs not recorded"] == 2
