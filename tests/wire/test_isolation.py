"""Two workspaces on one server: to one, what is the other's does not exist. And what each role may do.

Every route of the application has to be in CASES: a new one without a case fails the first test.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import struct
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from starlette.routing import Route

from stenograph.domain.access import Access
from stenograph.domain.conversations.jobs import Jobs
from stenograph.model.access import DEFAULT_WORKSPACE, PERMISSIONS, Caller, Permission, Role
from stenograph.model.dead_letters import DeadLetter
from stenograph.model.insights import (
    Cluster,
    InsightJob,
    JobStatus,
    MemberChunk,
    Report,
    ReportRequest,
)
from stenograph.store.meta.database import open_meta
from stenograph.wire.app import routes
from stenograph.wire.langsmith.workspaces import NOT_OFFERED
from stenograph.wire.otlp.routes import PATHS as OTLP_PATHS
from tests.conftest import Server

READ, INGEST, WRITE, ADMIN = Permission.READ, Permission.INGEST, Permission.WRITE, Permission.ADMIN
WINDOW = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}


def fresh() -> Any:
    return field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Things:
    """One of each, by id or name. `secret` stands in every text of theirs that others must not read."""

    secret: str = fresh()
    workspace: str = fresh()
    project: str = fresh()
    project_name: str = fresh()
    run: str = fresh()
    child: str = fresh()
    thread: str = fresh()
    feedback: str = fresh()
    view: str = fresh()
    price: str = fresh()
    config: str = fresh()
    formula: str = fresh()
    share: str = fresh()
    dataset_share: str = fresh()
    feedback_token: str = fresh()
    otel_trace: str = field(default_factory=lambda: uuid.uuid4().hex)
    queue: str = fresh()
    item: str = fresh()
    dataset: str = fresh()
    example: str = fresh()
    new: str = fresh()
    experiment: str = fresh()
    answer: str = fresh()
    comparison: str = fresh()
    override: str = fresh()
    letter: str = fresh()
    agent: str = fresh()
    agent_tool: str = fresh()
    doc: str = fresh()
    user_doc: str = fresh()
    user: str = fresh()
    conversation: str = fresh()
    sealed: str = fresh()
    stored_file: str = fresh()
    job: str = fresh()
    word: str = field(default_factory=lambda: f"w{uuid.uuid4().hex}")
    evaluation: str = fresh()
    datapoint: str = fresh()
    loose: str = fresh()
    metric: str = fresh()
    configuration: str = fresh()
    tool: str = fresh()
    chart: str = fresh()
    insight: str = fresh()
    cluster: str = fresh()
    insight_config: str = fresh()
    example_file: str = "example-attachments/nowhere/nothing?expires=1&signature=0"
    file: str = "attachments/nowhere/nothing/x?expires=1&signature=0"

    @property
    def path(self) -> dict[str, str]:
        """What stands for the parameters of a route's path."""
        return {
            "run_id": self.run, "thread_id": self.thread, "session_id": self.project, "view_id": self.view,
            "feedback_id": self.feedback, "price_id": self.price, "formula_id": self.formula, "rest": "x",
            "token": self.share, "queue_id": self.queue, "item_id": self.item, "index": "0", "reviewer_id": self.item,
            "version": "v1", "dataset_id": self.dataset, "example_id": self.example,
            "share_token": self.dataset_share, "experiment_run_id": self.answer,
            "comparative_experiment_id": self.comparison, "override_id": self.override, "agent_id": self.agent,
            "tool_id": self.agent_tool, "doc_id": self.doc, "user_id": self.user, "conversation_id": self.conversation,
            "secret_id": self.sealed, "stored_file_id": self.stored_file, "job_id": self.job,
            "metric_id": self.metric, "version_name": "v1", "project_id": self.project,
            "configuration_id": self.configuration, "chart_id": self.chart,
            "datapoint_id": self.datapoint, "evaluation_id": self.evaluation, "new_id": self.evaluation,
            "letter_id": self.letter,
            "payload": "inputs", "name": "x.js",
            "old_id": self.evaluation, "insights_job_id": self.insight, "cluster_id": self.cluster,
            "insights_config_id": self.insight_config, "trace_id": self.answer, "event_id": self.child,
        }  # fmt: skip

    def runs(self) -> list[dict[str, Any]]:
        start = "20260101T000000000000Z"
        common = {
            "trace_id": self.run, "run_type": "chain", "name": f"run {self.secret}", "session_id": self.project,
            "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:01Z",
            "inputs": {"q": self.secret}, "outputs": {"a": self.secret}, "tags": [self.secret],
            "extra": {"metadata": {"thread_id": self.thread, "note": self.secret}},
        }  # fmt: skip
        return [
            {**common, "id": self.run, "dotted_order": start + self.run},
            {
                **common, "id": self.child, "parent_run_id": self.run,
                "dotted_order": f"{start}{self.run}.{start}{self.child}",
            },
            {
                **common, "id": self.answer, "trace_id": self.answer, "dotted_order": start + self.answer,
                "session_id": self.experiment, "reference_example_id": self.example,
            },
        ]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A request. `permission` None: no key is needed. `told`: its owner gets another answer than a stranger."""

    method: str
    path: str
    permission: Permission | None
    body: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    changes: bool = False
    told: bool = True

    def send(self, http: httpx.Client, things: Things, key: str | None) -> httpx.Response:
        if self.path.startswith("/attachments/"):
            path = "/" + things.file.removeprefix("/")
        elif self.path.startswith("/example-attachments/"):
            path = things.example_file
        elif self.path.startswith("/feedback/tokens/"):
            path = f"/feedback/tokens/{things.feedback_token}"
        else:
            named = things.path | ({"doc_id": things.user_doc} if "/users/" in self.path else {})
            path = re.sub(r"\{(\w+)(:path)?\}", lambda found: named[found[1]], self.path)
        headers = {"x-api-key": key} if key else {}
        body: dict[str, Any] = {}
        if self.path in FORMS:
            body = {"files": FORMS[self.path](things)}
        elif self.body is not None:
            body = {"json": _filled(self.body, things)}
        params = _filled(dict(self.params), things) if self.params else None
        return http.request(self.method, path, headers=headers, params=params, **body)


def _filled(value: Any, things: Things) -> Any:
    """`<name>` in a text becomes that of the things; what is written in the sender's own name stays."""
    text = json.dumps(value)
    for item in fields(things):
        text = text.replace(f"<{item.name}>", getattr(things, item.name))
    return json.loads(text)


def _parts(things: Things) -> list[tuple[str, tuple[None, bytes, str]]]:
    run = {"id": things.run, "trace_id": things.run, "dotted_order": f"20260101T000000000000Z{things.run}"}
    run |= {"name": "mine", "run_type": "chain", "session_id": things.project}
    feedback = {
        "id": things.feedback,
        "run_id": things.run,
        "trace_id": things.run,
        "key": "mine",
        "score": 0,
    }
    return [
        (f"post.{things.run}", (None, json.dumps(run).encode(), "application/json")),
        (f"attachment.{things.run}.file", (None, b"mine", "text/plain")),
        (f"feedback.{things.feedback}", (None, json.dumps(feedback).encode(), "application/json")),
    ]


def _example_parts(things: Things, example: str) -> list[tuple[str, tuple[None, bytes, str]]]:
    main = {"dataset_id": things.dataset, "split": "mine"}
    return [
        (example, (None, json.dumps(main).encode(), "application/json")),
        (f"{example}.inputs", (None, b'{"mine":1}', "application/json")),
        (f"{example}.attachment.file", (None, b"mine", "text/plain")),
    ]


def _table(things: Things) -> list[tuple[str, tuple[None, bytes, str]]]:
    return [
        ("file", (None, b"mine\n1\n", "text/csv")),
        ("input_keys", (None, b"mine", "text/plain")),
        ("name", (None, f"table {things.new}".encode(), "text/plain")),
    ]


FORMS: Mapping[str, Callable[[Things], list[tuple[str, tuple[None, bytes, str]]]]] = {
    "/runs/multipart": _parts,
    "/platform/datasets/{dataset_id}/examples": lambda things: _example_parts(things, things.new),
    "/platform/examples/multipart": lambda things: _example_parts(things, things.example),
    "/datasets/upload": lambda things: _table(things),
    "/examples/upload/{dataset_id}": lambda things: _table(things),
}
"""Routes that take parts instead of JSON."""


def reads(path: str, method: str = "GET", **more: Any) -> Case:
    return Case(method, path, READ, **more)


def writes(method: str, path: str, body: Any = None, **more: Any) -> Case:
    return Case(method, path, WRITE, body, changes=True, **more)


def ingests(method: str, path: str, body: Any = None, **more: Any) -> Case:
    return Case(method, path, INGEST, body, changes=True, told=False, **more)


def open_to_all(path: str, method: str = "GET", **more: Any) -> Case:
    return Case(method, path, None, **more)


