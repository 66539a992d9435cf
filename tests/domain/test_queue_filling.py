"""Annotation queues that fill themselves, on the real embedded stores: no run is lost and none is doubled, whatever
order it comes in and whenever the process ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest

from stenograph.domain.annotation import filling as module
from stenograph.domain.annotation.filling import QueueFilling
from stenograph.domain.annotation.items import QueueItems
from stenograph.domain.annotation.queues import AnnotationQueues
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.recording.recorder import Pace, Recorder
from stenograph.domain.runs import RunReader
from stenograph.errors import Invalid, NotFound, StoreUnavailable
from stenograph.model.annotation_queues import AnnotationQueue, AnnotationQueuePatch, QueueType
from stenograph.model.filters import (
    And,
    Compare,
    Field,
    Filter,
    Op,
    PairKind,
    PairTest,
    Part,
    TestOp,
    TraceCount,
    all_of,
)
from stenograph.model.queue_items import ItemQuery, ItemSelection
from stenograph.store.blobs import Blobs
from tests.recording import EAGER, MINE, OTHER, PATIENT, SECOND, START, House, create, finish, judgement

FILTERS = b'[{"name": "wanted"}]'
BY_FEEDBACK = b'[{"feedback": "good"}]'
BY_TRACE = b'[{"runs of the trace": 2}]'
FOREVER = 3600.0


def read_filters(document: bytes) -> Filter:
    if document == FILTERS:
        return Compare(Field.NAME, Op.EQ, "wanted")
    if document == BY_FEEDBACK:
        return all_of([PairTest(PairKind.FEEDBACK, Part.KEY, TestOp.EQ, ("good",))])
    if document == BY_TRACE:
        return And((Compare(Field.IS_ROOT, Op.EQ, True), TraceCount(And(()), Op.GT, 1)))
    raise Invalid("means nothing", ("filters",))


class Office:
    """Queues and whoever fills them, on one recorder."""

    def __init__(self, here: House, recorder: Recorder) -> None:
        formulas = FeedbackFormulas(here.meta)
        blobs = Blobs.open(f"file://{here.folder / 'blobs'}")
        reader = RunReader(here.store, recorder, blobs, formulas, here.metrics)
        self.recorder = recorder
        self.queues = AnnotationQueues(here.meta)
        self.items = QueueItems(here.meta, reader)
        self.filling = QueueFilling(
            here.meta,
            here.store,
            recorder,
            reader,
            self.queues,
            self.items,
            read_filters,
            pause=FOREVER,
        )

    async def queue(self, filters: bytes | None = FILTERS, **more: object) -> AnnotationQueue:
        made = AnnotationQueue(
            id=uuid4(), workspace=MINE, name="q", created_at=1, updated_at=1, event_filters=filters
        )
        return await self.filling.create(made, ())

    async def record(self, name: str = "wanted", workspace: UUID = MINE) -> UUID:
        run = uuid4()
        await self.recorder.accept([create(run, name=name, workspace=workspace)], [])
        await self.recorder.accept([finish(run, workspace=workspace)], [])
        return run

    async def holds(self, queue: AnnotationQueue) -> list[UUID]:
        """The runs of a queue, once all that is recorded has been looked at."""
        await self.recorder.settle(MINE)
        await self.filling.look()
        return await self.items_of(queue)

    async def items_of(self, queue: AnnotationQueue) -> list[UUID]:
        viewer = self.items.viewer(uuid4())
        selection = ItemSelection(workspace=MINE, queue_id=queue.id, viewer=viewer)
        page = await self.items.page(ItemQuery(selection=selection, limit=100_000))
        return [seen.item.run.run_id for seen in page if seen.item.run is not None]


@contextlib.asynccontextmanager
async def office(here: House, pace: Pace = EAGER) -> AsyncIterator[Office]:
    async with here.recorder(pace) as recorder:
        yield Office(here, recorder)


def test_what_matches_from_now_on_is_added_once(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            await to.record()  # before the queue was there
            queue = await to.queue()
            first = await to.record()
            await to.record("other")
            assert await to.holds(queue) == [first]
            second = await to.record()
            assert await to.holds(queue) == [first, second]
            await to.recorder.accept([finish(first, error="late")], [])
            assert await to.holds(queue) == [first, second]

    on_house(work)


def test_a_run_that_comes_late_by_its_own_clock_is_added(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue()
            new, old = uuid4(), uuid4()
            for run, start in ((new, START), (old, START - 1000 * 86_400 * SECOND)):
                await to.recorder.accept([create(run, name="wanted", start_time=start)], [])
                assert run in await to.holds(queue)

    on_house(work)


def test_a_run_that_matches_later_is_added_then(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue, judged = await to.queue(), await to.queue(BY_FEEDBACK)
            run = await to.record("other")
            assert await to.holds(queue) == await to.items_of(judged) == []
            await to.recorder.accept([finish(run, name="wanted")], [])
            await to.recorder.accept([], [judgement(run)])
            assert await to.holds(queue) == await to.items_of(judged) == [run]

    on_house(work)


def test_a_root_that_matches_by_its_trace_is_added_then(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue(BY_TRACE)
            root = await to.record()
            assert await to.holds(queue) == []
            child = create(uuid4(), trace_id=root, parent_run_id=root)
            await to.recorder.accept([child], [])
            assert await to.holds(queue) == [root]

    on_house(work)


def test_an_open_run_that_is_not_written_yet_holds_up_nothing(on_house: Callable[..., None]) -> None:
    """What was acknowledged before others and is written after them is not passed over."""

    async def work(here: House) -> None:
        async with office(here, PATIENT) as to:
            queue = await to.queue()
            open_run, done = uuid4(), uuid4()
            both = [create(open_run, name="wanted"), create(done, name="wanted"), finish(done)]
            await to.recorder.accept(both, [])
            await to.filling.look()
            await to.recorder._flush()  # writes what is finished
            await to.filling.look()
            assert await to.items_of(queue) == [done]
            before = to.recorder.written_to([MINE])[MINE]
            assert await to.holds(queue) == [done, open_run]
            assert to.recorder.written_to([MINE])[MINE] > before

    on_house(work)


def test_nothing_is_lost_or_doubled_by_a_crash(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue()
            first = await to.record()
            assert await to.holds(queue) == [first]
            second = await to.record()
            await to.recorder.settle(MINE)  # in the run store, and not looked at
            await here.crash(to.recorder)
        async with office(here) as to:
            assert sorted(await to.holds(queue)) == sorted([first, second])
            third = await to.record()  # acknowledged, and nothing more
            await here.crash(to.recorder)
        async with office(here) as to:
            assert sorted(await to.holds(queue)) == sorted([first, second, third])

    on_house(work)


def test_items_that_could_not_be_added_are_added_later(
    on_house: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue()
            run = await to.record()

            async def away(*_: object) -> bool:
                raise StoreUnavailable("away")

            with monkeypatch.context() as patched:
                patched.setattr(to.filling._filling, "fill", away)
                with pytest.raises(StoreUnavailable):
                    await to.holds(queue)
            assert await to.holds(queue) == [run]

    on_house(work)


def test_more_than_a_page_is_looked_at(
    on_house: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 7)
    monkeypatch.setattr(module, "_AT_ONCE", 3)

    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue()
            runs = [await to.record() for _ in range(20)]
            together = [uuid4() for _ in range(20)]
            await to.recorder.accept([create(run, name="wanted") for run in together], [])
            assert sorted(await to.holds(queue)) == sorted([*runs, *together])

    on_house(work)


def test_a_disabled_queue_does_not_take_in_what_came_meanwhile(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue()
            before = await to.record()
            assert await to.holds(queue) == [before]
            await to.filling.update(MINE, queue.id, AnnotationQueuePatch(fills=False))
            await to.record()
            assert await to.holds(queue) == [before]
            await to.filling.update(MINE, queue.id, AnnotationQueuePatch(fills=True))
            after = await to.record()
            assert await to.holds(queue) == [before, after]

    on_house(work)


def test_other_filters_hold_from_then_on(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue(BY_FEEDBACK)
            await to.record()
            assert await to.holds(queue) == []
            await to.filling.update(MINE, queue.id, AnnotationQueuePatch(event_filters=FILTERS))
            after = await to.record()
            assert await to.holds(queue) == [after]
            await to.filling.update(MINE, queue.id, AnnotationQueuePatch(event_filters=None))
            await to.record()
            assert await to.holds(queue) == [after]

    on_house(work)


def test_removed_and_deleted_runs_stay_away(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue()
            run, other = await to.record(), await to.record()
            assert sorted(await to.holds(queue)) == sorted([run, other])
            await to.filling.update(MINE, queue.id, AnnotationQueuePatch(), remove=[run])
            await to.recorder.accept([finish(run, error="late")], [])
            assert await to.holds(queue) == [other]
            await to.filling.update(MINE, queue.id, AnnotationQueuePatch(), add=[run])
            assert sorted(await to.holds(queue)) == sorted([run, other])

    on_house(work)


def test_workspaces_are_filled_apart(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            queue = await to.queue()
            await to.record(workspace=OTHER)
            mine = await to.record()
            await to.recorder.settle(OTHER)
            assert await to.holds(queue) == [mine]

    on_house(work)


def test_a_queue_whose_filters_mean_nothing_any_more_holds_up_no_other(
    on_house: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            with monkeypatch.context() as patched:
                patched.setattr(to.filling, "_read_filters", lambda _: Compare(Field.NAME, Op.EQ, "x"))
                broken = await to.queue(b"[1]")
            queue = await to.queue()
            run = await to.record()
            assert await to.holds(queue) == [run]
            assert await to.items_of(broken) == []

    on_house(work)


def test_it_looks_by_itself_between_start_and_stop(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            looked, look = asyncio.Event(), to.filling.look

            async def look_and_tell() -> None:
                await look()
                looked.set()

            to.filling.look = look_and_tell  # type: ignore[method-assign]
            queue = await to.queue()
            run = await to.record()
            await to.recorder.settle(MINE)
            await to.filling.start()
            async with asyncio.timeout(30):
                await looked.wait()
            assert await to.items_of(queue) == [run]
            await to.filling.stop()

    on_house(work)


def test_what_cannot_be_is_refused_and_changes_nothing(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with office(here) as to:
            plain = AnnotationQueue(id=uuid4(), workspace=MINE, name="q", created_at=1, updated_at=1)
            pairs = AnnotationQueue(
                id=uuid4(),
                workspace=MINE,
                name="q",
                created_at=1,
                updated_at=1,
                queue_type=QueueType.PAIRWISE,
            )
            nobody = uuid4()
            with pytest.raises(Invalid, match=str(nobody)):
                await to.filling.create(plain, [nobody])
            with pytest.raises(NotFound):
                await to.queues.read(MINE, plain.id)
            await to.filling.create(pairs, [])
            for which, patch, add in (
                (pairs, AnnotationQueuePatch(event_filters=FILTERS), ()),
                (pairs, AnnotationQueuePatch(event_filters=b"[2]"), ()),
                (pairs, AnnotationQueuePatch(name="new"), (nobody,)),
            ):
                with pytest.raises(Invalid):
                    await to.filling.update(MINE, which.id, patch, add)
            assert (await to.queues.read(MINE, pairs.id)).name == "q"
            with pytest.raises(NotFound):
                await to.filling.update(MINE, uuid4(), AnnotationQueuePatch(name="new"))

    on_house(work)


@pytest.mark.parametrize(
    ("took", "rest"),
    [(0.01, module.PAUSE), (0.5, 4.5), (4.0, module.LATEST), (60.0, 60.0)],
    ids=["short", "a-tenth", "no-longer", "half"],
)
def test_a_long_look_rests_longer_but_nobody_waits_for_ever(took: float, rest: float) -> None:
    assert module.rest_after(took) == rest
