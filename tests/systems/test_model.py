"""A network as a system: recordings, choices, lesions, resources."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from neuroai.cards import ChoiceTask
from neuroai.errors import ResourceError, UnknownName, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.validate import validate
from neuroai.systems import extract
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model

EXACT = 1e-10  # float64 algebra
SINGLE = 1e-4  # float32 algebra

TASK = ChoiceTask(name="digits", options=("0", "1", "2"), truth="digit")


def flat(stimulus):
    """Flatten an image to 64 values in [0, 1]."""
    return torch.tensor(stimulus, dtype=torch.float32).flatten() / 255


def test_activity_equals_a_plain_forward_pass(net, stimuli, images):
    """What is read is what the layer gives, by the id of the stimulus."""
    model = load_model(net, preprocess=flat, batch_size=5)
    first = next(iter(model.recordings(stimuli, regions=["0"])))
    with torch.no_grad():
        wanted = net[0](torch.stack([flat(images[key]) for key in first["stimulus_id"].values]))
    assert np.abs(first.values - wanted.numpy()).max() <= SINGLE
    assert first.attrs["region"] == "0" and first.attrs["subject"] == "trained"


def test_choice_is_the_highest_mean_softmax(net, stimuli):
    """A category's probability is the mean softmax over its classes, computed here by hand."""
    model = load_model(net, preprocess=flat, output_map={"0": (0,), "1": (1, 2), "2": (2,)})
    table = validate(model.choices(TASK, stimuli))
    soft = torch.softmax(torch.tensor(model.outputs(stimuli), dtype=torch.float64), 1).numpy()
    chance = np.stack([soft[:, 0], (soft[:, 1] + soft[:, 2]) / 2, soft[:, 2]], 1)
    assert table["choice"].values.tolist() == [str(k) for k in chance.argmax(1)]
    assert np.abs(table["confidence"].values - chance.max(1)).max() <= EXACT
    assert table["truth"].values.tolist() == stimuli.column("digit").tolist()
    assert table.attrs["choice_by"] == "outputs" and table.attrs["task"] == "digits"


def test_labels_serve_where_no_output_map_does(model, stimuli):
    """Options that are names of outputs need no map; every seed answers every stimulus."""
    table = model.choices(TASK, stimuli)
    assert table.sizes["trial"] == 2 * len(stimuli.ids)
    assert sorted(set(table["subject"].values)) == ["seed0", "seed1"]


def test_a_task_is_asked_on_its_own_stimuli(model, stimuli):
    """Only the stimuli that the task selects are shown."""
    task = dataclasses.replace(TASK, where=("half", "A"))
    assert set(model.choices(task, stimuli)["stimulus_id"].values) == set(
        stimuli.where("half", "A").ids
    )


def test_options_without_outputs_are_not_measurable(net, stimuli):
    """The reason names the options and says what to give."""
    answer = load_model(net, preprocess=flat).choices(TASK, stimuli)
    assert isinstance(answer, NotMeasurable)
    assert "no outputs for the option(s) 0, 1, 2; give output_map=" in answer.reason


def test_stimuli_that_are_not_distributed_are_not_measurable(model, stimuli):
    """Without stimuli neither activity nor choices can be had."""
    absent = dataclasses.replace(stimuli, load=None)
    for answer in (model.recordings(absent), model.choices(TASK, absent)):
        assert answer == NotMeasurable("stimuli not distributed")


def test_an_output_beyond_the_last_is_named(net, stimuli):
    """output_map that names an output the network lacks is an error."""
    model = load_model(net, preprocess=flat, output_map={"0": (0,), "1": (1,), "2": (99,)})
    with pytest.raises(UsageError, match="has 3 outputs, counted from 0; output_map names 99"):
        model.choices(TASK, stimuli)


