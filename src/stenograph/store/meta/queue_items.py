"""Items of annotation queues, and reviews of them, in the metadata store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.annotation_queues import AccessMode, AnnotationQueue
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
    Section,
    SeenItem,
    ThreadPlace,
    Viewer,
)
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.annotation_queues import LIVE, load
from stenograph.store.meta.engine import Engine
from stenograph.store.meta.queue_sections import (
    ARCHIVED,
    EFFECTIVE,
    has_room,
    in_section,
    seen_by,
    settle_archive,
)

_ITEMS = tables.annotation_queue_items
_T = _ITEMS.c
_REVIEWS = tables.annotation_queue_reviews
_R = _REVIEWS.c
_RUNS: Final = (_T.run_id, _T.paired_run_id)
_OF_LIVE_QUEUE: Final = sa.exists().where(
    tables.annotation_queues.c.workspace_id == _T.workspace_id,
    tables.annotation_queues.c.id == _T.queue_id,
    LIVE,
)

Condition = sa.ColumnElement[bool]


class QueueItems:
    """Implements `store.api.QueueItems`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(
        self, workspace: UUID, queue_id: UUID, items: Sequence[QueueItem]
    ) -> list[QueueItem] | None:
        return await self._engine.write(lambda connection: _add(connection, workspace, queue_id, items))

    async def read(self, workspace: UUID, item_id: UUID) -> QueueItem | None:
        wanted = sa.select(_ITEMS).where(_T.workspace_id == workspace, _T.id == item_id, _OF_LIVE_QUEUE)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def page(self, query: ItemQuery) -> list[SeenItem]:
        return await self._engine.read(lambda connection: _page(connection, query))

    async def count(self, selection: ItemSelection) -> int:
        return await self._engine.read(lambda connection: _count(connection, selection))

    async def place(
        self, workspace: UUID, item_id: UUID, viewer: Viewer, kind: ItemKind | None = None
    ) -> Placement | None:
        return await self._engine.read(
            lambda connection: _place(connection, workspace, item_id, viewer, kind)
        )

    async def update(self, workspace: UUID, queue_id: UUID, which: UUID, patch: ItemPatch) -> list[QueueItem]:
        def work(connection: sa.Connection) -> list[QueueItem]:
            stated = {field: at for field, at in msgspec.structs.asdict(patch).items() if at is not None}
            # Clients name items by their own ids and by those of their runs.
            named = sa.or_(*(column == which for column in (_T.id, *_RUNS)))
            here = (_T.workspace_id == workspace, _T.queue_id == queue_id, named, _OF_LIVE_QUEUE)
            if stated:
                connection.execute(sa.update(_ITEMS).where(*here).values(**stated))
            rows = connection.execute(sa.select(_ITEMS).where(*here).order_by(_T.added_at, _T.id))
            return [from_row(row) for row in rows]

        return await self._engine.write(work)

    async def delete(self, workspace: UUID, queue_id: UUID, which: Sequence[UUID]) -> int:
        def work(connection: sa.Connection) -> int:
            queue = load(connection, workspace, queue_id)
            if queue is None:
                return 0
            here = (_T.workspace_id == workspace, _T.queue_id == queue_id)
            columns = (_T.id, *_RUNS)
            if queue.event_filters is not None:
                for column in columns:
                    for batch in dialect.batches(which):
                        _note_removal(connection, *here, column.in_(batch))
            return _delete_naming(connection, here, columns, which)

        return await self._engine.write(work)

    async def delete_all(self, workspace: UUID, queue_id: UUID, but: Collection[UUID] = ()) -> int:
        return await self._engine.write(
            lambda connection: _delete_all(connection, workspace, queue_id, frozenset(but))
        )

    async def forget(self, workspace: UUID, run_ids: Sequence[UUID]) -> int:
        here = (_T.workspace_id == workspace,)
        return await self._engine.write(lambda connection: _delete_naming(connection, here, _RUNS, run_ids))

    async def review(self, workspace: UUID, item_id: UUID, review: Review) -> Reviewed | None:
        return await self._engine.write(lambda connection: _review(connection, workspace, item_id, review))


# -- which items -------------------------------------------------------------------------------------------


