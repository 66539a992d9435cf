"""How long traces are kept: what `store.api.RetentionStore` and `RunStore.aged` with its like promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec

from stenograph.model.projects import Project, ProjectPatch
from stenograph.model.queue_items import QueueItem, RunPlace, ThreadPlace
from stenograph.model.retention import (
    DAY,
    AgedPage,
    Aging,
    OwnRetention,
    Queued,
    Retention,
    Round,
    Term,
    Tier,
)
from stenograph.model.runs import Run
from stenograph.store.api import MetaStore
from tests.store.conftest import OpenRuns
from tests.store.run_samples import NOON, PROJECT, feedback, ident, run, wait, write
from tests.store.test_queue_conformance import MINE, OTHER, queue

# -- what is asked for -------------------------------------------------------------------------------------


def test_what_is_asked_for_is_a_workspaces_own(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        assert await store.retention.read(MINE) is None
        assert await store.retention.all() == []
        assert await store.retention.last_round(MINE) is None
        mine = Retention(
            workspace=MINE, short_days=14, long_days=400, tier=Tier.LONG, created_at=5, updated_at=5
        )
        assert await store.retention.ask(mine) == mine
        theirs = Retention(workspace=OTHER, short_days=None, long_days=None, created_at=6, updated_at=6)
        await store.retention.ask(theirs)
        changed = msgspec.structs.replace(mine, short_days=None, tier=Tier.SHORT, created_at=9, updated_at=9)
        changed = await store.retention.ask(changed)
        assert (changed.created_at, changed.updated_at, changed.short_days) == (5, 9, None)
        assert await store.retention.read(MINE) == changed
        assert await store.retention.all() == [changed, theirs]

    meta(work)


def test_rounds_are_noted_where_somebody_asked(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        done = Round(looked_to=50, ended_at=60, deleted_at=60, traces=2**40, runs=3)
        await store.retention.note(MINE, done)
        assert await store.retention.last_round(MINE) is None
        asked = await store.retention.ask(Retention(workspace=MINE, created_at=7, updated_at=7))
        assert await store.retention.last_round(MINE) == Round(looked_to=7, ended_at=7)
        await store.retention.note(MINE, done)
        assert await store.retention.last_round(MINE) == done
        await store.retention.ask(msgspec.structs.replace(asked, updated_at=70))
        assert await store.retention.last_round(MINE) == msgspec.structs.replace(done, looked_to=70)

    meta(work)


def _project(name: str, workspace: UUID = MINE, **more: Any) -> Project:
    return Project(
        id=uuid4(), workspace=workspace, name=name, start_time=1, created_at=1, modified_at=1, **more
    )


def test_projects_say_something_of_themselves_and_take_it_back(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        plain, loud = _project("plain"), _project("b", trace_tier="longlived", longlived_ttl_days=9)
        experiment, gone = (
            _project("a", reference_dataset_id=uuid4()),
            _project("gone", trace_tier="longlived"),
        )
        for each in (plain, loud, experiment, gone, _project("theirs", OTHER, trace_tier="longlived")):
            await store.projects.create(each)
        await store.projects.delete(MINE, [gone.id], 2)
        heard = OwnRetention(project=loud.id, name="b", tier=Tier.LONG, long_days=9)
        silent = OwnRetention(project=experiment.id, name="a", experiment=True)
        assert await store.retention.owns(MINE) == [silent, heard]
        assert await store.retention.own(MINE, loud.id, None, None, 7)
        assert await store.retention.own(MINE, plain.id, Tier.SHORT, 3, 7)
        assert await store.retention.owns(MINE) == [
            silent, OwnRetention(project=plain.id, name="plain", tier=Tier.SHORT, long_days=3),
        ]  # fmt: skip
        found = await store.projects.read(MINE, plain.id)
        assert found is not None
        assert (found.trace_tier, found.longlived_ttl_days, found.modified_at) == ("shortlived", 3, 7)
        for workspace, project in ((OTHER, plain.id), (MINE, gone.id), (MINE, uuid4())):
            assert not await store.retention.own(workspace, project, Tier.LONG, None, 8)

    meta(work)


def test_a_tier_is_given_to_all_projects_but_experiments(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        own, experiment = _project("own"), _project("experiment", reference_dataset_id=uuid4())
        theirs = _project("theirs", OTHER)
        for each in (own, experiment, theirs):
            await store.projects.create(each)
        await store.projects.update(MINE, own.id, ProjectPatch(longlived_ttl_days=5), 2)
        await store.retention.all_projects(MINE, Tier.LONG, 3)
        said = {each.name: (each.tier, each.long_days) for each in await store.retention.owns(MINE)}
        assert said == {"default": (Tier.LONG, None), "own": (Tier.LONG, 5), "experiment": (None, None)}
        assert await store.retention.owns(OTHER) == []

    meta(work)


def test_what_is_in_queues_by_when_it_came(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine, retired, theirs = queue(), queue(), queue(workspace=OTHER)
        for each in (mine, retired, theirs):
            await store.annotation_queues.create(each)
        one, two, pair, hidden = (uuid4() for _ in range(4))
        project = uuid4()

        def item(of: Any, at: int, **what: Any) -> QueueItem:
            return QueueItem(id=uuid4(), workspace=of.workspace, queue_id=of.id, added_at=at, **what)

        async def add(of: Any, *items: QueueItem) -> None:
            await store.queue_items.add(of.workspace, of.id, items)

        await add(mine, item(mine, 1, run=RunPlace(one, project, 1), archived_at=5))
        await add(mine, item(mine, 2, run=RunPlace(two, project, 1), paired=RunPlace(pair, project, 1)))
        await add(mine, item(mine, 3, thread=ThreadPlace(project, "t", 1)))
        await add(mine, item(mine, 4, run=RunPlace(hidden, project, 1), keeps=False))
        await add(retired, item(retired, 5, run=RunPlace(uuid4(), project, 1)))
        await store.annotation_queues.retire(MINE, retired.id, at=9)
        assert await store.retention.queued(MINE) == Queued(frozenset({one, two, pair}), frozenset({"t"}))
        assert await store.retention.queued(MINE, 2) == Queued(frozenset({two, pair}), frozenset({"t"}))
        assert await store.retention.queued(MINE, 4) == Queued(frozenset(), frozenset())
        await add(mine, item(mine, 6, run=RunPlace(hidden, project, 1)))
        assert hidden in (await store.retention.queued(MINE)).runs
        await add(mine, item(mine, 7, run=RunPlace(one, project, 1), keeps=False))
        assert one in (await store.retention.queued(MINE)).runs
        assert await store.retention.queued(OTHER) == Queued(frozenset(), frozenset())

    meta(work)


# -- which traces ------------------------------------------------------------------------------------------

NOW = NOON + 100 * DAY
MONTH = NOW - 30 * DAY
REST = Term(MONTH, None)


def wanted(workspace: UUID, rest: Term = REST, *terms: Term, **more: Any) -> Aging:
    return Aging(workspace=workspace, now=NOW, rest=rest, terms=terms, **more)


def aged(runs: OpenRuns, question: Aging) -> AgedPage:
    return wait(runs.store.aged(question))


def labels(runs: OpenRuns, question: Aging, *named: str) -> list[str]:
    """The traces that are aged, by the labels of their roots, in their order."""
    known = {ident(question.workspace, label): label for label in named}
    return [known[each.trace] for each in aged(runs, question).traces]


def old(workspace: UUID, label: str, at: int = 0, parent: str | None = None, **more: Any) -> Run:
    return run(workspace, label, at, parent, **{"version": NOON, "received_at": NOON, **more})


def test_a_trace_is_aged_when_all_of_it_is(runs: OpenRuns, workspace: UUID) -> None:
    day = 86_400
    write(
        runs.store,
        old(workspace, "gone"),
        old(workspace, "gone child", 5, "gone"),
        old(workspace, "written", version=MONTH),
        old(workspace, "started", 70 * day),
        old(workspace, "half"),
        old(workspace, "half child", 70 * day, "half"),
        old(workspace, "edge", 70 * day - 1, version=MONTH - 1),
        old(workspace, "ahead", 90_000 * day),
        old(workspace, "ahead too", version=NOW + 2 * DAY),
        old(workspace, "ahead of all", version=NOW + 2 * DAY, received_at=NOW + 2 * DAY),
        old(uuid4(), "gone"),
    )
    found = aged(runs, wanted(workspace))
    assert found.after is None
    named = ("gone", "ahead too", "edge", "ahead", "written", "started", "half", "ahead of all")
    shown = labels(runs, wanted(workspace), *named)
    assert set(shown[:2]) == {"gone", "ahead too"}, "both started at noon"
    assert shown[2:] == ["edge", "ahead"]
    (gone,) = [each for each in found.traces if each.trace == ident(workspace, "gone")]
    assert (gone.oldest, gone.youngest, gone.runs) == (NOON, NOON + 5_000_000, 2)
    assert (gone.even_judged, gone.projects) == (False, (PROJECT,))


def test_each_project_has_its_limits(runs: OpenRuns, workspace: UUID) -> None:
    brief, patient = uuid4(), uuid4()
    write(
        runs.store,
        old(workspace, "rest"),
        old(workspace, "brief", project_id=brief, version=NOW - 5 * DAY, received_at=NOON),
        old(workspace, "patient", project_id=patient),
        old(workspace, "both", 1),
        old(workspace, "child", 1, "both", project_id=patient),
    )
    everything = ("rest", "brief", "patient", "both")
    terms = (Term(NOW - 3 * DAY, NOW - 9 * DAY, (brief,)), Term(None, None, (patient,)))
    assert set(labels(runs, wanted(workspace, Term(MONTH, MONTH), *terms), *everything)) == {"rest", "brief"}
    assert labels(runs, wanted(workspace, Term(None, None), *terms), *everything) == ["brief"]
    both = wanted(workspace, Term(MONTH, MONTH), terms[0], Term(NOW - 60 * DAY, None, (patient,)))
    found = {each.trace: each for each in aged(runs, both).traces}
    judged = {label: found[ident(workspace, label)].even_judged for label in everything}
    assert judged == {"rest": True, "brief": False, "patient": False, "both": False}
    assert set(found[ident(workspace, "both")].projects) == {PROJECT, patient}
    assert labels(runs, wanted(workspace, without=(PROJECT, brief)), *everything) == ["patient", "both"]


def test_pages_follow_one_another(runs: OpenRuns, workspace: UUID) -> None:
    names = [f"t{number}" for number in range(7)]
    write(runs.store, *(old(workspace, name, number // 2) for number, name in enumerate(names)))
    write(runs.store, old(workspace, "late", 80 * 86_400, "t3"))
    seen: list[UUID] = []
    question, pages = wanted(workspace, limit=3), 0
    while True:
        page = aged(runs, question)
        seen += [each.trace for each in page.traces]
        pages += 1
        if page.after is None:
            break
        question = msgspec.structs.replace(question, after=page.after)
    assert pages == 3
    assert sorted(seen) == sorted(ident(workspace, name) for name in names if name != "t3")
    assert len(seen) == 6


def test_what_was_deleted_is_not_aged_nor_in_use(runs: OpenRuns, workspace: UUID) -> None:
    kept, gone = old(workspace, "kept"), old(workspace, "gone")
    young = old(workspace, "young", 80 * 86_400, "kept")
    write(runs.store, kept, gone, young)
    assert labels(runs, wanted(workspace), "gone", "kept") == ["gone"]
    write(runs.store, gone.tombstone(NOON + 1), young.tombstone(NOON + 1))
    assert labels(runs, wanted(workspace), "gone", "kept") == ["kept"]


def test_feedback_judges_a_trace_when_it_keeps(runs: OpenRuns, workspace: UUID) -> None:
    traces = {name: ident(workspace, name) for name in ("a", "b", "c", "d", "e")}
    write(runs.store, *(old(workspace, name) for name in traces), old(workspace, "a child", 1, "a"))
    given = [
        feedback(workspace, "on a child", "a child", trace_id=traces["a"], home=PROJECT),
        feedback(workspace, "not filed", "b", home=None),
        feedback(workspace, "no claim", "c", trace_id=traces["c"], home=PROJECT, keeps=False),
        feedback(workspace, "taken back", "d", trace_id=traces["d"], home=PROJECT),
    ]
    write(runs.store, *given)
    taken_back = given[-1]
    write(runs.store, taken_back.tombstone(taken_back.version + 1))
    judged = wait(runs.store.judged_traces(workspace, list(traces.values())))
    assert judged == {traces["a"], traces["b"]}
    assert wait(runs.store.judged_traces(workspace, [])) == set()
    assert wait(runs.store.judged_traces(uuid4(), list(traces.values()))) == set()


def test_traces_by_their_runs_and_threads(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        old(workspace, "a"),
        old(workspace, "a child", 1, "a"),
        old(workspace, "b", thread_id="it's 'mine'"),
        old(workspace, "c"),
    )
    a, b = ident(workspace, "a"), ident(workspace, "b")

    def holding(of: UUID, *ids: UUID, threads: tuple[str, ...] = ()) -> set[UUID]:
        return wait(runs.store.traces_holding(of, Queued(frozenset(ids), frozenset(threads))))

    assert holding(workspace, ident(workspace, "a child"), uuid4()) == {a}
    assert holding(workspace, threads=("it's 'mine'",)) == {b}
    assert holding(workspace, a, threads=("it's 'mine'", "")) >= {a, b}
    assert holding(workspace) == set()
    assert holding(uuid4(), a) == set()


def test_what_was_written_since_is_told(runs: OpenRuns, workspace: UUID) -> None:
    names = ("a", "b", "c", "d")
    traces = {name: ident(workspace, name) for name in names}
    write(runs.store, *(old(workspace, name) for name in names))
    write(runs.store, old(workspace, "a child", 1, "a", version=NOON + 5))
    write(runs.store, old(workspace, "b").tombstone(NOON + 5))
    more: dict[str, Any] = {"trace_id": traces["c"], "home": PROJECT, "version": NOON + 5}
    write(runs.store, feedback(workspace, "new", "c", **more))
    found = wait(runs.store.touched(workspace, set(traces.values()), NOON + 4))
    assert found == {traces["a"], traces["c"]}
    assert wait(runs.store.touched(workspace, {traces["a"]}, NOON + 5)) == set()
    assert wait(runs.store.touched(workspace, set(), 0)) == set()
