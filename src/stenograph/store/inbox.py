"""The inbox: what has been acknowledged and is not yet in the run store. Append, group commit, fsync.

A folder of segment files, each a run of records: length, checksum, position, body. One thread writes; requests
that arrive while it syncs share the next sync. A segment is deleted once all its records are in the run store.
Why files rather than a database: docs/decisions/001-inbox-is-a-journal.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from stenograph.errors import InboxFull, StoreUnavailable

_HEADER = struct.Struct("<IIQ")  # length of the body, CRC-32 of position and body, position
_POSITION = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a record lies. `position` grows with every record, across restarts too."""

    position: int
    segment: int
    offset: int
    length: int


@dataclass(slots=True)
class _Waiting:
    body: bytes
    position: int
    durable: asyncio.Future[None]
    then: Callable[[Entry], None]


@dataclass(slots=True)
class _Segment:
    """One file. The writer's thread sets `size` and `synced`, the event loop all the rest. One that has not been gone
    through yet counts as having one live record."""

    number: int
    size: int = 0
    live: int = 0
    oldest: float = 0.0
    synced: int = 0
    reported: int = 0
    damaged: bool = False

    @property
    def free(self) -> bool:
        """No record in it waits, and none is on its way from the writer to the event loop."""
        return self.live == 0 and self.synced == self.reported


