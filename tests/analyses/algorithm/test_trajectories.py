"""Paths that part when they were made to, rotations and factors that were planted."""

import numpy as np
import pytest
from planted_systems import recorded_brain, stimuli_of

from neuroai.analyses.algorithm.demixing import demixing
from neuroai.analyses.algorithm.rotations import rotations
from neuroai.analyses.algorithm.trajectories import trajectories
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.numerics.jpca import jpca
from neuroai.systems.load import load_model
from neuroai.testing import EXACT, STANDARD_ERRORS

N_UNITS, N_TIMES, N_REPEATS = 12, 20, 6
PARTS_AT = 8
# A squared distance of 9 from twelve units and six repeats has a relative error below a tenth.
SAMPLED = 0.2
# Noise of a thousandth against steps of a tenth.
NEARLY = 0.02
# Noise of a tenth, averaged over four showings and 160 steps, tilts an angle by about 0.01.
TURNED = 0.03
# A share of variance from twelve stimuli a half, each with noise of a seventh of the signal.
SHARE = 0.03


def split_brain(*, effect, n_repeats=N_REPEATS, seed=0):
    """Four stimuli of two kinds, whose paths part at a known time."""
    stimuli = stimuli_of(kind=["a", "b", "a", "b"])
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((4 * n_repeats, N_UNITS, N_TIMES))
    second = np.tile([False, True, False, True], n_repeats)
    values[second, :, PARTS_AT:] += effect
    return recorded_brain(values, stimuli, n_repeats=n_repeats)


def test_paths_part_when_they_were_made_to():
    """At the planted time, between the kinds and in no other pair, by a planted distance."""
    answer = trajectories(split_brain(effect=3.0), label="kind")
    value = answer.data["value"].squeeze()
    assert value[:PARTS_AT].max() < 1 < value[PARTS_AT:].min()
    assert value[PARTS_AT:].mean() == pytest.approx(9, rel=SAMPLED)
    assert "a path is the mean of stimuli" in " ".join(answer.notes)
    parted = trajectories(split_brain(effect=3.0), label="stimulus_id", n_permutations=39)
    found = parted.data["divergence_time"].squeeze().values
    assert found[0, 1] == pytest.approx(PARTS_AT / 100) and np.isnan(found[0, 2])
    assert parted.undefined["pairs of conditions that never part"] == 2
    assert parted.parameters["time_unit"] == "s"


def test_noise_has_no_distance():
    """Over 40 brains of noise the mean is 0 at every time."""
    found = np.array(
        [
            trajectories(split_brain(effect=0, seed=s), label="kind").data["value"].squeeze()
            for s in range(40)
        ]
    )
    error = found.std() / np.sqrt(found.size)
    assert abs(found.mean()) < STANDARD_ERRORS * error


def test_speed_is_by_the_unit_of_time():
    """A ramp of 5 a second moves at 5 a second."""
    stimuli = stimuli_of(kind=["a", "b"])
    times = np.arange(N_TIMES) / 50
    rng = np.random.default_rng(0)
    ramp = np.broadcast_to(5 * times, (2 * 8, N_UNITS, N_TIMES))
    values = ramp + 1e-3 * rng.standard_normal(ramp.shape)
    system = recorded_brain(values, stimuli, n_repeats=8, times=times)
    speed = trajectories(system, label="kind").data["speed"]
    assert speed.values == pytest.approx(5, rel=NEARLY)
    assert speed["time_between"].values[0] == pytest.approx(0.01)


def test_a_recurrent_network_is_followed_over_steps():
    """Shown once it has no noise, and the answer says so; time is in steps."""
    net, stimuli = load_model("builtin:small_recurrent"), stimuli_of(kind=list("aabbcc"))
    answer = trajectories(net, label="kind", stimuli=stimuli)
    assert answer.kind == "model" and answer.parameters["time_unit"] == "step"
    alone = trajectories(net, label="stimulus_id", stimuli=stimuli)
    assert any("one showing, without noise" in note for note in alone.notes)
    assert (alone.data["value"].values >= 0).all() and alone.data["value"].values.max() > 0
    turned = rotations(net, label="stimulus_id", stimuli=stimuli, n_components=2)
    assert turned.data["value"].item() <= turned.data["r2_full"].item() <= 1
    mixed = demixing(net, label="kind", stimuli=stimuli)
    assert mixed.data["value"].sum().item() == pytest.approx(1)


