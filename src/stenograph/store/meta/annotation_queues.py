"""Annotation queues and their reviewers in the metadata store. Deleting a queue deletes its items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.annotation_queues import (
    AccessMode,
    AnnotationQueue,
    AnnotationQueuePatch,
    ListedQueue,
    QueueQuery,
    QueueSort,
    QueueType,
    Rubric,
)
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine
from stenograph.store.meta.queue_sections import settle_archive

_T = tables.annotation_queues.c
LIVE: Final = _T.deleted_at.is_(None)
_REVIEWERS = tables.annotation_queue_reviewers.c
_ITEMS = tables.annotation_queue_items.c

_rubric: Final = msgspec.json.Decoder(Rubric)


class AnnotationQueues:
    """Implements `store.api.AnnotationQueues`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, queue: AnnotationQueue) -> None:
        await self._engine.write(lambda connection: _create(connection, queue))

    async def read(self, workspace: UUID, queue_id: UUID) -> AnnotationQueue | None:
        return await self._engine.read(lambda connection: load(connection, workspace, queue_id))

    async def find(self, query: QueueQuery) -> list[ListedQueue]:
        return await self._engine.read(lambda connection: _find(connection, query))

    async def update(
        self, workspace: UUID, queue_id: UUID, patch: AnnotationQueuePatch, at: Micros
    ) -> AnnotationQueue | None:
        return await self._engine.write(
            lambda connection: _update(connection, workspace, queue_id, patch, at)
        )

    async def delete(self, workspace: UUID, queue_ids: Sequence[UUID]) -> list[UUID]:
        def work(connection: sa.Connection) -> list[UUID]:
            return [
                gone
                for batch in dialect.batches(queue_ids)
                for gone in connection.execute(
                    sa.delete(tables.annotation_queues)
                    .where(_T.workspace_id == workspace, _T.id.in_(batch), LIVE)
                    .returning(_T.id)
                ).scalars()
            ]

        return await self._engine.write(work)

    async def retire(self, workspace: UUID, queue_id: UUID, at: Micros) -> bool:
        gone = (
            sa.update(tables.annotation_queues)
            .where(_T.workspace_id == workspace, _T.id == queue_id, LIVE)
            .values(deleted_at=at)
        )
        return await self._engine.change(gone) > 0

    async def assign(
        self, workspace: UUID, queue_id: UUID, reviewer: UUID, at: Micros
    ) -> AnnotationQueue | None:
        def work(connection: sa.Connection) -> AnnotationQueue | None:
            queue = load(connection, workspace, queue_id, lock=True)
            if queue is None or reviewer in queue.reviewers:
                return queue
            connection.execute(
                sa.insert(tables.annotation_queue_reviewers).values(
                    workspace_id=workspace, queue_id=queue_id, reviewer_id=reviewer, assigned_at=at
                )
            )
            return _reviewers_changed(connection, queue, (*queue.reviewers, reviewer), at)

        return await self._engine.write(work)

    async def unassign(
        self, workspace: UUID, queue_id: UUID, reviewer: UUID, at: Micros
    ) -> AnnotationQueue | None:
        def work(connection: sa.Connection) -> AnnotationQueue | None:
            queue = load(connection, workspace, queue_id, lock=True)
            if queue is None or reviewer not in queue.reviewers:
                return queue
            connection.execute(
                sa.delete(tables.annotation_queue_reviewers).where(
                    _REVIEWERS.workspace_id == workspace,
                    _REVIEWERS.queue_id == queue_id,
                    _REVIEWERS.reviewer_id == reviewer,
                )
            )
            left = tuple(each for each in queue.reviewers if each != reviewer)
            return _reviewers_changed(connection, queue, left, at)

        return await self._engine.write(work)


def load(
    connection: sa.Connection, workspace: UUID, queue_id: UUID, *, lock: bool = False, share: bool = False
) -> AnnotationQueue | None:
    """The queue with its reviewers. `lock` keeps others from changing it or relying on it until the end of the
    transaction; `share` only from changing it."""
    wanted = sa.select(tables.annotation_queues).where(_T.workspace_id == workspace, _T.id == queue_id, LIVE)
    if lock or share:
        wanted = wanted.with_for_update(read=share)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else from_row(row, _reviewers(connection, workspace, [queue_id]))


def _reviewers(
    connection: sa.Connection, workspace: UUID, queue_ids: Sequence[UUID]
) -> dict[UUID, tuple[UUID, ...]]:
    """Those of each queue, in the order in which they were assigned."""
    found: dict[UUID, tuple[UUID, ...]] = {}
    for batch in dialect.batches(queue_ids):
        wanted = (
            sa.select(_REVIEWERS.queue_id, _REVIEWERS.reviewer_id)
            .where(_REVIEWERS.workspace_id == workspace, _REVIEWERS.queue_id.in_(batch))
            .order_by(_REVIEWERS.assigned_at, _REVIEWERS.reviewer_id)
        )
        for row in connection.execute(wanted):
            found[row.queue_id] = (*found.get(row.queue_id, ()), row.reviewer_id)
    return found


