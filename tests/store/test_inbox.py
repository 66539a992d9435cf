"""The inbox: what was acknowledged is there after any end of the process, and what was refused is not."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stenograph.errors import InboxFull, StoreUnavailable
from stenograph.store import inbox as module
from stenograph.store.inbox import Entry, Inbox

HEADER = 16
BIG = 2**40


def inbox(folder: Path, *, segment_bytes: int = BIG, max_bytes: int = BIG, min_free_bytes: int = 0) -> Inbox:
    return Inbox(folder, segment_bytes=segment_bytes, max_bytes=max_bytes, min_free_bytes=min_free_bytes)


@contextlib.asynccontextmanager
async def opened(folder: Path, **options: int) -> AsyncIterator[tuple[Inbox, list[Entry]]]:
    one = inbox(folder, **options)
    one.open()
    try:
        yield one, [entry async for entries in one.left() for entry in entries]
    finally:
        await one.close()


async def put(to: Inbox, *bodies: bytes) -> list[Entry]:
    """Append one by one: each has its own sync."""
    found: list[Entry] = []
    for body in bodies:
        await to.append(body, found.append)
    return found


def fill(folder: Path, *bodies: bytes, **options: int) -> list[Entry]:
    """What a process leaves that wrote these and released none."""

    async def work() -> list[Entry]:
        async with opened(folder, **options) as (to, _):
            return await put(to, *bodies)

    return asyncio.run(work())


def replayed(folder: Path) -> list[bytes]:
    """What the next process finds."""

    async def work() -> list[bytes]:
        async with opened(folder) as (found, left):
            assert [entry.position for entry in left] == sorted({entry.position for entry in left})
            return [found.read(entry) for entry in left]

    return asyncio.run(work())


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


class Disk:
    """Stands in for the kernel: fails when told to, counts syncs, and can hold the writer back."""

    def __init__(self) -> None:
        self.fail: dict[str, list[int | None]] = {"pwritev": [], "fdatasync": [], "fsync": []}
        self.short = False
        self.syncs = 0

    def on(self, call: str, *errors: int | None) -> None:
        self.fail[call] += errors

    def wrap(self, call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            self.syncs += call == "fdatasync"
            code = self.fail[call].pop(0) if self.fail[call] else None
            if call == "pwritev" and (code is not None or self.short):
                fd, views, offset = arguments
                # A kernel that runs out of room writes what still fits.
                done = real(fd, [memoryview(views[0])[: max(1, len(views[0]) // 2)]], offset)
                if code is None:
                    return done
            if code is not None:
                raise OSError(code, os.strerror(code))
            return real(*arguments)

        return wrapped


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    for call in made.fail:
        monkeypatch.setattr(os, call, made.wrap(call, getattr(os, call)))
    return made


# ---- replay ----------------------------------------------------------------------------------------------


def test_what_was_appended_is_found_again_in_order(tmp_path: Path) -> None:
    bodies = [b"one", b"two" * 100_000, b"three"]
    entries = fill(tmp_path / "deep" / "inbox", *bodies)
    assert [entry.length for entry in entries] == [len(body) for body in bodies]
    assert replayed(tmp_path / "deep" / "inbox") == bodies
    assert replayed(tmp_path / "deep" / "inbox") == bodies


def test_what_was_released_is_not(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            for entry in await put(to, b"one", b"two"):
                to.release(entry.segment)
            assert to.bytes == 0

    asyncio.run(work())
    assert replayed(tmp_path) == []
    assert journals(tmp_path) == []


def test_a_tail_cut_anywhere_costs_the_last_record_and_no_other(tmp_path: Path) -> None:
    fill(tmp_path, b"first", b"second", b"the last")
    [path] = journals(tmp_path)
    whole = path.read_bytes()
    last = HEADER + len(b"the last")
    for cut in range(1, last + 1):
        path.write_bytes(whole[:-cut])
        assert replayed(tmp_path) == [b"first", b"second"], cut
    path.write_bytes(whole)
    assert replayed(tmp_path) == [b"first", b"second", b"the last"]


@pytest.mark.parametrize("tail", [b"\0" * 1000, b"\xff" * 1000, os.urandom(1000), b"\x05"])
def test_a_tail_of_rubbish_costs_nothing(tmp_path: Path, tail: bytes) -> None:
    fill(tmp_path, b"first", b"second")
    [path] = journals(tmp_path)
    path.write_bytes(path.read_bytes() + tail)
    assert replayed(tmp_path) == [b"first", b"second"]
    assert not list(tmp_path.glob("*.damaged"))


def test_a_damaged_body_costs_itself_and_its_file_is_kept(tmp_path: Path) -> None:
    fill(tmp_path, b"first", b"second", b"third")
    [path] = journals(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"second") + 2] ^= 1
    path.write_bytes(whole)

    async def work() -> None:
        async with opened(tmp_path) as (found, left):
            assert [found.read(entry) for entry in left] == [b"first", b"third"]
            assert found.damaged == [path]
            for entry in left:
                found.release(entry.segment)
            assert found.damaged == []

    asyncio.run(work())
    assert path.with_suffix(".damaged").read_bytes() == bytes(whole)
    assert replayed(tmp_path) == []


@pytest.mark.parametrize("byte", range(HEADER))
def test_a_damaged_header_never_gives_a_wrong_record(tmp_path: Path, byte: int) -> None:
    fill(tmp_path, b"first", b"second", b"third")
    [path] = journals(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[HEADER + len(b"first") + byte] ^= 0x10
    path.write_bytes(whole)
    assert replayed(tmp_path) in ([b"first"], [b"first", b"third"])


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.journal").write_text("mine")
    fill(tmp_path, b"one")
    assert replayed(tmp_path) == [b"one"]
    assert (tmp_path / "notes.journal").read_text() == "mine"


def test_files_are_gone_through_one_by_one_and_none_is_lost_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New records are taken at once, above all old ones, whose files are read in turn, on threads."""
    bodies = [b"%d" % at * 100 for at in range(8)]
    fill(tmp_path, *bodies, segment_bytes=1)
    files = journals(tmp_path)
    assert len(files) == 8
    real, scanned = module._scan, []

    def scan(path: Path, number: int) -> tuple[list[Entry], bool]:
        scanned.append((path, threading.current_thread() is threading.main_thread()))
        if len(scanned) == 4:
            raise OSError(errno.EIO, "I/O error")
        return real(path, number)

    monkeypatch.setattr(module, "_scan", scan)

    async def work() -> None:
        one = inbox(tmp_path)
        one.open()
        assert scanned == [(files[-1], True)], "the last one tells what position comes next"
        assert one.bytes == sum(file.stat().st_size for file in files)
        assert one.age > 0
        [new] = await put(one, b"new")
        is_read = [one.is_read]
        found: list[Entry] = []
        with pytest.raises(StoreUnavailable, match="cannot be read"):
            async for entries in one.left():
                found += entries
        assert len(found) == 2
        is_read.append(one.is_read)
        async for entries in one.left():
            found += entries
        assert [*is_read, one.is_read] == [False, False, True]
        assert [one.read(entry) for entry in found] == bodies
        assert [entry.position for entry in (*found, new)] == sorted(
            {entry.position for entry in (*found, new)}
        )
        assert [path for path, on_loop in scanned if not on_loop] == [*files[:3], *files[2:7]]
        for entry in found:
            one.release(entry.segment)
        assert all(not file.exists() for file in files)
        assert one.read(new) == b"new"
        await one.close()

    asyncio.run(work())


