"""Functional connectivity: which regions, or layers, vary together over stimuli or showings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neuroai.analyses.implementation.localiser import element_means
from neuroai.cards import AnalysisCard
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.audit import usable_units
from neuroai.format.schema import PRESENTATION, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

MEASURES = ("correlation", "partial correlation", "covariance")
PARTS = ("stimulus", "background")
# What tells the showings of one stimulus apart.
SHOWING = ("session", "run", "repeat", "onset")
FEWEST_ROWS = 8

CARD = AnalysisCard(
    name="functional_connectivity",
    level="implementation",
    question="Which regions, or layers, vary together?",
    form="table",
    defined_on="two regions or layers of a subject; background only where recorded together",
    citation="Friston 1994, doi:10.1002/hbm.460020107",
)


def functional_connectivity(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    measure: str = "correlation",
    part: str = "stimulus",
    n_nulls: int = 200,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Correlate the mean activity of regions, or layers, pair by pair.

    .. math:: r_{ab} = \frac{\sum_i (\bar x_{ia} - \bar x_a)(\bar x_{ib} - \bar x_b)}
              {\sqrt{\sum_i (\bar x_{ia} - \bar x_a)^2 \sum_i (\bar x_{ib} - \bar x_b)^2}}

    ``stimulus`` takes the mean over showings of each stimulus: what regions share since they meet
    the same stimuli. ``background`` takes what a showing leaves when its stimulus's mean is taken
    away: what they share beyond. Nothing is shrunk. The two are never mixed.

    Parameters
    ----------
    system : System
        A brain or a network; its layers are regions.
    stimuli : StimulusSet, optional
        For a network those it is shown.
    regions : sequence of str, optional
        Names or globs.
    measure : {"correlation", "partial correlation", "covariance"}
        Of nilearn's ``ConnectivityMeasure`` on the sample covariance.
    part : {"stimulus", "background"}
        What varies.
    n_nulls : int
        Shuffles of the rows, each region by itself, for p; at least 1.
    seed : int
        Seed of the shuffles.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value`` and two-sided ``p`` by subject, region and ``region_to``; on the
        diagonal 1 (or a variance) and p = 1. NotMeasurable with a single region, with too few
        rows, and for the background of networks and of regions that were not recorded together.

    Raises
    ------
    UsageError
        An unknown measure or part, or no shuffle.

    References
    ----------
    Friston 1994, doi:10.1002/hbm.460020107

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> functional_connectivity(contrast_brain()[0]).reason
    "a connection takes two regions; 'planted' (s1) has IT alone"
    """
    one_of(measure, MEASURES, option="measure")
    one_of(part, PARTS, option="part")
    if n_nulls < 1:
        raise UsageError(f"n_nulls must be 1 or more; got {n_nulls}.")
    if part == "background" and system.kind == "model":
        return NotMeasurable("a network answers a stimulus in one way, and has no background")
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    signals: dict[str, dict[str, dict[tuple[str, ...], float]]] = {}
    for recording in recordings:
        signal = _signal(recording, part)
        if isinstance(signal, NotMeasurable):
            return signal
        mine = signals.setdefault(str(recording.attrs["subject"]), {})
        mine[str(recording.attrs["region"])] = signal
    found = {}
    for subject, mine in signals.items():
        rows = _joined(mine, f"'{system.name}' ({subject})")
        if isinstance(rows, NotMeasurable):
            return rows
        found[subject] = tuple(mine), *_connected(rows, measure, n_nulls, seed)
    if not found:
        return NotMeasurable(f"nothing of '{system.name}' was recorded on these stimuli")
    parameters = {"measure": measure, "part": part, "n_nulls": n_nulls, "seed": seed}
    known = system.stimuli if stimuli is None else stimuli
    return _answer(system, found, parameters, known.name if known is not None else "")


