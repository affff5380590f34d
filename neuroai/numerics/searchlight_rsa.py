"""Searchlight RSA: the RDM around every centre compared with models, in large batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import Array, as_patterns, is_torch, require_finite
from neuroai.numerics.neighbourhoods import Neighbourhoods
from neuroai.numerics.rdm_batch import DISTANCES, ModelRdms, batched_rdms

# The patterns and RDMs of one batch of centres stay near the processor.
_BATCH_BYTES = 2**22


def searchlight_rsa(
    patterns: Array,
    models: np.ndarray,
    *,
    neighbourhoods: Neighbourhoods,
    method: str = "spearman",
    distance: str = "correlation",
) -> np.ndarray:
    r"""Compare the RDM of the units around every centre with every model RDM.

    .. math:: s_{cm} = \mathrm{sim}(D(X_{N(c)}), M_m)

    Centres with equally many units go together: their patterns are gathered, multiplied and
    compared as one batch, and no RDM is kept.

    Parameters
    ----------
    patterns : array or tensor of shape (n_stimuli, n_units)
        Activity, any unit, finite. float32 is worked on in float32, on the device it is on.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli in the same order.
    neighbourhoods : Neighbourhoods
        From `neuroai.numerics.neighbourhoods`.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    distance : {"correlation", "squared-euclidean"}
        Of the patterns; squared-euclidean is divided by the number of units, so that smaller
        neighbourhoods at the edge compare with whole ones.

    Returns
    -------
    array of shape (n_centres, n_models)
        float64, from -1 to 1; NaN where an RDM is constant or undefined, as it is under
        ``correlation`` with a single unit.

    Raises
    ------
    UsageError
        An unknown option, models of other stimuli, or neighbourhoods of other units.
    DataError
        Some entries are not finite; the message counts them.

    References
    ----------
    Kriegeskorte, Goebel & Bandettini (2006), https://doi.org/10.1073/pnas.0600244103

    Examples
    --------
    >>> from neuroai.numerics.neighbourhoods import within_radius
    >>> x = np.array([[0.0, 0.0], [1.0, 3.0], [3.0, 1.0]])
    >>> near = within_radius(np.array([[0.0], [9.0]]), radius=1.0)
    >>> searchlight_rsa(x, np.array([[1.0, 9.0, 4.0]]), neighbourhoods=near,
    ...                 method="spearman", distance="squared-euclidean")
    array([[ 1.],
           [-1.]])
    """
    one_of(distance, DISTANCES, option="distance")
    x = as_patterns(patterns)
    require_finite(x, name="patterns")
    by_unit = units_first(x, neighbourhoods)
    ready = ModelRdms.of(models, method=method, n_stimuli=x.shape[0], like=by_unit)
    out = np.full((len(neighbourhoods), len(ready.vectors)), np.nan)
    for centres, members in batches(neighbourhoods, by_unit):
        near = gathered(by_unit, members).transpose(1, 2)
        rdms = batched_rdms(
            near,
            distance=distance,
            owned=True,
            raw=ready.blind_to_offset,
            doubled=ready.by_order,
        )
        out[centres] = ready.scores(rdms)
    return out


def units_first(patterns: Array, neighbourhoods: Neighbourhoods) -> Tensor:
    """Return patterns as a tensor (n_units, n_stimuli), whose rows are gathered fast.

    Raises
    ------
    UsageError
        The neighbourhoods hold units that the patterns do not.
    """
    largest = int(neighbourhoods.members.max(initial=-1))
    if largest >= patterns.shape[1]:
        raise UsageError(
            f"The neighbourhoods hold {largest + 1} units or more, and the patterns "
            f"{patterns.shape[1]}. Make them from the positions of the same units."
        )
    if is_torch(patterns):
        return patterns.T.contiguous()
    return torch.from_numpy(np.array(patterns.T, order="C"))


def gathered(by_unit: Tensor, members: Tensor) -> Tensor:
    """Return the activity of the units around each centre, (n_centres, size, n_stimuli), a copy."""
    flat = by_unit.index_select(0, members.reshape(-1))
    return flat.view(*members.shape, by_unit.shape[1])


def batches(
    neighbourhoods: Neighbourhoods, by_unit: Tensor, *, least: int = 1
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Yield centres and their units (n_centres, size), as many as a batch holds."""
    n = by_unit.shape[1]
    for centres, members in neighbourhoods.by_size(least=least):
        held = (members.shape[1] + n) * n * by_unit.element_size()
        width = max(1, _BATCH_BYTES // held)
        places = torch.from_numpy(members).to(by_unit.device)
        for start in range(0, len(centres), width):
            yield centres[start : start + width], places[start : start + width]
