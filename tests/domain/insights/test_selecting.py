"""Which traces are read for a report: each once, however pages fall, and with its feedback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from bench import traffic

from stenograph.domain.insights import selecting
from stenograph.domain.insights.selecting import Selecting
from stenograph.main import running
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.insights import AttributeSchema, InsightJob, ReportRequest
from stenograph.settings import Settings
from stenograph.wire import app
from stenograph.wire.langsmith.filters.filters import parse

COUNT = 40


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "PAGE", 3)
    monkeypatch.setattr(selecting, "_MOST_PAGE", 9)
    monkeypatch.setattr(selecting, "_KEYS", 11)


def with_traces(
    work: Callable[[Selecting, UUID, list[dict[str, Any]]], Awaitable[None]], folder: Path
) -> None:
    """A project with traces of which most began in the same microsecond; every second has a score."""

    async def session() -> None:
        async with running(Settings(data_dir=folder)) as services:
            transport = httpx.ASGITransport(app=app.build(services))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                project = (await http.post("/sessions", json={"name": "p"})).json()["id"]
                at = time.time() - 3600
                runs = [
                    traffic.run(trace, project, at + max(0, number - 30))
                    for number, trace in enumerate(traffic.traces(COUNT))
                ]
                for run in runs[::5]:
                    run["run_type"] = "chain"
                assert (await http.post("/runs/batch", content=traffic.batch(runs))).status_code == 202
                for number, run in enumerate(runs):
                    if number % 2:
                        score = {"run_id": run["id"], "key": "k", "score": number}
                        assert (await http.post("/feedback", json=score)).status_code == 200
            await work(Selecting(services.runs, parse), UUID(project), runs)

    asyncio.run(session())


def job(project: UUID, **said: Any) -> InsightJob:
    request = ReportRequest(since=0, until=time.time_ns() // 1000, **said)
    return InsightJob(
        id=uuid4(), workspace=DEFAULT_WORKSPACE, project_id=project, name="x", request=request, created_at=1,
        modified_at=1,
    )  # fmt: skip


async def read(of: Selecting, wanted: InsightJob) -> list[Any]:
    chosen = await of.chosen(wanted)
    found = [trace async for page in of.pages(wanted, chosen) for trace in page]
    assert len(found) == chosen.count
    assert len({trace.run_id for trace in found}) == len(found)
    return found


def test_each_trace_once_with_its_feedback_and_figures(tmp_path: Path) -> None:
    async def work(of: Selecting, project: UUID, runs: list[dict[str, Any]]) -> None:
        schemas = {"theme": AttributeSchema()}
        places = {UUID(run["id"]): number for number, run in enumerate(runs)}
        for said in ({}, {"filter": 'eq(name, "assistant")'}, {"sample": 30.0}):
            found = await read(of, job(project, attribute_schemas=schemas, **said))
            assert len(found) == (30 if "sample" in said else COUNT)
            for trace in found:
                number = places[trace.run_id]
                assert trace.feedback == ({"k": number} if number % 2 else {})
                assert trace.inputs
                assert trace.outputs
                assert trace.attributes.keys() == {"theme"}
                usage = runs[number]["extra"]["metadata"]["usage_metadata"]
                assert trace.tokens == usage["total_tokens"]
                assert trace.cost == pytest.approx(usage["total_cost"])
        some = await read(of, job(project, filter='eq(run_type, "chain")'))
        assert {places[trace.run_id] for trace in some} == set(range(0, COUNT, 5))
        few = await read(of, job(project, sample=4.0))
        assert len(few) == 4
        assert [each.run_id for each in few] == [
            each.run_id for each in await read(of, job(project, sample=4.0))
        ]
        assert await read(of, job(project, filter='eq(name, "nobody")')) == []

    with_traces(work, tmp_path)


def test_pages_grow_while_they_are_light_and_shrink_when_they_are_heavy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def work(of: Selecting, project: UUID, runs: list[dict[str, Any]]) -> None:
        async def sizes() -> list[int]:
            wanted = job(project)
            return [len(page) async for page in of.pages(wanted, await of.chosen(wanted))]

        assert await sizes() == [3, 6, 9, 9, 9, 4]
        monkeypatch.setattr(selecting, "_LIGHT", 0)
        assert await sizes() == [3] * 13 + [1]
        monkeypatch.setattr(selecting, "_HEAVY", 0)
        monkeypatch.setattr(selecting, "PAGE", 8)
        assert await sizes() == [8, 4, 2] + [1] * 26

    with_traces(work, tmp_path)