def test_a_file_with_nothing_in_it_is_dropped_when_it_is_come_to(tmp_path: Path) -> None:
    fill(tmp_path, b"one", b"two", b"three", segment_bytes=1)
    first, second, third = journals(tmp_path)
    second.write_bytes(b"rubbish")
    assert replayed(tmp_path) == [b"one", b"three"]
    assert not second.exists()
    third.write_bytes(b"rubbish")
    assert replayed(tmp_path) == [b"one"]
    assert journals(tmp_path) == [first]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        asyncio.run(_open(inbox(tmp_path / "file")))


async def _open(one: Inbox) -> None:
    one.open()


# ---- positions -------------------------------------------------------------------------------------------


def test_positions_grow_across_restarts_and_when_the_clock_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fill(tmp_path, b"one", b"two")
    monkeypatch.setattr(time, "time_ns", lambda: 1_000)
    second = fill(tmp_path, b"three", b"four")
    positions = [entry.position for entry in first + second]
    assert positions == sorted(set(positions))


def test_positions_are_above_the_run_stores(tmp_path: Path) -> None:
    async def work() -> None:
        one = inbox(tmp_path)
        ahead = time.time_ns()  # a thousand times as many microseconds
        one.open(after=ahead)
        assert one.is_read
        [entry] = await put(one, b"one")
        assert entry.position == ahead + 1
        assert one.next_position() == ahead + 2
        [entry] = await put(one, b"two")
        assert entry.position == ahead + 3
        await one.close()

    asyncio.run(work())


