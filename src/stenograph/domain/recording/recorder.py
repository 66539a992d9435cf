"""The recorder: takes in what was checked, makes it durable, merges it, writes it to the run store.

    accept -> inbox (fsync) -> acknowledged -> pending -> flush: load bases, merge, derive, write -> released
                                    |                                            |
                                    +-- memory full: backlog, read back later    +-- refused rows: dead letters

Readers call `settle` first: it returns once everything acknowledged before it is in the run store.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.recording.batch_writer import BatchWriter
from stenograph.domain.usage.prices import PriceBook
from stenograph.errors import InboxFull, Overloaded, StoreUnavailable
from stenograph.model.feedback import Feedback
from stenograph.model.query import RunSelection
from stenograph.model.runs import Run, RunPatch
from stenograph.observability import Metrics, Refusal
from stenograph.store.api import MetaStore, RunStore
from stenograph.store.inbox import Entry, Inbox
from stenograph.store.pending import Pending, Record

log = structlog.get_logger("stenograph.recorder")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[RunPatch | Feedback]).decode


class Follower(Protocol):
    """Someone who must hear of every run that is written, whatever happens to this process."""

    async def stored(self, runs: Iterable[Run]) -> None:
        """These have just been written, whole. The inbox forgets them once this returns; when it raises, or the
        process ends before, they are written and told of again."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Someone who waits until what was acknowledged up to a position is in the run store."""

    workspace: UUID
    position: int
    arrived: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Pace:
    """When to write: after so many runs or seconds; how long an open run waits for its update."""

    flush_runs: int
    flush_seconds: float
    hold_open_seconds: float
    pending_bytes: int
    settle_seconds: float


_PAUSE: Final = 0.5
"""Seconds before a write that failed is tried again; doubled with each failure, up to twenty times as long.

A reader does not wait for more than the first.
"""


