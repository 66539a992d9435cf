"""What `store.api.Evaluators` and `EvaluatorTasks` promise, for every engine of the metadata store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, Invalid
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.evaluators import (
    Candidates,
    Category,
    ChildMetric,
    Definition,
    Evaluator,
    EvaluatorType,
    ReturnType,
    Task,
    TaskStatus,
    Threshold,
    Version,
    share,
)
from stenograph.store.api import MetaStore

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")

WHOLE = Definition(
    name="é'\" quality",
    type=EvaluatorType.LLM,
    criteria="Rate {{outputs.content}} [[1-5]]",
    description=None,
    return_type=ReturnType.CATEGORICAL,
    enabled_in_prod=True,
    needs_ground_truth=True,
    sampling_percentage=12.5,
    model_provider="openai",
    model_name="gpt",
    scale=5,
    threshold=Threshold(min=1, max=2.5, pass_when=True, passing_categories=("good",)),
    categories=(Category("good", 1.0), Category("bad", None)),
    child_metrics=(ChildMetric("x", 0.5, "id", 5), ChildMetric("y", -1)),
    filters=msgspec.Raw(b'[{"field":"event_name","operator":"is","value":"x","type":"string"}]'),
)
PLAIN = Definition(name="plain", type=EvaluatorType.HUMAN, criteria="look")


def evaluator(
    definition: Definition = WHOLE, workspace: UUID = MINE, project: str = "", at: int = 1
) -> Evaluator:
    identity = uuid4()
    live = Version(
        id=uuid4(), workspace=workspace, evaluator_id=identity, number=1, message="first", created_at=at,
        definition=definition,
    )  # fmt: skip
    return Evaluator(
        id=identity, workspace=workspace, project=project, created_at=at, updated_at=None, live=live
    )


def version(of: Evaluator, definition: Definition = PLAIN, at: int = 5, message: str = "next") -> Version:
    return Version(
        id=uuid4(), workspace=of.workspace, evaluator_id=of.id, number=0, message=message, created_at=at,
        definition=definition,
    )  # fmt: skip


def task(of: Evaluator, run: UUID | None = None, at: int = 1, **fields: object) -> Task:
    plain = Task(
        workspace=of.workspace, version_id=of.live.id, run_id=run or uuid4(), evaluator_id=of.id,
        project_id=uuid4(), start_time=7, created_at=at, modified_at=at, due_at=at,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **fields)


def candidates(of: Evaluator, runs: Sequence[UUID] = (), at: int = 1) -> Candidates:
    return Candidates(
        id=uuid4(), workspace=of.workspace, versions=(of.live.id,), runs=tuple(runs), since=1, until=2, noted_at=at
    )  # fmt: skip


# -- evaluators ----------------------------------------------------------------------------------------------


def test_an_evaluator_comes_back_as_it_was_made(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        whole, plain = evaluator(), evaluator(PLAIN, at=2)
        for each in (whole, plain):
            await store.evaluators.create(each)
            assert await store.evaluators.read(MINE, each.id) == each
            assert await store.evaluators.versions(MINE, each.id) == [each.live]
        assert await store.evaluators.find(MINE) == [whole, plain]
        assert await store.evaluators.find(MINE, kind=EvaluatorType.HUMAN) == [plain]
        assert await store.evaluators.find(MINE, ids=[plain.id, uuid4()]) == [plain]
        assert await store.evaluators.find(MINE, ids=[]) == []

    meta(work)


def test_names_are_unique_in_a_project(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        await store.evaluators.create(evaluator())
        await store.evaluators.create(evaluator(project="p", at=2))
        await store.evaluators.create(evaluator(workspace=OTHER))
        for project in ("", "p"):
            with pytest.raises(Conflict, match="quality"):
                await store.evaluators.create(evaluator(project=project))
        found = await store.evaluators.find(MINE, project="p")
        assert [each.project for each in found] == ["", "p"]
        assert len(await store.evaluators.find(MINE, project="q")) == 1

    meta(work)


def test_versions_are_numbered_and_one_is_live(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one = evaluator()
        await store.evaluators.create(one)
        draft = await store.evaluators.add(version(one), deploy=False)
        assert draft is not None
        assert draft.number == 2
        assert await store.evaluators.read(MINE, one.id) == one
        assert [each.id for each in await store.evaluators.enabled(MINE)] == [one.id]
        live = await store.evaluators.add(version(one, PLAIN, at=9), deploy=True)
        assert live is not None
        found = await store.evaluators.read(MINE, one.id)
        assert found == msgspec.structs.replace(one, live=live, updated_at=9)
        assert await store.evaluators.enabled(MINE) == []
        assert await store.evaluators.find(MINE, kind=EvaluatorType.HUMAN) == [found]
        assert await store.evaluators.deploy(MINE, one.id, 1, at=11) == one.live
        assert await store.evaluators.read(MINE, one.id) == msgspec.structs.replace(one, updated_at=11)
        assert [each.number for each in await store.evaluators.versions(MINE, one.id)] == [1, 2, 3]
        assert await store.evaluators.deploy(MINE, one.id, 4, at=12) is None
        named = await store.evaluators.named(MINE, [draft.id, uuid4()])
        assert {key: each.live for key, each in named.items()} == {draft.id: draft}

    meta(work)


def test_a_version_cannot_take_the_name_of_another_evaluator(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one, two = evaluator(), evaluator(PLAIN)
        await store.evaluators.create(one)
        await store.evaluators.create(two)
        with pytest.raises(Conflict, match="plain"):
            await store.evaluators.add(version(one, PLAIN), deploy=True)
        assert len(await store.evaluators.versions(MINE, one.id)) == 1, "all or nothing"
        draft = await store.evaluators.add(version(one, PLAIN), deploy=False)
        assert draft is not None
        with pytest.raises(Conflict):
            await store.evaluators.deploy(MINE, one.id, draft.number, at=3)

    meta(work)


def test_those_for_new_events_are_found_in_all_workspaces(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine, other = evaluator(), evaluator(workspace=OTHER)
        off = msgspec.structs.replace(WHOLE, name="off", sampling_percentage=0)
        for each in (mine, other, evaluator(PLAIN), evaluator(off)):
            await store.evaluators.create(each)
        assert {each.id for each in await store.evaluators.enabled()} == {mine.id, other.id}
        assert await store.evaluators.enabled(OTHER) == [other]

    meta(work)


def test_an_evaluator_goes_with_its_versions_and_tasks(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one, kept = evaluator(), evaluator(PLAIN)
        for each in (one, kept):
            await store.evaluators.create(each)
            await store.evaluator_tasks.sort(candidates(each), [task(each)])
        assert not await store.evaluators.delete(OTHER, one.id)
        assert await store.evaluators.delete(MINE, one.id)
        assert not await store.evaluators.delete(MINE, one.id)
        assert await store.evaluators.versions(MINE, one.id) == []
        assert await store.evaluators.named(MINE, [one.live.id]) == {}
        assert await store.evaluator_tasks.count() == {TaskStatus.WAITING: 1}

    meta(work)


def test_evaluators_of_another_workspace_are_unknown(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one = evaluator()
        await store.evaluators.create(one)
        assert await store.evaluators.read(OTHER, one.id) is None
        assert await store.evaluators.versions(OTHER, one.id) == []
        assert await store.evaluators.named(OTHER, [one.live.id]) == {}
        foreign = msgspec.structs.replace(version(one), workspace=OTHER)
        assert await store.evaluators.add(foreign, deploy=True) is None
        assert await store.evaluators.deploy(OTHER, one.id, 1, at=1) is None
        assert await store.evaluator_tasks.page(OTHER, one.id) == []
        assert await store.evaluators.read(MINE, one.id) == one

    meta(work)


def test_what_no_table_holds_is_invalid(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        for name in ("a\0b", "\udc80"):
            with pytest.raises(Invalid):
                await store.evaluators.create(evaluator(msgspec.structs.replace(PLAIN, name=name)))

    meta(work)


# -- tasks ---------------------------------------------------------------------------------------------------


def test_candidates_wait_until_they_are_sorted(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one = evaluator()
        await store.evaluators.create(one)
        newer = candidates(one, [uuid4() for _ in range(1000)], at=2)
        older = candidates(one, [uuid4()], at=1)
        await store.evaluator_tasks.note([newer, older])
        await store.evaluator_tasks.note([])
        assert await store.evaluator_tasks.noted(10) == [older, newer]
        assert await store.evaluator_tasks.noted(1) == [older]
        made = [task(one, run) for run in newer.runs]
        assert await store.evaluator_tasks.sort(newer, made) == 1000
        assert await store.evaluator_tasks.sort(older, []) == 0
        assert await store.evaluator_tasks.noted(10) == []
        assert await store.evaluator_tasks.count(MINE, one.id) == {TaskStatus.WAITING: 1000}

    meta(work)


def test_of_a_run_and_a_version_there_is_one_task(meta: Callable[..., None]) -> None:
    """Also when it is over: whoever sends a run again does not have it evaluated again."""

    async def work(store: MetaStore) -> None:
        one = evaluator()
        await store.evaluators.create(one)
        first = task(one)
        assert await store.evaluator_tasks.sort(candidates(one), [first]) == 1
        await store.evaluator_tasks.change([msgspec.structs.replace(first, status=TaskStatus.DONE)])
        again, fresh = msgspec.structs.replace(first, created_at=9), task(one)
        assert await store.evaluator_tasks.sort(candidates(one), [again, fresh]) == 1
        found = await store.evaluator_tasks.page(MINE, one.id, TaskStatus.DONE)
        assert [each.created_at for each in found] == [1]
        gone = evaluator(PLAIN)
        assert await store.evaluator_tasks.sort(candidates(gone), [task(gone)]) == 0

    meta(work)


def test_tasks_come_due(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        tasks = store.evaluator_tasks
        one = evaluator()
        await store.evaluators.create(one)
        made = [task(one, at=at) for at in (3, 1, 2, 9)]
        await tasks.sort(candidates(one), [*made, task(one, status=TaskStatus.FAILED)])
        third, first, second, late = made
        assert await tasks.due(3, 10) == ([first, second, third], 9)
        assert await tasks.due(3, 1) == ([first], 9)
        assert await tasks.due(3, 1, without={first.key, second.key}) == ([third], 9)
        assert await tasks.due(9, 10, without={late.key}) == ([first, second, third], None)
        assert await tasks.due(0, 10) == ([], 1)
        later = msgspec.structs.replace(first, due_at=20, attempts=1, reason="busy", modified_at=4)
        await tasks.change([later, task(one)])
        assert await tasks.due(9, 10) == ([second, third, late], 20)
        assert later in await tasks.page(MINE, one.id)
        assert len(await tasks.page(MINE, one.id)) == 5, "a task that is gone does not come back"

    meta(work)


def test_tasks_are_listed_and_counted(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        tasks = store.evaluator_tasks
        one, two = evaluator(), evaluator(PLAIN)
        for each in (one, two):
            await store.evaluators.create(each)
        run = uuid4()
        failed = task(one, modified_at=5, status=TaskStatus.FAILED, reason="a\0b \udc80")
        await tasks.sort(candidates(one), [task(one, run), task(two, run), failed, task(one, at=2)])
        listed = await tasks.page(MINE, one.id)
        assert [each.modified_at for each in listed] == [5, 2, 1]
        assert listed[0].reason == "a\\0b \\udc80"
        assert await tasks.page(MINE, one.id, TaskStatus.FAILED) == listed[:1]
        assert await tasks.page(MINE, one.id, offset=1, limit=1) == listed[1:2]
        assert await tasks.count(MINE, one.id) == {TaskStatus.WAITING: 2, TaskStatus.FAILED: 1}
        assert await tasks.count() == {TaskStatus.WAITING: 3, TaskStatus.FAILED: 1}
        assert await tasks.waiting_for(MINE, run) == {one.id, two.id}
        assert await tasks.waiting_for(OTHER, run) == frozenset()

    meta(work)


def test_failed_tasks_of_the_live_version_are_taken_up_again(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one = evaluator()
        await store.evaluators.create(one)
        failed = task(one, status=TaskStatus.FAILED, attempts=8, reason="busy")
        former = task(one, status=TaskStatus.FAILED, version_id=uuid4())
        await store.evaluator_tasks.sort(candidates(one), [failed, former, task(one, status=TaskStatus.DONE)])
        assert await store.evaluator_tasks.take_up(OTHER, one.id, at=7) == 0
        assert await store.evaluator_tasks.take_up(MINE, one.id, at=7) == 1
        (again,), _ = await store.evaluator_tasks.due(7, 10)
        assert (again.key, again.attempts, again.due_at) == (failed.key, 0, 7)

    meta(work)


def test_what_is_over_is_forgotten(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one = evaluator()
        await store.evaluators.create(one)
        made = [task(one, modified_at=at, status=status) for at in (1, 9) for status in TaskStatus]
        await store.evaluator_tasks.sort(candidates(one), made)
        assert await store.evaluator_tasks.forget(5) == 3
        assert await store.evaluator_tasks.count() == {**dict.fromkeys(TaskStatus, 1), TaskStatus.WAITING: 2}

    meta(work)


# -- sampling ------------------------------------------------------------------------------------------------


def test_sampling_is_by_run_and_even() -> None:
    runs = [uuid4() for _ in range(20_000)]
    chosen = [
        {run for run in runs if msgspec.structs.replace(WHOLE, sampling_percentage=part).samples(run)}
        for part in (0, 10, 50, 100)
    ]
    assert not chosen[0]
    assert chosen[3] == set(runs)
    assert 0.08 < len(chosen[1]) / len(runs) < 0.12
    assert chosen[1] < chosen[2]
    assert share(UUID(int=7)) == share(UUID(int=7))
