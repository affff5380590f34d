r"""Pearson similarity of correlation RDMs with models at every time, without RDM vectors.

With patterns scaled to unit length about their mean, the Gram matrix of a time holds r, and the
RDM is 1 - r. Pearson's similarity is blind to the 1, and needs three sums over the pairs alone:

.. math:: \sum r_{ij}, \qquad \sum r_{ij}^2, \qquad \sum r_{ij} m_{ij}

The first and the last are one product of the flat Gram matrices with the models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuroai.numerics.rdm_batch import ROUNDING
from neuroai.numerics.rdm_vectors import pair_indices

# Patterns, Gram matrices and models of one block stay in the cache of a processor.
_BLOCK_BYTES = 2**22
# Rows of the recording that are turned at once: lines of both sides stay in the nearest cache.
_ROWS_TURNED = 640
# Where the variance over pairs is below this share of the mean square, its rounding shows.
_NEARLY_CONSTANT = 1e-3


@dataclass(frozen=True, eq=False)
class GramModels:
    """Model RDMs laid out as flat Gram matrices.

    Attributes
    ----------
    weights : Tensor, shape (n_stimuli², n_models + 1)
        Standardised models, and ones for the sum over pairs, above the diagonal; 0 elsewhere.
    n_stimuli : int
        Rows of a Gram matrix.
    """

    weights: Tensor
    n_stimuli: int

    @classmethod
    def of(cls, unit: Tensor, *, n_stimuli: int) -> GramModels:
        """Lay out standardised RDM vectors, (n_pairs, n_models)."""
        i, j = (torch.from_numpy(index) for index in pair_indices(n_stimuli))
        weights = unit.new_zeros(n_stimuli**2, unit.shape[1] + 1)
        above = (i * n_stimuli + j).to(unit.device)
        weights[above, :-1] = unit
        weights[above, -1] = 1
        return cls(weights, n_stimuli)

    def scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compare the correlation RDM at every time with every model.

        Parameters
        ----------
        x : Tensor, shape (n_stimuli, n_units, n_times)
            Patterns.

        Returns
        -------
        scores : Tensor, shape (n_times, n_models)
            float64, from -1 to 1; NaN where a pattern is constant over units, or not finite.
        unsure : Tensor of bool, shape (n_times,)
            Times whose RDM hardly varies, so that rounding shows in these sums.
        """
        n, n_units, n_times = x.shape
        width = max(1, _BLOCK_BYTES // (n * max(n, n_units) * x.element_size()))
        made = torch.empty(n_times, self.weights.shape[1], dtype=x.dtype, device=x.device)
        norms = torch.empty(n_times, dtype=torch.float64, device=x.device)
        patterns = torch.empty(width, n, n_units, dtype=x.dtype, device=x.device)
        gram = torch.empty(width, n, n, dtype=x.dtype, device=x.device)
        for start in range(0, n_times, width):
            stop = min(start + width, n_times)
            part, r = patterns[: stop - start], gram[: stop - start]
            _turn(x, start, stop, part)
            _scale(part)
            flat = torch.bmm(part, part.transpose(1, 2), out=r).view(len(r), -1)
            torch.mm(flat, self.weights, out=made[start:stop])
            # Several times as fast as the product of a vector with itself.
            norms[start:stop] = torch.linalg.vector_norm(flat, dim=1)
        return self._pearson(made.double(), norms)

    def _pearson(self, made: Tensor, norms: Tensor) -> tuple[Tensor, Tensor]:
        n_pairs = self.n_stimuli * (self.n_stimuli - 1) // 2
        squares = (norms.square() - self.n_stimuli) / 2
        varies = squares - made[:, -1].square() / n_pairs
        # Distances are 1 - r: their similarity has the other sign.
        scores = -made[:, :-1] / varies.clamp(min=0).sqrt()[:, None]
        return scores.clamp(-1, 1), varies <= _NEARLY_CONSTANT * squares


def _turn(x: Tensor, start: int, stop: int, out: Tensor) -> None:
    """Write times `start` to `stop` of stimuli x units x times, time first."""
    n, n_units, n_times = x.shape
    rows = x.reshape(n * n_units, n_times)
    flat = out.view(stop - start, n * n_units)
    if x.device.type != "cpu":
        flat.copy_(rows[:, start:stop].t())
        return
    # NumPy turns in the order in which it writes, and a few rows at a time stay in the cache.
    source, goal = rows.numpy(), flat.numpy()
    for first in range(0, n * n_units, _ROWS_TURNED):
        some = slice(first, first + _ROWS_TURNED)
        np.copyto(goal[:, some], source[some, start:stop].T)


def _scale(part: Tensor) -> None:
    """Bring patterns to mean 0 and length 1 over units; NaN where they are constant."""
    level = part.mean(dim=2, keepdim=True)
    part -= level
    length = torch.linalg.vector_norm(part, dim=2, keepdim=True)
    squares = length.square()
    constant = squares <= ROUNDING[part.dtype] * (squares + part.shape[2] * level * level)
    part *= torch.where(constant, torch.nan, length).reciprocal()
