"""Annotation queues that fill themselves: what is recorded and matches a queue's filters becomes an item of it.

    recorded -> run store (version = place in the inbox) -> looked at -> matches -> item
                                                              |
                                     filled_to: all up to this version has been looked at

It goes by versions, not by times: a run that comes late, or is changed late, has a new version and is looked at like
any other. What was looked at and not noted yet is looked at again after a crash; a queue has a run once, so nothing is
doubled. A run is looked at whenever it or its feedback changes, and stays in the queue once it has matched; what people
have taken out does not come back by itself.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.annotation.items import QueueItems, Subject, WantedRun
from stenograph.domain.annotation.queues import AnnotationQueues
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.rounds import Rounds
from stenograph.domain.runs import RunReader
from stenograph.errors import Invalid, NotFound, StenographError
from stenograph.model.annotation_queues import AnnotationQueue, AnnotationQueuePatch, QueueType
from stenograph.model.filters import Filter
from stenograph.model.query import Change, RunQuery, RunSelection
from stenograph.model.queue_items import RunPlace
from stenograph.model.runs import Run
from stenograph.store.api import MetaStore, RunStore

log = structlog.get_logger("stenograph.filling")

ReadFilters = Callable[[bytes], Filter]
"""From a queue's filters, as its face wrote them, to what they mean; Invalid where they mean nothing."""

PAUSE: Final = 1.0
"""Seconds between two looks. After a long one it is nine times as long as that took: a tenth of the time at most."""

LATEST: Final = 10.0
"""But no longer than this, unless a look itself takes longer: half of the time then. Somebody waits for their items."""

PAGE: Final = 5000
_AT_ONCE: Final = 1000
_NOTE_EVERY: Final = 30.0
"""Seconds after which it is noted how far a queue has looked that nothing was added to."""

_KNOWN_FOR: Final = 30.0
"""Seconds for which the list of queues is used before it is read again: another process may have changed it."""


class _Progress:
    """How far one queue has looked. `seen` is what was looked at beyond `looked_to`."""

    __slots__ = ("filter", "looked_to", "noted_at", "queue", "seen")

    def __init__(self, queue: AnnotationQueue, wanted: Filter) -> None:
        self.queue = queue
        self.filter = wanted
        self.looked_to = queue.filled_to or 0
        self.seen: set[Change] = set()
        self.noted_at = 0.0

    def advance(self, to: int) -> None:
        self.looked_to = to
        self.seen = {change for change in self.seen if change.version > to}


