"""Request bodies: read, inflated, bounded. Nothing a client sends can make the server hold more than it agreed to."""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from stenograph.errors import Invalid, TooLarge

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_STEP = 1 << 20
_RATIO_FROM = 16 << 20
"""Bytes of output before the ratio is looked at: small repetitive bodies compress a thousandfold in earnest."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, and what each is called in the settings: the error that enforces a limit names it."""

    body: int
    inflated: int
    ratio: int
    inflight: int


class Bodies:
    """Hands out request bodies within the limits; one a server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._inflight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def inflight(self) -> int:
        """Inflated bytes that requests are working on now."""
        return self._inflight

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, inflated. Its bytes count as in use until the block is left.

        Invalid when it cannot be inflated, TooLarge over a limit.
        """
        raw = await self._receive(request)
        codings = [
            coding
            for part in request.headers.get("content-encoding", "").lower().split(",")
            if (coding := part.strip()) and coding != "identity"
        ]
        if not codings:
            body = raw
        elif len(raw) > 64 * 1024:
            body = await asyncio.to_thread(self._inflate, raw, codings)
        else:
            body = self._inflate(raw, codings)
        size = len(body)
        while self._inflight and self._inflight + size > self._limits.inflight:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._inflight += size
        try:
            yield body
        finally:
            self._inflight -= size
            while self._waiting:
                turn = self._waiting.popleft()
                if not turn.done():
                    turn.set_result(None)
                    break

    async def _receive(self, request: Request) -> bytes:
        limit = self._limits.body
        stated = request.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > limit:
            raise self._too_long(int(stated))
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise self._too_long(size)
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _too_long(self, size: int) -> TooLarge:
        return TooLarge(
            f"the request body has {size} bytes or more; at most {self._limits.body} are taken "
            "(limit STENOGRAPH_MAX_BODY_BYTES)"
        )

    def _inflate(self, body: bytes, codings: list[str]) -> bytes:
        for coding in reversed(codings):
            match coding:
                case "zstd":
                    body = self._zstd(body)
                case "gzip" | "x-gzip":
                    body = self._zlib(body, coding, 31)
                case "deflate":
                    body = self._zlib(body, coding, 15)
                case _:
                    raise Invalid(f"Content-Encoding {coding[:40]!r} is not one of zstd, gzip, deflate")
        return body

    def _zstd(self, body: bytes) -> bytes:
        chunks: list[bytes] = []
        size = 0
        rest = body
        try:
            while rest:
                inflater = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27})
                feed = rest
                while not inflater.eof:
                    chunk = inflater.decompress(feed, _STEP)
                    feed = b""
                    size += len(chunk)
                    self._check(size, len(body))
                    chunks.append(chunk)
                    if inflater.needs_input and not inflater.eof:
                        raise Invalid(f"the zstd request body is cut short after {size} inflated bytes")
                rest = inflater.unused_data
        except zstd.ZstdError as error:
            raise Invalid(
                f"the request body is not valid zstd after {size} inflated bytes: {error}"
            ) from None
        return b"".join(chunks)

    def _zlib(self, body: bytes, coding: str, window: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        rest = body
        try:
            while rest:
                inflater = zlib.decompressobj(window)
                while rest and not inflater.eof:
                    chunk = inflater.decompress(rest, _STEP)
                    size += len(chunk)
                    self._check(size, len(body))
                    chunks.append(chunk)
                    rest = inflater.unconsumed_tail or inflater.unused_data
                    if not chunk and not inflater.eof:
                        break
                if not inflater.eof:
                    raise Invalid(f"the {coding} request body is cut short after {size} inflated bytes")
        except zlib.error as error:
            raise Invalid(
                f"the request body is not valid {coding} after {size} inflated bytes: {error}"
            ) from None
        return b"".join(chunks)

    def _check(self, size: int, compressed: int) -> None:
        if size > self._limits.inflated:
            raise TooLarge(
                f"the request body inflates to more than {self._limits.inflated} bytes "
                "(limit STENOGRAPH_MAX_INFLATED_BYTES)"
            )
        if size > _RATIO_FROM and size > compressed * self._limits.ratio:
            raise TooLarge(
                f"the request body inflates more than {self._limits.ratio}-fold "
                "(limit STENOGRAPH_MAX_INFLATION_RATIO)"
            )
