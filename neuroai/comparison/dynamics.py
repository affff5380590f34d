"""Dynamical similarity: do two systems follow the same rule from one time to the next?"""

from __future__ import annotations

import numpy as np
import xarray as xr

from neuroai.checks import need
from neuroai.errors import UsageError
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import Answer, NotMeasurable, part_of
from neuroai.format.schema import TIME
from neuroai.numerics.arrays import require_finite

DIMS = ("subject", "region", "subject_to", "region_to")


def dynamical_distance(
    a: np.ndarray, b: np.ndarray, *, n_delays: int = 1, rank: int | None = None
) -> float:
    r"""Measure how unlike the linear rules are that two sets of trajectories follow.

    Each side is embedded in delays and fitted by dynamic mode decomposition,
    :math:`h_{t+1} \approx A h_t`; the distance is that of Wasserstein between the eigenvalues
    of the two matrices, which no change of basis moves:

    .. math:: d = \left( \min_\pi \frac{1}{k} \sum_i |\lambda_i - \mu_{\pi(i)}|^2 \right)^{1/2}

    (The package's own score is the square of it.) It needs the extra ``dsa``.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_times, n_units)
        Trajectories, finite; numbers of stimuli, times and units may differ.
    n_delays : int
        Times in one state, at least 1.
    rank : int, optional
        Directions of the states that are kept; all by default. Sides are cut to one number, since
        a distance between unlike numbers of eigenvalues says how large they are.

    Returns
    -------
    float
        0 for the same eigenvalues, at most 2 between rules that do not grow.

    Raises
    ------
    MissingExtra
        The package dsa-metric is not installed.
    UsageError
        Arrays have other axes, or too few times.

    References
    ----------
    Ostrow et al. 2023, doi:10.48550/arXiv.2306.10168

    Examples
    --------
    >>> t = np.arange(12.0)
    >>> decay = 0.9 ** t[None, :, None] * np.array([1.0, 2.0, 3.0])[:, None, None]
    >>> round(dynamical_distance(decay, 5 * decay), 4)
    0.0
    """
    package = need("DSA", extra="dsa", purpose="Dynamical similarity")
    sides = [_checked(side, n_delays) for side in (a, b)]
    most = min(side.shape[2] for side in sides) * n_delays
    kept = most if rank is None else rank
    if not 1 <= kept <= most:
        raise UsageError(f"rank must lie in [1, {most}] for these units and delays; got {rank}.")
    fitted = package.DSA(*sides, n_delays=n_delays, rank=kept, score_method="wasserstein")
    return max(float(fitted.fit_score()), 0.0) ** 0.5


def dynamical_similarity(
    a: Answer,
    b: Answer,
    *,
    n_delays: int = 1,
    rank: int = 10,
    mapping: str = "",
) -> xr.Dataset | NotMeasurable:
    """Compare the dynamics of every region of one answer with every region of another.

    Showings of a stimulus are averaged. Rules are compared, not responses: the two sides may have
    met other stimuli, but a rule is one a time step, so that steps must mean the same.

    Parameters
    ----------
    a, b : Answer
        Form ``responses`` with a time axis.
    n_delays : int
        Times in one state.
    rank : int
        Directions of the states that are kept, at most those there are.
    mapping : str
        What one step of `a` is in steps of `b`, in words (such as ``"1 step = 10 ms"``); needed
        where the time units differ, and kept in the result.

    Returns
    -------
    xarray.Dataset or NotMeasurable
        ``value(subject, region, subject_to, region_to)``, 0 for equal dynamics; the options are
        in its attrs. Not measurable for regions without time: a layer is not a time.

    Raises
    ------
    UsageError
        The time units differ and no `mapping` is stated, or an answer has another form.
    MissingExtra
        The package dsa-metric is not installed.

    References
    ----------
    Ostrow et al. 2023, doi:10.48550/arXiv.2306.10168

    Examples
    --------
    >>> from neuroai.analyses.algorithm.responses import responses
    >>> from neuroai.testing import toy_brain
    >>> answer = responses(toy_brain())
    >>> dynamical_similarity(answer, answer).reason
    "V1 of 'toy' has no time: layers and regions are no steps of a trajectory"
    """
    for answer in (a, b):
        if answer.form != "responses":
            raise UsageError(f"Dynamics need answers of form 'responses'; got '{answer.form}'.")
        timeless = [part_of(r)[1] for r in answer.responses if TIME not in r.dims]
        if timeless:
            return NotMeasurable(
                f"{timeless[0]} of '{answer.system}' has no time: layers and regions are no "
                "steps of a trajectory"
            )
    units = [sorted({str(r.attrs["time_unit"]) for r in answer.responses}) for answer in (a, b)]
    if units[0] != units[1] and not mapping:
        raise UsageError(
            f"Time is in {', '.join(units[0])} in '{a.system}' and in {', '.join(units[1])} in "
            f"'{b.system}'; say what a step of one is in the other with mapping=..."
        )
    paths, others = _paths(a), _paths(b)
    shape = tuple(len(names) for names in (a.subjects, a.regions, b.subjects, b.regions))
    cube = np.full(shape, np.nan)
    for at, one in paths.items():
        for to, other in others.items():
            cut = min(rank, n_delays * min(one.shape[2], other.shape[2]))
            cube[(*at, *to)] = dynamical_distance(one, other, n_delays=n_delays, rank=cut)
    coords = zip(DIMS, (a.subjects, a.regions, b.subjects, b.regions), strict=True)
    attrs = {
        "n_delays": n_delays, "rank": rank, "score": "wasserstein, root", "mapping": mapping,
        "system": a.system, "system_to": b.system, "n_unmeasured": int(np.isnan(cube).sum()),
    }  # fmt: skip
    return xr.Dataset(
        {"value": (DIMS, cube)},
        coords={dim: np.array(list(names), dtype=object) for dim, names in coords},
        attrs=attrs,
    )


def _checked(side: np.ndarray, n_delays: int) -> np.ndarray:
    side = np.asarray(side, dtype=np.float64)
    if side.ndim != 3 or n_delays < 1 or side.shape[1] < n_delays + 2:
        raise UsageError(
            "Trajectories must be stimuli x times x units with at least n_delays + 2 times; got "
            f"shape {side.shape} and n_delays={n_delays}."
        )
    require_finite(side, name="trajectories")
    return side


def _paths(answer: Answer) -> dict[tuple[int, int], np.ndarray]:
    """Give mean trajectories (stimuli, times, units) by place of subject and region."""
    found = {}
    for recording in answer.responses:
        subject, region = part_of(recording)
        means = stimulus_patterns(recording)[1].transpose(0, 2, 1)
        found[answer.subjects.index(subject), answer.regions.index(region)] = means
    return found
