"""Centred kernel alignment of more stimuli than memory holds, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.cka import FEWEST_STIMULI, u_centred
from neuroai.numerics.gram import centred_gram

Batch = tuple[Sequence[np.ndarray], Sequence[np.ndarray]]


def minibatch_cka(batches: Iterable[Batch]) -> np.ndarray:
    r"""Align every layer of one system with every layer of another, batch by batch.

    The three terms are averaged over batches, and divided once:

    .. math:: \frac{\overline{HSIC_1(K, L)}}
              {\sqrt{\overline{HSIC_1(K, K)}\; \overline{HSIC_1(L, L)}}}

    Each term is unbiased in every batch, so that the result hangs on the size of the batches no
    more than the debiased alignment hangs on the number of stimuli. (A mean of each batch's own
    alignment is biased, since a ratio is.)

    Parameters
    ----------
    batches : iterable of (layers_a, layers_b)
        Each a list of arrays, shape (n_stimuli_of_batch, n_units): the same layers in every batch,
        and the same stimuli in every layer of a batch; at least 4 stimuli a batch. Batches count
        alike.

    Returns
    -------
    array, shape (n_layers_a, n_layers_b)
        1 for equal responses up to rotation, scale and offset; 0 expected for independent ones;
        NaN where responses do not vary.

    Raises
    ------
    UsageError
        There is no batch, a batch is too small, or batches hold different numbers of layers.

    References
    ----------
    Nguyen, Raghu & Kornblith 2021, doi:10.48550/arXiv.2010.15327

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [4.0], [8.0], [3.0], [9.0], [0.0], [5.0]])
    >>> minibatch_cka([([x[:4]], [2 * x[:4]]), ([x[4:]], [2 * x[4:]])]).round(6)
    array([[1.]])
    """
    cross: np.ndarray | float = 0.0
    own_a: np.ndarray | float = 0.0
    own_b: np.ndarray | float = 0.0
    sizes: set[tuple[int, int]] = set()
    for layers_a, layers_b in batches:
        a, b = _rows(layers_a), _rows(layers_b)
        sizes.add((len(a), len(b)))
        if len(sizes) > 1:
            raise UsageError(f"Every batch needs the same layers; got {sorted(sizes)} of them.")
        scale = _terms(layers_a, layers_b)
        cross = cross + a @ b.T / scale
        own_a = own_a + (a * a).sum(1) / scale
        own_b = own_b + (b * b).sum(1) / scale
    if not sizes:
        raise UsageError("Give at least one batch; got none.")
    products = np.asarray(own_a)[:, None] * np.asarray(own_b)
    return np.asarray(cross) / np.sqrt(np.where(products > 0, products, np.nan))


def batches_of(n_stimuli: int, *, batch_size: int, seed: int = 0) -> list[np.ndarray]:
    """Deal stimuli into batches of nearly one size, in a random order.

    Parameters
    ----------
    n_stimuli : int
        How many stimuli, at least 4.
    batch_size : int
        Most stimuli in a batch, at least 8, so that no batch falls below 4.
    seed : int
        Seed of the deal.

    Returns
    -------
    list of int array
        Places of the stimuli of each batch.

    Raises
    ------
    UsageError
        There are too few stimuli, or batches are too small.

    Examples
    --------
    >>> [len(batch) for batch in batches_of(20, batch_size=8)]
    [7, 7, 6]
    """
    if n_stimuli < FEWEST_STIMULI or batch_size < 2 * FEWEST_STIMULI:
        raise UsageError(
            f"Batches need at least {FEWEST_STIMULI} stimuli and a batch_size of at least "
            f"{2 * FEWEST_STIMULI}; got {n_stimuli} stimuli and batch_size={batch_size}."
        )
    order = np.random.default_rng(seed).permutation(n_stimuli)
    return np.array_split(order, -(-n_stimuli // batch_size))


def _rows(layers: Sequence[np.ndarray]) -> np.ndarray:
    """Give the U-centred Gram matrix of each layer as a row."""
    sizes = {len(layer) for layer in layers}
    if len(sizes) != 1 or min(sizes) < FEWEST_STIMULI:
        raise UsageError(
            f"The layers of a batch must hold the same stimuli, at least {FEWEST_STIMULI}; "
            f"got {sorted(sizes)}."
        )
    return np.stack([u_centred(centred_gram(layer)).ravel() for layer in layers])


def _terms(layers_a: Sequence[np.ndarray], layers_b: Sequence[np.ndarray]) -> int:
    n, other = len(layers_a[0]), len(layers_b[0])
    if n != other:
        raise UsageError(f"Both sides of a batch need the same stimuli; got {n} and {other}.")
    return n * (n - FEWEST_STIMULI + 1)
