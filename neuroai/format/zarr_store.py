"""A Zarr store on disk that shows zarr its own files alone, not the seal."""

from __future__ import annotations

from collections.abc import AsyncIterator

from zarr.storage import LocalStore

from neuroai.format.seal import SEAL


class SealedStore(LocalStore):
    """A folder of Zarr arrays, listed without its seal.

    Zarr tries every name in a folder as an array, warns of those that are none, and where
    another name fails meanwhile leaves a task whose traceback is printed at some later time.
    """

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """List what lies in the folder, the seal left out."""
        async for name in super().list_dir(prefix):
            if name != SEAL:
                yield name
