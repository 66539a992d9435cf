"""Threads by the v2 API, read with the generated client."""

from __future__ import annotations

import uuid
from typing import Any, get_args, get_type_hints

import httpx
from langsmith import Client
from langsmith._client import Langsmith
from langsmith.types.thread_aggregate_stats_params import ThreadAggregateStatsParams
from langsmith.types.thread_list_traces_params import ThreadListTracesParams
from langsmith.types.thread_stats_params import ThreadStatsParams

from stenograph.wire.langsmith.v2.thread_fields import ALL_THREADS, ONE_THREAD, TIMES, turn_fields
from tests.wire.langsmith.v2.conftest import Traced, at, awaited

NOBODYS = str(uuid.UUID(int=9))


def choices(params: type, name: str) -> set[str]:
    """What the client lets select there."""
    (listed,) = get_args(get_type_hints(params)[name])
    return set(get_args(listed))


def test_everything_that_clients_may_select_is_known() -> None:
    turns = choices(ThreadListTracesParams, "selects")
    assert turn_fields(sorted(turns)) == turns
    assert choices(ThreadStatsParams, "selects") == {*ONE_THREAD, *TIMES}
    assert choices(ThreadAggregateStatsParams, "select") == {*ALL_THREADS, "THREAD_COUNT"}


def test_a_projects_threads(v2: Langsmith, http: httpx.Client, traced: Traced) -> None:
    http.post("/feedback", json={"run_id": traced.root, "key": "good", "score": 1})
    (thread,) = v2.threads.query(project_id=traced.project)
    assert (thread.thread_id, thread.count, thread.num_errored_turns) == (traced.thread, 2, 1)
    assert (thread.first_trace_id, thread.last_trace_id) == (traced.root, traced.failed)
    assert (thread.min_start_time, thread.max_start_time) == (at(0), at(3))
    assert (thread.first_inputs, thread.last_outputs) == ('{"q":0}', '{"a":3}')
    assert (thread.total_tokens, thread.total_cost) == (42, 0.75)
    assert thread.total_token_details == {"cache_read": 10}
    assert thread.last_error is not None
    assert thread.last_error.startswith("it broke")
    assert thread.feedback_stats is not None
    assert thread.feedback_stats["good"].avg == 1
    (left,) = v2.threads.query(project_id=traced.project, filter='eq(status, "success")')
    assert (left.count, left.num_errored_turns) == (1, 0)
    assert list(v2.threads.query(project_id=traced.project, max_start_time=at(0))) == []


def test_pages_of_threads_have_each_once(v2: Langsmith, http: httpx.Client, project: str) -> None:
    def run(place: int, thread: str) -> dict[str, Any]:
        each = str(uuid.uuid4())
        return {
            "id": each, "trace_id": each, "dotted_order": f"{at(place):%Y%m%dT%H%M%S%f}Z{each}", "name": "turn",
            "run_type": "chain", "session_name": project, "start_time": at(place).isoformat(),
            "extra": {"metadata": {"session_id": thread}},
        }  # fmt: skip

    assert http.post("/runs/batch", json={"post": [run(n, f"t{n}") for n in range(5)]}).status_code == 202
    home = http.get("/sessions", params={"name": project}).json()[0]["id"]
    names = [f"t{n}" for n in (4, 3, 2, 1, 0)]
    for size in (1, 2, 5):
        assert [each.thread_id for each in v2.threads.query(project_id=home, page_size=size)] == names, size
    streamed = v2.threads.streaming.query_items(project_id=home, page_size=3)
    assert [each.thread_id for each in streamed] == names

    first = v2.threads.query(project_id=home, page_size=2)
    news = run(60 * 59, "t3") | {"start_time": at(60 * 70).isoformat()}
    assert http.post("/runs", json=news).status_code == 202
    assert first.next_cursor is not None
    rest = v2.threads.query(project_id=home, page_size=9, cursor=first.next_cursor)
    assert [each.thread_id for each in rest] == names[2:], "what came after the first page moves nothing"