def _conditions(selection: ItemSelection, queue: AnnotationQueue) -> list[Condition]:
    """For `seen_by` the selection's viewer."""
    found: list[Condition] = [_T.workspace_id == selection.workspace, _T.queue_id == selection.queue_id]
    if selection.section is not None:
        found.append(in_section(selection.section, queue, selection.viewer))
    if selection.archived is not None:
        found.append(ARCHIVED if selection.archived else ~ARCHIVED)
    if selection.kind is not None:
        is_run = selection.kind is ItemKind.RUN
        found.append(_T.thread_id.is_(None) if is_run else _T.thread_id.is_not(None))
    if selection.since is not None:
        found.append(_T.start_time >= selection.since)
    if selection.until is not None:
        found.append(_T.start_time <= selection.until)
    if selection.archived_after is not None:
        found.append(_T.archived_at > selection.archived_after)
    if selection.archived_before is not None:
        found.append(_T.archived_at < selection.archived_before)
    return found


def _page(connection: sa.Connection, query: ItemQuery) -> list[SeenItem]:
    chosen = query.selection
    queue = load(connection, chosen.workspace, chosen.queue_id)
    if queue is None:
        return []
    order = (EFFECTIVE, _T.id)
    wanted: sa.Select[Any] = (
        sa.select(*_T, EFFECTIVE.label("effective_added_at"))
        .select_from(seen_by(chosen.viewer.reviewer))
        .where(*_conditions(chosen, queue))
        .order_by(*(each.desc() if query.backward else each for each in order))
        .offset(query.offset)
        .limit(query.limit)
    )
    if query.start is not None:
        wanted = wanted.where(_beyond(query.start, query.backward))
    rows = connection.execute(wanted).all()
    return _seen(connection, queue, chosen.viewer, rows[::-1] if query.backward else rows)


def _beyond(start: Boundary, backward: bool) -> Condition:
    """On the wanted side of a place in the order: right after an item that item lies behind, right before it
    ahead."""
    here, there = sa.tuple_(EFFECTIVE, _T.id), _key(start.added_at, start.item_id)
    if backward:
        return here <= there if start.after else here < there
    return here > there if start.after else here >= there


def _key(added_at: Micros, item_id: UUID) -> sa.Tuple:
    return sa.tuple_(sa.literal(added_at, sa.BigInteger()), sa.literal(item_id, sa.Uuid()))


def _seen(
    connection: sa.Connection, queue: AnnotationQueue, viewer: Viewer, rows: Sequence[sa.Row[Any]]
) -> list[SeenItem]:
    reviews: dict[UUID, tuple[Review, ...]] = {}
    for batch in dialect.batches([row.id for row in rows]):
        wanted = (
            sa.select(_REVIEWS)
            .where(_R.workspace_id == queue.workspace, _R.item_id.in_(batch))
            .order_by(_R.at, _R.reviewer_id)
        )
        for row in connection.execute(wanted):
            reviews[row.item_id] = (*reviews.get(row.item_id, ()), review_from_row(row))
    since = queue.reserved_since(viewer.now)
    assigned = queue.reviewers if queue.reviewer_access_mode is AccessMode.ASSIGNED else ()
    return [
        SeenItem(
            item=from_row(row),
            effective_added_at=row.effective_added_at,
            reviews=reviews.get(row.id, ()),
            assigned_to=assigned,
            reserved_by=tuple(
                each.reviewer
                for each in reviews.get(row.id, ())
                if since is not None and row.archived_at is None
                if each.status is ReviewStatus.VIEWED and each.at > since
            ),
        )
        for row in rows
    ]


def _count(connection: sa.Connection, selection: ItemSelection) -> int:
    queue = load(connection, selection.workspace, selection.queue_id)
    if queue is None:
        return 0
    wanted = (
        sa.select(sa.func.count())
        .select_from(seen_by(selection.viewer.reviewer))
        .where(*_conditions(selection, queue))
    )
    return int(connection.execute(wanted).scalar_one())