def _signal(recording: xr.DataArray, part: str) -> dict[tuple[str, ...], float] | NotMeasurable:
    """Give the mean activity of a region for every stimulus, or showing, by its name."""
    usable = usable_units(recording, undefined="drop")[0]
    if part == "stimulus":
        ids, values, _, _ = element_means(usable)
        return {(key,): float(v) for key, v in zip(ids, values.mean(axis=1), strict=True)}
    if not int(recording.attrs.get("simultaneous", 1)):
        return NotMeasurable("units were not recorded together, so that showings share nothing")
    known = [name for name in SHOWING if name in usable.coords]
    columns = [usable[name].values.astype(str) for name in (STIMULUS_ID, *known)]
    names = list(zip(*columns, strict=True))
    if len(set(names)) < len(names):
        return NotMeasurable(
            "showings of a stimulus cannot be told apart, and regions not be matched by showing"
        )
    others = [dim for dim in usable.dims if dim != PRESENTATION]
    values = usable.astype(np.float64).mean(dim=others).values
    _, which, count = np.unique(columns[0], return_inverse=True, return_counts=True)
    values = values - (np.bincount(which, weights=values) / count)[which]
    repeated = count[which] > 1
    if not repeated.any():
        return NotMeasurable("no stimulus was shown twice, so that nothing is left beside its mean")
    return {n: float(v) for n, v, twice in zip(names, values, repeated, strict=True) if twice}


def _joined(mine: dict[str, dict[tuple[str, ...], float]], who: str) -> np.ndarray | NotMeasurable:
    """Put the signals of a subject's regions side by side, by name."""
    if len(mine) < 2:
        return NotMeasurable(f"a connection takes two regions; {who} has {' '.join(mine)} alone")
    common = sorted(set.intersection(*(set(signal) for signal in mine.values())))
    if len(common) < max(FEWEST_ROWS, len(mine) + 2):
        return NotMeasurable(
            f"{len(common)} stimuli or showings that {len(mine)} regions of {who} share are too few"
        )
    rows = np.array([[signal[name] for signal in mine.values()] for name in common])
    still = [name for name, column in zip(mine, rows.T, strict=True) if np.ptp(column) == 0]
    if still:
        return NotMeasurable(f"the mean activity of {still[0]} of {who} never varies")
    return rows


def _connected(
    rows: np.ndarray, measure: str, n_nulls: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the matrix and its two-sided p among shuffled rows."""
    from nilearn.connectome import ConnectivityMeasure
    from sklearn.covariance import EmpiricalCovariance

    meter = ConnectivityMeasure(
        cov_estimator=EmpiricalCovariance(store_precision=False), kind=measure, standardize=None
    )
    value = meter.fit_transform([rows])[0]
    rng = np.random.default_rng(seed)
    null = _matrices(rng.permuted(np.repeat(rows[None], n_nulls, axis=0), axis=1), measure)
    # Equal numbers that were summed in another order count as equal.
    slack = 1e-9 * np.abs(value).max()
    return value, (1 + (np.abs(null) >= np.abs(value) - slack).sum(axis=0)) / (1 + n_nulls)


def _matrices(rows: np.ndarray, measure: str) -> np.ndarray:
    """Give the same matrix of many shuffles (n_nulls, n_rows, n_regions) at once."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    found = np.swapaxes(centred, 1, 2) @ centred / rows.shape[1]
    if measure == "covariance":
        return found
    found = -np.linalg.inv(found) if measure == "partial correlation" else found
    scale = np.sqrt(np.abs(np.diagonal(found, axis1=1, axis2=2)))
    found = found / (scale[:, :, None] * scale[:, None])
    # The precision's diagonal is its own, not minus itself.
    every = np.arange(rows.shape[2])
    found[:, every, every] = 1.0
    return found


def _answer(
    system: System,
    found: dict[str, tuple[tuple[str, ...], np.ndarray, np.ndarray]],
    parameters: dict[str, object],
    stimulus_set: str,
) -> Answer:
    names = list(dict.fromkeys(name for mine, _, _ in found.values() for name in mine))
    table = {key: np.full((len(found), len(names), len(names)), np.nan) for key in ("value", "p")}
    for row, (mine, value, p) in enumerate(found.values()):
        place = np.ix_([names.index(n) for n in mine], [names.index(n) for n in mine])
        table["value"][row][place], table["p"][row][place] = value, p
    dims = ("subject", "region", "region_to")
    return Answer(
        form="table",
        data=xr.Dataset(
            {key: (dims, values) for key, values in table.items()},
            coords={
                "subject": np.array(list(found), dtype=object),
                "region": np.array(names, dtype=object),
                "region_to": np.array(names, dtype=object),
            },
        ),
        question=CARD.name,
        parameters=parameters,
        system=system.name,
        kind=system.kind,
        stimulus_set=stimulus_set,
        undefined={"pairs not recorded in a subject": int(np.isnan(table["value"]).sum())},
    )
