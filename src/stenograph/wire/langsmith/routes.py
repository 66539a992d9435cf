"""LangSmith's face: every route, by the path that remains when prefixes are taken off (see wire/addresses.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.wire.langsmith import (
    annotation_queue_items,
    annotation_queue_runs,
    annotation_queues,
    attachments,
    comparative_experiments,
    dashboard,
    dataset_files,
    dataset_sharing,
    dataset_versions,
    datasets,
    example_multipart,
    examples,
    experiment_upload,
    experiments,
    feedback,
    feedback_configs,
    feedback_formulas,
    feedback_tokens,
    info,
    ingest,
    prices,
    public_datasets,
    public_schemas,
    runs,
    sessions,
    sharing,
    views,
    workspaces,
)

Handler = Callable[[Request], Awaitable[Response]]


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route(path, handler, methods=[method])


def routes() -> list[BaseRoute]:
    """In the order of matching: fixed paths before those with parameters."""
    return [
        _route("POST", "/runs/multipart", ingest.multipart),
        _route("POST", "/runs/batch", ingest.batch),
        _route("POST", "/runs", ingest.create_run),
        _route("PATCH", "/runs/{run_id}", ingest.update_run),
        _route("GET", "/info", info.info),
        _route("GET", "/info/health", info.health),
        _route("GET", "/ok", info.ok),
        _route("GET", "/settings", info.settings),
        _route("POST", "/runs/query", runs.query),
        _route("POST", "/runs/query/validate", runs.validate),
        _route("POST", "/runs/generate-query", runs.not_offered),
        _route("POST", "/runs/stats", runs.stats),
        _route("POST", "/runs/group", runs.threads),
        _route("POST", "/runs/group/stats", runs.thread_stats),
        _route("POST", "/runs/delete", runs.delete),
        _route("POST", "/runs/delete/traces", runs.delete),
        _route("GET", "/runs/threads/{thread_id:path}", runs.thread),
        _route("GET", "/runs/{run_id}", runs.one),
        *public_schemas.routes(),
        *public_datasets.routes(),
        *dataset_sharing.routes(),
        *sharing.routes(),
        *attachments.routes(),
        *feedback_configs.routes(),
        *feedback_tokens.routes(),
        *feedback_formulas.routes(),
        *feedback.routes(),
        *prices.routes(),
        *annotation_queues.routes(),
        *annotation_queue_runs.routes(),
        *annotation_queue_items.routes(),
        *sessions.routes(),
        *dashboard.routes(),
        *views.routes(),
        *comparative_experiments.routes(),
        *experiment_upload.routes(),
        *experiments.routes(),
        *dataset_files.routes(),
        *dataset_versions.routes(),
        *datasets.routes(),
        *examples.routes(),
        *example_multipart.routes(),
        *workspaces.routes(),
    ]