class Recorder:
    """One a process. Everything but the flush's CPU work happens on one event loop."""

    def __init__(
        self,
        inbox: Inbox,
        store: RunStore,
        meta: MetaStore,
        prices: PriceBook,
        metrics: Metrics,
        pace: Pace,
        follower: Follower | None = None,
    ) -> None:
        self._follower = follower
        self._inbox = inbox
        self._store = store
        self._batches = BatchWriter(store, meta, prices, metrics)
        self._metrics = metrics
        self._pace = pace
        self.pending = Pending(clean_bytes=pace.pending_bytes // 4)
        self.deleted = self._batches.deleted
        self._seen = self._batches.seen
        self._backlog: deque[Entry] = deque()
        self._after: deque[Entry] = (
            deque()
        )  # accepted while the inbox is still being read: behind the backlog
        self._reading: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._asked = asyncio.Event()
        self._flushes = 0
        self._newest = 0  # the position of what was acknowledged last
        self._readers: list[_Reader] = []
        self._writing = asyncio.Lock()
        self._batch_runs = 2 * pace.flush_runs
        self._pause = _PAUSE
        self._stopping = False
        self._flushed_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    # -- life --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier process acknowledged and did not write."""
        newest = await self._store.newest_version()
        await self._batches.filing.load()
        self._inbox.open(after=newest)
        self._newest = self._inbox.last_position
        self._tasks = [
            asyncio.create_task(self._run()),
            asyncio.create_task(self._learn_ids()),
        ]
        if not self._inbox.is_read:
            log.info("replaying the inbox", bytes=self._inbox.bytes)
            self._reading = asyncio.create_task(self._read_what_was_left())

    async def _read_what_was_left(self) -> None:
        """Fill the backlog, a file of the inbox at a time; what is accepted meanwhile comes after it all."""
        records = 0
        while not self._inbox.is_read:
            try:
                async for entries in self._inbox.left():
                    records += len(entries)
                    self._backlog.extend(entries)
                    self._wake.set()
            except StoreUnavailable as trouble:
                log.warning("what was acknowledged before the start waits", reason=trouble.message[:500])
                await asyncio.sleep(_PAUSE)
            except Exception:
                log.exception("what was acknowledged before the start cannot be read")
                await asyncio.sleep(20 * _PAUSE)
        for path in self._inbox.damaged:
            log.error("a record of the inbox cannot be read; its file will be kept", path=str(path))
        self._backlog.extend(self._after)
        self._after.clear()
        self._wake.set()
        log.info("read what the inbox held", records=records)

    async def _learn_ids(self) -> None:
        """Fill the filter of known ids; until then every run is looked up."""
        while not self._stopping:
            try:
                async for ids in self._store.known_ids():
                    await asyncio.to_thread(self._seen.add, [known.int for known in ids])
            except StoreUnavailable:
                await asyncio.sleep(1)
            except Exception:
                log.exception("the known ids cannot be read; every run will be looked up")
                return
            else:
                self._seen.ready = True
                return

    async def stop(self) -> None:
        """Write everything that is pending, then stop. What cannot be written stays in the inbox."""
        self._stopping = True
        if self._reading is not None:  # what it has not come to stays in the inbox
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        self._wake.set()
        self._asked.set()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._inbox.close()

    # -- in ----------------------------------------------------------------------------------------------

    async def accept(self, patches: Sequence[RunPatch], feedback: Sequence[Feedback]) -> None:
        """Return once all of it would survive a power cut. Overloaded when nothing was kept."""
        if not patches and not feedback:
            return
        body = _encode([*patches, *feedback])
        try:
            await self._inbox.append(body, partial(self._durable, patches, feedback))
        except Overloaded as refusal:
            reason: Refusal = "inbox_full" if isinstance(refusal, InboxFull) else "unavailable"
            self._metrics.refused("run", reason, len(patches))
            self._metrics.refused("feedback", reason, len(feedback))
            raise
        self._metrics.accepted("run", len(patches))
        self._metrics.accepted("feedback", len(feedback))

    def _durable(self, patches: Sequence[RunPatch], feedback: Sequence[Feedback], entry: Entry) -> None:
        self._newest = entry.position
        if not self._inbox.is_read or self._after:
            self._after.append(entry)
        elif self._backlog or self.pending.bytes > self._pace.pending_bytes:
            self._backlog.append(entry)  # older records come first: this one is read back in its turn
        else:
            self._take_in(patches, feedback, entry)
        if self.pending.due >= self._pace.flush_runs or self._idle:
            self._wake.set()

    @property
    def _idle(self) -> bool:
        return time.monotonic() - self._flushed_at > self._pace.flush_seconds

    def _take_in(self, patches: Sequence[RunPatch], feedback: Sequence[Feedback], entry: Entry) -> None:
        record = Record(
            entry.position,
            len(patches) + len(feedback),
            partial(self._inbox.release, entry.segment),
        )
        if feedback:
            feedback = [msgspec.structs.replace(item, version=entry.position) for item in feedback]
        self.pending.add(patches, feedback, record)

    async def _read_backlog(self) -> None:
        """Load waiting records while there is memory for them. One leaves the backlog only once it is loaded."""
        while self._backlog and self._has_room:
            entry = self._backlog[0]
            body = self._inbox.read(entry)
            try:
                items = _decode(body)
            except msgspec.DecodeError as error:
                log.exception("a record of the inbox cannot be decoded", position=entry.position)
                reason = f"cannot be decoded: {error}"
                await self._batches.bury_unreadable(entry.position, body, reason)
                self._backlog.popleft()
                self._inbox.release(entry.segment)
                continue
            self._backlog.popleft()
            self._take_in(
                [item for item in items if isinstance(item, RunPatch)],
                [item for item in items if isinstance(item, Feedback)],
                entry,
            )

    @property
    def _has_room(self) -> bool:
        return self.pending.bytes < self._pace.pending_bytes // 2

    @property
    def has_unreadable(self) -> bool:
        """Whether something was acknowledged that lies in the inbox and cannot be read."""
        return self._inbox.has_damaged

    @property
    def _has_backlog(self) -> bool:
        """Whether records wait outside of memory, or may."""
        return bool(self._backlog or self._after) or not self._inbox.is_read

    def may_be_stored(self, run_id: UUID) -> bool:
        """Whether the run store may hold this id, in whatever workspace; no is certain."""
        return self._seen.maybe([run_id.int])[0]

    # -- what others follow ------------------------------------------------------------------------------

    def next_position(self) -> int:
        """A position beyond those of all that was acknowledged before the call."""
        return self._inbox.next_position()

    @property
    def flushes(self) -> int:
        """How many batches were written since the start: unchanged, nothing new is in the run store."""
        return self._flushes

    def written_to(self, workspaces: Iterable[UUID]) -> dict[UUID, int]:
        """For each of these the position up to which all that was acknowledged for it is in the run store.

        Something of what came later may be there, too. 0 where nothing was acknowledged since the start.
        """
        end = self._newest + 1
        unread = self._backlog[0].position if self._backlog else end
        waiting = self.pending.oldest()
        return {workspace: min(end, unread, waiting.get(workspace.int, end)) - 1 for workspace in workspaces}

    # -- the read barrier --------------------------------------------------------------------------------

    async def settle(self, workspace: UUID) -> None:
        """Return once all that was acknowledged for this workspace before the call is in the run store.

        StoreUnavailable when the store does not take it, or not in time.
        """
        if not self._has_backlog and not self.pending.unsaved(workspace):
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers.append(_Reader(workspace, self._newest, waiting))
        self._wake.set()
        self._asked.set()
        try:
            async with asyncio.timeout(self._pace.settle_seconds):
                await waiting
        except TimeoutError:
            raise StoreUnavailable(
                "runs that were acknowledged are still being written; try again shortly", retry_after=2
            ) from None

    def _answer_readers(self, failure: StoreUnavailable | None = None) -> None:
        """Let go the readers whose data has arrived, or all of them with the failure.

        What came after a reader does not hold it up, or reads would never return while writes go on.
        """
        waiting = [reader for reader in self._readers if not reader.arrived.done()]
        oldest = self.pending.oldest() if waiting else {}
        unread: int | None = None
        if self._backlog:
            unread = self._backlog[0].position
        elif self._has_backlog:
            unread = 1  # nobody knows how old what follows is
        self._readers = []
        for reader in waiting:
            first = min((at for at in (oldest.get(reader.workspace.int), unread) if at), default=None)
            if failure is not None:
                reader.arrived.set_exception(failure)
            elif first is not None and first <= reader.position:
                self._readers.append(reader)
            else:
                reader.arrived.set_result(None)

    # -- deletion ----------------------------------------------------------------------------------------

    async def delete(self, selection: RunSelection) -> list[UUID]:
        """Delete stored runs and their feedback; returns their ids. See RunStore.delete.

        Between two flushes, at a position of its own: a late update of such a run finds it deleted.
        """
        async with self._writing:
            gone = await self._store.delete(selection, self._inbox.next_position())
            self.pending.forget(selection.workspace, gone)
        return gone

    # -- out ---------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            if not self._more_to_do():
                if self._stopping:
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pace.flush_seconds):
                        await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
            except Exception as error:
                if isinstance(error, StoreUnavailable):
                    failure = error
                    log.warning("the run store is not taking runs", error=failure.message[:500])
                else:
                    failure = StoreUnavailable(
                        "acknowledged runs cannot be written; the server's log says why"
                    )
                    log.exception("a flush failed")
                self._answer_readers(failure)
                if self._stopping:
                    return
                await self._rest()
            else:
                self._answer_readers()

    async def _rest(self) -> None:
        """Leave the run store alone for a while after a failure."""
        self._asked.clear()
        await asyncio.sleep(_PAUSE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause - _PAUSE):
                await self._asked.wait()
        self._pause = min(self._pause * 2, 20 * _PAUSE)

    @property
    def _pressed(self) -> bool:
        """Whether everything has to go, what is still open too: a reader waits, or memory is short."""
        return (
            bool(self._readers)
            or self._stopping
            or self.pending.bytes > self._pace.pending_bytes
            or (bool(self._backlog) and not self._has_room)
        )

    def _more_to_do(self) -> bool:
        in_memory = self.pending.runs or self.pending.due or self._backlog
        return bool(
            self.pending.due >= self._pace.flush_runs
            or (
                self._readers and (in_memory or not self._has_backlog)
            )  # else it is on its way from the inbox
            or (self._backlog and self._has_room)
            or (self._pressed and (self.pending.runs or self.pending.due))
        )

    async def _flush(self) -> None:
        """Write what is due: everything when a reader waits or memory is short, else what is finished."""
        while True:
            await self._read_backlog()
            now = time.monotonic()
            open_since = now if self._pressed else now - self._pace.hold_open_seconds
            async with self._writing:
                batch = self.pending.take(self._batch_runs, open_since=open_since)
                if not batch:
                    break
                try:
                    rows = await self._batches.write(batch)
                    if self._follower is not None:
                        await self._follower.stored(row for _, row in rows if row is not None)
                except BaseException:
                    self.pending.give_back(batch)
                    self._batch_runs = max(
                        1, self._batch_runs // 2
                    )  # it may be too much for the engine at once
                    raise
                self.pending.written(batch, rows)
                self._flushes += 1
            self._batch_runs = min(2 * self._batch_runs, 2 * self._pace.flush_runs)
            self._pause = _PAUSE
            self._metrics.flushed(len(batch.runs) + len(batch.feedback), time.monotonic() - now)
            self._answer_readers()
            if not self._more_to_do():
                break
        self._flushed_at = time.monotonic()
