"""Bodies that may be large, such as a dataset's file: read onto the disk, so that memory does not grow with them.

The limits, and the errors over them, are those of `bodies.py`.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias

from starlette.requests import Request

from stenograph.errors import StoreUnavailable
from stenograph.wire.http import services
from stenograph.wire.multipart import Part, boundary, parts

IN_MEMORY: Final = 8 << 20
"""Bytes of a body; beyond them a temporary file takes over."""

Upload: TypeAlias = "bytes | mmap.mmap"
"""A whole body. `memoryview` and the functions of `multipart.py` take either."""


@asynccontextmanager
async def spooled(request: Request) -> AsyncIterator[Upload]:
    """The whole body, inflated, on disk when it is large. It, and views of it, are valid inside the block.

    Invalid when it cannot be inflated, TooLarge over a limit, StoreUnavailable when the disk is full.
    """
    async with services(request).bodies.read_into(request, Spool) as body:
        yield body


def form(request: Request, body: Upload) -> Iterator[Part]:
    """The parts of a multipart body within the limits of the settings; see `multipart.parts`."""
    settings = services(request).settings
    return parts(
        body,
        boundary(request.headers.get("content-type", "")),
        max_parts=settings.max_parts,
        max_header=settings.max_part_header_bytes,
    )


class Spool:
    """A sink for `Bodies.read_into`: memory at first, then a temporary file that nobody else sees."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  `close` closes it
        self._map: mmap.mmap | None = None
        self._size = 0

    def write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise StoreUnavailable(f"an upload cannot be kept on disk: {error.strerror}") from error
        self._size += len(chunk)

    def whole(self) -> Upload:
        if self._size <= IN_MEMORY:
            self._file.seek(0)
            return self._file.read()
        try:
            self._file.flush()
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise StoreUnavailable(f"an upload cannot be kept on disk: {error.strerror}") from error
        return self._map

    def close(self) -> None:
        """The file's space is free once nothing views it any more."""
        self._file.close()
        if self._map is not None:
            with suppress(BufferError):  # a view is still held somewhere: it goes with that
                self._map.close()