class QueueFilling:
    """One a process: makes and changes queues with filters, and fills them between start and stop."""

    def __init__(
        self,
        meta: MetaStore,
        store: RunStore,
        recorder: Recorder,
        runs: RunReader,
        queues: AnnotationQueues,
        items: QueueItems,
        read_filters: ReadFilters,
        *,
        pause: float = PAUSE,
    ) -> None:
        self._filling = meta.queue_filling
        self._store = store
        self._recorder = recorder
        self._runs = runs
        self._queues = queues
        self._items = items
        self._read_filters = read_filters
        self._pause = pause
        self._progress: dict[UUID, _Progress] = {}
        self._known_until = 0.0
        self._looked: dict[UUID, tuple[int, list[_Progress]]] = {}
        self._rounds = Rounds("filling queues", self._round, pause=pause, idle=pause)

    # -- making and changing -------------------------------------------------------------------------------

    async def create(self, queue: AnnotationQueue, run_ids: Sequence[UUID]) -> AnnotationQueue:
        """A queue with these runs, that fills itself from now on. Invalid names runs that are unknown."""
        self._check(queue)
        wanted = await self._wanted(queue.workspace, run_ids)
        queue = msgspec.structs.replace(queue, filled_to=self._recorder.next_position())
        queue = await self._queues.create(queue)
        self._known_until = 0.0
        if wanted:
            await self._items.add(queue.workspace, queue.id, wanted)
        return queue

    async def update(
        self,
        workspace: UUID,
        queue_id: UUID,
        patch: AnnotationQueuePatch,
        add: Sequence[UUID] = (),
        remove: Sequence[UUID] = (),
    ) -> AnnotationQueue:
        """The queue as changed; in another way than before it fills itself from now on. NotFound when there is none;
        Invalid names runs that are unknown, and then nothing is changed."""
        before = await self._queues.read(workspace, queue_id)
        self._check(patch.apply(before, before.updated_at))
        wanted = await self._wanted(workspace, add)
        patch = msgspec.structs.replace(patch, filled_to=self._recorder.next_position())
        queue = await self._queues.update(workspace, queue_id, patch)
        self._known_until = 0.0
        if wanted:
            await self._items.add(workspace, queue_id, wanted)
        if remove:
            await self._items.remove_many(workspace, queue_id, remove)
        return queue

    def _check(self, queue: AnnotationQueue) -> None:
        if queue.event_filters is None:
            return
        if queue.queue_type is QueueType.PAIRWISE:
            raise Invalid(
                "a pairwise queue does not fill itself: which two runs belong together?", ("filters",)
            )
        self._read_filters(queue.event_filters)

    async def _wanted(self, workspace: UUID, run_ids: Sequence[UUID]) -> list[WantedRun]:
        wanted = [WantedRun(run_id=run_id) for run_id in dict.fromkeys(run_ids)]
        try:
            await self._items.places(workspace, wanted)
        except NotFound as error:
            raise Invalid(error.message, ("event_ids",)) from None
        return wanted

    # -- filling -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self._rounds.start()

    async def stop(self) -> None:
        """What was looked at and not noted is looked at again after the next start."""
        await self._rounds.stop()

    async def _round(self) -> float:
        """A look, and the rest after it."""
        began = time.monotonic()
        await self.look()
        return rest_after(time.monotonic() - began, self._pause)

    async def look(self) -> None:
        """Look at all that was written since the last look, and add what matches."""
        by_workspace: dict[UUID, list[_Progress]] = defaultdict(list)
        for progress in await self._current():
            by_workspace[progress.queue.workspace].append(progress)
        flushes, written_to = self._recorder.flushes, self._recorder.written_to(by_workspace)
        for workspace, queues in by_workspace.items():
            if self._looked.get(workspace) != (flushes, queues):
                await self._look(workspace, queues, written_to[workspace])
                self._looked[workspace] = (flushes, queues)

    async def _current(self) -> Iterable[_Progress]:
        """The queues that fill themselves. Those that still do so in the same way go on from where they are."""
        now = time.monotonic()
        if now < self._known_until:
            return list(self._progress.values())
        self._known_until = now + _KNOWN_FOR
        former, self._progress = self._progress, {}
        for queue in await self._filling.queues():
            same = former.get(queue.id)
            if same is not None and _way(same.queue) == _way(queue):
                self._progress[queue.id] = same
                continue
            try:
                self._progress[queue.id] = _Progress(queue, self._read_filters(queue.event_filters or b"[]"))
            except StenographError as error:
                log.error("a queue's filters mean nothing now", queue=str(queue.id), reason=error.message)
        return list(self._progress.values())

    async def _look(self, workspace: UUID, queues: Sequence[_Progress], written_to: int) -> None:
        after = min(queue.looked_to for queue in queues)
        while True:
            page = await self._store.changed(workspace, after, PAGE)
            last = len(page) < PAGE
            for queue in queues:
                await self._take(queue, page, written_to if last else min(written_to, page[-1].version))
            if last:
                return
            after = page[-1].version

    async def _take(self, progress: _Progress, page: Sequence[Change], to: int) -> None:
        """Add what matches of a page, after which all up to the version `to` has been looked at."""
        new = [each for each in page if each.version > progress.looked_to and each not in progress.seen]
        # A root may match by what its trace comes to, whichever run of it has changed.
        changed = dict.fromkeys(run for each in new for run in (each.run, each.trace))
        matching = await self._matching(progress, list(changed))
        to = max(to, progress.looked_to)
        idle = time.monotonic() - progress.noted_at
        if matching or (to > (progress.queue.filled_to or 0) and idle > _NOTE_EVERY):
            subjects = [Subject(run=RunPlace(run.id, run.project_id, run.start_time)) for run in matching]
            items = self._items.fresh(progress.queue, subjects)
            if not await self._filling.fill(progress.queue, items, to):
                self._known_until = 0.0
                return
            progress.noted_at = time.monotonic()
            progress.queue = msgspec.structs.replace(progress.queue, filled_to=to)
        progress.seen.update(new)
        progress.advance(to)

    async def _matching(self, progress: _Progress, run_ids: Sequence[UUID]) -> list[Run]:
        found: list[Run] = []
        for start in range(0, len(run_ids), _AT_ONCE):
            selection = RunSelection(
                workspace=progress.queue.workspace,
                ids=tuple(run_ids[start : start + _AT_ONCE]),
                filter=progress.filter,
            )
            query = RunQuery(selection=selection, columns=frozenset(), limit=_AT_ONCE, newest_first=False)
            found += await self._runs.written(query)
        return found


def rest_after(took: float, pause: float = PAUSE) -> float:
    """Seconds until the next look, after one that took so many."""
    return max(pause, took, min(9 * took, LATEST))


def _way(queue: AnnotationQueue) -> tuple[bytes | None, int | None]:
    return queue.event_filters, queue.filled_to
