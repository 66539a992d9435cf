"""Request bodies: inflated in every way that clients compress them, and bounded in every way."""

from __future__ import annotations

import asyncio
import gzip
import random
import sys
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from stenograph.errors import CallerError, Invalid, TooLarge
from stenograph.wire.bodies import Bodies, Limits
from tests.effort import tries

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1 << 20
ROOMY = Limits(body=64 * MIB, inflated=64 * MIB, ratio=1000, inflight=64 * MIB)


def streamed(data: bytes) -> bytes:
    """One frame that doesn't state its size, as a stream is written."""
    writer = zstd.ZstdCompressor()
    middle = len(data) // 2
    return writer.compress(data[:middle]) + writer.compress(data[middle:]) + writer.flush()


WRITERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "zstd": ("zstd", zstd.compress),
    "zstd stream": ("zstd", streamed),
}


def request(body: bytes, coding: str = "", pieces: int = 1, length: str | None = None) -> Request:
    """A request whose body arrives in so many pieces."""
    headers = [(b"content-encoding", coding.encode())] if coding else []
    if length is not None:
        headers.append((b"content-length", length.encode("latin-1")))
    step = max(1, -(-len(body) // pieces))
    messages: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": body[at : at + step], "more_body": True}
            for at in range(0, len(body), step)
        ]
        + [{"type": "http.request", "body": b"", "more_body": False}]
    )

    async def receive() -> Message:
        return next(messages)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def read(
    body: bytes, coding: str = "", limits: Limits = ROOMY, pieces: int = 1, length: str | None = None
) -> bytes:
    async def work() -> bytes:
        bodies = Bodies(limits)
        async with bodies.read(request(body, coding, pieces, length)) as found:
            assert bodies.inflight == len(found)
        assert bodies.inflight == 0
        return found

    return asyncio.run(work())


# -- inflating ---------------------------------------------------------------------------------------------


@settings(max_examples=tries(40))
@given(st.binary(max_size=5000), st.integers(1, 7))
@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_compressed_comes_out(writer: str, data: bytes, pieces: int) -> None:
    coding, compress = WRITERS[writer]
    assert read(compress(data), coding, pieces=pieces) == data


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("kind", ["noise", "zeros", "repeats"])
def test_large_bodies(writer: str, kind: str) -> None:
    """Larger than what is fed and taken at a time, in both directions."""
    coding, compress = WRITERS[writer]
    noise = random.Random(1).randbytes(3 * MIB + 7)
    data = {"noise": noise, "zeros": bytes(9 * MIB), "repeats": noise[:99] * 60_000}[kind]
    assert read(compress(data), coding) == data


@pytest.mark.parametrize("writer", WRITERS)
def test_streams_in_a_row_are_one_body(writer: str) -> None:
    coding, compress = WRITERS[writer]
    assert read(compress(b"one,") + compress(b"") + compress(b"two"), coding) == b"one,two"
    with pytest.raises(Invalid, match="more than 1000"):
        read(compress(b"x") * 1001, coding)


def test_codings_one_on_the_other() -> None:
    data = b"twice" * 100
    assert read(zstd.compress(gzip.compress(data)), "gzip, zstd") == data
    assert read(gzip.compress(data), " GZIP ,identity") == data
    assert read(data, "identity") == data
    assert read(b"", "gzip") == b""
    with pytest.raises(Invalid, match="4 times over"):
        read(data, "gzip, gzip, gzip, gzip")


@pytest.mark.parametrize("coding", ["br", "compress", "gzip;q=1", "snappy"])
def test_an_unknown_coding(coding: str) -> None:
    with pytest.raises(Invalid, match="is not one of zstd, gzip, deflate"):
        read(b"data", coding)


@settings(max_examples=tries(40))
@given(st.binary(min_size=1, max_size=2000), st.data())
@pytest.mark.parametrize("writer", WRITERS)
def test_a_body_cut_short_is_refused(writer: str, data: bytes, draw: st.DataObject) -> None:
    coding, compress = WRITERS[writer]
    body = compress(data)
    cut = draw.draw(st.integers(1, len(body) - 1))
    with pytest.raises(Invalid, match="cut short|not valid"):
        read(body[:cut], coding)


