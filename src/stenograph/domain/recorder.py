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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import msgspec
import structlog

from stenograph.domain.derive import derive
from stenograph.domain.prices import PriceBook
from stenograph.errors import InboxFull, Overloaded, StoreUnavailable
from stenograph.model.dead_letters import DeadLetter
from stenograph.model.feedback import Feedback
from stenograph.model.runs import Run, RunPatch, merge
from stenograph.observability import Metrics, Refusal
from stenograph.store.api import DeadLetters, RejectedRows, RunStore
from stenograph.store.inbox import Entry, Inbox
from stenograph.store.pending import Batch, Pending, PendingRun, Record
from stenograph.store.seen import SeenIds

log = structlog.get_logger("stenograph.recorder")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[RunPatch | Feedback]).decode


@dataclass(frozen=True, slots=True)
class Pace:
    """When to write: after so many runs or seconds; how long an open run waits for its update."""

    flush_runs: int
    flush_seconds: float
    hold_open_seconds: float
    pending_bytes: int
    settle_seconds: float


class Recorder:
    """One a process. Everything but the flush's CPU work happens on one event loop."""

    def __init__(
        self,
        inbox: Inbox,
        store: RunStore,
        dead_letters: DeadLetters,
        prices: PriceBook,
        metrics: Metrics,
        pace: Pace,
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._dead_letters = dead_letters
        self._prices = prices
        self._metrics = metrics
        self._pace = pace
        self.pending = Pending(clean_bytes=pace.pending_bytes // 4)
        self._seen = SeenIds()
        self._backlog: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self._readers: list[tuple[UUID, asyncio.Future[None]]] = []
        self._stopping = False
        self._flushed_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._last_failure: StoreUnavailable | None = None

    # -- life --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier process acknowledged and did not write."""
        newest = await self._store.newest_version()
        self._backlog.extend(self._inbox.open(after=newest))
        if self._backlog:
            log.info("replaying the inbox", records=len(self._backlog), bytes=self._inbox.bytes)
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._learn_ids())]

    async def _learn_ids(self) -> None:
        """Fill the filter of known ids; until then every run is looked up."""
        while not self._stopping:
            try:
                async for ids in self._store.run_ids():
                    await asyncio.to_thread(self._seen.add, [run_id.int for run_id in ids])
            except StoreUnavailable:
                await asyncio.sleep(1)
            else:
                self._seen.ready = True
                return

    async def stop(self) -> None:
        """Write everything that is pending, then stop. What cannot be written stays in the inbox."""
        self._stopping = True
        self._wake.set()
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
        if self._backlog or self.pending.bytes > self._pace.pending_bytes:
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

    def _read_backlog(self) -> None:
        """Load waiting records while there is memory for them."""
        while self._backlog and self.pending.bytes < self._pace.pending_bytes // 2:
            entry = self._backlog.popleft()
            items = _decode(self._inbox.read(entry))
            self._take_in(
                [item for item in items if isinstance(item, RunPatch)],
                [item for item in items if isinstance(item, Feedback)],
                entry,
            )

    # -- the read barrier --------------------------------------------------------------------------------

    async def settle(self, workspace: UUID) -> None:
        """Return once all that was acknowledged for this workspace is in the run store.

        StoreUnavailable when the store does not take it, or not in time.
        """
        if not self._backlog and not self.pending.unsaved(workspace):
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers.append((workspace, waiting))
        self._wake.set()
        try:
            async with asyncio.timeout(self._pace.settle_seconds):
                await waiting
        except TimeoutError:
            raise StoreUnavailable(
                "runs that were acknowledged are still being written; try again shortly", retry_after=2
            ) from None

    def _answer_readers(self, failure: StoreUnavailable | None = None) -> None:
        """Let go the readers whose data has arrived, or all of them with the failure."""
        still = []
        for workspace, waiting in self._readers:
            if waiting.done():
                continue
            if failure is not None:
                waiting.set_exception(failure)
            elif self._backlog or self.pending.unsaved(workspace):
                still.append((workspace, waiting))
            else:
                waiting.set_result(None)
        self._readers = still

    # -- out ---------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        pause = 0.5
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
            except StoreUnavailable as failure:
                log.warning("the run store is not taking runs", error=failure.message[:500])
                self._answer_readers(failure)
                if self._stopping:
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10)
            except Exception:
                log.exception("a flush failed")
                await asyncio.sleep(pause)
            else:
                pause = 0.5
                self._answer_readers()

    def _more_to_do(self) -> bool:
        return bool(
            self.pending.due >= self._pace.flush_runs
            or self._readers
            or (self._backlog and self.pending.bytes < self._pace.pending_bytes // 2)
            or (self._stopping and (self.pending.runs or self.pending.due))
        )

    async def _flush(self) -> None:
        """Write what is due: everything when a reader waits or memory is short, else what is finished."""
        self._read_backlog()
        everything = bool(self._readers) or self._stopping or self.pending.bytes > self._pace.pending_bytes
        now = time.monotonic()
        open_since = now if everything else now - self._pace.hold_open_seconds
        while batch := self.pending.take(2 * self._pace.flush_runs, open_since=open_since):
            started = time.monotonic()
            try:
                rows = await self._write(batch)
            except BaseException:
                self.pending.give_back(batch)
                raise
            self.pending.written(batch, rows)
            self._metrics.flushed(len(batch.runs) + len(batch.feedback), time.monotonic() - started)
            if self._backlog:
                self._read_backlog()
        self._flushed_at = time.monotonic()

    async def _write(self, batch: Batch) -> list[tuple[PendingRun, Run | None]]:
        await self._prices.load({UUID(int=run.key[0]) for run in batch.runs})
        await self._load_bases(batch.runs)
        rows, refused = await asyncio.to_thread(self._derive, batch.runs)
        feedback = [item for item, _ in batch.feedback]
        gone = [row for _, row, moved in rows if row is not None for row in moved]
        refused += await self._insert([row for _, row, _ in rows if row is not None] + gone, feedback)
        if refused:
            await self._dead_letters.bury(refused)
        self._metrics.dead_lettered("run", len(refused))
        self._metrics.stored("run", len(batch.runs))
        self._metrics.stored("feedback", len(feedback))
        lost = {letter.subject_id for letter in refused}
        await asyncio.to_thread(
            self._seen.add, [row.id.int for _, row, _ in rows if row is not None and row.id not in lost]
        )
        return [(run, None if row is None or row.id in lost else row) for run, row, _ in rows]

    async def _load_bases(self, runs: Sequence[PendingRun]) -> None:
        """Fetch the stored row of runs that may have one and do not have it in memory."""
        without = [run for run in runs if run.base is None]
        maybe = await asyncio.to_thread(self._seen.maybe, [run.key[1] for run in without])
        wanted = [run for run, known in zip(without, maybe, strict=True) if known]
        if not wanted:
            return
        ids = [(UUID(int=run.key[0]), UUID(int=run.key[1])) for run in wanted]
        found = await self._store.stored(ids)
        for run, key in zip(wanted, ids, strict=True):
            run.base = found.get(key)

    def _derive(
        self, runs: Sequence[PendingRun]
    ) -> tuple[list[tuple[PendingRun, Run | None, list[Run]]], list[DeadLetter]]:
        """Each run with its row, and tombstones for rows whose place in the table it leaves.

        A row is None when there is nothing to write: the run was deleted, or it is a dead letter.
        """
        rows: list[tuple[PendingRun, Run | None, list[Run]]] = []
        refused: list[DeadLetter] = []
        for run in runs:
            try:
                row, moved = self._row(run)
            except Exception as error:  # noqa: BLE001 - whatever one run does, the others go on
                log.exception("a run cannot be derived", run=str(UUID(int=run.key[1])))
                refused.append(self._letter(run, f"cannot be derived: {error}"))
                row, moved = None, []
            rows.append((run, row, moved))
        return rows, refused

    def _row(self, run: PendingRun) -> tuple[Run | None, list[Run]]:
        base = run.base
        if base is not None and base.deleted:
            base = None
            if not any(patch.create for patch in run.patches[: run.taken]):
                return None, []
        version = run.version
        patches = [
            patch
            for patch, record in zip(run.patches[: run.taken], run.records, strict=False)
            if base is None or record.position > base.version
        ]
        if not patches and base is not None:
            return base, []  # replayed: the store has it all
        facts = merge(base, patches)
        row = derive(facts, version, self._prices.of(UUID(int=run.key[0])))
        if base is not None and _place(base) != _place(row):
            return row, [msgspec.structs.replace(_bare(base), version=version - 1)]
        return row, []

    def _letter(self, run: PendingRun, reason: str) -> DeadLetter:
        return _letter(UUID(int=run.key[0]), "run", UUID(int=run.key[1]), reason, run.patches[: run.taken])

    async def _insert(self, rows: Sequence[Run], feedback: Sequence[Feedback]) -> list[DeadLetter]:
        """Insert; halve a batch that the engine refuses until the rows at fault stand alone."""
        try:
            await self._store.write(rows, feedback)
        except RejectedRows as refusal:
            if len(rows) + len(feedback) == 1:
                item: Run | Feedback = rows[0] if rows else feedback[0]
                kind = "run" if rows else "feedback"
                return [_letter(item.workspace, kind, item.id, str(refusal)[:2000], [item])]
            half, part = len(rows) // 2, len(feedback) // 2
            if len(rows) == 1 or len(feedback) == 1:
                half, part = (len(rows), 0) if feedback else (half, part)
            return [
                *await self._insert(rows[:half], feedback[:part]),
                *await self._insert(rows[half:], feedback[part:]),
            ]
        return []


def _letter(workspace: UUID, kind: str, subject: UUID, reason: str, record: object) -> DeadLetter:
    return DeadLetter(
        id=uuid4(),
        workspace=workspace,
        kind=kind,
        subject_id=subject,
        reason=reason,
        record=_encode(record),
        created_at=time.time_ns() // 1000,
    )


def _place(run: Run) -> tuple[UUID, bool, int]:
    """The part of the table's sort key that can change between two versions of a run."""
    return run.project_id, run.is_root, run.start_time


def _bare(run: Run) -> Run:
    """The key of a row, marked as deleted."""
    return Run(
        workspace=run.workspace,
        id=run.id,
        project_id=run.project_id,
        trace_id=run.trace_id,
        start_time=run.start_time,
        is_root=run.is_root,
        deleted=True,
    )
