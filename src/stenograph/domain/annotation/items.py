"""Items of annotation queues: added, listed with their runs, reviewed, taken out.

Runs that are deleted take their items with them. An item whose run has not arrived (clients may name runs before
they send them) shows a run that is pending, so that pages stay as long as they say.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from stenograph.domain.annotation.queues import unknown
from stenograph.domain.recording.derive import stamp
from stenograph.domain.runs import RunReader
from stenograph.errors import Forbidden, Invalid, NotFound
from stenograph.model.annotation_queues import AnnotationQueue, QueueType
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.queue_items import (
    Boundary,
    ItemKind,
    ItemPatch,
    ItemQuery,
    ItemSelection,
    Placement,
    QueueItem,
    Review,
    Reviewed,
    ReviewStatus,
    RunPlace,
    SeenItem,
    ThreadPlace,
    Viewer,
)
from stenograph.model.runs import Run
from stenograph.store.api import MetaStore

MAX_ADDED: Final = 10_000
"""Runs and threads in one request."""

MAX_THREAD_ID: Final = 10_000
_LOOKUP: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRun:
    """A run to review. With project and start it may not have arrived yet; without them it has to be there."""

    run_id: UUID
    project_id: UUID | None = None
    start_time: int | None = None
    source_proposed_example_id: UUID | None = None


Wanted = WantedRun | ThreadPlace


@dataclass(frozen=True, slots=True)
class Subject:
    """What an item is to hold: a run, two of them, or a thread."""

    run: RunPlace | None = None
    paired: RunPlace | None = None
    thread: ThreadPlace | None = None
    source_proposed_example_id: UUID | None = None


class QueueItems:
    """The items of one workspace at a time. Unknown queues and items are NotFound."""

    def __init__(self, meta: MetaStore, runs: RunReader, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._queues = meta.annotation_queues
        self._items = meta.queue_items
        self._runs = runs
        self._clock = clock
        self._last_added = 0

    def viewer(self, reviewer: UUID) -> Viewer:
        """That reviewer, now."""
        return Viewer(reviewer, self._now())

    # -- adding --------------------------------------------------------------------------------------------

    async def add(
        self, workspace: UUID, queue_id: UUID, wanted: Sequence[Wanted], *, keeps: bool = True
    ) -> list[QueueItem]:
        """The queue's items of these, in this order; what it has already stays as it is, and is in the answer.

        With `keeps` their traces count as judged from then on, whatever was said of the items before.

        In a pairwise queue each two runs that follow one another are an item. All or none: NotFound names runs
        that are unknown.
        """
        if len(wanted) > MAX_ADDED:
            raise Invalid(f"at most {MAX_ADDED} items are added at once", ("body",))
        queue = await self._queue(workspace, queue_id)
        places = await self.places(workspace, [each for each in wanted if isinstance(each, WantedRun)])
        if queue.queue_type is QueueType.PAIRWISE:
            return await self.add_subjects(queue, _in_twos(wanted, places), keeps=keeps)
        return await self.add_subjects(queue, [_alone(each, places) for each in wanted], keeps=keeps)

    async def add_subjects(
        self, queue: AnnotationQueue, subjects: Sequence[Subject], *, keeps: bool = True
    ) -> list[QueueItem]:
        """The same for what is known already to fit into the queue."""
        added = await self._items.add(queue.workspace, queue.id, self.fresh(queue, subjects, keeps=keeps))
        if added is None:
            raise unknown(queue.id)
        return added

    def fresh(
        self, queue: AnnotationQueue, subjects: Sequence[Subject], *, keeps: bool = True
    ) -> list[QueueItem]:
        """Items of these that are in no queue yet."""
        return [
            QueueItem(
                id=uuid4(),
                workspace=queue.workspace,
                queue_id=queue.id,
                added_at=at,
                run=subject.run,
                paired=subject.paired,
                thread=subject.thread,
                source_proposed_example_id=subject.source_proposed_example_id,
                keeps=keeps,
            )
            for subject, at in zip(subjects, self._moments(len(subjects)), strict=True)
        ]

    async def places(self, workspace: UUID, wanted: Sequence[WantedRun]) -> Mapping[UUID, RunPlace]:
        """Where each run is: as the client says, or else as it is stored. NotFound names those that are unknown."""
        found = {
            each.run_id: RunPlace(each.run_id, each.project_id, each.start_time)
            for each in wanted
            if each.project_id is not None and each.start_time is not None
        }
        sought = list(dict.fromkeys(each.run_id for each in wanted if each.run_id not in found))
        for start in range(0, len(sought), _LOOKUP):
            stored = await self._stored(workspace, sought[start : start + _LOOKUP], frozenset())
            found.update(
                (run.id, RunPlace(run.id, run.project_id, run.start_time)) for run in stored.values()
            )
        missing = [run_id for run_id in sought if run_id not in found]
        if missing:
            shown = ", ".join(map(str, missing[:5])) + (" …" if len(missing) > 5 else "")
            raise NotFound(f"run{'s' if len(missing) > 1 else ''} not found: {shown}")
        return found

    def _moments(self, count: int) -> range:
        """A time of adding for each, a microsecond apart: what is added together keeps its order."""
        start = max(self._now(), self._last_added + 1)
        self._last_added = start + count
        return range(start, start + count)

    # -- reading -------------------------------------------------------------------------------------------

    async def page(self, query: ItemQuery) -> list[SeenItem]:
        """One page in the viewer's order."""
        found = await self._items.page(query)
        if not found:
            await self._queue(query.selection.workspace, query.selection.queue_id)
        return found

    async def count(self, selection: ItemSelection) -> int:
        await self._queue(selection.workspace, selection.queue_id)
        return await self._items.count(selection)

    async def at(self, selection: ItemSelection, index: int) -> SeenItem:
        """The item at this index of the selection, from 0; NotFound past its end."""
        found = await self.page(ItemQuery(selection=selection, limit=1, offset=index))
        if not found:
            raise NotFound(f"There is no run at index {index}.")
        return found[0]

    async def every(self, selection: ItemSelection, size: int = 100) -> AsyncIterator[list[SeenItem]]:
        """All of the selection, in pages that are not empty. Items that come meanwhile may be among them."""
        start: Boundary | None = None
        while found := await self.page(ItemQuery(selection=selection, limit=size, start=start)):
            yield found
            start = Boundary(found[-1].effective_added_at, found[-1].item.id, after=True)

    async def runs_of(
        self, workspace: UUID, items: Sequence[QueueItem], columns: frozenset[str]
    ) -> Mapping[UUID, Run]:
        """Every run that these items hold, by id; one that is not there stands as pending."""
        places = {place.run_id: place for item in items for place in item.runs}
        if not places:
            return {}
        stored = await self._stored(workspace, list(places), columns)
        return {
            run_id: stored.get(run_id) or _announced(workspace, place) for run_id, place in places.items()
        }

    async def place(
        self,
        workspace: UUID,
        queue_id: UUID,
        item_id: UUID,
        reviewer: UUID,
        kind: ItemKind | None = None,
    ) -> Placement:
        """Where an item stands for this reviewer, among all or those of one kind."""
        found = await self._items.place(workspace, item_id, self.viewer(reviewer), kind)
        if found is None or found.seen.item.queue_id != queue_id:
            raise _unknown_item(item_id)
        return found

    # -- changing ------------------------------------------------------------------------------------------

    async def update(self, workspace: UUID, queue_id: UUID, which: UUID, patch: ItemPatch) -> QueueItem:
        """The item of this id, or that holds this run, as changed; of several such pairs the first."""
        found = await self._items.update(workspace, queue_id, which, patch)
        if not found:
            raise _unknown_item(which)
        return found[0]

    async def remove(self, workspace: UUID, queue_id: UUID, which: UUID) -> None:
        """Take out the item of this id, or what holds this run."""
        if not await self._items.delete(workspace, queue_id, [which]):
            raise _unknown_item(which)

    async def remove_many(self, workspace: UUID, queue_id: UUID, which: Sequence[UUID]) -> int:
        """How many items there were of these ids, or that hold these runs; others are no error."""
        await self._queue(workspace, queue_id)
        return await self._items.delete(workspace, queue_id, which)

    async def remove_all(self, workspace: UUID, queue_id: UUID, but: Sequence[UUID]) -> int:
        """How many there were beside those that `but` names by their ids or runs."""
        await self._queue(workspace, queue_id)
        return await self._items.delete_all(workspace, queue_id, but)

    async def forget(self, workspace: UUID, run_ids: Sequence[UUID]) -> None:
        """Take out what holds these runs, which have been deleted."""
        await self._items.forget(workspace, run_ids)

    async def review(
        self,
        workspace: UUID,
        item_id: UUID,
        reviewer: UUID,
        status: ReviewStatus | None,
        override_added_at: int | None = None,
    ) -> Reviewed:
        """Note what a reviewer has done; None lets go of an item, or takes a completion back.

        Forbidden for whoever is not assigned to a queue that only the assigned review. Conflict for opening an
        item that others have reserved.
        """
        item = await self._items.read(workspace, item_id)
        if item is None:
            raise _unknown_item(item_id)
        queue = await self._queue(workspace, item.queue_id)
        if not queue.may_review(reviewer):
            raise Forbidden(f"Only the reviewers assigned to {queue.name[:100]!r} review its items.")
        review = Review(reviewer=reviewer, at=self._now(), status=status, override_added_at=override_added_at)
        reviewed = await self._items.review(workspace, item_id, review)
        if reviewed is None:
            raise _unknown_item(item_id)
        return reviewed

    async def _queue(self, workspace: UUID, queue_id: UUID) -> AnnotationQueue:
        queue = await self._queues.read(workspace, queue_id)
        if queue is None:
            raise unknown(queue_id)
        return queue

    async def _stored(
        self, workspace: UUID, run_ids: Sequence[UUID], columns: frozenset[str]
    ) -> dict[UUID, Run]:
        selection = RunSelection(workspace=workspace, ids=tuple(run_ids))
        found = await self._runs.page(RunQuery(selection=selection, columns=columns, limit=len(run_ids)))
        return {run.id: run for run in found}

    def _now(self) -> int:
        return self._clock() // 1000


