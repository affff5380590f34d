r"""Ridge regression of many targets at once, from one decomposition of the features.

With centred features X = U S Vᵀ the prediction at x is

.. math:: \hat y(x) = \bar y + \sum_k \frac{a_k(x)\, b_k}{\lambda_k + \alpha}, \qquad
          \lambda_k = s_k^2

where a and b come from the smaller of the two Gram matrices: XᵀX (as many features as samples or
fewer) or XXᵀ. No array of features × targets is made unless weights are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neuroai.errors import DataError, UsageError

BLOCK_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Basis:
    """The features of the training rows, decomposed.

    Attributes
    ----------
    x : Tensor, shape (n_rows, n_features)
        Centred features.
    mean : Tensor, shape (n_features,)
        What was subtracted.
    vectors : Tensor, shape (n_features or n_rows, rank)
        Eigenvectors of the smaller Gram matrix.
    values : Tensor, shape (rank,)
        Its eigenvalues, all above rounding.
    primal : bool
        Whether the Gram matrix is that of the features.
    """

    x: Tensor
    mean: Tensor
    vectors: Tensor
    values: Tensor
    primal: bool

    def coordinates(self, x: Tensor) -> Tensor:
        """Give a of new rows, shape (n_new, rank)."""
        centred = x - self.mean
        return centred @ self.vectors if self.primal else (centred @ self.x.T) @ self.vectors

    def loadings(self, y: Tensor) -> Tensor:
        """Give b of centred targets, shape (rank, n_targets)."""
        return self.vectors.T @ (self.x.T @ y) if self.primal else self.vectors.T @ y

    def loading_scale(self) -> Tensor:
        """Give what loadings are of the product with the left singular vectors, shape (rank,)."""
        return self.values.sqrt() if self.primal else torch.ones_like(self.values)

    def training_coordinates(self) -> Tensor:
        """Give the left singular vectors of the training rows, shape (n_rows, rank)."""
        if self.primal:
            return (self.x @ self.vectors) / self.values.sqrt()
        return self.vectors


def decompose(x: Tensor) -> Basis:
    """Centre features and decompose the smaller of their Gram matrices.

    Examples
    --------
    >>> decompose(torch.tensor([[0.0], [2.0]])).values.tolist()
    [2.0]
    """
    mean = x.mean(dim=0)
    x = x - mean
    primal = x.shape[1] <= x.shape[0]
    values, vectors = spectrum(x.T @ x if primal else x @ x.T, max(x.shape))
    return Basis(x, mean, vectors, values, primal)


def spectrum(gram: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Give the eigenvalues of a Gram matrix that are above rounding, and their eigenvectors.

    Examples
    --------
    >>> spectrum(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), 2)[0].tolist()
    [2.0]
    """
    values, vectors = torch.linalg.eigh(gram)
    least = values.amax().clamp(min=0) * size * torch.finfo(gram.dtype).eps
    kept = values > least
    return values[kept], vectors[:, kept]


@dataclass(frozen=True, eq=False)
class Kernel:
    """Features that are known by their inner products alone, such as a cached Gram matrix.

    Attributes
    ----------
    gram : Tensor, shape (n_rows, n_rows)
        Inner products of the rows about any common point.
    """

    gram: Tensor

    def __len__(self) -> int:
        return len(self.gram)

    def basis(self, rows: Tensor) -> KernelBasis:
        """Decompose some rows about their own mean."""
        part = self.gram[rows][:, rows]
        means = part.mean(dim=0)
        centred = part - means - means[:, None] + means.mean()
        values, vectors = spectrum(centred, len(part))
        return KernelBasis(self.gram, rows, means, vectors, values)

    def at(self, basis: KernelBasis, rows: Tensor) -> Tensor:
        """Give the coordinates of other rows, shape (n_new, rank)."""
        part = self.gram[rows][:, basis.rows]
        centred = part - part.mean(dim=1, keepdim=True) - basis.means + basis.means.mean()
        return centred @ basis.vectors


