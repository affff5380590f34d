"""Known answers: a rotated copy, independent noise, and a planted module, end to end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.analyses.algorithm.responses import responses
from neuroai.analyses.implementation.dose_curve import dose_curve
from neuroai.analyses.implementation.localiser import contrast_half, element_means, localise
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.experiment.lesioned import ACCURACY, RDM_MATCH, AfterLesion, asker, masked_activity
from neuroai.format.answers import Answer
from neuroai.format.holdings import SystemData
from neuroai.format.scores import Score
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.distances import correlation_distance
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.systems.brain import Recorded
from neuroai.testing import EQUAL, STANDARD_ERRORS, contrast_brain, random_recording

RDM_METRICS = [e.card.name for e in METRICS.entries() if e.card.compares == "rdm"]
ROTATION_BLIND = [*RDM_METRICS, "cka-debiased"]
# Distances of noise are all above 0, so that their cosines are too; shapes resemble each other.
CENTRED = [name for name in ROTATION_BLIND if METRICS.get(name).card.chance == 0]
CONTEXT = Context(level="algorithm", dataset="known", candidate_kind="model")
N_STIMULI, N_SUBJECTS, N_DRAWS = 24, 8, 20


def noise(seed: int, *, n_subjects: int = N_SUBJECTS, n_units: int = 30) -> Recorded:
    """Make subjects of independent noise."""
    parts = tuple(
        random_recording(
            n_stimuli=N_STIMULI, n_units=n_units, subject=f"s{i}", seed=1000 * seed + i
        )
        for i in range(n_subjects)
    )
    return brain(parts)


def brain(recordings: tuple) -> Recorded:
    """Make a brain of these recordings."""
    table = pd.DataFrame({"stimulus_id": sorted(set(recordings[0].stimulus_id.values))})
    data = SystemData(name="known", kind="brain", species="none", recordings=recordings)
    return Recorded(data=data, stimuli=stimulus_set(table, name="noise"))


def answer(system: Recorded, metric: str) -> Answer:
    """Ask the question whose answers the metric compares."""
    if METRICS.get(metric).card.compares == "rdm":
        return rdm(system, distance="squared-euclidean")
    return responses(system)


def score(one: Recorded, other: Recorded, metric: str) -> Score:
    """Score one system against another."""
    inference = Inference(n_bootstrap=200, n_null=0, seed=0)
    (found,) = compare(
        answer(one, metric), answer(other, metric), metric=metric, context=CONTEXT,
        inference=inference,
    )  # fmt: skip
    return found


def rotated(system: Recorded, *, scale: float = 1.0) -> Recorded:
    """Turn the units of every recording by a random rotation, and shift, scale and shuffle."""
    parts = []
    for seed, shown in enumerate(system.data.recordings):
        rng = np.random.default_rng(seed)
        rotation = np.linalg.qr(rng.normal(size=(shown.sizes["unit"],) * 2))[0]
        values = scale * shown.values @ rotation + rng.normal(size=shown.sizes["unit"])
        order = rng.permutation(len(values))
        parts.append(shown.copy(data=values).isel(presentation=order))
    return replace(system, data=replace(system.data, recordings=tuple(parts)))


@pytest.mark.parametrize("metric", ROTATION_BLIND)
def test_rotated_copy_scores_one(metric: str) -> None:
    """Rotated, shifted and shuffled, a subject is itself to every metric blind to rotation."""
    one = noise(1, n_subjects=1)
    assert score(one, rotated(one), metric).value == pytest.approx(1, abs=EQUAL)
    assert score(one, rotated(one, scale=3.0), metric).value == pytest.approx(1, abs=EQUAL)


@pytest.mark.parametrize("metric", ROTATION_BLIND)
def test_another_system_does_not_score_one(metric: str) -> None:
    """The score of 1 is the copy's: independent noise stays well below it."""
    assert score(noise(1, n_subjects=1), noise(2, n_subjects=1), metric).value < 0.99


