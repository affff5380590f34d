"""How a benchmark of lesions is scored: what the target costs beyond random sets of its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from tqdm import tqdm

from neuroai.analyses.implementation.localiser import contrast_groups, contrast_half
from neuroai.cards import BenchmarkCard
from neuroai.comparison.best_region import best_region_scores
from neuroai.comparison.statistics.inference import MIN_SAMPLES, Inference
from neuroai.experiment.algorithm import ask_rdms, best_layers, conditions
from neuroai.experiment.benchmark_scores import context_of
from neuroai.experiment.implementation import ask_implementation, chosen_contrast
from neuroai.experiment.lesioned import RDM_MATCH
from neuroai.experiment.options import Asked, Part, candidate_kind
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.results import DoseCurve, NotMeasured
from neuroai.format.scores import Score
from neuroai.numerics.intervals import percentile_interval
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded

SPECIFICITY = "lesion-specificity"


def score_lesions(asked: Asked, card: BenchmarkCard) -> Part:
    r"""Score every network by how specific the lesion of its localised units is.

    .. math:: \overline{m(\text{random sets})} - m(\text{target})

    with m the RDM match to the brain (mean over its subjects, on the half of the stimuli that did
    not choose the target) after a lesion at the benchmark's dose, of the layer that matches the
    brain best (of a twin: its network's). Brains are asked the same; those without recordings
    give rows that say so.
    """
    networks, brains, part = ask_rdms(replace(asked, brains=asked.brains[:1]))
    if not brains:
        return part
    _, answer = brains[0]
    layers = best_layers(_choices_of_layers(asked, card, answer, networks), answer)
    # A twin differs from its network by training alone: it is lesioned in the same layer.
    layers |= {f"{name} (untrained)": layer for name, layer in layers.items()}
    for network in tqdm(asked.networks, desc=card.name, disable=not asked.progress):
        found = _lesioned(asked, answer, layers, networks=(network,))
        part += _part(asked, card, found, answer, network.name, candidate_kind(network))
    target = asked.brains[0]
    for brain in asked.brains:
        found = _lesioned(asked, answer, layers, brains=(brain,))
        same = brain.data.species == target.data.species
        name = f"another {brain.name} subject" if brain is target else brain.name
        part += _part(asked, card, found, answer, name, "subject" if same else "species")
    return part


def _choices_of_layers(
    asked: Asked, card: BenchmarkCard, answer: Answer, networks: Sequence[tuple[System, Answer]]
) -> list[Score]:
    # Only the choice is used, so neither null nor a fine interval is needed.
    inference = Inference(n_bootstrap=MIN_SAMPLES, n_null=0, seed=asked.options.seed)
    return [
        score
        for network, theirs in networks
        for score in best_region_scores(
            answer,
            theirs,
            metric=card.metric,
            context=context_of(card, candidate_kind(network)),
            condition=conditions(asked, answer, theirs),
            stimuli=asked.options.stimuli,
            inference=inference,
        )
    ]


def _lesioned(
    asked: Asked,
    answer: Answer,
    layers: dict[str, str],
    *,
    networks: tuple[System, ...] = (),
    brains: tuple[Recorded, ...] = (),
) -> Part:
    return ask_implementation(
        replace(asked, networks=networks, brains=brains, progress=False),
        brain_rdms=answer,
        judgements=None,
        layers=layers,
    )


def _part(
    asked: Asked, card: BenchmarkCard, found: Part, answer: Answer, name: str, kind: str
) -> Part:
    """Turn the curves of one system into its score, or say why there is none."""
    curves = [curve for curve in found.dose_curves if curve.measure == RDM_MATCH]
    where = {curve.region for curve in curves}
    localisers = tuple(row for row in found.localisers if row.region in where)
    base = {
        "level": card.level,
        "analysis": f"{card.analysis}: {card.parameters['contrast']}",
        "metric": f"{SPECIFICITY} ({card.metric})",
        "dataset": card.dataset,
        "stimulus_set": answer.stimulus_set,
        "brain_region": f"{answer.system} {answer.regions[-1]}",
        "model": name,
        "candidate_kind": kind,
    }
    if curves:
        score = _score(curves, card, answer, {**base, "n_stimuli": _held_out(asked)})
        return Part(scores=(score,), dose_curves=found.dose_curves, localisers=localisers)
    reasons = [line.reason for line in found.not_measured]
    reason = reasons[0] if reasons else "no lesion changed what is compared with this brain"
    line = NotMeasured(level=card.level, question=card.analysis, system=name, reason=reason)
    score = Score(**base, model_region="", status="not_measurable", note=reason)
    return Part(scores=(score,), not_measured=(line,), localisers=localisers)


def _score(
    curves: Sequence[DoseCurve], card: BenchmarkCard, answer: Answer, base: dict[str, object]
) -> Score:
    """Average the curves (one a seed), random sets paired by their number."""
    dose = float(card.parameters.get("dose", 1.0))
    at = int(np.flatnonzero(np.isclose(curves[0].doses, dose))[0])
    targeted = np.array([curve.targeted[at] for curve in curves])
    controls = np.array([curve.controls[at] for curve in curves])
    region = curves[0].region
    history = {
        "dose": dose,
        "lesion": curves[0].lesion,
        "origin": curves[0].origin,
        "baseline": float(np.mean([curve.baseline for curve in curves])),
        "targeted": float(targeted.mean()),
        "controls": float(controls.mean()),
        "n_targets": int(curves[0].n_targets[at]),
    }
    base = {**base, "model_region": region, "n_model_subjects": len(curves), "history": history}
    if not (np.isfinite(targeted).all() and np.isfinite(controls).all()):
        return Score(**base, status="undefined", note="some lesion leaves no defined RDM")
    value = float(controls.mean() - targeted.mean())
    low, high = percentile_interval(controls.mean(axis=0) - targeted.mean())
    as_large = int((controls.mean(axis=0) <= targeted.mean()).sum())
    return Score(
        **base,
        value=value,
        ci_low=float(low),
        ci_high=float(high),
        p=(1 + as_large) / (1 + controls.shape[1]),
        null="random sets of units",
        n_null=controls.shape[1],
        resampled="random sets",
        n_brain_subjects=len(answer.subjects),
        note=_note(history, region),
        pairs=xr.DataArray(
            (controls.mean(axis=1) - targeted)[None],
            dims=("subject", "model_subject"),
            coords={
                "subject": ["mean over subjects"],
                "model_subject": [curve.system for curve in curves],
            },
        ),
    )


def _held_out(asked: Asked) -> int:
    """Count the stimuli on which lesions are measured: half B of those that can be shown."""
    contrast, stimuli = chosen_contrast(asked), asked.holdings.stimuli
    if isinstance(contrast, NotMeasurable):
        return 0
    half = contrast_half(contrast_groups(stimuli, contrast), seed=asked.options.seed)
    return sum(not is_a for key, is_a in half.items() if key in set(stimuli.available))


def _note(history: dict[str, object], region: str) -> str:
    return (
        f"RDM match {history['baseline']:.3f} intact, {history['targeted']:.3f} without the "
        f"{history['n_targets']} localised, {history['controls']:.3f} without as many random ones "
        f"of {region} (dose {history['dose']:g}, {history['lesion']} lesion, {history['origin']}); "
        "the interval is that of the middle 95 % of random sets; no ceiling is defined"
    )
