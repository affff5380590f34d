"""The spelling of reductions, and what they keep of a layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neuroai.errors import UsageError
from neuroai.systems.layout import Layout
from neuroai.systems.load import load_model
from neuroai.systems.reduction import Reduction, as_reducer, finite, read_reduction

SINGLE = 1e-4  # float32 sums


@pytest.mark.parametrize(
    "sentence",
    ["mean", "count-sketch:8:seed=0", "sparse-projection:4:seed=3", "pca:2:fit=half=A"],
)
def test_a_spelling_is_read_and_written_alike(sentence):
    """What is stored can be given again."""
    assert str(read_reduction(sentence)) == sentence


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("maen", "Did you mean 'mean'"),
        ("mean:4", "takes no number of features; got 4"),
        ("count-sketch", "takes a number of features; got none"),
        ("count-sketch:x", "'x' is no whole number"),
        ("count-sketch:4:sead=1", "cannot be read"),
        ("mean:seed=1", "of count-sketch and sparse-projection alone"),
        ("pca:4", "needs fit="),
        ("count-sketch:4:fit=all", "needs fit="),
    ],
)
def test_what_cannot_be_read_is_told(sentence, said):
    """The forms are listed, and the near miss is named."""
    with pytest.raises(UsageError, match=said):
        read_reduction(sentence)


def test_the_fitting_set_is_a_column_all_or_ids(stimuli):
    """An empty fitting set is told."""
    assert Reduction("pca", 2, fit="half=A").fit_ids(stimuli) == stimuli.where("half", "A").ids
    assert Reduction("pca", 2, fit="all").fit_ids(stimuli) == stimuli.ids
    some = Reduction("pca", 2, fit=("s03", "s01"))
    assert some.fit_ids(stimuli) == ("s01", "s03")
    assert "2 ids of sha256" in str(some)
    with pytest.raises(UsageError, match="nothing to fit the components on"):
        Reduction("pca", 2, fit="half=C").fit_ids(stimuli)
    with pytest.raises(UsageError, match="COLUMN=VALUE or all; got 'half'"):
        Reduction("pca", 2, fit="half").fit_ids(stimuli)


@pytest.mark.parametrize("reduce", ["count-sketch:16", "sparse-projection:16", "pca:3:fit=all"])
def test_a_layer_keeps_so_many_features(stimuli, reduce):
    """Small layers stay whole under random maps; attrs say what was kept."""
    model = load_model("builtin:small_convnet", reduce=reduce, layers=["conv1", "fc2"])
    found = {r.attrs["region"]: r for r in model.recordings(stimuli)}
    n = 3 if reduce.startswith("pca") else 16
    assert found["conv1"].shape[1] == n
    assert found["fc2"].shape[1] == (3 if reduce.startswith("pca") else 10)
    assert found["conv1"].attrs["reduce"].startswith(reduce.split(":")[0])


def test_components_are_fitted_on_the_stated_stimuli_alone(stimuli):
    """Other stimuli do not move them: scores of half A are centred over half A."""
    model = load_model("builtin:small_convnet", reduce="pca:2:fit=half=A", layers=["fc1"])
    [found] = model.recordings(stimuli)
    inside = np.isin(found["stimulus_id"].values, stimuli.where("half", "A").ids)
    assert np.abs(found.values[inside].mean(axis=0)).max() < SINGLE
    assert np.abs(found.values[~inside].mean(axis=0)).max() > SINGLE


def test_times_of_a_recurrent_layer_are_kept():
    """Each step is reduced with the same map."""
    reducer = as_reducer("count-sketch:4")
    rows = torch.randn(2, 5, 20)
    small = reducer(rows, Layout(0, ("time", "feature_map")), layer="gru")
    assert small.shape == (2, 5, 4) and reducer.layouts["gru"].axes == ("time", "other")
    alone = as_reducer("count-sketch:4")(rows[:, 2], Layout(0, ("feature_map",)), layer="gru")
    assert torch.allclose(small[:, 2], alone, atol=SINGLE)


def test_overflow_is_seen_by_a_projection_that_misses_the_unit():
    """A row with one infinite unit is not finite afterwards."""
    rows = torch.zeros(2, 1000)
    rows[1, 7] = float("inf")
    small = as_reducer("sparse-projection:2")(rows, Layout(0, ("feature_map",)), layer="fc")
    assert finite(small[:1]) and not finite(small[1:])


def test_a_layer_without_components_is_told():
    """pca knows the layers it was fitted on."""
    with pytest.raises(UsageError, match="No components were fitted for layer 'fc'"):
        as_reducer(Reduction("pca", 2, fit="all"))(
            torch.zeros(2, 5), Layout(0, ("feature_map",)), layer="fc"
        )
