"""What `store.api.AnnotationQueues` and `QueueItems` promise, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, Invalid
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.annotation_queues import (
    AccessMode,
    AnnotationQueue,
    AnnotationQueuePatch,
    ConditionRule,
    Conditions,
    QueueQuery,
    QueueSort,
    QueueType,
    RubricItem,
)
from stenograph.model.projects import Project
from stenograph.model.queue_items import (
    Boundary,
    ItemKind,
    ItemPatch,
    ItemQuery,
    ItemSelection,
    QueueItem,
    Review,
    ReviewStatus,
    RunPlace,
    Section,
    SeenItem,
    ThreadPlace,
    Viewer,
)
from stenograph.store.api import MetaStore

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE = DEFAULT_WORKSPACE
MINUTE = 60_000_000
NOW = 1_000 * MINUTE
ANN, BEN, CID = UUID(int=1), UUID(int=2), UUID(int=3)
VIEWED, COMPLETED = ReviewStatus.VIEWED, ReviewStatus.COMPLETED


def queue(name: str = "q", workspace: UUID = MINE, at: int = 1, **fields: Any) -> AnnotationQueue:
    plain = AnnotationQueue(id=uuid4(), workspace=workspace, name=name, created_at=at, updated_at=at)
    return msgspec.structs.replace(plain, **fields)


def place(project: UUID | None = None, start: int = 7) -> RunPlace:
    return RunPlace(uuid4(), project or uuid4(), start)


def item(of: AnnotationQueue, at: int = 1, **fields: Any) -> QueueItem:
    fields.setdefault("run", None if "thread" in fields else place())
    return QueueItem(id=uuid4(), workspace=of.workspace, queue_id=of.id, added_at=at, **fields)


async def filled(store: MetaStore, count: int = 3, **fields: Any) -> tuple[AnnotationQueue, list[QueueItem]]:
    """A stored queue with that many items, added one microsecond after the other from 1."""
    made = queue(**fields)
    await store.annotation_queues.create(made)
    items = await store.queue_items.add(MINE, made.id, [item(made, n + 1) for n in range(count)])
    assert items is not None
    return made, items


def seen_as(of: AnnotationQueue, reviewer: UUID, now: int = NOW, **fields: Any) -> ItemSelection:
    return ItemSelection(workspace=of.workspace, queue_id=of.id, viewer=Viewer(reviewer, now), **fields)


async def sections(
    store: MetaStore, of: AnnotationQueue, reviewer: UUID, now: int = NOW
) -> tuple[list[UUID], list[UUID], list[UUID]]:
    """Ids of the items that need this reviewer, that need others, and that are completed."""
    found = []
    for section in Section:
        chosen = seen_as(of, reviewer, now, section=section)
        page = await store.queue_items.page(ItemQuery(selection=chosen))
        assert await store.queue_items.count(chosen) == len(page)
        for position, seen in enumerate(page):
            placement = await store.queue_items.place(MINE, seen.item.id, chosen.viewer)
            assert placement is not None
            assert (placement.section, placement.position, placement.seen) == (section, position, seen)
        found.append(ids(page))
    return found[0], found[1], found[2]


def ids(page: list[SeenItem]) -> list[UUID]:
    return [seen.item.id for seen in page]


def review(reviewer: UUID, status: ReviewStatus | None, at: int = NOW, **fields: Any) -> Review:
    return Review(reviewer=reviewer, at=at, status=status, **fields)


# ---- queues ----------------------------------------------------------------------------------------------


def test_a_queue_comes_back_as_it_went_in(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        full = queue(
            "Ünïcode 🎉",
            description="",
            queue_type=QueueType.PAIRWISE,
            default_dataset=uuid4(),
            num_reviewers_per_item=None,
            enable_reservations=False,
            reservation_minutes=90,
            reviewer_access_mode=AccessMode.ASSIGNED,
            rubric_items=(
                RubricItem(feedback_key="a", value_descriptions={"x": "y"}, is_required=True),
                RubricItem(
                    feedback_key="b",
                    required_if=Conditions("any", (ConditionRule("a", "is", (0.5,)),)),
                    visible_if=None,
                    regex_validator=r"^\d+$",
                ),
            ),
            rubric_instructions="look",
            metadata=b'{"a": [1, 2.50]}',
        )
        await store.annotation_queues.create(full)
        assert await store.annotation_queues.read(MINE, full.id) == full
        assert await store.annotation_queues.read(OTHER, full.id) is None
        with pytest.raises(Conflict, match=str(full.id)):
            await store.annotation_queues.create(queue(id=full.id))
        foreign = queue(id=full.id, workspace=OTHER)
        await store.annotation_queues.create(foreign)
        assert await store.annotation_queues.read(OTHER, full.id) == foreign
        with pytest.raises(Invalid):
            await store.annotation_queues.create(queue("nul \0"))

    meta(work)


def test_queues_are_listed_by_any_condition_and_order(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        dataset, run = uuid4(), place()
        first = queue("Alpha", at=3, updated_at=9, default_dataset=dataset)
        second = queue("beta", at=2, updated_at=8, queue_type=QueueType.PAIRWISE)
        third = queue("alphabet 100%", at=1, updated_at=7)
        for each in (first, second, third, queue("Alpha", workspace=OTHER, default_dataset=dataset)):
            await store.annotation_queues.create(each)
        await store.annotation_queues.assign(MINE, third.id, ANN, at=7)
        pair = item(second, run=place(), paired=run)
        await store.queue_items.add(MINE, second.id, [pair])
        thread = item(third, thread=ThreadPlace(uuid4(), "t"))
        await store.queue_items.add(MINE, third.id, [item(third, run=run), item(third), thread])

        async def find(**conditions: Any) -> list[str]:
            found = await store.annotation_queues.find(QueueQuery(workspace=MINE, **conditions))
            return [each.queue.name for each in found]

        assert await find() == ["Alpha", "beta", "alphabet 100%"]
        assert await find(descending=False) == ["alphabet 100%", "beta", "Alpha"]
        assert await find(sort=QueueSort.NAME, descending=False) == ["Alpha", "alphabet 100%", "beta"]
        assert await find(sort=QueueSort.UPDATED_AT) == ["Alpha", "beta", "alphabet 100%"]
        assert await find(sort=QueueSort.TOTAL_RUNS) == ["alphabet 100%", "beta", "Alpha"]
        assert await find(offset=1, limit=1) == ["beta"]
        assert await find(ids=(first.id, second.id)) == ["Alpha", "beta"]
        assert await find(ids=()) == []
        assert await find(name="Alpha") == ["Alpha"]
        assert await find(name="alpha") == []
        assert await find(name_contains="ALPHA") == ["Alpha", "alphabet 100%"]
        assert await find(name_contains="%") == ["alphabet 100%"]
        assert await find(dataset=dataset) == ["Alpha"]
        assert await find(queue_type=QueueType.PAIRWISE) == ["beta"]
        assert await find(reviewer=ANN) == ["alphabet 100%"]
        assert await find(reviewer=BEN) == []
        assert await find(run=run.run_id) == ["beta", "alphabet 100%"]
        assert await find(run=pair.id) == []
        (listed,) = await store.annotation_queues.find(QueueQuery(workspace=MINE, reviewer=ANN))
        assert listed.total_runs == 2
        assert listed.queue.reviewers == (ANN,)

    meta(work)


def test_a_patch_changes_what_it_states(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        before = queue(description="d", metadata=b"{}", num_reviewers_per_item=2)
        await store.annotation_queues.create(before)

        async def patched(**fields: Any) -> AnnotationQueue | None:
            return await store.annotation_queues.update(MINE, before.id, AnnotationQueuePatch(**fields), at=5)

        assert await patched() == msgspec.structs.replace(before, updated_at=5)
        expected = msgspec.structs.replace(
            before, updated_at=5, name="n", metadata=None, num_reviewers_per_item=None
        )
        assert await patched(name="n", metadata=None, num_reviewers_per_item=None) == expected
        assert await store.annotation_queues.read(MINE, before.id) == expected
        (found,) = await store.annotation_queues.find(QueueQuery(workspace=MINE, name_contains="N"))
        assert found.queue == expected
        nothing = AnnotationQueuePatch(name="stolen")
        assert await store.annotation_queues.update(OTHER, before.id, nothing, at=9) is None
        assert await store.annotation_queues.read(MINE, before.id) == expected

    meta(work)


def test_conditions_of_a_rubric_stay_until_they_are_stated(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        when = Conditions("all", (ConditionRule("a", "is_empty"),))
        made = queue(
            rubric_items=(RubricItem(feedback_key="a"), RubricItem(feedback_key="b", required_if=when))
        )
        await store.annotation_queues.create(made)

        async def required_if(*items: RubricItem) -> Any:
            patch = AnnotationQueuePatch(rubric_items=items)
            changed = await store.annotation_queues.update(MINE, made.id, patch, at=5)
            assert changed == await store.annotation_queues.read(MINE, made.id)
            assert changed is not None
            assert changed.rubric_items is not None
            assert [each.feedback_key for each in changed.rubric_items] == [
                each.feedback_key for each in items
            ]
            return changed.rubric_items[-1].required_if

        a, b = RubricItem(feedback_key="a"), RubricItem(feedback_key="b")
        assert await required_if(a, msgspec.structs.replace(b, description="new")) == when
        assert await required_if(a, msgspec.structs.replace(b, required_if=None)) is None
        assert await required_if(a, b) is msgspec.UNSET
        assert await required_if(a, msgspec.structs.replace(b, required_if=when)) == when
        assert await required_if(b, a) is msgspec.UNSET
        assert await required_if(a, msgspec.structs.replace(b, required_if=when)) == when
        assert await required_if(b) is None  # nothing asks for what it depends on

    meta(work)


def test_reviewers_are_assigned_once_and_in_order(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = queue()
        queues = store.annotation_queues
        await queues.create(made)
        assert await queues.assign(OTHER, made.id, ANN, at=5) is None
        assert await queues.unassign(MINE, made.id, ANN, at=5) == made
        for reviewer, at in ((CID, 5), (ANN, 6), (CID, 7)):
            await queues.assign(MINE, made.id, reviewer, at)
        found = await queues.read(MINE, made.id)
        assert found == msgspec.structs.replace(made, reviewers=(CID, ANN), updated_at=6)
        assert await queues.unassign(OTHER, made.id, CID, at=8) is None
        changed = await queues.unassign(MINE, made.id, CID, at=8)
        assert changed == msgspec.structs.replace(made, reviewers=(ANN,), updated_at=8)
        assert await queues.read(MINE, made.id) == changed

    meta(work)


def test_deleting_a_queue_deletes_its_items(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        gone, (lost, *_) = await filled(store)
        kept, (still, *_) = await filled(store)
        await store.annotation_queues.assign(MINE, gone.id, ANN, at=1)
        await store.queue_items.review(MINE, lost.id, review(ANN, VIEWED))
        assert await store.annotation_queues.delete(OTHER, [gone.id]) == []
        assert await store.annotation_queues.delete(MINE, [gone.id, uuid4()]) == [gone.id]
        assert await store.annotation_queues.delete(MINE, []) == []
        assert await store.annotation_queues.read(MINE, gone.id) is None
        assert await store.queue_items.read(MINE, lost.id) is None
        assert await store.queue_items.review(MINE, lost.id, review(ANN, VIEWED)) is None
        assert await store.queue_items.page(ItemQuery(selection=seen_as(gone, ANN))) == []
        assert await store.queue_items.count(seen_as(gone, ANN)) == 0
        assert await store.queue_items.add(MINE, gone.id, [item(gone)]) is None
        assert await store.queue_items.read(MINE, still.id) == still
        # What is made under the same id begins anew.
        await store.annotation_queues.create(queue(id=gone.id))
        found = await store.annotation_queues.read(MINE, gone.id)
        assert found is not None
        assert found.reviewers == ()
        assert await store.annotation_queues.delete(MINE, [kept.id, gone.id]) != []

    meta(work)


# ---- items -----------------------------------------------------------------------------------------------


def test_items_come_back_as_they_went_in_and_a_subject_is_there_once(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, other = queue(), queue()
        await store.annotation_queues.create(made)
        await store.annotation_queues.create(other)
        single = item(made, 1, source_proposed_example_id=uuid4())
        pair = item(made, 2, run=place(), paired=place())
        short = item(made, 3, thread=ThreadPlace(uuid4(), "t" * 5000, 9))
        startless = item(made, 4, thread=ThreadPlace(short.project_id or uuid4(), "t" * 5001))
        given = [single, pair, short, startless]
        assert await store.queue_items.add(MINE, made.id, given) == given
        for each in given:
            assert await store.queue_items.read(MINE, each.id) == each
            assert await store.queue_items.read(OTHER, each.id) is None
        turned = item(made, 9, run=pair.paired, paired=pair.run)
        again = [item(made, 9, run=single.run), turned, item(made, 9, thread=short.thread)]
        fresh = item(made, 9)
        twice = item(made, 9, run=fresh.run)
        added = await store.queue_items.add(MINE, made.id, [*again, fresh, twice])
        assert added == [single, pair, short, fresh]
        elsewhere = item(other, run=single.run)
        assert await store.queue_items.add(MINE, other.id, [elsewhere]) == [elsewhere]
        assert await store.queue_items.add(MINE, other.id, []) == []
        assert await store.queue_items.add(OTHER, made.id, [item(queue(id=made.id, workspace=OTHER))]) is None

    meta(work)


def test_pages_follow_the_order_of_adding(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, items = await filled(store, 5)
        chosen = seen_as(made, ANN)
        order = [each.id for each in items]

        async def page(**fields: Any) -> list[UUID]:
            return ids(await store.queue_items.page(ItemQuery(selection=chosen, **fields)))

        assert await page() == order
        assert await page(offset=1, limit=2) == order[1:3]
        assert await page(offset=5) == []
        middle = items[2]
        before, after = (Boundary(middle.added_at, middle.id, after) for after in (False, True))
        assert await page(start=before, limit=2) == order[2:4]
        assert await page(start=after, limit=2) == order[3:]
        assert await page(start=before, backward=True, limit=1) == order[1:2]
        assert await page(start=after, backward=True, limit=2) == order[1:3]
        # One reviewer's order is theirs alone.
        await store.queue_items.review(MINE, order[0], review(ANN, None, override_added_at=4))
        (moved,) = [
            seen
            for seen in await store.queue_items.page(ItemQuery(selection=chosen))
            if seen.effective_added_at != seen.item.added_at
        ]
        assert (moved.item.id, moved.effective_added_at, moved.item.added_at) == (order[0], 4, 1)
        assert set((await page())[2:4]) == {order[0], order[3]}  # a tie falls to the id
        assert await page(offset=4) == order[4:]
        walked: list[UUID] = []
        start = None
        while found := await store.queue_items.page(ItemQuery(selection=chosen, start=start, limit=1)):
            walked += ids(found)
            start = Boundary(found[0].effective_added_at, found[0].item.id, True)
        assert walked == await page()
        theirs = replace(chosen, viewer=Viewer(BEN, NOW))
        assert ids(await store.queue_items.page(ItemQuery(selection=theirs))) == order

    meta(work)


def test_items_are_chosen_by_kind_and_time(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = queue()
        await store.annotation_queues.create(made)
        early, late = item(made, 1, run=place(start=10)), item(made, 2, run=place(start=20))
        thread = item(made, 3, thread=ThreadPlace(uuid4(), "t", 20))
        startless = item(made, 4, thread=ThreadPlace(uuid4(), "t"))
        await store.queue_items.add(MINE, made.id, [early, late, thread, startless])
        await store.queue_items.review(MINE, early.id, review(ANN, COMPLETED, at=NOW))

        async def chosen(**fields: Any) -> list[UUID]:
            selection = seen_as(made, ANN, **fields)
            found = ids(await store.queue_items.page(ItemQuery(selection=selection)))
            assert await store.queue_items.count(selection) == len(found)
            return found

        assert await chosen(kind=ItemKind.RUN) == [early.id, late.id]
        assert await chosen(kind=ItemKind.THREAD) == [thread.id, startless.id]
        assert await chosen(since=10) == [early.id, late.id, thread.id]
        assert await chosen(since=11) == [late.id, thread.id]
        assert await chosen(until=19) == [early.id]
        assert await chosen(since=20, until=20, kind=ItemKind.RUN) == [late.id]
        assert await chosen(archived=True) == [early.id]
        assert await chosen(archived=False) == [late.id, thread.id, startless.id]
        assert await chosen(archived_after=NOW - 1, archived_before=NOW + 1) == [early.id]
        assert await chosen(archived_after=NOW) == []
        assert await chosen(archived_before=NOW) == []
        placement = await store.queue_items.place(MINE, thread.id, Viewer(ANN, NOW))
        assert placement is not None
        assert placement.position == 1
        placement = await store.queue_items.place(MINE, thread.id, Viewer(ANN, NOW), ItemKind.THREAD)
        assert placement is not None
        assert placement.position == 0
        assert await store.queue_items.place(OTHER, thread.id, Viewer(ANN, NOW)) is None

    meta(work)


def test_items_are_changed_by_their_id_or_their_run(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, (first, second, third) = await filled(store)
        assert first.run is not None
        assert second.run is not None
        changed = msgspec.structs.replace(first, added_at=9)
        assert await store.queue_items.update(MINE, made.id, first.id, ItemPatch(added_at=9)) == [changed]
        again = msgspec.structs.replace(changed, last_reviewed_time=4)
        patch = ItemPatch(last_reviewed_time=4)
        assert await store.queue_items.update(MINE, made.id, first.run.run_id, patch) == [again]
        assert await store.queue_items.update(MINE, made.id, first.id, ItemPatch()) == [again]
        assert await store.queue_items.read(MINE, first.id) == again
        for workspace, of, which in (
            (OTHER, made.id, first.id),
            (MINE, uuid4(), first.id),
            (MINE, made.id, made.id),
        ):
            assert await store.queue_items.update(workspace, of, which, patch) == []
        assert await store.queue_items.delete(OTHER, made.id, [first.id]) == 0
        assert await store.queue_items.delete(MINE, uuid4(), [first.id]) == 0
        assert await store.queue_items.delete(MINE, made.id, [first.id, second.run.run_id, uuid4()]) == 2
        assert ids(await store.queue_items.page(ItemQuery(selection=seen_as(made, ANN)))) == [third.id]

    meta(work)


def test_all_items_are_deleted_but_some(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, (first, second, third) = await filled(store)
        _, (elsewhere, *_) = await filled(store)
        assert second.run is not None
        assert await store.queue_items.delete_all(OTHER, made.id) == 0
        assert await store.queue_items.delete_all(MINE, made.id, [first.id, second.run.run_id, uuid4()]) == 1
        assert await store.queue_items.read(MINE, third.id) is None
        assert await store.queue_items.delete_all(MINE, made.id) == 2
        assert await store.queue_items.read(MINE, elsewhere.id) == elsewhere

    meta(work)


def test_items_go_with_their_runs_and_projects(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, (first, second, third) = await filled(store)
        foreign = queue(workspace=OTHER)
        await store.annotation_queues.create(foreign)
        theirs = item(foreign, run=first.run)
        await store.queue_items.add(OTHER, foreign.id, [theirs])
        assert first.run is not None
        pair = item(made, 5, run=place(), paired=second.run)
        await store.queue_items.add(MINE, made.id, [pair])
        many = [uuid4() for _ in range(20_000)]
        assert second.run is not None
        assert await store.queue_items.forget(MINE, [first.run.run_id, *many, second.run.run_id]) == 3
        assert await store.queue_items.read(OTHER, theirs.id) == theirs
        assert await store.queue_items.read(MINE, third.id) == third
        project = Project(id=uuid4(), workspace=MINE, name="p", start_time=1, created_at=1, modified_at=1)
        await store.projects.create(project)
        there = [
            item(made, 6, run=place(project.id)),
            item(made, 6, run=place(), paired=place(project.id)),
            item(made, 6, thread=ThreadPlace(project.id, "t")),
        ]
        await store.queue_items.add(MINE, made.id, there)
        await store.queue_items.add(OTHER, foreign.id, [item(foreign, run=place(project.id))])
        await store.projects.delete(MINE, [project.id], at=9)
        assert ids(await store.queue_items.page(ItemQuery(selection=seen_as(made, ANN)))) == [third.id]
        assert await store.queue_items.count(seen_as(foreign, ANN)) == 2

    meta(work)


# ---- reviews ---------------------------------------------------------------------------------------------


def test_one_review_completes_an_item_and_its_withdrawal_brings_it_back(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, items = await filled(store)
        first, *rest = [each.id for each in items]
        assert await sections(store, made, ANN) == ([first, *rest], [], [])
        reviewed = await store.queue_items.review(MINE, first, review(ANN, COMPLETED))
        assert reviewed is not None
        assert (reviewed.review, reviewed.is_archived) == (review(ANN, COMPLETED), True)
        for reviewer in (ANN, BEN):
            assert await sections(store, made, reviewer) == (rest, [], [first])
        stored = await store.queue_items.read(MINE, first)
        assert stored is not None
        assert (stored.archived_at, stored.last_reviewed_time) == (NOW, NOW)
        # Looking at it again changes nothing.
        viewed = await store.queue_items.review(MINE, first, review(ANN, VIEWED, at=NOW + 1))
        assert viewed == reviewed
        await store.queue_items.review(MINE, first, review(BEN, VIEWED, at=NOW + 1))
        assert await sections(store, made, CID, NOW + 1) == (rest, [], [first])
        withdrawn = await store.queue_items.review(MINE, first, review(ANN, None, at=NOW + 2))
        assert withdrawn is not None
        assert not withdrawn.is_archived
        assert await sections(store, made, CID, NOW + 2 * MINUTE) == ([first, *rest], [], [])
        assert await store.queue_items.review(OTHER, first, review(ANN, COMPLETED)) is None
        assert await store.queue_items.review(MINE, uuid4(), review(ANN, COMPLETED)) is None

    meta(work)


def test_a_reservation_keeps_others_away_and_ends_by_itself(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, items = await filled(store, 2, reservation_minutes=10)
        first, second = (each.id for each in items)
        await store.queue_items.review(MINE, first, review(ANN, VIEWED))
        assert await sections(store, made, ANN) == ([first, second], [], [])
        last = NOW + 10 * MINUTE - 1
        for now in (NOW, last):
            assert await sections(store, made, BEN, now) == ([second], [first], [])
            seen = await store.queue_items.page(ItemQuery(selection=seen_as(made, BEN, now)))
            assert [each.reserved_by for each in seen] == [(ANN,), ()]
        with pytest.raises(Conflict):
            await store.queue_items.review(MINE, first, review(BEN, VIEWED, at=last))
        over = last + 1
        assert await sections(store, made, BEN, over) == ([first, second], [], [])
        await store.queue_items.review(MINE, first, review(BEN, VIEWED, at=over))
        assert await sections(store, made, ANN, over) == ([second], [first], [])
        # Completing needs no reservation, and giving it up frees the item.
        await store.queue_items.review(MINE, first, review(BEN, None, at=over))
        assert await sections(store, made, ANN, over) == ([first, second], [], [])
        await store.queue_items.review(MINE, second, review(BEN, VIEWED, at=over))
        await store.queue_items.review(MINE, second, review(ANN, COMPLETED, at=over))
        (seen_first, seen_second) = await store.queue_items.page(
            ItemQuery(selection=seen_as(made, CID, over))
        )
        assert (seen_second.reserved_by, seen_second.completed_by) == ((), (ANN,))
        assert seen_first.item.last_reviewed_time is None

    meta(work)


def test_without_reservations_everybody_sees_everything(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, (only,) = await filled(store, 1, enable_reservations=False)
        for reviewer in (ANN, BEN):
            await store.queue_items.review(MINE, only.id, review(reviewer, VIEWED))
        for reviewer in (ANN, BEN, CID):
            assert await sections(store, made, reviewer) == ([only.id], [], [])
        (seen,) = await store.queue_items.page(ItemQuery(selection=seen_as(made, ANN)))
        assert seen.reserved_by == ()
        assert [each.reviewer for each in seen.reviews] == [ANN, BEN]

    meta(work)


def test_several_reviewers_for_each_item(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, (only,) = await filled(store, 1, num_reviewers_per_item=2)
        await store.queue_items.review(MINE, only.id, review(ANN, COMPLETED))
        assert await sections(store, made, ANN) == ([], [only.id], [])
        assert await sections(store, made, BEN) == ([only.id], [], [])
        # Ann is done and Ben is at it: that makes two.
        await store.queue_items.review(MINE, only.id, review(BEN, VIEWED))
        assert await sections(store, made, BEN) == ([only.id], [], [])
        assert await sections(store, made, CID) == ([], [only.id], [])
        with pytest.raises(Conflict):
            await store.queue_items.review(MINE, only.id, review(CID, VIEWED))
        reviewed = await store.queue_items.review(MINE, only.id, review(BEN, COMPLETED, at=NOW + 5))
        assert reviewed is not None
        assert reviewed.is_archived
        assert await sections(store, made, CID) == ([], [], [only.id])

    meta(work)


def test_assigned_reviewers_all_have_to_agree(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, (only,) = await filled(store, 1, reviewer_access_mode=AccessMode.ASSIGNED)
        assert await sections(store, made, ANN) == ([], [only.id], [])
        for reviewer in (ANN, BEN):
            await store.annotation_queues.assign(MINE, made.id, reviewer, at=1)
        await store.queue_items.review(MINE, only.id, review(ANN, VIEWED))
        assert await sections(store, made, BEN) == ([only.id], [], [])  # each has a place of their own
        await store.queue_items.review(MINE, only.id, review(BEN, VIEWED))
        await store.queue_items.review(MINE, only.id, review(ANN, COMPLETED))
        assert await sections(store, made, ANN) == ([], [only.id], [])
        assert await sections(store, made, BEN) == ([only.id], [], [])
        assert await sections(store, made, CID) == ([], [only.id], [])
        (seen,) = await store.queue_items.page(ItemQuery(selection=seen_as(made, ANN)))
        assert (seen.assigned_to, seen.reserved_by, seen.completed_by) == ((ANN, BEN), (BEN,), (ANN,))
        # Whom the queue has let go is not waited for.
        await store.annotation_queues.unassign(MINE, made.id, BEN, at=NOW + 7)
        assert await sections(store, made, BEN) == ([], [], [only.id])
        stored = await store.queue_items.read(MINE, only.id)
        assert stored is not None
        assert stored.archived_at == NOW + 7
        await store.annotation_queues.assign(MINE, made.id, CID, at=NOW + 8)
        assert await sections(store, made, CID) == ([only.id], [], [])
        await store.annotation_queues.unassign(MINE, made.id, CID, at=NOW + 9)
        await store.annotation_queues.unassign(MINE, made.id, ANN, at=NOW + 9)
        assert await sections(store, made, ANN) == ([], [only.id], [])  # nobody is left to complete it

    meta(work)


def test_changing_how_many_are_needed_counts_anew(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, items = await filled(store, 2, num_reviewers_per_item=2)
        first, second = (each.id for each in items)
        await store.queue_items.review(MINE, first, review(ANN, COMPLETED))
        for reviewer in (ANN, BEN):
            await store.queue_items.review(MINE, second, review(reviewer, COMPLETED))
        assert await sections(store, made, CID) == ([first], [], [second])

        async def need(count: int | None, at: int) -> None:
            await store.annotation_queues.update(
                MINE, made.id, AnnotationQueuePatch(num_reviewers_per_item=count), at
            )

        await need(1, NOW + 1)
        assert await sections(store, made, CID) == ([], [], [first, second])
        stored = [await store.queue_items.read(MINE, each) for each in (first, second)]
        assert [each.archived_at for each in stored if each] == [NOW + 1, NOW]
        await need(3, NOW + 2)
        assert await sections(store, made, CID) == ([first, second], [], [])
        # None is everybody who is assigned, or one where nobody is.
        await need(None, NOW + 3)
        assert await sections(store, made, CID) == ([], [], [first, second])
        await store.annotation_queues.assign(MINE, made.id, ANN, NOW + 4)
        await store.annotation_queues.assign(MINE, made.id, BEN, NOW + 4)
        assert await sections(store, made, CID) == ([first], [], [second])

    meta(work)


def test_of_two_views_at_once_one_gets_the_place(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, (only,) = await filled(store, 1)
        outcomes = await asyncio.gather(
            *(store.queue_items.review(MINE, only.id, review(UUID(int=n), VIEWED)) for n in range(1, 6)),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 4
        (seen,) = await store.queue_items.page(ItemQuery(selection=seen_as(made, CID)))
        assert len(seen.reserved_by) == 1

    meta(work)
