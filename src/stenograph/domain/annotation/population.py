"""Filling annotation queues from experiments: each root run is an item, or each two runs of one example."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

from stenograph.domain.annotation.items import QueueItems, Subject
from stenograph.domain.projects.projects import Projects
from stenograph.domain.runs import RunReader
from stenograph.errors import Invalid
from stenograph.model.annotation_queues import AnnotationQueue, QueueType
from stenograph.model.query import Cursor, RunQuery, RunSelection
from stenograph.model.queue_items import RunPlace
from stenograph.model.runs import Run

PAGE: Final = 1000
MAX_EXPERIMENTS: Final = 100


class QueuePopulation:
    """Experiments are projects that are bound to a dataset."""

    def __init__(self, projects: Projects, runs: RunReader, items: QueueItems) -> None:
        self._projects = projects
        self._runs = runs
        self._items = items

    async def check(self, workspace: UUID, kind: QueueType, session_ids: Sequence[UUID]) -> None:
        """NotFound unless all of these projects are there; Invalid unless a queue of this kind can be filled
        from them."""
        if kind is QueueType.PAIRWISE and len(set(session_ids)) != 2:
            raise Invalid("a pairwise queue is filled from two experiments", ("session_ids",))
        if not 1 <= len(session_ids) <= MAX_EXPERIMENTS:
            raise Invalid(f"name 1 to {MAX_EXPERIMENTS} experiments", ("session_ids",))
        for index, session_id in enumerate(session_ids):
            project = await self._projects.read(workspace, session_id)
            if project.reference_dataset_id is None:
                raise Invalid(f"project {session_id} is no experiment", ("session_ids", index))

    async def fill(self, queue: AnnotationQueue, session_ids: Sequence[UUID], *, keeps: bool = True) -> int:
        """How many items the queue has of the runs of these experiments, earlier ones included.

        An experiment's runs come in the order in which they started. Runs of an example that the other
        experiment of a pair has not (or not as often) are left out. `keeps` as for QueueItems.add.
        """
        await self.check(queue.workspace, queue.queue_type, session_ids)
        chosen = list(dict.fromkeys(session_ids))
        if queue.queue_type is QueueType.PAIRWISE:
            return await self._fill_pairs(queue, *chosen, keeps=keeps)
        count = 0
        for session_id in chosen:
            async for page in self._roots(queue.workspace, session_id):
                count += len(
                    await self._items.add_subjects(
                        queue, [Subject(run=_place(run)) for run in page], keeps=keeps
                    )
                )
        return count

    async def _fill_pairs(self, queue: AnnotationQueue, first: UUID, second: UUID, *, keeps: bool) -> int:
        waiting: dict[UUID, list[RunPlace]] = defaultdict(list)
        async for page in self._roots(queue.workspace, first):
            for run in page:
                if run.reference_example_id is not None:
                    waiting[run.reference_example_id].append(_place(run))
        count = 0
        async for page in self._roots(queue.workspace, second):
            pairs = []
            for run in page:
                others = waiting.get(run.reference_example_id) if run.reference_example_id else None
                if others:
                    pairs.append(Subject(others.pop(0), _place(run)))
            count += len(await self._items.add_subjects(queue, pairs, keeps=keeps))
        return count

    async def _roots(self, workspace: UUID, session_id: UUID) -> AsyncIterator[list[Run]]:
        after: Cursor | None = None
        while True:
            page = await self._runs.page(
                RunQuery(
                    selection=RunSelection(workspace=workspace, projects=(session_id,), is_root=True),
                    columns=frozenset({"reference_example_id"}),
                    limit=PAGE,
                    newest_first=False,
                    after=after,
                )
            )
            yield page
            if len(page) < PAGE:
                return
            after = Cursor(page[-1].start_time, page[-1].id)


def _place(run: Run) -> RunPlace:
    return RunPlace(run.id, run.project_id, run.start_time)
