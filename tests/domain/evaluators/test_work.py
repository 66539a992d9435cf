"""Evaluators at work on new events: noted, sorted, evaluated, tried again, given up; and after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.domain.evaluators import noting, work
from stenograph.domain.evaluators.evaluation import Evaluation, Progress
from stenograph.domain.recording.recorder import Recorder
from stenograph.errors import Invalid, NotFound, StoreUnavailable, Unsupported
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.model.evaluators import ChildMetric, Definition, EvaluatorType, TaskStatus
from stenograph.model.feedback import Feedback
from stenograph.model.projects import Project
from stenograph.model.query import RunSelection
from stenograph.settings import Settings
from stenograph.wire.honeyhive.metrics.language import EventLanguage
from tests.openai_server import Asked, ModelServer, Reply, scripted
from tests.recording import EAGER, MINE, OTHER, PROJECT, START, House, create, finish, house, judgement, patch

JUDGE = Definition(
    name="quality",
    type=EvaluatorType.LLM,
    criteria="Rate {{outputs.a}} of {{event_id}} [[n]]",
    model_name="judge",
    enabled_in_prod=True,
    sampling_percentage=100,
)
DONE, FAILED, SKIPPED, WAITING = TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.WAITING


def judge(**changes: Any) -> Definition:
    return msgspec.structs.replace(JUDGE, **changes)


def filters(*wanted: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(wanted).encode())


def named(name: str) -> msgspec.Raw:
    return filters({"field": "event_name", "operator": "is", "value": name, "type": "string"})


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with scripted() as server:
        server.answer = lambda asked: Reply(text="So so. [[3]]")
        yield server


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FIRST_PAUSE", 0.005)
    monkeypatch.setattr(work, "QUICK_PAUSE", 0.005)
    monkeypatch.setattr(work, "MAX_PAUSE", 0.02)


class Office:
    """A house with a recorder and evaluators at work."""

    def __init__(self, home: House, recorder: Recorder, evaluation: Evaluation) -> None:
        self.home = home
        self.recorder = recorder
        self.evaluation = evaluation
        self.meta = home.meta

    async def evaluator(self, definition: Definition = JUDGE, project: str = "") -> UUID:
        return (await self.evaluation.evaluators.create(MINE, definition, project)).id

    async def record(self, *runs: UUID, **more: Any) -> None:
        """Whole runs, that have ended."""
        for run in runs:
            await self.recorder.accept([create(run, **more), finish(run)], [])

    async def progress(self, evaluator: UUID) -> Progress:
        return await self.evaluation.progress(MINE, evaluator)

    async def until(self, evaluator: UUID, **counts: int) -> Progress:
        """Until there are so many of each of these; then what there is."""
        found: Progress = await until(lambda: self.progress(evaluator), lambda now: has(now, **counts))
        return found

    async def idle(self) -> None:
        """Until all that was acknowledged is written, noted and sorted."""
        await self.recorder.settle(MINE)
        await until(lambda: self.meta.evaluator_tasks.noted(1), lambda noted: not noted)

    async def given(self, *runs: UUID) -> dict[tuple[UUID, str], Feedback]:
        await self.recorder.settle(MINE)
        found = await self.home.feedback()
        return {(item.run_id or UUID(int=0), item.key): item for item in found}


def instead(owner: object, method: str, function: Callable[..., Any]) -> None:
    """Have this done in the place of a store's method."""
    setattr(owner, method, function)


def has(found: Progress, **counts: int) -> bool:
    return all(found.counts.get(TaskStatus(status), 0) == count for status, count in counts.items())


async def until(look: Callable[[], Awaitable[Any]], fine: Callable[[Any], bool], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not fine(found := await look()):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.005)
    return found


@contextlib.asynccontextmanager
async def office(home: House, model: ModelServer | None, **settings: Any) -> AsyncIterator[Office]:
    """The clock is set so that the runs of tests/recording.py are new."""
    back = time.time_ns() - START * 1000
    where = None if model is None else Endpoint(model.url, "k", trusted=True)
    evaluation = Evaluation(
        home.meta,
        Models(where, seconds=20),
        EventLanguage(),
        Settings(data_dir=home.folder, **settings),
        clock=lambda: time.time_ns() - back,
    )
    await evaluation.prepare()
    async with home.recorder(EAGER, evaluation.noting) as recorder:
        evaluation.follow(recorder, home.store.real, home.metrics)
        await evaluation.start()
        try:
            yield Office(home, recorder, evaluation)
        finally:
            await evaluation.stop()


