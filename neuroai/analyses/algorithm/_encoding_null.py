"""What chance gives: responses to other stimuli, or of other times, predicted in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from tqdm import tqdm

from neuroai.analyses.algorithm._encoding_fit import RIDGE, Method, Past, fit, ridge_features
from neuroai.errors import UsageError
from neuroai.format.schema import TIME, UNIT
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import Folds
from neuroai.numerics.null_tally import null_tally

# Responses that are predicted beside each other, which share what a fold decomposes.
BLOCK_BYTES = 64 * 2**20
NULL = "null"
Moved = Callable[[np.ndarray], tuple[np.ndarray, Past | None]]


@dataclass(frozen=True)
class Chance:
    """How often everything is learnt anew without the relation that is asked about.

    Attributes
    ----------
    n_null : int
        Draws; 0 for none.
    seed : int
        Seed of the draws.
    progress : bool
        Show a bar.
    """

    n_null: int = 0
    seed: int = 0
    progress: bool = False

    def __post_init__(self) -> None:
        if self.n_null < 0:
            raise UsageError(f"n_null must not be negative; got {self.n_null}.")

    def rng(self) -> np.random.Generator:
        """Give the same draws for every subject and region."""
        return np.random.default_rng([self.seed, 2])


def with_chance(
    made: xr.Dataset,
    moved: Moved,
    *,
    orders: np.ndarray,
    method: Method,
    spaces: Mapping[str, np.ndarray],
    folds: Folds,
    progress: bool,
) -> xr.Dataset:
    """Add p-values of every column, and the means over units that chance gives.

    `moved` takes one of the `orders` and gives the responses, and their past, in that order.
    """
    score = made[method.score]
    drawn = _drawn(moved, orders, method, spaces, folds)
    with tqdm(total=len(orders), desc="chance", unit="fits", disable=not progress) as bar:
        tally = null_tally(score.values.ravel(), _counted(drawn, bar), groups=_times(score))
    made["p"] = (score.dims, tally.p.reshape(score.shape))
    made["p_max"] = (score.dims, tally.p_max.reshape(score.shape))
    dims = (NULL, *(dim for dim in score.dims if dim != UNIT))
    means = tally.means.reshape(len(orders), *(score.sizes[dim] for dim in dims[1:]))
    told = {"score": method.score, "n_undefined": tally.n_undefined}
    made["null_mean"] = (dims, means, told)
    return made


def _times(score: xr.DataArray) -> np.ndarray:
    """Number the time of every column."""
    n_times = score.sizes.get(TIME, 1)
    return np.tile(np.arange(n_times), score.size // n_times)


def _counted(drawn: Iterator[np.ndarray], bar: tqdm) -> Iterator[np.ndarray]:
    for block in drawn:
        yield block
        bar.update(len(block))


def _drawn(
    moved: Moved,
    orders: np.ndarray,
    method: Method,
    spaces: Mapping[str, np.ndarray],
    folds: Folds,
) -> Iterator[np.ndarray]:
    """Score the responses in each order, several beside each other where they share the work."""
    if method.name not in RIDGE:
        for order in orders:
            y, past = moved(order)
            yield fit(method, spaces, y, folds, past=past).columns[method.score][None]
        return
    x = ridge_features(np.hstack(list(spaces.values())))
    at_once = max(1, BLOCK_BYTES // moved(orders[0])[0].nbytes)
    for start in range(0, len(orders), at_once):
        several = [moved(order)[0] for order in orders[start : start + at_once]]
        found = encode(x, np.hstack(several), folds=folds, penalties=method.penalties)
        yield found.mean_r().reshape(len(several), -1)
