"""Random lesions of a network, mapped with the estimator that serves patients."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.numerics.lesion_mapping import map_lesions
from neuroai.numerics.lesion_prediction import predict_scores
from neuroai.systems.lesion import Lesion
from neuroai.systems.lesion_table import lesion_table
from neuroai.systems.load import load_model

N_LESIONS = 120


@pytest.fixture(scope="module")
def table(network, simulation):
    """Lesions of the layer before the readout."""
    return lesion_table(
        network, "fc1", simulation.stimuli, simulation.tasks[0], n_lesions=N_LESIONS, share=0.3
    )


def test_each_score_is_that_of_the_lesioned_network(table, network, simulation):
    """Three rows, lesioned one by one."""
    task, stimuli = simulation.tasks[0], simulation.stimuli
    for row in range(3):
        lesion = Lesion("fc1", tuple(np.flatnonzero(table.lesions[row]).tolist()), "mean")
        choices = network.with_lesion(lesion, stimuli).choices(task, stimuli)
        shown = [str(key) for key in choices["stimulus_id"].values]
        right = choices["choice"].values == stimuli.column(task.truth, shown)
        assert table.scores[row] == pytest.approx(right.mean())
    assert table.lesions.shape == (N_LESIONS, 64) and table.lesions.any(axis=1).all()
    assert 0.2 < table.lesions.mean() < 0.4 and table.intact > table.scores.mean()


def test_the_same_estimators_take_it(table):
    """Mass-univariate with lesion size held constant, and multivariate, as for patients."""
    size = table.lesions.sum(axis=1, keepdims=True).astype(float)
    found = map_lesions(table.lesions, table.scores, covariates=size, n_permutations=50)
    assert np.isfinite(found.statistic).all() and (found.p_corrected > 0).all()
    predicted = predict_scores(table.lesions.astype(float), table.scores, n_folds=5)
    assert -1 <= predicted.r <= 1


def test_a_feature_that_alone_carries_the_choice_is_found(simulation):
    """Planted: a readout that reads two of 64 features; mapping finds one of them or both."""
    model = load_model("builtin:small_convnet", layers=["fc1", "fc2"])
    net = model.module()
    import torch

    with torch.no_grad():
        net.fc2.weight.zero_()
        net.fc2.bias.zero_()
        net.fc2.weight[:, 5] = torch.linspace(-50, 50, 10)
        net.fc2.bias[:] = -(torch.linspace(-5, 5, 10) ** 2)
    task, stimuli = simulation.tasks[0], simulation.stimuli
    found = lesion_table(model, "fc1", stimuli, task, n_lesions=100, kind="zero")
    changed = np.abs(found.scores - found.intact) > 0
    # Only lesions that hold feature 5 can change a choice.
    assert not changed[~found.lesions[:, 5]].any()


def test_what_cannot_be_asked_is_told(network, simulation):
    """Several seeds, one lesion, a reduced layer, a share of 0; and no options."""
    task, stimuli = simulation.tasks[0], simulation.stimuli
    twins = load_model("builtin:small_convnet?seeds=0,1")
    with pytest.raises(UsageError, match="of 2 subjects"):
        lesion_table(twins, "fc1", stimuli, task)
    with pytest.raises(UsageError, match="Two or more lesions"):
        lesion_table(network, "fc1", stimuli, task, n_lesions=1)
    with pytest.raises(UsageError, match="share"):
        lesion_table(network, "fc1", stimuli, task, share=0)
    sketched = load_model("builtin:small_convnet?reduce=count-sketch:4", layers=["fc1"])
    with pytest.raises(UsageError, match="without a reduction"):
        lesion_table(sketched, "fc1", stimuli, task, n_lesions=2)
    mute = load_model("builtin:small_recurrent", labels=["x"] * 10, output_map={})
    answer = lesion_table(mute, "fc", stimuli, task, n_lesions=2)
    assert isinstance(answer, NotMeasurable)
