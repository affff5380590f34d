"""What the page says about how its numbers were made."""

from __future__ import annotations

from neuroai.cards import DatasetCard
from neuroai.comparison.best_region import MAX_SAMPLES, N_SPLITS
from neuroai.experiment.implementation import FRACTION
from neuroai.experiment.options import DOSES, Options
from neuroai.format.stimuli import StimulusSet


def methods(options: Options, card: DatasetCard) -> tuple[str, ...]:
    """Write the methods paragraphs, with the numbers that were used."""
    doses = ", ".join(f"{dose:g}" for dose in DOSES)
    origin = (
        "The brain is simulated and its truth is known. "
        if card.simulated
        else f"Data: {card.citation}. "
    )
    return (
        f"{origin}Brains and networks answered the same questions through the same functions. "
        "Sessions and repeats were averaged within a subject first; every score is the mean over "
        "brain subjects and model seeds of the metric of one subject with one seed.",
        f"Representations: dissimilarity of stimuli by {options.distance} distance over all units "
        f"of a region or layer, compared by {options.metric}. Noise ceilings compare each subject "
        "with the pooled RDM of the others (lower) and of all (upper). Intervals are t-based from "
        f"the two-factor variance of {options.n_bootstrap} bootstrap samples of stimuli (copies of "
        "a stimulus are not paired with each other) and of subjects where there are two or more; "
        f"p-values come from {options.n_null} permutations of the candidate's stimulus labels.",
        f"Best layer: chosen on one half of the stimuli and scored on the other, {N_SPLITS} "
        f"stratified splits, both directions; its bootstrap and null (at most {MAX_SAMPLES} each) "
        "repeat the choice, and its ceiling is that of half the stimuli.",
        f"Lesions: a localiser ranks units (feature maps of convolutions) by Welch's t on half A "
        f"of the stimuli; the top {FRACTION:.0%} are the target, of which the best {doses} are "
        "lesioned. Effects are measured on half B, beside "
        f"{options.n_controls} random sets of the same size and activity from the same layer, the "
        "target's elements among them. p is the share of controls whose drop is at least as large. "
        "Virtual lesions mask recorded units before a readout; measured ones really were applied, "
        "and their p comes from permutations of treated and sham trials within subjects.",
        f"Seed of every draw: {options.seed}.",
    )


def stimulus_labels(stimuli: StimulusSet) -> dict[str, str]:
    """Give every stimulus the label by which figures sort it."""
    for column in ("category", "condition", "truth"):
        if column in stimuli.table.columns:
            return {key: str(stimuli.table.loc[key, column]) for key in stimuli.ids}
    return {key: key for key in stimuli.ids}