DOC_IN = {"title": "mine", "content": "mine"}
CHAT_IN = {"messages": [{"role": "user", "content": "mine"}]}
OF_TRACE = {"field": "session_id", "operator": "is", "value": "<run>", "type": "string"}
RUN_IN = {
    "id": "<run>", "trace_id": "<run>", "dotted_order": "20260101T000000000000Z<run>", "run_type": "chain",
    "name": "mine", "session_id": "<project>", "inputs": {"mine": 1},
}  # fmt: skip
PRICE_IN = {"name": "mine", "match_pattern": "mine", "prompt_cost": 1, "completion_cost": 1}
FORMULA_IN = {
    "feedback_key": "mine", "aggregation_type": "sum",
    "formula_parts": [{"part_type": "weighted_key", "weight": 1, "key": "x"}],
}  # fmt: skip
BY_PROJECT = {"session": ["<project>"]}
RUN_KEY = {"run_id": "<run>", "session_id": "<project>", "start_time": "2026-01-01T00:00:00Z"}
GROUP = {"session_id": "<project>", "group_by": "conversation", **WINDOW}
EXPERIMENT = {"session_ids": ["<experiment>"]}
COMPARED = {"baseline_session_id": "<experiment>", "comparison_session_ids": ["<experiment>"]}
BY_NOTE = {"group_by": "run_metadata", "metadata_key": "note"}
METADATA_IN = {
    "example_ids": ["<example>"],
    "operations": [{"key": "mine", "operation": "SET", "value": 1}],
}
ROWS_IN = {"data": [{"mine": 1}], "mapping": {"inputs": ["mine"]}}
METRIC_IN = {"name": "<new>", "type": "HUMAN", "criteria": "mine", "scale": 5}
COMBINED_IN = {
    "metric": {
        "name": "mine", "type": "COMPOSITE", "criteria": "sum", "child_metrics": [{"name": "<secret>", "weight": 1}],
    },
    "event": {"metrics": {"<secret>": 1}},
}  # fmt: skip
CONFIGURATION_IN = {"name": "mine", "provider": "mine", "parameters": {"call_type": "chat", "model": "mine"}}
TOOL_IN = {"task": "mine", "name": "mine", "parameters": {}, "type": "function"}
CHART_IN = {"name": "mine", "metric": "duration"}
KEY_IN = {"name": "mine", "permissions": ["read"]}
FIGURES_IN = {
    "query": {"kind": "scalar", "measures": [{}], "split_by": "event_name"},
    "filters": [{"field": "inputs.q", "operator": "is", "value": "<secret>", "type": "string"}],
}  # fmt: skip
OVERRIDE_IN = {"column_overrides": [{"column": "feedback.mine"}]}
HONEYHIVE_TIMES = {"start_time": 1_767_225_600_000, "end_time": 1_767_225_601_000}
EVENT_IN = {
    "event_id": "<child>", "session_id": "<run>", "event_type": "tool", "inputs": {"mine": 1}, **HONEYHIVE_TIMES,
    "metadata": {"mine": 1}, "metrics": {"mine": 1},
}  # fmt: skip
UPDATE_IN = {"metadata": {"mine": 1}, "outputs": {"mine": 1}, "duration": 5, "metrics": {"mine": 1}}
UPLOAD_IN = {
    "experiment_name": "<comparison>", "dataset_id": "<dataset>", "dataset_name": "<override>",
    "experiment_start_time": WINDOW["start_time"], "experiment_end_time": WINDOW["end_time"],
    "results": [{"row_id": "<example>", "inputs": {"mine": 1}, **WINDOW}],
}  # fmt: skip
ENTIRE = {"trace": "<run>", "tree_filter": 'eq(name, "run <secret>")'}


def _span(span_id: str, **stated: str) -> dict[str, Any]:
    start = 1_767_225_600_000_000_000 + int(span_id[:2]) * 1_000_000_000  # ties would be broken by ids
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 1_000_000_000)}
    said = [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in stated.items()]
    return {"traceId": "<otel_trace>", "spanId": span_id, "name": "mine", "attributes": said, **times}


_RUN_OF_SPAN = {"langsmith__span__id": "<run>", "langsmith__trace__id": "<run>"}
SPANS_IN = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        _span("01" * 8, **_RUN_OF_SPAN),
                        _span("02" * 8, langsmith__trace__session_id="<project>", **_RUN_OF_SPAN),
                        _span("03" * 8, langsmith__span__id="<child>", langsmith__span__parent_id="<run>"),
                        _span("04" * 8, honeyhive__session_id="<run>"),
                    ]
                }
            ]
        }
    ]
}

SERIES = {"since": 1_767_225_600_000_000, "until": 1_767_229_200_000_000, "stride": 60_000_000}
NOTED = {"metadata_filter.note": "<secret>"}
INSIGHT = "/sessions/{session_id}/insights/{insights_job_id}"
CALL = {"method": "GET", "url": "mine"}
SESSION_IN = {"agent": "<agent>", "situation": "mine"}
SECRET_IN = {"name": "<word>", "value": "mine"}