def test_mean_reduction_is_the_mean_of_the_units_and_is_written_down(model, stimuli):
    """reduce="mean" averages rows and columns of each map and stamps the recording."""
    reduced = dataclasses.replace(model, reduce="mean")
    whole = next(iter(model.recordings(stimuli, regions=["conv1"])))
    mean = next(iter(reduced.recordings(stimuli, regions=["conv1"])))
    by_hand = whole.values.reshape(len(stimuli.ids), 16, 64).mean(axis=2)
    assert np.abs(mean.values - by_hand).max() <= SINGLE
    assert (mean.attrs["reduce"], whole.attrs["reduce"]) == ("mean", "none")
    assert mean["unit_id"].values[3] == "conv1/3" and mean["feature_map"].values[3] == 3


def test_a_lesion_gives_a_new_model(model, stimuli):
    """The lesioned layer reads as lesioned, says so, and the first model is as it was."""
    lesion = Lesion("conv1", (2,), "zero")
    lesioned = model.with_lesion(lesion)
    maps = next(iter(lesioned.recordings(stimuli, regions=["conv1"])))
    values = maps.values.reshape(len(stimuli.ids), 16, 64)
    assert not values[:, 2].any() and values[:, 1].any()
    assert maps.attrs["intervention"] == lesion.describe() and maps.attrs["origin"] == "simulated"
    intact = next(iter(model.recordings(stimuli, regions=["conv1"])))
    assert intact.values.reshape(len(stimuli.ids), 16, 64)[:, 2].any()
    assert lesioned.weights_sha256() == model.weights_sha256()


def test_mean_lesion_puts_each_element_to_its_mean_over_the_reference(model, stimuli):
    """The mean is taken element by element over the reference stimuli of the intact network."""
    half = stimuli.where("half", "A")
    reference = next(iter(model.recordings(half, regions=["conv2"]))).values
    lesioned = model.with_lesion(Lesion("conv2", (0,), "mean"), half)
    got = next(iter(lesioned.recordings(stimuli, regions=["conv2"]))).values[:, :64]
    assert np.abs(got - reference[:, :64].mean(axis=0)).max() <= SINGLE


def test_noise_lesion_has_the_units_mean_and_spread(stimuli, net):
    """Over many seeds the noise has the mean and SD of the reference, within 4 standard errors."""
    model = load_model(net, preprocess=flat)
    reference = next(iter(model.recordings(stimuli, regions=["0"]))).values[:, 3]
    bench = model.lesion_bench("0", stimuli, reference=stimuli)
    drawn = np.concatenate(
        [
            bench.run(Lesion("0", (3,), "noise", seed=s), layers=["0"])[1]["0"][:, 3]
            for s in range(200)
        ]
    )
    sd = reference.std(ddof=1)
    assert abs(drawn.mean() - reference.mean()) <= 4 * sd / np.sqrt(drawn.size)
    assert abs(drawn.std() - sd) <= 4 * sd / np.sqrt(2 * drawn.size)


def test_noise_hangs_on_the_stimulus_alone(model, stimuli):
    """The same stimulus gets the same noise in another set."""
    lesioned = model.with_lesion(Lesion("conv1", (0,), "noise", seed=3), stimuli)
    some = stimuli.restrict(stimuli.ids[3:5])
    whole = next(iter(lesioned.recordings(stimuli, regions=["conv1"]))).values[3:5]
    part = next(iter(lesioned.recordings(some, regions=["conv1"]))).values
    assert np.abs(part - whole).max() <= SINGLE


def test_lesion_of_a_recurrent_layer_reaches_its_last_state(stimuli):
    """A readout of the last state sees the lesion as well as a readout of the sequence."""
    model = load_model("builtin:small_recurrent")
    silent = model.with_lesion(Lesion("gru", tuple(range(32)), "zero"))
    bias = model.module().readout.bias.detach().numpy()
    assert np.abs(silent.outputs(stimuli) - bias).max() <= SINGLE


