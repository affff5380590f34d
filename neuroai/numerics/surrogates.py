"""Surrogate paths: random, with the means and covariances of the real ones and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import DataError, UsageError
from neuroai.numerics.arrays import require_finite

_RANK = 1e-10
_STEPS = 200


@dataclass(frozen=True)
class SurrogateLaw:
    """The distribution of greatest entropy with given covariances along three axes.

    Attributes
    ----------
    mean : array, shape (n_conditions, n_units, n_times)
        What the means along single axes add up to.
    bases : tuple of arrays
        Eigenvectors of the covariance along each axis.
    variances : array
        Variance of each product of eigenvectors.
    """

    mean: np.ndarray
    bases: tuple[np.ndarray, ...]
    variances: np.ndarray

    def draw(self, *, rng: np.random.Generator) -> np.ndarray:
        """Draw one set of paths, shape (n_conditions, n_units, n_times)."""
        core = rng.standard_normal(self.variances.shape) * np.sqrt(self.variances)
        return self.mean + np.einsum("abc,ia,jb,kc->ijk", core, *self.bases, optimize=True)


def surrogate_law(paths: np.ndarray) -> SurrogateLaw:
    r"""Fit the law from which surrogates are drawn: tensor maximum entropy.

    Among all distributions whose covariances along conditions, units and times are those of the
    data on average, the normal one with variances

    .. math:: v_{ijk} = \frac{1}{\alpha_i + \beta_j + \gamma_k}

    in the eigenvectors of the three covariances has the greatest entropy; the numbers follow from
    :math:`\sum_{jk} v_{ijk} = \lambda_i` and its two companions, by Newton's method. What is found
    in the data and not in surrogates is no consequence of smoothness or of correlated units.

    Parameters
    ----------
    paths : array, shape (n_conditions, n_units, n_times)
        Mean activity, finite.

    Returns
    -------
    SurrogateLaw

    Raises
    ------
    UsageError
        The array has not three axes.
    DataError
        Some entries are not finite, or the paths do not vary beyond their means.

    References
    ----------
    Elsayed & Cunningham 2017, doi:10.1038/nn.4617

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((3, 4, 5))
    >>> law = surrogate_law(x)
    >>> bool(np.isclose(law.variances.sum(), ((x - law.mean) ** 2).sum()))
    True
    """
    cube = np.asarray(paths, dtype=np.float64)
    if cube.ndim != 3:
        raise UsageError(f"Paths must be conditions x units x times; got shape {cube.shape}.")
    require_finite(cube, name="paths")
    grand = cube.mean()
    ends = [cube.mean(axis=axes, keepdims=True) - grand for axes in ((1, 2), (0, 2), (0, 1))]
    mean = grand + ends[0] + ends[1] + ends[2]
    rest = cube - mean
    if np.sum(rest**2) <= _RANK**2 * np.sum(cube**2):
        raise DataError("The paths are sums of their means alone: there is nothing to draw.")
    spectra, bases = [], []
    for axis in range(3):
        unfolded = np.moveaxis(rest, axis, 0).reshape(cube.shape[axis], -1)
        values, vectors = np.linalg.eigh(unfolded @ unfolded.T)
        kept = values > _RANK * values[-1]
        spectra.append(values[kept])
        bases.append(vectors[:, kept])
    # What small eigenvalues lost in the cut is given back, so that all three sums agree.
    total = np.sum(rest**2)
    spectra = [values * (total / values.sum()) for values in spectra]
    return SurrogateLaw(mean, tuple(bases), _variances(spectra))


def _variances(spectra: list[np.ndarray]) -> np.ndarray:
    """Solve for the variances whose sums along each axis are the spectra, by damped Newton."""
    sizes = [len(values) for values in spectra]
    targets = np.concatenate(spectra)
    scale = targets.sum() / 3 / np.prod(sizes)
    targets = targets / scale
    # Each variance starts near the product of its shares, on the safe side of 0.
    start = [
        np.prod(sizes) / n / (3 * values / scale) for n, values in zip(sizes, spectra, strict=True)
    ]
    point = np.concatenate(start)
    for _ in range(_STEPS):
        variances = 1 / _sums(point, sizes)
        gradient = targets - _margins(variances, sizes)
        # One share can move from axis to axis without any effect: the smallest step is taken.
        step = np.linalg.lstsq(_curvature(variances, sizes), gradient, rcond=1e-13)[0]
        decrement = float(gradient @ step)
        if decrement < 1e-18 * targets.sum():
            break
        # Half steps until Newton's region is reached keep every sum above 0.
        point = point - step / (1 + np.sqrt(max(decrement, 0)))
    variances = 1 / _sums(point, sizes)
    if np.abs(_margins(variances, sizes) / targets - 1).max() > 1e-6:
        raise DataError("The covariances of these paths allow no surrogates; take fewer units.")
    return variances * scale


def _sums(point: np.ndarray, sizes: list[int]) -> np.ndarray:
    a, b, c = np.split(point, np.cumsum(sizes)[:-1])
    return a[:, None, None] + b[None, :, None] + c[None, None, :]


def _margins(cube: np.ndarray, sizes: list[int]) -> np.ndarray:
    return np.concatenate([cube.sum(axes) for axes in ((1, 2), (0, 2), (0, 1))])


def _curvature(variances: np.ndarray, sizes: list[int]) -> np.ndarray:
    squares = variances**2
    pairs = {(0, 1): squares.sum(2), (0, 2): squares.sum(1), (1, 2): squares.sum(0)}
    blocks = [[np.zeros((m, n)) for n in sizes] for m in sizes]
    for axis, axes in enumerate(((1, 2), (0, 2), (0, 1))):
        blocks[axis][axis] = np.diag(squares.sum(axes))
    for (one, other), block in pairs.items():
        blocks[one][other], blocks[other][one] = block, block.T
    return np.block(blocks)
