"""How networks are scored on benchmarks, with controls and others in their place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from neuroai.cards import BenchmarkCard
from neuroai.errors import UnknownName, UsageError
from neuroai.experiment import benchmark_lesions, benchmark_scores, benchmarks
from neuroai.experiment.benchmark_files import (
    benchmark,
)
from neuroai.experiment.benchmarks import run_benchmarks
from neuroai.experiment.options import Part
from neuroai.format.build import behaviour
from neuroai.format.holdings import SystemData
from neuroai.format.results import DoseCurve
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded

EXACT = 1e-10  # float64 algebra
NAME = "toy-it-rdm"
FACTS = {
    "name": NAME,
    "level": "algorithm",
    "question": "Is the geometry that of human IT?",
    "dataset": "kriegeskorte2008",
    "system": "human",
    "regions": ["IT"],
    "analysis": "rdm",
    "metric": "rdm-spearman",
    "chance": 0.0,
    "citation": "nobody",
    "version": "1",
    "parameters": {"distance": "correlation"},
}


def test_unknown_benchmarks_get_the_near_miss_before_anything_is_loaded():
    """A misspelt benchmark is told although the network does not exist either."""
    with pytest.raises(UnknownName, match="Did you mean 'kriegeskorte2008-it-rdm'"):
        run_benchmarks("kriegeskorte2008-it-rmd", "builtin:none")
    with pytest.raises(UsageError, match="at least one benchmark and one network"):
        run_benchmarks("kriegeskorte2008-it-rdm", [])


def _network(**parts: nn.Module) -> nn.Module:
    network = nn.Sequential()
    for name, part in parts.items():
        network.add_module(name, part)
    network.preprocess = lambda image: torch.zeros(3)
    return network


def test_every_network_gets_a_twin_unless_a_control_is_given():
    """Twins are named after their networks; given controls are enough."""
    from neuroai.systems.load import load_model

    model = load_model(_network(fc=nn.Linear(3, 2)), name="mine")
    networks, reasons = benchmarks._with_controls([model], device="cpu")
    assert [(n.name, n.untrained) for n in networks] == [
        ("mine", False), ("mine (untrained)", True)
    ]  # fmt: skip
    assert reasons == {} and networks[1].subjects == ("seed0",)
    given, _ = benchmarks._with_controls([model, networks[1].system], device="cpu")
    assert [n.name for n in given] == ["mine", "mine (untrained)"]


class _Stuck(nn.Module):
    """Holds parameters that it does not know how to draw."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * self.weight


def test_without_a_twin_the_control_row_says_why(tmp_path):
    """Weights that cannot be drawn anew, and activations on disk, give a row with the reason."""
    from neuroai.systems.load import load_model

    stuck = load_model(_network(stuck=_Stuck()), name="stuck")
    np.savez(tmp_path / "acts.npz", stimulus_id=np.array(["a", "b"]), fc=np.eye(2))
    sources = [stuck, f"acts:{tmp_path / 'acts.npz'}"]
    networks, reasons = benchmarks._with_controls(sources, device="cpu")
    assert len(networks) == 2 and len(reasons) == 2
    card = benchmark("kriegeskorte2008-it-rdm").card
    rows = benchmarks._stamped(benchmarks._uncontrolled(card, reasons), card).scores
    assert [row.candidate_kind for row in rows] == ["untrained", "untrained"]
    assert "reset_parameters" in rows[0].note and "no network at hand" in rows[1].note
    assert {row.benchmark_version for row in rows} == {"kriegeskorte2008-it-rdm@1"}
    assert rows[0].history["chance"] == card.chance


OPTIONS = ("cat", "dog")
PEOPLE = ("p1", "p2", "p3")


def _people(correct: np.ndarray) -> Recorded:
    """Persons (rows) who are right on some stimuli (columns)."""
    ids = [f"s{i:02d}" for i in range(correct.shape[1])]
    truth = [OPTIONS[i % 2] for i in range(len(ids))]
    table = pd.DataFrame({"stimulus_id": ids, "truth": truth, "shape": truth})
    table["texture"] = [OPTIONS[1 - OPTIONS.index(name)] for name in truth]
    chosen = np.where(correct.astype(bool), table["shape"], table["texture"])
    trials = behaviour(
        {
            "subject": np.repeat(PEOPLE, len(ids)),
            "stimulus_id": ids * len(PEOPLE),
            "choice": chosen.ravel(),
            "truth": truth * len(PEOPLE),
        },
        system="human", kind="brain", stimulus_set="toy", task="naming", options=OPTIONS,
    )  # fmt: skip
    data = SystemData("human", "brain", "Homo sapiens", behaviour=(trials,))
    return Recorded(data=data, stimuli=stimulus_set(table, name="toy"))


def _asked_people(correct: np.ndarray, analysis: str, metric: str):
    from neuroai.cards import ChoiceTask
    from neuroai.comparison.statistics.inference import Inference

    card = BenchmarkCard(
        **{**FACTS, "level": "computation", "analysis": analysis, "metric": metric,
           "regions": (), "parameters": {"task": "naming"}}
    )  # fmt: skip
    brain = _people(correct)
    from neuroai.analyses.catalogue import analysis as find

    task = ChoiceTask(name="naming", options=OPTIONS, truth="truth")
    answer = find(analysis).function(brain, task=task)
    context = benchmark_scores.context_of(card, "subject")
    return benchmark_scores._subject_row(answer, card, context, Inference(n_bootstrap=200))


