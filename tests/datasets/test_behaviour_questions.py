"""Questions about behaviour put to real data: published numbers, and numbers counted apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from sklearn.metrics import cohen_kappa_score

from neuroai.analyses.computation.accuracy import accuracy
from neuroai.analyses.computation.choices import choices
from neuroai.analyses.computation.oddity import oddity
from neuroai.analyses.computation.psychometric import psychometric
from neuroai.analyses.computation.rational_models import rational_models
from neuroai.analyses.computation.reaction_time import reaction_time
from neuroai.analyses.computation.word_regression import word_regression
from neuroai.cards import ChoiceTask
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.format.holdings import Holdings
from neuroai.numerics.agreement import cohen_kappa, kappa_bounds
from neuroai.numerics.kappa_bootstrap import bootstrap_kappa
from neuroai.numerics.sigmoids import psychometric_function
from neuroai.sources.download import fetch_listed
from neuroai.systems.brain import brains_of, published_networks

EXACT = 1e-10  # float64 algebra in another order
PRINTED = 5e-4  # half a unit of the third printed digit
COARSE = 5e-3  # half a unit of the second
EXPERIMENTS = (
    "colour", "contrast", "cue-conflict", "edge", "eidolonI", "eidolonII", "eidolonIII",
    "false-colour", "high-pass", "low-pass", "phase-scrambling", "power-equalisation",
    "rotation", "silhouette", "sketch", "stylized", "uniform-noise",
)  # fmt: skip
FEW = Inference(n_bootstrap=200, n_null=0)
CONTEXT = Context(level="computation", dataset="published")


@pytest.fixture(scope="module")
def persons(holdings_of: Callable[[str], Holdings]):
    """Give the humans of the 17 experiments."""
    return brains_of(holdings_of("geirhos2021"))[0]


def trials_of(persons, experiment: str) -> pd.DataFrame:
    """Give the trials of an experiment as they were read."""
    table = next(b for b in persons.data.behaviour if b.attrs["task"] == experiment)
    frame = table.to_dataframe()
    return frame.assign(correct=frame["correct"].astype(float))


def task_of(persons, name: str) -> ChoiceTask:
    """Give a task by name."""
    return next(task for task in persons.holdings.tasks if task.name == name)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_accuracy_by_condition_of_every_experiment(experiment: str, persons) -> None:
    """Each observer's share of right choices in each condition, counted apart by pandas."""
    data = accuracy(persons, task=task_of(persons, experiment)).data
    trials = trials_of(persons, experiment)
    expected = trials.groupby(["subject", "condition"])["correct"].mean()
    for (subject, condition), value in expected.items():
        found = data.value_by_condition.sel(subject=subject, condition=condition)
        assert found.item() == pytest.approx(value, abs=EXACT)
    assert data.n.sum().item() == len(trials)
    overall = trials.groupby("subject")["correct"].mean()
    found = data.value.sel(region="behaviour").to_series()[overall.index]
    np.testing.assert_allclose(found, overall, atol=EXACT)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_consistency_of_every_experiment(experiment: str, persons) -> None:
    """Every pair's kappa is scikit-learn's, within its bounds, and its interval holds it."""
    answer = choices(persons, task=task_of(persons, experiment))
    right = answer.data["correct"].sel(region="behaviour").values
    found = cohen_kappa(right, right)
    pairs = list(itertools.combinations(range(len(right)), 2))
    expected = [cohen_kappa_score(right[i], right[j]) for i, j in pairs]
    np.testing.assert_allclose([found[pair] for pair in pairs], expected, atol=EXACT)
    p = right.mean(axis=1)
    low, high = kappa_bounds(p[:, None], p[None])
    assert all(low[pair] <= found[pair] <= high[pair] for pair in pairs)
    samples = bootstrap_kappa(right, n_samples=500, rng=np.random.default_rng(0)).mean(axis=1)
    ends = np.quantile(samples, [0.025, 0.975])
    assert ends[0] < np.mean(expected) < ends[1]
    # People agree beyond their accuracies in every experiment.
    assert ends[0] > 0.2
    if experiment == "cue-conflict":
        assert np.mean(expected) == pytest.approx(0.331, abs=PRINTED)


