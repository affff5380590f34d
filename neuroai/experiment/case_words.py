"""What follows from two cells, in words; and how the numbers of a worked case were made."""

from __future__ import annotations

import math

from neuroai.experiment.case_files import CaseFile
from neuroai.experiment.case_side import Settings
from neuroai.format.cases import Cell


def verdict(brain: Cell, network: Cell, *, compared: bool) -> str:
    """Say what follows from both cells, by one rule for every question.

    An effect is a p of at most .05 against the cell's own null; its direction is that of the value
    from what no effect would give.

    Examples
    --------
    >>> a = Cell("brain", "d", "mouse", "change", value=-0.2, p=0.01)
    >>> b = Cell("network", "d", "net", "change", value=-0.3, p=0.02)
    >>> verdict(a, b, compared=False)
    'both, in one direction'
    """
    absent = [cell for cell in (brain, network) if cell.status != "ok"]
    if len(absent) == 2:
        return "not measurable on either side"
    if compared and network.status == "ok":
        return _likeness(brain, network)
    if absent:
        there = network if absent[0] is brain else brain
        return f"{there.side} only: {_alone(there)}; the other side cannot be asked"
    effects = brain.effect, network.effect
    if any(math.isnan(effect) for effect in effects):
        told = [f"{c.side} {_alone(c)}" for c in (brain, network)]
        return f"side by side: {', '.join(told)}"
    if effects[0] and effects[1]:
        return "both, in one direction" if effects[0] == effects[1] else "both, but opposed"
    if not any(effects):
        return "neither is beyond its null"
    return "brain, not the network" if effects[0] else "network, not the brain"


def _alone(cell: Cell) -> str:
    if math.isnan(cell.effect):
        return "untested"
    return "beyond its null" if cell.effect else "not beyond its null"


def _likeness(brain: Cell, network: Cell) -> str:
    if math.isnan(network.effect):
        return "compared, untested"
    if network.effect <= 0:
        return "no likeness beyond chance was found"
    if brain.status == "ok" and brain.value > 0:
        share = network.value / brain.value
        return f"alike beyond chance: {share:.0%} of what another subject reaches"
    return "alike beyond chance"


def case_methods(case: CaseFile, settings: Settings) -> tuple[str, ...]:
    """Write the paragraphs on how the table was made."""
    return (
        f"Case {case.name}, version {case.version}: {len(case.questions)} questions, each put to "
        "the brain and to the network; the configuration is in provenance.json, and the recipe is "
        "the same for every case.",
        "Values of three subjects or more are means over subjects with t-intervals; sessions were "
        "averaged within each subject first. One network has no spread over networks: its "
        "intervals are over stimuli, and say so.",
        "A lesion's target was chosen on one half of the stimuli and tested on the other, both "
        f"ways; {settings.n_controls} random lesions of the same size and activity are its null. "
        "Where outputs do not name the options, choices are made by linear discriminants "
        "cross-validated over stimuli, of spikes and of networks alike.",
        "Deficit profiles are changes of d' (logit accuracy of more than two options) in standard "
        "deviations of the controls. Links over lesions and mediations are statistical: they "
        "name no cause.",
        "Verdict: an effect is p ≤ .05 against the cell's own null, without correction over the "
        "lines of the table; not finding one is not finding that there is none.",
        f"Seed of every draw: {settings.seed}.",
    )