def test_another_subject_is_the_mean_kappa_of_all_pairs():
    """The row equals the mean of scikit-learn's kappa over the pairs of persons."""
    from sklearn.metrics import cohen_kappa_score

    correct = np.random.default_rng(3).random((3, 40)) < 0.6
    row = _asked_people(correct, "choices", "error-consistency")
    kappas = [cohen_kappa_score(correct[i], correct[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert row.value == pytest.approx(np.mean(kappas), abs=EXACT)
    assert row.candidate_kind == "subject" and row.model == "another human subject"
    assert row.ci_low < row.value < row.ci_high and np.isnan(row.p)
    assert row.pairs.sizes == {"subject": 3, "model_subject": 1}
    assert row.ceiling_low == pytest.approx(row.value, abs=EXACT)


def test_signed_differences_among_persons_cancel_and_say_so():
    """Everyone's bias less the others' is zero in the mean; the interval is not."""
    correct = np.random.default_rng(4).random((3, 40)) < [[0.9], [0.6], [0.3]]
    row = _asked_people(correct, "shape_bias", "shape-bias-difference")
    assert row.value == pytest.approx(0.0, abs=EXACT) and row.ci_high > 0.05
    assert "cancel among subjects" in row.note


def test_pairs_without_a_kappa_are_left_out_and_counted():
    """Two persons who are always right have no kappa; that is counted, never 0."""
    correct = np.random.default_rng(5).random((3, 40)) < 0.6
    correct[0] = correct[1] = True
    row = _asked_people(correct, "choices", "error-consistency")
    assert row.status == "ok" and row.n_undefined == 4  # two pairs of persons, two diagonals
    correct[2] = True
    assert _asked_people(correct, "choices", "error-consistency").status == "undefined"


def _curve(seed: str, *, targeted: float, controls: list[float]) -> DoseCurve:
    nothing = np.full(2, np.nan)
    return DoseCurve(
        system=f"net ({seed})", kind="model", region="conv", level="algorithm",
        measure="RDM match", lesion="mean", origin="simulated", baseline=0.5,
        doses=np.array([0.1, 1.0]), targeted=np.array([0.5, targeted]),
        controls=np.array([[0.5] * len(controls), controls]), p=nothing,
        n_targets=np.array([1, 4]), ci_low=nothing, ci_high=nothing,
    )  # fmt: skip


def _lesion_score(*curves: DoseCurve):
    card = benchmark("kriegeskorte2008-face-lesion").card
    base = {
        "level": card.level, "analysis": "dose_curve", "metric": "m", "dataset": card.dataset,
        "stimulus_set": "s", "brain_region": "human IT", "model": "net",
        "candidate_kind": "model",
    }  # fmt: skip
    answer = type("A", (), {"subjects": ("a",), "stimuli": ("s1",)})
    return benchmark_lesions._score(curves, card, answer, base)


def test_specificity_is_controls_less_target():
    """By hand: controls .4 to .5, target .3 (.2 and .4 in two seeds), one control as low."""
    one = _lesion_score(_curve("a", targeted=0.3, controls=[0.4, 0.5, 0.3, 0.4]))
    assert one.value == pytest.approx(0.1, abs=EXACT)
    assert one.p == pytest.approx(2 / 5, abs=EXACT) and one.n_null == 4
    assert one.history["baseline"] == 0.5 and one.history["n_targets"] == 4
    assert one.ci_low <= one.value <= one.ci_high
    two = _lesion_score(
        _curve("a", targeted=0.2, controls=[0.4, 0.4]),
        _curve("b", targeted=0.4, controls=[0.2, 0.6]),
    )
    # Mean over seeds: target .3, controls .3 and .5.
    assert two.value == pytest.approx(0.1, abs=EXACT)
    assert two.p == pytest.approx(2 / 3, abs=EXACT) and two.n_model_subjects == 2
    assert _lesion_score(_curve("a", targeted=np.nan, controls=[0.4, 0.5])).status == "undefined"


def test_methods_speak_only_of_what_was_asked():
    """Lesions and layers are described where a benchmark has them, and not elsewhere."""
    from neuroai.experiment.options import Options
    from neuroai.format.holdings import Holdings
    from neuroai.sources.catalogue import DATASETS

    def words(name: str) -> str:
        card = benchmark(name).card
        data = DATASETS.get(card.dataset).card
        held = {
            card.dataset: Holdings(card=data, stimuli=_people(np.ones((3, 4))).stimuli, systems=())
        }
        return " ".join(benchmarks._methods([card], held, Options()))

    assert "Lesions:" in words("kriegeskorte2008-face-lesion")
    rdms = words("kriegeskorte2008-it-rdm")
    assert "Best layer:" in rdms and "Lesions:" not in rdms
    choices = words("geirhos2019-error-consistency")
    assert "Representations:" not in choices
    assert "Benchmark geirhos2019-error-consistency@1:" in choices


def test_stamps_reach_every_score():
    """Level, version and chance are written into the scores of any part."""
    card = benchmark("geirhos2019-shape-bias").card
    part = benchmarks._uncontrolled(card, {"x": "for a reason"})
    (score,) = benchmarks._stamped(part + Part(), card).scores
    assert score.benchmark_version == "geirhos2019-shape-bias@1"
    assert score.history == {"benchmark": card.name, "version": "1", "chance": card.chance}
