r"""Pearson similarity of correlation RDMs with models at every time, without RDM vectors.

With patterns scaled to unit length about their mean, the Gram matrix of a time holds r, and the
RDM is 1 - r. Pearson's similarity is blind to the 1, and needs three sums over the pairs alone:

.. math:: \sum r_{ij}, \qquad \sum r_{ij}^2, \qquad \sum r_{ij} m_{ij}

The first and the last are one product of the Gram matrices with the models. A Gram matrix is
symmetric: it is made in three parts of four, two on the diagonal and one below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuroai.numerics.comparators import standardised
from neuroai.numerics.rdm_batch import ROUNDING
from neuroai.numerics.rdm_vectors import pair_indices

# Patterns, Gram matrices and models of one block stay in the cache of a processor.
_BLOCK_BYTES = 2**21
# Rows of the recording that are turned at once: lines of both sides stay in the nearest cache.
_ROWS_TURNED = 640
# Where the variance over pairs is below this share of the mean square, its rounding shows.
_NEARLY_CONSTANT = 1e-3


@dataclass(frozen=True, eq=False)
class GramModels:
    """Model RDMs laid out as the parts of a Gram matrix.

    Attributes
    ----------
    weights : Tensor, shape (n_stimuli² - n_above, n_models + 1)
        Standardised models, and ones for the sum over pairs. Each pair counts once: twice halved
        in the parts on the diagonal.
    n_stimuli : int
        Rows of a Gram matrix.
    """

    weights: Tensor
    n_stimuli: int

    @classmethod
    def of(cls, models: np.ndarray, *, n_stimuli: int, like: Tensor) -> GramModels:
        """Lay out complete model RDM vectors (n_models, n_pairs), in the precision of `like`."""
        unit = standardised(models, method="pearson")
        square = np.zeros((len(unit) + 1, n_stimuli, n_stimuli))
        i, j = pair_indices(n_stimuli)
        square[:, i, j] = np.vstack([unit, np.ones_like(unit[:1])])
        square += square.transpose(0, 2, 1)
        h = n_stimuli // 2
        parts = (square[:, :h, :h] / 2, square[:, h:, h:] / 2, square[:, h:, :h])
        flat = np.concatenate([part.reshape(len(square), -1) for part in parts], axis=1)
        return cls(torch.from_numpy(flat.T.copy()).to(like), n_stimuli)

    def scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compare the correlation RDM at every time with every model.

        Parameters
        ----------
        x : Tensor, shape (n_stimuli, n_units, n_times)
            Finite patterns.

        Returns
        -------
        scores : Tensor, shape (n_times, n_models)
            float64, from -1 to 1; NaN where a pattern is constant over units.
        unsure : Tensor of bool, shape (n_times,)
            Times whose RDM hardly varies, so that rounding shows in these sums.
        """
        n, n_units, n_times = x.shape
        width = max(1, _BLOCK_BYTES // (n * max(n, n_units) * x.element_size()))
        made = torch.empty(n_times, self.weights.shape[1], dtype=x.dtype, device=x.device)
        squares = torch.empty(n_times, dtype=torch.float64, device=x.device)
        patterns = torch.empty(width, n, n_units, dtype=x.dtype, device=x.device)
        gram = torch.empty(width, len(self.weights), dtype=x.dtype, device=x.device)
        for start in range(0, n_times, width):
            stop = min(start + width, n_times)
            part, parts = patterns[: stop - start], gram[: stop - start]
            _turn(x, start, stop, part)
            _scale(part)
            squares[start:stop] = self._fill(part, parts)
            torch.mm(parts, self.weights, out=made[start:stop])
        return self._pearson(made.double(), squares)

    def _fill(self, part: Tensor, gram: Tensor) -> Tensor:
        """Write the three parts of every Gram matrix, and give the sum of r² over pairs."""
        h = self.n_stimuli // 2
        upper, lower = part[:, :h], part[:, h:]
        stop, on_diagonal = 0, None
        for left, right in ((upper, upper), (lower, lower), (lower, upper)):
            start, stop = stop, stop + left.shape[1] * right.shape[1]
            out = gram[:, start:stop].view(len(part), left.shape[1], right.shape[1])
            torch.bmm(left, right.transpose(1, 2), out=out)
            on_diagonal = start
        diagonal, below = gram[:, :on_diagonal], gram[:, on_diagonal:]
        twice = torch.linalg.vecdot(diagonal, diagonal).double() - self.n_stimuli
        return twice / 2 + torch.linalg.vecdot(below, below)

    def _pearson(self, made: Tensor, squares: Tensor) -> tuple[Tensor, Tensor]:
        n_pairs = self.n_stimuli * (self.n_stimuli - 1) // 2
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
    squares = torch.linalg.vecdot(part, part)[:, :, None]
    constant = squares <= ROUNDING[part.dtype] * (squares + part.shape[2] * level * level)
    part *= torch.where(constant, torch.nan, squares).rsqrt()
