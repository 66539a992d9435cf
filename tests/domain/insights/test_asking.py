"""Asking a model for a report: the budget, answers that are kept, and every way to fail."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from stenograph.domain.insights.describing.asking import WAVE, Asker, Pen
from stenograph.domain.insights.describing.questions import (
    TEXT,
    Question,
    cleaned,
    cleaned_name,
    found_object,
    of_object,
)
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.projects import Project
from stenograph.store.api import MetaStore
from stenograph.store.meta.database import open_meta
from tests.openai_server import Asked, ModelServer, Reply, scripted

USAGE = {"prompt_tokens": 60, "completion_tokens": 20, "total_tokens": 80}
SCHEMA = of_object(summary=TEXT)
JOB = uuid.UUID(int=5)
Make = Callable[..., Asker]


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with scripted() as found:
        found.answer = answer
        yield found


def answer(asked: Asked) -> Reply:
    return Reply(text=json.dumps({"summary": f"of {asked.prompt}"}), usage=USAGE)


def question(number: int | str, tokens: int = 60) -> Question:
    return Question(system="s", user=str(number), schema=SCHEMA, most=20, tokens=tokens)


def run(
    model: ModelServer, folder: Path, work: Callable[[Make], Awaitable[None]], seconds: float = 60
) -> None:
    """`work` with a maker of askers, which share a store and a project."""

    async def whole() -> None:
        meta: MetaStore = await open_meta(f"sqlite:///{folder / 'meta.db'}")
        models = Models(None, seconds=seconds)
        made = Project(
            id=uuid.uuid4(), workspace=DEFAULT_WORKSPACE, name=str(uuid.uuid4()), start_time=1, created_at=1,
            modified_at=1,
        )  # fmt: skip
        await meta.projects.create(made)

        def asker(budget: int = 10**6, job: uuid.UUID | None = JOB, slots: int = 8, name: str = "m") -> Asker:
            pen = Pen(Endpoint(model.url, "sk", trusted=True), name, "large", budget)
            return Asker(
                models, meta.insight_answers, pen, asyncio.Semaphore(slots),
                workspace=DEFAULT_WORKSPACE, project_id=made.id, job_id=job,
            )  # fmt: skip

        try:
            await work(asker)
        finally:
            await models.close()
            await meta.close()

    asyncio.run(whole())


def test_answers_are_found_again(model: ModelServer, tmp_path: Path) -> None:
    async def work(asker: Make) -> None:
        first = asker()
        wanted = [question(number) for number in (1, 2, 1)]
        found = await first.answers(wanted)
        assert [json.loads(each or b"")["summary"] for each in found] == ["of 1", "of 2", "of 1"]
        assert len(model.asked) == 2  # alike questions are one
        assert await first.answers(wanted) == found
        use = first.use(None)
        assert (use.calls, use.cached, use.prompt_tokens, use.completion_tokens) == (2, 0, 120, 40)
        assert (use.budget_used, use.unanswered, use.note) == (160, 0, "")
        resumed = asker()
        assert await resumed.answers(wanted) == found
        assert resumed.use(None) == use  # of one job: it has paid for them before it was interrupted
        other = asker(job=uuid.uuid4())
        assert await other.answers(wanted) == found
        assert (other.use(None).calls, other.use(None).cached, other.use(None).budget_used) == (0, 2, 160)
        assert other.paid == {}
        assert len(model.asked) == 2
        assert await asker(name="another").answers(wanted[:1]) == found[:1]
        assert len(model.asked) == 3

    run(model, tmp_path, work)


@pytest.mark.parametrize("slots", [1, 8])
def test_the_budget_is_never_passed_and_stops_at_the_same_place(
    model: ModelServer, tmp_path: Path, slots: int
) -> None:
    async def work(asker: Make) -> None:
        wanted = [question(number) for number in range(2 * WAVE)]
        limited = asker(budget=6_100, slots=slots)
        heard: list[int] = []
        found = await limited.answers(wanted, heard=heard.append)
        # 60 tokens may be 75, and 20 come: 64 times 95 fit into it, and after these 80 each, ten more.
        assert [each is not None for each in found] == [True] * (WAVE + 10) + [False] * (WAVE - 10)
        assert heard == [WAVE, 2 * WAVE]
        use = limited.use(None)
        assert use.budget_used == 80 * (WAVE + 10) <= 6_100
        assert use.unanswered == WAVE - 10
        assert "6,100 tokens" in use.note
        asked = len(model.asked)
        again = asker(budget=6_100, job=uuid.uuid4())
        assert await again.answers(wanted) == found
        assert len(model.asked) == asked
        assert await asker(budget=94).answers([question("new")]) == [None]
        assert await asker(budget=200).answers([question("new")], 0.4) == [None]
        assert len(model.asked) == asked
        assert await asker(budget=95).answers([question("new")]) != [None]

    run(model, tmp_path, work)


def test_what_cannot_be_read_is_asked_once_more_and_paid_for(model: ModelServer, tmp_path: Path) -> None:
    async def work(asker: Make) -> None:
        model.script.extend(
            [Reply(text="I cannot.", usage=USAGE), Reply(text='{"summary": "a"}', usage=USAGE)]
        )
        first = asker()
        assert await first.answers([question(1)]) == [b'{"summary": "a"}']
        assert (first.use(None).calls, first.use(None).budget_used) == (2, 160)
        model.answer = lambda asked: Reply(text='{"other": 1}', usage=None)
        second = asker()
        assert await second.answers([question(1), question(2)]) == [b'{"summary": "a"}', None]
        assert "could not be read" in second.use(None).note
        assert second.use(None).budget_used > 160 + 120
        assert len(model.asked) == 4

    run(model, tmp_path, work)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(status=429, text="slow down", headers={"retry-after": "0.01"}), "429"),
        (Reply(status=500, text="broken", headers={"retry-after-ms": "5"}), "500"),
        (Reply(raw=b"<html>", headers={"content-type": "text/html"}), "no answer"),
        (Reply(raw=b"{"), "no answer"),
    ],
)
def test_a_server_that_keeps_failing_is_let_be(
    model: ModelServer, tmp_path: Path, reply: Reply, said: str
) -> None:
    async def work(asker: Make) -> None:
        model.answer = lambda asked: reply
        failing = asker(slots=1)
        assert await failing.answers([question(number) for number in range(WAVE)]) == [None] * WAVE
        assert len(model.asked) <= 3 * 3  # three questions, each tried three times at most
        assert said in failing.use(None).note
        assert await failing.answers([question("more")]) == [None]
        assert failing.use(None).unanswered == WAVE + 1
        assert (failing.use(None).calls, failing.use(None).budget_used) == (0, 0)

    run(model, tmp_path, work)


def test_what_passes_is_tried_again_as_it_asks(model: ModelServer, tmp_path: Path) -> None:
    async def work(asker: Make) -> None:
        model.script.append(Reply(status=429, headers={"retry-after": "0.01"}))
        assert await asker().answers([question(1)]) != [None]
        assert len(model.asked) == 2

    run(model, tmp_path, work)


def test_a_key_that_is_refused_is_refused_once(model: ModelServer, tmp_path: Path) -> None:
    async def work(asker: Make) -> None:
        model.answer = lambda asked: Reply(status=401, text="no such key")
        refused = asker(slots=1)
        assert await refused.answers([question(1), question(2)]) == [None, None]
        assert len(model.asked) == 1
        assert "401" in refused.use(None).note

    run(model, tmp_path, work)


def test_a_server_that_is_slow_is_not_waited_for(model: ModelServer, tmp_path: Path) -> None:
    gate = threading.Event()

    async def work(asker: Make) -> None:
        model.answer = lambda asked: Reply(gate=gate)
        slow = asker()
        assert await slow.answers([question(number) for number in range(20)]) == [None] * 20
        assert "in time" in slow.use(None).note
        assert len(model.asked) <= 2 * 8

    try:
        run(model, tmp_path, work, seconds=0.3)
    finally:
        gate.set()


def test_models_that_take_no_schema_are_asked_without(model: ModelServer, tmp_path: Path) -> None:
    def picky(asked: Asked) -> Reply:
        if "response_format" in asked.body or "temperature" in asked.body:
            return Reply(status=400, text="unsupported parameter")
        return answer(asked)

    async def work(asker: Make) -> None:
        model.answer = picky
        plain = asker(slots=1)
        assert None not in await plain.answers([question(1), question(2)])
        assert len(model.asked) == 3  # the second is not tried with them
        body = model.asked[-1].body
        assert '"required":["summary"]' in body["messages"][0]["content"]
        assert "max_completion_tokens" in body
        assert plain.use(None).note == ""

    run(model, tmp_path, work)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"summary": "x"}', b'{"summary": "x"}'),
        ('Sure:\n```json\n{"summary": "x"}\n```', b'{"summary": "x"}'),
        ('{"summary": "a } b"} ', b'{"summary": "a } b"}'),
        ("", None),
        ("}{", None),
        ('{"summary": ', None),
        ('{"other": 1}', None),
        ("[1]", None),
        ('{"summary": "\x00"}', None),
        ('{"summary": "\\ud800"}', None),
        ('{"summary":' * 5000 + "1" + "}" * 5000, None),
    ],
)
def test_objects_in_answers(text: str, found: bytes | None) -> None:
    assert found_object(text, SCHEMA) == found


def test_what_is_said_is_cleaned() -> None:
    assert cleaned("a\x00b\n\u202ec  d", 50) == "a b c d"
    assert (
        cleaned("write to a.b@c.de or +49 (170) 123-4567, order 12345678", 80) == "write to … or …, order …"
    )
    assert cleaned("in 2024 about 95.5 % of 1,200", 80) == "in 2024 about 95.5 % of 1,200"
    assert cleaned("12345678 tokens", 80, figures=True) == "12345678 tokens"
    assert cleaned("word " * 50, 20) == "word word word…"
    assert cleaned(["x"], 10) == ""
    assert cleaned_name("“Refunds, late”. ", 40) == "Refunds, late"
    assert cleaned_name("x“y” z", 40) == "x'y' z"