class Inbox:
    """An append-only journal on local disk. Methods are called on one event loop."""

    def __init__(self, folder: Path, *, segment_bytes: int, max_bytes: int, min_free_bytes: int) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._segments: dict[int, _Segment] = {}
        self._unread: deque[int] = deque()  # segments of an earlier process that are not gone through yet
        self._scanned: dict[int, list[Entry]] = {}
        self._queue: list[_Waiting] = []
        self._wake = threading.Condition()
        self._closing = False
        self._broken = False
        self._outstanding = 0  # appended and not yet reported back: the writer may be busy with them
        self._queued = 0  # their bytes
        self._last_position = 0
        self._free_checked = 0.0
        self._free = 0
        self._fd = -1
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- opening -----------------------------------------------------------------------------------------

    def open(self, after: int = 0) -> None:
        """Take the folder into use. What an earlier process left, `left` reads.

        New positions will be higher than `after`, which is the highest one in the run store, and than those of all
        records that are there: a clock that was set back must not make new records look older. So the last file
        with a record is gone through here, and the others are not: they may be many.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._last_position = after
            for path in sorted(self._folder.glob("[0-9]*.journal"), reverse=True):
                file = path.stat()
                segment = _Segment(int(path.stem), file.st_size, live=1, oldest=file.st_mtime)
                if not any(self._scanned.values()):
                    entries, segment.damaged = _scan(path, segment.number)
                    if not entries:
                        path.unlink()
                        continue
                    self._scanned[segment.number] = entries
                    self._last_position = max(after, entries[-1].position)
                self._segments[segment.number] = segment
                self._unread.appendleft(segment.number)
            self._rotate()
        except OSError as error:
            raise StoreUnavailable(f"the inbox at {self._folder} cannot be opened: {error}") from error
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write_loop, name="inbox", daemon=True)
        self._thread.start()

    @property
    def last_position(self) -> int:
        """No record that is there has a higher one."""
        return self._last_position

    @property
    def is_read(self) -> bool:
        """Whether all that an earlier process left has been given out by `left`."""
        return not self._unread

    async def left(self) -> AsyncIterator[list[Entry]]:
        """What an earlier process left, oldest first, a file at a time, read on a thread: 1 GiB takes 2 to 10 s.

        A record cut short by a crash was never acknowledged: it is ignored. One that is damaged in the middle of
        a file is passed over, and its file is kept as `*.damaged`: see `damaged`. StoreUnavailable when a file cannot
        be read: whoever asks again begins with it.
        """
        while self._unread:
            number = self._unread[0]
            segment = self._segments[number]
            if number in self._scanned:
                entries = self._scanned.pop(number)
            else:
                entries = await self._gone_through(segment)
            segment.live = len(entries)
            self._unread.popleft()
            if entries:
                yield entries
            else:
                self._drop(segment)

    async def _gone_through(self, segment: _Segment) -> list[Entry]:
        try:
            entries, segment.damaged = await asyncio.to_thread(
                _scan, self._path(segment.number), segment.number
            )
        except OSError as error:
            raise StoreUnavailable(f"the inbox cannot be read: {error}") from error
        return entries

    @property
    def damaged(self) -> list[Path]:
        """Files in which a record could not be read though later ones could: the disk has lost something."""
        return [self._path(segment.number) for segment in list(self._segments.values()) if segment.damaged]

    @property
    def has_damaged(self) -> bool:
        """Whether there are such files, of this process or of an earlier one."""
        return bool(self.damaged) or any(self._folder.glob("*.damaged"))

    def _rotate(self) -> None:
        """Start a new segment file and make its name durable."""
        number = max(self._segments, default=0) + 1
        path = self._path(number)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            os.close(fd)
            with contextlib.suppress(OSError):
                path.unlink()  # or the next attempt would find its name taken
            raise
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        self._broken = False
        self._active = _Segment(number)
        self._segments[number] = self._active

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}.journal"

    # -- writing -----------------------------------------------------------------------------------------

    async def append(self, body: bytes, then: Callable[[Entry], None]) -> None:
        """Return once `body` would survive a power cut.

        `then` is called on the event loop at that moment, in order of position, even if the caller has been
        cancelled meanwhile. InboxFull and StoreUnavailable mean that nothing was kept.
        """
        if self._closing:
            raise StoreUnavailable("the server is stopping; send again to the one that takes its place")
        self._refuse_when_full(_HEADER.size + len(body))
        assert self._loop is not None
        waiting = _Waiting(body, self.next_position(), self._loop.create_future(), then)
        self._outstanding += 1
        self._queued += len(body)
        with self._wake:
            self._queue.append(waiting)
            self._wake.notify()
        await waiting.durable

    def next_position(self) -> int:
        """A position of its own for a change that is made in the run store directly: a deletion."""
        self._last_position = max(self._last_position + 1, time.time_ns() // 1000)
        return self._last_position

    def _refuse_when_full(self, size: int) -> None:
        if self.bytes + self._queued + size > self._max_bytes:
            raise InboxFull(
                f"the inbox holds {self.bytes + self._queued} bytes that wait for the run store "
                "(limit STENOGRAPH_INBOX_MAX_BYTES); try again shortly"
            )
        now = time.monotonic()
        if now - self._free_checked > 1:
            try:
                disk = os.statvfs(self._folder)
            except OSError as error:
                raise StoreUnavailable(
                    f"the inbox at {self._folder} cannot be reached ({error.strerror})"
                ) from error
            self._free, self._free_checked = disk.f_bavail * disk.f_frsize, now
        if self._free - size < self._min_free_bytes:
            raise StoreUnavailable(
                f"the disk of the data folder has {self._free} bytes left, less than "
                "STENOGRAPH_MIN_FREE_DISK_BYTES keeps free; make room and send again"
            )

    def _write_loop(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return
                batch, self._queue = self._queue, []
            try:
                entries = self._write(batch)
            except Exception as error:  # a writer that ended would leave every client waiting
                self._tell(self._failed, batch, error)
            else:
                self._tell(self._written, batch, entries)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _write(self, batch: list[_Waiting]) -> list[Entry]:
        """Write and sync a batch; on failure cut the file back to what was good."""
        if self._broken or self._active.size >= self._segment_bytes:
            self._rotate()
        segment, start = self._active, self._active.size
        buffers: list[bytes] = []
        entries = []
        at = start
        for waiting in batch:
            position = _POSITION.pack(waiting.position)
            check = zlib.crc32(waiting.body, zlib.crc32(position))
            buffers += (_HEADER.pack(len(waiting.body), check, waiting.position), waiting.body)
            entries.append(Entry(waiting.position, segment.number, at + _HEADER.size, len(waiting.body)))
            at += _HEADER.size + len(waiting.body)
        try:
            _write_all(self._fd, buffers, start)
            os.fdatasync(self._fd)
        except Exception:
            # After a failed sync the kernel may have dropped the pages: never write to this file again.
            self._broken = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, start)
            raise
        segment.size = at
        segment.synced += len(batch)
        return entries

    def _written(self, batch: list[_Waiting], entries: list[Entry]) -> None:
        self._finished_with(batch)
        segment = self._segments[entries[0].segment]
        segment.live += len(batch)
        segment.reported += len(batch)
        segment.oldest = segment.oldest or time.time()
        self._sweep()
        for waiting, entry in zip(batch, entries, strict=True):
            try:
                waiting.then(entry)
            except Exception as error:  # it goes to whose record it is; the others go on
                if not waiting.durable.done():
                    waiting.durable.set_exception(error)
            else:
                if not waiting.durable.done():
                    waiting.durable.set_result(None)

    def _failed(self, batch: list[_Waiting], error: Exception) -> None:
        self._finished_with(batch)
        self._sweep()
        reason = getattr(error, "strerror", None) or error
        for waiting in batch:
            if not waiting.durable.done():
                waiting.durable.set_exception(
                    StoreUnavailable(f"the inbox cannot be written ({reason}); nothing was kept")
                )

    def _finished_with(self, batch: list[_Waiting]) -> None:
        self._outstanding -= len(batch)
        self._queued -= sum(len(waiting.body) for waiting in batch)

    def _sweep(self) -> None:
        """Drop files left empty when the writer went on to the next."""
        for segment in list(self._segments.values()):
            if segment is not self._active and segment.free:
                self._drop(segment)

    # -- afterwards --------------------------------------------------------------------------------------

    def read(self, entry: Entry) -> bytes:
        """A record's body again, while it has not been released."""
        try:
            with self._path(entry.segment).open("rb") as file:
                file.seek(entry.offset)
                body = file.read(entry.length)
        except OSError as error:
            raise StoreUnavailable(f"the inbox cannot be read: {error}") from error
        if len(body) < entry.length:
            raise StoreUnavailable(
                f"the inbox cannot be read: {self._path(entry.segment)} has been cut short"
            )
        return body

    def release(self, segment_number: int) -> None:
        """One record of this segment is now in the run store. The last one takes the file with it."""
        segment = self._segments[segment_number]
        segment.live -= 1
        if segment.free:
            self._drop(segment)

    def _drop(self, segment: _Segment) -> None:
        """Free the space of a segment without live records, unless the writer may be at it."""
        if segment is not self._active:
            del self._segments[segment.number]
            path = self._path(segment.number)
            with contextlib.suppress(OSError):
                if segment.damaged:
                    path.rename(path.with_suffix(".damaged"))
                else:
                    path.unlink()
        elif self._outstanding == 0 and self._active.size:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
                self._active.size, self._active.oldest = 0, 0.0

    @property
    def bytes(self) -> int:
        return sum(segment.size for segment in list(self._segments.values()))

    @property
    def age(self) -> float:
        """Seconds since the oldest record that still waits was written; 0 when none does."""
        oldest = [segment.oldest for segment in list(self._segments.values()) if segment.live]
        return max(0.0, time.time() - min(oldest)) if oldest else 0.0

    async def close(self) -> None:
        """Sync what is queued and stop. Files with live records stay for the next process."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            os.close(self._fd)
            if self._active.free:
                with contextlib.suppress(OSError):
                    self._path(self._active.number).unlink()


def _write_all(fd: int, buffers: list[bytes], offset: int) -> None:
    """Write every byte at `offset`, however the kernel cuts it up."""
    for at in range(0, len(buffers), 1000):  # IOV_MAX is 1024
        views = [memoryview(buffer) for buffer in buffers[at : at + 1000]]
        while views:
            done = os.pwritev(fd, views, offset)
            offset += done
            while views and done >= len(views[0]):
                done -= len(views.pop(0))
            if done:
                views[0] = views[0][done:]


def _scan(path: Path, number: int) -> tuple[list[Entry], bool]:
    """The intact records of a segment file, and whether a damaged one lies before an intact one.

    Passing over a damaged record takes its length on trust, which is why it counts only if another follows.
    """
    found: list[Entry] = []
    bad = damaged = False
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + _HEADER.size <= size:
            length, check, position = _HEADER.unpack(file.read(_HEADER.size))
            if length == 0 or at + _HEADER.size + length > size:
                break
            body = file.read(length)
            if zlib.crc32(body, zlib.crc32(_POSITION.pack(position))) == check:
                found.append(Entry(position, number, at + _HEADER.size, length))
                damaged = bad
            else:
                bad = True
            at += _HEADER.size + length
    return found, damaged
