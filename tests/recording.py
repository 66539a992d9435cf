"""A recorder on the real embedded stores, in this process, with a run store that can be told to fail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from stenograph.domain.recording.recorder import Follower, Pace, Recorder
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.domain.usage.prices import PriceBook
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.feedback import Feedback
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import Run, RunPatch
from stenograph.observability import Metrics
from stenograph.store.blobs import Blobs
from stenograph.store.file_journal import FileJournal
from stenograph.store.inbox import Inbox
from stenograph.store.meta.database import Database, open_meta
from stenograph.store.runs.chdb import Chdb
from stenograph.store.runs.rows import RUN_COLUMNS
from stenograph.store.runs.store import Runs
from tests.metadata import new_metadata

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")
PROJECT, ELSEWHERE = UUID(int=0xA), UUID(int=0xB)
START = 1_750_000_000_000_000
SECOND = 1_000_000
EAGER = Pace(
    flush_runs=1000, flush_seconds=0.01, hold_open_seconds=0.0, pending_bytes=2**28, settle_seconds=30
)
PATIENT = replace(EAGER, hold_open_seconds=3600, flush_seconds=3600)
"""Writes nothing until a reader asks for it or the recorder stops."""

BeforeWrite = Callable[[Sequence[Run], Sequence[Feedback]], Awaitable[None]]


def create(run: UUID, **more: Any) -> RunPatch:
    """The create of a root run that states where it stands."""
    stated = {
        "project_id": PROJECT,
        "trace_id": run,
        "name": "step",
        "run_type": "chain",
        "start_time": START,
    }
    return patch(run, create=True, **{"inputs": b'{"q":1}', **stated, **more})


def finish(run: UUID, **more: Any) -> RunPatch:
    """The update that ends it, as clients send it: without its project."""
    return patch(run, **{"end_time": START + SECOND, "outputs": b'{"a":2}', **more})


def patch(run: UUID, *, create: bool = False, workspace: UUID = MINE, **stated: Any) -> RunPatch:
    return RunPatch(workspace=workspace, id=run, create=create, received_at=START, **stated)


def judgement(run: UUID, feedback_id: UUID | None = None, **more: Any) -> Feedback:
    fields = {"workspace": MINE, "key": "good", "created_at": START, "modified_at": START, "run_id": run}
    return Feedback(id=feedback_id or uuid4(), **{**fields, **more})


def whole(run: Run) -> bool:
    """Whether it has what `create` and `finish` said."""
    return (run.inputs, run.outputs, run.status) == (b'{"q":1}', b'{"a":2}', "success")


class Store:
    """The real run store behind a door: `before` is awaited ahead of each write, and may raise instead of it."""

    def __init__(self, real: Runs) -> None:
        self.real = real
        self.before: BeforeWrite | None = None
        self.writes: list[tuple[list[Run], list[Feedback]]] = []

    async def write(self, runs: Sequence[Run], feedback: Sequence[Feedback]) -> None:
        if self.before is not None:
            await self.before(runs, feedback)
        await self.real.write(runs, feedback)
        self.writes.append((list(runs), list(feedback)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def fail_with(self, error: Exception, when: Callable[[Sequence[Run]], bool] = lambda runs: True) -> None:
        """Raise `error` instead of each write of such runs."""

        async def refuse(runs: Sequence[Run], feedback: Sequence[Feedback]) -> None:
            if when(runs):
                raise error

        self.before = refuse


class House:
    """The stores of one data folder, and one recorder after another on them."""

    def __init__(self, folder: Path, store: Store, meta: Database) -> None:
        self.folder = folder
        self.store = store
        self.meta = meta
        self.metrics = Metrics()

    @contextlib.asynccontextmanager
    async def recorder(
        self, pace: Pace = EAGER, follower: Follower | None = None, **inbox: int
    ) -> AsyncIterator[Recorder]:
        """Stopped cleanly at the end, so that all is written; unless it was crashed."""
        options = {"segment_bytes": 2**26, "max_bytes": 2**30, "min_free_bytes": 0, **inbox}
        journal = Inbox(self.folder / "inbox", **options)
        made = Recorder(
            journal,
            self.store,
            self.meta,
            PriceBook(self.meta),
            self.metrics,
            pace,
            follower,
        )
        await made.start()
        try:
            yield made
        finally:
            if not made._stopping:
                await made.stop()

    def files(self, recorder: Recorder) -> UnclaimedFiles:
        """Over a journal in this folder, and whatever an earlier one left there."""
        blobs = Blobs.open((self.folder / "blobs").as_uri())
        journal = FileJournal(self.folder / "files.journal")
        made = UnclaimedFiles(self.meta, self.store.real, recorder, blobs, journal)
        made.take_over()
        return made

    @staticmethod
    async def crash(recorder: Recorder) -> None:
        """End a recorder as a crash does: nothing more is written, and the inbox stays as it is."""
        recorder._stopping = True
        tasks = [*recorder._tasks, *([recorder._reading] if recorder._reading else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await recorder._inbox.close()

    async def runs(self, *ids: UUID, workspace: UUID = MINE) -> list[Run]:
        """All that readers see, oldest first; by scan of the table, since look-ups by id see one row a run."""
        selection = RunSelection(workspace=workspace)
        wanted = RunQuery(selection=selection, columns=RUN_COLUMNS, limit=100_000, newest_first=False)
        return [run for run in await self.store.real.page(wanted) if not ids or run.id in ids]

    async def feedback(self) -> list[Feedback]:
        return await self.store.real.feedback(FeedbackQuery(workspace=MINE, limit=100_000))

    def inbox_bytes(self) -> int:
        return sum(path.stat().st_size for path in (self.folder / "inbox").glob("*.journal"))


@contextlib.asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """One engine a process: no two of these at once."""
    runs = await Runs.open(Chdb(folder / "runs", readers=2, threads=1, memory=2**30))
    meta = await open_meta(new_metadata(folder / "meta.db"))
    try:
        yield House(folder, Store(runs), meta)
    finally:
        await runs.close()
        await meta.close()
