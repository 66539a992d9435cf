"""Annotation queues that fill themselves, and those that are out of sight: what `store.api.QueueFilling`,
`AnnotationQueues.retire` and `RunStore.changed` promise."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.model.annotation_queues import AnnotationQueue, AnnotationQueuePatch, QueueQuery
from stenograph.model.query import Change
from stenograph.model.queue_items import ItemPatch, ItemQuery
from stenograph.store.api import MetaStore
from tests.store.conftest import OpenRuns
from tests.store.run_samples import feedback, ident, run, wait, write
from tests.store.test_queue_conformance import (
    ANN,
    COMPLETED,
    MINE,
    OTHER,
    filled,
    item,
    place,
    queue,
    review,
    seen_as,
)

FILTERS = b'[{"field": "x"}]'


async def runs_in(store: MetaStore, of: AnnotationQueue) -> list[UUID]:
    page = await store.queue_items.page(ItemQuery(selection=seen_as(of, ANN)))
    return [seen.item.run.run_id for seen in page if seen.item.run is not None]


def test_queues_that_fill_themselves_are_those_with_filters_that_may(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine = queue(event_filters=FILTERS, filled_to=3)
        theirs = queue(workspace=OTHER, event_filters=FILTERS)
        gone = queue(event_filters=FILTERS)
        for each in (mine, theirs, gone, queue(), queue(event_filters=FILTERS, fills=False)):
            await store.annotation_queues.create(each)
        assert await store.annotation_queues.retire(MINE, gone.id, at=1)
        assert await store.queue_filling.queues() == sorted(
            [mine, theirs], key=lambda each: each.workspace.bytes
        )
        assert await store.annotation_queues.read(MINE, mine.id) == mine
        query = QueueQuery(workspace=MINE, fills=False)
        assert [each.queue.fills for each in await store.annotation_queues.find(query)] == [False]
        assert len(await store.annotation_queues.find(QueueQuery(workspace=MINE, fills=True))) == 2

    meta(work)


def test_filling_adds_each_run_once_and_notes_how_far_it_got(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = queue(event_filters=FILTERS, filled_to=3)
        await store.annotation_queues.create(made)
        first, second = place(), place()
        fill = store.queue_filling.fill
        assert await fill(made, [item(made, run=first), item(made, 2, run=second)], 10)
        now = await store.annotation_queues.read(MINE, made.id)
        assert now == msgspec.structs.replace(made, filled_to=10)
        assert await fill(now, [item(made, 3, run=second)], 20)
        assert await runs_in(store, made) == [first.run_id, second.run_id]

    meta(work)


def test_what_was_taken_out_does_not_come_back_by_itself(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = queue(event_filters=FILTERS, filled_to=3)
        plain = queue()
        for each in (made, plain):
            await store.annotation_queues.create(each)
        places = [place() for _ in range(4)]
        items = [item(made, at, run=each) for at, each in enumerate(places)]
        fill, delete = store.queue_filling.fill, store.queue_items.delete
        assert await fill(made, items, 3)
        assert await delete(MINE, made.id, [places[0].run_id]) == 1
        assert await delete(MINE, made.id, [items[1].id]) == 1
        assert await store.queue_items.delete_all(MINE, made.id, [places[2].run_id]) == 1
        assert await fill(made, items, 3)
        assert await runs_in(store, made) == [places[2].run_id]
        assert await store.queue_items.add(MINE, made.id, [item(made, 9, run=places[0])])
        assert await store.queue_items.delete_all(MINE, made.id) == 2
        assert await fill(made, items, 3)
        assert await runs_in(store, made) == []
        # one that does not fill itself keeps no list
        await store.queue_items.add(MINE, plain.id, [item(plain, run=places[0])])
        assert await delete(MINE, plain.id, [places[0].run_id]) == 1
        changed = await store.annotation_queues.update(
            MINE, plain.id, AnnotationQueuePatch(event_filters=FILTERS), at=5
        )
        assert changed is not None
        assert await fill(changed, [item(plain, run=places[0])], 3)
        assert await runs_in(store, plain) == [places[0].run_id]

    meta(work)


@pytest.mark.parametrize(
    "patch",
    [
        AnnotationQueuePatch(fills=False, filled_to=4),
        AnnotationQueuePatch(event_filters=b"[]", filled_to=4),
        AnnotationQueuePatch(event_filters=None, filled_to=4),
    ],
)
def test_a_queue_that_was_changed_meanwhile_is_not_filled(
    meta: Callable[..., None], patch: AnnotationQueuePatch
) -> None:
    async def work(store: MetaStore) -> None:
        made = queue(event_filters=FILTERS, filled_to=3)
        await store.annotation_queues.create(made)
        after = await store.annotation_queues.update(MINE, made.id, patch, at=5)
        assert after is not None
        assert after.filled_to == 4
        assert not await store.queue_filling.fill(made, [item(made)], 10)
        assert await runs_in(store, made) == []
        assert await store.annotation_queues.read(MINE, made.id) == after
        missing = queue(event_filters=FILTERS)
        assert not await store.queue_filling.fill(missing, [item(missing)], 10)

    meta(work)


def test_a_change_of_something_else_goes_on_from_where_it_is(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = queue(event_filters=FILTERS, filled_to=3)
        await store.annotation_queues.create(made)
        patch = AnnotationQueuePatch(name="n", event_filters=FILTERS, fills=True, filled_to=9)
        after = await store.annotation_queues.update(MINE, made.id, patch, at=5)
        assert after == msgspec.structs.replace(made, name="n", updated_at=5)

    meta(work)


def test_a_retired_queue_is_gone_for_everybody(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, items = await filled(store, 2, event_filters=FILTERS)
        kept, _ = await filled(store, 1)
        queues, of_queues = store.annotation_queues, store.queue_items
        assert not await queues.retire(OTHER, made.id, at=5)
        assert await queues.retire(MINE, made.id, at=5)
        assert not await queues.retire(MINE, made.id, at=6)
        run_id = items[0].run.run_id if items[0].run else uuid4()
        assert await queues.read(MINE, made.id) is None
        assert [each.queue.id for each in await queues.find(QueueQuery(workspace=MINE))] == [kept.id]
        assert await queues.find(QueueQuery(workspace=MINE, run=run_id)) == []
        assert await queues.update(MINE, made.id, AnnotationQueuePatch(name="x"), at=7) is None
        assert await queues.assign(MINE, made.id, ANN, at=7) is None
        assert await queues.unassign(MINE, made.id, ANN, at=7) is None
        assert await queues.delete(MINE, [made.id]) == []
        assert await of_queues.add(MINE, made.id, [item(made)]) is None
        assert await of_queues.read(MINE, items[0].id) is None
        assert await of_queues.page(ItemQuery(selection=seen_as(made, ANN))) == []
        assert await of_queues.count(seen_as(made, ANN)) == 0
        assert await of_queues.place(MINE, items[0].id, seen_as(made, ANN).viewer) is None
        assert await of_queues.update(MINE, made.id, items[0].id, ItemPatch(added_at=7)) == []
        assert await of_queues.delete(MINE, made.id, [items[0].id]) == 0
        assert await of_queues.delete_all(MINE, made.id) == 0
        assert await of_queues.review(MINE, items[0].id, review(ANN, COMPLETED)) is None

    meta(work)


# -- what was written lately -------------------------------------------------------------------------------


def test_what_was_written_is_told_by_version(runs: OpenRuns, workspace: UUID) -> None:
    other = uuid4()
    write(runs.store, run(workspace, "a", version=10), run(workspace, "b", at=-9, root="a", version=30))
    write(runs.store, run(other, "c", version=20))
    write(runs.store, run(workspace, "a", version=20, error="later"))
    write(runs.store, run(workspace, "gone", version=40).tombstone(41))
    write(
        runs.store,
        feedback(workspace, "f", "judged", version=25),
        feedback(workspace, "of a project", None, version=26),
    )

    def changed(after: int, limit: int = 100) -> set[tuple[UUID, int]]:
        found = wait(runs.store.changed(workspace, after, limit))
        assert [each.version for each in found] == sorted(each.version for each in found)
        return {(each.run, each.version) for each in found}

    a, b, judged = (ident(workspace, label) for label in ("a", "b", "judged"))
    assert {(a, 20), (judged, 25), (b, 30), (ident(workspace, "gone"), 41)} <= changed(0)
    assert changed(20) == {(judged, 25), (b, 30), (ident(workspace, "gone"), 41)}
    assert changed(20, 1) == {(judged, 25)}
    assert changed(41) == set()
    assert wait(runs.store.changed(other, 0, 9)) == [Change(ident(other, "c"), ident(other, "c"), 20)]
    assert Change(b, a, 30) in wait(runs.store.changed(workspace, 0, 9))


def test_a_version_is_told_whole(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *(run(workspace, f"{n}", version=7) for n in range(20)))
    write(runs.store, run(workspace, "later", version=8))
    found = wait(runs.store.changed(workspace, 0, 3))
    assert len(found) == 20
    assert {each.version for each in found} == {7}
    (last,) = wait(runs.store.changed(workspace, 7, 3))
    assert (last.run, last.version) == (ident(workspace, "later"), 8)