def _create(connection: sa.Connection, queue: AnnotationQueue) -> None:
    same_id = sa.select(_T.id).where(_T.workspace_id == queue.workspace, _T.id == queue.id)
    if connection.execute(same_id).first():
        raise Conflict(f"An annotation queue with the id {queue.id} already exists.")
    connection.execute(sa.insert(tables.annotation_queues).values(to_row(queue)))


def _update(
    connection: sa.Connection, workspace: UUID, queue_id: UUID, patch: AnnotationQueuePatch, at: Micros
) -> AnnotationQueue | None:
    before = load(connection, workspace, queue_id, lock=True)
    if before is None:
        return None
    after = patch.apply(before, at)
    connection.execute(
        sa.update(tables.annotation_queues)
        .where(_T.workspace_id == workspace, _T.id == queue_id)
        .values(to_row(after))
    )
    _settle_if_changed(connection, before, after, at)
    return after


def _reviewers_changed(
    connection: sa.Connection, queue: AnnotationQueue, reviewers: tuple[UUID, ...], at: Micros
) -> AnnotationQueue:
    after = msgspec.structs.replace(queue, reviewers=reviewers, updated_at=at)
    connection.execute(
        sa.update(tables.annotation_queues)
        .where(_T.workspace_id == queue.workspace, _T.id == queue.id)
        .values(updated_at=at)
    )
    _settle_if_changed(connection, queue, after, at)
    return after


def _settle_if_changed(
    connection: sa.Connection, before: AnnotationQueue, after: AnnotationQueue, at: Micros
) -> None:
    """Whose reviews count, and how many are needed, decides which items are completed."""
    of_note = [
        (queue.needed, queue.reviewers if queue.reviewer_access_mode is AccessMode.ASSIGNED else None)
        for queue in (before, after)
    ]
    if of_note[0] != of_note[1]:
        settle_archive(connection, after, at)


def _find(connection: sa.Connection, query: QueueQuery) -> list[ListedQueue]:
    total = (
        sa.select(sa.func.count())
        .where(_ITEMS.workspace_id == _T.workspace_id, _ITEMS.queue_id == _T.id, _ITEMS.thread_id.is_(None))
        .scalar_subquery()
    ).label("total_runs")
    by = total if query.sort is QueueSort.TOTAL_RUNS else _T[query.sort.value]
    wanted: sa.Select[Any] = (
        sa.select(*_T, total)
        .where(*_conditions(query))
        .order_by(*(each.desc() if query.descending else each for each in (by, _T.id)))
        .offset(query.offset)
        .limit(query.limit)
    )
    rows = connection.execute(wanted).all()
    reviewers = _reviewers(connection, query.workspace, [row.id for row in rows])
    return [ListedQueue(from_row(row, reviewers), row.total_runs) for row in rows]


def _conditions(query: QueueQuery) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [_T.workspace_id == query.workspace, LIVE]
    if query.ids is not None:
        found.append(_T.id.in_(query.ids))
    if query.name is not None:
        found.append(_T.name == query.name)
    if query.name_contains is not None:
        found.append(_T.name_folded.contains(query.name_contains.casefold(), autoescape=True))
    if query.dataset is not None:
        found.append(_T.default_dataset == query.dataset)
    if query.queue_type is not None:
        found.append(_T.queue_type == query.queue_type.value)
    if query.fills is not None:
        found.append(_T.fills == query.fills)
    if query.reviewer is not None:
        assigned = sa.select(_REVIEWERS.queue_id).where(
            _REVIEWERS.workspace_id == query.workspace, _REVIEWERS.reviewer_id == query.reviewer
        )
        found.append(_T.id.in_(assigned))
    if query.run is not None:
        # A subquery for each column: with an OR inside of one, engines read every item of the workspace.
        holding = [
            sa.select(_ITEMS.queue_id).where(_ITEMS.workspace_id == query.workspace, column == query.run)
            for column in (_ITEMS.run_id, _ITEMS.paired_run_id)
        ]
        found.append(sa.or_(*(_T.id.in_(queues) for queues in holding)))
    return found


def to_row(queue: AnnotationQueue) -> dict[str, Any]:
    row = msgspec.structs.asdict(queue)
    row["workspace_id"] = row.pop("workspace")
    row["name_folded"] = queue.name.casefold()
    row["queue_type"] = queue.queue_type.value
    row["reviewer_access_mode"] = queue.reviewer_access_mode.value
    row["rubric_items"] = None if queue.rubric_items is None else msgspec.json.encode(queue.rubric_items)
    del row["reviewers"]
    return row


def from_row(row: sa.Row[Any], reviewers: dict[UUID, tuple[UUID, ...]]) -> AnnotationQueue:
    return AnnotationQueue(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        description=row.description,
        queue_type=QueueType(row.queue_type),
        default_dataset=row.default_dataset,
        num_reviewers_per_item=row.num_reviewers_per_item,
        enable_reservations=row.enable_reservations,
        reservation_minutes=row.reservation_minutes,
        reviewer_access_mode=AccessMode(row.reviewer_access_mode),
        rubric_items=None if row.rubric_items is None else _rubric.decode(row.rubric_items),
        rubric_instructions=row.rubric_instructions,
        metadata=row.metadata,
        event_filters=row.event_filters,
        fills=row.fills,
        filled_to=row.filled_to,
        reviewers=reviewers.get(row.id, ()),
    )
