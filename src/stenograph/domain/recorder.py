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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID, uuid5

import msgspec
import structlog

from stenograph.domain.deleted_projects import DeletedProjects
from stenograph.domain.derive import derive
from stenograph.domain.prices import PriceBook
from stenograph.errors import InboxFull, Overloaded, StoreUnavailable
from stenograph.model.dead_letters import DeadLetter
from stenograph.model.feedback import Feedback, supersede
from stenograph.model.query import RunSelection
from stenograph.model.runs import Run, RunPatch, merge
from stenograph.observability import Metrics, Refusal
from stenograph.store.api import DeadLetters, RejectedRows, RunStore
from stenograph.store.inbox import Entry, Inbox
from stenograph.store.pending import Batch, Key, Pending, PendingRun, Record
from stenograph.store.seen import SeenIds

log = structlog.get_logger("stenograph.recorder")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[RunPatch | Feedback]).decode


@dataclass(frozen=True, slots=True)
class _Derived:
    """What becomes of one run in a flush.

    `row` is how it stands in the store afterwards; None when it does not, being deleted or a dead letter. It is
    written unless it is there already (`stored`). `left` are tombstones for rows in places that it has left.
    """

    run: PendingRun
    row: Run | None
    stored: bool = False
    left: tuple[Run, ...] = ()


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
        self.deleted = DeletedProjects()
        self._seen = SeenIds()
        self._backlog: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self._asked = asyncio.Event()
        self._newest = 0  # the position of what was acknowledged last
        self._readers: list[_Reader] = []
        self._writing = asyncio.Lock()
        self._batch_runs = 2 * pace.flush_runs
        self._pause = _PAUSE
        self._stopping = False
        self._flushed_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._last_failure: StoreUnavailable | None = None

    # -- life --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier process acknowledged and did not write."""
        newest = await self._store.newest_version()
        self._backlog.extend(self._inbox.open(after=newest))
        for path in self._inbox.damaged:
            log.error("a record of the inbox cannot be read; its file will be kept", path=str(path))
        if self._backlog:
            self._newest = self._backlog[-1].position
            log.info("replaying the inbox", records=len(self._backlog), bytes=self._inbox.bytes)
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._learn_ids())]

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
                await self._bury([_letter(_NOBODY, "record", _NOBODY, entry.position, reason, body)])
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

    # -- the read barrier --------------------------------------------------------------------------------

    async def settle(self, workspace: UUID) -> None:
        """Return once all that was acknowledged for this workspace before the call is in the run store.

        StoreUnavailable when the store does not take it, or not in time.
        """
        if not self._backlog and not self.pending.unsaved(workspace):
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
        unread = self._backlog[0].position if self._backlog else None
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
        return bool(
            self.pending.due >= self._pace.flush_runs
            or self._readers
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
                    rows = await self._write(batch)
                except BaseException:
                    self.pending.give_back(batch)
                    self._batch_runs = max(
                        1, self._batch_runs // 2
                    )  # it may be too much for the engine at once
                    raise
                self.pending.written(batch, rows)
            self._batch_runs = min(2 * self._batch_runs, 2 * self._pace.flush_runs)
            self._pause = _PAUSE
            self._metrics.flushed(len(batch.runs) + len(batch.feedback), time.monotonic() - now)
            self._answer_readers()
            if not self._more_to_do():
                break
        self._flushed_at = time.monotonic()

    async def _write(self, batch: Batch) -> list[tuple[PendingRun, Run | None]]:
        """Have the batch in the run store, or in the dead letters; returns each run with its row there."""
        await self._prices.load({UUID(int=run.key[0]) for run in batch.runs})
        strays = await self._load_bases(batch.runs)
        derived, letters = await asyncio.to_thread(self._derive, batch.runs, strays)
        feedback = await self._feedback_rows(
            [item for item, _ in batch.feedback if not self.deleted.closed(item.workspace, item.project_id)]
        )
        rows = [one.row for one in derived if one.row is not None and not one.stored]
        refused = await self._insert(rows, feedback)
        lost = {(item.workspace, item.id) for item, _ in refused}
        kept = [one for one in derived if one.row is not None and (one.row.workspace, one.row.id) not in lost]
        # A crash in between leaves two rows of a run, which its replay finds; the other way round it leaves none.
        if left := [row for one in kept for row in one.left]:
            await self._store.write(left, [])
        letters += self._letters(derived, refused)
        await self._bury(letters)
        self._metrics.stored("run", len(kept))
        self._metrics.stored(
            "feedback", len(batch.feedback) - sum(isinstance(it, Feedback) for it, _ in refused)
        )
        written = [one.run.key[1] for one in kept]
        written += [item.id.int for item in feedback if (item.workspace, item.id) not in lost]
        await asyncio.to_thread(self._seen.add, written)
        stands = {one.run.key: one.row for one in kept}
        return [(run, stands.get(run.key)) for run in batch.runs]

    async def _load_bases(self, runs: Sequence[PendingRun]) -> dict[Key, list[Run]]:
        """Fetch the stored row of runs that may have one and do not have it in memory.

        Returns, for runs that are replayed after a crash, rows that the crash left in places they had moved from.
        """
        without = [run for run in runs if run.base is None]
        maybe = await asyncio.to_thread(self._seen.maybe, [run.key[1] for run in without])
        wanted = [run for run, known in zip(without, maybe, strict=True) if known]
        if not wanted:
            return {}
        ids = [(UUID(int=run.key[0]), UUID(int=run.key[1])) for run in wanted]
        found = await self._store.stored(ids)
        replayed: list[Run] = []
        for run, key in zip(wanted, ids, strict=True):
            run.base = base = found.get(key)
            if base is not None and not base.deleted and run.records[0].position <= base.version:
                replayed.append(base)
        strays: dict[Key, list[Run]] = {}
        for stray in await self._store.strays(replayed) if replayed else ():
            strays.setdefault((stray.workspace.int, stray.id.int), []).append(stray)
        return strays

    async def _feedback_rows(self, items: Sequence[Feedback]) -> list[Feedback]:
        """The rows for these pieces, each put in the place of what is stored under its id."""
        maybe = await asyncio.to_thread(self._seen.maybe, [item.id.int for item in items])
        known = {(item.workspace, item.id) for item, stored in zip(items, maybe, strict=True) if stored}
        return supersede(await self._store.stored_feedback(list(known)) if known else {}, items)

    def _derive(
        self, runs: Sequence[PendingRun], strays: Mapping[Key, Sequence[Run]]
    ) -> tuple[list[_Derived], list[DeadLetter]]:
        """What becomes of each run, and dead letters for those of which nothing can."""
        derived: list[_Derived] = []
        letters: list[DeadLetter] = []
        for run in runs:
            try:
                derived.append(self._row(run, strays.get(run.key, ())))
            except Exception as error:  # whatever one run does, the others go on
                log.exception("a run cannot be derived", run=str(UUID(int=run.key[1])))
                letters.append(_run_letter(run, f"cannot be derived: {error}"))
        return derived, letters

    def _row(self, run: PendingRun, strays: Sequence[Run]) -> _Derived:
        base = run.base
        known = base.version if base is not None else 0
        patches = [
            patch
            for patch, record in zip(run.patches[: run.taken], run.records, strict=False)
            if record.position > known  # the others are replayed: they are in `base`, or were deleted with it
        ]
        if base is not None and base.deleted:
            if not any(patch.create for patch in patches):
                return _Derived(run, None)
            base = None
        if base is not None and not patches:
            left = tuple(_bare(stray, known - 1) for stray in strays)
            return _Derived(run, base, stored=True, left=left)
        row = derive(merge(base, patches), run.version, self._prices.of(UUID(int=run.key[0])))
        if self.deleted.closed(row.workspace, row.project_id):
            return _Derived(run, None)  # acknowledged before its project was deleted
        former = [base, *strays] if base is not None else []
        return _Derived(
            run, row, left=tuple(_bare(old, row.version - 1) for old in former if _place(old) != _place(row))
        )

    def _letters(
        self, derived: Sequence[_Derived], refused: Sequence[tuple[Run | Feedback, str]]
    ) -> list[DeadLetter]:
        """What the run store refused, as it stood in the inbox, so that it can be sent in again."""
        runs = {(one.row.workspace, one.row.id): one.run for one in derived if one.row is not None}
        return [
            _run_letter(runs[item.workspace, item.id], reason)
            if isinstance(item, Run)
            else _letter(item.workspace, "feedback", item.id, item.version, reason, _encode([item]))
            for item, reason in refused
        ]

    async def _bury(self, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        await self._dead_letters.bury(letters)
        feedback = sum(letter.kind == "feedback" for letter in letters)
        self._metrics.dead_lettered("feedback", feedback)
        self._metrics.dead_lettered("run", len(letters) - feedback)

    async def _insert(
        self, rows: Sequence[Run], feedback: Sequence[Feedback]
    ) -> list[tuple[Run | Feedback, str]]:
        """Insert; halve a batch that the engine refuses until the rows at fault stand alone: these are returned."""
        if not rows and not feedback:
            return []
        try:
            await self._store.write(rows, feedback)
        except RejectedRows as refusal:
            if len(rows) + len(feedback) == 1:
                item: Run | Feedback = rows[0] if rows else feedback[0]
                return [(item, str(refusal)[:2000])]
            if rows and feedback:
                return [*await self._insert(rows, []), *await self._insert([], feedback)]
            half, part = len(rows) // 2, len(feedback) // 2
            return [
                *await self._insert(rows[:half], feedback[:part]),
                *await self._insert(rows[half:], feedback[part:]),
            ]
        return []


_NOBODY: Final = UUID(int=0)
"""Stands for the workspace of what cannot be decoded."""


def _run_letter(run: PendingRun, reason: str) -> DeadLetter:
    workspace, run_id = UUID(int=run.key[0]), UUID(int=run.key[1])
    return _letter(workspace, "run", run_id, run.version, reason, _encode(run.patches[: run.taken]))


def _letter(
    workspace: UUID, kind: str, subject: UUID, version: int, reason: str, record: bytes
) -> DeadLetter:
    """The id follows from what is buried, so that a replay after a crash does not bury it twice."""
    return DeadLetter(
        id=uuid5(subject, f"{workspace} {kind} {version}"),
        workspace=workspace,
        kind=kind,
        subject_id=subject,
        reason=reason,
        record=record,
        created_at=time.time_ns() // 1000,
    )


def _place(run: Run) -> tuple[UUID, bool, int]:
    """The part of the table's sort key that can change between two versions of a run."""
    return run.project_id, run.is_root, run.start_time


def _bare(run: Run, version: int) -> Run:
    """A tombstone for a row: its key, marked as deleted. Lower than the row that takes its place."""
    return Run(
        workspace=run.workspace,
        id=run.id,
        project_id=run.project_id,
        trace_id=run.trace_id,
        start_time=run.start_time,
        is_root=run.is_root,
        version=version,
        deleted=True,
    )