CASES: list[Case] = [
    # runs
    reads("/runs/{run_id}"),
    reads("/runs/query", "POST", body={"id": ["<run>", "<child>"]}),
    reads("/runs/query", "POST", body=BY_PROJECT),
    reads("/runs/query", "POST", body=ENTIRE),
    reads("/runs/query", "POST", body={"trace": "<run>"}),
    reads("/runs/query", "POST", body={"parent_run": "<run>"}),
    reads("/runs/query", "POST", body={**BY_PROJECT, "filter": 'eq(feedback_key, "<secret>")'}),
    reads("/runs/query", "POST", body={**BY_PROJECT, "trace_filter": 'search("<secret>")'}),
    reads("/runs/query", "POST", body={**BY_PROJECT, "select": ["child_run_ids", "s3_urls", "feedback_stats"]}),
    reads("/runs/query/validate", "POST", body=BY_PROJECT, told=False),
    reads("/runs/generate-query", "POST", body={"query": "all"}, told=False),
    reads("/runs/stats", "POST", body=BY_PROJECT),
    reads("/runs/stats", "POST", body={**BY_PROJECT, "is_root": True, "group_by": {"attribute": "name"}}),
    reads("/runs/stats", "POST", body={"trace": "<run>"}),
    reads("/runs/group", "POST", body=GROUP),
    reads("/runs/group/stats", "POST", body=GROUP),
    reads("/runs/threads/{thread_id:path}", params={"session_id": "<project>"}),
    reads("/settings"),
    # projects
    reads("/sessions", params={"include_stats": "true", "facets": "true"}),
    reads("/sessions", params={"id": "<project>"}),
    reads("/sessions", params={"name": "<project_name>"}),
    reads("/sessions/{session_id}", params={"include_stats": "true"}),
    reads("/sessions/{session_id}/metadata"),
    reads("/sessions/{session_id}/dashboard", "POST", body=WINDOW),
    reads("/sessions/{session_id}/views"),
    reads("/sessions/{session_id}/views/{view_id}"),
    # insights
    reads("/sessions/{session_id}/insights"),
    reads("/sessions/{session_id}/insights/{insights_job_id}"),
    reads("/sessions/{session_id}/insights/{insights_job_id}/runs"),
    reads("/sessions/{session_id}/insights/{insights_job_id}/runs", params={"cluster_id": "<cluster>"}),
    reads("/sessions/{session_id}/insights/{insights_job_id}/clusters/{cluster_id}"),
    reads("/sessions/{session_id}/insights/{insights_job_id}/diff", params={"with": "<insight>"}),
    reads("/sessions/{session_id}/insights/configs"),
    reads("/workspaces/current/secrets"),
    reads("/workspaces"),
    reads("/workspaces/current"),
    reads("/workspaces/current/stats"),
    # Julep's
    reads("/julep/agents", params=NOTED),
    reads("/julep/agents/models", told=False),
    reads("/julep/agents/{agent_id}"),
    reads("/julep/agents/{agent_id}/tools"),
    reads("/julep/agents/{agent_id}/docs"),
    reads("/julep/users/{user_id}/docs"),
    reads("/julep/docs/{doc_id}"),
    reads("/julep/agents/{agent_id}/search", "POST", body={"text": "<secret>"}),
    reads("/julep/users/{user_id}/search", "POST", body={"text": "<secret>"}),
    reads("/julep/embed", "POST", body={"text": "mine"}, told=False),
    reads("/julep/users", params=NOTED),
    reads("/julep/users/{user_id}"),
    reads("/julep/projects", params=NOTED),
    reads("/julep/sessions", params=NOTED),
    reads("/julep/sessions", params={**NOTED, "sort_by": "updated_at"}),
    reads("/julep/sessions/{conversation_id}"),
    reads("/julep/sessions/{conversation_id}/history"),
    reads("/julep/sessions/{conversation_id}/render", "POST", body=CHAT_IN),
    reads("/julep/secrets"),
    reads("/julep/files"),
    reads("/julep/files/{stored_file_id}"),
    reads("/julep/jobs/{job_id}"),
    # dead letters
    Case("GET", "/ui/api/dead-letters", ADMIN),
    Case("GET", "/ui/api/dead-letters/{letter_id}", ADMIN),
    Case("POST", "/ui/api/dead-letters/replay", ADMIN, {"ids": ["<letter>"]}, changes=True),
    Case("POST", "/ui/api/dead-letters/discard", ADMIN, {"ids": ["<letter>"]}, changes=True),
    # feedback
    reads("/feedback"),
    reads("/feedback", params={"run": "<run>"}),
    reads("/feedback", params={"session": "<project>"}),
    reads("/feedback/{feedback_id}"),
    reads("/feedback-configs"),
    reads("/feedback-configs", params={"key": "<secret>"}),
    Case("GET", "/feedback/tokens", WRITE, params={"run_id": "<run>"}),
    reads("/feedback/formulas"),
    reads("/feedback/formulas", params={"session_id": "<project>"}),
    reads("/feedback/formulas/{formula_id}"),
    # prices and links
    reads("/model-price-map"),
    reads("/runs/{run_id}/share"),
    reads("/datasets/{dataset_id}/share"),
    reads("/workspaces/current/shared"),
    # annotation queues
    reads("/annotation-queues"),
    reads("/annotation-queues", params={"ids": "<queue>"}),
    reads("/annotation-queues", params={"name": "<secret>"}),
    reads("/annotation-queues/{queue_id}"),
    reads("/annotation-queues/{run_id}/queues"),
    reads("/annotation-queues/{queue_id}/runs"),
    reads("/annotation-queues/{queue_id}/runs/resolve/{item_id}"),
    reads("/annotation-queues/{queue_id}/run/{index}"),
    reads("/annotation-queues/{queue_id}/size"),
    reads("/annotation-queues/{queue_id}/total_size"),
    reads("/annotation-queues/{queue_id}/total_archived"),
    reads("/annotation-queues/{queue_id}/export", "POST", body={}),
    reads("/platform/annotation-queues/{queue_id}/items", params={"status": "needs_my_review"}),
    reads("/platform/annotation-queues/{queue_id}/items/count", params={"status": "all"}),
    reads("/platform/annotation-queues/{queue_id}/items/{item_id}/placement"),
    # datasets and examples
    reads("/datasets"),
    reads("/datasets", params={"id": "<dataset>"}),
    reads("/datasets", params={"name": "<secret>"}),
    reads("/datasets/stream", params={"name_contains": "<secret>"}),
    reads("/datasets/{dataset_id}"),
    reads("/datasets/{dataset_id}/csv"),
    reads("/datasets/{dataset_id}/jsonl"),
    reads("/datasets/{dataset_id}/openai"),
    reads("/datasets/{dataset_id}/openai_ft"),
    reads("/datasets/{dataset_id}/versions"),
    reads("/datasets/{dataset_id}/versions", params={"example": "<example>"}),
    reads("/datasets/{dataset_id}/version", params={"tag": "latest"}),
    reads("/datasets/{dataset_id}/versions/diff", params={"from_version": "2026-01-01", "to_version": "latest"}),
    reads("/datasets/{dataset_id}/splits"),
    reads("/examples"),
    reads("/examples", params={"dataset": "<dataset>"}),
    reads("/examples", params={"id": "<example>", "select": "attachment_urls"}),
    reads("/examples", params={"full_text_contains": "<secret>"}),
    reads("/examples", params={"metadata": '{"note": "<secret>"}'}),
    reads("/examples/count"),
    reads("/examples/count", params={"id": "<example>"}),
    reads("/examples/{example_id}"),
    reads("/examples/{example_id}", params={"as_of": "2100-01-01", "dataset": "<dataset>"}),
    reads("/examples/validate", "POST", body={"dataset_id": "<dataset>", "inputs": {}}),
    reads("/examples/validate/bulk", "POST", body=[{"dataset_id": "<dataset>", "inputs": {}}]),
    # datasets and datapoints as HoneyHive has them
    *(
        reads(f"/honeyhive{age}/{path}", params=params)
        for age in ("/v1", "")
        for path, params in (
            ("datasets", {}),
            ("datasets", {"dataset_id": "<dataset>"}),
            ("datasets", {"name": "<secret>"}),
            ("datapoints", {}),
            ("datapoints", {"datapoint_ids[]": ["<datapoint>", "<loose>", "<example>"]}),
            ("datapoints", {"dataset_name": "<secret>"}),
            ("datapoints/{datapoint_id}", {}),
        )
    ),
    # sessions and events as HoneyHive has them
    reads("/honeyhive/session", params={"project": "<project>"}),
    reads("/honeyhive/session/{trace_id}"),
    reads("/honeyhive/v1/sessions/{trace_id}"),
    reads("/honeyhive/v1/events/{event_id}"),
    # metrics as HoneyHive has them
    reads("/honeyhive/v1/metrics"),
    reads("/honeyhive/v1/metrics", params={"id": "<metric>"}),
    reads("/honeyhive/metrics"),
    reads("/honeyhive/v1/metrics/{metric_id}/versions"),
    reads("/honeyhive/v1/metrics/{metric_id}/evaluations"),
    *(
        case
        for age in ("/v1", "")
        for case in (
            reads(f"/honeyhive{age}/events/export", "POST", body={"filters": [OF_TRACE]}),
            reads(f"/honeyhive{age}/events/export", "POST", body={"project": "<project_name>"}),
            reads(f"/honeyhive{age}/events/export", "POST", body={"evaluation_id": "<evaluation>"}),
            reads(f"/honeyhive{age}/events", params={"filters": json.dumps([OF_TRACE])}),
            reads(f"/honeyhive{age}/events/chart", params={"filters": json.dumps([OF_TRACE])}),
            reads(f"/honeyhive{age}/events/chart", params={"project": "<project_name>", "groupBy": "event_name"}),
            reads(f"/honeyhive{age}/events/schema", params={"project": "<project_name>"}),
        )
    ),
    reads("/honeyhive/v1/events/search", "POST", body={"filters": [OF_TRACE]}),
    reads("/honeyhive/v1/runs/schema"),
    reads("/honeyhive/v1/runs/{evaluation_id}/schema"),
    # what else HoneyHive keeps beside events
    reads("/honeyhive/v1/configurations"),
    reads("/honeyhive/v1/configurations", params={"name": "<secret>"}),
    reads("/honeyhive/configurations", params={"project": "<project>", "name": "<secret>"}),
    reads("/honeyhive/configurations", params={"project": "<project_name>", "name": "<secret>"}),
    reads("/honeyhive/tools"),
    reads("/honeyhive/projects"),
    reads("/honeyhive/v1/projects", params={"name": "<project_name>"}),
    reads("/honeyhive/v1/charts"),
    reads("/honeyhive/v1/charts/{chart_id}"),
    reads("/honeyhive/v1/charts/query", "POST", body=FIGURES_IN),
    reads("/honeyhive/v1/projects/{project_id}/charts", told=False),  # those of no project are among them
    reads("/honeyhive/v1/projects/{project_id}/charts/{chart_id}"),
    reads("/honeyhive/v1/projects/{project_id}/charts/query", "POST", body=FIGURES_IN),
    reads("/honeyhive/v1/queues"),
    reads("/honeyhive/v1/queues/{queue_id}"),
    *(
        Case("GET", f"/honeyhive/v1/projects/{{project_id}}/{kind}_api_keys", ADMIN)
        for kind in ("fine_grained", "ingestion")
    ),
    *(
        reads(f"/honeyhive/v1/projects/{{project_id}}/alerts{rest}", method, told=False)
        for rest in ("", "/{rest:path}")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ),
    # experiments as HoneyHive has them
    *(
        reads(f"/honeyhive{age}/runs{path}", params=params)
        for age in ("/v1", "")
        for path, params in (
            ("", {"name": "<secret>"}),
            ("", {"run_ids[]": ["<evaluation>", "<experiment>"]}),
            ("", {"dataset_id": "<dataset>"}),
            ("/{evaluation_id}", {}),
            ("/{evaluation_id}/result", {}),
            ("/{evaluation_id}/summary", {"aggregate_function": "sum"}),
            ("/{evaluation_id}/metrics", {}),
            ("/{new_id}/compare-with/{old_id}", {}),
            ("/{new_id}/compare/{old_id}", {}),
            ("/{new_id}/compare/{old_id}/events", {"event_type": "session"}),
            ("/compare/events", {"run_id_1": "<evaluation>", "run_id_2": "<experiment>"}),
        )
    ),
    # experiments
    reads("/datasets/{dataset_id}/runs", "POST", body=EXPERIMENT),
    reads("/datasets/{dataset_id}/runs", "POST", body=EXPERIMENT, params={"format": "csv"}),
    reads("/datasets/{dataset_id}/group/runs", "POST", body={**EXPERIMENT, **BY_NOTE}),
    reads("/datasets/{dataset_id}/runs/delta", "POST", body={**COMPARED, "feedback_key": "<secret>"}),
    reads("/datasets/{dataset_id}/runs/delta/stream", "POST", body={**COMPARED, "feedback_keys": ["<secret>"]}),
    reads("/datasets/{dataset_id}/experiments/grouped", "POST", body={"metadata_keys": ["note"]}),
    reads("/datasets/{dataset_id}/comparative"),
    reads("/datasets/{dataset_id}/experiment-view-overrides"),
    reads("/datasets/{dataset_id}/experiment-view-overrides/{override_id}"),
    # what is not offered
    *(
        reads(path, method, told=False)
        for path in NOT_OFFERED
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ),
    # changes, in an order in which the owner can make all of them
    writes("PATCH", "/feedback/{feedback_id}", {"comment": "mine"}),
    writes("DELETE", "/feedback/{feedback_id}"),
    writes("PUT", "/feedback/formulas/{formula_id}", FORMULA_IN),
    writes("DELETE", "/feedback/formulas/{formula_id}"),
    writes("POST", "/feedback/formulas", {"session_id": "<project>", **FORMULA_IN}),
    writes("PATCH", "/feedback-configs", {"feedback_key": "<secret>", "is_lower_score_better": True}),
    writes("DELETE", "/feedback-configs", params={"feedback_key": "<secret>"}),
    writes("PUT", "/model-price-map/{price_id}", PRICE_IN),
    writes("DELETE", "/model-price-map/{price_id}"),
    writes("PATCH", "/sessions/{session_id}/views/{view_id}/rename", {"display_name": "mine"}),
    writes("PATCH", "/sessions/{session_id}/views/{view_id}", {"display_name": "mine"}),
    writes("DELETE", "/sessions/{session_id}/views/{view_id}"),
    writes("POST", "/sessions/{session_id}/views", {"display_name": "mine"}),
    writes("POST", "/ui/api/runs/{run_id}/share"),
    writes("PUT", "/runs/{run_id}/share", {}),
    writes("PUT", "/datasets/{dataset_id}/share", {}),
    writes("DELETE", "/datasets/{dataset_id}/share"),
    writes("DELETE", "/workspaces/current/shared", {"share_tokens": ["<share>"]}),
    writes("DELETE", "/runs/{run_id}/share"),
    writes("DELETE", "/ui/api/runs/{run_id}/share"),
    writes("POST", "/sessions/{session_id}/insights", {"filter": 'eq(name, "nothing")'}),
    writes("PATCH", "/sessions/{session_id}/insights/{insights_job_id}", {"name": "mine"}),
    writes("POST", "/sessions/{session_id}/insights/{insights_job_id}/cancel"),
    writes("POST", INSIGHT + "/annotation-queue", {"queue_id": "<queue>"}),
    writes("POST", INSIGHT + "/dataset", {"dataset_id": "<dataset>"}),
    writes("PATCH", INSIGHT + "/clusters/{cluster_id}", {"name": "mine"}),
    writes("DELETE", INSIGHT),
    writes("POST", "/sessions/{session_id}/insights/configs", {"name": "mine", "config": {}}),
    writes("PATCH", "/sessions/{session_id}/insights/configs/{insights_config_id}", {"name": "mine"}),
    writes("DELETE", "/sessions/{session_id}/insights/configs/{insights_config_id}"),
    writes("POST", "/sessions/{session_id}/insights/configs/generate", {"user_context": {}}, told=False),
    writes("POST", "/workspaces/current/secrets", [{"key": "<word>", "value": "mine"}], told=False),
    writes("PATCH", "/annotation-queues/{queue_id}", {"description": "mine"}),
    writes("POST", "/platform/annotation-queues/{queue_id}/reviewers", {"identity_id": "<item>"}),
    writes("DELETE", "/platform/annotation-queues/{queue_id}/reviewers/{reviewer_id}"),
    writes("POST", "/annotation-queues/status/{item_id}", {"status": "viewed"}),
    writes("POST", "/platform/annotation-queues/items/{item_id}/status", {"status": None}),
    writes("PATCH", "/annotation-queues/{queue_id}/runs/{item_id}", {"added_at": "2026-01-01T00:00:00Z"}),
    writes("PATCH", "/platform/annotation-queues/{queue_id}/items/{item_id}", {"added_at": "2026-01-01T00:00:00Z"}),
    writes("POST", "/annotation-queues/{queue_id}/runs", ["<run>"]),
    writes("POST", "/annotation-queues/{queue_id}/runs/by-key", [RUN_KEY]),
    writes("POST", "/platform/annotation-queues/{queue_id}/items", {"items": [{"run_id": "<child>"}]}),
    writes("POST", "/annotation-queues/populate", {"queue_id": "<queue>", "session_ids": ["<project>"]}, told=False),
    writes("DELETE", "/annotation-queues/{queue_id}/runs/{item_id}"),
    writes("POST", "/platform/annotation-queues/{queue_id}/items/delete", {"item_ids": ["<item>"]}),
    writes("POST", "/annotation-queues/{queue_id}/runs/delete", {"delete_all": True}),
    writes("PUT", "/honeyhive/v1/queues/{queue_id}", {"description": "mine", "add_event_ids": ["<run>"]}),
    writes("POST", "/honeyhive/v1/queues", {"name": "mine", "event_ids": ["<run>"]}),
    writes("DELETE", "/annotation-queues", params={"queue_ids": "<queue>"}),
    writes("DELETE", "/honeyhive/v1/queues/{queue_id}", told=False),
    writes("PUT", "/honeyhive/v1/configurations/{configuration_id}", {"name": "mine"}),
    writes("PUT", "/honeyhive/configurations/{configuration_id}", {"name": "mine too"}),
    writes("DELETE", "/honeyhive/v1/configurations/{configuration_id}"),
    writes("DELETE", "/honeyhive/configurations/{configuration_id}", told=False),
    writes("PUT", "/honeyhive/tools", {"id": "<tool>", "name": "mine", "parameters": {}}),
    writes("DELETE", "/honeyhive/tools", params={"function_id": "<tool>"}),
    writes("PUT", "/honeyhive/v1/charts/{chart_id}", {"name": "mine"}),
    writes("PATCH", "/honeyhive/v1/projects/{project_id}/charts/{chart_id}", {"name": "mine too"}),
    writes("POST", "/honeyhive/v1/projects/{project_id}/charts", CHART_IN),
    writes("DELETE", "/honeyhive/v1/projects/{project_id}/charts/{chart_id}"),
    writes("DELETE", "/honeyhive/v1/charts/{chart_id}", told=False),
    writes("PUT", "/honeyhive/projects", {"project_id": "<project>", "description": "mine"}),
    writes("PUT", "/honeyhive/v1/projects", {"name": "<project_name>", "description": "mine too"}),
    *(
        Case("POST", f"/honeyhive/v1/projects/{{project_id}}/{kind}_api_keys", ADMIN, KEY_IN, changes=True)
        for kind in ("fine_grained", "ingestion")
    ),
    writes("DELETE", "/annotation-queues/{queue_id}", told=False),
    writes("PATCH", "/datasets/{dataset_id}/experiment-view-overrides/{override_id}", OVERRIDE_IN),
    writes("DELETE", "/datasets/{dataset_id}/experiment-view-overrides/{override_id}"),
    writes("POST", "/datasets/{dataset_id}/experiment-view-overrides", OVERRIDE_IN),
    writes("DELETE", "/datasets/comparative/{comparative_experiment_id}"),
    writes("POST", "/datasets/comparative", {"id": "<comparison>", "experiment_ids": ["<experiment>"]}),
    writes("POST", "/platform/datasets/{dataset_id}/examples"),
    writes("PATCH", "/platform/datasets/{dataset_id}/examples"),
    writes("POST", "/platform/examples/multipart"),
    writes("PATCH", "/datasets/{dataset_id}", {"description": "mine", "baseline_experiment_id": "<experiment>"}),
    writes("PUT", "/datasets/{dataset_id}/tags", {"as_of": "latest", "tag": "mine"}),
    writes("PUT", "/datasets/{dataset_id}/splits", {"split_name": "mine", "examples": ["<example>"]}),
    writes("PATCH", "/platform/datasets/{dataset_id}/examples/metadata", METADATA_IN),
    writes("PATCH", "/examples/{example_id}", {"outputs": {"mine": 1}}),
    writes("PATCH", "/examples/bulk", [{"id": "<example>", "inputs": {"mine": 1}}]),
    writes("POST", "/examples", {"dataset_id": "<dataset>", "inputs": {"mine": 1}}),
    writes("POST", "/examples/bulk", [{"dataset_id": "<dataset>", "inputs": {"mine": 1}}]),
    writes("POST", "/examples/upload/{dataset_id}"),
    writes("POST", "/datasets/clone", {"source_dataset_id": "<dataset>", "target_dataset_id": "<dataset>"}),
    writes("PUT", "/honeyhive/v1/runs/{evaluation_id}", {"results": {"mine": 1}, "event_ids": ["<run>"]}),
    writes("PUT", "/honeyhive/runs/{evaluation_id}", {"metadata": {"mine": 1}, "dataset_id": "<dataset>"}),
    writes("POST", "/honeyhive/v1/runs", {"name": "mine", "run_id": "<new>", "dataset_id": "<dataset>"}),
    writes("POST", "/honeyhive/runs", {"name": "mine", "event_ids": ["<run>"], "dataset_id": "<dataset>"}),
    writes("DELETE", "/honeyhive/v1/runs/{evaluation_id}"),
    writes("DELETE", "/honeyhive/runs/{evaluation_id}", told=False),
    writes("PUT", "/honeyhive/v1/metrics/{metric_id}", {"description": "mine"}),
    writes("PUT", "/honeyhive/v1/metrics", {"id": "<metric>", "description": "mine too"}),
    writes("PUT", "/honeyhive/metrics", {"metric_id": "<metric>", "description": "mine as well"}),
    writes("POST", "/honeyhive/v1/metrics/{metric_id}/versions", {"message": "mine", "content": METRIC_IN}),
    writes("POST", "/honeyhive/v1/metrics/{metric_id}/versions/{version_name}/deploy"),
    writes("POST", "/honeyhive/v1/metrics/{metric_id}/evaluations/retry"),
    writes("POST", "/honeyhive/v1/metrics/run", COMBINED_IN, told=False),
    writes("POST", "/honeyhive/v1/metrics/run_metric", COMBINED_IN, told=False),
    writes("POST", "/honeyhive/metrics/run_metric", COMBINED_IN, told=False),
    writes("DELETE", "/honeyhive/v1/metrics/{metric_id}"),
    writes("DELETE", "/honeyhive/v1/metrics", params={"metric_id": "<metric>"}, told=False),
    writes("DELETE", "/honeyhive/metrics", params={"metric_id": "<metric>"}, told=False),
    writes("PUT", "/honeyhive/v1/datapoints/{datapoint_id}", {"inputs": {"mine": 1}}),
    writes("PUT", "/honeyhive/datapoints/{datapoint_id}", {"linked_datasets": ["<dataset>"]}),
    writes("POST", "/honeyhive/v1/datapoints", {"linked_datasets": ["<dataset>"]}),
    writes("POST", "/honeyhive/datapoints", {"inputs": {}, "linked_datasets": ["<dataset>"]}),
    writes("POST", "/honeyhive/v1/datapoints/batch", {"events": ["<run>"]}),
    writes("POST", "/honeyhive/v1/datapoints/batch", {"selectAll": True, "dataset_id": "<dataset>"}),
    writes("POST", "/honeyhive/v1/datasets", {"name": "1 <new>", "datapoints": ["<datapoint>", "<loose>"]}),
    writes("POST", "/honeyhive/datasets", {"name": "2 <new>", "project": "mine", "datapoints": ["<loose>"]}),
    writes("PUT", "/honeyhive/v1/datasets/{dataset_id}", {"description": "mine"}),
    writes("PUT", "/honeyhive/v1/datasets", {"dataset_id": "<dataset>", "description": "mine"}),
    writes("PUT", "/honeyhive/datasets", {"dataset_id": "<dataset>", "description": "mine"}),
    writes("POST", "/honeyhive/v1/datasets/{dataset_id}/datapoints", ROWS_IN),
    writes("POST", "/honeyhive/datasets/{dataset_id}/datapoints", ROWS_IN),
    writes("DELETE", "/honeyhive/v1/datasets/{dataset_id}/datapoints/{datapoint_id}"),
    writes("DELETE", "/honeyhive/v1/datasets/{dataset_id}/{datapoint_id}"),
    writes("DELETE", "/honeyhive/datasets/{dataset_id}/datapoints/{datapoint_id}"),
    writes("DELETE", "/honeyhive/datasets/{dataset_id}/{datapoint_id}"),
    writes("DELETE", "/honeyhive/v1/datapoints/{datapoint_id}"),
    writes("DELETE", "/honeyhive/datapoints/{datapoint_id}", told=False),
    writes("DELETE", "/examples", params={"example_ids": "<new>"}),
    writes("DELETE", "/examples/{example_id}"),
    writes("DELETE", "/platform/datasets/{dataset_id}/examples/{example_id}"),
    writes("POST", "/platform/datasets/examples/delete", {"example_ids": ["<example>"], "hard_delete": True}),
    writes("DELETE", "/datasets/{dataset_id}"),
    # Julep's
    writes("PATCH", "/julep/agents/{agent_id}", {"about": "mine"}),
    writes("PUT", "/julep/agents/{agent_id}", {"name": "mine"}),
    writes("POST", "/julep/agents/{agent_id}/tools", {"name": "mine", "type": "api_call", "api_call": CALL}),
    writes("PATCH", "/julep/agents/{agent_id}/tools/{tool_id}", {"description": "mine"}),
    writes("PUT", "/julep/agents/{agent_id}/tools/{tool_id}", {"name": "my_own", "type": "api_call", "api_call": CALL}),
    writes("DELETE", "/julep/agents/{agent_id}/tools/{tool_id}"),
    writes("POST", "/julep/agents/{agent_id}/docs", DOC_IN),
    writes("POST", "/julep/users/{user_id}/docs", DOC_IN),
    writes("DELETE", "/julep/users/{user_id}/docs/{doc_id}"),
    writes("DELETE", "/julep/users/{user_id}/docs", {"delete_all": True}),
    writes("DELETE", "/julep/agents/{agent_id}/docs/{doc_id}"),
    writes("DELETE", "/julep/agents/{agent_id}/docs", {"delete_all": True}),
    writes("PATCH", "/julep/users/{user_id}", {"about": "mine"}),
    writes("PUT", "/julep/users/{user_id}", {"name": "mine"}),
    writes("POST", "/julep/sessions", SESSION_IN),
    writes("POST", "/julep/sessions", {**SESSION_IN, "user": "<user>"}),
    writes("PATCH", "/julep/sessions/{conversation_id}", {"situation": "mine"}),
    writes("PUT", "/julep/sessions/{conversation_id}", {"situation": "mine"}),
    writes("POST", "/julep/sessions/{conversation_id}/chat", CHAT_IN, told=False),  # no model is set up here
    writes("DELETE", "/julep/sessions/{conversation_id}/history"),
    writes("DELETE", "/julep/sessions/{conversation_id}"),
    writes("DELETE", "/julep/users/{user_id}"),
    writes("DELETE", "/julep/agents/{agent_id}"),
    writes("PUT", "/julep/secrets/{secret_id}", {"name": "mine", "value": "mine"}),
    writes("DELETE", "/julep/secrets/{secret_id}"),
    writes("DELETE", "/julep/files/{stored_file_id}"),
    writes("DELETE", "/datasets", params={"dataset_ids": "<dataset>"}, told=False),
    *(
        case
        for age in ("/v1", "")
        for case in (
            writes("DELETE", f"/honeyhive{age}/datasets", params={"dataset_id": "<dataset>"}, told=False),
            writes("DELETE", f"/honeyhive{age}/datasets/{{dataset_id}}", told=False),
        )
    ),
    writes("PATCH", "/sessions/{session_id}", {"description": "mine"}),
    writes("DELETE", "/honeyhive/v1/events/{event_id}"),
    writes("DELETE", "/honeyhive/v1/sessions/{trace_id}"),
    writes("POST", "/runs/delete", {"session_id": "<project>", "trace_ids": ["<run>"]}),
    writes("POST", "/runs/delete/traces", {"session_id": "<project>", "metadata": {"note": "<secret>"}}, told=False),
    writes("DELETE", "/sessions/{session_id}"),
    writes("DELETE", "/sessions", params={"session_ids": "<project>"}, told=False),
    writes("DELETE", "/honeyhive/projects", params={"name": "<project_name>"}, told=False),
    writes("DELETE", "/honeyhive/v1/projects", params={"name": "<project_name>"}, told=False),
    # additions: the sender gets things of its own, under the ids of the other's
    ingests("POST", "/runs", RUN_IN),  # into a project that is not the sender's
    writes("POST", "/sessions", {"id": "<project>", "name": "<project_name>"}, told=False),
    writes("POST", "/sessions", {"name": "<project_name>"}, params={"upsert": "true"}, told=False),
    ingests("PATCH", "/runs/{run_id}", {"outputs": {"mine": 1}, "end_time": "2026-01-01T00:00:02Z"}),
    ingests("POST", "/runs/batch", {"post": [RUN_IN], "patch": [{**RUN_IN, "error": "mine"}]}),
    ingests("POST", "/runs", RUN_IN),
    ingests("POST", "/runs", {**RUN_IN, "session_id": None, "session_name": "<project_name>"}),
    ingests("POST", "/runs/multipart"),
    *(ingests("POST", path, SPANS_IN) for path in OTLP_PATHS),
    ingests("POST", "/honeyhive/session/start", {"session": {"session_id": "<run>", **HONEYHIVE_TIMES}}),
    ingests("POST", "/honeyhive/session/start", {"session_id": "<answer>", "metrics": {"mine": 1}, **HONEYHIVE_TIMES}),
    ingests("POST", "/honeyhive/v1/sessions", {"session_id": "<answer>", "metadata": {"m": 1}, **HONEYHIVE_TIMES}),
    ingests("POST", "/honeyhive/events", {"event": EVENT_IN}),
    ingests("POST", "/honeyhive/events", {"event": {**EVENT_IN, "event_id": "<answer>", "event_type": "session"}}),
    ingests("POST", "/honeyhive/v1/events", EVENT_IN),
    ingests("POST", "/honeyhive/v1/events", {**EVENT_IN, "project_id": "<project>"}),
    ingests("POST", "/honeyhive/events/batch", {"events": [EVENT_IN, {**EVENT_IN, "project": "<project_name>"}]}),
    ingests("POST", "/honeyhive/v1/events/batch", {"events": [EVENT_IN]}),
    ingests("POST", "/honeyhive/events/model", {"model_event": {**EVENT_IN, "model": "mine"}}),
    ingests("POST", "/honeyhive/events/model/batch", {"model_events": [{**EVENT_IN, "model": "mine"}]}),
    ingests("POST", "/honeyhive/v1/sessions/{trace_id}/events/batch", {"events": [EVENT_IN]}),
    ingests("POST", "/honeyhive/session/{trace_id}/traces", {"logs": [{**EVENT_IN, "children": [EVENT_IN]}]}),
    ingests("PUT", "/honeyhive/events", {"event_id": "<run>", **UPDATE_IN}),
    ingests("PUT", "/honeyhive/v1/events/{event_id}", UPDATE_IN),
    ingests("POST", "/feedback", {"id": "<feedback>", "run_id": "<run>", "key": "mine", "score": 0}),
    ingests("POST", "/feedback", {"session_id": "<project>", "key": "mine", "score": 0}),
    ingests("POST", "/feedback/eager", {"id": "<feedback>", "run_id": "<run>", "key": "mine", "score": 0}),
    ingests("POST", "/feedback/tokens", {"run_id": "<run>", "feedback_key": "mine"}),
    writes(
        "POST",
        "/feedback-configs",
        {"feedback_key": "<config>", "feedback_config": {"type": "freeform"}},
        told=False,
    ),
    writes("POST", "/model-price-map", PRICE_IN, told=False),
    writes("POST", "/honeyhive/v1/configurations", CONFIGURATION_IN, told=False),
    writes("POST", "/honeyhive/configurations", {**CONFIGURATION_IN, "project": "<project_name>"}, told=False),
    writes("POST", "/honeyhive/tools", TOOL_IN, told=False),
    writes("POST", "/honeyhive/projects", {"name": "one <new>"}, told=False),
    writes("POST", "/honeyhive/v1/projects", {"name": "two <new>"}, told=False),
    writes("POST", "/honeyhive/v1/charts", CHART_IN, told=False),
    writes("POST", "/honeyhive/v1/metrics", METRIC_IN, told=False),
    writes("POST", "/honeyhive/metrics", {**METRIC_IN, "name": "older <new>", "type": "human"}, told=False),
    writes("POST", "/annotation-queues", {"id": "<queue>", "name": "mine"}, told=False),
    writes("POST", "/annotation-queues/{queue_id}/runs", ["<run>"], told=False),
    writes("POST", "/annotation-queues/{queue_id}/runs/by-key", [RUN_KEY], told=False),
    writes("POST", "/datasets/upload-experiment", UPLOAD_IN, told=False),
    writes("POST", "/datasets", {"id": "<dataset>", "name": "mine <new>"}, told=False),
    writes("POST", "/examples", {"id": "<example>", "dataset_id": "<dataset>", "inputs": {}}, told=False),
    writes("POST", "/datasets/upload", told=False),
    writes("POST", "/julep/sessions/{conversation_id}", SESSION_IN, told=False),
    writes("POST", "/julep/agents", {"name": "mine", "canonical_name": "<word>"}, told=False),
    writes("POST", "/julep/users", {"name": "mine"}, told=False),
    writes("POST", "/julep/projects", {"name": "<word>"}, told=False),
    writes("POST", "/julep/secrets", SECRET_IN, told=False),
    writes("POST", "/julep/files", {"name": "mine", "content": "eA=="}, told=False),
    writes("POST", "/julep/agents/{agent_id}", {"name": "mine", "canonical_name": "x<word>"}, told=False),
    writes("POST", "/julep/users/{user_id}", {"name": "mine"}, told=False),
    # the page
    reads("/ui/api/me"),
    reads("/ui/api/newest"),
    reads("/ui/api/filter", "POST", body={"filter": 'eq(name, "x")'}, told=False),
    reads("/ui/api/projects"),
    reads("/ui/api/projects/{project_id}"),
    reads("/ui/api/projects/{project_id}/figures", "POST", body={}),
    reads("/ui/api/projects/{project_id}/series", "POST", body=SERIES),
    reads("/ui/api/projects/{project_id}/values"),
    reads("/ui/api/projects/{project_id}/runs", "POST", body={"search": "<secret>"}),
    reads("/ui/api/projects/{project_id}/threads", "POST", body={}),
    reads("/ui/api/projects/{project_id}/turns", "POST", body={"thread": "<thread>"}),
    reads("/ui/api/traces/{trace_id}"),
    reads("/ui/api/runs/{run_id}"),
    reads("/ui/api/runs/{run_id}/{payload}"),
    # without a key: the link is the permission, or there is nothing to hide
    open_to_all("/ui/api/sign-in", "POST", body={"key": "mine"}, told=False),
    open_to_all("/ui/api/sign-in", "DELETE", told=False),
    open_to_all("/ui/api/public/{token}/trace"),
    open_to_all("/ui/api/public/{token}/runs/{run_id}"),
    open_to_all("/ui/api/public/{token}/runs/{run_id}/{payload}"),
    open_to_all("/ui/api/{rest:path}", told=False),
    open_to_all("/ui/assets/{name}", told=False),
    open_to_all("/ui/{rest:path}"),
    open_to_all("/julep/healthz"),
    open_to_all("/info"),
    open_to_all("/info/health"),
    open_to_all("/ok"),
    open_to_all("/"),
    open_to_all("/ui"),
    open_to_all("/metrics"),
    open_to_all("/public/schemas/{version}/message.json", told=False),
    open_to_all("/public/schemas/{version}/tooldef.json", told=False),
    open_to_all("/public/{token}/run"),
    open_to_all("/public/{token}/run/{run_id}"),
    open_to_all("/public/{token}/runs/query", "POST", body={}),
    open_to_all("/public/{token}/feedbacks"),
    open_to_all("/public/{token}/r"),
    open_to_all("/public/datasets/sessions-bulk", params={"share_tokens": "<dataset_share>"}),
    open_to_all("/public/{share_token}/datasets"),
    open_to_all("/public/{share_token}/datasets/sessions"),
    open_to_all("/public/{share_token}/datasets/runs/query", "POST", body={}),
    open_to_all("/public/{share_token}/datasets/runs/stats", "POST", body={}),
    open_to_all("/public/{share_token}/datasets/runs/generate-query", "POST", body={}),
    open_to_all("/public/{share_token}/datasets/runs/delta", "POST", body={**COMPARED, "feedback_key": "<secret>"}),
    open_to_all(
        "/public/{share_token}/datasets/runs/delta/stream",
        "POST",
        body={**COMPARED, "feedback_keys": ["<secret>"]},
    ),
    open_to_all("/public/{share_token}/datasets/runs/{experiment_run_id}"),
    open_to_all("/public/{share_token}/datasets/comparative"),
    open_to_all("/public/{share_token}/datasets/feedback"),
    open_to_all("/public/{share_token}/examples"),
    open_to_all("/public/{share_token}/examples/count"),
    open_to_all("/public/{share_token}/examples/runs", "POST", body=EXPERIMENT),
    open_to_all("/attachments/{workspace}/{run_id}/{name:path}"),
    open_to_all("/example-attachments/{workspace}/{file_id}"),
    open_to_all("/feedback/tokens/{token}", "OPTIONS"),
    open_to_all("/feedback/tokens/{token}", params={"score": "1"}, changes=True),
    open_to_all("/feedback/tokens/{token}", "POST", body={"score": 1}, changes=True),
]  # fmt: skip

