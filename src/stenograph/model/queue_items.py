"""Items of annotation queues: the runs and threads that wait, and where each reviewer stands with them.

    waiting  -- viewed -->  reserved for a while  -- completed, by as many as the queue needs -->  completed

"Waiting" is a matter of who asks: an item that others have reserved, or that this reviewer is done with, needs
others' review and not theirs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class ItemKind(StrEnum):
    """What an item holds."""

    RUN = "run"
    THREAD = "thread"


class Section(StrEnum):
    """Where an item stands for one reviewer. `completed` is the same for all."""

    NEEDS_MY_REVIEW = "needs_my_review"
    NEEDS_OTHERS_REVIEW = "needs_others_review"
    COMPLETED = "completed"


class ReviewStatus(StrEnum):
    """What a reviewer has done with an item."""

    VIEWED = "viewed"
    COMPLETED = "completed"


class RunPlace(msgspec.Struct, frozen=True):
    """A run, which may not have arrived yet, and where it is said to be."""

    run_id: UUID
    project_id: UUID
    start_time: Micros


class ThreadPlace(msgspec.Struct, frozen=True):
    """A thread of a project; its start, if a client has told us."""

    project_id: UUID
    thread_id: str
    start_time: Micros | None = None


class QueueItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to review: a run, two runs to compare (`run` and `paired`), or a thread.

    A queue has one item for each `subject`. `archived_at` is when enough reviewers had completed it, None
    before. One that `keeps` has its trace count as judged: see model/retention.py.
    """

    id: UUID
    workspace: UUID
    queue_id: UUID
    added_at: Micros
    run: RunPlace | None = None
    paired: RunPlace | None = None
    thread: ThreadPlace | None = None
    source_proposed_example_id: UUID | None = None
    last_reviewed_time: Micros | None = None
    archived_at: Micros | None = None
    keeps: bool = True

    @property
    def kind(self) -> ItemKind:
        return ItemKind.RUN if self.thread is None else ItemKind.THREAD

    @property
    def subject(self) -> str:
        """What the item is about, in few bytes: two items with one subject are one. A pair has no order."""
        if self.thread is not None:
            # Clients choose thread ids of any length, and this is in an index.
            digest = hashlib.sha256(self.thread.thread_id.encode(errors="surrogatepass")).hexdigest()
            return f"thread {self.thread.project_id} {digest}"
        return " ".join(["run", *sorted(str(run.run_id) for run in self.runs)])

    @property
    def runs(self) -> tuple[RunPlace, ...]:
        return tuple(run for run in (self.run, self.paired) if run is not None)

    @property
    def start_time(self) -> Micros | None:
        place = self.thread or self.run
        return None if place is None else place.start_time

    @property
    def project_id(self) -> UUID | None:
        place = self.thread or self.run
        return None if place is None else place.project_id


class ItemPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to an item. None leaves a field as it is."""

    added_at: Micros | None = None
    last_reviewed_time: Micros | None = None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Where one reviewer stands with one item since `at`; a status of None: not begun.

    `override_added_at` is the item's place in this reviewer's order, instead of when it was added.
    """

    reviewer: UUID
    at: Micros
    status: ReviewStatus | None = None
    override_added_at: Micros | None = None


class Reviewed(msgspec.Struct, frozen=True):
    """A review as stored, and whether its item is completed."""

    review: Review
    is_archived: bool


class SeenItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as one reviewer sees it: its place in their order, and everybody's reviews, oldest first.

    `assigned_to` and `reserved_by` are reviewers; nobody reserves what is completed.
    """

    item: QueueItem
    effective_added_at: Micros
    reviews: tuple[Review, ...] = ()
    assigned_to: tuple[UUID, ...] = ()
    reserved_by: tuple[UUID, ...] = ()

    @property
    def completed_by(self) -> tuple[UUID, ...]:
        return tuple(each.reviewer for each in self.reviews if each.status is ReviewStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and when: reservations run out."""

    reviewer: UUID
    now: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSelection:
    """Which items of a queue. Everything given must hold; None says nothing.

    `archived` tells completed items from the others, whoever asks. `since` and `until` bound the start time,
    both inclusive, and leave out items that have none. `archived_after` and `archived_before` are exclusive.
    """

    workspace: UUID
    queue_id: UUID
    viewer: Viewer
    section: Section | None = None
    archived: bool | None = None
    kind: ItemKind | None = None
    since: Micros | None = None
    until: Micros | None = None
    archived_after: Micros | None = None
    archived_before: Micros | None = None


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place in a reviewer's order: right before an item, or right `after` it."""

    added_at: Micros
    item_id: UUID
    after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemQuery:
    """A page of items in the viewer's order: by effective time of adding, ties by id.

    It begins at `start`; with `backward` it ends there. A page is in the viewer's order either way.
    """

    selection: ItemSelection
    limit: int = 100
    offset: int = 0
    start: Boundary | None = None
    backward: bool = False


class Placement(msgspec.Struct, frozen=True):
    """Where an item stands for a reviewer: `position` counts from 0 within the section."""

    seen: SeenItem
    section: Section
    position: int