def test_regions_without_time_are_left_out_and_said_so():
    """The readout of a recurrent network has no steps; its recurrent layer is followed."""
    net, stimuli = load_model("builtin:small_recurrent"), stimuli_of(kind=list("aabbcc"))
    answer = trajectories(net, label="kind", stimuli=stimuli)
    assert answer.regions == ("gru",)
    assert answer.undefined["subject-region pairs left out"] == 1
    assert any(n.startswith("left out") and "readout has no time" in n for n in answer.notes)


@pytest.mark.parametrize("analysis", [trajectories, rotations])
def test_a_layer_is_not_a_time(analysis):
    """A network of layers without steps has no path."""
    found = analysis(
        load_model("builtin:small_convnet"), label="kind", stimuli=stimuli_of(kind=list("aabb"))
    )
    assert isinstance(found, NotMeasurable) and "a layer is not a time" in found.reason


def test_a_lone_showing_of_a_brain_has_no_path():
    """Its noise cannot be told from its response."""
    found = trajectories(split_brain(effect=1, n_repeats=1), label="stimulus_id")
    assert "was shown once: its noise" in found.reason
    many = stimuli_of(kind=[str(k) for k in range(201)])
    crowd = recorded_brain(np.random.default_rng(0).random((402, 2, 3)), many, n_repeats=2)
    assert "makes 201 conditions" in trajectories(crowd, label="kind").reason
    with pytest.raises(UsageError, match="0 or at least 19"):
        trajectories(split_brain(effect=1), label="kind", n_permutations=5)


def rotating_brain(*, angle=0.35, noise=0.1):
    """Eight conditions turn in one plane by an angle a step of 20 ms."""
    rng = np.random.default_rng(3)
    stimuli = stimuli_of(direction=[str(k) for k in range(8)])
    axes = np.linalg.qr(rng.standard_normal((N_UNITS, 2)))[0].T
    phase = angle * np.arange(N_TIMES) + 2 * np.pi * np.arange(8)[:, None] / 8
    paths = sum(
        wave(phase)[:, None, :] * axis[:, None] * rng.uniform(0.5, 2, (8, 1, 1)) ** 0
        for wave, axis in zip((np.cos, np.sin), axes, strict=True)
    )
    shown = [paths + noise * rng.standard_normal(paths.shape) for _ in range(4)]
    times = np.arange(N_TIMES) * 0.02
    return recorded_brain(np.concatenate(shown), stimuli, n_repeats=4, times=times)


def test_a_planted_rotation_is_found_beyond_surrogates():
    """Fit, angle, turns a second, share of the variance, and p of 19 surrogates."""
    answer = rotations(rotating_brain(), label="direction", n_components=2, n_null=19)
    found = {name: values.squeeze().values for name, values in answer.data.data_vars.items()}
    assert found["value"] > 0.8 and found["p"] == 1 / 20
    assert found["surrogate_r2"] < found["value"] - 0.2
    assert found["angle"] == pytest.approx(0.35, abs=TURNED)
    assert found["frequency"] == pytest.approx(0.35 / (2 * np.pi * 0.02), rel=TURNED / 0.35)
    assert any("can make rotations out of delays" in note for note in answer.notes)


def test_the_fit_is_that_of_the_mean_paths():
    """Through labels and components it is the array function's; scaling changes it."""
    system = rotating_brain()
    paths = system.data.recordings[0].values.reshape(4, 8, N_UNITS, N_TIMES).mean(0)
    found = rotations(system, label="direction").data["value"].item()
    assert found == pytest.approx(jpca(paths).r2_skew, abs=EXACT)
    softened = rotations(system, label="direction", soften=0.1, remove_mean=False)
    assert softened.data["value"].item() != pytest.approx(found)
    assert softened.notes == ()
    with pytest.raises(UsageError, match="soften must be at least 0"):
        rotations(system, label="direction", soften=-1.0)


