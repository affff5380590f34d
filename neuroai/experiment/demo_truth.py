"""What was planted in the simulated brain beside what the comparison recovered."""

from __future__ import annotations

from collections.abc import Iterator

from neuroai.analyses.implementation.localiser import localise
from neuroai.experiment.demo_brain import CONTRAST, SILENCING
from neuroai.experiment.implementation import FRACTION
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import Holdings
from neuroai.format.results import Results, TruthLine
from neuroai.systems.brain import brains_of


def truth_lines(holdings: Holdings, results: Results, *, network: str) -> tuple[TruthLine, ...]:
    """Compare the planted layers, module and silencing with what was found.

    Parameters
    ----------
    holdings : Holdings
        The simulation, with its truth.
    results : Results
        What the comparison found.
    network : str
        Name of the trained network.
    """
    return (
        *_layers(holdings, results, network),
        *_module(holdings, seed=int(results.provenance["options"]["seed"])),
        *_silencing(holdings, results),
        *_untrained(results, network),
    )


def _layers(holdings: Holdings, results: Results, network: str) -> Iterator[TruthLine]:
    """The layer that each region mixes should be the layer that matches it best."""
    for region, layer in holdings.truth["layers"].items():
        best = [
            s
            for s in results.scores
            if s.selected and s.model == network and s.brain_region.endswith(f" {region}")
        ]
        found = best[0].model_region if best else "none"
        yield TruthLine(
            name=f"layer that {region} mixes",
            planted=layer,
            recovered=found,
            found=found == layer,
        )


def _module(holdings: Holdings, *, seed: int) -> Iterator[TruthLine]:
    """The localiser should select units of the planted module."""
    planted = set(holdings.truth["module"])
    region = next(iter(planted)).partition("/")[0]
    brain = brains_of(holdings)[0]
    found = localise(brain, contrast=CONTRAST, regions=[region], fraction=FRACTION, seed=seed)
    if isinstance(found, NotMeasurable):
        return
    selected = [f"{region}/{row.elements[p]}" for row in found for p in row.selected]
    hits = sum(unit in planted for unit in selected)
    n_units = brain.data.recordings[0].sizes["unit"] // 2
    yield TruthLine(
        name=f"selective units of {region}",
        planted=f"{len(planted)} of {n_units} units",
        recovered=f"{hits} of {len(selected)} selected units are planted (all subjects)",
        found=hits >= 0.9 * len(selected),
    )


def _silencing(holdings: Holdings, results: Results) -> Iterator[TruthLine]:
    """The measured accuracy under silencing should cover the planted one."""
    planted = holdings.truth["accuracy"]
    for curve in results.dose_curves:
        if curve.origin != "measured":
            continue
        for dose, value, low, high in zip(
            curve.doses, curve.targeted, curve.ci_low, curve.ci_high, strict=True
        ):
            truth = planted[f"{SILENCING} {dose:g}"]
            yield TruthLine(
                name=f"accuracy under silencing, dose {dose:g}",
                planted=f"{truth:.3f}",
                recovered=f"{value:.3f} [{low:.3f}, {high:.3f}]",
                found=bool(low <= truth <= high),
            )


def _untrained(results: Results, network: str) -> Iterator[TruthLine]:
    """The network that learned the task should match IT better than its untrained twin."""
    best = {
        s.candidate_kind: s
        for s in results.scores
        if s.selected
        and s.brain_region.endswith(" IT")
        and s.candidate_kind in ("model", "untrained")
    }
    if set(best) != {"model", "untrained"}:
        return
    ahead = best["model"].value > best["untrained"].value
    yield TruthLine(
        name="IT mixes a trained layer",
        planted=f"{network} ahead of its untrained twin",
        recovered=f"{best['model'].value:.3f} against {best['untrained'].value:.3f}",
        found=ahead,
    )
