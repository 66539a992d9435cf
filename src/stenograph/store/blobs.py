"""Attachments through obstore: a folder, S3, GCS or Azure behind one interface."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from stenograph.errors import NotFound, StoreUnavailable


class Blobs:
    """Implements store.api.BlobStore. A local folder is synced file by file; the cloud stores are durable."""

    def __init__(self, store: ObjectStore, folder: Path | None) -> None:
        self._store = store
        self._folder = folder
        self._synced: set[Path] = set()

    @classmethod
    def open(cls, url: str) -> Blobs:
        """Open `file:///path` (made when missing), `s3://…`, `gs://…` or `az://…`."""
        if not url.startswith("file:"):
            return cls(from_url(url), None)
        folder = Path(unquote(urlsplit(url).path))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the blob folder {folder} cannot be made: {error}") from error
        return cls(LocalStore(folder), folder)

    async def put(self, key: str, data: bytes) -> None:
        try:
            await _to_its_end(self._put(key, data))
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"an attachment cannot be stored: {error}") from error

    async def _put(self, key: str, data: bytes) -> None:
        await obstore.put_async(self._store, key, data)
        if self._folder is not None:
            await asyncio.to_thread(self._sync, self._folder / key)

    def _sync(self, path: Path) -> None:
        """The file, and the folders whose entries led to it, to the disk.

        The folders of kinds and workspaces are few and stay: it is remembered that their own entries are there.
        """
        assert self._folder is not None
        climbed: list[Path] = []
        for part in (path, *path.parents):
            fd = os.open(part, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
            if part == self._folder or part in self._synced:
                break
            climbed.append(part)
        self._synced.update(part for part in climbed if len(part.relative_to(self._folder).parts) < 3)

    async def get(self, key: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            raise NotFound("there is no such attachment") from None
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"an attachment cannot be read: {error}") from error

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise StoreUnavailable(f"an attachment cannot be deleted: {error}") from error


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Whoever is cancelled while storing may delete the blob then: it does not turn up afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen, so that it is not reported as never retrieved
        raise