def _alone(wanted: Wanted, places: Mapping[UUID, RunPlace]) -> Subject:
    if isinstance(wanted, WantedRun):
        source = wanted.source_proposed_example_id
        return Subject(run=places[wanted.run_id], source_proposed_example_id=source)
    if not 1 <= len(wanted.thread_id) <= MAX_THREAD_ID:
        raise Invalid(f"thread_id has 1 to {MAX_THREAD_ID} characters", ("items",))
    if "\0" in wanted.thread_id:
        raise Invalid("thread_id must not contain the NUL character", ("items",))
    return Subject(thread=wanted)


def _in_twos(wanted: Sequence[Wanted], places: Mapping[UUID, RunPlace]) -> list[Subject]:
    runs = [each for each in wanted if isinstance(each, WantedRun)]
    if len(runs) < len(wanted):
        raise Invalid("a pairwise queue holds runs, not threads", ("body",))
    if len(runs) % 2:
        raise Invalid("a pairwise queue takes runs two by two, and one is left over", ("body",))
    found = []
    for first, second in zip(runs[::2], runs[1::2], strict=True):
        if first.run_id == second.run_id:
            raise Invalid(f"run {first.run_id} cannot be compared with itself", ("body",))
        source = first.source_proposed_example_id or second.source_proposed_example_id
        found.append(Subject(places[first.run_id], places[second.run_id], source_proposed_example_id=source))
    return found


def _announced(workspace: UUID, place: RunPlace) -> Run:
    """A run of which only its place is known."""
    return Run(
        workspace=workspace,
        id=place.run_id,
        project_id=place.project_id,
        trace_id=place.run_id,
        start_time=place.start_time,
        is_root=True,
        dotted_order=f"{stamp(place.start_time)}{place.run_id}",
    )


def _unknown_item(item_id: UUID) -> NotFound:
    return NotFound(f"Annotation queue item {item_id} not found.")