READS = [case for case in CASES if case.permission is not None and not case.changes]
CHANGES = [case for case in CASES if case.permission is not None and case.changes]
OPEN = [case for case in CASES if case.permission is None]


def test_every_route_has_a_case() -> None:
    walked: set[tuple[str, str]] = set()
    for route in routes():
        assert isinstance(route, Route), f"{route}: teach this test to walk into it"
        walked |= {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}
    covered = {(case.method, case.path) for case in CASES}
    assert walked - covered == set(), "a route without a case"
    assert covered - walked == set(), "a case without a route"


# -- a server with two workspaces ----------------------------------------------------------------------------


_OF_THE_MOMENT = re.compile(r'"total_unfiltered":\d+|"(?:received|at)":\d+|"time":[0-9.e-]+')
"""What an answer says of the whole workspace, of when something arrived, and of how long it took."""
_PACKED = re.compile(r'"ids":"[A-Za-z0-9+/=]+"')
"""Ids of runs, sixteen bytes each: `things` are named in texts alone."""
_SIGNED = re.compile(r"expires=\d+&signature=\w+")
"""Links to files are others every quarter of an hour."""


@dataclass(frozen=True)
class House:
    server: Server
    http: httpx.Client
    owner: Mapping[Role, str]
    """The keys of the workspace whose things are at stake."""
    stranger: str
    """An admin's key of the other."""
    workspace: str

    def furnish(self) -> Things:
        """One of each in the owner's workspace."""
        things = Things(workspace=self.workspace)
        secret = things.secret

        def made(method: str, path: str, body: Any, status: int = 200) -> Any:
            headers = {"x-api-key": self.owner[Role.ADMIN]}
            answer = self.http.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, f"{method} {path}: {answer.text}"
            return answer.json()

        made("POST", "/sessions", {"id": things.project, "name": things.project_name, "description": secret})
        self._experiment(things, made)
        made("POST", "/runs/batch", {"post": things.runs()}, 202)
        self._attach(things)
        self._converse(things, made)
        made(
            "POST",
            "/feedback",
            {"id": things.feedback, "run_id": things.run, "key": secret, "score": 1, "comment": secret},
        )
        made(
            "POST", "/feedback", {"session_id": things.project, "key": secret, "score": 1, "comment": secret}
        )
        things.view = made("POST", f"/sessions/{things.project}/views", {"display_name": secret})["id"]
        things.price = made(
            "POST", "/model-price-map", {**PRICE_IN, "name": secret, "match_pattern": secret}
        )["id"]
        made("POST", "/feedback-configs", {"feedback_key": secret, "feedback_config": {"type": "freeform"}})
        formula = {**FORMULA_IN, "session_id": things.project, "feedback_key": f"all of {secret}"}
        formula["formula_parts"] = [{"part_type": "weighted_key", "weight": 2, "key": secret}]
        things.formula = made("POST", "/feedback/formulas", formula)["id"]
        things.share = made("PUT", f"/runs/{things.run}/share", {})["share_token"]
        things.dataset_share = made("PUT", f"/datasets/{things.dataset}/share", {})["share_token"]
        token = {"run_id": things.run, "feedback_key": secret}
        things.feedback_token = made("POST", "/feedback/tokens", token)["id"]
        queue = made("POST", "/annotation-queues", {"name": secret, "description": secret})["id"]
        (item,) = made("POST", f"/annotation-queues/{queue}/runs", [things.run])
        things.queue, things.item = queue, item["id"]
        configuration = {
            **CONFIGURATION_IN,
            "name": secret,
            "provider": secret,
            "project": things.project_name,
        }
        things.configuration = made("POST", "/honeyhive/configurations", configuration)["insertedId"]
        tool = {**TOOL_IN, "name": secret, "description": secret}
        things.tool = made("POST", "/honeyhive/tools", tool)["result"]["insertedId"]
        chart = {**CHART_IN, "name": secret, "description": secret}
        path = f"/honeyhive/v1/projects/{things.project}/charts"
        things.chart = made("POST", path, chart)["data"]["id"]
        urls = made("GET", f"/runs/{things.run}", None)["s3_urls"]
        things.file = urls["attachment.file"]["presigned_url"]
        return things

    def _experiment(self, things: Things, made: Callable[..., Any]) -> None:
        secret, dataset = things.secret, things.dataset
        made(
            "POST",
            "/datasets",
            {"id": dataset, "name": secret, "description": secret, "externally_managed": True},
        )
        noted = {"inputs": {"q": secret}, "outputs": {"a": secret}, "metadata": {"note": secret}}
        made("POST", "/examples", {"id": things.example, "dataset_id": dataset, **noted})
        file = [
            (things.example, (None, b"{}", "application/json")),
            (f"{things.example}.attachment.file", (None, secret.encode(), "text/plain")),
        ]
        path, key = f"/platform/datasets/{dataset}/examples", {"x-api-key": self.owner[Role.ADMIN]}
        assert self.http.patch(path, files=file, headers=key).status_code == 201
        urls = made("GET", f"/examples/{things.example}", None)["attachment_urls"]
        things.example_file = urls["attachment.file"]["presigned_url"]
        metric = {**METRIC_IN, "name": secret, "criteria": secret}
        things.metric = made("POST", "/honeyhive/v1/metrics", metric)["metric_id"]
        point = {"inputs": {"q": secret}, "metadata": {"note": secret}}
        for name, homes in (("datapoint", [dataset]), ("loose", [])):
            answer = made("POST", "/honeyhive/v1/datapoints", {**point, "linked_datasets": homes})
            setattr(things, name, answer["result"]["insertedIds"][0])
        session = {"id": things.experiment, "name": f"experiment {secret}", "reference_dataset_id": dataset}
        made("POST", "/sessions", {**session, "extra": {"metadata": {"note": secret}}})
        run = {"run_id": things.evaluation, "name": secret, "description": secret, "event_ids": [things.run]}
        made("POST", "/honeyhive/v1/runs", {**run, "metadata": {"note": secret}, "results": {"note": secret}})
        said = {"run_id": things.evaluation, "datapoint_id": things.example}
        begun = {"session_name": secret, "metadata": said, "metrics": {secret: 1}}
        made("POST", "/honeyhive/session/start", {"session": begun})
        compared = {"id": things.comparison, "name": secret, "experiment_ids": [things.experiment]}
        made("POST", "/datasets/comparative", compared)
        shown = {"column_overrides": [{"column": f"inputs.{secret}"}]}
        path = f"/datasets/{dataset}/experiment-view-overrides"
        things.override = made("POST", path, shown, 201)["id"]

    def _converse(self, things: Things, made: Callable[..., Any]) -> None:
        secret = things.secret
        noted = {"about": secret, "metadata": {"note": secret}}
        agent = {**noted, "name": secret, "canonical_name": things.word}
        things.agent = made("POST", "/julep/agents", agent, 201)["id"]
        tool = {"name": "theirs", "type": "function", "description": secret}
        things.agent_tool = made("POST", f"/julep/agents/{things.agent}/tools", tool, 201)["id"]
        things.user = made("POST", "/julep/users", {**noted, "name": secret}, 201)["id"]
        note = {"title": secret, "content": f"words {secret}", "metadata": {"note": secret}}
        things.doc = made("POST", f"/julep/agents/{things.agent}/docs", note, 201)["id"]
        things.user_doc = made("POST", f"/julep/users/{things.user}/docs", note, 201)["id"]
        session: dict[str, Any] = {"agent": things.agent, "user": things.user, "situation": secret}
        session["metadata"] = noted["metadata"]
        things.conversation = made("POST", "/julep/sessions", session, 201)["id"]
        made("POST", "/julep/projects", {"name": f"of {secret}", "metadata": {"note": secret}}, 201)
        sealed = {"name": things.word, "value": "x", "description": secret}
        things.sealed = made("POST", "/julep/secrets", sealed, 201)["id"]
        file = {"name": secret, "content": base64.b64encode(secret.encode()).decode()}
        things.stored_file = made("POST", "/julep/files", file, 201)["id"]
        things.job = asyncio.run(_job(self.server.data_dir, UUID(self.workspace), secret))
        asyncio.run(_bury(self.server.data_dir, UUID(self.workspace), things))
        asyncio.run(_report(self.server.data_dir, UUID(self.workspace), things))
        saved = {"name": secret, "config": {"name": secret}}
        things.insight_config = made("POST", f"/sessions/{things.project}/insights/configs", saved)["id"]

    def _attach(self, things: Things) -> None:
        parts = [
            (f"patch.{things.run}", (None, json.dumps({"id": things.run}).encode(), "application/json")),
            (f"attachment.{things.run}.file", (None, things.secret.encode(), "text/plain")),
        ]
        answer = self.http.post("/runs/multipart", files=parts, headers={"x-api-key": self.owner[Role.ADMIN]})
        assert answer.status_code == 202, answer.text

    def seen(self, things: Things) -> list[str]:
        """All that the owner can read of its things."""
        key = self.owner[Role.ADMIN]
        found = [case.send(self.http, things, key).text for case in READS if case.told]
        found = [_SIGNED.sub("", _OF_THE_MOMENT.sub("", text)) for text in found]
        shared = self.http.get(f"/public/{things.share}/run").text
        return [*found, self.http.get(things.file).text, _SIGNED.sub("", shared)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("isolation") / "data"
    folder.mkdir()
    keys, workspace = asyncio.run(_keys(folder))
    server = Server(folder, options=("--auth", "keys")).start()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        yield House(server, http, keys["owner"], keys["stranger"][Role.ADMIN], workspace)
    assert server.stop() == 0, server.log[-4000:]


async def _keys(folder: Path) -> tuple[dict[str, dict[Role, str]], str]:
    """Two workspaces, neither of them the operator's, with a key of each role."""
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    access, operator = Access(meta, is_open=False), Caller(DEFAULT_WORKSPACE, Role.ADMIN)
    keys: dict[str, dict[Role, str]] = {}
    made = {name: await access.create_workspace(operator, name) for name in ("owner", "stranger")}
    for name, workspace in made.items():
        keys[name] = {
            role: (await access.create_key(operator, f"{name} {role}", role, workspace.id)).secret
            for role in Role
        }
    await meta.close()
    return keys, str(made["owner"].id)


async def _job(folder: Path, workspace: UUID, name: str) -> str:
    """Jobs are begun by the server itself."""
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    job = await Jobs(meta).begin(workspace, name)
    await meta.close()
    return str(job.id)


async def _bury(folder: Path, workspace: UUID, things: Things) -> None:
    """Letters are what the run store refused."""
    letter = DeadLetter(
        id=UUID(things.letter),
        workspace=workspace,
        kind="run",
        subject_id=UUID(things.run),
        reason=things.secret,
        record=things.secret.encode(),
        created_at=1,
    )
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    await meta.dead_letters.bury([letter])
    await meta.close()


async def _report(folder: Path, workspace: UUID, things: Things) -> None:
    """A report of the root run, written as its job would: the server takes a while to make one."""
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    job = InsightJob(
        id=UUID(things.insight),
        workspace=workspace,
        project_id=UUID(things.project),
        name=things.secret,
        request=ReportRequest(),
        created_at=1,
        modified_at=1,
    )
    assert await meta.insights.create(job)
    cluster = Cluster(
        id=UUID(things.cluster), job_id=job.id, level=0, name=things.secret, description=things.secret, runs=1,
        stats={"run_count": 1}, leaves=(0,), centroid=bytes(4),
    )  # fmt: skip
    nothing = struct.pack("<f", float("nan"))
    member = MemberChunk(
        leaf=0, number=0, size=1, run_ids=UUID(things.run).bytes, project_ids=job.project_id.bytes,
        starts=struct.pack("<q", 1_767_225_600_000_000), latencies=nothing, costs=nothing, tokens=nothing,
        closeness=nothing,
    )  # fmt: skip
    report = Report(title=things.secret, key_points=(things.secret,))
    done = msgspec.structs.replace(job, status=JobStatus.SUCCESS, runs=1, report=report)
    assert await meta.insights.finish(done, [cluster], [member])
    await meta.close()


# -- the tests -----------------------------------------------------------------------------------------------

_VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|#[0-9a-f]{8}\b|\d{8}T\d{12}Z|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:\d{3}|Z)|expires=\d+&signature=\w+"
)


