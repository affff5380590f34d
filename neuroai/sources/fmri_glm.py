"""Activity estimates from a run: one a trial (LSA, LSS) or one a condition."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from neuroai.checks import listing, one_of
from neuroai.errors import DataError

MODELS = ("lss", "lsa", "condition")
NOISE = ("ols", "ar1")
HRFS = ("glover", "spm")
INDEPENDENT = 1e-8  # smallest singular value of a design, relative to the largest


def estimate(
    values: np.ndarray,
    events: pd.DataFrame,
    *,
    tr: float,
    model: str = "lss",
    hrf: str = "glover",
    noise: str = "ols",
    high_pass: float = 0.01,
    slice_time_ref: float = 0.0,
    confounds: np.ndarray | None = None,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Estimate activity by a linear model of the run.

    With y the samples and X the design (responses to events convolved with the HRF, drifts,
    confounds, a constant): beta = (X'X)^-1 X'y. ``lsa`` has one column a trial; ``lss`` fits each
    trial with a design of its own, where the other trials are one column a condition;
    ``condition`` has one column a condition.

    Parameters
    ----------
    values : array, shape (n_scans, n_voxels)
        Samples; the estimates have their unit.
    events : pandas.DataFrame
        Columns ``onset``, ``duration`` (s) and ``trial_type``.
    tr : float
        Seconds from scan to scan.
    hrf : str
        ``glover`` or ``spm``.
    noise : str
        ``ols``, or ``ar1`` (prewhitened).
    high_pass : float
        Hz; slower drifts are modelled by cosines.
    slice_time_ref : float
        When in the scan it was taken, from 0 to 1 of `tr`.
    confounds : array, shape (n_scans, n_confounds), optional
        Nuisance series.

    Returns
    -------
    array, shape (n_estimates, n_voxels)
    pandas.DataFrame
        One row an estimate: the event it belongs to, or the condition with ``n_repeats``.

    Raises
    ------
    DataError
        The columns of the design cannot be told apart, or are more than the scans.

    References
    ----------
    Mumford et al. (2012), NeuroImage 59:2636-2643. https://doi.org/10.1016/j.neuroimage.2011.08.076
    """
    one_of(model, MODELS, option="model")
    one_of(noise, NOISE, option="noise")
    one_of(hrf, HRFS, option="hrf")
    times = (np.arange(len(values)) + slice_time_ref) * tr
    names = [f"trial {number}" for number in range(len(events))]
    labelled = events.assign(trial_type=names)[["onset", "duration", "trial_type"]]
    design = _design(times, labelled, hrf=hrf, high_pass=high_pass, confounds=confounds)
    trials, rest = design[names], design.drop(columns=names)
    if model == "lsa":
        return _betas(values, design, names, noise=noise), events
    conditions = events["trial_type"].to_numpy(dtype=object)
    if model == "lss":
        parts = [
            _betas(values, _apart(trials, rest, conditions, i), [name], noise=noise)
            for i, name in enumerate(names)
        ]
        return np.concatenate(parts), events
    summed = _summed(trials, conditions)
    betas = _betas(values, pd.concat([summed, rest], axis=1), list(summed), noise=noise)
    kinds = sorted(set(conditions))
    counts = [float((conditions == kind).sum()) for kind in kinds]
    rows = pd.DataFrame({"stimulus_id": kinds, "trial_type": kinds, "n_repeats": counts})
    return betas, rows


def nuisance(
    n_scans: int,
    *,
    tr: float,
    detrend: bool = True,
    high_pass: float = 0.01,
    confounds: np.ndarray | None = None,
) -> np.ndarray:
    """Give the columns of what is not signal: constant, line, slow cosines and confounds.

    Returns
    -------
    array, shape (n_scans, n_columns)

    Examples
    --------
    >>> nuisance(100, tr=2.0, high_pass=0.0).shape
    (100, 2)
    """
    times = np.arange(n_scans) * tr
    design = _design(times, None, hrf="glover", high_pass=high_pass, confounds=confounds)
    line = np.linspace(-1, 1, n_scans)[:, np.newaxis]
    columns = design.to_numpy(dtype=np.float64)
    return np.concatenate([columns, line], axis=1) if detrend else columns


def _summed(trials: pd.DataFrame, conditions: np.ndarray) -> pd.DataFrame:
    """Add up the responses to a condition's trials: convolution is linear."""
    return pd.DataFrame(
        {
            f"condition {kind}": trials.loc[:, conditions == kind].sum(axis=1)
            for kind in sorted(set(conditions))
        }
    )


def _apart(
    trials: pd.DataFrame, rest: pd.DataFrame, conditions: np.ndarray, one: int
) -> pd.DataFrame:
    """Set one trial apart; the others are one column a condition."""
    others = np.arange(trials.shape[1]) != one
    summed = _summed(trials.loc[:, others], conditions[others])
    return pd.concat([trials.iloc[:, [one]], summed, rest], axis=1)


def _design(
    times: np.ndarray,
    events: pd.DataFrame | None,
    *,
    hrf: str,
    high_pass: float,
    confounds: np.ndarray | None,
) -> pd.DataFrame:
    from nilearn.glm.first_level import make_first_level_design_matrix

    names = None if confounds is None else [f"confound {i}" for i in range(confounds.shape[1])]
    with warnings.catch_warnings():
        # Singular designs are refused afterwards, with the names of the columns.
        warnings.filterwarnings("ignore", message="Matrix is singular at working precision")
        return make_first_level_design_matrix(
            times,
            events,
            hrf_model=hrf,
            drift_model="cosine" if high_pass > 0 else None,
            high_pass=high_pass if high_pass > 0 else 0.01,
            add_regs=None if confounds is None else confounds - confounds.mean(axis=0),
            add_reg_names=names,
        )


def _betas(
    values: np.ndarray, design: pd.DataFrame, wanted: list[str], *, noise: str
) -> np.ndarray:
    matrix = design.to_numpy(dtype=np.float64)
    _check_design(matrix, list(design.columns))
    places = [list(design.columns).index(name) for name in wanted]
    if noise == "ols":
        return np.linalg.pinv(matrix)[places] @ values
    from nilearn.glm.first_level import run_glm

    groups, results = run_glm(values, matrix, noise_model=noise)
    betas = np.empty((len(places), values.shape[1]))
    for group, result in results.items():
        betas[:, groups == group] = result.theta[places]
    return betas


def _check_design(matrix: np.ndarray, names: list[str]) -> None:
    if matrix.shape[1] > matrix.shape[0]:
        raise DataError(
            f"The design has {matrix.shape[1]} columns for {matrix.shape[0]} scans. Use "
            "model='lss' or 'condition', or fewer confounds."
        )
    lengths = np.linalg.norm(matrix, axis=0)
    empty = [name for name, length in zip(names, lengths, strict=True) if length == 0]
    if empty:
        raise DataError(
            f"{listing(empty)} of the design never respond(s): its events end before the first "
            "scan or begin at the last. Leave them out."
        )
    _, sizes, right = np.linalg.svd(matrix / lengths, full_matrices=False)
    if sizes[-1] < INDEPENDENT * sizes[0]:
        alike = [name for name, weight in zip(names, right[-1], strict=True) if abs(weight) > 1e-3]
        raise DataError(
            f"The columns {listing(alike)} of the design cannot be told apart. Are two events at "
            "one time, or is a confound given twice?"
        )
