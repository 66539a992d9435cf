"""Annotation queues: a part of the metadata seam."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.annotation_queues import AnnotationQueue, AnnotationQueuePatch, ListedQueue, QueueQuery
from stenograph.model.queue_items import (
    ItemKind,
    ItemPatch,
    ItemQuery,
    ItemSelection,
    Placement,
    QueueItem,
    Review,
    Reviewed,
    SeenItem,
    Viewer,
)
from stenograph.model.runs import Micros


class AnnotationQueues(Protocol):
    """Annotation queues and who is assigned to them. Changing how many reviews an item needs, or whose count,
    completes the items that have enough by then and takes the others back, in the same step."""

    async def create(self, queue: AnnotationQueue) -> None:
        """Conflict, naming the id, when it is taken. Its `reviewers` are not looked at: see assign."""

    async def read(self, workspace: UUID, queue_id: UUID) -> AnnotationQueue | None: ...

    async def find(self, query: QueueQuery) -> list[ListedQueue]:
        """Names sort by code point; ties fall to the id, in the same direction."""

    async def update(
        self, workspace: UUID, queue_id: UUID, patch: AnnotationQueuePatch, at: Micros
    ) -> AnnotationQueue | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, queue_ids: Sequence[UUID]) -> list[UUID]:
        """The ids that were there. Their items and reviews go with them."""

    async def retire(self, workspace: UUID, queue_id: UUID, at: Micros) -> bool:
        """Whether there was one. It is gone for every reader from then on; its rows stay, for the operator."""

    async def assign(
        self, workspace: UUID, queue_id: UUID, reviewer: UUID, at: Micros
    ) -> AnnotationQueue | None:
        """As changed, or as it is when that reviewer is assigned already; None when there is no such queue."""

    async def unassign(
        self, workspace: UUID, queue_id: UUID, reviewer: UUID, at: Micros
    ) -> AnnotationQueue | None:
        """As changed, or as it is; None when there is no such queue. Reviews that were given stay."""


class QueueFilling(Protocol):
    """Queues that fill themselves. For the server itself: it sees all workspaces."""

    async def queues(self) -> list[AnnotationQueue]:
        """Those with filters that may fill themselves, by workspace; without their reviewers."""

    async def fill(self, queue: AnnotationQueue, items: Sequence[QueueItem], filled_to: int) -> bool:
        """Add the items whose runs the queue has not, and nobody has taken out of it; note how far it has looked.

        One step. False, and nothing is done, when the queue is gone, or fills itself in another way by now.
        """


class QueueItems(Protocol):
    """Items of annotation queues and the reviews of them. Items are seen through one reviewer's eyes."""

    async def add(
        self, workspace: UUID, queue_id: UUID, items: Sequence[QueueItem]
    ) -> list[QueueItem] | None:
        """One for each subject, in the order given: the item that the queue has of it, or else the one given.

        All or none; None when there is no such queue.
        """

    async def read(self, workspace: UUID, item_id: UUID) -> QueueItem | None: ...

    async def page(self, query: ItemQuery) -> list[SeenItem]:
        """In the viewer's order; empty when there is no such queue."""

    async def count(self, selection: ItemSelection) -> int: ...

    async def place(
        self, workspace: UUID, item_id: UUID, viewer: Viewer, kind: ItemKind | None = None
    ) -> Placement | None:
        """Where the item stands among those of its section, of all kinds or of one. None when there is none."""

    async def update(self, workspace: UUID, queue_id: UUID, which: UUID, patch: ItemPatch) -> list[QueueItem]:
        """The items of this id, or that hold this run, as changed."""

    async def delete(self, workspace: UUID, queue_id: UUID, which: Sequence[UUID]) -> int:
        """How many items there were of these ids, or that hold these runs. A queue that fills itself does not take
        their runs in again by itself; the same for delete_all."""

    async def delete_all(self, workspace: UUID, queue_id: UUID, but: Collection[UUID] = ()) -> int:
        """How many there were, those left out that `but` names by their ids or by their runs."""

    async def forget(self, workspace: UUID, run_ids: Sequence[UUID]) -> int:
        """Delete the items that hold these runs, in whatever queue; how many there were."""

    async def review(self, workspace: UUID, item_id: UUID, review: Review) -> Reviewed | None:
        """What is stored then, None when there is no such item.

        A view does not undo a completion, and without an `override_added_at` the former one stays. Conflict for
        a view of an item whose places others have taken: of two at once, one gets the last.
        """