def test_consistency_with_a_network_has_interval_null_and_bound(
    holdings_of: Callable[[str], Holdings],
) -> None:
    """ResNet-50 with ten people: kappa .068 as published, and what the accuracies allow."""
    holdings = holdings_of("geirhos2019")
    human = brains_of(holdings)[0]
    network = next(n for n in published_networks(holdings) if n.name == "resnet50")
    task = next(t for t in holdings.tasks if t.name == "cue-conflict")
    (score,) = compare(
        choices(human, task=task), choices(network, task=task), metric="error-consistency",
        context=CONTEXT, inference=Inference(n_bootstrap=200, n_null=99),
    )  # fmt: skip
    assert score.value == pytest.approx(0.068, abs=PRINTED)
    assert score.ci_low < score.value < score.ci_high and score.p == pytest.approx(0.01)
    assert score.ceiling_low == pytest.approx(0.331, abs=PRINTED)
    shares = [accuracy(s, task=task).data.value.mean().item() for s in (human, network)]
    assert f"accuracies of {shares[0]:.2f} and {shares[1]:.2f} allow kappa from" in score.note


def test_response_times_are_kept_for_people_and_missing_for_networks(
    holdings_of: Callable[[str], Holdings],
) -> None:
    """Wrong choices take longer, in every person; published networks took no time."""
    holdings = holdings_of("geirhos2019")
    human = brains_of(holdings)[0]
    network = next(n for n in published_networks(holdings) if n.name == "resnet50")
    task = next(t for t in holdings.tasks if t.name == "edges")
    by = reaction_time(human, task=task).data.value_by_outcome.sel(region="behaviour")
    assert (by.sel(outcome="wrong") > by.sel(outcome="right")).all()
    assert 0.3 < by.min() < by.max() < 2  # seconds
    assert "no response time of 'resnet50'" in reaction_time(network, task=task).reason


def test_all_published_regressions_of_words(holdings_of: Callable[[str], Holdings]) -> None:
    """165 slopes, t and gains of log likelihood and AIC; N400 on GPT-2: b -0.074, t -7.01."""
    path = "supplementary_materials/results_linear.csv"
    table = pd.read_csv(fetch_listed("ucl_words_eeg_et_spr", [path])[path], index_col=0)
    names = {name: "s_GPTNeo_2.7B" if name == "s_GPTNeo_large" else name for name in table["iv"]}
    answer = word_regression(
        brains_of(holdings_of("devarda2023"))[0],
        predictors=list(dict.fromkeys(names.values())),
        measures=list(dict.fromkeys(table["dv"])),
    )
    assert len(table) == 165 and set(answer.data.n.values.ravel()) == {1466}
    published = {"value": "b", "t": "t", "gain_of_log_likelihood": "D_llik", "gain_of_aic": "D_AIC"}
    for row in table.itertuples():
        here = answer.data.sel(measure=row.dv, predictor=names[row.iv]).isel(subject=0, region=0)
        for ours, theirs in published.items():
            # Differences of log likelihoods of thousands lose four digits.
            got = here[ours].item()
            assert got == pytest.approx(getattr(row, theirs), rel=1e-8, abs=1e-8), row
    one = answer.data.sel(measure="N400", predictor="s_GPT2")
    assert one.value.item() == pytest.approx(-0.074, abs=PRINTED)
    assert one.t.item() == pytest.approx(-7.01, abs=COARSE)


@pytest.fixture(scope="module")
def oddities(holdings_of: Callable[[str], Holdings]):
    """Give the persons, monkeys and network of the oddity study by name."""
    holdings = holdings_of("bonnen2021")
    return {s.name: s for s in (*brains_of(holdings), *published_networks(holdings))}


