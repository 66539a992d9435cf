"""Files that were stored for a record which then did not become durable: found again, and deleted.

Files come first, so that no record names one that is not there. A process that is killed in between, or that refuses
the record, leaves files that nobody names:

    storing --> record durable --> claimed                             (the journal forgets them)
       |
       +--> refused, or the process ends --> unclaimed --sweep--> does any record name it? --yes--> claimed
                                                 ^                         |
                                                 +-- stored again          +--no--> deleted

Asked are the run store once all that was acknowledged is in it, dead letters, which may be replayed, and all versions
of examples. While something was acknowledged that cannot be read, no file of a run is deleted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import structlog

from stenograph.domain.attachments import attachment_key, attachment_run, key_workspace
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.rounds import Rounds
from stenograph.errors import StoreUnavailable
from stenograph.model.dead_letters import UNREADABLE
from stenograph.store.api import BlobStore, FileJournal, MetaStore, RunStore

log = structlog.get_logger("stenograph.files")

SWEEP_SECONDS: Final = 3600
"""Between two looks at what was refused since. What an earlier process left is looked at when the server starts."""

RETRY_SECONDS: Final = 60
"""Until the next look when a store did not tell, as while a long inbox is being written."""


class UnclaimedFiles:
    """Whoever stores files says so here, before and after. One a process, on one event loop."""

    def __init__(
        self, meta: MetaStore, runs: RunStore, recorder: Recorder, blobs: BlobStore, journal: FileJournal
    ) -> None:
        self._examples = meta.examples
        self._dead_letters = meta.dead_letters
        self._runs = runs
        self._recorder = recorder
        self._blobs = blobs
        self._journal = journal
        self._unclaimed: set[str] = set()
        self._storing: Counter[str] = Counter()
        self._sweeping = asyncio.Lock()
        self._rounds = Rounds("freeing files", self._round, pause=RETRY_SECONDS, idle=SWEEP_SECONDS)

    # -- life ----------------------------------------------------------------------------------------------

    def take_over(self) -> None:
        """What an earlier process left is unclaimed now."""
        self._unclaimed.update(self._journal.open())

    def start(self) -> None:
        """To be called once the recorder has begun to replay the inbox."""
        self.take_over()
        self._rounds.start()

    async def stop(self) -> None:
        await self._rounds.stop()
        self._journal.close()

    async def _round(self) -> float:
        await self.sweep()
        return SWEEP_SECONDS

    # -- storing -------------------------------------------------------------------------------------------

    async def put(self, key: str, data: bytes) -> None:
        """As `BlobStore.put`, after `begin`."""
        await self._blobs.put(key, data)

    async def begin(self, keys: Collection[str]) -> None:
        """To be called before files are stored under these keys; then `claimed`, or `abandoned`."""
        self._storing.update(keys)
        while self._unclaimed.intersection(keys) and self._sweeping.locked():
            async with self._sweeping:  # one of them may be on its way out
                pass
        self._unclaimed.difference_update(keys)
        try:
            self._journal.storing(keys)
        except StoreUnavailable:
            self._done(keys)
            raise

    def claimed(self, keys: Iterable[str]) -> None:
        """A durable record names them."""
        keys = list(keys)
        self._done(keys)
        self._journal.closed(key for key in keys if key not in self._unclaimed)

    def abandoned(self, keys: Iterable[str]) -> None:
        """Perhaps no record names them: whoever stored them does not know."""
        keys = list(keys)
        self._done(keys)
        self._unclaimed.update(keys)

    async def discard(self, keys: Collection[str]) -> None:
        """Delete what was stored: certainly no record names it."""
        try:
            await self._blobs.delete(list(keys))
        except BaseException:
            self.abandoned(keys)
            raise
        self.claimed(keys)

    @asynccontextmanager
    async def storing(self, keys: Collection[str]) -> AsyncIterator[None]:
        """Around storing files and making durable the record that names them."""
        await self.begin(keys)
        try:
            yield
        except BaseException:
            self.abandoned(keys)
            raise
        self.claimed(keys)

    def _done(self, keys: Iterable[str]) -> None:
        self._storing.subtract(keys)
        for key in [key for key, count in self._storing.items() if count <= 0]:
            del self._storing[key]

    # -- sweeping ------------------------------------------------------------------------------------------

    async def sweep(self) -> int:
        """Look at what is unclaimed; how many files were deleted. StoreUnavailable when a store does not tell."""
        gone = 0
        for workspace in sorted({key_workspace(key) for key in self._unclaimed}, key=str):
            async with self._sweeping:
                mine = {key for key in self._unclaimed if key_workspace(key) == workspace}
                named = await self._named(workspace, mine)
                # Who stores one of them anew meanwhile answers for it; who begins now waits for the end of this.
                free = [key for key in mine - named if key in self._unclaimed and not self._storing[key]]
                await self._blobs.delete(free)
                gone += len(free)
                settled = [*free, *(key for key in named if key in self._unclaimed)]
                self._unclaimed.difference_update(settled)
                self._journal.closed(key for key in settled if not self._storing[key])
        if gone:
            log.info("deleted files that no record names", files=gone)
        return gone

    async def _named(self, workspace: UUID, keys: Collection[str]) -> set[str]:
        """Those that something names, or may name."""
        runs: dict[UUID, set[str]] = {}
        for key in keys:
            if (run_id := attachment_run(key)) is not None:
                runs.setdefault(run_id, set()).add(key)
        of_runs = {key for mine in runs.values() for key in mine}
        found = set(await self._examples.files_named(workspace, [key for key in keys if key not in of_runs]))
        if not runs:
            return found
        await self._recorder.settle(workspace)
        if self._recorder.has_unreadable or await self._dead_letters.count(UNREADABLE):
            return found | of_runs
        stored = await self._runs.stored([(workspace, run_id) for run_id in runs])
        found |= {
            attachment_key(workspace, run.id, file.name)
            for run in stored.values()
            for file in run.attachments or ()
        }
        for letter in await self._dead_letters.page(workspace):
            if letter.subject_id is not None:
                found |= runs.get(letter.subject_id, set())
        return found & set(keys)