def test_callbacks_come_in_the_order_of_positions_and_share_syncs(tmp_path: Path, disk: Disk) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            told: list[Entry] = []
            before = disk.syncs
            await asyncio.gather(*(to.append(b"%d" % at, told.append) for at in range(500)))
            assert [to.read(entry) for entry in told] == [b"%d" % at for at in range(500)]
            assert [entry.position for entry in told] == sorted({entry.position for entry in told})
            assert disk.syncs - before < 50

    asyncio.run(work())


# ---- who waits -------------------------------------------------------------------------------------------


def test_a_waiter_that_goes_away_does_not_take_its_record_with_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            told: list[Entry] = []
            waiting = asyncio.create_task(to.append(b"left", told.append))
            other = asyncio.create_task(to.append(b"stayed", told.append))
            await asyncio.sleep(0)
            waiting.cancel()
            await other
            assert waiting.cancelled()
            assert [to.read(entry) for entry in told] == [b"left", b"stayed"]

    asyncio.run(work())
    assert replayed(tmp_path) == [b"left", b"stayed"]


def test_a_callback_that_fails_is_its_own_affair(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            told: list[Entry] = []

            def fail(entry: Entry) -> None:
                raise LookupError

            results = await asyncio.gather(
                to.append(b"1", told.append), to.append(b"2", fail), to.append(b"3", told.append),
                return_exceptions=True,
            )  # fmt: skip
            assert [type(result) for result in results] == [type(None), LookupError, type(None)]
            assert len(told) == 2

    asyncio.run(work())


def test_nothing_is_taken_once_it_closes(tmp_path: Path) -> None:
    async def work() -> None:
        to = inbox(tmp_path)
        to.open()
        last = asyncio.create_task(to.append(b"in time", lambda entry: None))
        await asyncio.sleep(0)
        await to.close()
        await last
        with pytest.raises(StoreUnavailable, match="stopping"):
            await to.append(b"too late", lambda entry: None)

    asyncio.run(work())
    assert replayed(tmp_path) == [b"in time"]


# ---- disks that fail -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("pwritev", errno.ENOSPC),
        ("pwritev", errno.EIO),
        ("fdatasync", errno.EIO),
        ("fdatasync", errno.ENOSPC),
    ],
)
def test_a_failed_write_keeps_nothing_and_the_next_one_succeeds(
    tmp_path: Path, disk: Disk, call: str, code: int
) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            await put(to, b"before")
            size = to.bytes
            disk.on(call, code)
            told: list[Entry] = []
            with pytest.raises(StoreUnavailable, match=os.strerror(code)):
                await to.append(b"refused", told.append)
            assert told == []
            assert to.bytes == size
            await put(to, b"after")

    asyncio.run(work())
    assert replayed(tmp_path) == [b"before", b"after"]


