"""One lesion, several tasks, matched controls: on a planted network and through the command."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neuroai import cli
from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.experiment.lesion_effect import lesion_effects
from neuroai.format.answers import NotMeasurable
from neuroai.numerics.dissociation import logit_of_share
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model


@pytest.fixture(scope="module")
def found(network, simulation):
    """The four features of fc1 that a lesion of ten digits touches, beside 100 controls."""
    return lesion_effects(
        network, simulation.stimuli, simulation.tasks, region="fc1", targets=[3, 9, 20, 41],
        doses=(0.5, 1.0),
    )  # fmt: skip


def test_two_kinds_every_task_and_dose(found, simulation):
    """Rows by task, kind and dose; controls of the same size, at least 100."""
    names = [task.name for task in simulation.tasks]
    keys = [(e.task, e.kind, e.dose) for e in found.effects]
    assert keys == [(t, k, d) for t in names for k in ("mean", "zero") for d in (0.5, 1.0)]
    assert {e.n_lesioned for e in found.effects} == {2, 4}
    assert all(len(e.controls) == 100 and 0 < e.p <= 1 for e in found.effects)
    assert found.n_levels > 1


def test_accuracy_is_that_of_the_lesioned_network_on_the_other_half(network, simulation):
    """Silenced by hand, on the stimuli that set no mean: the same accuracy."""
    stimuli, task = simulation.stimuli, simulation.tasks[0]
    found = lesion_effects(network, stimuli, [task], region="fc1", targets=[3, 9], kinds=["zero"],
                           doses=[1.0])  # fmt: skip
    [effect] = found.effects
    assert effect.readout == "outputs"
    from neuroai.format.splits import halves

    labels = [str(label) for label in stimuli.column(task.truth)]
    train = np.asarray(halves(stimuli.ids, condition=labels, n_splits=1, seed=0))[0].astype(bool)
    test = [key for key, is_a in zip(stimuli.ids, train, strict=True) if not is_a]
    choices = network.with_lesion(Lesion("fc1", (3, 9), "zero")).choices(task, stimuli)
    rows = np.isin(choices["stimulus_id"].values.astype(str), test)
    shown = choices["stimulus_id"].values[rows].astype(str)
    right = choices["choice"].values[rows] == stimuli.column(task.truth, list(shown))
    assert effect.lesioned == pytest.approx(right.mean())


def test_a_planted_module_is_found_and_is_special_to_its_task(network, simulation):
    """Planted: features that alone tell one digit carry its task, and not the other task."""
    import copy

    import torch

    stimuli = simulation.stimuli
    net = copy.deepcopy(network.module())
    module = net.fc2.weight.norm(dim=0).argsort(descending=True)[:16].tolist()
    with torch.no_grad():
        kept = torch.zeros(64)
        kept[module] = 1
        net.fc2.weight *= kept
    planted = load_model(net, name="planted", layers=["fc1", "fc2"])
    tasks = simulation.tasks[:1]
    found = lesion_effects(planted, stimuli, tasks, region="fc1", targets=module, doses=[1.0],
                           kinds=["zero"])  # fmt: skip
    [effect] = found.effects
    # A control holds a quarter of the module by chance, and does less.
    assert effect.lesioned < effect.controls.min() and effect.z < -2
    assert effect.lesioned < effect.intact - 0.1
    assert effect.p == pytest.approx(1 / 101)


def test_specificity_compares_two_tasks_among_the_controls(network, simulation):
    """A task beside itself has no difference, and p is 1."""
    task = simulation.tasks[0]
    twin = ChoiceTask(name="twin", options=task.options, truth=task.truth, readout=task.readout)
    found = lesion_effects(network, simulation.stimuli, [task, twin], region="fc1", targets=[3],
                           doses=[1.0])  # fmt: skip
    assert {key: value for key, value in found.specificity.items()} == {
        ("mean", task.name, "twin"): (0.0, 1.0),
        ("zero", task.name, "twin"): (0.0, 1.0),
    }


def test_every_effect_says_where_it_stands_and_what_comes_back(found):
    """Percentiles among the controls, and what a readout fitted anew makes good of the loss."""
    for e in found.effects:
        wanted = 100 * ((e.controls < e.lesioned).mean() + (e.controls == e.lesioned).mean() / 2)
        assert e.percentile == pytest.approx(wanted) and 0 <= e.relearnt <= 1
        if e.intact > e.lesioned:
            wanted = (e.relearnt - e.lesioned) / (e.intact - e.lesioned)
            assert e.recovery == pytest.approx(wanted)
        else:
            assert np.isnan(e.recovery)


def test_two_targets_are_compared_by_their_interaction(network, simulation):
    """A target beside itself does not dissociate; changes are those of the table, in logits."""
    task = simulation.tasks[0]
    twin = ChoiceTask(name="twin", options=task.options, truth=task.truth, readout=task.readout)
    one = lesion_effects(network, simulation.stimuli, [task, twin], region="fc1", targets=[3, 9],
                         doses=[1.0], kinds=["zero"])  # fmt: skip
    same = one.dissociated(one, kind="zero", tasks=(task.name, "twin"))
    assert (same.interaction, same.p, same.crossed) == (0.0, 1.0, False)
    change, null = one.changes["zero", task.name]
    effect = one.effects[0]
    n = sum(1 for _ in simulation.stimuli.ids) // 2
    wanted = logit_of_share(effect.lesioned, n=n) - logit_of_share(effect.intact, n=n)
    assert change == pytest.approx(wanted) and len(null) == 100
    index = one.index("zero", task.name, "twin")
    assert index == 0 or (np.isnan(index) and change == 0)


def test_what_cannot_be_asked_is_told(network, simulation):
    """No task, a target beyond the layer, and too few spared features."""
    stimuli, tasks = simulation.stimuli, simulation.tasks
    with pytest.raises(UsageError, match="a task or more"):
        lesion_effects(network, stimuli, [], region="fc1", targets=[0])
    with pytest.raises(UsageError, match=r"has 64 features, counted from 0; the target names \[64"):
        lesion_effects(network, stimuli, tasks, region="fc1", targets=[64])
    answer = lesion_effects(network, stimuli, tasks, region="fc1", targets=list(range(40)))
    assert isinstance(answer, NotMeasurable) and "too few" in answer.reason


@pytest.fixture
def dataset(simulation, monkeypatch):
    """The simulated brain under the name of a data set."""
    from neuroai.sources import catalogue

    monkeypatch.setattr(catalogue, "load_dataset", lambda *_, **__: simulation)


def test_the_command_prints_a_table_and_json_lines(dataset, capsys):
    """Features by number, and a contrast by name."""
    words = ["lesion", "builtin:small_convnet", "simulated", "--dose", "1", "-q"]
    assert cli.main([*words, "--target", "fc1:3,5,7-8"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("4 features of fc1") and "controls (95 %)" in out
    assert "100 random lesions of the same size a dose" in out
    contrast = "category"
    from neuroai.sources import catalogue

    contrast = next(iter(catalogue.load_dataset("").contrasts))
    assert cli.main([*words, "--target", f"fc1:{contrast}", "--kind", "zero", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["kind"] for row in rows} == {"zero"} and rows[0]["n_controls"] == 100


def test_the_command_scales_steers_and_lesions_heads(dataset, monkeypatch, capsys):
    """A gain by its amount, steering both ways, and heads, which are too few for controls."""
    from neuroai.sources import catalogue

    contrast = next(iter(catalogue.load_dataset("").contrasts))
    words = ["lesion", "builtin:small_convnet", "simulated", "-q"]
    scaled = ["--target", "fc1:3,5", "--dose", "1", "--kind", "scale", "--amount", "4"]
    assert cli.main([*words, *scaled]) == 0
    assert " scale " in capsys.readouterr().out
    assert cli.main([*words, "--target", f"fc1:{contrast}", "--kind", "add", "--dose", "1"]) == 0
    out = capsys.readouterr().out
    assert "-1.00" in out and "random directions of the same length" in out
    heads = ["lesion", "builtin:small_transformer", "simulated", "-q"]
    assert cli.main([*heads, "--target", "blocks.0.attention.heads:1"]) != 0
    assert "too few for random controls" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "fc1:3", "--kind", "scale"], "needs amount="),
        (["--target", "fc1:3", "--kind", "swap"], "needs pairs="),
        (["--target", "fc1:3", "--kind", "add"], "contrast of this data set"),
        (["--target", "fc1"], "LAYER:FEATURES or LAYER:CONTRAST"),
        (["--target", "fc1:3,x"], "such as 3,5,7-9"),
        (["--target", "fc1:no_such_contrast"], "contrast of this data set"),
        (["--target", "fc9:3"], "Did you mean"),
        (["--target", "fc1:3", "--task", "nothing"], "task of this data set"),
        (["--target", "fc1:3", "--dose", "2"], "dose"),
    ],
)
def test_wrong_words_are_explained(dataset, capsys, words, said):
    """Exit code 2 and what would have been right."""
    assert cli.main(["lesion", "builtin:small_convnet", "simulated", *words, "-q"]) == 2
    assert said in capsys.readouterr().err