def test_the_traces_of_a_thread(client: Client, v2: Langsmith, traced: Traced) -> None:
    asked = v2.threads.list_traces(
        traced.thread,
        project_id=traced.project,
        page_size=1,
        selects=[
            "TURN_NUMBER",
            "NAME",
            "TOTAL_TOKENS",
            "TOTAL_COST",
            "INPUTS",
            "LATENCY",
            "PROMPT_TOKEN_DETAILS",
        ],
    )
    failed, root = list(asked)
    assert (failed.trace_id, failed.turn_number, failed.name) == (traced.failed, 2, "failed")
    assert (root.trace_id, root.turn_number, root.name, root.latency) == (traced.root, 1, "root", 1.5)
    assert (root.total_tokens, root.total_cost, root.inputs) == (42, 0.75, {"q": 0})
    assert root.prompt_token_details is not None
    assert root.prompt_token_details.raw == {"cache_read": 10}

    async def only(**asked: str) -> list[str | None]:
        page = await client.threads.list_traces(traced.thread, project_id=traced.project, **asked)  # type: ignore[arg-type]
        return [each.trace_id for each in page.items]

    assert awaited(client, only(filter='eq(status, "error")')) == [traced.failed]
    named = v2.threads.list_traces(traced.thread, project_id=traced.project, tree_filter='eq(name, "model")')
    assert [each.trace_id for each in named] == [traced.root]
    assert v2.threads.list_traces("nobody's", project_id=traced.project).items == []


def test_statistics_of_a_thread_and_of_all(v2: Langsmith, http: httpx.Client, traced: Traced) -> None:
    one = v2.threads.stats(
        traced.thread,
        session_id=traced.project,
        selects=["TURNS", "FIRST_START_TIME", "LAST_START_TIME", "LAST_END_TIME", "TOTAL_TOKENS", "TOTAL_COST",
                 "LATENCY_P50", "PROMPT_TOKEN_DETAILS"],
    )  # fmt: skip
    assert (one.turns, one.first_start_time, one.last_start_time, one.last_end_time) == (
        2,
        at(0),
        at(3),
        at(3.5),
    )
    assert (one.total_tokens, one.total_cost, one.latency_p50_seconds) == (42, 0.75, 1.0)
    assert one.prompt_token_details is not None
    assert one.prompt_token_details.raw == {"cache_read": 10}

    loose = str(uuid.uuid4())
    run = {
        "id": loose,
        "trace_id": loose,
        "dotted_order": f"{at(9):%Y%m%dT%H%M%S%f}Z{loose}",
        "name": "loose",
    }
    run |= {"run_type": "chain", "session_name": traced.name, "start_time": at(9).isoformat()}
    assert http.post("/runs", json=run).status_code == 202
    everything: list[Any] = [*ALL_THREADS, "THREAD_COUNT"]
    stats = v2.threads.aggregate_stats(project_id=traced.project, select=everything)
    assert (stats.thread_count, stats.trace_count, stats.error_rate) == (1, 2, 0.5)
    assert (stats.total_tokens, stats.prompt_token_details) == (42, {"cache_read": 10})
    answer = http.post(
        "/api/v2/threads/stats", json={"project_id": traced.project, "select": ["THREAD_COUNT"]}
    )
    assert answer.json() == {"thread_count": 1}


def test_what_makes_no_sense_is_said(http: httpx.Client) -> None:
    of_one = {"project_id": NOBODYS}
    for path, body, status in (
        ("query", {}, 422),
        ("query", {**of_one, "page_size": 101}, 422),
        ("query", {**of_one, "cursor": "1.2"}, 422),
        ("query", {**of_one, "cursor": "1.2." + "9" * 40}, 422),
        ("query", {**of_one, "thread_filter": "gt(count, 1)"}, 501),
        ("query", {**of_one, "tree_filter": 'eq(name, "x")'}, 501),
        ("query", {**of_one, "ai_search": "x"}, 501),
        ("stats", of_one, 422),
        ("stats", {**of_one, "select": []}, 422),
        ("stats", {**of_one, "select": ["X"]}, 422),
        ("stats", {**of_one, "select": ["TOTAL_COST"], "trace_filter": 'eq(name, "x")'}, 501),
    ):
        answer = http.post(f"/api/v2/threads/{path}", json=body)
        assert (answer.status_code, answer.json()["status"]) == (status, status), answer.text
    for path, params, status in (
        ("a%00b/traces", of_one, 200),
        ("x/traces", {}, 422),
        ("x/traces", {**of_one, "selects": "X"}, 422),
        ("x/traces", {**of_one, "cursor": "x"}, 422),
        ("x/traces", {**of_one, "filter": "x("}, 400),
        ("x/stats", {"session_id": NOBODYS}, 422),
        ("x/stats", {"selects": "TURNS"}, 422),
        ("x/share", of_one, 501),
    ):
        assert http.get(f"/api/v2/threads/{path}", params=params).status_code == status, (path, params)
