"""Runs by the v2 API, read with the generated client."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, get_args

import httpx
import pytest
from langsmith import Client
from langsmith._client import Langsmith
from langsmith._exceptions import BadRequestError, NotFoundError, UnprocessableEntityError
from langsmith.types.run_select_field import RunSelectField

from stenograph.wire.langsmith.v2.fields import selected
from tests.wire.langsmith.v2.conftest import BEGAN, Traced, at, awaited

NOBODYS = str(uuid.UUID(int=9))


def ids(v2: Langsmith, traced: Traced, **asked: Any) -> list[str | None]:
    return [run.id for run in v2.runs.query_v2(project_ids=[traced.project], **asked)]


def test_pages_are_newest_first_and_have_every_run_once(v2: Langsmith, traced: Traced) -> None:
    for size in (1, 2, 3, 4, 100):
        assert ids(v2, traced, page_size=size) == traced.all, size
    page = v2.runs.query_v2(project_ids=[traced.project], page_size=4)
    assert page.next_cursor is None


def test_without_selects_there_is_the_id_alone(http: httpx.Client, traced: Traced) -> None:
    answer = http.post("/api/v2/runs/query", json={"project_ids": [traced.project], "ids": [traced.root]})
    assert answer.json() == {"items": [{"id": traced.root}], "next_cursor": None}


def test_every_field(v2: Langsmith, http: httpx.Client, traced: Traced) -> None:
    http.post("/feedback", json={"run_id": traced.model, "key": "good", "score": 1, "comment": "yes"})
    http.post("/feedback", json={"run_id": traced.model, "key": "good", "score": 0})
    names: list[RunSelectField] = [
        "NAME", "RUN_TYPE", "STATUS", "START_TIME", "END_TIME", "LATENCY_SECONDS", "FIRST_TOKEN_TIME", "ERROR",
        "EXTRA", "METADATA", "EVENTS", "INPUTS", "INPUTS_PREVIEW", "OUTPUTS", "PARENT_RUN_IDS", "PROJECT_ID",
        "TRACE_ID", "THREAD_ID", "DOTTED_ORDER", "IS_ROOT", "TOTAL_TOKENS", "PROMPT_TOKENS",
        "COMPLETION_TOKENS", "TOTAL_COST", "PROMPT_COST", "PROMPT_TOKEN_DETAILS", "TAGS", "ATTACHMENTS",
        "IS_IN_DATASET", "SHARE_URL", "FEEDBACK_STATS",
    ]  # fmt: skip
    run = v2.runs.retrieve_v2(traced.model, project_id=traced.project, selects=names, start_time=at(2))
    assert (run.name, run.run_type, run.status, run.is_root) == ("model", "LLM", "SUCCESS", False)
    assert (run.start_time, run.end_time, run.first_token_time) == (at(2), at(3.5), at(2.25))
    assert (run.latency_seconds, run.error, run.share_url, run.attachments) == (1.5, None, None, None)
    assert run.metadata == (run.extra or {})["metadata"] == {"thread_id": traced.thread, "note": "n2"}
    assert run.events is not None
    assert run.events[0].kwargs == {"token": "a"}
    assert (run.inputs, run.inputs_preview) == ({"q": 2}, '{"q":2}')
    assert run.parent_run_ids == [traced.root, traced.child]
    assert (run.project_id, run.trace_id, run.thread_id) == (traced.project, traced.root, traced.thread)
    assert (run.prompt_tokens, run.completion_tokens, run.total_tokens) == (30, 12, 42)
    assert (run.prompt_cost, run.total_cost) == (0.25, 0.75)
    assert run.prompt_token_details is not None
    assert run.prompt_token_details.raw == {"cache_read": 10}
    assert run.feedback_stats is not None
    good = run.feedback_stats["good"]
    assert (good.n, good.avg, good.min, good.max, good.comments) == (2, 0.5, 0, 1, ["yes"])
    assert good.stdev == pytest.approx(0.5**0.5), "of the sample, not of the population"


def test_all_that_can_be_selected_comes_under_its_name(http: httpx.Client, traced: Traced) -> None:
    names: list[str] = list(get_args(RunSelectField))
    assert selected(names, ("body", "selects")) == {name.lower() for name in names}
    params = {"project_id": traced.project, "selects": names}
    answer = http.get(f"/api/v2/runs/{traced.failed}", params=params)
    assert set(answer.json()) == {name.lower() for name in names}
    assert len(answer.json()["error_preview"]) == 500
    assert answer.json()["status"] == "ERROR"


def test_what_is_asked_for_is_what_comes(v2: Langsmith, traced: Traced) -> None:
    assert ids(v2, traced, ids=[traced.child, NOBODYS]) == [traced.child]
    assert ids(v2, traced, trace_id=traced.root) == traced.all[1:]
    assert ids(v2, traced, is_root=True) == [traced.failed, traced.root]
    assert ids(v2, traced, has_error=True) == [traced.failed]
    assert ids(v2, traced, run_type="LLM") == [traced.model]
    assert ids(v2, traced, filter='eq(name, "child")') == [traced.child]
    assert ids(v2, traced, trace_filter='has(tags, "one")') == traced.all[1:]
    assert ids(v2, traced, tree_filter='eq(name, "model")', is_root=True) == [traced.root]
    assert ids(v2, traced, reference_examples=[NOBODYS]) == []
    assert ids(v2, traced, min_start_time=at(1), max_start_time=at(2)) == [traced.model, traced.child]


def test_a_day_is_looked_back_unless_it_is_said(v2: Langsmith, http: httpx.Client, traced: Traced) -> None:
    old, long_ago = str(uuid.uuid4()), BEGAN - dt.timedelta(days=2)
    run = {"id": old, "trace_id": old, "dotted_order": f"{long_ago:%Y%m%dT%H%M%S%f}Z{old}", "name": "old"}
    run |= {"run_type": "chain", "session_name": traced.name, "start_time": long_ago.isoformat()}
    assert http.post("/runs", json=run).status_code == 202
    assert ids(v2, traced) == traced.all
    assert ids(v2, traced, min_start_time=long_ago) == [*traced.all, old]
    one = v2.runs.retrieve_v2(old, project_id=traced.project, start_time=at(0), selects=["NAME", "STATUS"])
    assert (one.name, one.status) == ("old", "PENDING"), "where a client has it start is a hint"


def test_usage_of_what_is_below_when_it_is_wanted(v2: Langsmith, traced: Traced) -> None:
    def root(**more: Any) -> tuple[Any, ...]:
        wanted: list[RunSelectField] = ["TOTAL_TOKENS", "TOTAL_COST", "FIRST_TOKEN_TIME"]
        (run,) = v2.runs.query_v2(project_ids=[traced.project], ids=[traced.root], selects=wanted, **more)
        return run.total_tokens, run.total_cost, run.first_token_time

    assert root() == (0, None, None)
    assert root(include_subtree_usage=True) == (42, 0.75, at(2.25))


def test_the_experiments_of_a_dataset(v2: Langsmith, http: httpx.Client, traced: Traced) -> None:
    dataset = http.post("/datasets", json={"name": f"d {uuid.uuid4()}"}).json()["id"]
    assert v2.runs.query_v2(reference_dataset_id=dataset).items == []
    session = {"name": f"e {uuid.uuid4()}", "reference_dataset_id": dataset}
    experiment = http.post("/sessions", json=session).json()["id"]
    run = str(uuid.uuid4())
    old = {"id": run, "trace_id": run, "dotted_order": f"20240101T000000000000Z{run}", "name": "answer"}
    old |= {"run_type": "chain", "session_id": experiment, "start_time": "2024-01-01T00:00:00Z"}
    assert http.post("/runs", json=old).status_code == 202
    wanted: list[RunSelectField] = ["REFERENCE_DATASET_ID", "PROJECT_ID"]
    (found,) = v2.runs.query_v2(reference_dataset_id=dataset, selects=wanted)
    assert (found.reference_dataset_id, found.project_id) == (dataset, experiment)


def test_where_the_page_shows_a_run(v2: Langsmith, http: httpx.Client, traced: Traced) -> None:
    def url_of(run: str) -> str | None:
        return v2.runs.get_url(run, project_id=traced.project, trace_id=traced.root).url

    url = url_of(traced.child)
    assert url == f"{str(http.base_url).rstrip('/')}/ui/traces/{traced.root}?run={traced.child}"
    assert str(url_of(traced.root)).endswith(f"/ui/traces/{traced.root}")
    with pytest.raises(NotFoundError):
        url_of(traced.failed)


def test_attachments_lead_to_their_files(v2: Langsmith, client: Client, project: str) -> None:
    run = uuid.uuid4()
    files = {"a file": ("text/plain", b"hello")}
    client.create_run("filed", {}, "chain", id=run, project_name=project, attachments=files, start_time=BEGAN,
                      trace_id=run, dotted_order=f"{BEGAN:%Y%m%dT%H%M%S%f}Z{run}")  # fmt: skip
    client.flush()
    home = str(client.read_project(project_name=project).id)
    found = v2.runs.retrieve_v2(str(run), project_id=home, selects=["ATTACHMENTS"])
    assert found.attachments is not None
    assert httpx.get(found.attachments["a file"]).content == b"hello"


def test_the_client_reaches_it_as_its_documents_say(
    client: Client, traced: Traced, caplog: pytest.LogCaptureFixture
) -> None:
    async def names() -> list[str | None]:
        page = client.runs.query_v2(project_ids=[traced.project], selects=["NAME"], page_size=3)
        return [run.name async for run in page]

    assert awaited(client, names()) == ["failed", "model", "child", "root"]
    assert client.annotation_queues is not None
    assert "older than" not in caplog.text, "it has no reason to warn of this server's version"


def test_a_stream_has_the_same(v2: Langsmith, traced: Traced) -> None:
    found = v2.runs.streaming.query_v2_items(project_ids=[traced.project], page_size=3)
    assert [run.id for run in found] == traced.all


def test_problems_are_told_as_rfc_9457_has_them(http: httpx.Client, v2: Langsmith, traced: Traced) -> None:
    answer = http.get(f"/api/v2/runs/{NOBODYS}", params={"project_id": traced.project})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": f"run {NOBODYS} not found",
        "instance": f"/api/v2/runs/{NOBODYS}",
    }
    with pytest.raises(NotFoundError):
        v2.runs.retrieve_v2(traced.root, project_id=NOBODYS)
    with pytest.raises(UnprocessableEntityError, match=r"body\.selects\.1: 'NONE' is not a field of runs"):
        v2.runs.query_v2(project_ids=[traced.project], selects=["ID", "NONE"])  # type: ignore[list-item]
    with pytest.raises(BadRequestError):
        v2.runs.query_v2(project_ids=[traced.project], filter="eq(name")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"project_ids": []}, 422),
        ({"project_ids": [NOBODYS], "reference_dataset_id": NOBODYS}, 422),
        ({"project_ids": ["x"]}, 422),
        ({"project_ids": [NOBODYS], "page_size": 0}, 422),
        ({"project_ids": [NOBODYS], "page_size": 1001}, 422),
        ({"project_ids": [NOBODYS], "page_size": 10**30}, 422),
        ({"project_ids": [NOBODYS], "run_type": "NONE"}, 422),
        ({"project_ids": [NOBODYS], "min_start_time": "soon"}, 422),
        ({"project_ids": [NOBODYS], "cursor": "\u0000ü"}, 422),
        ({"project_ids": [NOBODYS], "cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5Ojow"}, 422),
        ({"project_ids": [NOBODYS], "selects": ["\u0000"]}, 422),
        ({"project_ids": [NOBODYS], "ai_search": "the bad ones"}, 501),
        ({"project_ids": [NOBODYS], "sem_filter": "rude"}, 501),
        ({"project_ids": [NOBODYS], "min_feedback_modified_at": "2026-01-01T00:00:00Z"}, 501),
        ({"project_ids": [NOBODYS], "max_feedback_modified_at": "2026-01-01T00:00:00Z"}, 501),
        ({"project_ids": [NOBODYS], "filter": "\u0000"}, 400),
    ],
)
def test_what_makes_no_sense_is_said(http: httpx.Client, body: dict[str, Any], status: int) -> None:
    answer = http.post("/api/v2/runs/query", json=body)
    assert (answer.status_code, answer.json()["status"]) == (status, status), answer.text
    assert len(answer.json()["detail"]) > 10


def test_a_body_that_is_cut_short_or_no_text(http: httpx.Client) -> None:
    for body in (b'{"project_ids": ["', b"\xff", b"[]", b'{"filter": "\\ud800"}', b"[" * 100_000):
        answer = http.post("/api/v2/runs/query", content=body)
        assert answer.status_code in (400, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    answer = http.get("/api/v2/runs/not-an-id", params={"project_id": NOBODYS})
    assert answer.status_code == 422
    assert http.get(f"/api/v2/runs/{NOBODYS}").status_code == 422
    params = {"project_id": NOBODYS, "start_time": "soon"}
    assert http.get(f"/api/v2/runs/{NOBODYS}", params=params).status_code == 422
