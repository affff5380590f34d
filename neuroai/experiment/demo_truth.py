"""What was planted in the simulated brain beside what the comparison recovered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from scipy import stats

from neuroai.analyses.algorithm.decoding import decoding
from neuroai.analyses.implementation.localiser import localise
from neuroai.experiment.demo_brain import CONTRAST, SILENCING
from neuroai.experiment.demo_files import NEURONS, SCALP
from neuroai.experiment.implementation import FRACTION
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import Holdings
from neuroai.format.results import Results, TruthLine
from neuroai.format.schema import INTERVENTION, PRESENTATION, REGION, UNIT
from neuroai.systems.brain import Recorded, brains_of

# Which file each place was read from.
FILES = {"V1": "BIDS NIfTI", "IT": "BIDS NIfTI", SCALP: "FIF", NEURONS: "NWB"}
TABLE = "BIDS _beh.tsv"
TRULY_PLANTED = 0.9  # of the selected units must belong to the planted module
N_TRIALS = 120  # of each subject in each kind of recording


def truth_lines(holdings: Holdings, results: Results, *, network: str) -> tuple[TruthLine, ...]:
    """Compare what was planted in every kind of file with what was found.

    Parameters
    ----------
    holdings : Holdings
        The simulation as it was read from its files, with its truth.
    results : Results
        What the comparison found.
    network : str
        Name of the trained network.
    """
    brain = brains_of(holdings)[0]
    seed = int(results.provenance["options"]["seed"])
    return (
        _read_back(holdings, brain),
        *_layers(holdings, results, network),
        *_modules(holdings, brain, seed=seed),
        *_latency(holdings, brain, seed=seed),
        _laser(holdings, brain),
        *_silencing(holdings, results),
        *_untrained(results, network),
    )


def _read_back(holdings: Holdings, brain: Recorded) -> TruthLine:
    """Every trial that was written should have been read."""
    found = [recording.sizes[PRESENTATION] for recording in brain.data.recordings]
    n_choices = sum(table.sizes["trial"] for table in brain.data.behaviour)
    planted = holdings.truth["n_choices"]
    trials = sorted(set(found))
    return TruthLine(
        name="trials in the files",
        planted=f"{N_TRIALS} in each recording, {planted:,} choices",
        recovered=f"{' or '.join(map(str, trials))} in each of {len(found)} recordings, "
        f"{n_choices:,} choices",
        found=trials == [N_TRIALS] and n_choices == planted,
    )


def _layers(holdings: Holdings, results: Results, network: str) -> Iterator[TruthLine]:
    """The layer that each region mixes should be the layer that matches it best."""
    system = holdings.systems[0].name
    for region, layer in holdings.truth["layers"].items():
        place = f"{system} {region}"
        best = [
            s
            for s in results.scores
            if s.selected and s.model == network and s.brain_region == place
        ]
        found = best[0].model_region if best else "none"
        yield TruthLine(
            name=f"layer mixed in {region} ({FILES[region]})",
            planted=layer,
            recovered=found,
            found=found == layer,
        )


def _modules(holdings: Holdings, brain: Recorded, *, seed: int) -> Iterator[TruthLine]:
    """The localiser should select units of the planted modules."""
    for region, n_planted in holdings.truth["modules"].items():
        planted = _module(brain.data.recordings, region, n_planted)
        found = localise(brain, contrast=CONTRAST, regions=[region], fraction=FRACTION, seed=seed)
        if isinstance(found, NotMeasurable):
            continue
        rows = list(found)
        selected = [row.elements[p] for row in rows for p in row.selected]
        hits = sum(unit in planted for unit in selected)
        yield TruthLine(
            name=f"selective units of {region} ({FILES[region]})",
            planted=f"{n_planted} of {len(rows[0].elements)} units",
            recovered=f"{hits} of {len(selected)} selected units are planted (all subjects)",
            found=hits >= TRULY_PLANTED * len(selected),
        )


def _module(recordings: tuple[xr.DataArray, ...], region: str, size: int) -> frozenset[str]:
    """Name the planted units: the first that were written for their region."""
    mine = next(r for r in recordings if region in r[REGION].values)
    names = mine["unit_id"].values[mine[REGION].values == region]
    return frozenset(names[:size].astype(str))


def _latency(holdings: Holdings, brain: Recorded, *, seed: int) -> Iterator[TruthLine]:
    """Loops should be told best while the scalp carries the pattern."""
    answer = decoding(brain, label=CONTRAST.column, regions=[SCALP], over_time="each", seed=seed)
    if isinstance(answer, NotMeasurable):
        return
    course = answer.data["value"].mean(["subject", "region"])
    peak = float(course["time"].values[course.values.argmax()])
    low, high = holdings.truth["scalp_span"]
    yield TruthLine(
        name=f"when the {SCALP} tells loops best ({FILES[SCALP]})",
        planted=f"between {low:g} and {high:g} s",
        recovered=f"{peak:.2f} s ({100 * float(course.max()):.0f} % right, chance 50 %)",
        found=low <= peak <= high,
    )


def _laser(holdings: Holdings, brain: Recorded) -> TruthLine:
    """The module should fire as little under the laser as was planted."""
    left = []
    for recording in brain.data.recordings:
        if NEURONS in recording[REGION].values:
            module = _module((recording,), NEURONS, holdings.truth["modules"][NEURONS])
            counts = recording.isel({UNIT: np.isin(recording["unit_id"].values, list(module))})
            lit = counts[INTERVENTION].values == SILENCING
            left.append(float(counts.values[lit].mean() / counts.values[~lit].mean()))
    error = stats.sem(left) * stats.t.ppf(0.975, len(left) - 1)
    planted, mean = holdings.truth["laser_left"], float(np.mean(left))
    return TruthLine(
        name=f"firing that the laser leaves to the module ({FILES[NEURONS]})",
        planted=f"{planted:.3f}",
        recovered=f"{mean:.3f} [{mean - error:.3f}, {mean + error:.3f}]",
        found=bool(mean - error <= planted <= mean + error),
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
                name=f"accuracy under the laser, dose {dose:g} ({TABLE})",
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
