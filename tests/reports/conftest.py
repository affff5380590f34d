"""Synthetic results: all three levels on both sides, with any names a test wants."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from neuroai.format.answers import Answer, rdm_answer
from neuroai.format.results import DoseCurve, LocaliserResult, NotMeasured, Results, TruthLine
from neuroai.format.scores import Score

SUBJECTS = ("s1", "s2", "s3", "s4")
CATEGORIES = ("animal", "body", "face", "fruit", "place", "tool")


def _pairs(rng: np.random.Generator, value: float, seeds: int) -> xr.DataArray:
    return xr.DataArray(
        value + rng.normal(0, 0.03, (len(SUBJECTS), seeds)),
        dims=("subject", "model_subject"),
        coords={"subject": list(SUBJECTS), "model_subject": [f"seed-{i}" for i in range(seeds)]},
    )


def _score(level: str, analysis: str, metric: str, region: str, **more: object) -> Score:
    value = more.get("value", math.nan)
    half = more.pop("half", 0.04)
    given = {"model": "net", "model_region": "", "candidate_kind": "model", **more}
    if given.get("status", "ok") == "ok":
        given = {"ci_low": value - half, "ci_high": value + half, **given}
    return Score(
        level,
        analysis,
        metric,
        "toy2020",
        "objects",
        region,
        n_stimuli=92,
        n_brain_subjects=4,
        n_model_subjects=1,
        resampled="stimuli+subjects",
        **given,
    )


def _grid(rng, model, kind, regions, layers, top) -> list[Score]:
    scores = []
    for at, region in enumerate(regions):
        peak = (0.35 + 0.35 * at) * len(layers)
        for index, layer in enumerate(layers):
            shape = math.exp(-(((index - peak) / (0.45 * len(layers))) ** 2))
            value = 0.02 + top * shape + rng.normal(0, 0.008)
            for metric, extra in (("rdm-spearman", 0.0), ("rdm-cosine", 0.3)):
                scores.append(
                    _score(
                        "algorithm",
                        "rdm",
                        metric,
                        region,
                        model=model,
                        model_region=layer,
                        candidate_kind=kind,
                        value=value + extra,
                        ceiling_low=0.379 + extra,
                        ceiling_high=0.6 + extra,
                        p=0.001 if top > 0.1 else 0.4,
                        null="stimulus labels",
                        n_null=1000,
                    )
                )
        layer = layers[min(int(peak), len(layers) - 1)]
        scores.append(
            _score(
                "algorithm",
                "rdm",
                "rdm-spearman",
                region,
                model=model,
                model_region=layer,
                candidate_kind=kind,
                value=top * 0.97,
                ceiling_low=0.379,
                ceiling_high=0.6,
                p=0.001 if top > 0.1 else 0.31,
                null="stimulus labels",
                n_null=1000,
                selected=True,
                note="uncalibrated: fewer than 8 subjects",
                pairs=_pairs(rng, top, 3),
            )
        )
    return scores


def _rdms(rng, n, subjects, regions, signal) -> np.ndarray:
    group = np.arange(n) % len(CATEGORIES)
    unlike = (group[:, None] != group[None, :]).astype(float)
    noise = rng.normal(0, 0.25, (len(subjects), len(regions), n, n))
    values = signal * unlike + (noise + noise.transpose(0, 1, 3, 2)) / 2 + 1
    values[:, :, range(n), range(n)] = 0
    return values


def _confusion(rng, system, kind, subjects, accuracy, names) -> Answer:
    n = len(CATEGORIES)
    rows = np.full((n, n), (1 - accuracy) / (n - 1))
    np.fill_diagonal(rows, accuracy)
    counts = np.stack([[rng.multinomial(40, row) for row in rows] for _ in subjects])
    data = xr.Dataset(
        {"confusion": (("subject", "region", "truth", "choice"), counts[:, None].astype(float))},
        coords={
            "subject": np.asarray(subjects, object),
            "region": np.asarray(["behaviour"], object),
            "truth": np.asarray(names, object),
            "choice": np.asarray(names, object),
        },
    )
    return Answer("confusion", data, "confusion", {}, system, kind, "objects")


def _accuracy(rng, system, kind, subjects, mean) -> Answer:
    values = mean + rng.normal(0, 0.03, (len(subjects), 1))
    data = xr.Dataset(
        {"value": (("subject", "region"), values)},
        coords={
            "subject": np.asarray(subjects, object),
            "region": np.asarray(["behaviour"], object),
        },
    )
    return Answer("table", data, "accuracy", {}, system, kind, "objects")


def _curve(rng, system, kind, region, level, measure, origin, fall) -> DoseCurve:
    doses = np.array([0.1, 0.3, 1.0])
    controls = 0.9 - 0.06 * doses[:, None] + rng.normal(0, 0.02, (3, 100))
    targeted = 0.9 - fall * doses
    return DoseCurve(
        system=system,
        kind=kind,
        region=region,
        level=level,
        measure=measure,
        lesion="mean",
        origin=origin,
        baseline=0.9,
        doses=doses,
        targeted=targeted,
        controls=controls,
        p=np.array([0.12, 0.0198, 0.0099]),
        n_targets=np.array([1, 3, 10]),
        ci_low=targeted - 0.03,
        ci_high=targeted + 0.03,
        note="half A chose the target",
    )


Name = Callable[[str], str]
TWIN = "?init=random&seeds=0,1,2"


def _representation_scores(rng, name: Name, models, twin, regions, layers) -> list[Score]:
    tops = np.linspace(0.34, 0.22, len(models))
    scores = []
    for model, top in zip(models, tops, strict=True):
        scores += _grid(rng, model, "model", regions, layers, float(top))
    scores += _grid(rng, twin, "untrained", regions, layers, 0.05)
    others = {"subject": 0.41, "species": 0.37, "confound": 0.12}
    for region in regions:
        for kind, value in others.items():
            model = name({"species": "monkey"}.get(kind, f"{kind} control"))
            given = {"model": model, "candidate_kind": kind, "value": value}
            scores.append(_score("algorithm", "rdm", "rdm-spearman", region, **given))
    undefined = {"status": "undefined", "note": name("a layer without variance")}
    scores.append(
        _score("algorithm", "cka", "cka-debiased", regions[0], model=models[0], **undefined)
    )
    return scores


def _behaviour_scores(rng, name: Name, model: str, twin: str) -> list[Score]:
    scores = [
        _score(
            "computation",
            "error_consistency",
            "kappa",
            "behaviour",
            model=which,
            candidate_kind="untrained" if which == twin else "model",
            value=value,
            ceiling_low=0.3,
            ceiling_high=0.45,
            pairs=_pairs(rng, value, 3),
            n_undefined=2,
        )
        for which, value in ((model, 0.21), (twin, -0.01))
    ]
    absent = {"status": "not_measurable", "note": name("no cue-conflict images")}
    metric = "shape-bias-difference"
    scores.append(_score("computation", "shape_bias", metric, "behaviour", model=model, **absent))
    return scores


def _lesion_score(name: Name, model: str, layer: str) -> Score:
    done = {"intervention": name("mean"), "dose": 0.3, "value": -0.2, "p": 0.01}
    given = {"model": model, "model_region": layer, **done}
    return _score("implementation", "lesion", "accuracy-change", "behaviour", **given)


def _answers(rng, name: Name, model: str, twin: str, regions, layers, ids) -> list[Answer]:
    seeds = ("seed-0", "seed-1", "seed-2")
    who = {name("human"): ("brain", SUBJECTS, 0.5), model: ("model", seeds[:1], 0.4)}
    who[twin] = ("model", seeds, 0.05)
    answers = []
    for system, (kind, subjects, signal) in who.items():
        areas = regions if kind == "brain" else tuple(layers)
        answers.append(
            rdm_answer(
                _rdms(rng, len(ids), subjects, areas, signal),
                subjects=subjects,
                regions=areas,
                stimuli=ids,
                parameters={"distance": "correlation"},
                system=system,
                kind=kind,
                stimulus_set="objects",
            )
        )
        names = [name(c) for c in CATEGORIES]
        answers.append(_confusion(rng, system, kind, subjects, 0.35 + signal, names))
        answers.append(_accuracy(rng, system, kind, subjects, 0.35 + signal))
    return answers


def _curves(rng, human: str, model: str, region: str, layer: str) -> tuple[DoseCurve, ...]:
    task, match = ("computation", "accuracy"), ("algorithm", "rdm match")
    return (
        _curve(rng, human, "brain", region, *task, "virtual", 0.3),
        _curve(rng, model, "model", layer, *task, "simulated", 0.4),
        _curve(rng, model, "model", layer, *match, "simulated", 0.2),
    )


def _localisers(name: Name, model: str, region: str, layer: str) -> tuple[LocaliserResult, ...]:
    contrast, human = name("face > rest"), name("human")
    brain = ("unit", 400, 20, 6.1, 4.2)
    rows = [(human, "brain", s, region, *brain) for s in SUBJECTS]
    rows.append((model, "model", "seed-0", layer, "feature map", 64, 3, 9.0, 7.7))
    return tuple(
        LocaliserResult(
            system,
            kind,
            subject,
            place,
            contrast,
            n_units,
            n_selected,
            chosen,
            heldout,
            0.001,
            unit,
        )
        for system, kind, subject, place, unit, n_units, n_selected, chosen, heldout in rows
    )


def _words(name: Name, model: str) -> dict[str, object]:
    human = name("human")
    return {
        "truth": (
            TruthLine(name("layer of V4"), name("net.layer.3"), name("net.layer.3"), found=True),
            TruthLine(name("lesion effect"), name("-0.30"), name("-0.05"), found=False),
        ),
        "not_measured": (
            NotMeasured(
                "implementation", name("lesion of V1"), human, name("no lesions were made")
            ),
            NotMeasured("computation", name("shape bias"), model, name("no cue-conflict images")),
            NotMeasured("algorithm", name("cka"), human, name("only published RDMs")),
        ),
        "audit": (
            name("3 constant units were excluded in s2"),
            name("92 of 92 stimuli are shared"),
        ),
        "methods": (
            name("RDMs are 1 − r over units. Layers are chosen on one half of the stimuli."),
        ),
        "citations": (name("Kriegeskorte et al. 2008, doi:10.1016/j.neuron.2008.10.043"),),
        "provenance": {
            name("command"): name("neuroai compare toy2020"),
            "versions": {"numpy": "2.0", "torch": "2.13.0"},
            "data_sha256": "ab" * 32,
            "seed": 0,
        },
    }


@pytest.fixture(scope="session")
def make_results() -> Callable[..., Results]:
    """Give a builder of results: ``name(text)`` may turn every name into something else."""

    def build(
        *,
        name: Name = str,
        n_layers: int = 8,
        n_stimuli: int = 24,
        networks: tuple[str, ...] = ("resnet", "mobilenet"),
        simulated: bool = True,
    ) -> Results:
        rng = np.random.default_rng(0)
        regions = (name("V4"), name("IT"))
        layers = [name(f"net.layer.{i}") for i in range(n_layers)]
        labels = {
            name(f"stim-{i:03d}"): name(CATEGORIES[i % len(CATEGORIES)]) for i in range(n_stimuli)
        }
        models = [name(network) for network in networks]
        twin = name(f"{networks[0]}{TWIN}")
        scores = (
            *_representation_scores(rng, name, models, twin, regions, layers),
            *_behaviour_scores(rng, name, models[0], twin),
            _lesion_score(name, models[0], layers[-1]),
        )
        place = (models[0], regions[1], layers[-1])
        return Results(
            title=name("toy2020 and two networks"),
            dataset=name("toy2020"),
            simulated=simulated,
            scores=scores,
            answers=tuple(_answers(rng, name, models[0], twin, regions, layers, list(labels))),
            dose_curves=_curves(rng, name("human"), *place),
            localisers=_localisers(name, *place),
            stimulus_labels=labels,
            **_words(name, models[0]),
        )

    return build


@pytest.fixture(scope="session")
def results(make_results) -> Results:
    """Give results of a simulated brain and two networks."""
    return make_results()
