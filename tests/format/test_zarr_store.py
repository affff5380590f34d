"""What zarr is shown of a sealed store."""

from __future__ import annotations

import asyncio
import gc
import logging
from pathlib import Path

import pytest

from neuroai.errors import DataError
from neuroai.format.files import open_form, save
from neuroai.format.seal import SEAL, seal
from neuroai.format.zarr_store import SealedStore
from neuroai.testing import random_recording


def test_the_seal_alone_is_not_listed(tmp_path: Path) -> None:
    """Whatever else lies in the folder is."""
    store = save(random_recording(n_stimuli=4, n_units=3), tmp_path / "activity.zarr")

    async def listed() -> list[str]:
        return [name async for name in SealedStore(store, read_only=True).list_dir("")]

    there = sorted(path.name for path in store.iterdir())
    assert SEAL in there
    assert sorted(asyncio.run(listed())) == [name for name in there if name != SEAL]


def test_nothing_is_left_behind_where_an_array_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One array of the store says nothing of itself: one error, and no traceback afterwards."""
    store = save(random_recording(n_stimuli=4, n_units=3), tmp_path / "activity.zarr")
    (store / "stimulus_id" / "zarr.json").write_text("[]")
    seal(store)
    with caplog.at_level(logging.ERROR), pytest.raises(DataError, match="cannot be read"):
        open_form(store)
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == []
