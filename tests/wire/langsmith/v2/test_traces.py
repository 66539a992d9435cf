"""Traces by the v2 API, read with the generated client."""

from __future__ import annotations

import uuid

import httpx
import pytest
from langsmith import Client
from langsmith._client import Langsmith
from langsmith._exceptions import UnprocessableEntityError

from tests.wire.langsmith.v2.conftest import Traced, at, awaited

NOBODYS = str(uuid.UUID(int=9))


def test_roots_come_in_pages_with_what_the_whole_comes_to(v2: Langsmith, traced: Traced) -> None:
    asked = v2.traces.query(
        project_id=traced.project,
        page_size=1,
        selects=["NAME", "TOTAL_TOKENS", "TOTAL_COST", "FIRST_TOKEN_TIME", "PROMPT_TOKENS"],
    )
    failed, whole = list(asked)
    assert failed.root_run is not None
    assert whole.root_run is not None
    assert whole.trace_aggregates is not None
    assert (failed.root_run.name, whole.root_run.name, whole.root_run.prompt_tokens) == ("failed", "root", 30)
    of_trace = whole.trace_aggregates
    assert (of_trace.total_tokens, of_trace.total_cost, of_trace.first_token_time) == (42, 0.75, at(2.25))
    assert whole.root_run.total_tokens is None


def test_without_selects_there_is_the_roots_id(client: Client, http: httpx.Client, traced: Traced) -> None:
    answer = http.post("/api/v2/traces/query", json={"project_id": traced.project})
    none = {"trace_aggregates": None, "query_metadata": None}
    assert answer.json()["items"] == [
        {"root_run": {"id": each}, **none} for each in (traced.failed, traced.root)
    ]

    async def found() -> list[str | None]:
        page = await client.traces.query(project_id=traced.project, trace_ids=[traced.root])
        return [each.root_run.id for each in page.items if each.root_run]

    assert awaited(client, found()) == [traced.root]


def test_filters_and_the_window(v2: Langsmith, traced: Traced) -> None:
    def roots(**asked: str) -> list[str | None]:
        body = {"project_id": traced.project, **asked}
        page = v2.traces.streaming.query_items(**body)  # type: ignore[arg-type]
        return [each.root_run.id for each in page if each.root_run]

    assert roots() == [traced.failed, traced.root]
    assert roots(trace_filter='eq(status, "error")') == [traced.failed]
    assert roots(tree_filter='eq(name, "model")') == [traced.root]
    assert roots(min_start_time=at(1).isoformat()) == [traced.failed]
    assert roots(max_start_time=at(3).isoformat()) == [traced.root], "up to that time, without it"


def test_the_runs_of_a_trace_as_they_started(v2: Langsmith, traced: Traced) -> None:
    def names(trace: str, **asked: str) -> list[str | None]:
        found = v2.traces.list_runs(
            trace,
            project_id=asked.pop("project_id", traced.project),
            selects=["NAME"],
            **asked,  # type: ignore[arg-type]
        )
        return [run.name for run in found.items or ()]

    assert names(traced.root) == ["root", "child", "model"]
    assert names(traced.root, filter='eq(run_type, "llm")') == ["model"]
    assert names(traced.root, min_start_time=at(1).isoformat(), max_start_time=at(2).isoformat()) == [
        "child",
        "model",
    ]
    assert names(traced.root, project_id=NOBODYS) == names(NOBODYS) == []
    with pytest.raises(UnprocessableEntityError, match="go together"):
        names(traced.root, min_start_time=at(1).isoformat())


def test_what_makes_no_sense_is_said(http: httpx.Client) -> None:
    for body, status in (
        ({}, 422),
        ({"project_id": "x"}, 422),
        ({"project_id": NOBODYS, "page_size": 101}, 422),
        ({"project_id": NOBODYS, "cursor": "x"}, 422),
        ({"project_id": NOBODYS, "sem_filter": "x"}, 501),
        ({"project_id": NOBODYS, "trace_filter": "x"}, 400),
    ):
        answer = http.post("/api/v2/traces/query", json=body)
        assert (answer.status_code, answer.json()["status"]) == (status, status), answer.text
    assert http.get("/api/v2/traces/x/runs", params={"project_id": NOBODYS}).status_code == 422
    assert http.get(f"/api/v2/traces/{NOBODYS}/runs").status_code == 422
