"""Rotations: does activity turn through state space, beyond what its covariances imply?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._conditions import conditions_of, no_time
from neuroai.analyses.algorithm._parts import NOTES, asked_of_parts
from neuroai.cards import AnalysisCard
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import TIME
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.jpca import Rotations, jpca
from neuroai.numerics.surrogates import surrogate_law
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="rotations",
    level="algorithm",
    question="How much of the motion of activity is a rotation, and is that more than expected?",
    form="profile",
    defined_on="recordings and activations with a time axis, in at least two conditions",
    citation="Churchland et al. 2012, doi:10.1038/nature11129; Elsayed & Cunningham 2017, "
    "doi:10.1038/nn.4617; Lebedev et al. 2019, doi:10.1038/s41598-019-54760-4",
)
# Surrogates hang on a covariance among units; a rotation reads off the first few components.
MOST_COMPONENTS = 30
# Steps of time are equal where they differ by no more than rounding of the times.
_EQUAL = 1e-6


@dataclass(frozen=True)
class _How:
    label: str
    n_components: int
    remove_mean: bool
    soften: float | None
    n_null: int
    seed: int


def rotations(
    system: System,
    *,
    label: str,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    n_components: int = 6,
    remove_mean: bool = True,
    soften: float | None = None,
    n_null: int = 0,
    seed: int = 0,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Fit a turning flow to the mean paths of conditions (jPCA), beside surrogates.

    .. math:: R^2_{skew} = 1 - \frac{\lVert \dot X - X M \rVert^2}{\lVert \dot X \rVert^2},
              \qquad M^\top = -M

    Surrogates keep the means and the covariances along conditions, units and times, and are
    treated alike; p is the share that turns as well as the data:
    :math:`(1 + \#\{R^2_{surrogate} \ge R^2\}) / (1 + n_{null})`.

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
    n_components : int
        Principal components, an even number.
    remove_mean : bool
        Take the mean over conditions away at every time. Usual, and able to make rotations out of
        paths that differ in delay alone; the answer's notes say so.
    soften : float, optional
        Divide every unit by its range plus this (5 spikes/s in the original); no scaling by
        default.
    n_null : int
        Surrogates; none by default.
    seed : int
        Seed of the surrogates.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile`` by subject and region: ``value`` (R2 of the turning flow), ``r2_full`` (of
        any linear flow), ``angle(plane)`` (radians a step), ``frequency(plane)`` (turns by the
        unit of time), ``share(plane)`` of the variance and, where asked for, ``surrogate_r2``
        (mean) and ``p``. Not measurable without time: layers are not times.

    Raises
    ------
    UsageError
        An option is out of range.

    References
    ----------
    Churchland et al. 2012, doi:10.1038/nature11129

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> rotations(toy_brain(), label="stimulus_id").reason
    'V1 has no time; a layer is not a time, nor is a region'
    """
    if soften is not None and soften < 0:
        raise UsageError(f"soften must be at least 0; got {soften}.")
    stimuli = system.stimuli if stimuli is None else stimuli
    how = _How(label, n_components, remove_mean, soften, n_null, seed)
    parameters: dict[str, object] = asdict(how)

    def work(recording: xr.DataArray) -> xr.Dataset | NotMeasurable:
        part = _asked(recording, stimuli, how)
        if not isinstance(part, NotMeasurable):
            parameters["time_unit"] = str(recording.attrs["time_unit"])
        return part

    return asked_of_parts(
        system, work, card=CARD, stimuli=stimuli, regions=regions, undefined=undefined,
        parameters=parameters,
    )  # fmt: skip


def _asked(
    recording: xr.DataArray, stimuli: StimulusSet | None, how: _How
) -> xr.Dataset | NotMeasurable:
    refused = no_time(recording, least=4)
    if refused is not None:
        return refused
    steps = np.diff(recording[TIME].values.astype(np.float64))
    if np.ptp(steps) > _EQUAL * steps.mean():
        return NotMeasurable(f"times of {recording.attrs['region']} are not equally spaced")
    found = conditions_of(recording, stimuli, how.label)
    if isinstance(found, NotMeasurable):
        return found
    paths = _reduced(np.stack([rows.mean(0) for rows in found.rows]), how.soften)
    if paths.shape[1] < 2:
        return NotMeasurable(f"paths of {recording.attrs['region']} fill no plane")
    fitted = _fitted(paths, how)
    part = _labelled(fitted, steps.mean(), how.remove_mean)
    if not how.n_null:
        return part
    law, rng = surrogate_law(paths), np.random.default_rng(how.seed)
    null = np.array([_fitted(law.draw(rng=rng), how).r2_skew for _ in range(how.n_null)])
    p = (1 + np.sum(null >= fitted.r2_skew)) / (1 + how.n_null)
    return part.assign(surrogate_r2=((), null.mean()), p=((), p))


def _fitted(paths: np.ndarray, how: _How) -> Rotations:
    return jpca(paths, n_components=how.n_components, remove_mean=how.remove_mean)


def _reduced(paths: np.ndarray, soften: float | None) -> np.ndarray:
    """Scale units, and turn them onto the components that vary."""
    if soften is not None:
        ranges = np.ptp(paths, axis=(0, 2)) + soften
        paths = paths / np.where(ranges > 0, ranges, 1.0)[:, None]
    flat = paths.transpose(0, 2, 1).reshape(-1, paths.shape[1])
    flat = flat - flat.mean(0)
    sizes, right = np.linalg.svd(flat, full_matrices=False)[1:]
    kept = min(MOST_COMPONENTS, int((sizes > 1e-10 * max(sizes[0], 1e-300)).sum()))
    return np.einsum("cut,ku->ckt", paths, right[:kept])


def _labelled(fitted: Rotations, step: float, remove_mean: bool) -> xr.Dataset:
    notes = (
        ("the mean over conditions was taken away, which can make rotations out of delays: compare "
         "with surrogates (n_null)",) if remove_mean else ()
    )  # fmt: skip
    return xr.Dataset(
        {
            "value": ((), fitted.r2_skew),
            "r2_full": ((), fitted.r2_full),
            "angle": ("plane", fitted.angles),
            "frequency": ("plane", fitted.angles / (2 * np.pi * step)),
            "share": ("plane", fitted.shares),
        },
        coords={"plane": np.arange(1, len(fitted.angles) + 1)},
        attrs={NOTES: notes},
    )
