"""Trajectories: when do the paths of conditions part, how far, and how fast do they move?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._conditions import Conditions, conditions_of, no_time
from neuroai.analyses.algorithm._parts import NOTES, UNDEFINED, asked_of_parts
from neuroai.cards import AnalysisCard
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import TIME
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.trajectories import (
    first_lasting,
    parting_threshold,
    trajectory_distances,
    trajectory_speed,
)
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="trajectories",
    level="algorithm",
    question="When do the paths of conditions through state space part, how far and how fast?",
    form="profile",
    defined_on="recordings and activations with a time axis, in at least two conditions",
    citation="Vyas et al. 2020, doi:10.1146/annurev-neuro-092619-094115",
)
# Pairs of conditions at every time would fill the memory.
MOST_CONDITIONS = 200


def trajectories(
    system: System,
    *,
    label: str,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    n_permutations: int = 0,
    n_lasting: int = 3,
    seed: int = 0,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Follow the mean path of every condition, free of the noise of the means.

    .. math:: d_{ab}^2(t) = \frac{1}{p} \left[ \lVert \bar x_a - \bar x_b \rVert^2
              - \frac{\mathrm{tr}\, S_a}{n_a} - \frac{\mathrm{tr}\, S_b}{n_b} \right]

    Rows are the stimuli of a condition, averaged over showings, where there are two or more, else
    single showings. Two paths part at the first of `n_lasting` times in a row at which their
    distance exceeds what any time would reach by chance (5 %, showings dealt anew).

    Parameters
    ----------
    system : System
        A brain or a model.
    label : str
        Column of the stimuli, or coordinate of the showings, that names the conditions.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    n_permutations : int
        Deals for the time of parting, at least 19; no such time by default.
    n_lasting : int
        Times in a row that must lie above.
    seed : int
        Seed of the deals.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile`` by subject and region: ``value(time)``, the mean squared distance a unit
        over pairs; ``distance(condition, condition_to, time)``; ``speed(condition,
        time_between)``, root mean square over units by the unit of time; ``n_rows(condition)``;
        and, where asked for, ``divergence_time(condition, condition_to)``, NaN (and counted)
        where paths never part. Not measurable without time: layers are not times.

    Raises
    ------
    UsageError
        There are 1 to 18 permutations.

    References
    ----------
    Vyas et al. 2020, doi:10.1146/annurev-neuro-092619-094115

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> trajectories(toy_brain(), label="stimulus_id").reason
    'V1 has no time; a layer is not a time, nor is a region'
    """
    if 0 < n_permutations < 19 or n_lasting < 1:
        raise UsageError(
            "n_permutations must be 0 or at least 19, and n_lasting at least 1; got "
            f"{n_permutations} and {n_lasting}."
        )
    stimuli = system.stimuli if stimuli is None else stimuli
    parameters: dict[str, object] = {
        "label": label, "n_permutations": n_permutations, "n_lasting": n_lasting, "seed": seed,
    }  # fmt: skip

    def work(recording: xr.DataArray) -> xr.Dataset | NotMeasurable:
        refused = no_time(recording)
        if refused is not None:
            return refused
        found = conditions_of(recording, stimuli, label)
        if isinstance(found, NotMeasurable):
            return found
        if len(found.keys) > MOST_CONDITIONS:
            return NotMeasurable(
                f"'{label}' makes {len(found.keys)} conditions, of which all pairs are followed; "
                f"name a label of at most {MOST_CONDITIONS}"
            )
        parameters["time_unit"] = str(recording.attrs["time_unit"])
        part = _followed(found, recording[TIME].values.astype(np.float64))
        if n_permutations and found.noisy:
            return _parted(part, found, n_permutations, n_lasting, seed)
        return part

    return asked_of_parts(
        system, work, card=CARD, stimuli=stimuli, regions=regions, undefined=undefined,
        parameters=parameters,
    )  # fmt: skip


def _followed(found: Conditions, times: np.ndarray) -> xr.Dataset:
    distances = trajectory_distances(found.rows, noisy=found.noisy)
    upper = np.triu_indices(len(found.names), 1)
    names = np.array(found.names, dtype=object)
    speed = trajectory_speed(found.rows, times, noisy=found.noisy)
    note = f"a path is the mean of {found.made_of}"
    return xr.Dataset(
        {
            "value": ("time", distances[upper].mean(0)),
            "distance": (("condition", "condition_to", "time"), distances),
            "speed": (("condition", "time_between"), speed),
            "n_rows": ("condition", [float(len(rows)) for rows in found.rows]),
        },
        coords={
            "time": times,
            "time_between": (times[1:] + times[:-1]) / 2,
            "condition": names,
            "condition_to": names,
        },
        attrs={NOTES: (note if found.noisy else f"{note}, without noise",), UNDEFINED: {}},
    )


def _parted(
    part: xr.Dataset, found: Conditions, n_permutations: int, n_lasting: int, seed: int
) -> xr.Dataset:
    n, times = len(found.names), part["time"].values
    parting = np.full((n, n), np.nan)
    for place, (a, b) in enumerate(combinations(range(n), 2)):
        rng = np.random.default_rng([seed, place])
        limit = parting_threshold(
            found.rows[a], found.rows[b], n_permutations=n_permutations, rng=rng
        )
        first = first_lasting(part["distance"].values[a, b], threshold=limit, n_lasting=n_lasting)
        if first >= 0:
            parting[a, b] = parting[b, a] = times[first]
    never = int(np.isnan(parting[np.triu_indices(n, 1)]).sum())
    made = part.assign(divergence_time=(("condition", "condition_to"), parting))
    made.attrs[UNDEFINED] = {"pairs of conditions that never part": never}
    return made