def _place(
    connection: sa.Connection, workspace: UUID, item_id: UUID, viewer: Viewer, kind: ItemKind | None
) -> Placement | None:
    this = sa.select(_T.queue_id).where(_T.workspace_id == workspace, _T.id == item_id)
    queue_id = connection.execute(this).scalar()
    queue = None if queue_id is None else load(connection, workspace, queue_id)
    if queue is None:
        return None
    mine = in_section(Section.NEEDS_MY_REVIEW, queue, viewer)
    wanted: sa.Select[Any] = (
        sa.select(*_T, EFFECTIVE.label("effective_added_at"), mine.label("is_mine"))
        .select_from(seen_by(viewer.reviewer))
        .where(_T.workspace_id == workspace, _T.id == item_id)
    )
    row = connection.execute(wanted).one()
    if row.archived_at is not None:
        section = Section.COMPLETED
    else:
        section = Section.NEEDS_MY_REVIEW if row.is_mine else Section.NEEDS_OTHERS_REVIEW
    selection = ItemSelection(
        workspace=workspace, queue_id=queue.id, viewer=viewer, section=section, kind=kind
    )
    before = (
        sa.select(sa.func.count())
        .select_from(seen_by(viewer.reviewer))
        .where(*_conditions(selection, queue))
        .where(
            sa.or_(
                row.effective_added_at > EFFECTIVE,
                sa.and_(row.effective_added_at == EFFECTIVE, _T.id < item_id),
            )
        )
    )
    (seen,) = _seen(connection, queue, viewer, [row])
    return Placement(seen, section, int(connection.execute(before).scalar_one()))


# -- changes -----------------------------------------------------------------------------------------------


def _add(
    connection: sa.Connection, workspace: UUID, queue_id: UUID, items: Sequence[QueueItem]
) -> list[QueueItem] | None:
    there = sa.select(tables.annotation_queues.c.id).where(
        tables.annotation_queues.c.workspace_id == workspace,
        tables.annotation_queues.c.id == queue_id,
        LIVE,
    )
    # Locked, so that the queue cannot be deleted around its new items.
    if connection.execute(there.with_for_update(key_share=True)).first() is None:
        return None
    insert_missing(connection, items)
    found: dict[str, QueueItem] = {}
    for batch in dialect.batches(items):
        stored = sa.select(_ITEMS).where(
            _T.workspace_id == workspace,
            _T.queue_id == queue_id,
            _T.subject.in_([item.subject for item in batch]),
        )
        found.update((row.subject, from_row(row)) for row in connection.execute(stored))
    return [found[subject] for subject in dict.fromkeys(item.subject for item in items)]


def insert_missing(connection: sa.Connection, items: Sequence[QueueItem]) -> None:
    """Those whose subjects their queue has not. Of those it has, one that did not keep its trace may do so now."""
    unique = [_T.workspace_id, _T.queue_id, _T.subject]
    new = dialect.insert(connection, _ITEMS)
    keeps_now = sa.and_(new.excluded.keeps, sa.not_(_T.keeps))
    new = new.on_conflict_do_update(index_elements=unique, set_={"keeps": sa.true()}, where=keeps_now)
    for batch in dialect.batches(items):
        connection.execute(new, [to_row(item) for item in batch])


def _delete_naming(
    connection: sa.Connection,
    here: Sequence[Condition],
    columns: Sequence[sa.Column[Any]],
    ids: Sequence[UUID],
) -> int:
    """A statement a column: with an OR over all of them, engines read every item of the workspace."""
    return sum(
        connection.execute(sa.delete(_ITEMS).where(*here, column.in_(batch))).rowcount
        for column in columns
        for batch in dialect.batches(ids)
    )


def _note_removal(connection: sa.Connection, *which: Condition) -> None:
    """Remember the runs of these items, so that a queue that fills itself does not take them in again."""
    removals = tables.annotation_queue_removals
    gone = sa.select(_T.workspace_id, _T.queue_id, _T.run_id).where(*which, _T.run_id.is_not(None))
    columns = ["workspace_id", "queue_id", "run_id"]
    connection.execute(
        dialect.insert(connection, removals).from_select(columns, gone).on_conflict_do_nothing()
    )


def _delete_all(connection: sa.Connection, workspace: UUID, queue_id: UUID, but: frozenset[UUID]) -> int:
    here = (_T.workspace_id == workspace, _T.queue_id == queue_id)
    queue = load(connection, workspace, queue_id)
    if queue is None:
        return 0
    notes = queue.event_filters is not None
    if not but:
        if notes:
            _note_removal(connection, *here)
        return connection.execute(sa.delete(_ITEMS).where(*here)).rowcount
    rows = connection.execute(sa.select(_T.id, _T.run_id, _T.paired_run_id).where(*here))
    gone = [row.id for row in rows if but.isdisjoint((row.id, row.run_id, row.paired_run_id))]
    count = 0
    for batch in dialect.batches(gone):
        if notes:
            _note_removal(connection, *here, _T.id.in_(batch))
        count += connection.execute(sa.delete(_ITEMS).where(*here, _T.id.in_(batch))).rowcount
    return count


