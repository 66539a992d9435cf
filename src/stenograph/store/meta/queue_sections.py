"""The rules of review as SQL: when an item is completed, and whose turn it is otherwise.

An item is completed once as many reviewers as the queue needs have completed it; with access mode `assigned`
those count who are assigned, and all of them are needed. Until then it needs the review of whoever may review,
has not completed it, and is not kept out by others' reservations: each person who is done and each who has
opened it lately takes one of the needed places.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from stenograph.model.annotation_queues import AccessMode, AnnotationQueue
from stenograph.model.queue_items import ReviewStatus, Section, Viewer
from stenograph.model.runs import Micros
from stenograph.store.meta import tables

Condition = sa.ColumnElement[bool]

_ITEMS = tables.annotation_queue_items
_T = _ITEMS.c
MINE = tables.annotation_queue_reviews.alias("mine")
"""The viewer's own review of an item, if there is one."""

EFFECTIVE: sa.ColumnElement[Any] = sa.func.coalesce(MINE.c.override_added_at, _T.added_at)
"""The item's place in the viewer's order."""

ARCHIVED = _T.archived_at.is_not(None)


def seen_by(reviewer: UUID) -> sa.Join:
    """Items beside this reviewer's own reviews of them."""
    return sa.outerjoin(
        _ITEMS,
        MINE,
        sa.and_(
            MINE.c.workspace_id == _T.workspace_id, MINE.c.item_id == _T.id, MINE.c.reviewer_id == reviewer
        ),
    )


def in_section(section: Section, queue: AnnotationQueue, viewer: Viewer) -> Condition:
    """Whether an item of `seen_by(viewer.reviewer)` is in that section for the viewer."""
    match section:
        case Section.COMPLETED:
            return ARCHIVED
        case Section.NEEDS_MY_REVIEW:
            return sa.and_(~ARCHIVED, _is_mine(queue, viewer))
        case Section.NEEDS_OTHERS_REVIEW:
            return sa.and_(~ARCHIVED, ~_is_mine(queue, viewer))


def _is_mine(queue: AnnotationQueue, viewer: Viewer) -> Condition:
    if not queue.may_review(viewer.reviewer):
        return sa.false()
    not_done = sa.func.coalesce(MINE.c.status, "") != ReviewStatus.COMPLETED.value
    return sa.and_(not_done, has_room(queue, viewer))


def has_room(queue: AnnotationQueue, viewer: Viewer) -> Condition:
    """Whether one of the needed places is left to the viewer, by what the others have done and reserved."""
    since = queue.reserved_since(viewer.now)
    if queue.reviewer_access_mode is AccessMode.ASSIGNED or since is None:
        return sa.true()
    others = tables.annotation_queue_reviews.alias("others")
    takes_place = sa.or_(
        others.c.status == ReviewStatus.COMPLETED.value,
        sa.and_(others.c.status == ReviewStatus.VIEWED.value, others.c.at > since),
    )
    taken = (
        sa.select(sa.func.count())
        .where(
            others.c.workspace_id == _T.workspace_id,
            others.c.item_id == _T.id,
            others.c.reviewer_id != viewer.reviewer,
            takes_place,
        )
        .correlate(_ITEMS)
        .scalar_subquery()
    )
    return taken < queue.needed


def settle_archive(
    connection: sa.Connection, queue: AnnotationQueue, at: Micros, item_id: UUID | None = None
) -> None:
    """Complete what has all the reviews that it needs, and take back what has not any more."""
    enough = _has_enough(queue)
    items = [_T.workspace_id == queue.workspace, _T.queue_id == queue.id]
    if item_id is not None:
        items.append(_T.id == item_id)
    connection.execute(sa.update(_ITEMS).where(*items, ~ARCHIVED, enough).values(archived_at=at))
    connection.execute(sa.update(_ITEMS).where(*items, ARCHIVED, ~enough).values(archived_at=None))


def _has_enough(queue: AnnotationQueue) -> Condition:
    if queue.needed is None:
        return sa.false()
    done = tables.annotation_queue_reviews.alias("done")
    count = sa.select(sa.func.count()).where(
        done.c.workspace_id == _T.workspace_id,
        done.c.item_id == _T.id,
        done.c.status == ReviewStatus.COMPLETED.value,
    )
    if queue.reviewer_access_mode is AccessMode.ASSIGNED:
        count = count.where(done.c.reviewer_id.in_(queue.reviewers))
    return count.correlate(_ITEMS).scalar_subquery() >= queue.needed