@pytest.mark.parametrize(
    ("lesion", "error", "text"),
    [
        (("conv3", (0,), "zero"), UnknownName, "No layer is called 'conv3'. Did you mean 'conv2'"),
        (("conv1", (16, 20), "zero"), UsageError, "has 16 features, counted from 0 to 15; targets"),
        (("conv1", (), "zero"), UsageError, "one or more whole numbers from 0; got none"),
        (("conv1", (-1,), "zero"), UsageError, "one or more whole numbers from 0; got -1"),
        (("conv1", (0,), "zeros"), UnknownName, "No lesion is called 'zeros'. Did you mean 'zero'"),
        (("conv1", (0,), "mean", 1.5), UsageError, r"strength must lie in \[0, 1\]; got 1.5"),
    ],
)
def test_a_wrong_lesion_is_told_at_once_and_changes_nothing(model, stimuli, lesion, error, text):
    """Each message says what was wanted and what came; hash and outputs stay."""
    before, outputs = model.weights_sha256(), model.outputs(stimuli, subject="seed0")
    with pytest.raises(error, match=text):
        model.with_lesion(Lesion(*lesion), stimuli)
    assert model.weights_sha256() == before and not model.lesions
    assert np.array_equal(model.outputs(stimuli, subject="seed0"), outputs)


def test_a_mean_lesion_needs_reference_stimuli(model, stimuli):
    """Model and bench say what to give."""
    with pytest.raises(UsageError, match="A mean lesion needs reference="):
        model.with_lesion(Lesion("conv1", (0,), "mean"))
    bench = model.lesion_bench("conv1", stimuli, subject="seed0")
    with pytest.raises(UsageError, match="needs lesion_bench"):
        bench.run(Lesion("conv1", (0,), "mean"))
    with pytest.raises(UsageError, match="This bench lesions 'conv1'; got a lesion of 'conv2'"):
        bench.run(Lesion("conv2", (0,), "zero"))


def test_too_little_memory_is_told_before_the_work(model, stimuli, monkeypatch):
    """The message gives both sizes and names the remedies."""
    monkeypatch.setattr(extract, "free_memory", lambda: 1000)
    with pytest.raises(ResourceError, match=r"layers=\.\.\., or make .* with reduce='mean'"):
        list(model.recordings(stimuli))


def test_a_bench_without_memory_runs_full_passes(model, stimuli, monkeypatch):
    """Where the record does not fit, results are the same and nothing is cached."""
    lesion = Lesion("conv2", (0, 5), "zero")
    wanted = model.lesion_bench("conv2", stimuli, subject="seed0").run(lesion)[0]
    monkeypatch.setattr("neuroai.systems.prefix.free_memory", lambda: 0)
    small = dataclasses.replace(model, batch_size=4)
    bench = small.lesion_bench("conv2", stimuli, subject="seed0")
    assert not bench.cached
    assert np.abs(bench.run(lesion)[0] - wanted).max() <= SINGLE


@pytest.mark.skipif(torch.cuda.is_available(), reason="a cuda device is present")
def test_an_absent_device_is_a_resource_error(net):
    """device="cuda" runs there or says that it cannot."""
    with pytest.raises(ResourceError, match="device='cuda' was asked for"):
        load_model(net, preprocess=flat, device="cuda")


def test_batch_norms_without_running_statistics_see_one_stimulus_at_a_time(stimuli):
    """Such a layer mixes the stimuli of a batch; one at a time nothing is mixed."""
    net = nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.BatchNorm2d(1, track_running_stats=False))
    whole, single = (
        load_model(net, preprocess=flat, batch_size=size).outputs(stimuli) for size in (12, 1)
    )
    assert np.array_equal(whole, single)


def test_preprocessing_that_gives_no_tensor_is_named(net, stimuli):
    """What came and for which stimulus is said."""
    with pytest.raises(UsageError, match="it gave ndarray for 's00'"):
        load_model(net, preprocess=np.asarray).outputs(stimuli)
