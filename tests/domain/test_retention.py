"""Deleting traces by age on the real embedded stores: what is due, what is spared, and what happens in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.domain.annotation.items import QueueItems, WantedRun
from stenograph.domain.attachments import attachment_key
from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.feedback.feedback import FeedbackService
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.projects.projects import Projects
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.retention import expiry as expiring
from stenograph.domain.retention import old_traces
from stenograph.domain.retention.expiry import SLACK, Expiry, batches
from stenograph.domain.retention.old_traces import OldTraces
from stenograph.domain.retention.rules import Going, Rules
from stenograph.domain.runs import RunReader
from stenograph.domain.sharing import Sharing
from stenograph.domain.trace_deletion import TraceDeletion
from stenograph.errors import Invalid, NotFound, StoreUnavailable
from stenograph.model.access import Workspace
from stenograph.model.annotation_queues import AnnotationQueue
from stenograph.model.projects import NewProject, Project
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.queue_items import ThreadPlace
from stenograph.model.retention import DAY, MAX_DAYS, Aged, OwnRetention, Retention, Tier, limits
from stenograph.model.runs import Attachment, Run
from stenograph.store.blobs import Blobs
from tests.recording import EAGER, MINE, OTHER, House, create, house, judgement

HOUR = DAY // 24


class Clock:
    """What the server takes for the time: that of the machine, and so many days more."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead * 1000

    def after(self, days: float) -> None:
        self.ahead = round(days * DAY)


