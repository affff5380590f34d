"""Damaged files: what other packages raise on them, told in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from neuroai.errors import DataError, NeuroaiError, ResourceError

LONGEST = 300  # letters of another package's sentence


@contextmanager
def damage_told(what: str, *, do: str) -> Iterator[None]:
    """Turn whatever another package raises while it reads a file into a DataError.

    Parameters
    ----------
    what : str
        The beginning of the sentence, such as ``run.nii cannot be read as an image``.
    do : str
        What to do about it.

    Raises
    ------
    DataError
        In place of any error that is not neuroai's own.
    ResourceError
        In place of a MemoryError: a damaged header may promise any size.

    Examples
    --------
    >>> with damage_told("a.nii cannot be read as an image", do="Fetch it anew."):
    ...     raise KeyError(144)
    Traceback (most recent call last):
    neuroai.errors.DataError: a.nii cannot be read as an image (KeyError: 144). Fetch it anew.
    """
    try:
        yield
    except NeuroaiError:
        raise
    except MemoryError as error:
        raise ResourceError(f"{what}: it needs more memory than there is. {do}") from error
    except Exception as error:  # other packages may fail in any way on a damaged file
        said = " ".join(str(error).split())[:LONGEST]
        raise DataError(f"{what} ({type(error).__name__}: {said}). {do}") from error
