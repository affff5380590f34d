"""Dimensions and capacity of planted responses, of a brain and of a network."""

import numpy as np
import pytest
from planted_systems import recorded_brain, stimuli_of

from neuroai.analyses.algorithm.capacity import capacity
from neuroai.analyses.algorithm.dimensionality import dimensionality
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.numerics.dimension import isotropic_ratio, participation_ratio, two_nn
from neuroai.systems.load import load_model
from neuroai.testing import EXACT, SINGLE

N_STIMULI, N_UNITS = 60, 25
# A ratio of variances of 60 stimuli has a relative error of about one over their root.
NOISY = 0.2
STIMULI = stimuli_of(kind=[str(i % 3) for i in range(N_STIMULI)])


def brain(*, n_repeats=1, noise=0.0, copies=0, apart=0.0):
    """Signal in four dimensions, seen once or more with noise; kinds may lie apart."""
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((N_STIMULI, 4)) @ rng.standard_normal((4, N_UNITS))
    signal[1 : 1 + copies] = signal[0]
    signal += apart * rng.standard_normal((3, N_UNITS))[np.arange(N_STIMULI) % 3]
    shown = [signal + noise * rng.standard_normal(signal.shape) for _ in range(n_repeats)]
    return recorded_brain(np.concatenate(shown), STIMULI, n_repeats=n_repeats), signal


def values_of(answer):
    """Give the numbers of the only subject and region by name."""
    return {name: variable.squeeze().values for name, variable in answer.data.data_vars.items()}


def test_numbers_are_those_of_the_mean_responses():
    """Each by its own function, with what noise without structure would read beside it."""
    system, signal = brain()
    answer = dimensionality(system)
    found = values_of(answer)
    assert found["value"] == pytest.approx(participation_ratio(signal), abs=EXACT)
    nearest = two_nn(signal, fit="line").dimension
    assert found["intrinsic_dimension"] == pytest.approx(nearest, abs=EXACT)
    assert found["isotropic"] == isotropic_ratio(N_STIMULI, N_UNITS)
    assert found["value"] < 4.1 and found["spectrum"][:4].sum() == pytest.approx(1)
    assert any("compare at equal numbers of stimuli and units" in note for note in answer.notes)


def test_showings_twice_take_noise_out_of_the_spectrum():
    """The cross-validated ratio is that of the signal; the plain one is raised by noise."""
    truth = values_of(dimensionality(brain()[0]))
    noisy = values_of(dimensionality(brain(n_repeats=2, noise=2.0)[0]))
    assert noisy["value"] > 1.3 * truth["value"]
    assert noisy["cross_validated_ratio"] == pytest.approx(truth["value"], rel=NOISY)
    assert np.abs(noisy["cross_validated_spectrum"][6:]).max() < 0.05


def test_lone_showings_of_a_brain_have_no_cross_validated_spectrum():
    """It is left out, and the answer says why."""
    answer = dimensionality(brain()[0])
    assert "cross_validated_spectrum" not in answer.data
    assert any("no stimulus set was shown twice" in note for note in answer.notes)


def test_copies_of_stimuli_are_counted():
    """Five stimuli with one response are one point."""
    answer = dimensionality(brain(copies=4)[0])
    assert answer.undefined["copies of stimuli left out of the intrinsic dimension"] == 4


def test_a_network_repeats_itself():
    """Its cross-validated spectrum is its spectrum."""
    net = load_model("builtin:small_convnet")
    answer = dimensionality(net, stimuli=STIMULI)
    for region in answer.regions:
        own = answer.data.sel(region=region, subject=answer.subjects[0])
        plain, cross = (own[n].dropna("rank") for n in ("spectrum", "cross_validated_spectrum"))
        np.testing.assert_allclose(plain, cross, atol=SINGLE)


def test_too_few_stimuli_and_ranks_out_of_reach_say_so():
    """Seven stimuli, no variance, and a rank beyond the spectrum."""
    few = stimuli_of(kind=["a"] * 7)
    found = dimensionality(recorded_brain(np.random.default_rng(0).random((7, 3)), few))
    assert isinstance(found, NotMeasurable) and "7 stimuli are too few" in found.reason
    still = dimensionality(recorded_brain(np.ones((N_STIMULI, 3)), STIMULI))
    assert "no unit of M1 varies" in still.reason
    with pytest.raises(UsageError, match="within 1 to 25; got 1 to 99"):
        dimensionality(brain()[0], ranks=(1, 99))


def test_classes_that_lie_apart_have_more_capacity_than_shuffled_ones():
    """The null deals stimuli to classes at random; no deal reaches the planted classes."""
    answer = capacity(brain(apart=1.5)[0], label="kind", n_null=19, n_samples=60)
    found = values_of(answer)
    assert found["value"] > found["shuffled"] and found["p"] == 1 / 20
    assert 0 < found["radius"] and 0 < found["dimension"] <= 20
    assert any("clouds of 20 to 20 stimuli" in note for note in answer.notes)


def test_noise_of_showings_is_averaged_out_of_the_clouds():
    """Many showings of the same stimuli give the capacity of their means."""
    clear = values_of(capacity(brain(apart=1.0)[0], label="kind"))["value"]
    noisy = values_of(capacity(brain(apart=1.0, n_repeats=20, noise=1.0)[0], label="kind"))
    assert noisy["value"] == pytest.approx(clear, rel=NOISY)


def test_capacity_of_a_network_and_of_what_is_no_cloud():
    """Layers answer; single stimuli, one class and columns of showings do not."""
    net = load_model("builtin:small_convnet")
    values = capacity(net, label="kind", stimuli=STIMULI, n_samples=30).data["value"].values
    assert ((values > 0) & (values <= 2.5)).all()
    system = brain(n_repeats=2, noise=1.0)[0]
    assert "has one stimulus: that is no cloud" in capacity(system, label="stimulus_id").reason
    assert "one class only" in capacity(system, label="repeat").reason