def at_work(
    folder: Path, model: ModelServer | None, do: Callable[[Office], Awaitable[None]], **settings: Any
) -> None:
    async def run() -> None:
        async with house(folder) as home, office(home, model, **settings) as found:
            await do(found)

    asyncio.run(run())


# -- what is evaluated ---------------------------------------------------------------------------------------


def test_a_new_event_is_evaluated(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        run = uuid4()
        await found.record(run)
        progress = await found.until(evaluator, done=1, waiting=0)
        given = (await found.given())[run, "quality"]
        assert (given.score, given.raw_score, given.comment) == (3.0, b"3.0", "So so.")
        assert (given.project_id, given.trace_id, given.source_type) == (PROJECT, run, "auto_eval")
        source = json.loads(given.source or b"")
        assert source["metadata"]["honeyhive"] == "metrics"
        assert source["metadata"]["evaluator_version"] == "v1"
        assert json.loads(given.extra or b"")["usage"]["total"] == 42
        (task,) = progress.tasks
        assert (task.run_id, task.status, task.attempts, task.reason) == (run, DONE, 1, None)
        assert model.asked[0].prompt == f"Rate 2 of {run} [[n]]"

    at_work(tmp_path, model, do)


def test_what_is_not_enabled_costs_nothing(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        for definition in (
            judge(name="off", enabled_in_prod=False),
            judge(name="none", sampling_percentage=0.0),
            judge(name="people", type=EvaluatorType.HUMAN),
        ):
            await found.evaluator(definition)
        assert not found.evaluation.noting._enabled

        async def note(_: object) -> None:
            raise AssertionError("noted")

        instead(found.meta.evaluator_tasks, "note", note)
        await found.record(uuid4())
        await found.recorder.settle(MINE)
        assert len(await found.home.runs()) == 1

    at_work(tmp_path, model, do)
    assert model.asked == []


def test_an_event_is_evaluated_once_by_a_version(tmp_path: Path, model: ModelServer) -> None:
    """However often it is sent or changed; and once more by the next version."""

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        run = uuid4()
        await found.record(run)
        await found.until(evaluator, done=1)
        for _ in range(3):
            await found.record(run)
            await found.recorder.accept([patch(run, outputs=b'{"a":5}')], [])
            await found.idle()
        assert len(model.asked) == 1
        await found.evaluation.evaluators.change(MINE, evaluator, judge(description="better"))
        await found.idle()
        assert len(model.asked) == 1, "a new version does not go back by itself"
        await found.recorder.accept([patch(run, outputs=b'{"a":6}')], [])
        await found.until(evaluator, done=2)
        assert len(model.asked) == 2
        given = await found.given()
        assert len(given) == 1, "one metric of a name an event"
        assert b'"v2"' in (given[run, "quality"].source or b"")

    at_work(tmp_path, model, do)


def test_what_evaluators_write_is_no_event(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        run = uuid4()
        await found.record(run)
        await found.until(evaluator, done=1)
        await found.idle()
        await found.recorder.accept([], [judgement(run)])
        await found.idle()
        assert has(await found.progress(evaluator), done=1, waiting=0)

    at_work(tmp_path, model, do)
    assert len(model.asked) == 1


def test_filters_choose_and_an_update_may_bring_an_event_in(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        by_name = await found.evaluator(judge(filters=named("step")))
        by_plan = await found.evaluator(
            judge(
                name="plan",
                filters=filters(
                    {"field": "metadata.plan", "operator": "is", "value": "pro", "type": "string"}
                ),
            )
        )
        run, other = uuid4(), uuid4()
        await found.record(run)
        await found.record(other, name="else")
        await found.until(by_name, done=1)
        await found.idle()
        assert has(await found.progress(by_plan), done=0, waiting=0)
        await found.recorder.accept([patch(other, extra=b'{"metadata":{"plan":"pro"}}')], [])
        progress = await found.until(by_plan, done=1)
        assert progress.tasks[0].run_id == other
        assert set(await found.given()) == {(run, "quality"), (other, "plan")}

    at_work(tmp_path, model, do)


def test_an_evaluator_of_one_project(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        project = Project(id=PROJECT, workspace=MINE, name="shop", start_time=1, created_at=1, modified_at=1)
        await found.meta.projects.create(project)
        mine = await found.evaluator(JUDGE, "shop")
        other = await found.evaluator(JUDGE, "another")
        run = uuid4()
        await found.record(run)
        await found.record(uuid4(), project_id=uuid4())
        await found.until(mine, done=1)
        await found.idle()
        assert has(await found.progress(other), done=0, waiting=0)

    at_work(tmp_path, model, do)
    assert len(model.asked) == 1


def test_sampling(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        half, all_of = judge(name="half", sampling_percentage=50.0), judge(name="all")
        evaluators = [await found.evaluator(each) for each in (half, all_of)]
        runs = [uuid4() for _ in range(40)]
        await found.record(*runs)
        await found.until(evaluators[1], done=40)
        await found.idle()
        expected = {run for run in runs if half.samples(run)}
        await found.until(evaluators[0], done=len(expected), waiting=0)
        progress = await found.progress(evaluators[0])
        assert {task.run_id for task in progress.tasks} == expected

    at_work(tmp_path, model, do, evaluator_concurrency=16)


def test_what_has_no_outcome_yet_waits(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        run = uuid4()
        await found.recorder.accept([create(run)], [])
        await found.idle()
        assert has(await found.progress(evaluator), done=0, waiting=0)
        await found.recorder.accept([patch(run, outputs=b'{"a":2}')], [])  # a session without an end
        await found.until(evaluator, done=1)

    at_work(tmp_path, model, do)


def test_runs_of_long_ago_are_not_new(
    tmp_path: Path, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their tasks may be forgotten, so that they would be evaluated twice."""
    monkeypatch.setattr(noting, "NEW", -1_000_000)

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        await found.record(uuid4())
        await found.idle()
        assert has(await found.progress(evaluator), done=0, waiting=0)

    at_work(tmp_path, model, do)


def test_another_workspaces_events_are_not_touched(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        foreign = uuid4()
        await found.recorder.accept([create(foreign, workspace=OTHER), finish(foreign, workspace=OTHER)], [])
        await found.record(foreign)
        await found.until(evaluator, done=1)
        await found.idle()
        assert [item.workspace for item in (await found.given()).values()] == [MINE]
        with pytest.raises(NotFound):
            await found.evaluation.progress(OTHER, evaluator)
        with pytest.raises(NotFound):
            await found.evaluation.take_up(OTHER, evaluator)

    at_work(tmp_path, model, do)
    assert len(model.asked) == 1


def test_only_events_with_ground_truth(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator(judge(needs_ground_truth=True))
        with_truth, without = uuid4(), uuid4()
        truth = judgement(
            with_truth,
            key="ground_truth",
            value=b'"x"',
            source=b'{"type":"api","metadata":{"honeyhive":"feedback"}}',
        )
        await found.recorder.accept([create(with_truth), finish(with_truth)], [truth])
        await found.record(without)
        progress = await found.until(evaluator, done=1, skipped=1)
        reasons = {task.run_id: task.reason for task in progress.tasks}
        assert reasons == {with_truth: None, without: "the event has no ground truth"}

    at_work(tmp_path, model, do)
    assert len(model.asked) == 1


# -- failures ------------------------------------------------------------------------------------------------


def test_a_model_that_fails_is_asked_again(tmp_path: Path, model: ModelServer) -> None:
    model.script += [Reply(status=503), Reply(raw=b"nonsense"), Reply(text="no rating"), Reply(status=401)]

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        await found.record(uuid4())
        progress = await found.until(evaluator, done=1)
        assert progress.tasks[0].attempts == 5
        rendered = found.home.metrics.render().decode()
        assert 'stenograph_evaluations_total{outcome="waiting"} 4.0' in rendered
        assert 'stenograph_evaluations_total{outcome="done"} 1.0' in rendered
        assert "stenograph_evaluations_waiting 0.0" in rendered

    at_work(tmp_path, model, do)
    assert len(model.asked) == 5


def test_what_fails_too_often_is_given_up_and_can_be_taken_up(tmp_path: Path, model: ModelServer) -> None:
    model.answer = lambda asked: Reply(status=500, text="out of order")

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        await found.record(uuid4())
        (task,) = (await found.until(evaluator, failed=1, waiting=0)).tasks
        assert task.attempts == work.ATTEMPTS
        assert "out of order" in (task.reason or "")
        assert "tried 10 times" in (task.reason or "")
        model.answer = lambda asked: Reply(text="[[1]]")
        assert await found.evaluation.take_up(MINE, evaluator) == 1
        await found.until(evaluator, done=1, failed=0)
        assert await found.evaluation.take_up(MINE, evaluator) == 0

    at_work(tmp_path, model, do)


def test_what_will_not_pass_is_given_up_at_once(tmp_path: Path, model: ModelServer) -> None:
    model.script.append(Reply(status=400, text="the prompt is too long"))

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        other = await found.evaluator(judge(name="lost", criteria="{{ inputs.nowhere }} [[n]]"))
        await found.record(uuid4())
        (task,) = (await found.until(evaluator, failed=1)).tasks
        assert (task.attempts, "too long" in (task.reason or "")) == (1, True)
        (task,) = (await found.until(other, failed=1)).tasks
        assert "inputs.nowhere" in (task.reason or "")

    at_work(tmp_path, model, do)
    assert len(model.asked) == 1


def test_a_server_asks_to_wait(tmp_path: Path, model: ModelServer) -> None:
    """Retry-After counts for more than our own pause."""
    model.script.append(Reply(status=429, headers={"retry-after": "3000"}))

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        await found.record(uuid4())
        progress = await until(
            lambda: found.progress(evaluator), lambda now: bool(now.tasks and now.tasks[0].attempts)
        )
        (task,) = progress.tasks
        assert task.status is WAITING
        assert task.due_at - task.modified_at > 2_900_000_000

    at_work(tmp_path, model, do)


def test_without_a_model_the_reason_names_the_setting(tmp_path: Path) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        await found.record(uuid4())
        progress = await found.until(evaluator, failed=1)
        assert "STENOGRAPH_LLM_BASE_URL" in (progress.tasks[0].reason or "")
        assert "STENOGRAPH_LLM_BASE_URL" in (progress.problem or "")

    at_work(tmp_path, None, do)


def test_python_is_not_even_noted_where_it_is_off(tmp_path: Path) -> None:
    """One that was enabled before it was turned off: its progress says why nothing happens."""
    script = judge(name="script", type=EvaluatorType.PYTHON, criteria="return 1")

    async def run() -> None:
        async with house(tmp_path) as home:
            async with office(home, None, python_evaluators=True) as found:
                evaluator = await found.evaluator(script)
            async with office(home, None) as found:
                await found.record(uuid4())
                await found.idle()
                progress = await found.progress(evaluator)
                assert (sum(progress.counts.values()), progress.tasks) == (0, [])
                assert "STENOGRAPH_PYTHON_EVALUATORS" in (progress.problem or "")
                with pytest.raises(Unsupported, match="STENOGRAPH_PYTHON_EVALUATORS"):
                    await found.evaluator(msgspec.structs.replace(script, name="another"))

    asyncio.run(run())


def test_python_at_work(tmp_path: Path) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator(
            judge(
                name="script",
                type=EvaluatorType.PYTHON,
                criteria="return event['outputs']['a'] * 2, event['event_name']",
            )
        )
        broken = await found.evaluator(judge(name="broken", type=EvaluatorType.PYTHON, criteria="return 1/0"))
        run = uuid4()
        await found.record(run)
        await found.until(evaluator, done=1)
        given = (await found.given())[run, "script"]
        assert (given.score, given.comment) == (4.0, "step")
        progress = await found.until(broken, failed=1)
        assert (progress.tasks[0].attempts, progress.tasks[0].reason) == (
            1,
            "ZeroDivisionError: division by zero (line 1)",
        )

    at_work(tmp_path, None, do, python_evaluators=True)


# -- composites ----------------------------------------------------------------------------------------------


def whole(*parts: str) -> Definition:
    return Definition(
        name="whole",
        type=EvaluatorType.COMPOSITE,
        criteria="weighted average",
        enabled_in_prod=True,
        sampling_percentage=100,
        child_metrics=tuple(ChildMetric(part, 1) for part in parts),
    )


def test_a_composite_comes_after_its_parts(tmp_path: Path, model: ModelServer) -> None:
    gate = threading.Event()

    def answer(asked: Asked) -> Reply:
        slow = asked.prompt.startswith("slow")
        return Reply(text="[[1]]" if slow else "[[2]]", gate=gate if slow else None)

    model.answer = answer

    async def do(found: Office) -> None:
        evaluator = await found.evaluator(whole("fast", "slow", "client"))
        await found.evaluator(judge(name="fast", criteria="fast [[n]]"))
        await found.evaluator(judge(name="slow", criteria="slow [[n]]"))
        run = uuid4()
        await found.recorder.accept([create(run), finish(run)], [judgement(run, key="client", score=6.0)])
        waiting = await until(
            lambda: found.progress(evaluator), lambda now: bool(now.tasks and now.tasks[0].attempts)
        )
        assert "'slow'" in (waiting.tasks[0].reason or "")
        gate.set()
        await found.until(evaluator, done=1)
        assert (await found.given())[run, "whole"].score == 3.0

    at_work(tmp_path, model, do)


def test_a_composite_without_a_part_is_given_up(tmp_path: Path) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator(whole("people"))
        circle = await found.evaluator(msgspec.structs.replace(whole("whole 2"), name="whole 3"))
        await found.evaluator(msgspec.structs.replace(whole("whole 3"), name="whole 2"))
        await found.record(uuid4())
        (task,) = (await found.until(evaluator, failed=1)).tasks
        assert "'people'" in (task.reason or "")
        await found.until(circle, failed=1)

    at_work(tmp_path, None, do)


# -- crashes and changes -------------------------------------------------------------------------------------


def test_tasks_survive_a_crash(tmp_path: Path, model: ModelServer) -> None:
    gate = threading.Event()
    model.answer = lambda asked: Reply(text="[[1]]", gate=gate)
    runs = [uuid4() for _ in range(5)]

    async def run() -> None:
        async with house(tmp_path) as home:
            async with office(home, model, evaluator_concurrency=2) as found:
                evaluator = await found.evaluator()
                await found.record(*runs)
                await found.until(evaluator, waiting=5)
                await until(lambda: asyncio.sleep(0, model.asked), lambda asked: len(asked) == 2)
                await found.evaluation.stop()
                await home.crash(found.recorder)
            gate.set()
            async with office(home, model) as found:
                await found.until(evaluator, done=5, waiting=0)
                assert set(await found.given()) == {(run, "quality") for run in runs}

    asyncio.run(run())
    assert len(model.asked) == 7


def test_what_was_written_and_not_noted_is_noted_after_a_crash(tmp_path: Path, model: ModelServer) -> None:
    """The inbox forgets a run only once it is noted."""
    run = uuid4()

    async def work() -> None:
        async with house(tmp_path) as home:
            real = home.meta.evaluator_tasks.note
            tried = asyncio.Event()

            async def refuse(_: object) -> None:
                tried.set()
                raise StoreUnavailable("the metadata store is gone")

            async with office(home, model) as found:
                evaluator = await found.evaluator()
                instead(home.meta.evaluator_tasks, "note", refuse)
                await found.record(run)
                await tried.wait()
                assert home.store.writes, "it is in the run store already"
                await found.evaluation.stop()
                await home.crash(found.recorder)
            instead(home.meta.evaluator_tasks, "note", real)
            async with office(home, model) as found:
                await found.until(evaluator, done=1)
                assert [stored.id for stored in await home.runs()] == [run]

    asyncio.run(work())
    assert len(model.asked) == 1


def test_a_note_that_fails_has_the_flush_tried_again(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        real, failures = found.meta.evaluator_tasks.note, [StoreUnavailable("busy")]

        async def fail_once(candidates: Any) -> None:
            if failures:
                raise failures.pop()
            await real(candidates)

        instead(found.meta.evaluator_tasks, "note", fail_once)
        evaluator = await found.evaluator()
        run = uuid4()
        await found.record(run)
        await found.until(evaluator, done=1)
        assert not failures
        assert len(await found.home.runs()) == 1

    at_work(tmp_path, model, do)


def test_an_evaluator_that_is_deleted_stops(tmp_path: Path, model: ModelServer) -> None:
    gate = threading.Event()
    model.answer = lambda asked: Reply(text="[[1]]", gate=gate)

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        await found.record(*(uuid4() for _ in range(3)))
        await until(lambda: asyncio.sleep(0, model.asked), lambda asked: len(asked) == 1)
        await found.evaluation.evaluators.delete(MINE, evaluator)
        gate.set()
        await until(lambda: found.meta.evaluator_tasks.count(), lambda counts: not counts)
        await found.record(uuid4())
        await found.idle()
        assert await found.meta.evaluator_tasks.count() == {}

    at_work(tmp_path, model, do, evaluator_concurrency=1)
    assert len(model.asked) == 1


def test_a_run_that_is_deleted_is_skipped(tmp_path: Path, model: ModelServer) -> None:
    gate = threading.Event()
    model.answer = lambda asked: Reply(text="[[1]]", gate=gate)

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        first, second = sorted([uuid4(), uuid4()])
        await found.record(first, second)
        await found.until(evaluator, waiting=2)
        await until(lambda: asyncio.sleep(0, model.asked), lambda asked: len(asked) == 1)
        busy = first if str(first) in model.asked[0].prompt else second
        gone = second if busy == first else first
        await found.recorder.delete(RunSelection(workspace=MINE, ids=(gone,)))
        gate.set()
        progress = await found.until(evaluator, done=1, skipped=1)
        assert {task.run_id: task.reason for task in progress.tasks}[gone] == "the event is gone"

    at_work(tmp_path, model, do, evaluator_concurrency=1)


def test_so_many_at_a_time(tmp_path: Path, model: ModelServer) -> None:
    gate = threading.Event()
    model.answer = lambda asked: Reply(text="[[1]]", gate=gate)

    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        await found.record(*(uuid4() for _ in range(7)))
        await found.until(evaluator, waiting=7)
        await until(lambda: asyncio.sleep(0, model.asked), lambda asked: len(asked) >= 3)
        await found.idle()
        assert len(model.asked) == 3
        gate.set()
        await found.until(evaluator, done=7)

    at_work(tmp_path, model, do, evaluator_concurrency=3)


def test_a_store_that_does_not_answer_is_waited_for(tmp_path: Path, model: ModelServer) -> None:
    async def do(found: Office) -> None:
        evaluator = await found.evaluator()
        real, failures = found.meta.evaluator_tasks.change, [StoreUnavailable("busy")] * 2

        async def change(tasks: Any) -> None:
            if failures:
                raise failures.pop()
            await real(tasks)

        instead(found.meta.evaluator_tasks, "change", change)
        await found.record(uuid4())
        await found.until(evaluator, done=1)
        assert not failures

    at_work(tmp_path, model, do)


# -- evaluators ----------------------------------------------------------------------------------------------


def test_a_change_is_a_version_and_no_change_is_none(tmp_path: Path) -> None:
    async def do(found: Office) -> None:
        evaluators = found.evaluation.evaluators
        evaluator = await found.evaluator(judge(enabled_in_prod=False))
        await evaluators.change(MINE, evaluator, judge(enabled_in_prod=False))
        await evaluators.change(MINE, evaluator, judge(enabled_in_prod=True))
        live, versions = await evaluators.versions(MINE, evaluator)
        assert [each.name for each in versions] == ["v1", "v2"]
        assert live.live.name == "v2"
        draft = await evaluators.add_version(MINE, evaluator, judge(name="draft"), "try", deploy=False)
        assert (draft.name, (await evaluators.read(MINE, evaluator)).definition.name) == ("v3", "quality")
        assert (await evaluators.deploy(MINE, evaluator, "v1")).name == "v1"
        assert not found.evaluation.noting._enabled
        again = await evaluators.add_version(MINE, evaluator, judge(name="draft"), "same", deploy=False)
        assert again.sha == draft.sha != versions[0].sha
        for name in ("v9", "nope", ""):
            with pytest.raises(NotFound):
                await evaluators.deploy(MINE, evaluator, name)
        with pytest.raises(Invalid):
            await evaluators.add_version(MINE, evaluator, JUDGE, "x" * 10_001, deploy=False)

    at_work(tmp_path, None, do)


def test_filters_are_checked_when_they_are_taken(tmp_path: Path) -> None:
    async def do(found: Office) -> None:
        for wanted in (b"{}", b"[1]", b'[{"field":"nope","operator":"is","value":1}]', b"[", b'"x"'):
            with pytest.raises(Invalid):
                await found.evaluator(judge(filters=msgspec.Raw(wanted)))

    at_work(tmp_path, None, do)
