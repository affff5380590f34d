"""Features copied at several delays, run by run, made only for the rows that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError

EDGES = ("drop", "zero")


@dataclass(frozen=True, eq=False)
class Delayed:
    r"""Features at several delays, none of which reaches over the border of a run.

    Row i holds :math:`x_{i - d}` for every delay d, one delay after the other; a delay above 0
    looks back in time. Nothing of that size is kept: `rows` makes the rows that are asked for and
    `gram` the inner products from those of the plain features.

    Attributes
    ----------
    x : array, shape (n_rows, n_features)
        Features.
    runs : array of str, shape (n_rows,)
        Run of each row; the rows of a run follow one another in time.
    delays : tuple of int
        In rows.
    edges : {"drop", "zero"}
        What holds for rows whose delay reaches beyond their run: they are not `kept`, or the
        feature counts as 0 there.
    """

    x: np.ndarray
    runs: np.ndarray
    delays: tuple[int, ...]
    edges: str = "drop"

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and features times delays."""
        return len(self.x), self.x.shape[1] * len(self.delays)

    @cached_property
    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        starts = np.flatnonzero(np.r_[True, self.runs[1:] != self.runs[:-1]])
        place = np.searchsorted(starts, np.arange(len(self.runs)), side="right") - 1
        stops = np.r_[starts[1:], len(self.runs)]
        return starts[place], stops[place]

    def _sources(self, rows: np.ndarray, delay: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the row that each row looks at, and whether it lies in the same run."""
        first, stop = self._bounds
        source = rows - delay
        inside = (source >= first[rows]) & (source < stop[rows])
        return np.where(inside, source, rows), inside

    @cached_property
    def kept(self) -> np.ndarray:
        """Rows that can be used, in order; with ``edges="zero"`` all of them."""
        rows = np.arange(len(self.x))
        if self.edges == "zero":
            return rows
        return rows[np.all([self._sources(rows, d)[1] for d in self.delays], axis=0)]

    def rows(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Make some rows, shape (len(rows), n_delays * n_features); those kept by default."""
        made = self.stacked(self.kept if rows is None else np.asarray(rows))
        return made.reshape(len(made), -1)

    def stacked(self, rows: np.ndarray) -> np.ndarray:
        """Make some rows, shape (len(rows), n_delays, n_features)."""
        out = np.empty((len(rows), len(self.delays), self.x.shape[1]), dtype=self.x.dtype)
        for place, delay in enumerate(self.delays):
            source, inside = self._sources(rows, delay)
            out[:, place] = self.x[source]
            out[~inside, place] = 0
        return out

    def gram(self) -> np.ndarray:
        """Make the inner products of the kept rows about the mean of the plain features."""
        x = self.x - self.x.mean(axis=0)
        plain, total = x @ x.T, np.zeros((len(self.kept),) * 2, dtype=x.dtype)
        for delay in self.delays:
            source, inside = self._sources(self.kept, delay)
            total += plain[np.ix_(source, source)] * np.outer(inside, inside)
        return total


def delayed(
    x: np.ndarray, *, runs: Sequence[str], delays: Sequence[int], edges: str = "drop"
) -> Delayed:
    """Check features, runs and delays, and put them together.

    Parameters
    ----------
    x : array, shape (n_rows, n_features)
        Features, finite.
    runs : sequence of str, length n_rows
        Run of each row.
    delays : sequence of int
        In rows, different; above 0 the features come before the row.
    edges : {"drop", "zero"}
        See `Delayed`.

    Returns
    -------
    Delayed

    Raises
    ------
    UsageError
        Shapes do not fit, or a delay comes twice or is no whole number.
    DataError
        The rows of a run are scattered, or every row is lost at the edges.

    References
    ----------
    Huth et al., 2016, Nature 532, 453, doi:10.1038/nature17637

    Examples
    --------
    >>> late = delayed(np.array([[1.0], [2.0], [3.0], [4.0]]), runs=["a", "a", "b", "b"],
    ...                delays=[0, 1])
    >>> late.kept.tolist(), late.rows().tolist()
    ([1, 3], [[2.0, 1.0], [4.0, 3.0]])
    """
    one_of(edges, EDGES, option="edges")
    x, labels = np.asarray(x), np.asarray(runs, dtype=str)
    if x.dtype.kind != "f":
        x = x.astype(float)
    if x.ndim != 2 or labels.shape != (len(x),):
        raise UsageError(
            f"Features (n_rows, n_features) and one run a row are wanted; got {x.shape} and "
            f"{labels.shape}."
        )
    steps = [int(d) for d in delays]
    if not steps or len(set(steps)) < len(steps) or list(delays) != steps:
        raise UsageError(f"delays are different whole numbers of rows; got {list(delays)}.")
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    if len(starts) != len(np.unique(labels)):
        raise DataError("The rows of each run must follow one another in time.")
    made = Delayed(x, labels, tuple(steps), edges)
    if not len(made.kept):
        raise DataError(
            f"Delays of {min(steps)} to {max(steps)} rows reach beyond every run: no row is left. "
            "Take shorter delays."
        )
    return made
