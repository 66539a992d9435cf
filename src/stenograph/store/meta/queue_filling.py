"""Annotation queues that fill themselves, in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from stenograph.model.annotation_queues import AnnotationQueue
from stenograph.model.queue_items import QueueItem
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.annotation_queues import LIVE, from_row, load
from stenograph.store.meta.engine import Engine
from stenograph.store.meta.queue_items import insert_missing

_T = tables.annotation_queues.c
_REMOVED = tables.annotation_queue_removals.c


class QueueFilling:
    """Implements `store.api.QueueFilling`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def queues(self) -> list[AnnotationQueue]:
        wanted = (
            sa.select(tables.annotation_queues)
            .where(_T.event_filters.is_not(None), _T.fills, LIVE)
            .order_by(_T.workspace_id, _T.id)
        )
        rows = await self._engine.rows(wanted)
        return [from_row(row, {}) for row in rows]

    async def fill(self, queue: AnnotationQueue, items: Sequence[QueueItem], filled_to: int) -> bool:
        return await self._engine.write(lambda connection: _fill(connection, queue, items, filled_to))


def _fill(
    connection: sa.Connection, queue: AnnotationQueue, items: Sequence[QueueItem], filled_to: int
) -> bool:
    now = load(connection, queue.workspace, queue.id, lock=True)
    if now is None or _way(now) != _way(queue):
        return False
    insert_missing(connection, _wanted(connection, queue, items))
    connection.execute(
        sa.update(tables.annotation_queues)
        .where(_T.workspace_id == queue.workspace, _T.id == queue.id)
        .values(filled_to=filled_to)
    )
    return True


def _way(queue: AnnotationQueue) -> tuple[bytes | None, bool, int | None]:
    return queue.event_filters, queue.fills, queue.filled_to


def _wanted(connection: sa.Connection, queue: AnnotationQueue, items: Sequence[QueueItem]) -> list[QueueItem]:
    """Those whose runs nobody has taken out of the queue."""
    removed: set[UUID] = set()
    for batch in dialect.batches([run.run_id for item in items for run in item.runs]):
        wanted = sa.select(_REMOVED.run_id).where(
            _REMOVED.workspace_id == queue.workspace,
            _REMOVED.queue_id == queue.id,
            _REMOVED.run_id.in_(batch),
        )
        removed.update(connection.execute(wanted).scalars())
    return [item for item in items if removed.isdisjoint(run.run_id for run in item.runs)]
