"""What cached activations hang on, field by field: if any one differs, they are computed anew."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import json
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

import neuroai
from neuroai.systems.passes import tensors_in
from neuroai.systems.store import FORMAT_VERSION
from neuroai.systems.store_write import Job, settings_of

KEY_VERSION = 1
# Stimuli whose preprocessed form is hashed: the first, the last and evenly between.
PROBES = 8
# What computes or lays out activations; a change in reports or analyses keeps the cache.
CODE_FOLDERS = ("systems", "format", "numerics")
PACKAGES = ("numpy", "transformers", "zarr")


@dataclass(frozen=True)
class CacheKey:
    """The fields that name one entry of the cache.

    Attributes
    ----------
    fields : mapping of str to str, int or list
        Everything that the values hang on, as JSON.

    Examples
    --------
    >>> CacheKey({"dtype": "float32"}).differing(CacheKey({"dtype": "bfloat16"}))
    ('dtype',)
    >>> CacheKey({"a": 1, "b": 2}).digest == CacheKey({"b": 2, "a": 1}).digest
    True
    """

    fields: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """sha256 over the fields, 64 hexadecimal digits."""
        text = json.dumps(dict(self.fields), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def differing(self, other: CacheKey) -> tuple[str, ...]:
        """Names of the fields that differ, sorted; a field that one lacks differs."""
        names = sorted({*self.fields, *other.fields})
        missing = object()
        return tuple(
            name
            for name in names
            if self.fields.get(name, missing) != other.fields.get(name, missing)
        )


def key_of(job: Job, *, batch_size: int) -> CacheKey:
    """Give the key of an extraction.

    Weights are hashed by value; the structure of a network and the code of its parts are hashed
    beside them, since other code may run on the same weights.

    Parameters
    ----------
    job : Job
        Network, stimuli, layers, reduction and precision.
    batch_size : int
        Stimuli a pass: sums in single precision hang on it in their last digits.
    """
    model, reduction = job.model, job.reduction
    modules = [model.module(subject) for subject in model.subjects]
    return CacheKey(
        {
            **settings_of(job, batch_size),
            "key_version": KEY_VERSION,
            "format_version": FORMAT_VERSION,
            "neuroai": neuroai.__version__,
            "code_sha256": code_sha256(),
            **{name: _version(name) for name in PACKAGES},
            "revision": model.revision,
            "untrained": model.untrained,
            "reduce_fit": list(reduction.fit_ids(job.inputs.stimuli))
            if reduction is not None and reduction.fit
            else [],
            "structure_sha256": _hashed(repr(module) for module in modules),
            "forward_sha256": _hashed(_forwards(module) for module in modules),
            "preprocess_sha256": _hashed([code_of(model.preprocess)]),
            "inputs_sha256": _inputs_sha256(job),
        }
    )


@cache
def code_sha256() -> str:
    """Hash the sources that compute and lay out activations."""
    root = Path(neuroai.__file__).parent
    files = sorted(path for folder in CODE_FOLDERS for path in (root / folder).rglob("*.py"))
    return _hashed(
        f"{path.relative_to(root).as_posix()}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    )


def code_of(thing: Any) -> str:
    """Describe a function or a callable object by what it does, not by where it lies.

    Two functions of equal code, defaults and enclosed values are described alike.

    Examples
    --------
    >>> code_of(lambda x: x + 1) == code_of(lambda x: x + 1)
    True
    >>> code_of(lambda x: x + 1) == code_of(lambda x: x + 2)
    False
    """
    # An object that is called runs its class's method.
    function = (
        thing
        if hasattr(thing, "__code__")
        else inspect.getattr_static(type(thing), "__call__", None)
    )
    if not hasattr(function, "__code__"):
        return f"{type(thing).__module__}.{type(thing).__qualname__}"
    enclosed = [_plain(cell.cell_contents) for cell in function.__closure__ or () if _filled(cell)]
    held = _plain(vars(thing)) if thing is not function and hasattr(thing, "__dict__") else ""
    return repr((_code(function.__code__), _plain(function.__defaults__), enclosed, held))


def _filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _code(code: types.CodeType) -> str:
    constants = [_constant(value) for value in code.co_consts]
    return repr((code.co_code.hex(), constants, code.co_names))


def _constant(value: Any) -> str:
    if isinstance(value, types.CodeType):
        return _code(value)
    # The order of a set changes from one process to the next.
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _plain(value: Any) -> str:
    """Spell a value without the address it lies at."""
    if isinstance(value, torch.Tensor):
        return _hashed([str(value.dtype), str(tuple(value.shape)), str(value.tolist())])
    if isinstance(value, Mapping):
        return repr(sorted((str(name), _plain(item)) for name, item in value.items()))
    if isinstance(value, (list, tuple)):
        return repr([_plain(item) for item in value])
    if value is None or isinstance(value, (str, bytes, int, float, bool, torch.dtype)):
        return repr(value)
    to_dict = getattr(value, "to_dict", None)
    if callable(to_dict) and not isinstance(value, type):
        return repr(sorted((str(name), repr(item)) for name, item in to_dict().items()))
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _forwards(module: nn.Module) -> str:
    kinds = {type(part) for part in module.modules()}
    described = sorted(
        f"{kind.__module__}.{kind.__qualname__}:{_code(kind.forward.__code__)}"
        for kind in kinds
        if hasattr(kind.forward, "__code__")
    )
    return repr([*described, module.training])


def _inputs_sha256(job: Job) -> str:
    """Hash what the network is given for up to eight stimuli."""
    ids = job.ids
    last = len(ids) - 1
    probes = sorted({round(i * last / (PROBES - 1)) for i in range(PROBES)})
    some = job.inputs.stimuli.restrict([ids[place] for place in probes])
    digest = hashlib.sha256()
    for _, batch in replace(job.inputs, stimuli=some, kept={}).batches(1):
        for tensor in tensors_in(batch):
            digest.update(f"{tensor.dtype}:{tuple(tensor.shape)}:".encode())
            digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _hashed(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{len(text)}:{text};".encode())
    return digest.hexdigest()
