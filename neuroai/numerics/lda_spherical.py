"""Discriminant analysis with a stated share of a spherical covariance, from inner products."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def spherical_decisions(
    gram: Tensor,
    train: Sequence[Tensor],
    tested: Tensor,
    *,
    share: float,
    n_units: int,
    rounding: float,
) -> tuple[Tensor, Tensor]:
    r"""Fit a rule to the training rows of every set, and apply it to the tested ones.

    With inner products of rows G, deviations z of training rows from their class means and
    :math:`d = \lambda \sum_i z_i^\top z_i / (n p)`,

    .. math:: x^\top \Sigma^{-1} \mu = \tfrac1d \left[ x^\top \mu - w \, x^\top Z
              (I + w Z^\top Z)^{-1} Z^\top \mu \right], \qquad w = \frac{1 - \lambda}{n d}

    so that the inner products, computed once, serve all folds.

    Parameters
    ----------
    gram : tensor of shape (n_sets, n_rows, n_rows)
        Inner products of rows about any common level.
    train : sequence of int tensors
        Training rows of each class.
    tested : int tensor
        Tested rows.
    share : float
        Of the spherical part, above 0.
    n_units : int
        How many units the rows have.
    rounding : float
        Share of the second moment below which the scatter is rounding alone.

    Returns
    -------
    tuple of tensors
        Decision values (n_sets, n_tested, n_classes), and where the rule is defined (n_sets,).

    Examples
    --------
    >>> rows = torch.tensor([[0.0], [2.0], [4.0], [6.0], [3.5]])
    >>> parts = [torch.tensor([0, 1]), torch.tensor([2, 3])]
    >>> values, fine = spherical_decisions((rows @ rows.T)[None], parts, torch.tensor([4]),
    ...                                    share=0.5, n_units=1, rounding=1e-9)
    >>> values.argmax().item(), fine.tolist()
    (1, [True])
    """
    rows = torch.cat(list(train))
    n = len(rows)
    code = torch.cat([torch.full_like(part, c) for c, part in enumerate(train)])
    mean = torch.zeros(len(train), n, dtype=gram.dtype, device=gram.device)
    mean[code, torch.arange(n, device=gram.device)] = 1.0
    sizes = mean.sum(dim=1)
    mean /= sizes[:, None]
    own = gram.index_select(1, rows).index_select(2, rows)
    with_means = own @ mean.T
    among = mean @ with_means
    onto = with_means - among.index_select(1, code)
    scatter = own - with_means.index_select(2, code)
    scatter -= onto.transpose(1, 2).index_select(1, code)
    within = scatter.diagonal(dim1=1, dim2=2).sum(dim=1)
    about_zero = own.diagonal(dim1=1, dim2=2).sum(dim=1)
    fine = within > rounding * about_zero
    d = torch.where(fine, share * within / (n * n_units), 1.0)[:, None, None]
    weight = (1 - share) / (n * d)
    scatter.mul_(weight).diagonal(dim1=1, dim2=2).add_(1)
    factor, _ = torch.linalg.cholesky_ex(scatter)
    solved = torch.cholesky_solve(onto, factor)
    crossed = gram.index_select(1, tested).index_select(2, rows)
    x_means = crossed @ mean.T
    inner = crossed.sub_(x_means.index_select(2, code))
    values = (x_means - weight * (inner @ solved)) / d
    lengths = among.diagonal(dim1=1, dim2=2) - weight[..., 0] * (onto * solved).sum(dim=1)
    return values + ((sizes / n).log() - 0.5 * lengths / d[..., 0])[:, None, :], fine
