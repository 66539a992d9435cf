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
from collections.abc import Callable, Iterator
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
    number: int
    size: int = 0
    live: int = 0
    oldest: float = 0.0


class Inbox:
    """An append-only journal on local disk. Methods are called on one event loop."""

    def __init__(self, folder: Path, *, segment_bytes: int, max_bytes: int, min_free_bytes: int) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._segments: dict[int, _Segment] = {}
        self._queue: list[_Waiting] = []
        self._wake = threading.Condition()
        self._closing = False
        self._broken = False
        self._outstanding = 0  # appended and not yet reported back: the writer may be busy with them
        self._last_position = 0
        self._free_checked = 0.0
        self._free = 0
        self._fd = -1
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- opening -----------------------------------------------------------------------------------------

    def open(self, after: int = 0) -> list[Entry]:
        """Take the folder into use; returns what an earlier process left, oldest first.

        New positions will be higher than `after`, which is the highest one in the run store: a clock that
        was set back must not make new records look older than stored ones.
        A record cut short by a crash was never acknowledged: it and what follows it in its file is ignored.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            left: list[Entry] = []
            for path in sorted(self._folder.glob("*.journal")):
                number = int(path.stem)
                entries = list(_scan(path, number))
                if not entries:
                    path.unlink()
                    continue
                self._segments[number] = _Segment(
                    number, path.stat().st_size, len(entries), path.stat().st_mtime
                )
                left += entries
            self._last_position = max((after, *(entry.position for entry in left)))
            self._rotate()
        except OSError as error:
            raise StoreUnavailable(f"the inbox at {self._folder} cannot be opened: {error}") from error
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write_loop, name="inbox", daemon=True)
        self._thread.start()
        return left

    def _rotate(self) -> None:
        """Start a new segment file and make its name durable."""
        number = max(self._segments, default=0) + 1
        fd = os.open(self._path(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
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
        self._refuse_when_full(len(body))
        assert self._loop is not None
        self._last_position = max(self._last_position + 1, time.time_ns() // 1000)
        waiting = _Waiting(body, self._last_position, self._loop.create_future(), then)
        self._outstanding += 1
        with self._wake:
            self._queue.append(waiting)
            self._wake.notify()
        await waiting.durable

    def _refuse_when_full(self, size: int) -> None:
        if self.bytes + size > self._max_bytes:
            raise InboxFull(
                f"the inbox holds {self.bytes} bytes that wait for the run store "
                "(limit STENOGRAPH_INBOX_MAX_BYTES); try again shortly"
            )
        now = time.monotonic()
        if now - self._free_checked > 1:
            disk = os.statvfs(self._folder)
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
            except OSError as error:
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
        except OSError:
            # After a failed sync the kernel may have dropped the pages: never write to this file again.
            self._broken = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, start)
            raise
        segment.size = at
        return entries

    def _written(self, batch: list[_Waiting], entries: list[Entry]) -> None:
        self._outstanding -= len(batch)
        segment = self._segments[entries[0].segment]
        segment.live += len(batch)
        segment.oldest = segment.oldest or time.time()
        for number in [other.number for other in self._segments.values() if not other.live]:
            self._drop(number)
        for waiting, entry in zip(batch, entries, strict=True):
            waiting.then(entry)
            if not waiting.durable.done():
                waiting.durable.set_result(None)

    def _failed(self, batch: list[_Waiting], error: OSError) -> None:
        self._outstanding -= len(batch)
        for waiting in batch:
            if not waiting.durable.done():
                waiting.durable.set_exception(
                    StoreUnavailable(f"the inbox cannot be written ({error.strerror}); nothing was kept")
                )

    # -- afterwards --------------------------------------------------------------------------------------

    def read(self, entry: Entry) -> bytes:
        """A record's body again, while it has not been released."""
        try:
            with self._path(entry.segment).open("rb") as file:
                file.seek(entry.offset)
                return file.read(entry.length)
        except OSError as error:
            raise StoreUnavailable(f"the inbox cannot be read: {error}") from error

    def release(self, segment_number: int) -> None:
        """One record of this segment is now in the run store. The last one takes the file with it."""
        segment = self._segments[segment_number]
        segment.live -= 1
        if segment.live == 0:
            self._drop(segment_number)

    def _drop(self, number: int) -> None:
        """Free the space of a segment without live records, unless the writer may be at it."""
        if self._segments[number] is not self._active:
            del self._segments[number]
            with contextlib.suppress(OSError):
                self._path(number).unlink()
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
            if self._active.live == 0:
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


def _scan(path: Path, number: int) -> Iterator[Entry]:
    """The intact records of a segment file, up to the first that is not."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + _HEADER.size <= size:
            length, check, position = _HEADER.unpack(file.read(_HEADER.size))
            if at + _HEADER.size + length > size:
                return
            body = file.read(length)
            if zlib.crc32(body, zlib.crc32(_POSITION.pack(position))) != check:
                return
            yield Entry(position, number, at + _HEADER.size, length)
            at += _HEADER.size + length
