"""Annotation queues: made, listed, changed, deleted; who is assigned to them.

A reviewer is a member, or an API key that belongs to nobody: its id is the reviewer's id, and stays so whatever the
member or the key is called or allowed to do later. `stenograph members list` and `keys list` show the ids. Whoever
calls without a known key, in open mode, is one and the same person, OPEN_REVIEWER. Any other uuid may be assigned
too, e.g. that of a key that is made later; it waits for nobody else. Callers check the permission.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from stenograph.domain import people
from stenograph.domain.annotation.rubrics import check_rubric
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Caller
from stenograph.model.annotation_queues import (
    OPEN_REVIEWER,
    AnnotationQueue,
    AnnotationQueuePatch,
    ListedQueue,
    QueueQuery,
)
from stenograph.store.api import MetaStore

MAX_NAME: Final = 1000
MAX_TEXT: Final = 50_000
"""Characters of a description or of instructions."""

MAX_REVIEWERS: Final = 1000
MAX_RESERVATION_MINUTES: Final = 60 * 24 * 366


def reviewer_of(caller: Caller) -> UUID:
    """Who is reviewing."""
    return caller.person or OPEN_REVIEWER


class AnnotationQueues:
    """The queues of one workspace at a time. Another workspace's do not exist."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._queues = meta.annotation_queues
        self._meta = meta
        self._clock = clock

    async def create(self, queue: AnnotationQueue) -> AnnotationQueue:
        """Conflict when the id is taken; names need not differ."""
        _check(queue)
        await self._queues.create(queue)
        return queue

    async def read(self, workspace: UUID, queue_id: UUID) -> AnnotationQueue:
        """NotFound when there is none."""
        return _known(await self._queues.read(workspace, queue_id), queue_id)

    async def find(self, query: QueueQuery) -> list[ListedQueue]:
        """One page."""
        if query.name_contains is not None and len(query.name_contains) > MAX_NAME:
            raise Invalid(f"name_contains has at most {MAX_NAME} characters", ("query", "name_contains"))
        return await self._queues.find(query)

    async def update(self, workspace: UUID, queue_id: UUID, patch: AnnotationQueuePatch) -> AnnotationQueue:
        """The queue as changed; NotFound when there is none."""
        _check(patch)
        return _known(await self._queues.update(workspace, queue_id, patch, self._now()), queue_id)

    async def delete(self, workspace: UUID, queue_id: UUID) -> None:
        """With its items and their reviews. NotFound when there is none."""
        if not await self._queues.delete(workspace, [queue_id]):
            raise unknown(queue_id)

    async def retire(self, workspace: UUID, queue_id: UUID) -> None:
        """Out of everybody's sight, with its items; what was in it is kept. NotFound when there is none."""
        if not await self._queues.retire(workspace, queue_id, self._now()):
            raise unknown(queue_id)

    async def delete_many(self, workspace: UUID, queue_ids: Sequence[UUID]) -> list[UUID]:
        """The ids of those that were there; NotFound when none was."""
        gone = await self._queues.delete(workspace, queue_ids)
        if not gone:
            raise NotFound("There is none of these annotation queues.")
        return gone

    # -- reviewers -----------------------------------------------------------------------------------------

    async def assign(self, workspace: UUID, queue_id: UUID, reviewer: UUID) -> None:
        """Assign a reviewer; no error when they are already. NotFound when there is no such queue."""
        queue = await self.read(workspace, queue_id)
        if len(queue.reviewers) >= MAX_REVIEWERS and reviewer not in queue.reviewers:
            raise Invalid(f"a queue has at most {MAX_REVIEWERS} reviewers", ("body", "identity_id"))
        _known(await self._queues.assign(workspace, queue_id, reviewer, self._now()), queue_id)

    async def unassign(self, workspace: UUID, queue_id: UUID, reviewer: UUID) -> None:
        """Take the assignment back; no error when there is none. NotFound when there is no such queue."""
        _known(await self._queues.unassign(workspace, queue_id, reviewer, self._now()), queue_id)

    async def names(self, workspace: UUID, queues: Sequence[AnnotationQueue]) -> Mapping[UUID, str]:
        """What the reviewers assigned to these queues are called, as far as they are known."""
        if not any(queue.reviewers for queue in queues):
            return {}
        return {OPEN_REVIEWER: "open"} | await people.names(self._meta, workspace)

    def _now(self) -> int:
        return self._clock() // 1000


def _known(found: AnnotationQueue | None, queue_id: UUID) -> AnnotationQueue:
    if found is None:
        raise unknown(queue_id)
    return found


def unknown(queue_id: UUID) -> NotFound:
    return NotFound(f"Annotation queue {queue_id} not found.")


def _check(stated: AnnotationQueue | AnnotationQueuePatch) -> None:
    name = stated.name
    if name is not None and not 1 <= len(name) <= MAX_NAME:
        raise Invalid(f"a queue's name has 1 to {MAX_NAME} characters", ("name",))
    for field in ("name", "description", "rubric_instructions"):
        text: str | None = getattr(stated, field)
        if text is not None and len(text) > MAX_TEXT:
            raise Invalid(f"{field} has at most {MAX_TEXT} characters", (field,))
        if text is not None and "\0" in text:
            raise Invalid(f"{field} must not contain the NUL character", (field,))
    needed = stated.num_reviewers_per_item
    if isinstance(needed, int) and not 1 <= needed <= MAX_REVIEWERS:
        raise Invalid(f"{needed} is not within 1 and {MAX_REVIEWERS}", ("num_reviewers_per_item",))
    minutes = stated.reservation_minutes
    if minutes is not None and not 1 <= minutes <= MAX_RESERVATION_MINUTES:
        raise Invalid(f"{minutes} is not within 1 and {MAX_RESERVATION_MINUTES}", ("reservation_minutes",))
    if stated.rubric_items is not None:
        check_rubric(stated.rubric_items)
