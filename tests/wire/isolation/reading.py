"""Requests that read: a stranger sees nothing of the owner's in their answers."""

from __future__ import annotations

import json

from stenograph.model.access import Permission
from stenograph.wire.langsmith.workspaces import NOT_OFFERED
from tests.wire.isolation.bodies import (
    BY_NOTE,
    BY_PROJECT,
    CHAT_IN,
    COMPARED,
    ENTIRE,
    EXPERIMENT,
    FIGURES_IN,
    GROUP,
    NOTED,
    OF_TRACE,
    SERIES,
    WINDOW,
)
from tests.wire.isolation.cases import Case, reads

READS: list[Case] = [
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
    Case("GET", "/ui/api/dead-letters", Permission.ADMIN),
    Case("GET", "/ui/api/dead-letters/{letter_id}", Permission.ADMIN),
    # feedback
    reads("/feedback"),
    reads("/feedback", params={"run": "<run>"}),
    reads("/feedback", params={"session": "<project>"}),
    reads("/feedback/{feedback_id}"),
    reads("/feedback-configs"),
    reads("/feedback-configs", params={"key": "<secret>"}),
    Case("GET", "/feedback/tokens", Permission.WRITE, params={"run_id": "<run>"}),
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
        Case("GET", f"/honeyhive/v1/projects/{{project_id}}/{kind}_api_keys", Permission.ADMIN)
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
    reads("/ui/api/projects/{project_id}/insights"),
    reads("/ui/api/projects/{project_id}/insights/{insights_job_id}"),
    reads("/ui/api/projects/{project_id}/insights/{insights_job_id}/runs"),
    reads("/ui/api/projects/{project_id}/insights/{insights_job_id}/runs", params={"cluster": "<cluster>"}),
    reads("/ui/api/projects/{project_id}/insights/{insights_job_id}/diff", params={"with": "<insight>"}),
    reads("/ui/api/insights/targets"),
    reads("/ui/api/queues"),
    reads("/ui/api/queues/{queue_id}"),
    reads("/ui/api/queues/{queue_id}/items"),
    reads("/ui/api/queues/{queue_id}/items/{item_id}"),
    reads("/ui/api/runs/{run_id}"),
    reads("/ui/api/runs/{run_id}/{payload}"),
]  # fmt: skip