@dataclass
class Desk:
    """The use-cases around one recorder, at a time that the test chooses."""

    house: House
    recorder: Recorder
    reader: RunReader
    projects: Projects
    feedback: FeedbackService
    items: QueueItems
    sharing: Sharing
    rules: Rules
    expiry: Expiry
    clock: Clock
    blobs: Blobs
    rests: list[float]

    async def project(self, name: str = "", workspace: UUID = MINE, **more: Any) -> UUID:
        new = NewProject(name=name or str(uuid4()), **more)
        return (await self.projects.create(workspace, new)).id

    async def trace(self, project: UUID, *starts: int, children: int = 0, **more: Any) -> UUID:
        """A root that starts now, or then, and children that start then."""
        now = time.time_ns() // 1000
        root = uuid4()
        start = starts[0] if starts else now
        made = [create(root, project_id=project, start_time=start, **more)]
        for begun in (*starts[1:], *[start] * children):
            made.append(
                create(uuid4(), project_id=project, trace_id=root, parent_run_id=root, start_time=begun)
            )
        await self.recorder.accept([msgspec.structs.replace(each, received_at=now) for each in made], [])
        return root

    async def ask(
        self, short: int | None = 30, long: int | None = None, workspace: UUID = MINE, **more: Any
    ) -> Retention:
        return await self.rules.ask(
            msgspec.structs.replace(
                self.rules.drafted(workspace, short, long, more.pop("tier", Tier.SHORT)), **more
            )
        )

    async def expire(self, days: float, workspace: UUID = MINE) -> tuple[int, int]:
        """A round so many days from now: traces and runs that it deleted."""
        self.clock.after(days)
        inbox = self.recorder._inbox  # positions go by the same clock
        inbox._last_position = max(inbox._last_position, self.clock() // 1000)
        asked = await self.house.meta.retention.read(workspace)
        assert asked is not None
        before = await self.rules.last_round(workspace)
        assert before is not None
        # As if rounds had gone on until now.
        caught_up = msgspec.structs.replace(before, looked_to=self.clock() // 1000, deleted_at=None)
        await self.house.meta.retention.note(workspace, caught_up)
        done = await self.expiry.expire(asked)
        return (done.traces, done.runs) if done.deleted_at is not None else (0, 0)

    async def left(self, workspace: UUID = MINE) -> set[UUID]:
        """Traces of which there is anything."""
        wanted = RunQuery(selection=RunSelection(workspace=workspace), columns=frozenset(), limit=100_000)
        return {run.trace_id for run in await self.reader.page(wanted)}

    async def queue(self) -> UUID:
        queue = AnnotationQueue(id=uuid4(), workspace=MINE, name=str(uuid4()), created_at=1, updated_at=1)
        await self.house.meta.annotation_queues.create(queue)
        return queue.id


@asynccontextmanager
async def desk(at: House) -> AsyncIterator[Desk]:
    blobs = Blobs.open((at.folder / "blobs").as_uri())
    async with at.recorder(EAGER) as recorder:
        configs = FeedbackConfigs(at.meta)
        reader = RunReader(at.store, recorder, blobs, FeedbackFormulas(at.meta), at.metrics)
        items, sharing, clock = QueueItems(at.meta, reader), Sharing(at.meta, reader), Clock()
        old = OldTraces(at.meta, at.store, recorder)
        rests: list[float] = []

        async def rest(seconds: float) -> None:
            rests.append(seconds)

        deletion = TraceDeletion(reader, sharing, items)
        expiry = Expiry(at.meta, old, deletion, at.metrics, clock=clock, rest=rest)
        yield Desk(
            at,
            recorder,
            reader,
            Projects(at.meta),
            FeedbackService(at.store, recorder, configs, at.metrics),
            items,
            sharing,
            Rules(at.meta, old, expiry.wake, clock=clock),
            expiry,
            clock,
            blobs,
            rests,
        )


Work = Callable[[Desk], Awaitable[None]]


@pytest.fixture
def at_desk(tmp_path: Path) -> Callable[[Work], None]:
    async def session(work: Work) -> None:
        async with house(tmp_path) as made, desk(made) as ready:
            await work(ready)

    return lambda work: asyncio.run(session(work))


At = Callable[[Work], None]

# -- the rule ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long", "tier", "own", "expected"),
    [
        (30, 90, Tier.SHORT, {}, (30, 90)),
        (30, None, Tier.SHORT, {}, (30, None)),
        (None, None, Tier.SHORT, {}, (None, None)),
        (None, 90, Tier.SHORT, {}, (None, None)),
        (30, 90, Tier.LONG, {}, (90, 90)),
        (30, None, Tier.LONG, {}, (None, None)),
        (30, 90, Tier.SHORT, {"tier": Tier.LONG}, (90, 90)),
        (30, 90, Tier.LONG, {"tier": Tier.SHORT}, (30, 90)),
        (30, 90, Tier.SHORT, {"tier": Tier.LONG, "long_days": 7}, (7, 7)),
        (30, 90, Tier.SHORT, {"long_days": 7}, (30, 30)),
        (30, 90, Tier.SHORT, {"long_days": 200}, (30, 200)),
        (30, 90, Tier.SHORT, {"tier": Tier.LONG, "long_days": MAX_DAYS}, (None, None)),
        (30, 90, Tier.SHORT, {"experiment": True}, (None, None)),
        (30, 90, Tier.SHORT, {"experiment": True, "tier": Tier.SHORT}, (30, 90)),
        (30, 90, Tier.SHORT, {"experiment": True, "tier": Tier.LONG}, (90, 90)),
    ],
)
def test_what_workspace_and_project_ask_for(
    short: int | None, long: int | None, tier: Tier, own: dict[str, Any], expected: tuple[int | None, ...]
) -> None:
    asked = Retention(workspace=MINE, short_days=short, long_days=long, tier=tier)
    said = OwnRetention(project=uuid4(), name="p", **own) if own else None
    assert limits(asked, said) == expected


def test_where_nobody_asked_a_projects_tier_means_nothing() -> None:
    own = OwnRetention(project=uuid4(), name="p", tier=Tier.LONG, long_days=1)
    assert limits(None, own) == (None, None)


# -- what goes ---------------------------------------------------------------------------------------------


def test_a_trace_goes_when_it_is_older_than_the_limit_and_not_before(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        trace = await at.trace(await at.project(), children=2)
        await at.ask(30)
        assert await at.expire(30 - 0.01) == (0, 0)
        assert await at.left() == {trace}
        assert await at.expire(30.01) == (1, 3)
        assert await at.left() == set()
        assert await at.expire(31) == (0, 0)

    at_desk(work)


def test_a_trace_goes_whole_its_files_and_links_too(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project = await at.project()
        trace = await at.trace(project, children=1, attachments=[Attachment("note", "text/plain", 5)])
        await at.blobs.put(attachment_key(MINE, trace, "note"), b"words")
        share = await at.sharing.share(MINE, trace)
        assert (await at.sharing.token(MINE, trace)) is not None
        await at.ask(30)
        assert await at.expire(31) == (1, 2)
        assert await at.sharing.token(MINE, trace) is None, share
        with pytest.raises(NotFound):
            await at.blobs.get(attachment_key(MINE, trace, "note"))

    at_desk(work)


def test_an_agent_that_works_for_weeks_is_not_cut_in_half(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        now = time.time_ns() // 1000
        trace = await at.trace(await at.project(), now - 40 * DAY, now + 20 * HOUR)
        await at.ask(30)
        assert await at.expire(30.5) == (0, 0)
        assert await at.left() == {trace}
        assert await at.expire(31) == (1, 2)

    at_desk(work)


def test_old_traces_that_are_imported_live_from_their_import(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        now = time.time_ns() // 1000
        trace = await at.trace(await at.project(), now - 400 * DAY)
        await at.ask(30)
        assert await at.expire(29) == (0, 0)
        assert await at.left() == {trace}
        assert await at.expire(31) == (1, 1)

    at_desk(work)


def test_a_run_that_is_changed_late_keeps_its_trace(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        now = time.time_ns() // 1000
        old, changed = [await at.trace(await at.project(), now - 400 * DAY) for _ in range(2)]
        await at.reader.count(RunSelection(workspace=MINE))
        (run,) = [each for each in await at.house.runs() if each.id == changed]
        later = msgspec.structs.replace(run, version=run.version + 20 * DAY)
        await at.house.store.write([later], [])
        await at.ask(30)
        assert await at.expire(31) == (1, 1)
        assert await at.left() == {changed} != {old}
        assert await at.expire(51) == (1, 1)

    at_desk(work)


@pytest.mark.parametrize("start", [9_214_646_400_000_000, 0, 1])
def test_a_start_in_the_year_2262_or_in_1970_neither_saves_nor_condemns(at_desk: At, start: int) -> None:
    async def work(at: Desk) -> None:
        project = await at.project()
        await at.trace(project, start)
        await at.trace(project)
        await at.ask(30)
        assert await at.expire(29) == (0, 0)
        assert await at.expire(31) == (2, 2)

    at_desk(work)


def test_what_was_written_while_the_clock_was_ahead_goes_by_when_it_came_in(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project, now = await at.project(), time.time_ns() // 1000
        ahead = [
            Run(workspace=MINE, id=run, project_id=project, trace_id=run, start_time=now, is_root=True,
                version=now + 3650 * DAY, received_at=received)
            for run, received in ((uuid4(), now), (uuid4(), now + 3650 * DAY))
        ]  # fmt: skip
        await at.house.store.write(ahead, [])
        at.recorder._inbox._last_position = now + 3651 * DAY  # positions never go back
        await at.ask(30)
        assert await at.expire(29) == (0, 0)
        assert await at.expire(31) == (1, 1)
        assert await at.left() == {ahead[1].id}

    at_desk(work)


def test_children_whose_root_never_came_go_too(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project, trace = await at.project(), uuid4()
        orphan = create(uuid4(), project_id=project, trace_id=trace, parent_run_id=uuid4())
        homeless = msgspec.structs.replace(orphan, id=uuid4(), trace_id=uuid4(), project_id=None)
        await at.recorder.accept([orphan, homeless], [])
        await at.ask(30)
        assert await at.expire(31) == (2, 2)

    at_desk(work)


def test_a_trace_in_two_projects_stays_as_long_as_the_longer_of_them_says(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        brief, patient = await at.project(), await at.project(trace_tier="longlived")
        trace = await at.trace(brief)
        child = create(uuid4(), project_id=patient, trace_id=trace, parent_run_id=trace)
        await at.recorder.accept([child], [])
        await at.ask(30, 60)
        assert await at.expire(31) == (0, 0)
        assert await at.left() == {trace}
        assert await at.expire(61) == (1, 2)

    at_desk(work)


def test_projects_and_experiments_are_kept_as_they_say(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        dataset = uuid4()
        projects: dict[str, dict[str, Any]] = {
            "silent": {},
            "short": {"trace_tier": "shortlived"},
            "long": {"trace_tier": "longlived"},
            "own": {"trace_tier": "longlived", "longlived_ttl_days": 40},
            "ever": {"trace_tier": "longlived", "longlived_ttl_days": MAX_DAYS},
            "experiment": {"reference_dataset_id": dataset},
            "brief experiment": {"reference_dataset_id": dataset, "trace_tier": "shortlived"},
        }
        traces = {name: await at.trace(await at.project(name, **said)) for name, said in projects.items()}
        named = {trace: name for name, trace in traces.items()}

        async def left() -> set[str]:
            return {named[trace] for trace in await at.left()}

        await at.ask(30, 60)
        assert await at.expire(31) == (3, 3)
        assert await left() == {"long", "own", "ever", "experiment"}
        await at.expire(41)
        assert await left() == {"long", "ever", "experiment"}
        await at.expire(10_000)
        assert await left() == {"ever", "experiment"}

    at_desk(work)


def test_another_workspace_loses_nothing(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        await at.house.meta.workspaces.create(
            Workspace(id=OTHER, name="Other", handle="other", created_at=1),
            Project(id=uuid4(), workspace=OTHER, name="default", start_time=1, created_at=1, modified_at=1),
        )
        mine = await at.trace(await at.project())
        project, theirs = await at.project(workspace=OTHER), uuid4()
        await at.recorder.accept(
            [msgspec.structs.replace(create(theirs, project_id=project), workspace=OTHER)], []
        )
        await at.ask(30)
        assert await at.expire(31) == (1, 1)
        assert mine not in await at.left()
        assert await at.left(OTHER) == {theirs}
        await at.ask(30, workspace=OTHER)
        assert await at.rules.preview(at.rules.drafted(MINE, 30, None, Tier.SHORT)) == Going(0, 0)
        await at.expiry._round()
        assert await at.left(OTHER) == set()

    at_desk(work)


# -- what is spared ----------------------------------------------------------------------------------------


def test_feedback_saves_a_trace_until_it_is_withdrawn_and_the_longer_time_ends(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project = await at.project()
        root = await at.trace(project, children=3)
        (child, *_) = [run for run in await at.reader.page(_runs()) if run.id != root]
        withdrawn, longer = await at.trace(project), await at.trace(project)
        late = judgement(child.id)
        taken_back = judgement(withdrawn)
        await at.feedback.give(late)
        await at.feedback.give(taken_back)
        await at.feedback.give(judgement(longer))
        await at.ask(30)
        assert await at.expire(31) == (0, 0)
        await at.feedback.withdraw(MINE, taken_back.id)
        assert await at.expire(31) == (1, 1)
        assert await at.left() == {root, longer}
        await at.ask(30, 60)
        assert await at.expire(59) == (0, 0)
        assert await at.expire(61) == (2, 5)
        assert await at.house.feedback() == []

    at_desk(work)


def test_feedback_on_a_project_or_without_a_claim_saves_nothing(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project = await at.project()
        trace = await at.trace(project)
        await at.feedback.give(judgement(trace, keeps=False))
        await at.feedback.give(
            msgspec.structs.replace(judgement(trace), run_id=None, project_id=project, key="whole")
        )
        await at.ask(30)
        assert await at.expire(31) == (1, 1)
        assert [item.key for item in await at.house.feedback()] == ["whole"]

    at_desk(work)


def test_a_change_of_feedback_does_not_lose_whether_it_keeps(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        from stenograph.model.feedback import FeedbackPatch

        trace = await at.trace(await at.project())
        given = judgement(trace, keeps=False)
        await at.feedback.give(given)
        await at.feedback.change(MINE, given.id, FeedbackPatch(comment="still"))
        await at.ask(30)
        assert await at.expire(31) == (1, 1)

    at_desk(work)


def test_a_place_in_a_queue_saves_a_trace_until_it_is_taken_out(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project, queue = await at.project(), await at.queue()
        root = await at.trace(project, children=1)
        (child,) = [run for run in await at.reader.page(_runs()) if run.id != root]
        in_thread = await at.trace(project, extra=b'{"metadata":{"thread_id":"t1"}}')
        unclaimed = await at.trace(project)
        await at.items.add(MINE, queue, [WantedRun(run_id=child.id), ThreadPlace(project, "t1", None)])
        await at.items.add(MINE, queue, [WantedRun(run_id=unclaimed)], keeps=False)
        await at.ask(30)
        assert await at.expire(31) == (1, 1)
        assert await at.left() == {root, in_thread}
        await at.items.remove_many(MINE, queue, [child.id])
        assert await at.expire(31) == (1, 2)
        assert await at.left() == {in_thread}

    at_desk(work)


def test_a_place_without_a_claim_becomes_one_when_it_is_asked_for(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        trace, queue = await at.trace(await at.project()), await at.queue()
        await at.items.add(MINE, queue, [WantedRun(run_id=trace)], keeps=False)
        await at.items.add(MINE, queue, [WantedRun(run_id=trace)])
        await at.items.add(MINE, queue, [WantedRun(run_id=trace)], keeps=False)
        await at.ask(30)
        assert await at.expire(31) == (0, 0)

    at_desk(work)


@pytest.mark.parametrize("what", ["child", "feedback", "queue", "late update"])
def test_what_comes_between_the_look_and_the_deletion_saves_its_trace(at_desk: At, what: str) -> None:
    async def work(at: Desk) -> None:
        project, queue = await at.project(), await at.queue()
        trace, other = await at.trace(project), await at.trace(project)
        asked = await at.ask(30)
        at.clock.after(31)
        old = at.expiry._old
        (page,) = [page async for page in old.pages(asked, [], at.clock() // 1000)]
        assert {each.trace for each in page.traces} == {trace, other}
        if what == "child":
            child = create(uuid4(), project_id=project, trace_id=trace, parent_run_id=trace)
            await at.recorder.accept([child], [])
        elif what == "feedback":
            await at.feedback.give(judgement(trace))
        elif what == "queue":
            await at.items.add(MINE, queue, [WantedRun(run_id=trace)])
        else:
            await at.recorder.accept([create(trace, project_id=project, outputs=b"{}")], [])
        due = await old.still_due(page, page.traces)
        assert [each.trace for each in due] == [other]

    at_desk(work)


# -- rounds ------------------------------------------------------------------------------------------------


def _aged(runs: int) -> Aged:
    return Aged(uuid4(), 1, 1, runs, True, ())


def test_batches_hold_few_runs_and_whole_traces() -> None:
    many = [_aged(3000), _aged(1500), _aged(1), _aged(90_000), _aged(4500), _aged(4499), _aged(1)]
    assert [[each.runs for each in batch] for batch in batches(many)] == [
        [3000, 1500], [1], [90_000], [4500], [4499, 1],
    ]  # fmt: skip
    assert [len(batch) for batch in batches([_aged(1)] * 1001)] == [500, 500, 1]
    assert list(batches([])) == []


def test_many_traces_go_page_by_page_with_rests(at_desk: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiring, "TRACES", 3)
    monkeypatch.setattr(old_traces.OldTraces.pages, "__kwdefaults__", {"size": 7})

    async def work(at: Desk) -> None:
        project = await at.project()
        traces = [await at.trace(project) for _ in range(20)]
        saved = traces[::5]
        for trace in saved:
            await at.feedback.give(judgement(trace))
        await at.ask(30)
        assert await at.rules.preview(at.rules.drafted(MINE, 30, None, Tier.SHORT)) == Going(0, 0)
        at.clock.after(31)
        assert await at.rules.preview(at.rules.drafted(MINE, 30, None, Tier.SHORT)) == Going(16, 16)
        assert await at.expire(31) == (16, 16)
        assert await at.left() == set(saved)
        assert len(at.rests) >= 6
        text = at.house.metrics.render().decode()
        assert "stenograph_expired_traces_total 16.0" in text
        assert "stenograph_expired_runs_total 16.0" in text

    at_desk(work)


def test_a_round_that_was_killed_between_batches_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "TRACES", 2)

    async def work() -> None:
        async with house(tmp_path) as made:
            async with desk(made) as at:
                project = await at.project()
                for _ in range(5):
                    await at.feedback.give(judgement(await at.trace(project)))
                await at.reader.count(RunSelection(workspace=MINE))
                await at.ask(30, 30)
                real, batch = made.store.real.write, 0

                async def die(runs: Any, feedback: Any) -> None:
                    nonlocal batch
                    batch += any(run.deleted for run in runs)
                    if batch == 2:  # after the feedback of the second batch, before its runs
                        raise StoreUnavailable("killed")
                    await real(runs, feedback)

                with monkeypatch.context() as dying, pytest.raises(StoreUnavailable):
                    dying.setattr(made.store.real, "write", die)
                    await at.expire(31)
                assert len(await at.left()) == 3
            async with desk(made) as at:
                assert await at.expire(31) == (3, 3)
                assert await at.left() == set()
                assert await made.feedback() == []

    asyncio.run(work())


def test_a_changed_mind_ends_the_round(at_desk: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiring, "TRACES", 2)

    async def work(at: Desk) -> None:
        project = await at.project()
        for _ in range(6):
            await at.trace(project)
        await at.ask(30)

        async def rest(_: float) -> None:
            at.clock.ahead += 1
            await at.ask(None)

        at.expiry._rest = rest
        assert await at.expire(31) == (2, 2)
        assert len(await at.left()) == 4

    at_desk(work)


def test_a_clock_that_jumps_ahead_is_followed_at_a_day_an_hour(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        ticks = 0.0
        at.expiry._ticks = lambda: ticks
        trace = await at.trace(await at.project())
        asked = await at.ask(3)
        at.clock.after(3650)
        for _ in range(2):
            done = await at.expiry.expire(asked)
            assert (done.deleted_at, await at.left()) == (None, {trace})
            ticks += 3600
        assert done.looked_to - asked.updated_at == DAY + 2 * SLACK
        at.clock.after(0)
        ticks += 3600
        assert (await at.expiry.expire(asked)).looked_to <= time.time_ns() // 1000, "set right again"
        at.clock.after(3.01)
        for _ in range(10):  # restarts, and what others ask for
            assert (await at.expiry.expire(asked)).deleted_at is None
        ticks += 3 * 3600
        assert (await at.expiry.expire(asked)).traces == 1

    at_desk(work)


def test_two_processes_at_once_do_no_harm(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project = await at.project()
        traces = [await at.trace(project, children=2) for _ in range(10)]
        for trace in traces[:2]:
            await at.feedback.give(judgement(trace))
        asked = await at.ask(30)
        at.clock.after(31)
        before = await at.rules.last_round(MINE)
        assert before is not None
        await at.house.meta.retention.note(
            MINE, msgspec.structs.replace(before, looked_to=at.clock() // 1000)
        )
        await asyncio.gather(at.expiry.expire(asked), at.expiry.expire(asked))
        assert await at.left() == set(traces[:2])
        assert len(await at.house.feedback()) == 2

    at_desk(work)


def test_rounds_begin_by_themselves_and_when_somebody_asks(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        await at.trace(await at.project())
        done = asyncio.Event()

        async def rest(_: float) -> None:
            done.set()

        at.expiry._rest = rest
        await at.expiry.start()
        at.clock.after(31)
        await at.ask(30)
        async with asyncio.timeout(30):
            await done.wait()
        await at.expiry.stop()
        assert await at.left() == set()

    at_desk(work)


# -- asking ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long", "where"),
    [
        (0, None, "short"), (-1, None, "short"), (MAX_DAYS + 1, None, "short"), (2**70, None, "short"),
        (30, 0, "long"), (30, 29, "long"), (None, 400, "long"),
    ],
)  # fmt: skip
def test_days_that_mean_nothing_are_refused(at_desk: At, short: int | None, long: int, where: str) -> None:
    async def work(at: Desk) -> None:
        with pytest.raises(Invalid) as refused:
            at.rules.drafted(MINE, short, long, Tier.SHORT)
        assert refused.value.where == (where,)

    at_desk(work)


def test_langsmiths_tiers_without_days_are_its_own(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        rules = at.rules
        assert await rules.read(MINE) is None
        asked = await rules.prefer(MINE, Tier.LONG, everywhere=False)
        assert (asked.short_days, asked.long_days, asked.tier) == (14, 400, Tier.LONG)
        asked = await rules.keep_judged(MINE, 20)
        assert (asked.short_days, asked.long_days, asked.tier) == (14, 20, Tier.LONG)
        with pytest.raises(Invalid):
            await rules.keep_judged(MINE, 13)
        await at.ask(30, None)
        asked = await rules.prefer(MINE, Tier.SHORT, everywhere=False)
        assert (asked.short_days, asked.long_days, asked.tier) == (30, None, Tier.SHORT)

    at_desk(work)


def test_days_of_the_long_tier_alone_delete_nothing_of_the_short(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        await at.rules.keep_judged(MINE, 9)
        short = await at.trace(await at.project())
        await at.feedback.give(judgement(await at.trace(await at.project())))
        long = await at.trace(await at.project(trace_tier="longlived"))
        assert await at.expire(10) == (1, 1)
        assert long not in await at.left()
        assert short in await at.left()
        asked = await at.rules.prefer(MINE, Tier.SHORT, everywhere=False)
        assert (asked.short_days, asked.long_days) == (9, 9)

    at_desk(work)


def test_a_tier_can_be_given_to_all_projects_but_experiments(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        own = await at.project("own", trace_tier="longlived", longlived_ttl_days=50)
        await at.project("experiment", reference_dataset_id=uuid4())
        await at.rules.prefer(MINE, Tier.SHORT, everywhere=True)
        said = {each.name: (each.tier, each.long_days) for each in await at.rules.owns(MINE)}
        assert said == {
            "default": (Tier.SHORT, None), "own": (Tier.SHORT, 50), "experiment": (None, None),
        }  # fmt: skip
        assert (await at.projects.read(MINE, own)).trace_tier == "shortlived"

    at_desk(work)


def test_a_project_says_something_and_takes_it_back(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project = await at.project("chatty")
        trace = await at.trace(project)
        other = await at.trace(await at.project())
        at.clock.after(8)
        own = OwnRetention(project=project, name="chatty", tier=Tier.LONG, long_days=7)
        draft = Retention(workspace=MINE)
        assert await at.rules.preview(draft, own) == Going(1, 1)
        await at.rules.say(MINE, project, Tier.LONG, 7)
        assert await at.expire(8) == (1, 1)
        assert await at.left() == {other} != {trace}
        await at.rules.say(MINE, project, None, None)
        assert await at.rules.owns(MINE) == []
        with pytest.raises(NotFound):
            await at.rules.say(OTHER, project, None, None)
        with pytest.raises(Invalid):
            await at.rules.say(MINE, project, Tier.LONG, 0)
        with pytest.raises(Invalid):
            await at.rules.preview(draft, msgspec.structs.replace(own, long_days=0))

    at_desk(work)


def test_an_experiment_that_is_given_days_is_counted_as_one(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        experiment = await at.project("experiment", reference_dataset_id=uuid4())
        await at.trace(experiment)
        at.clock.after(31)
        draft = at.rules.drafted(MINE, 30, None, Tier.SHORT)
        silent = OwnRetention(project=experiment, name="experiment")
        assert await at.rules.preview(draft, silent) == Going(0, 0)
        assert await at.rules.preview(draft, msgspec.structs.replace(silent, tier=Tier.SHORT)) == Going(1, 1)

    at_desk(work)


def test_tiers_of_runs(at_desk: At) -> None:
    async def work(at: Desk) -> None:
        project, long = await at.project(), await at.project(trace_tier="longlived")
        plain, judged, of_long = await at.trace(project), await at.trace(project), await at.trace(long)
        await at.feedback.give(judgement(judged))
        runs = await at.reader.page(_runs())
        assert set((await at.rules.tiers(MINE, runs)).values()) == {Tier.LONG}
        await at.ask(30, 60)
        assert await at.rules.tiers(MINE, runs) == {
            plain: Tier.SHORT, judged: Tier.LONG, of_long: Tier.LONG,
        }  # fmt: skip
        assert await at.rules.tiers(MINE, []) == {}

    at_desk(work)


def _runs() -> RunQuery:
    return RunQuery(selection=RunSelection(workspace=MINE), columns=frozenset(), limit=100)
