"""Real data for tests: loaded once, and skipped with the reason where they cannot be reached."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from neuroai.errors import ResourceError
from neuroai.format.holdings import Holdings
from neuroai.sources.catalogue import load_dataset


@functools.cache
def _load(name: str) -> Holdings | ResourceError:
    try:
        return load_dataset(name)
    except ResourceError as error:
        return error


@pytest.fixture(scope="session")
def holdings_of() -> Callable[[str], Holdings]:
    """Give a function that loads a registered data set by name."""

    def load(name: str) -> Holdings:
        found = _load(name)
        if isinstance(found, ResourceError):
            pytest.skip(str(found))
        return found

    return load
