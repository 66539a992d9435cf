"""Bodies that are read onto the disk: the same bytes, within the same limits, and gone afterwards."""

from __future__ import annotations

import asyncio
import gzip
import mmap
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message

from stenograph.errors import Invalid, StoreUnavailable, TooLarge
from stenograph.wire.bodies import Bodies, Limits
from stenograph.wire.multipart import parts
from stenograph.wire.uploads import IN_MEMORY, Spool, Upload

MIB = 1 << 20
ROOMY = Limits(body=64 * MIB, inflated=64 * MIB, ratio=1000, inflight=64 * MIB)
SMALL = b"small" * 100
LARGE = random.Random(1).randbytes(IN_MEMORY + 3 * MIB + 1)


def request(body: bytes, coding: str = "") -> Request:
    """A request whose body arrives in pieces of a MiB."""
    pieces: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": body[at : at + MIB], "more_body": True}
            for at in range(0, len(body), MIB)
        ]
        + [{"type": "http.request", "body": b"", "more_body": False}]
    )

    async def receive() -> Message:
        return next(pieces)

    headers = [(b"content-encoding", coding.encode())] if coding else []
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def read(body: bytes, check: Callable[[Upload], None], coding: str = "", limits: Limits = ROOMY) -> None:
    async def work() -> None:
        async with Bodies(limits).read_into(request(body, coding), Spool) as found:
            check(found)

    asyncio.run(work())


def compressed(body: bytes, coding: str) -> bytes:
    for _ in coding.split(",") if coding else ():
        body = gzip.compress(body, 1)
    return body


@pytest.mark.parametrize("coding", ["", "gzip", "gzip, gzip"])
@pytest.mark.parametrize("body", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_the_body_is_what_was_sent(body: bytes, coding: str) -> None:
    def check(found: Upload) -> None:
        assert isinstance(found, mmap.mmap) == (len(body) > IN_MEMORY)
        assert found[:] == body
        assert bytes(memoryview(found)) == body

    read(compressed(body, coding), check, coding)


def test_the_edge_between_memory_and_disk() -> None:
    read(LARGE[:IN_MEMORY], lambda found: _is(found, bytes))
    read(LARGE[: IN_MEMORY + 1], lambda found: _is(found, mmap.mmap))


def _is(found: Upload, kind: type) -> None:
    assert isinstance(found, kind)


def test_parts_are_cut_from_either() -> None:
    form = b"".join(
        b'--mark\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\n\r\n%s\r\n' % part
        for part in ((b"a", SMALL), (b"b", LARGE), (b"c", b"--mar\r\n--mark-not"))
    )

    def check(found: Upload) -> None:
        cut = list(parts(found, b"mark", max_parts=9, max_header=999))
        assert [part.name for part in cut] == ["a", "b", "c"]
        assert [bytes(part.data) for part in cut] == [SMALL, LARGE, b"--mar\r\n--mark-not"]
        assert {part.filename for part in cut} == {"f"}

    read(form + b"--mark--\r\n", check)


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_limits_are_those_of_every_body(coding: str) -> None:
    def refused(error: type[Exception], match: str, sent: bytes, **limits: int) -> None:
        known = {"body": 64 * MIB, "inflated": 64 * MIB, "ratio": 1000, "inflight": 64 * MIB}
        with pytest.raises(error, match=match):
            read(sent, lambda _: None, coding, Limits(**{**known, **limits}))

    sent = compressed(LARGE, coding)
    refused(TooLarge, "MAX_BODY_BYTES", sent, body=9 * MIB)
    if coding:
        refused(TooLarge, "MAX_INFLATED_BYTES", sent, inflated=9 * MIB)
        refused(TooLarge, "MAX_INFLATION_RATIO", compressed(bytes(20 * MIB), coding), ratio=10)
        refused(Invalid, "cut short", sent[:-9])
        refused(Invalid, "not valid gzip", LARGE)


def test_what_is_on_disk_waits_for_room_on_disk_alone() -> None:
    """Uploads neither keep others from memory nor wait for it."""

    async def work() -> None:
        bodies = Bodies(Limits(body=64 * MIB, inflated=64 * MIB, ratio=1000, inflight=len(LARGE)))
        done: list[str] = []

        async def upload(name: str, proceed: asyncio.Event) -> None:
            async with bodies.read_into(request(LARGE), Spool):
                done.append(name)
                await proceed.wait()

        first, second = asyncio.Event(), asyncio.Event()
        one = asyncio.create_task(upload("one", first))
        while not done:
            await asyncio.sleep(0)
        two = asyncio.create_task(upload("two", second))
        async with bodies.read(request(LARGE)) as body:
            assert len(body) == bodies.inflight == len(LARGE)
        assert done == ["one"]
        first.set()
        second.set()
        await asyncio.gather(one, two)
        assert done == ["one", "two"]
        assert bodies.inflight == 0

    asyncio.run(work())


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def open_here() -> list[str]:
        links = []
        for each in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{each}"))
            except FileNotFoundError:  # the one that lists them
                continue
        return [link for link in links if str(tmp_path) in link]

    def check(found: Upload) -> None:
        assert isinstance(found, mmap.mmap)
        assert open_here()

    def fail(_: Upload) -> None:
        raise KeyError

    read(compressed(LARGE, "gzip"), check, "gzip")
    assert open_here() == []
    with pytest.raises(KeyError):
        read(LARGE, fail)
    with pytest.raises(Invalid):
        read(LARGE, fail, "gzip")
    assert open_here() == []
    assert list(tmp_path.iterdir()) == []


def test_a_view_that_is_kept_does_no_harm() -> None:
    kept: list[memoryview] = []
    read(LARGE, lambda found: kept.append(memoryview(found)[:10]))
    assert bytes(kept[0]) == LARGE[:10]


def test_a_full_disk_may_have_room_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        read(SMALL, lambda _: None)
