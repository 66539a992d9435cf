"""Attachments and other bytes: the seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class BlobStore(Protocol):
    """Attachments: immutable bytes under a key."""

    async def put(self, key: str, data: bytes) -> None:
        """Return once `data` would survive a crash. Replaces what was there."""

    async def get(self, key: str) -> bytes:
        """The bytes; NotFound when there are none."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove what is there; absent keys are no error."""