def test_after_a_failed_sync_another_file_is_written(tmp_path: Path, disk: Disk) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            [first] = await put(to, b"before")
            disk.on("fdatasync", errno.EIO)
            with pytest.raises(StoreUnavailable):
                await to.append(b"refused", lambda entry: None)
            [second] = await put(to, b"after")
            assert second.segment > first.segment

    asyncio.run(work())


def test_a_disk_that_stays_full_leaves_no_trail_of_files(tmp_path: Path, disk: Disk) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            await put(to, b"before")
            disk.on("pwritev", *[errno.ENOSPC] * 20)
            for _ in range(20):
                with pytest.raises(StoreUnavailable):
                    await to.append(b"refused", lambda entry: None)
            assert len(journals(tmp_path)) <= 3
            await put(to, b"after")

    asyncio.run(work())
    assert replayed(tmp_path) == [b"before", b"after"]


def test_a_new_file_that_cannot_be_made_durable_is_tried_again(tmp_path: Path, disk: Disk) -> None:
    async def work() -> None:
        async with opened(tmp_path, segment_bytes=1) as (to, _):
            await put(to, b"before")
            disk.on("fsync", errno.EIO, errno.EIO)
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await to.append(b"refused", lambda entry: None)
            await put(to, b"after")

    asyncio.run(work())
    assert replayed(tmp_path) == [b"before", b"after"]


def test_a_kernel_that_writes_little_by_little_is_asked_until_it_is_done(tmp_path: Path, disk: Disk) -> None:
    disk.short = True
    bodies = [os.urandom(size) for size in (1, 17, 3000, 0x1FFF)]

    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            await asyncio.gather(*(to.append(body, lambda entry: None) for body in bodies))

    asyncio.run(work())
    assert replayed(tmp_path) == bodies


def test_more_records_at_once_than_one_call_takes(tmp_path: Path) -> None:
    bodies = [struct.pack("<I", at) for at in range(3000)]

    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            await asyncio.gather(*(to.append(body, lambda entry: None) for body in bodies))

    asyncio.run(work())
    assert replayed(tmp_path) == bodies


def test_the_writer_outlives_whatever_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            with monkeypatch.context() as patched:
                patched.setattr(os, "fdatasync", _no_memory)
                with pytest.raises(StoreUnavailable):
                    await to.append(b"refused", lambda entry: None)
            await put(to, b"after")

    asyncio.run(work())
    assert replayed(tmp_path) == [b"after"]


def _no_memory(fd: int) -> None:
    raise MemoryError


# ---- limits ----------------------------------------------------------------------------------------------


def test_a_full_inbox_refuses_until_something_is_released(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, max_bytes=1000) as (to, _):
            [first] = await put(to, b"x" * 600)
            with pytest.raises(InboxFull, match="STENOGRAPH_INBOX_MAX_BYTES"):
                await to.append(b"x" * 600, lambda entry: None)
            await put(to, b"small")
            to.release(first.segment)
            to.release(first.segment)
            await put(to, b"x" * 600)

    asyncio.run(work())


def test_what_is_queued_counts_too(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, max_bytes=1000) as (to, _):
            results = await asyncio.gather(
                *(to.append(b"x" * 300, lambda entry: None) for _ in range(10)), return_exceptions=True
            )
            assert [isinstance(result, InboxFull) for result in results] == [False] * 3 + [True] * 7

    asyncio.run(work())


def test_a_disk_that_runs_low_refuses_and_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, free = [100.0], [10**9]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=free[0], f_frsize=1))

    async def work() -> None:
        async with opened(tmp_path, min_free_bytes=10**8) as (to, _):
            await put(to, b"one")
            free[0], now[0] = 10**8 + 10, 110.0
            with pytest.raises(StoreUnavailable, match="STENOGRAPH_MIN_FREE_DISK_BYTES"):
                await to.append(b"x" * 100, lambda entry: None)
            free[0], now[0] = 10**9, 120.0
            await put(to, b"two")

    asyncio.run(work())
    assert replayed(tmp_path) == [b"one", b"two"]


