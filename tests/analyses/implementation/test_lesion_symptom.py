"""Lesion-symptom mapping as an analysis: planted truth in masks and networks, stroke severity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats

from neuroai.analyses.implementation.lesion_symptom import lesion_symptom
from neuroai.errors import ResourceError, UnknownName, UsageError
from neuroai.experiment.demo_brain import TASK, demo_stimuli, digit_images
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import lesions
from neuroai.format.holdings import SystemData
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.brain import Recorded, brains_of
from neuroai.systems.load import load_model
from neuroai.testing import EQUAL, toy_stimuli

N_PERSONS, N_VOXELS, PLANTED = 80, 30, 7


@pytest.fixture(scope="module")
def patients() -> Recorded:
    """Persons whose fluency falls by two SD where voxel 7 is lesioned; one has no score."""
    rng = np.random.default_rng(4)
    masks = rng.random((N_PERSONS, N_VOXELS)) < rng.uniform(0.15, 0.5, (N_PERSONS, 1))
    masks[:2, 3] = True
    masks[2:, 3] = False
    fluency = rng.standard_normal(N_PERSONS) - 2 * masks[:, PLANTED]
    fluency[5] = np.nan
    table = lesions(
        masks,
        subject=[f"p{i:02d}" for i in range(N_PERSONS)],
        unit_id=[f"v{i}" for i in range(N_VOXELS)],
        xyz=rng.standard_normal((N_VOXELS, 3)),
        space="MNI152",
        system="human",
        scores={"fluency": fluency, "age": rng.uniform(30, 80, N_PERSONS)},
    )
    data = SystemData(name="human", kind="brain", species="Homo sapiens", lesions=(table,))
    return Recorded(data=data, stimuli=toy_stimuli())


def test_a_planted_voxel_is_found(patients: Recorded) -> None:
    """It alone passes the corrected threshold; what cannot be tested is counted."""
    answer = lesion_symptom(patients, score="fluency", predictor="ridge")
    found = answer.data.isel(subject=0, region=0)
    hit = found["unit"].values[found["p_corrected"].values < 0.05]
    assert hit.tolist() == [f"v{PLANTED}"]
    assert found["statistic"].sel(unit=f"v{PLANTED}") < -found["threshold"]
    assert answer.undefined["persons without a score or covariate"] == 1
    assert (
        answer.undefined["units lesioned too rarely or too often"] == 1 and "v3" not in found.unit
    )
    assert int(found["n"]) == N_PERSONS - 1 and found["value"] > 0.3
    assert answer.parameters["origin"] == "measured" and found["region"] == "MNI152"


def test_ranks_without_covariates_are_scipys(patients: Recorded) -> None:
    """Brunner and Munzel's W and p, voxel by voxel."""
    answer = lesion_symptom(
        patients, score="fluency", method="brunner-munzel", covariates=(), n_permutations=0
    )
    masks = patients.data.lesions[0]
    known = np.isfinite(masks["fluency"].values)
    scores = masks["fluency"].values[known]
    for unit in answer.data["unit"].values:
        hit = masks.values[known, int(unit[1:])]
        wanted = stats.brunnermunzel(scores[~hit], scores[hit])
        got = answer.data.sel(unit=unit).isel(subject=0, region=0)
        assert float(got["statistic"]) == pytest.approx(wanted.statistic, abs=EQUAL)
        assert float(got["p"]) == pytest.approx(wanted.pvalue, abs=EQUAL)


def test_wrong_names_are_told(patients: Recorded) -> None:
    """Scores and covariates that persons do not carry, with the near miss."""
    with pytest.raises(UsageError, match="Say which score of the persons is mapped. There is"):
        lesion_symptom(patients)
    with pytest.raises(UnknownName, match="Did you mean 'fluency'"):
        lesion_symptom(patients, score="fluencey")
    with pytest.raises(UnknownName, match="covariate of these persons"):
        lesion_symptom(patients, score="fluency", covariates=("aeg",))
    with pytest.raises(UsageError, match="predictor must be one of 'none', 'svr', 'ridge'"):
        lesion_symptom(patients, score="fluency", predictor="lasso")


def planted_network():
    """Make a network whose choices hang on feature 5 of fc1 alone, for two seeds."""
    model = load_model("builtin:small_convnet?seeds=0,1", layers=["fc1", "fc2"])
    with torch.no_grad():
        for subject in model.subjects:
            net = model.module(subject)
            net.fc1.bias[5] = 3.0
            net.fc2.weight.zero_()
            net.fc2.bias.zero_()
            net.fc2.weight[3, 5] = 4.0
    return model


def test_the_same_estimator_finds_the_unit_a_network_hangs_on() -> None:
    """Lesions that hold feature 5 cost the probability of a 3; every seed's map finds it alone."""
    stimuli = demo_stimuli(*digit_images()).where("digit", "3")
    found = lesion_symptom(
        planted_network(), task=TASK, stimuli=stimuli, region="fc1",
        kind="zero", n_lesions=80, predictor="ridge", n_permutations=50,
    )  # fmt: skip
    assert not isinstance(found, NotMeasurable), found.reason
    assert found.parameters["origin"] == "simulated" and found.kind == "model"
    assert found.subjects == ("seed0", "seed1") and found.regions == ("fc1",)
    for subject in found.subjects:
        one = found.data.sel(subject=subject, region="fc1")
        assert str(one["unit"].values[one["statistic"].values.argmin()]) == "5"
        assert one["unit"].values[one["p_corrected"].values < 0.05].tolist() == ["5"]
        assert one["value"] > 0.5


def test_a_score_that_no_lesion_changes_has_no_map() -> None:
    """Nothing to explain is a reason in words, not a map of zeros."""
    model = load_model("builtin:small_convnet", layers=["fc1", "fc2"])
    with torch.no_grad():
        model.module().fc2.weight.zero_()
    stimuli = demo_stimuli(*digit_images(), n_each=2)
    found = lesion_symptom(model, task=TASK, stimuli=stimuli, region="fc1", n_lesions=4)
    assert isinstance(found, NotMeasurable) and "nothing to map" in found.reason


@pytest.mark.slow
def test_stroke_severity_from_territories(require: Callable[[object, str], None]) -> None:
    """906 persons with an age and a score: territories, age and volume foretell it better."""
    try:
        human = brains_of(load_dataset("absher2024"))[0]
    except ResourceError as error:
        require(None, str(error))
    answer = lesion_symptom(
        human, score="NIHSS", covariates=("lesion_size", "age"), predictor="svr", n_permutations=50
    )
    found = answer.data.isel(subject=0, region=0)
    assert int(found["n"]) >= 906
    assert float(found["value"]) > 0.5
    # Severity grows with damage: the strongest territory has a positive t beyond chance.
    assert float(found["statistic"].max()) > float(found["threshold"])
