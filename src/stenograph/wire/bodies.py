"""Request bodies: read, inflated, bounded. Nothing a client sends can make the server hold more than it agreed to."""

from __future__ import annotations

import asyncio
import mmap
import sys
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from starlette.requests import Request

from stenograph.errors import Invalid, TooLarge

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Whole = TypeVar("Whole", bytes, bytes | mmap.mmap, covariant=True)
"""A body that is complete: in memory, or perhaps on disk."""

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


class Sink(Protocol[Whole]):
    """Where a body is put together as it arrives."""

    def write(self, chunk: bytes) -> None: ...

    def whole(self) -> Whole:
        """All that was written; valid until `close`."""

    def close(self) -> None: ...


class Memory:
    """A sink that keeps the body in memory."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def whole(self) -> bytes:
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def close(self) -> None:
        self._chunks = []


class Bodies:
    """Hands out request bodies within the limits; one a server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._in_memory = _Room(limits.inflight)
        self._on_disk = _Room(limits.inflight)

    @property
    def inflight(self) -> int:
        """Inflated bytes in memory that requests are working on now."""
        return self._in_memory.taken

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, inflated. Its bytes count as in use until the block is left.

        Invalid when it cannot be inflated, TooLarge over a limit.
        """
        async with self.read_into(request, Memory) as body:
            yield body

    @asynccontextmanager
    async def read_into(self, request: Request, sink: Callable[[], Sink[Whole]]) -> AsyncIterator[Whole]:
        """The same, put together in sinks of the caller's kind. A body that is on disk then is counted apart
        from those in memory, up to the same number of bytes: nobody who sends runs waits for uploads."""
        body, close = await self._inflated(request, sink)
        try:
            room = self._in_memory if isinstance(body, bytes) else self._on_disk
            async with room.take(len(body)):
                yield body
        finally:
            close()

    async def _inflated(
        self, request: Request, sink: Callable[[], Sink[Whole]]
    ) -> tuple[Whole, Callable[[], None]]:
        """The body, and what gives it up again."""
        to = sink()
        try:
            await self._receive(request, to)
            codings = [
                coding
                for part in request.headers.get("content-encoding", "").lower().split(",")
                if (coding := part.strip()) and coding != "identity"
            ]
            if len(codings) > _MAX_CODINGS:
                raise Invalid(
                    f"the body is compressed {len(codings)} times over; at most {_MAX_CODINGS} are taken"
                )
            for coding in reversed(codings):
                source, to = to, sink()
                try:
                    raw = source.whole()
                    if len(raw) > 64 * 1024:
                        await asyncio.to_thread(self._inflate, raw, coding, to)
                    else:
                        self._inflate(raw, coding, to)
                    del raw
                finally:
                    source.close()
            return to.whole(), to.close
        except BaseException:
            to.close()
            raise

    async def _receive(self, request: Request, to: Sink[Whole]) -> None:
        limit = self._limits.body
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > limit:
            raise self._too_long(int(stated))
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise self._too_long(size)
            if chunk:
                to.write(chunk)

    def _too_long(self, size: int) -> TooLarge:
        return TooLarge(
            f"the request body has {size} bytes or more; at most {self._limits.body} are taken "
            "(limit STENOGRAPH_MAX_BODY_BYTES)"
        )

    def _inflate(self, body: bytes | mmap.mmap, coding: str, to: Sink[Whole]) -> None:
        match coding:
            case "zstd":
                self._zstd(body, to)
            case "gzip" | "x-gzip":
                self._zlib(body, coding, 31, to)
            case "deflate":
                self._zlib(body, coding, 15, to)
            case _:
                raise Invalid(f"Content-Encoding {coding[:40]!r} is not one of zstd, gzip, deflate")

    def _zstd(self, body: bytes | mmap.mmap, to: Sink[Whole]) -> None:
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
        inflated = _Inflated(self._limits, len(body), to)
        feed = _Feed(body, "zstd")
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
        finally:
            feed.close()

    def _zlib(self, body: bytes | mmap.mmap, coding: str, window: int, to: Sink[Whole]) -> None:
        inflated = _Inflated(self._limits, len(body), to)
        feed = _Feed(body, coding)
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
        finally:
            feed.close()


class _Room:
    """So many bytes for all requests together; who finds no room waits, in order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def take(self, size: int) -> AsyncIterator[None]:
        while self.taken and self.taken + size > self._limit:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self.taken += size
        try:
            yield
        finally:
            self.taken -= size
            # All of them look again, in their order: one alone might be too large still, or have gone.
            waiting, self._waiting = self._waiting, deque()
            for turn in waiting:
                if not turn.done():
                    turn.set_result(None)


class _Feed:
    """A compressed body, handed out piece by piece: inflaters copy what they have not used yet."""

    def __init__(self, body: bytes | mmap.mmap, coding: str) -> None:
        self._view = memoryview(body)
        self._piece = self._view[:0]
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
        """The next piece; the one before is gone then."""
        if self._at >= len(self._view):
            raise Invalid(f"the {self._coding} request body is cut short after {inflated} inflated bytes")
        self._piece.release()
        self._piece = self._view[self._at : self._at + _STEP]
        self._at += len(self._piece)
        return self._piece

    def give_back(self, count: int) -> None:
        self._at -= count

    def close(self) -> None:
        """Let go of the body, even where an error keeps what was read of it."""
        self._piece.release()
        self._view.release()


class _Inflated:
    """What has come out so far, watched while it grows."""

    def __init__(self, limits: Limits, compressed: int, to: Sink[Whole]) -> None:
        self._limits = limits
        self._compressed = compressed
        self._write = to.write
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._check()
        self._write(chunk)

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