def test_a_disk_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: Path) -> None:
        raise OSError(errno.EIO, "it is gone")

    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            monkeypatch.setattr(os, "statvfs", gone)
            with pytest.raises(StoreUnavailable, match="it is gone"):
                await to.append(b"one", lambda entry: None)

    asyncio.run(work())


# ---- files -----------------------------------------------------------------------------------------------


def test_a_file_is_closed_when_it_is_large_and_deleted_when_it_is_done(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, segment_bytes=100) as (to, _):
            entries = await put(to, *[b"x" * 60] * 6)
            assert [entry.segment for entry in entries] == [1, 1, 2, 2, 3, 3]
            assert len(journals(tmp_path)) == 3
            to.release(2)
            to.release(2)
            assert [path.stem[-1] for path in journals(tmp_path)] == ["1", "3"]
            to.release(1)
            assert len(journals(tmp_path)) == 2
            to.release(1)
            assert to.bytes == 2 * (HEADER + 60)

    asyncio.run(work())
    assert replayed(tmp_path) == [b"x" * 60] * 2


def test_an_idle_inbox_has_no_bytes_and_no_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            assert (to.bytes, to.age) == (0, 0)
            monkeypatch.setattr(time, "time", lambda: 1000.0)
            [first] = await put(to, b"one")
            monkeypatch.setattr(time, "time", lambda: 1010.0)
            [second] = await put(to, b"two")
            assert to.age == 10
            to.release(first.segment)
            assert to.age == 10
            to.release(second.segment)
            assert (to.bytes, to.age) == (0, 0)
            assert journals(tmp_path)[0].stat().st_size == 0
            [third] = await put(to, b"three")
            assert to.read(third) == b"three"
            assert to.age == 0

    asyncio.run(work())
    assert replayed(tmp_path) == [b"three"]


def test_a_file_is_not_deleted_while_a_record_in_it_is_being_reported(tmp_path: Path, disk: Disk) -> None:
    """The event loop may release all that it knows of a file in which the writer has just put more."""

    async def work() -> None:
        async with opened(tmp_path, segment_bytes=HEADER + 4) as (to, _):
            [first] = await put(to, b"one")
            told = _behind_the_loops_back(to, disk, b"two", b"three")
            assert first.segment == 1
            to.release(first.segment)
            await put(to, b"four")
            assert [(to.read(entry), entry.segment) for entry in told] == [(b"two", 1), (b"three", 2)]

    asyncio.run(work())
    assert replayed(tmp_path) == [b"one", b"two", b"three", b"four"]  # whole files are deleted, not records


def test_a_writer_that_is_files_ahead_of_the_event_loop_loses_none(tmp_path: Path, disk: Disk) -> None:
    bodies = [b"%d" % at for at in range(8)]

    async def work() -> None:
        async with opened(tmp_path, segment_bytes=1) as (to, _):
            told = _behind_the_loops_back(to, disk, *bodies)
            await put(to, b"last")
            assert [to.read(entry) for entry in told] == bodies

    asyncio.run(work())
    assert replayed(tmp_path) == [*bodies, b"last"]


def _behind_the_loops_back(to: Inbox, disk: Disk, *bodies: bytes) -> list[Entry]:
    """Have each body written in a batch of its own, before the event loop hears of any of them."""
    told: list[Entry] = []
    for body in bodies:
        seen = disk.syncs
        to.append(body, told.append).send(None)
        _until(lambda seen=seen: disk.syncs > seen)  # type: ignore[misc]
    assert told == []
    return told


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        os.sched_yield()


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"cut")])
def test_a_file_that_was_harmed_is_no_answer(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    async def work() -> None:
        async with opened(tmp_path) as (to, _):
            [entry] = await put(to, b"one")
            harm(journals(tmp_path)[0])
            with pytest.raises(StoreUnavailable, match="cannot be read"):
                to.read(entry)

    asyncio.run(work())
