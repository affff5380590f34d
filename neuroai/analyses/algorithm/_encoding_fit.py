"""Methods of encoding: what each takes, and the numbers it gives of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.banded import encode_banded
from neuroai.numerics.encoding import Encoded, encode
from neuroai.numerics.folds import Folds
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.partition import partition_variance
from neuroai.numerics.pls import encode_pls
from neuroai.numerics.poisson_glm import encode_poisson
from neuroai.numerics.ridge import Kernel, as_kernel
from neuroai.numerics.time_rescaling import time_rescaling

METHODS = ("ridge", "banded", "partition", "pls", "poisson")
SEVERAL = ("banded", "partition")
# Whose r is that of ridge regression.
RIDGE = ("ridge", "partition")


@dataclass(frozen=True)
class Method:
    """How features are mapped to responses.

    Attributes
    ----------
    name : str
        One of ``METHODS``.
    penalties : tuple of float
        What is tried; of ``pls`` nothing.
    n_components : int or None
        Dimensions of ``pls``; None for any other.
    n_iter, seed : int
        Draws of the weights of bands, and the seed of these or of the places of spikes in bins.
    """

    name: str
    penalties: tuple[float, ...]
    n_components: int | None = None
    n_iter: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        one_of(self.name, METHODS, option="method")
        if (self.n_components is None) == (self.name == "pls"):
            raise UsageError("n_components is needed for method='pls', and for no other.")

    def check(self, spaces: Mapping[str, object]) -> None:
        """Refuse one space where a method splits several."""
        if self.name in SEVERAL and len(spaces) < 2:
            raise UsageError(
                f"method='{self.name}' takes two named feature spaces or more; got "
                f"{len(spaces)}. Give a mapping from name to columns or arrays."
            )

    @property
    def score(self) -> str:
        """What is tested against chance: of counts their deviance, of all others r."""
        return "pseudo_r2" if self.name == "poisson" else "r"

    def parameters(self) -> dict[str, object]:
        """Give what the numbers hang on."""
        found: dict[str, object] = {"method": self.name}
        if self.name == "pls":
            return found | {"n_components": self.n_components}
        found["penalties"] = [min(self.penalties), max(self.penalties), len(self.penalties)]
        if self.name == "banded":
            found |= {"n_iter": self.n_iter, "seed": self.seed}
        if self.name == "poisson":
            # Of the places of spikes within bins.
            found["seed"] = self.seed
        return found


@dataclass(frozen=True, eq=False)
class Past:
    """Counts before each row, of the units that are predicted.

    Attributes
    ----------
    counts : array, shape (n_rows, n_lags, n_units)
        One lag after the other.
    coupled : bool
        Whether every unit is predicted from the past of all of them, or from its own alone.
    """

    counts: np.ndarray
    coupled: bool


@dataclass(frozen=True, eq=False)
class Fit:
    """One value a column, by name, and one a part and column where features were split.

    Attributes
    ----------
    columns : mapping from str to array, shape (n_columns,)
        ``r``, ``r2`` and what else the method gives.
    parts : mapping from str to array, shape (n_columns,)
        Shares of R² by feature space, or by subset of spaces joined by ``+``.
    predictions : array, shape (n_rows, n_columns), or None
        Held-out predictions.
    at_edge : int
        Choices at the smallest or largest penalty.
    """

    columns: Mapping[str, np.ndarray]
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)
    predictions: np.ndarray | None = None
    at_edge: int = 0


def fit(
    method: Method,
    spaces: Mapping[str, np.ndarray],
    y: np.ndarray,
    folds: Folds,
    *,
    past: Past | None = None,
) -> Fit:
    """Fit a method and score it fold by fold; `past` is for ``poisson`` alone."""
    side_by_side = np.hstack(list(spaces.values()))
    if method.name == "pls":
        return _columns(
            encode_pls(
                side_by_side,
                y,
                folds=folds,
                n_components=int(method.n_components or 0),
                keep_predictions=True,
            )
        )
    if method.name == "poisson":
        return _poisson(side_by_side, y, folds, method.penalties, past)
    if method.name == "banded":
        return _banded(method, spaces, y, folds)
    parts: dict[str, np.ndarray] = {}
    if method.name == "partition":
        split = partition_variance(spaces, y, folds=folds, penalties=method.penalties)
        parts = {"+".join(names): part for names, part in split.parts.items()}
    return _columns(_ridge(side_by_side, y, folds, method.penalties), parts=parts)


def rescaled(found: Fit, counts: np.ndarray, *, seed: int) -> Fit:
    """Add whether the held-out rates account for when the counts in order of time came.

    Quantities that are no whole numbers, such as activity of networks, have no such moments.
    """
    if (counts != np.round(counts)).any():
        return found
    seen = time_rescaling(counts, found.predictions, seed=seed)
    more = {"rescaling_distance": seen.distance, "rescaling_p": seen.p}
    return replace(found, columns={**found.columns, **more})


def ridge_features(x: np.ndarray) -> np.ndarray | Kernel:
    """Give features, or where they are more than the rows their inner products."""
    wide = x.shape[1] > len(x)
    return as_kernel(np.asarray(centred_gram(x), dtype=float)) if wide else x


def _ridge(x: np.ndarray, y: np.ndarray, folds: Folds, penalties: Sequence[float]) -> Encoded:
    return encode(ridge_features(x), y, folds=folds, penalties=penalties, keep_predictions=True)


def _poisson(
    x: np.ndarray, y: np.ndarray, folds: Folds, penalties: Sequence[float], past: Past | None
) -> Fit:
    """Predict counts; with their past the features add to what it says alone."""
    how = {"folds": folds, "penalties": penalties}
    if past is None:
        found, scores = encode_poisson(x, y, keep_predictions=True, **how)
        return _columns(
            found, counts={"pseudo_r2": scores.pseudo_r2, "bits_per_count": scores.bits_per_count}
        )
    # A feature that is 0 everywhere: the past alone.
    before, own = np.zeros((len(x), 1)), past.counts
    if past.coupled:
        before, own = past.counts.reshape(len(x), -1), None
    found, scores = encode_poisson(np.hstack([x, before]), y, own=own, keep_predictions=True, **how)
    _, alone = encode_poisson(before, y, own=own, **how)
    return _columns(
        found,
        counts={
            "pseudo_r2": scores.pseudo_r2,
            "bits_per_count": scores.bits_per_count,
            "history_pseudo_r2": alone.pseudo_r2,
            "history_bits_per_count": alone.bits_per_count,
        },
    )


def _banded(method: Method, spaces: Mapping[str, np.ndarray], y: np.ndarray, folds: Folds) -> Fit:
    found = encode_banded(
        list(spaces.values()),
        y,
        folds=folds,
        penalties=method.penalties,
        n_iter=method.n_iter,
        seed=method.seed,
        keep_predictions=True,
    )
    shares = dict(zip(spaces, found.shares.mean(axis=0), strict=True))
    return _columns(found.encoded, parts=shares)


def _columns(
    found: Encoded,
    *,
    parts: Mapping[str, np.ndarray] | None = None,
    counts: Mapping[str, np.ndarray] | None = None,
) -> Fit:
    columns = {"r": found.mean_r(), "r2": found.mean_r2()}
    columns |= {name: values.mean(axis=0) for name, values in (counts or {}).items()}
    if found.penalties is not None:
        # Penalties of several folds meet at their geometric mean.
        columns["penalty"] = np.exp(np.log(found.penalties).mean(axis=0))
    return Fit(columns, parts or {}, found.predictions, found.at_edge)
