"""Fewer features than units: count-sketch, sparse random projection and principal components.

Every map goes from p units to k features along the last axis but `axis` of a matrix of stimuli by
units. The two random maps keep inner products in expectation and hang on (p, k, seed) alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuroai.errors import DataError, UsageError

# Below this many blocks adding slices is faster than gathering every unit.
_MOST_SLICES = 512


def _checked(n_units: int, n_features: int, seed: int) -> np.random.Generator:
    if not 1 <= n_features <= n_units:
        raise UsageError(
            f"n_features must lie between 1 and the number of units ({n_units}); got {n_features}."
        )
    if seed < 0:
        raise UsageError(f"seed must be a whole number from 0; got {seed}.")
    return np.random.default_rng([seed, n_units, n_features])


@dataclass(frozen=True, eq=False)
class CountSketch:
    r"""A signed hash of units into buckets.

    .. math:: y_c = \sum_{i : h(i) = c} s_i x_i

    with independent fair signs :math:`s_i` and :math:`P(h(i) = h(j)) \le 1 / k` for every pair
    of units: each block of k consecutive units goes to the k buckets in order, from a random
    bucket on. Hence :math:`E\,\langle y, y' \rangle = \langle x, x' \rangle` and its variance is
    at most :math:`2 \lVert x \rVert^2 \lVert x' \rVert^2 / k`.

    Attributes
    ----------
    signs : Tensor, shape (n_units,)
        -1 or 1, float32.
    starts : tuple of int
        Bucket of the first unit of each block, in [0, k).
    n_features : int
        k, at most n_units.

    References
    ----------
    Charikar et al. 2004, doi:10.1016/S0304-3975(03)00400-6; Weinberger et al. 2009,
    doi:10.1145/1553374.1553516.
    """

    signs: Tensor
    starts: tuple[int, ...]
    n_features: int

    def __call__(self, values: Tensor) -> Tensor:
        """Sketch values (n_stimuli, n_units) of any float type into (n_stimuli, k), float32."""
        if len(self.starts) > _MOST_SLICES:
            return self._gathered(values)
        k = self.n_features
        sketch = torch.zeros((len(values), k), dtype=torch.float32, device=values.device)
        signs = self.signs.to(values.device)
        for block, start in enumerate(self.starts):
            first = block * k
            last = min(first + k, values.shape[1])
            turn = min(k - start, last - first)
            _add(sketch[:, start : start + turn], values, signs, first, first + turn)
            _add(sketch[:, : last - first - turn], values, signs, first + turn, last)
        return sketch

    def _gathered(self, values: Tensor) -> Tensor:
        k, blocks = self.n_features, len(self.starts)
        missing = blocks * k - values.shape[1]
        signed = torch.nn.functional.pad(
            values.float() * self.signs.to(values.device), (0, missing)
        )
        starts = torch.tensor(self.starts, device=values.device)[:, None]
        place = (torch.arange(k, device=values.device)[None] - starts) % k
        place += torch.arange(blocks, device=values.device)[:, None] * k
        return signed[:, place.reshape(-1)].reshape(len(values), blocks, k).sum(dim=1)

    def buckets(self) -> np.ndarray:
        """Give the bucket of every unit, integers in [0, k)."""
        unit = np.arange(len(self.signs))
        return (unit + np.repeat(self.starts, self.n_features)[: len(unit)]) % self.n_features


def _add(sketch: Tensor, values: Tensor, signs: Tensor, first: int, last: int) -> None:
    if last > first:
        sketch.addcmul_(values[:, first:last].float(), signs[first:last])


def count_sketch(n_units: int, n_features: int, *, seed: int = 0) -> CountSketch:
    """Draw a count-sketch.

    Parameters
    ----------
    n_units, n_features : int
        p and k, 1 <= k <= p.
    seed : int
        The signs and buckets hang on (p, k, seed) alone.

    Raises
    ------
    UsageError
        k or the seed is out of range.

    Examples
    --------
    >>> sketch = count_sketch(4, 2, seed=0)
    >>> x = torch.tensor([[1.0, 2.0, 4.0, 8.0]])
    >>> by_hand = [0.0, 0.0]
    >>> for value, sign, bucket in zip(x[0], sketch.signs, sketch.buckets()):
    ...     by_hand[bucket] += float(sign * value)
    >>> sketch(x)[0].tolist() == by_hand
    True
    """
    rng = _checked(n_units, n_features, seed)
    signs = rng.integers(0, 2, n_units, dtype=np.int8).astype(np.float32) * 2 - 1
    starts = rng.integers(0, n_features, math.ceil(n_units / n_features))
    return CountSketch(torch.from_numpy(signs), tuple(starts.tolist()), n_features)


@dataclass(frozen=True, eq=False)
class SparseProjection:
    r"""Signed sums of few randomly drawn units.

    .. math:: y_c = \sqrt{\frac{p}{m k}} \sum_{t=1}^{m} s_{ct}\, x_{u(c, t)}

    with fair signs and units u drawn independently, :math:`m = \lceil \sqrt p \rceil` of them for
    each feature, so that :math:`E\,\langle y, y' \rangle = \langle x, x' \rangle`.

    Attributes
    ----------
    units : Tensor, shape (k, m)
        Units of every feature, int64.
    weights : Tensor, shape (k, m)
        Their signs times the factor, float32.

    References
    ----------
    Li et al. 2006, doi:10.1145/1150402.1150436.
    """

    units: Tensor
    weights: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """Project values (n_stimuli, n_units) of any float type to (n_stimuli, k), float32."""
        columns = values.float().T.contiguous()
        weights = self.weights.to(values.device)
        units = self.units.to(values.device)
        bags = torch.nn.functional.embedding_bag
        return bags(units, columns, mode="sum", per_sample_weights=weights).T.contiguous()


def sparse_projection(n_units: int, n_features: int, *, seed: int = 0) -> SparseProjection:
    """Draw a sparse random projection.

    Parameters
    ----------
    n_units, n_features : int
        p and k, 1 <= k <= p.
    seed : int
        The projection hangs on (p, k, seed) alone.

    Raises
    ------
    UsageError
        k or the seed is out of range.

    Examples
    --------
    One unit can only be drawn again and again; here it is drawn once, with factor 1:

    >>> sparse_projection(1, 1)(torch.tensor([[3.0]])).abs()
    tensor([[3.]])
    """
    rng = _checked(n_units, n_features, seed)
    m = math.isqrt(n_units - 1) + 1
    units = rng.integers(0, n_units, (n_features, m))
    signs = rng.integers(0, 2, (n_features, m)) * 2 - 1
    weights = signs * math.sqrt(n_units / (m * n_features))
    return SparseProjection(torch.from_numpy(units), torch.from_numpy(weights.astype(np.float32)))


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    r"""Scores on the principal components of a fitting set, :math:`y = V^\top (x - \mu)`.

    Attributes
    ----------
    mean : Tensor, shape (n_units,)
        Mean over the fitting set, float32.
    components : Tensor, shape (n_units, k)
        Orthonormal columns, largest variance first, float32. The entry of largest size in each
        is positive.
    """

    mean: Tensor
    components: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """Give the scores of values (n_stimuli, n_units), shape (n_stimuli, k), float32."""
        centred = values.float() - self.mean.to(values.device)
        return centred @ self.components.to(values.device)


def principal_components(values: Tensor | np.ndarray, n_features: int) -> PrincipalComponents:
    """Fit principal components through the Gram matrix of the centred fitting set (float64).

    Parameters
    ----------
    values : Tensor or array, shape (n_stimuli, n_units)
        Fitting set.
    n_features : int
        k, less than n_stimuli and at most n_units.

    Raises
    ------
    UsageError
        Too few stimuli for k components.
    DataError
        The fitting set varies along fewer than k directions.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    >>> fitted = principal_components(x, 1)
    >>> fitted.components[:, 0].numpy().round(4), fitted(x)[:, 0].numpy()
    (array([0.6, 0.8], dtype=float32), array([-2.5,  2.5], dtype=float32))
    """
    x = torch.as_tensor(values).detach().cpu().float()
    n, p = x.shape
    if not 1 <= n_features <= min(n - 1, p):
        raise UsageError(
            f"{n} stimuli and {p} units allow 1 to {min(n - 1, p)} principal components; "
            f"got {n_features}. Fit on more stimuli, or keep fewer components."
        )
    mean = x.mean(dim=0, dtype=torch.float64).float()
    gram, centred = _centred_gram(x, mean)
    variances, directions = torch.linalg.eigh(gram)
    variances, directions = variances.flip(0)[:n_features], directions.flip(1)[:, :n_features]
    rank = int((variances > variances[0] * n * torch.finfo(torch.float32).eps).sum())
    if rank < n_features:
        raise DataError(
            f"The {n} stimuli that the components are fitted on vary along {rank} directions; "
            f"{n_features} are asked for. Fit on other stimuli, or keep fewer components."
        )
    components = centred.T @ (directions / variances.sqrt()).float()
    largest = components.abs().argmax(dim=0)
    components *= torch.sign(components[largest, torch.arange(n_features)])
    return PrincipalComponents(mean, components)


def _centred_gram(x: Tensor, mean: Tensor, *, width: int = 65_536) -> tuple[Tensor, Tensor]:
    centred = x - mean
    gram = torch.zeros((len(x), len(x)), dtype=torch.float64)
    for first in range(0, x.shape[1], width):
        part = centred[:, first : first + width].double()
        gram += part @ part.T
    return gram, centred