@dataclass(frozen=True)
class KernelBasis:
    """Some rows of a `Kernel`, decomposed about their mean."""

    gram: Tensor
    rows: Tensor
    means: Tensor
    vectors: Tensor
    values: Tensor

    def loadings(self, y: Tensor) -> Tensor:
        """Give b of centred targets, shape (rank, n_targets)."""
        return self.vectors.T @ y

    def loading_scale(self) -> Tensor:
        """Give what loadings are of the product with the left singular vectors, shape (rank,)."""
        return torch.ones_like(self.values)

    def training_coordinates(self) -> Tensor:
        """Give the left singular vectors of the rows, shape (n_rows, rank)."""
        return self.vectors


@dataclass(frozen=True, eq=False)
class Plain:
    """Features as they are, with the same two methods as `Kernel`."""

    x: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def basis(self, rows: Tensor) -> Basis:
        """Centre and decompose some rows."""
        return decompose(self.x[rows])

    def at(self, basis: Basis, rows: Tensor) -> Tensor:
        """Give the coordinates of other rows, shape (n_new, rank)."""
        return basis.coordinates(self.x[rows])


@dataclass(frozen=True)
class Ridge:
    """A fitted ridge regression.

    Attributes
    ----------
    weights : array, shape (n_features, n_targets)
        In units of the target per unit of the feature.
    intercept : array, shape (n_targets,)
        Prediction where all features are 0.
    """

    weights: np.ndarray
    intercept: np.ndarray


def fit_ridge(x: Any, y: Any, *, penalties: Any) -> Ridge:
    r"""Fit ridge regression with an intercept that is not penalised.

    .. math:: \hat W = \arg\min_W \lVert Y_c - X_c W \rVert^2 + \sum_t \alpha_t \lVert w_t \rVert^2

    The penalty is not divided by the number of rows.

    Parameters
    ----------
    x : array or tensor, shape (n_rows, n_features)
        Features, finite.
    y : array or tensor, shape (n_rows, n_targets)
        Targets, finite.
    penalties : float or array, shape (n_targets,)
        Above 0, one for all targets or one each.

    Returns
    -------
    Ridge

    Raises
    ------
    UsageError
        Shapes do not fit, or a penalty is not above 0.
    DataError
        A feature or target is not finite.

    References
    ----------
    Hoerl & Kennard, 1970, Technometrics 12, 55, doi:10.1080/00401706.1970.10488634

    Examples
    --------
    >>> fit_ridge([[0.0], [2.0]], [[0.0], [4.0]], penalties=2.0)
    Ridge(weights=array([[1.]]), intercept=array([1.]))
    """
    x, y = as_pair(x, y)
    return fit_from(decompose(x), y, as_penalties(penalties, y.shape[1], like=y))


def fit_from(basis: Basis, y: Tensor, alphas: Tensor) -> Ridge:
    """Fit from features that are decomposed already, block by block of targets."""
    y_mean = y.mean(dim=0)
    n_features = len(basis.mean)
    weights = torch.empty(n_features, y.shape[1], dtype=y.dtype, device=y.device)
    for some in target_blocks(y.shape[1], rows=3 * len(y), itemsize=y.element_size()):
        b = basis.loadings(y[:, some] - y_mean[some]).div_(basis.values[:, None] + alphas[some])
        mixed = basis.vectors @ b
        weights[:, some] = mixed if basis.primal else basis.x.T @ mixed
    return Ridge(_numpy(weights), _numpy(y_mean - basis.mean @ weights))