def test_oddity_of_people_monkeys_and_published_layers(oddities) -> None:
    """Means on the same 179 trials; all of them are published, none is computed here."""
    answers = {name: oddity(system) for name, system in oddities.items()}
    assert {answer.origin for answer in answers.values()} == {"published"}
    assert {answer.data.sizes["stimulus"] for answer in answers.values()} == {179}
    means = {
        (name, region): answer.data.value.sel(region=region).item()
        for name, answer in answers.items()
        for region in answer.regions
    }
    table = pd.read_csv(
        fetch_listed("bonnen_mtl_lesion", ["high-throughput/human_performance.csv"])[
            "high-throughput/human_performance.csv"
        ]
    )
    for key, column in (
        (("human", "behaviour"), "human"), (("monkey", "IT"), "it"), (("vgg16", "fc6"), "fc6"),
    ):  # fmt: skip
        assert means[key] == pytest.approx(table[column].mean(), abs=EXACT)
    assert means["human", "behaviour"] > means["vgg16", "fc6"] > means["monkey", "V4"]


@pytest.mark.parametrize(
    ("system", "region", "published"),
    [("monkey", "IT", 0.53), ("monkey", "V4", 0.15), ("vgg16", "fc6", 0.49)],
)
def test_hard_trials_are_hard_for_people_and_layers(
    system: str, region: str, published: float, oddities
) -> None:
    """The correlation over trials of accuracies, to the second digit."""
    human, other = oddity(oddities["human"]), oddity(oddities[system]).restrict(regions=[region])
    (score,) = compare(human, other, metric="signature-correlation", context=CONTEXT, inference=FEW)
    assert score.value == pytest.approx(published, abs=COARSE)
    assert score.history["model_origin"] == "published"


def test_lesioned_people_stand_beside_published_layers(oddities) -> None:
    """Faces of Lee 2005: people without a medial temporal lobe are worse than others, and so are
    most layers of the network, which met the same faces."""
    people = oddity(oddities["human"], by="experiment")
    layers = oddity(oddities["vgg16"], by="experiment")
    assert people.origin == layers.origin == "published"
    shared = set(people.data.experiment.values) & set(layers.data.experiment.values)
    assert shared == {
        "Lee 2005: faces", "Lee 2005: novel objects", "Lee 2005: familiar objects",
        "Stark 2000: faces",
    }  # fmt: skip
    faces = people.data.value_by_experiment.sel(region="behaviour", experiment="Lee 2005: faces")
    known = faces.notnull().values
    lesion = people.data.intervention.values[known].astype(str)
    values = faces.values[known]
    lobe = values[lesion == "medial temporal lobe damage"]
    hippocampus, intact = values[lesion == "hippocampal damage"], values[lesion == "none"]
    assert len(lobe) == 3 and len(intact) == 21
    assert lobe.max() < np.median(intact) and hippocampus.mean() > lobe.mean()
    theirs = layers.data.value_by_experiment.sel(
        subject="group", experiment="Lee 2005: faces"
    ).dropna("region")
    assert theirs.sizes["region"] > 10
    assert (theirs < intact.mean()).mean() > 0.5
    assert theirs.sel(region="conv1_1").item() == pytest.approx(0.4, abs=EXACT)


@pytest.fixture(scope="module")
def mice(holdings_of: Callable[[str], Holdings]):
    """Give the mice of the laser study."""
    return brains_of(holdings_of("cazemier2024"))[0]


