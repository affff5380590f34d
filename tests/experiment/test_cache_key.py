"""The key of the cache: stable from one process to the next, and told apart by code."""

from __future__ import annotations

import functools
import subprocess
import sys

import torch

from neuroai.experiment.cache_key import CacheKey, code_of, code_sha256


def test_a_field_that_one_key_lacks_differs():
    """A key of another version is never taken for the same."""
    assert CacheKey({"a": 1}).differing(CacheKey({"a": 1, "b": None})) == ("b",)


def _maker(size, names=("a",)):
    def preprocess(x):
        return x in {"left", "right", "up", "down"} or (x, size, names)

    return preprocess


def test_functions_differ_by_what_they_enclose():
    """Two functions of one code that enclose other values are other functions."""
    assert code_of(_maker(1)) == code_of(_maker(1))
    assert code_of(_maker(1)) != code_of(_maker(2))
    assert code_of(_maker(1, {"a": [torch.zeros(2)]})) != code_of(_maker(1, {"a": [torch.ones(2)]}))


class _Resize:
    def __init__(self, size):
        self.size = size

    def __call__(self, x):
        return x[: self.size]


class _Centre(_Resize):
    pass


def test_callable_objects_differ_by_what_they_hold():
    """An object is described by its class's method and its attributes, inherited ones too."""
    assert code_of(_Resize(3)) == code_of(_Resize(3))
    assert code_of(_Resize(3)) != code_of(_Resize(4))
    assert code_of(_Centre(3)) == code_of(_Centre(3)) != code_of(_Centre(4))


def test_a_builtin_is_described_by_its_name():
    """What has no code in Python is told by its type."""
    assert code_of(functools.partial(int)).endswith("partial")


def test_the_description_is_the_same_in_every_process():
    """Neither addresses nor the order of sets enter it."""
    program = (
        "from neuroai.experiment.cache_key import code_of, code_sha256\n"
        "print(code_sha256())\n"
        "print(code_of(lambda x: x in {'left', 'right', 'up', 'down'}))\n"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1 and code_sha256() in runs.pop()