@settings(max_examples=tries(100))
@given(st.binary(max_size=300))
@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_anything_is_inflated_or_refused(coding: str, body: bytes) -> None:
    try:
        read(body, coding)
    except CallerError as error:
        assert error.message  # noqa: PT017 - whether it is refused depends on the body


# -- limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [1, 10])
def test_a_body_over_its_limit(pieces: int) -> None:
    limits = Limits(body=100, inflated=1000, ratio=1000, inflight=1000)
    assert read(b"x" * 100, limits=limits, pieces=pieces) == b"x" * 100
    with pytest.raises(TooLarge, match="STENOGRAPH_MAX_BODY_BYTES"):
        read(b"x" * 101, limits=limits, pieces=pieces)


def test_a_stated_length_is_refused_before_the_body_is_read() -> None:
    async def work() -> None:
        async def receive() -> Message:
            raise AssertionError("the body was read")

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"101")]}
        limits = Limits(body=100, inflated=1000, ratio=1000, inflight=1000)
        async with Bodies(limits).read(Request(scope, receive)):
            raise AssertionError("the body was handed out")

    with pytest.raises(TooLarge, match="101 bytes"):
        asyncio.run(work())


@pytest.mark.parametrize("length", ["", "x", "-1", "²", "1_0"])
def test_a_length_that_is_no_number_is_not_looked_at(length: str) -> None:
    assert read(b"data", length=length) == b"data"


@pytest.mark.parametrize("writer", WRITERS)
def test_an_inflated_body_over_its_limit(writer: str) -> None:
    coding, compress = WRITERS[writer]
    limits = Limits(body=MIB, inflated=3 * MIB, ratio=10**6, inflight=8 * MIB)
    assert len(read(compress(bytes(3 * MIB)), coding, limits)) == 3 * MIB
    with pytest.raises(TooLarge, match="STENOGRAPH_MAX_INFLATED_BYTES"):
        read(compress(bytes(3 * MIB + 1)), coding, limits)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_bomb_stops_at_the_ratio(writer: str) -> None:
    coding, compress = WRITERS[writer]
    limits = Limits(body=MIB, inflated=64 * MIB, ratio=100, inflight=64 * MIB)
    assert len(read(compress(bytes(16 * MIB)), coding, limits)) == 16 * MIB
    with pytest.raises(TooLarge, match="STENOGRAPH_MAX_INFLATION_RATIO"):
        read(compress(bytes(20 * MIB)), coding, limits)


# -- bodies in use -----------------------------------------------------------------------------------------


def test_bodies_wait_for_room_and_lose_no_turn() -> None:
    """Held bodies fill the room; one that waits goes away; all others get their turn, in their order."""

    async def work() -> list[int]:
        bodies = Bodies(Limits(body=100, inflated=100, ratio=1000, inflight=100))
        leave, order = asyncio.Event(), list[int]()

        async def hold() -> None:
            async with bodies.read(request(b"x" * 90)):
                await leave.wait()
            rest[0].cancel()  # it has been given its turn, and goes before it can take it

        async def pass_through(at: int, size: int) -> None:
            async with bodies.read(request(b"x" * size)):
                assert bodies.inflight <= 100
                order.append(at)
                await asyncio.sleep(0)

        first = asyncio.create_task(hold())
        await asyncio.sleep(0)
        rest = [
            asyncio.create_task(pass_through(at, size)) for at, size in enumerate((100, 20, 30, 80, 100, 15))
        ]
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == []
        assert bodies.inflight == 90
        leave.set()
        await first
        done = await asyncio.wait_for(asyncio.gather(*rest, return_exceptions=True), 20)
        assert isinstance(done[0], asyncio.CancelledError)
        assert done[1:] == [None] * 5
        assert bodies.inflight == 0
        return order

    order = asyncio.run(work())
    assert sorted(order) == [1, 2, 3, 4, 5]
    assert order[:2] == [1, 2]


def test_a_body_larger_than_all_room_goes_alone() -> None:
    limits = Limits(body=100, inflated=100, ratio=1000, inflight=10)
    assert read(b"x" * 100, limits=limits) == b"x" * 100


def test_room_is_given_back_when_the_work_fails() -> None:
    async def work() -> int:
        bodies = Bodies(ROOMY)
        with pytest.raises(RuntimeError):
            async with bodies.read(request(b"data")):
                raise RuntimeError
        return bodies.inflight

    assert asyncio.run(work()) == 0