def predict_ridge(x: Any, y: Any, x_new: Any, *, penalties: Any) -> np.ndarray:
    """Predict targets at new rows without forming weights.

    Parameters
    ----------
    x, y : array or tensor, shape (n_rows, n_features) and (n_rows, n_targets)
        What is learnt from.
    x_new : array or tensor, shape (n_new, n_features)
        Where is predicted.
    penalties : float or array, shape (n_targets,)
        As in `fit_ridge`.

    Returns
    -------
    numpy.ndarray, shape (n_new, n_targets)
        In the precision of `x`.

    Examples
    --------
    >>> predict_ridge([[0.0], [2.0]], [[0.0], [4.0]], [[3.0]], penalties=2.0)
    array([[4.]])
    """
    x, y = as_pair(x, y)
    new = as_tensor(x_new).to(x)
    if new.ndim != 2 or new.shape[1] != x.shape[1]:
        raise UsageError(
            f"New rows need the {x.shape[1]} features that were learnt; got {tuple(new.shape)}."
        )
    alphas = as_penalties(penalties, y.shape[1], like=y)
    basis, y_mean = decompose(x), y.mean(dim=0)
    at = basis.coordinates(new)
    out = torch.empty(len(new), y.shape[1], dtype=y.dtype, device=y.device)
    for some in target_blocks(y.shape[1], rows=len(x), itemsize=y.element_size()):
        b = basis.loadings(y[:, some] - y_mean[some])
        out[:, some] = at @ (b / (basis.values[:, None] + alphas[some])) + y_mean[some]
    return _numpy(out)


def target_blocks(
    n_targets: int, *, rows: int, itemsize: int, block_bytes: int = BLOCK_BYTES
) -> Iterator[slice]:
    """Cut targets into blocks whose arrays of `rows` rows stay below a number of bytes.

    Examples
    --------
    >>> list(target_blocks(5, rows=10, itemsize=4, block_bytes=80))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    width = max(1, block_bytes // max(1, rows * itemsize))
    for start in range(0, n_targets, width):
        yield slice(start, min(start + width, n_targets))


def as_tensor(array: Any) -> Tensor:
    """Give a float tensor without a copy where possible; float32 stays, all else is float64."""
    if not isinstance(array, Tensor):
        array = np.asarray(array)
        # A tensor could be written into: read-only memory is copied rather than shared.
        array = torch.as_tensor(array if array.flags.writeable else array.copy())
    tensor = array.detach()
    return tensor if tensor.dtype == torch.float32 else tensor.to(torch.float64)


def as_pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Check features and targets and bring them to one precision, that of the features."""
    x = as_tensor(x)
    y = as_tensor(y).to(x)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 2 or 0 in (*x.shape, *y.shape):
        raise UsageError(
            "Features (n_rows, n_features) and targets (n_rows, n_targets) of the same two or "
            f"more rows are wanted; got {tuple(x.shape)} and {tuple(y.shape)}."
        )
    for name, array in (("features", x), ("targets", y)):
        if not bool(torch.isfinite(array).all()):
            count = int((~torch.isfinite(array)).sum())
            raise DataError(
                f"{count} of {array.numel()} values of the {name} are not finite. Leave these "
                "rows or columns out before fitting."
            )
    return x, y


def as_features(x: Any, y: Any) -> tuple[Plain | Kernel, Tensor]:
    """Check features, or a `Kernel`, and targets, and bring them to one precision."""
    if isinstance(x, Kernel):
        _, y = as_pair(x.gram, y)
        return x, y
    x, y = as_pair(x, y)
    return Plain(x), y


def as_kernel(gram: Any) -> Kernel:
    """Check a Gram matrix and make a `Kernel` of it.

    Examples
    --------
    >>> len(as_kernel([[1.0, 0.0], [0.0, 1.0]]))
    2
    """
    gram = as_tensor(gram)
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise UsageError(
            f"A Gram matrix (n_rows, n_rows) is wanted; got shape {tuple(gram.shape)}."
        )
    return Kernel(gram)


def as_penalties(penalties: Any, n_targets: int, *, like: Tensor) -> Tensor:
    """Check penalties and give one for each target."""
    alphas = torch.as_tensor(np.asarray(penalties, dtype=np.float64)).to(like)
    if alphas.ndim > 1 or (alphas.ndim == 1 and len(alphas) != n_targets):
        raise UsageError(
            f"penalties are one number, or one for each of {n_targets} targets; got shape "
            f"{tuple(alphas.shape)}."
        )
    if not bool((alphas > 0).all()):
        raise UsageError(f"A penalty is above 0; got {float(alphas.min()):g}.")
    return alphas.expand(n_targets)


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.cpu().numpy()
