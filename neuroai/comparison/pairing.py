"""Two aligned answers made ready for a metric, one brain region at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import xarray as xr

from neuroai.cards import MetricCard
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.choice_pairing import paired_choices
from neuroai.comparison.paired import Paired
from neuroai.comparison.statistics.bures_evaluator import BuresEvaluator
from neuroai.comparison.statistics.evaluators import Evaluator, GramEvaluator, RdmEvaluator
from neuroai.comparison.statistics.pattern_evaluator import PatternEvaluator
from neuroai.errors import UsageError
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import Answer, part_of
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.procrustes import procrustes_factor
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.registry import Entry

# Its jackknife and null read off Gram matrices that are computed once.
GRAM_METRIC = "cka-debiased"
# Its shapes are compared as responses are.
BURES = "bures"
JACKKNIFE = "jackknife over stimuli"


def paired_evaluators(brain: Answer, model: Answer, *, metric: str) -> Iterator[Paired]:
    """Make one evaluator for every brain region, all candidate regions together.

    Raises
    ------
    UsageError
        The form of the answers has no evaluator.
    """
    entry = METRICS.get(metric)
    card: MetricCard = entry.card
    for region in brain.regions:
        if card.compares == "rdm":
            paired = paired_rdms(brain, model, region=region, method=card.comparator)
            yield dataclasses.replace(paired, chance=card.chance)
        elif card.compares == "responses":
            yield paired_responses(brain, model, region=region, entry=entry)
        elif card.compares in ("choices", "confusion", "table"):
            yield paired_choices(brain, model, region=region, entry=entry)
        else:
            raise UsageError(
                f"The metric '{metric}' compares answers of form '{card.compares}', which are "
                "shown beside each other but not scored stimulus by stimulus."
            )


def paired_rdms(brain: Answer, model: Answer, *, region: str, method: str) -> Paired:
    """Turn the RDMs of one brain region, and of every candidate region, into vectors."""
    subjects, data = _vectors(brain, region)
    columns, vectors, undefined = [], [], []
    for name in model.regions:
        seeds, rdms = _vectors(model, name)
        reason = _undefined(rdms, model, name)
        if reason:
            undefined.append((name, reason))
            continue
        columns += [(name, seed) for seed in seeds]
        vectors += list(rdms)
    reason = _undefined_brain(subjects, data, region)
    if reason:
        undefined = [(name, reason) for name in model.regions]
        columns, vectors = [], []
    models = np.array(vectors) if vectors else np.empty((0, data.shape[1]))
    shapes = method == BURES
    evaluator: Evaluator = (
        BuresEvaluator.of(data, models)
        if shapes and len(models)
        else RdmEvaluator(data, models, method, brain.data.sizes["stimulus"], pooling_of(brain))
    )
    return Paired(
        brain_region=region,
        subjects=subjects,
        regions=tuple(name for name, _ in columns),
        seeds=tuple(seed for _, seed in columns),
        evaluator=evaluator,
        undefined=tuple(undefined),
        n_undefined=brain.undefined.get("units", 0) + model.undefined.get("units", 0),
        bounds=(0.0, 1.0) if shapes else (-1.0, 1.0),
        history={
            "comparator": method,
            "ceiling pools RDMs by": "mean distance" if shapes else pooling_of(brain),
            **({"resampling": JACKKNIFE} if shapes else {}),
        },
    )


def pooling_of(brain: Answer) -> str:
    """Say how the ceiling averages RDMs: correlation distances share one unit, others do not."""
    return "mean" if brain.parameters.get("distance") == "correlation" else "comparator"


def _vectors(answer: Answer, region: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Give the subjects measured in a region and their RDMs as vectors."""
    rdms = answer.data["rdm"].sel(region=region)
    vectors = to_vector(rdms.transpose("subject", "stimulus", "stimulus_to").values)
    measured = ~np.isnan(vectors).all(axis=1)
    names = [str(name) for name in rdms["subject"].values]
    return tuple(n for n, ok in zip(names, measured, strict=True) if ok), vectors[measured]


def _undefined(rdms: np.ndarray, answer: Answer, region: str) -> str:
    if not len(rdms):
        return f"every pattern of {region} is constant: it has no RDM"
    missing = int(np.isnan(rdms).any(axis=0).sum())
    if missing:
        return f"{missing} of {rdms.shape[1]} pairs of stimuli are undefined (constant patterns)"
    if (rdms.max(axis=1) == rdms.min(axis=1)).any():
        return f"all dissimilarities of {region} are equal"
    return ""


def _undefined_brain(subjects: tuple[str, ...], rdms: np.ndarray, region: str) -> str:
    if not subjects:
        return f"every pattern of {region} is constant in every subject: there is no RDM"
    bad = np.isnan(rdms).any(axis=1)
    names = [name for name, is_bad in zip(subjects, bad, strict=True) if is_bad]
    return f"RDM of {', '.join(names)} has undefined pairs" if names else ""


def paired_responses(brain: Answer, model: Answer, *, region: str, entry: Entry) -> Paired:
    """Make responses ready: Gram matrices for the debiased alignment, else mean patterns."""
    if entry.card.name == GRAM_METRIC:
        return paired_grams(brain, model, region=region)
    mine = [r for r in brain.responses if part_of(r)[1] == region]
    turns = "rotation" in entry.card.ignores
    return Paired(
        brain_region=region,
        subjects=tuple(part_of(r)[0] for r in mine),
        regions=tuple(part_of(r)[1] for r in model.responses),
        seeds=tuple(part_of(r)[0] for r in model.responses),
        evaluator=PatternEvaluator(
            data=tuple(_patterns(r, turns) for r in mine),
            models=tuple(_patterns(r, turns) for r in model.responses),
            metric=entry.function,
        ),
        n_undefined=brain.undefined.get("units", 0) + model.undefined.get("units", 0),
        chance=entry.card.chance,
        bounds=tuple(sorted((entry.card.worst, entry.card.perfect))),
        side="less" if entry.card.perfect < entry.card.worst else "greater",
        history={"resampling": JACKKNIFE},
    )


def _patterns(recording: xr.DataArray, turns: bool) -> np.ndarray:
    """Average showings; a metric that is blind to rotations takes no more units than stimuli."""
    _, means, _ = stimulus_patterns(recording)
    flat = means.reshape(len(means), -1).astype(np.float64)
    return procrustes_factor(flat) if turns and flat.shape[1] > len(flat) else flat


def paired_grams(brain: Answer, model: Answer, *, region: str) -> Paired:
    """Turn responses into centred Gram matrices over the same stimuli."""
    mine = [r for r in brain.responses if part_of(r)[1] == region]
    data = np.array([_gram(r) for r in mine])
    models = np.array([_gram(r) for r in model.responses])
    return Paired(
        brain_region=region,
        subjects=tuple(part_of(r)[0] for r in mine),
        regions=tuple(part_of(r)[1] for r in model.responses),
        seeds=tuple(part_of(r)[0] for r in model.responses),
        evaluator=GramEvaluator(data=data, models=models),
        n_undefined=brain.undefined.get("units", 0) + model.undefined.get("units", 0),
        history={"resampling": "infinitesimal jackknife over stimuli"},
    )


def _gram(recording: xr.DataArray) -> np.ndarray:
    _, means, _ = stimulus_patterns(recording)
    return np.asarray(centred_gram(means.reshape(len(means), -1)), dtype=float)
