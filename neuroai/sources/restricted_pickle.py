"""Pickled originals of pinned hash, read so that nothing but arrays and numbers can come out.

Nothing in the file is called: the few names that pickled NumPy content refers to are answered by
stand-ins of this file, which build arrays from bytes. Everything else is refused.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from neuroai.checks import listing
from neuroai.errors import IntegrityError, UsageError
from neuroai.sources.download import sha256_of

KINDS = "biufcSU"
PLAIN = (dict, list, tuple, str, bytes, int, float, complex, bool, type(None))
NPY_VERSIONS = {(1, 0): "read_array_header_1_0", (2, 0): "read_array_header_2_0"}


class _Type:
    """Stands in for numpy.dtype: a letter and a size, nothing else."""

    def __init__(self, code: str = "", *_: Any) -> None:
        self.code, self.order = str(code), "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if any(part is not None for part in state[2:5]):
            raise IntegrityError("A pickled array has fields, which are not read here.")
        self.order = str(state[1])

    def plain(self) -> np.dtype[Any]:
        letter, size = self.code[:1], self.code[1:]
        if letter not in KINDS or not letter or not (size == "" or size.isdigit()):
            raise IntegrityError(
                f"A pickled array has the type {self.code!r}; only numbers and text are read."
            )
        return np.dtype(self.code).newbyteorder("=" if self.order == "|" else self.order)

    @property
    def holds_objects(self) -> bool:
        return self.code.startswith("O")


class _Array:
    """Stands in for numpy.ndarray until its state is known."""

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, by_column, content = state
        order = "F" if by_column else "C"
        if dtype.holds_objects:
            flat = np.empty(len(content), dtype=object)
            flat[:] = [_finished(item) for item in content]
        else:
            flat = np.frombuffer(_bytes(content), dtype=dtype.plain()).copy()
        self.value = flat.reshape(tuple(int(n) for n in shape), order=order)


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _scalar(dtype: _Type, content: bytes | str) -> Any:
    return np.frombuffer(_bytes(content), dtype=dtype.plain())[0]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Python 2 and protocol 2 store bytes as Latin-1 text."""
    if encoding != "latin1":
        raise IntegrityError(f"Pickled bytes are Latin-1 text; got {encoding!r}.")
    return text.encode("latin1")


def _frombuffer(content: bytes, dtype: _Type, shape: tuple[int, ...], order: str) -> _Array:
    found = _Array()
    found.__setstate__((1, shape, dtype, order == "F", content))
    return found


def _no_bytes(*content: Any) -> bytes:
    """Old protocols write empty bytes as a call of the type without arguments."""
    if content:
        raise IntegrityError("The pickle calls the type bytes with arguments.")
    return b""


def _bytes(content: bytes | str) -> bytes:
    return content.encode("latin1") if isinstance(content, str) else content


_ALLOWED = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
    ("numpy.core.numeric", "_frombuffer"): _frombuffer,
    **{
        (f"numpy.{core}.multiarray", name): stand_in
        for core in ("core", "_core")
        for name, stand_in in (("scalar", _scalar), ("_reconstruct", _reconstruct))
    },
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise IntegrityError(
                f"The pickle asks for {module}.{name}; only NumPy arrays and numbers are read."
            )
        return _ALLOWED[module, name]


def read_pinned_pickle(path: str | Path, *, sha256: str) -> Any:
    """Read a pickle whose hash is known beforehand, and whose content is arrays and numbers.

    Parameters
    ----------
    path : str or pathlib.Path
        A pickle, or a ``.npy`` file that holds objects.
    sha256 : str
        Hash of the published original; it is checked before anything is read.

    Returns
    -------
    object
        Dicts, lists, tuples, text, numbers and arrays.

    Raises
    ------
    IntegrityError
        The file is another one, it refers to anything but NumPy arrays and numbers, or it is
        broken.
    UsageError
        There is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    got = sha256_of(path)
    if got != sha256:
        raise IntegrityError(
            f"{path} is not the published file: its sha256 is {got}, expected {sha256}. Pickles "
            "of other origin are never read; save the values as CSV, NPZ or netCDF."
        )
    with path.open("rb") as handle:
        if handle.read(6) == b"\x93NUMPY":
            return _npy(handle, path)
        handle.seek(0)
        return _loaded(handle, path)


def _npy(handle: io.BufferedReader, path: Path) -> Any:
    version = (handle.read(1)[0], handle.read(1)[0])
    if version not in NPY_VERSIONS:
        raise IntegrityError(f"{path} has the NPY version {version}; known are 1.0 and 2.0.")
    shape, _, dtype = getattr(np.lib.format, NPY_VERSIONS[version])(handle)
    if not dtype.hasobject:
        raise UsageError(f"{path} holds plain numbers: read it with numpy.load.")
    return np.asarray(_loaded(handle, path)).reshape(shape)


def _loaded(handle: Any, path: Path) -> Any:
    try:
        found = _finished(_Restricted(handle, encoding="latin1").load())
        if handle.read(1):
            raise IntegrityError(f"{path} goes on behind its pickle, which is not read here.")
        return found
    except IntegrityError:
        raise
    except Exception as error:  # a broken pickle fails in any way its bytes lead to
        raise IntegrityError(
            f"{path} is no pickle of arrays and numbers ({type(error).__name__}: {error})."
        ) from error


def _finished(found: Any) -> Any:
    """Put the arrays in place of their stand-ins; refuse anything that is left over."""
    if isinstance(found, _Array):
        if found.value is None:
            raise IntegrityError("The pickle holds an array without content.")
        return found.value
    if isinstance(found, dict):
        return {_finished(key): _finished(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return type(found)(_finished(value) for value in found)
    if isinstance(found, (*PLAIN, np.generic, np.ndarray)):
        return found
    raise IntegrityError(
        f"The pickle holds a {type(found).__name__}; read are {listing(t.__name__ for t in PLAIN)}."
    )