def factor_brain(*, noise=0.3):
    """Two factors and time, each with an axis of its own."""
    rng = np.random.default_rng(5)
    kinds, places = np.repeat(list("abc"), 8).tolist(), (["left", "right"] * 12)
    stimuli = stimuli_of(kind=kinds, place=places)
    axes = np.linalg.qr(rng.standard_normal((N_UNITS, 3)))[0].T
    kind = np.array([{"a": -2.0, "b": 0.0, "c": 2.0}[k] for k in kinds])
    place = np.array([{"left": -1.0, "right": 1.0}[p] for p in places])
    time = np.sin(np.arange(N_TIMES) / 4)
    values = (
        kind[:, None, None] * axes[0][:, None]
        + place[:, None, None] * axes[1][:, None]
        + time * axes[2][:, None]
    )
    return recorded_brain(values + noise * rng.standard_normal(values.shape), stimuli)


def test_planted_factors_are_split_and_read_out_alone():
    """Shares that repeat are the planted variances, and components show their own factor."""
    answer = demixing(factor_brain(), label="kind", context="place")
    data = answer.data.squeeze()
    parts = ["kind", "place", "kind x place", "time"]
    assert sorted(data["part"].values.tolist()) == sorted(parts)
    sizes = {"kind": 8 / 3, "place": 1.0, "time": np.sin(np.arange(N_TIMES) / 4).var()}
    for name, size in sizes.items():
        share = (data["repeating"].sel(part=name) / data["repeating"].sum()).item()
        assert share == pytest.approx(size / sum(sizes.values()), abs=SHARE)
        assert data["demixed"].sel(part=name).item() > 0.9
    assert data["repeating"].sel(part="kind x place").item() == pytest.approx(0, abs=SHARE)
    assert data["value"].sum().item() == pytest.approx(1)
    # Every half of a cell is a mean of two stimuli, each unit with a noise of .3.
    signal, left = sum(sizes.values()), N_UNITS * 0.3**2 / 2
    assert data["repeating"].sum().item() == pytest.approx(signal / (signal + left), abs=SHARE)


def test_noise_repeats_nothing():
    """Over 40 brains of noise the sum of what repeats, a correlation of halves, is 0."""
    stimuli = stimuli_of(kind=list("aabb") * 2, place=list("lrlr") * 2)
    found = []
    for seed in range(40):
        values = np.random.default_rng(seed).standard_normal((8, 20))
        answer = demixing(recorded_brain(values, stimuli), label="kind", context="place")
        found.append(answer.data["repeating"].sum().item())
    assert abs(np.mean(found)) < STANDARD_ERRORS * np.std(found) / np.sqrt(len(found))


def test_values_may_hold_any_text():
    """A value that reads like two does not tear the design apart."""
    stimuli = stimuli_of(kind=["a x b"] * 4 + ["c"] * 4, place=["l", "r x l"] * 4)
    system = recorded_brain(np.random.default_rng(0).random((8, 3)), stimuli)
    answer = demixing(system, label="kind", context="place")
    assert answer.data["value"].sum().item() == pytest.approx(1)


def test_a_design_with_gaps_or_one_factor_is_not_demixed():
    """A combination that was not shown, one value, one factor without time, the same twice."""
    system = factor_brain()
    gap = stimuli_of(kind=list("aabb"), place=["l", "r", "l", "l"])
    lacking = recorded_brain(np.random.default_rng(0).random((8, 3, 4)), gap, n_repeats=2)
    found = demixing(lacking, label="kind", context="place")
    assert "1 of 4 combinations of the factors were not shown" in found.reason
    flat = recorded_brain(np.random.default_rng(0).random((8, 3)), gap, n_repeats=2)
    assert "one factor only" in demixing(flat, label="kind").reason
    with pytest.raises(UsageError, match="Both factors are 'kind'"):
        demixing(system, label="kind", context="kind")
