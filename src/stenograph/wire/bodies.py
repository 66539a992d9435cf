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
_MAX_CODINGS = 3
_MAX_MEMBERS = 1000
"""Streams that one body may consist of: each costs something, however few bytes it has."""
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
            # All of them look again, in their order: one alone might be too large still, or have gone.
            waiting, self._waiting = self._waiting, deque()
            for turn in waiting:
                if not turn.done():
                    turn.set_result(None)

    async def _receive(self, request: Request) -> bytes:
        limit = self._limits.body
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > limit:
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
        if len(codings) > _MAX_CODINGS:
            raise Invalid(
                f"the body is compressed {len(codings)} times over; at most {_MAX_CODINGS} are taken"
            )
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
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
        feed, inflated = _Feed(body, "zstd"), _Inflated(self._limits, len(body))
        try:
            while feed.next_member():
                inflater = zstd.ZstdDecompressor(options=options)
                while not inflater.eof:
                    more = feed.take(inflated.size) if inflater.needs_input else b""
                    inflated.add(inflater.decompress(more, _STEP))
                feed.give_back(len(inflater.unused_data))
        except zstd.ZstdError as error:
            raise Invalid(
                f"the request body is not valid zstd after {inflated.size} inflated bytes: {error}"
            ) from None
        return inflated.whole()

    def _zlib(self, body: bytes, coding: str, window: int) -> bytes:
        feed, inflated = _Feed(body, coding), _Inflated(self._limits, len(body))
        try:
            while feed.next_member():
                inflater = zlib.decompressobj(window)
                while not inflater.eof:
                    more = inflater.unconsumed_tail or feed.take(inflated.size)
                    inflated.add(inflater.decompress(more, _STEP))
                feed.give_back(len(inflater.unused_data))
        except zlib.error as error:
            raise Invalid(
                f"the request body is not valid {coding} after {inflated.size} inflated bytes: {error}"
            ) from None
        return inflated.whole()


class _Feed:
    """A compressed body, handed out piece by piece: inflaters copy what they have not used yet."""

    def __init__(self, body: bytes, coding: str) -> None:
        self._view = memoryview(body)
        self._at = 0
        self._coding = coding
        self._members = 0

    def next_member(self) -> bool:
        """Whether another stream follows: several in a row are one body."""
        self._members += 1
        if self._members > _MAX_MEMBERS and self._at < len(self._view):
            raise Invalid(f"the request body consists of more than {_MAX_MEMBERS} {self._coding} streams")
        return self._at < len(self._view)

    def take(self, inflated: int) -> memoryview:
        if self._at >= len(self._view):
            raise Invalid(f"the {self._coding} request body is cut short after {inflated} inflated bytes")
        piece = self._view[self._at : self._at + _STEP]
        self._at += len(piece)
        return piece

    def give_back(self, count: int) -> None:
        self._at -= count


class _Inflated:
    """What has come out so far, watched while it grows."""

    def __init__(self, limits: Limits, compressed: int) -> None:
        self._limits = limits
        self._compressed = compressed
        self._chunks: list[bytes] = []
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._check()
        self._chunks.append(chunk)

    def whole(self) -> bytes:
        return b"".join(self._chunks)

    def _check(self) -> None:
        if self.size > self._limits.inflated:
            raise TooLarge(
                f"the request body inflates to more than {self._limits.inflated} bytes "
                "(limit STENOGRAPH_MAX_INFLATED_BYTES)"
            )
        if self.size > _RATIO_FROM and self.size > self._compressed * self._limits.ratio:
            raise TooLarge(
                f"the request body inflates more than {self._limits.ratio}-fold "
                "(limit STENOGRAPH_MAX_INFLATION_RATIO)"
            )
