"""Attachments and other bytes: the seam."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol


class BlobStore(Protocol):
    """Attachments: immutable bytes under a key."""

    async def put(self, key: str, data: bytes) -> None:
        """Return once `data` would survive a crash. Replaces what was there."""

    async def get(self, key: str) -> bytes:
        """The bytes; NotFound when there are none."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove what is there; absent keys are no error."""


class FileJournal(Protocol):
    """Keys of files that are in the blob store, or on their way there, before a record names them.

    Survives the end of the process, whatever that is; a power cut may take what was said last.
    """

    def open(self) -> list[str]:
        """Take the journal into use; what an earlier process left open."""

    def storing(self, keys: Iterable[str]) -> None:
        """To be told before the files are stored. StoreUnavailable when it cannot be kept."""

    def closed(self, keys: Iterable[str]) -> None:
        """A durable record names these now, or they are deleted again. Unknown keys are no error."""

    def close(self) -> None: ...