def _review(connection: sa.Connection, workspace: UUID, item_id: UUID, review: Review) -> Reviewed | None:
    this = (_T.workspace_id == workspace, _T.id == item_id)
    queue_id = connection.execute(sa.select(_T.queue_id).where(*this)).scalar()
    queue = None if queue_id is None else load(connection, workspace, queue_id, share=True)
    # Locked, so that of two reviewers at once the second sees what the first has done.
    row = connection.execute(sa.select(_ITEMS).where(*this).with_for_update()).one_or_none()
    if queue is None or row is None:
        return None
    before = _own(connection, workspace, item_id, review.reviewer)
    review = _merged(before, review)
    if review.status is ReviewStatus.VIEWED and row.archived_at is None:
        room = sa.select(_T.id).where(*this, has_room(queue, Viewer(review.reviewer, review.at)))
        if connection.execute(room).first() is None:
            raise Conflict("Other reviewers have reserved this item.")
    values = {
        "status": None if review.status is None else review.status.value,
        "at": review.at,
        "override_added_at": review.override_added_at,
    }
    connection.execute(
        dialect.insert(connection, _REVIEWS)
        .values(workspace_id=workspace, item_id=item_id, reviewer_id=review.reviewer, **values)
        .on_conflict_do_update(index_elements=[_R.workspace_id, _R.item_id, _R.reviewer_id], set_=values)
    )
    if review.status is ReviewStatus.COMPLETED:
        connection.execute(sa.update(_ITEMS).where(*this).values(last_reviewed_time=review.at))
    settle_archive(connection, queue, review.at, item_id)
    archived_at = connection.execute(sa.select(_T.archived_at).where(*this)).scalar()
    return Reviewed(review, archived_at is not None)


def _own(connection: sa.Connection, workspace: UUID, item_id: UUID, reviewer: UUID) -> Review | None:
    wanted = sa.select(_REVIEWS).where(
        _R.workspace_id == workspace, _R.item_id == item_id, _R.reviewer_id == reviewer
    )
    row = connection.execute(wanted).one_or_none()
    return None if row is None else review_from_row(row)


def _merged(before: Review | None, review: Review) -> Review:
    """Looking again at what one has completed does not undo it; a place in the order stays until another is
    given."""
    if before is None:
        return review
    if review.override_added_at is None:
        review = msgspec.structs.replace(review, override_added_at=before.override_added_at)
    if review.status is ReviewStatus.VIEWED and before.status is ReviewStatus.COMPLETED:
        review = msgspec.structs.replace(review, status=before.status, at=before.at)
    return review


# -- rows --------------------------------------------------------------------------------------------------


def to_row(item: QueueItem) -> dict[str, Any]:
    run = item.run
    return {
        "workspace_id": item.workspace,
        "id": item.id,
        "queue_id": item.queue_id,
        "subject": item.subject,
        "run_id": None if run is None else run.run_id,
        "project_id": item.project_id,
        "thread_id": None if item.thread is None else item.thread.thread_id,
        "start_time": item.start_time,
        "paired_run_id": None if item.paired is None else item.paired.run_id,
        "paired_project_id": None if item.paired is None else item.paired.project_id,
        "paired_start_time": None if item.paired is None else item.paired.start_time,
        "source_proposed_example_id": item.source_proposed_example_id,
        "added_at": item.added_at,
        "last_reviewed_time": item.last_reviewed_time,
        "archived_at": item.archived_at,
        "keeps": item.keeps,
    }


def from_row(row: sa.Row[Any]) -> QueueItem:
    is_thread, is_pair = row.thread_id is not None, row.paired_run_id is not None
    return QueueItem(
        id=row.id,
        workspace=row.workspace_id,
        queue_id=row.queue_id,
        added_at=row.added_at,
        run=None if is_thread else RunPlace(row.run_id, row.project_id, row.start_time),
        paired=RunPlace(row.paired_run_id, row.paired_project_id, row.paired_start_time) if is_pair else None,
        thread=ThreadPlace(row.project_id, row.thread_id, row.start_time) if is_thread else None,
        source_proposed_example_id=row.source_proposed_example_id,
        last_reviewed_time=row.last_reviewed_time,
        archived_at=row.archived_at,
        keeps=row.keeps,
    )


def review_from_row(row: sa.Row[Any]) -> Review:
    return Review(
        reviewer=row.reviewer_id,
        at=row.at,
        status=None if row.status is None else ReviewStatus(row.status),
        override_added_at=row.override_added_at,
    )