def test_rotation_is_seen_by_the_correlation_distance() -> None:
    """Patterns centred over units are not blind to rotation: the known answer is a real one."""
    one = noise(1, n_subjects=1)
    turned = rdm(rotated(one), distance="correlation").data["rdm"].values
    assert np.abs(turned - rdm(one, distance="correlation").data["rdm"].values).max() > 0.1


@pytest.mark.parametrize("metric", CENTRED)
def test_independent_noise_scores_zero_within_its_interval(metric: str) -> None:
    """Over seeded draws the mean score is 0 within 4 errors and intervals cover 0 as they say."""
    scores = [score(noise(2 * s), noise(2 * s + 1, n_subjects=1), metric) for s in range(N_DRAWS)]
    values = np.array([found.value for found in scores])
    covered = sum(found.ci_low <= 0 <= found.ci_high for found in scores)
    error = values.std(ddof=1) / np.sqrt(N_DRAWS)
    assert abs(values.mean()) < STANDARD_ERRORS * error
    # Fewer than this many of 20 intervals at 95 % happen once in 30,000, as do 4 errors.
    assert covered >= stats.binom.ppf(stats.norm.cdf(-STANDARD_ERRORS), N_DRAWS, 0.95)
    assert all(found.ci_low < found.value < found.ci_high for found in scores)


def planted(seed: int, *, effect: float) -> tuple[dict, set[int]]:
    """Localise a module, lesion it virtually, and give its curves with what was selected."""
    system, contrast = contrast_brain(
        n_stimuli=80, n_units=200, n_planted=10, effect=effect, seed=seed
    )
    (found,) = localise(system, contrast=contrast)
    ids, values, _, _ = element_means(next(system.recordings()))
    labels = system.stimuli.column(contrast.column, ids).astype(object)
    half = contrast_half({k: v == "1" for k, v in zip(ids, labels, strict=True)}, seed=0)
    train = np.array([half[key] for key in ids])
    # A second subject's region with the same module is what the representation is matched to.
    other = np.random.default_rng([seed, 5]).normal(size=(80, 200))
    other[:, :10] += effect * (labels == "1")[:, None]
    questions = AfterLesion(
        train=train,
        test=~train,
        labels=labels,
        option_names=("0", "1"),
        brain_rdms=to_vector(np.asarray(correlation_distance(other[~train])))[None],
        judgements=None,
        method="pearson",
        distance="correlation",
    )
    activity_of = masked_activity(values, train=train, kind="mean", strength=1.0, seed=seed)
    curves = dose_curve(
        asker(activity_of, questions),
        targets=tuple(int(place) for place in found.selected),
        elements=range(200),
        doses=(0.2, 0.5, 1.0),
        seed=seed,
    )
    return curves, set(found.selected.tolist())


@pytest.mark.parametrize("seed", range(3))
def test_planted_module_is_found_by_localiser_and_lesion(seed: int) -> None:
    """The module is selected; without it behaviour and representation fall, as no control does."""
    curves, selected = planted(seed, effect=2.0)
    assert selected == set(range(10))
    accuracy, match = curves[ACCURACY], curves[RDM_MATCH]
    assert accuracy["baseline"] > 0.9 and match["baseline"] > 0.3
    # Half of the stimuli are faces: without the module the readout guesses.
    assert abs(accuracy["targeted"][-1] - 0.5) < STANDARD_ERRORS * np.sqrt(0.25 / 40)
    assert abs(match["targeted"][-1]) < STANDARD_ERRORS / np.sqrt(40)
    assert accuracy["controls"].min() > 0.85
    for curve in (accuracy, match):
        assert curve["p"][-1] == 1 / 101
        assert (np.diff(curve["targeted"]) <= 0).all()
        assert curve["targeted"][-1] < curve["targeted"][0]


def test_nothing_planted_nothing_found() -> None:
    """Without a module the lesion of what was selected is one of many: its p is not small."""
    p = [planted(seed, effect=0.0)[0][RDM_MATCH]["p"][-1] for seed in range(10)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