def told(answer: httpx.Response, *either: Things) -> tuple[int, str]:
    """What an answer says, whichever of these things it is about."""
    text = _PACKED.sub("", _OF_THE_MOMENT.sub("", answer.text))
    for things, item in itertools.product(either, fields(Things)):
        text = text.replace(getattr(things, item.name), f"<{item.name}>")
    return answer.status_code, _VOLATILE.sub("<id or time>", text)


def leaked(answer: httpx.Response, things: Things) -> list[str]:
    """What of the things an answer names that was not in the question."""
    request = f"{answer.request.url} {answer.request.read().decode()}"
    values = {item.name: getattr(things, item.name) for item in fields(things)}
    return [name for name, value in values.items() if value in answer.text and value not in request]


def differences(before: list[str], after: list[str]) -> list[str]:
    """Where two readings part, told in a few words either side of it."""
    found = []
    for case, old, new in itertools.zip_longest(
        [name_of(case) for case in READS if case.told], before, after
    ):
        if old != new:
            at = next(
                (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
            )
            found.append(f"{case}: {old[max(0, at - 60) : at + 60]} became {new[max(0, at - 60) : at + 60]}")
    return found


def name_of(case: Case) -> str:
    return f"{case.method} {case.path} {case.body or ''}{dict(case.params) or ''}"


def test_to_a_stranger_nothing_of_the_owners_is_there(house: House) -> None:
    """The same answer as for ids that nobody has; and the owner finds everything as it was."""
    things, none = house.furnish(), Things()
    before = house.seen(things)
    assert before == house.seen(things), "the owner's own answers have to be comparable"

    def attack(case: Case) -> httpx.Response:
        answer, blank = (case.send(house.http, which, house.stranger) for which in (things, none))
        assert told(answer, things, none) == told(blank, things, none), name_of(case)
        assert answer.status_code < 500 or answer.status_code == 501, name_of(case)
        return answer

    for case in READS:
        answer = attack(case)
        assert leaked(answer, things) == [], name_of(case)
        own = case.send(house.http, things, house.owner[Role.ADMIN])
        if case.told:
            assert told(own, things) != told(answer, things), (
                f"{name_of(case)}: shows nothing to its owner, too"
            )
    for case in CHANGES:
        assert things.secret not in _without_what_was_sent(attack(case)), name_of(case)
    everything = house.http.request(
        "DELETE",
        "/workspaces/current/shared",
        json={"unshare_all": True},
        headers={"x-api-key": house.stranger},
    )
    assert everything.status_code == 200
    for case in READS:
        assert things.secret not in _without_what_was_sent(attack(case)), name_of(case)
    assert differences(before, house.seen(things)) == []


def _without_what_was_sent(answer: httpx.Response) -> str:
    """Answers may quote the question."""
    request = f"{answer.request.url} {answer.request.read().decode()}"
    quoted = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", request))
    text = answer.text
    for value in quoted:
        text = text.replace(value, "")
    return text


def test_the_owner_can_do_all_that_the_stranger_could_not(house: House) -> None:
    """Each change works with the right key: what a stranger is refused is not refused for another reason."""
    things = house.furnish()
    for case in CHANGES:
        if case.permission is WRITE and case.told:
            answer = case.send(house.http, things, house.stranger)
            own = case.send(house.http, things, house.owner[Role.WRITE])
            assert own.status_code in (200, 201, 202, 204, 207), f"{name_of(case)}: {own.text}"
            assert told(own, things) != told(answer, things), name_of(case)


def test_another_tenant_cannot_be_asked_for(house: House) -> None:
    things = house.furnish()
    headers = {
        "x-api-key": house.stranger,
        "X-Tenant-Id": house.workspace,
        "X-Organization-Id": house.workspace,
    }
    assert house.http.get(f"/runs/{things.run}", headers=headers).status_code == 404
    assert things.project not in house.http.get("/sessions", headers=headers).text
    assert house.http.get("/workspaces/current", headers=headers).json()["id"] != house.workspace


def test_what_each_role_may_do(house: House) -> None:
    """A key is refused exactly what its role does not reach, and refused requests change nothing."""
    things = house.furnish()
    before = house.seen(things)
    for role, case in itertools.product(Role, READS + CHANGES):
        assert case.permission is not None
        about = f"{role}: {name_of(case)}"
        if case.permission in PERMISSIONS[role]:
            status = case.send(house.http, Things(), house.owner[role]).status_code
            assert status not in (401, 403), about
            assert status < 500 or status == 501, about
        else:
            answer = case.send(house.http, things, house.owner[role])
            assert answer.status_code == 403, about
            assert things.secret not in _without_what_was_sent(answer), about
    # What was allowed has added to the workspace, but not to these things.
    about_things = [
        "{" in case.path or "<" in json.dumps([case.body, dict(case.params)]) for case in READS if case.told
    ]
    after = house.seen(things)
    assert list(itertools.compress(after, about_things)) == list(itertools.compress(before, about_things))


def test_the_roles_are_what_they_are_called() -> None:
    assert PERMISSIONS[Role.INGEST] == {INGEST}
    assert PERMISSIONS[Role.READ] == {READ}
    assert PERMISSIONS[Role.WRITE] == {READ, INGEST, WRITE}
    ingest = {(case.method, case.path) for case in CASES if case.permission is INGEST}
    assert {path.split("/")[1] for _, path in ingest} == {
        "runs", "feedback", "v1", "otel", "opentelemetry", "honeyhive",
    }  # fmt: skip
    assert "GET" not in {method for method, _ in ingest}


def test_no_key_and_wrong_keys(house: House) -> None:
    things = house.furnish()
    before = house.seen(things)
    for case in READS + CHANGES:
        answer = case.send(house.http, things, None)
        assert answer.status_code == 401, name_of(case)
        assert things.secret not in _without_what_was_sent(answer)
    for key in (
        "",
        "wrong",
        "sk_steno_" + "a" * 43,
        "' OR 1=1 --",
        house.stranger[:-1],
        house.stranger + " x",
    ):
        for case in (READS[0], CHANGES[0]):
            assert case.send(house.http, things, key).status_code == 401, key
    assert house.http.get("/sessions", headers=[(b"x-api-key", "ü".encode())]).status_code == 401
    assert differences(before, house.seen(things)) == []


def test_a_bearer_token_is_a_key_like_any_other(house: House) -> None:
    things = house.furnish()

    def status(token: str) -> int:
        return house.http.get(f"/runs/{things.run}", headers={"Authorization": token}).status_code

    assert status(f"Bearer {house.owner[Role.READ]}") == 200
    assert status(f"bearer {house.owner[Role.READ]}") == 200
    assert status(f"Bearer {house.stranger}") == 404
    assert status(f"Bearer {house.owner[Role.INGEST]}") == 403
    assert status(f"Basic {house.owner[Role.READ]}") == 401
    assert status("Bearer") == 401


_ANSWERS_TO_ALL = {
    "/ui/api/sign-in": {200, 204, 401},
    "/ui/api/{rest:path}": {404},
    "/public/{share_token}/datasets/runs/generate-query": {501},
}


def test_what_needs_no_key_looks_at_none(house: House) -> None:
    things = house.furnish()
    for case in OPEN:
        keys = (None, "wrong", house.stranger, house.owner[Role.INGEST])
        answers = [case.send(house.http, things, key) for key in keys]
        wanted = _ANSWERS_TO_ALL.get(case.path, {200, 204})
        assert {answer.status_code for answer in answers} <= wanted, name_of(case)
        if case.path != "/metrics" and not case.changes:
            for first, second in itertools.pairwise(answers):
                assert first.content == second.content, name_of(case)
        if "{" not in case.path and not case.params:
            assert leaked(answers[0], things) == [], name_of(case)
    for case in OPEN:
        if "{" in case.path and case.method != "OPTIONS" and case.told:
            assert case.send(house.http, Things(), None).status_code in (403, 404), name_of(case)


def test_a_revoked_link_is_closed_for_its_holder_alone(house: House) -> None:
    """Withdrawing one thing's link leaves the other's."""
    first, second = house.furnish(), house.furnish()
    key = {"x-api-key": house.owner[Role.WRITE]}
    assert house.http.delete(f"/runs/{first.run}/share", headers=key).status_code == 200
    assert house.http.get(f"/public/{first.share}/run").status_code == 404
    assert house.http.get(f"/public/{second.share}/run").json()["id"] == second.run
    assert house.http.get(f"/public/{second.share}/run/{first.run}").status_code == 404