def test_laser_latency_curves(mice) -> None:
    """The later the laser, the more is right: the curve's middle, by another optimiser too."""
    task = task_of(mice, "phase")
    intact = accuracy(mice, task=task).data
    assert intact.value.mean().item() > 0.7
    rows = next(b for b in mice.data.behaviour if b.attrs["task"] == "phase").to_dataframe()
    lapse = 1 - rows.loc[rows["intervention"] == "none", "correct"].mean()
    answer = psychometric(
        mice, task=task, level="latency", under="each", pool=True, guess=None, lapse=lapse,
        most_guess=0.7, n_samples=200,
    )  # fmt: skip
    data = answer.data.isel(subject=0, region=0)
    laser = rows[rows["intervention"] != "none"].dropna(subset=["correct"])
    counted = laser.groupby("latency")["correct"].agg(["sum", "count"])
    np.testing.assert_allclose(data.share_by_level, counted["sum"] / counted["count"], atol=EXACT)
    x, k, n = counted.index.to_numpy(), counted["sum"].to_numpy(), counted["count"].to_numpy()

    def loss(v):
        p = psychometric_function(x, threshold=v[0], width=v[1], lapse=lapse, guess=v[2])
        return -(k * np.log(p) + (n - k) * np.log(1 - p)).sum()

    best = min(
        (
            optimize.minimize(loss, [m, 0.1, 0.5], method="L-BFGS-B",
                              bounds=[(-0.05, 0.28), (0.0034, 0.66), (0.0, 0.7)])
            for m in (0.08, 0.13, 0.17)
        ),
        key=lambda found: found.fun,
    )  # fmt: skip
    assert loss([data.value.item(), data.width.item(), data.guess.item()]) <= best.fun + 1e-6
    # The middle is seen to the accuracy of either optimiser along a flat likelihood.
    assert data.value.item() == pytest.approx(best.x[0], abs=2e-3)
    low, high = data.interval.sel(parameter="threshold").values
    assert 0 < low < data.value.item() < high < 0.25  # seconds
    assert data.deviance_p.item() > 0.05


def test_psychometric_curve_of_the_background(mice) -> None:
    """The stronger the background, the harder the figure: shares are counted, and the fit falls."""
    task = ChoiceTask(
        name="orientation, trials left out by the authors", options=("left", "right"),
        truth="side", where=("task", "orientation"),
    )  # fmt: skip
    answer = psychometric(
        mice, task=task, level="bgcontrasts", pool=True, decreasing=True, most_lapse=0.4,
        n_samples=100,
    )  # fmt: skip
    data = answer.data.isel(subject=0, region=0)
    rows = next(b for b in mice.data.behaviour if b.attrs["task"] == task.name).to_dataframe()
    rows = rows[rows["intervention"] == "none"].dropna(subset=["correct"])
    expected = rows.groupby("bgcontrasts")["correct"].mean()
    np.testing.assert_allclose(data.share_by_level, expected, atol=EXACT)
    curve = data.curve_by_place.values
    assert (np.diff(curve) <= 0).all() and curve[0] > 0.8 > 0.74 > curve[-1] > 0.6
    assert data.deviance_p.item() > 0.05
    assert 0.05 < data.lapse.item() < 0.25


def test_mice_go_by_the_figure_not_by_the_last_trial(mice) -> None:
    """Held out, an ideal observer with lapses predicts every mouse better than win-stay."""
    answer = rational_models(
        mice, task=task_of(mice, "orientation"), models=("ideal", "win-stay"), n_folds=2
    )
    bits = answer.data.value.sel(region="behaviour")
    trained = answer.data.n.sel(region="behaviour") >= 300
    gain = bits.sel(model="ideal") - bits.sel(model="win-stay")
    assert trained.sum() >= 4 and (gain.values[trained.values] > 0).all()


def test_noise_thresholds_of_people(persons) -> None:
    """Four people name objects in noise alike: thresholds close together, functions that fit."""
    answer = psychometric(
        persons, task=task_of(persons, "uniform-noise"), level="condition", decreasing=True,
        most_lapse=0.3, n_samples=200,
    )  # fmt: skip
    data = answer.data.sel(region="behaviour")
    trials = trials_of(persons, "uniform-noise")
    expected = trials.groupby(["subject", trials["condition"].astype(float)])["correct"].mean()
    for (subject, level), value in expected.items():
        found = data.share_by_level.sel(subject=subject, level=level).item()
        assert found == pytest.approx(value, abs=EXACT)
    assert answer.parameters["guess"] == 1 / 16
    low, high = (data.interval.sel(parameter="threshold", end=end) for end in ("low", "high"))
    # Noise of this width has halved what is left of the choice between guessing and lapsing.
    assert (low > 0.2).all() and (high < 0.4).all()
    assert (data.deviance_p > 0.01).all() and not data.undetermined.any()
